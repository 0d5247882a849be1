//! What is not a filter is refused at load, in words that say why.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use headworks::wasm::{LoadError, Options};

use crate::support::{Host, filter, guest_bytes};

/// Loads bytes and compares the error.
fn refused(bytes: &[u8], reason: &str) {
    let host = Host::new();
    let error = host.load_bytes(&filter("tiers"), 0, bytes).err();
    let expected = format!("filter `tiers`: filters/test.wasm: {reason}");
    assert_eq!(error.map(|error| error.to_string()), Some(expected));
}

/// Loads a guest and compares the error.
fn refuses(guest: &str, expected: &str) {
    refused(&guest_bytes(guest), expected);
}

#[test]
fn a_file_that_is_not_wasm_is_refused() {
    refused(b"", "not a WebAssembly module: the file is empty");
    refused(
        b"(module)",
        r"not a WebAssembly module: it does not begin with `\0asm`; is it WAT or another file?",
    );
    refused(
        b"\x7fELF\x02\x01\x01\0 and so on",
        r"not a WebAssembly module: it does not begin with `\0asm`; is it WAT or another file?",
    );
}

#[test]
fn a_half_written_file_is_refused() {
    let whole = guest_bytes("allow_all");
    refused(
        &whole[..812],
        "not a WebAssembly module: ends after 812 bytes, before its last section does; is it half written?",
    );
    for length in (1..whole.len()).step_by(997) {
        let host = Host::new();
        assert!(
            host.load_bytes(&filter("tiers"), 0, &whole[..length])
                .is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn a_module_that_is_no_filter_is_refused() {
    refused(
        b"\0asm\x01\0\0\0",
        "not a filter: does not export `headworks:filter/hooks@0.1.0`; does it use #[filter] of headworks-sdk?",
    );
    refused(
        b"\0asm\x0d\0\x01\0",
        "not a filter: does not export `headworks:filter/hooks@0.1.0`; does it use #[filter] of headworks-sdk?",
    );
    refused(
        b"\0asm\x01\0\0\0\x01\x04\x01\x60\0",
        "not a WebAssembly module: ends after 13 bytes, before its last section does; is it half written?",
    );
}

#[test]
fn a_component_of_another_world_is_refused() {
    let wat = |text: &str| wat::parse_str(text).unwrap();
    refused(
        &wat(r#"(component (import "wasi:cli/environment@0.2.0" (instance)))"#),
        "not a filter: imports `wasi:cli/environment@0.2.0`, and filters have no WASI; build it for wasm32-unknown-unknown, or stub WASI out",
    );
    refused(
        &wat(r#"(component (import "acme:log/log" (instance)))"#),
        "not a filter: imports `acme:log/log`, which this gateway does not offer; was it built for another version of the contract?",
    );
    refused(
        &wat(
            r#"(component (import "headworks:filter/outbound@0.1.0" (instance (export "fetch" (func)))))"#,
        ),
        "not a filter: its imports or exports differ from the contract headworks:filter@0.1.0: component imports instance `headworks:filter/outbound@0.1.0`, but a matching implementation was not found in the linker: instance export `fetch` has the wrong type: function implementation is missing",
    );
    refused(
        &wat(
            r#"(component (import "headworks:filter/system@0.1.0" (instance (export "now-ms" (func)))))"#,
        ),
        "not a filter: its imports or exports differ from the contract headworks:filter@0.1.0: component imports instance `headworks:filter/system@0.1.0`, but a matching implementation was not found in the linker: instance export `now-ms` has the wrong type: type mismatch with results: expected 1-tuple, found 0-tuple",
    );
    refused(
        &wat(
            r#"(component (instance $hooks) (export "headworks:filter/hooks@0.1.0" (instance $hooks)))"#,
        ),
        "not a filter: its imports or exports differ from the contract headworks:filter@0.1.0: instance export `headworks:filter/hooks@0.1.0` does not have export `configure`",
    );
    refused(
        &wat(HOOKS_WITHOUT_PARAMETERS),
        "start failed: failed to convert function to given type: type mismatch with parameters: expected 1-tuple, found 0-tuple",
    );
    refused(
        &wat(r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"#),
        "not a filter: cannot be made a component: failed to decode world from module: module was not valid: failed to resolve import `wasi_snapshot_preview1::proc_exit`: module requires an import interface named `wasi_snapshot_preview1`; build it for wasm32-unknown-unknown with headworks-sdk",
    );
    refused(
        &wat("(module (func i32.add))"),
        "not a filter: cannot be made a component: failed to validate component output: type mismatch: expected i32 but nothing on stack (at offset 0x21); build it for wasm32-unknown-unknown with headworks-sdk",
    );
}

/// A component whose exports have the right names only.
const HOOKS_WITHOUT_PARAMETERS: &str = r#"
(component
  (core module $module (func (export "hook")))
  (core instance $core (instantiate $module))
  (func $hook (canon lift (core func $core "hook")))
  (instance $hooks
    (export "configure" (func $hook))
    (export "on-request" (func $hook))
    (export "place" (func $hook))
    (export "on-complete" (func $hook)))
  (export "headworks:filter/hooks@0.1.0" (instance $hooks)))
"#;

#[test]
fn a_file_that_is_too_large_is_refused() {
    refused(
        &vec![0; (16 << 20) + 1],
        "16777217 bytes are more than a filter may have, 16777216; build it with optimisation for size and without debug information",
    );
}

#[test]
fn a_trap_in_configure_is_a_load_error() {
    refuses(
        "traps_in_configure",
        "configure failed: wasm trap: wasm `unreachable` instruction executed",
    );
}

#[test]
fn an_endless_loop_in_configure_is_a_load_error() {
    let host = Host::with(Options {
        configure_deadline: Duration::from_millis(50),
        ..Options::default()
    });
    let error = host
        .load("loops_in_configure")
        .err()
        .expect("it never ends");
    assert_eq!(
        error.to_string(),
        "filter `loops_in_configure`: filters/test.wasm: configure failed: ran past its deadline of 50ms"
    );
}

#[test]
fn a_memory_bomb_in_configure_is_a_load_error() {
    refuses(
        "hoards_in_configure",
        "configure failed: needs 17891328 bytes of memory, and `max_memory` is 16777216",
    );
}

#[test]
fn code_in_use_is_compiled_once() {
    let host = Host::new();
    let (first, second) = (
        host.load("allow_all").unwrap(),
        host.load("allow_all").unwrap(),
    );
    assert_eq!(first.digest(), second.digest());
    assert_eq!(first.digest().len(), 64);
}

#[test]
fn compiled_code_is_found_on_disk_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("code");
    let options = Options {
        cache: Some(cache.clone()),
        ..Options::default()
    };
    Host::with(options.clone()).load("allow_all").unwrap();
    assert_eq!(files(&cache), 1);
    Host::with(options).load("allow_all").unwrap();
    assert_eq!(files(&cache), 1);
}

#[test]
fn the_folder_for_compiled_code_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("code");
    fs::create_dir(&cache).unwrap();
    Host::with(Options {
        cache: Some(cache.clone()),
        ..Options::default()
    });
    let mode = fs::metadata(&cache).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

/// Files of compiled code below a folder; files about them have an extension.
fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let count = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            path.extension().is_none().into()
        }
    };
    entries.map(count).sum()
}

#[test]
fn settings_that_a_filter_refuses_name_their_place() {
    let host = Host::new();
    let error = host
        .load("refuses_settings")
        .err()
        .expect("it refuses everything");
    assert_eq!(
        error.to_string(),
        "filter `refuses_settings` refuses its settings: limits[0].tokens: must be greater than 0; too few"
    );
    let LoadError::Settings { problems, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(problems[0].path, "limits[0].tokens");
}
