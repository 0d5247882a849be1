//! Files that cannot be a ledger, and what is said of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;

use super::*;

fn refused(path: &Path) -> LedgerError {
    Ledger::open(path).map(drop).unwrap_err()
}

/// The message, with `usage.db` for the path.
fn message(error: &LedgerError, path: &Path) -> String {
    let path = path.display().to_string();
    error.to_string().replace(&path, "usage.db")
}

#[test]
fn the_file_is_for_its_owner_only() {
    let (_folder, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    ledger.record(entry("acme/ci"));
    ledger.flush().unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", path.display());
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[test]
fn a_file_of_another_kind_is_refused_and_stays_as_it_is() {
    let (_folder, path) = place();
    let content = "model,price\n".repeat(1_000);
    fs::write(&path, &content).unwrap();
    let expected = "`usage.db` is not a ledger of Headworks; move it away, or name another file";
    assert_eq!(message(&refused(&path), &path), expected);
    let error = Usage::read(&path, &Filter::default()).unwrap_err();
    assert_eq!(message(&error, &path), expected);
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
}

#[test]
fn a_database_of_another_program_is_refused_and_stays_as_it_is() {
    let (_folder, path) = place();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE usage (day)").unwrap();
    drop(other);
    let content = fs::read(&path).unwrap();
    assert!(matches!(refused(&path), LedgerError::NotALedger { .. }));
    assert_eq!(fs::read(&path).unwrap(), content);
}

#[test]
fn a_ledger_of_a_newer_gateway_is_refused() {
    let (_folder, path) = place();
    drop(Ledger::open(&path).unwrap());
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 2).unwrap();
    let expected = "ledger `usage.db` was written by a newer Headworks: it has format 2 and \
        this one knows 1; upgrade this one, or name another file";
    assert_eq!(message(&refused(&path), &path), expected);
    let error = Usage::read(&path, &Filter::default()).unwrap_err();
    assert_eq!(message(&error, &path), expected);
}

#[test]
fn a_damaged_ledger_says_how_to_go_on() {
    let (_folder, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    for key in 0..2_000 {
        ledger.record(entry(&format!("acme/key-{key}")));
    }
    drop(ledger);
    let mut content = fs::read(&path).unwrap();
    // The first page tells what the file is; the rest holds the rows.
    content[4096..].fill(0xa5);
    fs::write(&path, content).unwrap();
    let expected = "ledger `usage.db` is damaged: database disk image is malformed; move it \
        away with `usage.db-wal` and a new one begins, and `sqlite3 usage.db .recover` may \
        save what it holds";
    assert_eq!(message(&refused(&path), &path), expected);
    let error = Usage::read(&path, &Filter::default()).unwrap_err();
    assert_eq!(message(&error, &path), expected);
}

#[test]
fn a_row_with_a_day_that_is_none_is_damage() {
    let (_folder, path) = place();
    drop(Ledger::open(&path).unwrap());
    let by_hand = Connection::open(&path).unwrap();
    by_hand
        .execute_batch("INSERT INTO usage VALUES ('2026-02-30', '', '', '', '', 1, 1, 1)")
        .unwrap();
    let error = Usage::read(&path, &Filter::default()).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("no such day"), "{error}");
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let (folder, _) = place();
    let path = folder.path().join("missing").join("usage.db");
    assert_eq!(
        message(&refused(&path), &path),
        "ledger `usage.db` cannot be opened: No such file or directory (os error 2); its \
        folder must exist and the gateway's user must be allowed to write to it"
    );
    let error = Usage::read(&path, &Filter::default()).unwrap_err();
    assert_eq!(
        message(&error, &path),
        "there is no ledger `usage.db`; name the file that a gateway's configuration names"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    // Not even root may make files there.
    let path = Path::new("/sys/usage.db");
    let error = refused(path);
    assert!(matches!(error, LedgerError::Open { .. }), "{error}");
    assert!(error.to_string().contains("allowed to write"), "{error}");
}

#[test]
fn a_folder_instead_of_a_file_is_an_error() {
    let (folder, _) = place();
    let error = refused(folder.path());
    assert!(matches!(error, LedgerError::NotALedger { .. }), "{error}");
    let error = Usage::read(folder.path(), &Filter::default()).unwrap_err();
    assert!(matches!(error, LedgerError::NotALedger { .. }), "{error}");
}

#[test]
fn an_empty_file_becomes_a_ledger_but_is_none_to_read() {
    let (_folder, path) = place();
    fs::write(&path, "").unwrap();
    let error = Usage::read(&path, &Filter::default()).unwrap_err();
    assert!(matches!(error, LedgerError::NotALedger { .. }), "{error}");
    drop(Ledger::open(&path).unwrap());
    assert!(read(&path).is_empty());
}
