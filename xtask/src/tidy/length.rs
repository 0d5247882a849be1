//! Files that a reader still takes in.

use super::Finding;
use super::source::Code;

/// Most files stay near 150 lines; at this length a noun is missing.
const MOST: usize = 500;

/// Checks one file.
pub(super) fn check(code: &Code) -> Option<Finding> {
    let advice = || {
        format!(
            "{} lines, more than {MOST}; look for the noun that is missing and give it a file",
            code.lines
        )
    };
    (code.lines > MOST).then(|| code.finding(code.lines, "length", advice()))
}

#[cfg(test)]
mod tests {
    use super::super::source::code;
    use super::*;

    #[test]
    fn a_file_may_have_as_many_lines_as_allowed_and_no_more() {
        assert_eq!(check(&code("a.rs", &"\n".repeat(MOST))), None);
        assert_eq!(
            check(&code("a.rs", &"\n".repeat(MOST + 1))).unwrap().line,
            MOST + 1
        );
    }
}
