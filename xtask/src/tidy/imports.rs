//! Which module may know which library: what keeps the walk of a request
//! readable is what is absent from its parts.

use std::path::Path;

use super::Finding;
use super::source::Code;

/// Libraries that stop at some modules of the gateway.
struct Border {
    /// Crates, by the beginning of their name.
    crates: &'static [&'static str],
    /// Modules of `proxy/src` that may name them, with what is below them.
    modules: &'static [&'static str],
    advice: &'static str,
}

const BORDERS: [Border; 2] = [
    Border {
        crates: &["pingora"],
        modules: &[
            "server",
            "gateway",
            "downstream",
            "upstream",
            "exchange",
            "admin",
        ],
        advice: "Pingora's types stop at server, gateway, downstream, upstream, exchange and admin; pass plain values on",
    },
    Border {
        crates: &["wasmtime", "wit_component", "wasmparser"],
        modules: &["wasm"],
        advice: "wasmtime's types stop at wasm; let it offer what is needed in types of its own",
    },
];

/// What would let `api` do I/O.
const IO: [&[&str]; 7] = [
    &["tokio"],
    &["reqwest"],
    &["async_trait"],
    &["std", ":", ":", "fs"],
    &["std", ":", ":", "net"],
    &["std", ":", ":", "process"],
    &["std", ":", ":", "thread"],
];

const RULE: &str = "import";

/// Checks one file of the gateway.
pub(super) fn check(code: &Code) -> Vec<Finding> {
    let Some(module) = module_of(&code.file) else {
        return Vec::new();
    };
    let borders = BORDERS
        .iter()
        .filter(|border| !border.modules.contains(&module));
    let mut findings: Vec<Finding> = borders.flat_map(|border| crossings(code, border)).collect();
    if module == "api" {
        findings.extend(io(code));
    }
    findings
}

/// The top module that a file of the gateway belongs to.
fn module_of(file: &Path) -> Option<&str> {
    let first = file.strip_prefix("proxy/src").ok()?.components().next()?;
    Path::new(first.as_os_str()).file_stem()?.to_str()
}

fn crossings<'a>(code: &'a Code, border: &'a Border) -> impl Iterator<Item = Finding> + 'a {
    let is_foreign = |name: &str| {
        border
            .crates
            .iter()
            .any(|start| name == *start || is_part_of(name, start))
    };
    code.tokens
        .windows(3)
        // A path begins with the crate's name; a field or variable of that name is none.
        .filter(move |row| is_foreign(&row[0].text) && row[1].text == ":" && row[2].text == ":")
        .map(|row| {
            code.finding(
                row[0].line,
                RULE,
                format!("`{}`: {}", row[0].text, border.advice),
            )
        })
}

/// Whether `pingora_core` is part of `pingora`.
fn is_part_of(name: &str, start: &str) -> bool {
    name.strip_prefix(start)
        .is_some_and(|rest| rest.starts_with('_'))
}

fn io(code: &Code) -> impl Iterator<Item = Finding> + '_ {
    IO.iter().flat_map(move |row| {
        let advice = format!(
            "`{}`: api does no I/O; read in gateway and hand the bytes over",
            row.concat()
        );
        code.find(row)
            .map(move |line| code.finding(line, RULE, advice.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::source::code;
    use super::*;

    fn lines(file: &str, content: &str) -> Vec<usize> {
        check(&code(file, content))
            .iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn pingora_stops_where_it_should() {
        let import = "//! Doc.\nuse pingora_http::RequestHeader;";
        assert_eq!(lines("proxy/src/filter/chain.rs", import), [2]);
        assert_eq!(lines("proxy/src/observe.rs", import), [2]);
        assert!(lines("proxy/src/upstream/forward.rs", import).is_empty());
        assert!(lines("proxy/src/gateway.rs", import).is_empty());
        assert!(lines("bench/src/plain.rs", import).is_empty());
    }

    #[test]
    fn wasmtime_stops_at_wasm() {
        assert_eq!(
            lines("proxy/src/filter.rs", "fn a() -> wasmtime::Result<()> {}"),
            [1]
        );
        assert!(lines("proxy/src/wasm/engine.rs", "use wasmtime::Engine;").is_empty());
    }

    #[test]
    fn api_does_no_input_or_output() {
        assert_eq!(
            lines(
                "proxy/src/api/sse.rs",
                "use tokio::io::AsyncRead;\nuse std::fs;"
            ),
            [1, 2]
        );
        assert!(lines("proxy/src/api.rs", "use std::fmt;").is_empty());
        assert!(lines("proxy/src/admin.rs", "use tokio::net::TcpListener;").is_empty());
    }
}
