//! Types the commands of a document, one after the other, in one shell.

use std::fs;

use headworks_tests::root;

use super::cargo;
use super::commands::{self, Typed};
use super::listed::Listed;
use super::markdown::{Block, Document};
use super::room::Room;

/// Programs that are run.
pub(super) const RUN: [&str; 5] = ["cargo", "curl", "headworks", "install", "promtool"];

/// What stands for something that only the reader knows, or has.
const FILLED: [(&str, &str); 4] = [
    (" /etc/", " etc/"),
    (" /usr/", " usr/"),
    (
        "<id>",
        r#""$(headworks keys list --file keys.toml | sed -n '2s/ .*//p')""#,
    ),
    ("http://gateway:8000", "http://localhost:8000"),
];

/// A command, and where it stands.
pub(super) struct Step {
    place: String,
    typed: Typed,
    /// Whether a gateway that the block started ends after it.
    last: bool,
}

/// What is to be typed of a document: all that is not listed.
pub(super) fn steps(document: &Document, listed: &Listed) -> Vec<Step> {
    let blocks = document.blocks().into_iter();
    let typed = blocks.filter(Block::is_typed);
    typed.flat_map(|block| steps_of(&block, listed)).collect()
}

fn steps_of(block: &Block, listed: &Listed) -> Vec<Step> {
    let commands = commands::of(block).into_iter();
    let run = commands.filter(|typed| !listed.has_command(typed));
    let step = |typed| Step {
        place: block.place.clone(),
        typed,
        last: false,
    };
    let mut steps: Vec<_> = run.map(step).collect();
    if let Some(step) = steps.last_mut() {
        step.last = true;
    }
    steps
}

/// Types it, in one shell; says what went wrong, if anything did.
pub(super) fn type_all(steps: &[Step], room: &Room) -> Result<(), String> {
    let file = room.folder.path().join("typed.sh");
    fs::write(&file, script(steps)).unwrap();
    let ran = room.shell().arg(&file).output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    // In front of the first there is nothing.
    let answers: Vec<_> = printed.split('\x1e').skip(1).collect();
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        let last = steps.iter().zip(&answers).next_back();
        let (step, printed) = last.expect("the prelude begins a first command");
        return Err(step.problem(&format!("{printed}{said}({})", ran.status)));
    }
    assert_eq!(answers.len(), steps.len(), "{printed}");
    for (step, printed) in steps.iter().zip(answers) {
        let expected = step.typed.answer.as_deref().unwrap_or(printed).trim();
        if expected != printed.trim() {
            let what = format!("prints\n{printed}\nand not\n{expected}");
            return Err(step.problem(&what));
        }
    }
    cargo::check_calls(&room.folder.path().join("cargo-calls"))
}

/// The commands between what the prelude has for them.
fn script(steps: &[Step]) -> String {
    let prelude = fs::read_to_string(root().join("tests/data/docs/prelude.sh")).unwrap();
    let mut script = prelude;
    for step in steps {
        let text = FILLED
            .iter()
            .fold(step.typed.text.clone(), |text, (from, to)| {
                text.replace(from, to)
            });
        let end = if step.last { "block_ends\n" } else { "" };
        script.push_str(&format!("begins\n{text}\nended $?\n{end}"));
    }
    script
}

impl Step {
    fn problem(&self, what: &str) -> String {
        format!("{}: `{}`\n{what}", self.place, self.typed.name())
    }
}
