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

    pub(super) fn has_command(&self, typed: &Typed) -> bool {
        self.commands().any(|command| command == typed.name())
    }

    /// What is listed and in no document.
    pub(super) fn gone(&self, documents: &[Document]) -> Vec<String> {
        let blocks = documents.iter().flat_map(Document::blocks);
        let typed: Vec<_> = blocks.filter(Block::is_typed).collect();
        let commands = typed.iter().flat_map(commands::of);
        let commands: BTreeSet<_> = commands.map(|typed| typed.name()).collect();
        let gone = self.commands().filter(|name| !commands.contains(*name));
        gone.map(str::to_owned).collect()
    }
}
