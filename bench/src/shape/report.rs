//! Tells what came out: tables to people, and into docs/PERFORMANCE.md.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::demands::Verdict;
use super::options::Options;
use super::policy::Policy;
use super::results::Results;
use super::scenario::Case;
use super::tables;

/// The file that `--write-docs` writes into, from the top of the repository.
const DOCS: &str = "docs/PERFORMANCE.md";
const BEGIN: &str = "<!-- shape:begin -->";
const END: &str = "<!-- shape:end -->";

/// Prints everything, and writes it where it was asked for.
pub(crate) fn tell(results: &Results, verdicts: &[Verdict], options: &Options) -> Result<()> {
    let text = text(results, verdicts);
    writeln!(std::io::stdout().lock(), "\n{text}")?;
    if options.write_docs {
        write_docs(Path::new(DOCS), &text)?;
    }
    Ok(())
}

fn text(results: &Results, verdicts: &[Verdict]) -> String {
    let mut text = format!("{}\n", tables::demands(verdicts));
    text.push_str("\nA10, token limits, is checked by the tests of the gateway.\n");
    for case in Case::all() {
        if let Some(table) = tables::figures(case, &policies(), results) {
            // Writing to memory does not fail.
            let _ = write!(text, "\n{}: {}\n\n{table}\n", case.id, case.title);
        }
    }
    text
}

/// All of them, in the order in which tables show them.
fn policies() -> Vec<Policy> {
    use clap::ValueEnum as _;
    Policy::value_variants().to_vec()
}

fn write_docs(file: &Path, tables: &str) -> Result<()> {
    let before = std::fs::read_to_string(file).with_context(|| {
        format!(
            "cannot read {}; run from the top of the repository",
            file.display()
        )
    })?;
    let after = between_markers(&before, tables)
        .with_context(|| format!("{} has no lines `{BEGIN}` and `{END}`", file.display()))?;
    std::fs::write(file, after).with_context(|| format!("cannot write {}", file.display()))
}

/// The text with what stands between the markers replaced.
fn between_markers(text: &str, new: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{new}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let new = between_markers(&text, "new\n").unwrap();
        assert_eq!(new, format!("a\n{BEGIN}\n\nnew\n\n{END}\nb\n"));
        assert_eq!(between_markers(&new, "new\n").unwrap(), new);
        assert_eq!(between_markers("a", "new"), None);
    }

    #[test]
    fn the_docs_have_the_markers() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/PERFORMANCE.md");
        let text = std::fs::read_to_string(docs).unwrap();
        assert!(between_markers(&text, "").is_some());
    }
}
