//! What no test runs, and why: `tests/data/docs/not_run.toml`.

use std::collections::BTreeSet;
use std::fs;

use headworks_tests::root;
use serde::Deserialize;

use super::commands::{self, Typed};
use super::markdown::{Block, Document};

/// The list's file, for messages.
pub(super) const FILE: &str = "tests/data/docs/not_run.toml";

/// The list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    group: Vec<Group>,
}

/// What is not run for one reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    why: String,
    /// Of blocks in which a reader types, each on one line.
    #[serde(default)]
    commands: Vec<String>,
    /// Other blocks, by their first line.
    #[serde(default)]
    blocks: Vec<String>,
}

impl Listed {
    pub(super) fn read() -> Self {
        let text = fs::read_to_string(root().join(FILE)).unwrap();
        let listed: Self = toml::from_str(&text).unwrap();
        assert!(listed.group.iter().all(|group| !group.why.is_empty()));
        listed
    }

    /// All commands.
    pub(super) fn commands(&self) -> impl Iterator<Item = &str> {
        let commands = self.group.iter().flat_map(|group| &group.commands);
        commands.map(String::as_str)
    }

    /// All blocks in which nobody types.
    fn blocks(&self) -> impl Iterator<Item = &str> {
        let blocks = self.group.iter().flat_map(|group| &group.blocks);
        blocks.map(String::as_str)
    }

    pub(super) fn has_command(&self, typed: &Typed) -> bool {
        self.commands().any(|command| command == typed.name())
    }

    pub(super) fn has_block(&self, block: &Block) -> bool {
        self.blocks()
            .any(|first_line| first_line == block.first_line())
    }

    /// What is listed and in no document.
    pub(super) fn gone(&self, documents: &[Document]) -> Vec<String> {
        let blocks = documents.iter().flat_map(Document::blocks);
        let (typed, others): (Vec<_>, Vec<_>) = blocks.partition(Block::is_typed);
        let commands = typed.iter().flat_map(commands::of);
        let commands: BTreeSet<_> = commands.map(|typed| typed.name()).collect();
        let blocks: BTreeSet<_> = others.iter().map(Block::first_line).collect();
        let no_command = self.commands().filter(|name| !commands.contains(*name));
        let no_block = self.blocks().filter(|name| !blocks.contains(name));
        no_command.chain(no_block).map(str::to_owned).collect()
    }
}
