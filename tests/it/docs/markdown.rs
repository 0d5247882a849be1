//! The documents, and the fenced blocks in them.

use std::fs;
use std::process::Command;

use headworks_tests::root;

/// A document of the repository.
pub(super) struct Document {
    /// From the top: `docs/API.md`.
    pub(super) file: String,
    text: String,
}

/// A fenced block.
pub(super) struct Block {
    /// The document and the line where it begins: `docs/API.md:42`.
    pub(super) place: String,
    /// What stands behind the fence: `sh`.
    pub(super) language: String,
    pub(super) text: String,
}

/// All Markdown of the repository, also what is new and not committed.
pub(super) fn documents() -> Vec<Document> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let listed = git.arg("*.md").current_dir(root()).output().unwrap();
    let files = String::from_utf8(listed.stdout).unwrap();
    // One that was deleted stays listed until that is staged.
    let there = files.lines().filter(|file| root().join(file).is_file());
    let documents: Vec<_> = there.map(Document::read).collect();
    assert!(documents.len() > 20, "git lists {files}");
    documents
}

impl Document {
    fn read(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            text: fs::read_to_string(root().join(file)).unwrap(),
        }
    }

    /// Its blocks, in order.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            // In a list it is indented.
            let indent = line.len() - line.trim_start().len();
            let Some(language) = line[indent..].strip_prefix("```") else {
                continue;
            };
            let inside = lines.by_ref().map(|(_, line)| line);
            let inside = inside.take_while(|line| line.trim() != "```");
            let inside = inside.map(|line| line.get(indent..).unwrap_or_default());
            blocks.push(Block {
                place: format!("{}:{}", self.file, number + 1),
                language: language.to_owned(),
                text: inside.map(|line| format!("{line}\n")).collect(),
            });
        }
        blocks
    }

    /// What stands between backticks in its prose.
    pub(super) fn inline(&self) -> Vec<String> {
        let mut fenced = false;
        let prose = self.text.lines().filter(|line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fence && !fenced
        });
        let spans = prose.flat_map(|line| line.split('`').skip(1).step_by(2));
        spans.map(str::to_owned).collect()
    }
}

impl Block {
    /// Its first line, which is its name in the tests.
    pub(super) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// Whether a reader types what is in it.
    pub(super) fn is_typed(&self) -> bool {
        ["sh", "console"].contains(&self.language.as_str())
    }
}

/// The block that begins so.
#[track_caller]
pub(super) fn block(file: &str, begins: &str) -> Block {
    let blocks = Document::read(file).blocks();
    let found = blocks
        .into_iter()
        .find(|block| block.text.starts_with(begins));
    found.unwrap_or_else(|| panic!("{file} has no block that begins with `{begins}`"))
}
