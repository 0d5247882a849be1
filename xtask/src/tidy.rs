//! `cargo xtask tidy`: house rules that no linter knows. Each rule has a file
//! of its own; all of them read the same sources.

mod banned;
mod guests;
mod imports;
mod length;
mod links;
mod paths;
mod source;

use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::ui;
use crate::workspace::Workspace;
use source::Sources;

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    file: PathBuf,
    /// Counts from 1.
    line: usize,
    rule: &'static str,
    /// What is there, and the better way.
    advice: String,
}

/// Checks every rule on every file of the repository.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    ui::step("tidy", |_| {
        let sources = Sources::read(workspace)?;
        let findings = check(&sources, workspace);
        for finding in &findings {
            println!("{finding}");
        }
        ensure!(
            findings.is_empty(),
            "{} places break a house rule",
            findings.len()
        );
        Ok(())
    })
}

fn check(sources: &Sources, workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for code in &sources.code {
        findings.extend(imports::check(code));
        findings.extend(banned::check(code));
        findings.extend(length::check(code));
    }
    for text in &sources.texts {
        findings.extend(links::check(text, sources));
        findings.extend(paths::check(text, &workspace.root));
    }
    findings.extend(guests::check(sources, &workspace.guests));
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    findings
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}:{}: {}: {}",
            self.file.display(),
            self.line,
            self.rule,
            self.advice
        )
    }
}
