//! Files that the documentation names are there.

use std::path::{Component, Path, PathBuf};

use super::Finding;
use super::source::{Sources, Text};

/// Checks one file, if it is Markdown.
pub(super) fn check(text: &Text, sources: &Sources) -> Vec<Finding> {
    if text
        .file
        .extension()
        .is_none_or(|extension| extension != "md")
    {
        return Vec::new();
    }
    let folder = text.file.parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    for (number, line) in prose(text) {
        for link in links(line).filter(|link| !sources.names.contains(&resolve(folder, link))) {
            let advice = format!("`{link}` is not there; name it as it is called now");
            findings.push(text.finding(number, "dead link", advice));
        }
    }
    findings
}

/// Lines outside of fenced code.
fn prose(text: &Text) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Targets of links to files: `proxy/src/api.rs` in `[api](proxy/src/api.rs#L3)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ', '#']).next()?;
        let is_file =
            !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
        is_file.then_some(target)
    })
}

/// A path from the top, given the folder of the file that names it.
fn resolve(folder: &Path, link: &str) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in folder.join(link).components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::Normal(name) => resolved.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::super::source::text;
    use super::*;

    fn advice(content: &str) -> Vec<String> {
        let names = ["README.md", "docs/API.md", "proxy", "proxy/src/api.rs"]
            .iter()
            .map(PathBuf::from)
            .collect();
        let sources = Sources {
            texts: Vec::new(),
            code: Vec::new(),
            names,
        };
        check(&text("docs/API.md", content), &sources)
            .into_iter()
            .map(|finding| finding.advice)
            .collect()
    }

    #[test]
    fn a_link_to_a_file_that_is_gone_is_found() {
        let found = advice("[a](../proxy/src/api.rs#L3) [b](API.md \"title\")\n[c](old.md)");
        assert_eq!(
            found,
            ["`old.md` is not there; name it as it is called now"]
        );
    }

    #[test]
    fn folders_addresses_anchors_and_code_are_left_alone() {
        let content = "[a](../proxy/) [b](https://example.com/x) [c](#words) [d](mailto:a@example.com)\n```\n[e](gone.md)\n```";
        assert_eq!(advice(content), [""; 0]);
    }
}
