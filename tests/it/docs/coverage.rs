//! That no block is forgotten: each is run, compared, loaded or listed.

use super::commands;
use super::listed::{self, Listed};
use super::markdown::{Block, Document, documents};
use super::{answers, assert_none, shell};

#[test]
fn every_block_is_run_or_listed() {
    let (listed, documents) = (Listed::read(), documents());
    let blocks = documents.iter().flat_map(Document::blocks);
    let forgotten = blocks.flat_map(|block| {
        if block.is_typed() {
            forgotten_commands(&block, &listed)
        } else {
            forgotten_block(&block, &listed).into_iter().collect()
        }
    });
    let gone = listed.gone(&documents).into_iter();
    let gone = gone.map(|name| {
        format!(
            "`{name}` is in no document; take it out of {}",
            listed::FILE
        )
    });
    assert_none(forgotten.chain(gone));
}

fn forgotten_commands(block: &Block, listed: &Listed) -> Vec<String> {
    let commands = commands::of(block).into_iter();
    let forgotten = commands.filter(|typed| {
        let is_run = shell::RUN.contains(&typed.program().as_str());
        !is_run && !listed.has_command(typed)
    });
    let advice = forgotten.map(|typed| {
        format!(
            "{}: `{}` is not run; put it into {}, with the reason, or its program into `RUN` of tests/it/docs/shell.rs",
            block.place,
            typed.name(),
            listed::FILE
        )
    });
    advice.collect()
}

fn forgotten_block(block: &Block, listed: &Listed) -> Option<String> {
    let is_covered = answers::covers(block) || is_loaded(block) || listed.has_block(block);
    let advice = || {
        format!(
            "{}: no test looks at this block; write one in tests/it/docs/answers, or put its first line into {}, with the reason",
            block.place,
            listed::FILE
        )
    };
    (!is_covered).then(advice)
}

/// TOML is loaded, here or by proxy/tests/builtins.rs, and doc tests run the guide.
fn is_loaded(block: &Block) -> bool {
    let guide = block.place.starts_with("docs/FILTERS.md:");
    block.language == "toml" || (block.language == "rust" && guide)
}
