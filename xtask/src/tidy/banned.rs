//! What no finished code has, and `unsafe`, which one file has.

use std::path::Path;

use super::Finding;
use super::source::Code;

/// The bindings that `wit-bindgen` writes.
const UNSAFE_HOME: &str = "sdk/src/bindings.rs";

const BANNED: [(&[&str], &str); 4] = [
    (&["todo", "!", "("], "finish it, or leave it out"),
    (&["unimplemented", "!", "("], "finish it, or leave it out"),
    (&["dbg", "!", "("], "remove it, or log by `tracing`"),
    (
        &["#", "[", "ignore"],
        "make the test pass, or remove it; a test that never runs protects nobody",
    ),
];

/// Checks one file.
pub(super) fn check(code: &Code) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (row, advice) in BANNED {
        findings.extend(code.find(row).map(|line| {
            code.finding(
                line,
                "unfinished",
                format!("`{}..`: {advice}", row.concat()),
            )
        }));
    }
    if code.file != Path::new(UNSAFE_HOME) {
        let advice =
            format!("`unsafe` stands in {UNSAFE_HOME} alone; find a library with a safe interface");
        findings.extend(
            code.find(&["unsafe"])
                .map(|line| code.finding(line, "unsafe", advice.clone())),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::source::code;
    use super::*;

    fn found(file: &str, content: &str) -> Vec<(usize, &'static str)> {
        check(&code(file, content))
            .iter()
            .map(|finding| (finding.line, finding.rule))
            .collect()
    }

    #[test]
    fn unfinished_code_is_found() {
        let content = "fn a() { todo!() }\nfn b() { unimplemented!(\"x\") }\nfn c() { dbg!(1); }\n#[ignore]\nfn d() {}";
        assert_eq!(
            found("a.rs", content),
            [
                (1, "unfinished"),
                (2, "unfinished"),
                (3, "unfinished"),
                (4, "unfinished")
            ]
        );
        assert_eq!(
            found("a.rs", "#[ignore = \"slow\"]\nfn d() {}"),
            [(1, "unfinished")]
        );
    }

    #[test]
    fn words_that_only_look_like_it_are_not() {
        assert!(
            found(
                "a.rs",
                "// todo!\nfn ignore(todo: u8) -> bool { todo != 1 }"
            )
            .is_empty()
        );
        assert!(found("a.rs", "#[serde(ignore)]\nstruct A;").is_empty());
    }

    #[test]
    fn unsafe_has_one_home() {
        let content = "fn a() { unsafe { b() } }";
        assert_eq!(found("sdk/src/host.rs", content), [(1, "unsafe")]);
        assert!(found("sdk/src/bindings.rs", content).is_empty());
    }
}
