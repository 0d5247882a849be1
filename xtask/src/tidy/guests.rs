//! Every guest that exists for tests is used by one.

use std::path::Path;

use super::Finding;
use super::source::{Code, Sources};
use crate::workspace::Guest;

/// Checks the guests in `tests/guests`.
pub(super) fn check(sources: &Sources, guests: &[Guest]) -> Vec<Finding> {
    let for_tests = guests
        .iter()
        .filter(|guest| guest.folder.starts_with("tests/guests"));
    for_tests
        .filter(|guest| !sources.code.iter().any(|code| names(code, guest)))
        .map(finding)
        .collect()
}

/// Whether a test names the guest: a string that is its package or folder, or holds its module's name.
fn names(code: &Code, guest: &Guest) -> bool {
    let may_test = code.file.starts_with("tests") || code.file.starts_with("proxy");
    if !may_test || code.file.starts_with("tests/guests") {
        return false;
    }
    let module = guest.package.replace('-', "_");
    let folder = guest
        .folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .replace('-', "_");
    let strings = code
        .tokens
        .iter()
        .filter_map(|token| token.text.strip_prefix('"')?.strip_suffix('"'));
    strings
        .map(|string| string.replace('-', "_"))
        .any(|string| {
            let stem = Path::new(&string).file_stem().unwrap_or_default();
            stem == module.as_str() || stem == folder.as_str()
        })
}

fn finding(guest: &Guest) -> Finding {
    let advice = format!(
        "no test names `{}`; write the one it was made for, or remove it",
        guest.package
    );
    Finding {
        file: guest.folder.join("Cargo.toml"),
        line: 1,
        rule: "unused guest",
        advice,
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::code;
    use super::*;
    use std::collections::HashSet;
    use std::path::PathBuf;

    fn findings(file: &str, content: &str) -> usize {
        let guest = |package: &str, folder: &str| Guest {
            package: package.to_owned(),
            library: package.replace('-', "_"),
            folder: PathBuf::from(folder),
        };
        let guests = [
            guest("guest-deep-stack", "tests/guests/deep-stack"),
            guest("telemetry", "filters/telemetry"),
        ];
        let sources = Sources {
            texts: Vec::new(),
            code: vec![code(file, content)],
            names: HashSet::new(),
        };
        check(&sources, &guests).len()
    }

    #[test]
    fn a_guest_is_used_when_a_test_names_it_in_a_string() {
        assert_eq!(
            findings("tests/it/hostile.rs", "fn a() { start(\"deep_stack\"); }"),
            0
        );
        assert_eq!(
            findings(
                "tests/it/hostile.rs",
                "fn a() { start(\"guest-deep-stack\"); }"
            ),
            0
        );
        assert_eq!(
            findings(
                "proxy/src/wasm.rs",
                "fn a() { load(\"guests/guest_deep_stack.wasm\"); }"
            ),
            0
        );
    }

    #[test]
    fn a_guest_that_only_names_itself_or_stands_in_a_comment_is_not() {
        assert_eq!(
            findings(
                "tests/guests/deep-stack/src/lib.rs",
                "fn a() { log(\"deep_stack\"); }"
            ),
            1
        );
        assert_eq!(
            findings("tests/it/hostile.rs", "// \"deep_stack\"\nfn a() {}"),
            1
        );
    }
}
