//! That no command is forgotten: each is run or listed.

use super::commands;
use super::listed::{self, Listed};
use super::markdown::{Block, Document, documents};
use super::{assert_none, shell};

#[test]
fn every_command_is_run_or_listed() {
    let (listed, documents) = (Listed::read(), documents());
    let blocks = documents.iter().flat_map(Document::blocks);
    let typed = blocks.filter(Block::is_typed);
    let forgotten = typed.flat_map(|block| forgotten_commands(&block, &listed));
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
