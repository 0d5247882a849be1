//! The ledger at its edges: entries recorded, rows read, files that are wrong.

mod counts;
mod days;
mod errors;
mod kill;
mod report;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;

/// A folder with the path of a ledger that does not exist yet.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usage.db");
    (folder, path)
}

/// What the key `tenant/key` used, with 3 tokens in and 7 out.
fn entry(tenant_and_key: &str) -> Entry {
    let (tenant, key) = tenant_and_key.split_once('/').unwrap();
    Entry {
        tenant: tenant.into(),
        key: key.into(),
        class: "default".into(),
        model: "qwen2".into(),
        input_tokens: 3,
        output_tokens: 7,
    }
}

fn used(ledger: &Ledger, quantity: Quantity, period: Period) -> u64 {
    ledger.used(Scope { quantity, period }, |_| true)
}

fn read(path: &Path) -> Vec<Row> {
    Usage::read(path, &Filter::default()).unwrap()
}

fn total(rows: &[Row]) -> Sums {
    let mut total = Sums::default();
    rows.iter().for_each(|row| total += row.sums);
    total
}

fn sums(requests: u64) -> Sums {
    Sums {
        requests,
        input_tokens: 3 * requests,
        output_tokens: 7 * requests,
    }
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < limit, "in time: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
