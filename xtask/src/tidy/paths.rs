//! No file knows the machine it was written on.

use std::path::Path;

use super::Finding;
use super::source::Text;

/// Folders that hold somebody's home; a name follows.
const HOMES: [&str; 3] = ["/home/", "/root/", "/Users/"];

/// Checks one file. `root` is where the repository is now.
pub(super) fn check(text: &Text, root: &Path) -> Vec<Finding> {
    let root = root.to_string_lossy();
    let mut findings = Vec::new();
    for (number, line) in text.lines() {
        if let Some(found) = HOMES
            .iter()
            .find(|home| leads_home(line, home))
            .copied()
            .or(line.contains(&*root).then_some(&*root))
        {
            let advice = format!(
                "`{found}` is of one machine; name the file from the top of the repository"
            );
            findings.push(text.finding(number, "machine path", advice));
        }
    }
    findings
}

/// Whether a path begins here, rather than going through a folder of that name.
fn leads_home(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + home.len()..].chars().next();
        let begins = before.is_none_or(|it| !it.is_alphanumeric() && !"._-/}".contains(it));
        begins && after.is_some_and(|it| it.is_alphanumeric() || it == '.')
    })
}

#[cfg(test)]
mod tests {
    use super::super::source::text;
    use super::*;

    fn lines(content: &str) -> Vec<usize> {
        check(&text("a.md", content), Path::new("/srv/checkout"))
            .iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn homes_and_the_checkout_itself_are_found() {
        let home = format!("a\nsee {}jo/notes", "/home/");
        assert_eq!(lines(&home), [2]);
        assert_eq!(lines(&format!("path = \"{}.cargo\"", "/root/")), [1]);
        assert_eq!(lines("at /srv/checkout/proxy"), [1]);
    }

    #[test]
    fn folders_of_that_name_further_down_are_not() {
        assert!(
            lines("https://example.com/home/page and target/root/a and /home/ alone").is_empty()
        );
    }
}
