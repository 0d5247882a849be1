//! `headworks keys list`. It shows no hashes: nobody needs them, and a key
//! that people thought of can be guessed from one.

use std::time::SystemTime;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};
use toml::value::Datetime;

use super::store::Store;
use super::{Console, Error, List};
use crate::identity::{Entry, moment};

const COLUMNS: [&str; 7] = [
    "ID", "TENANT", "CLASS", "MODELS", "CREATED", "STATE", "NOTE",
];

/// Whether a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    ActiveUntil(Datetime),
    RevokedAt(Datetime),
}

impl List {
    pub(super) fn run(&self, console: &mut Console<'_>, now: SystemTime) -> Result<(), Error> {
        let entries = Store::read(&self.file.path)?.entries;
        if self.json {
            let keys: Value = entries.iter().map(|entry| object(entry, now)).collect();
            writeln!(console.out, "{keys:#}")?;
        } else if entries.is_empty() {
            writeln!(console.notes, "no keys in {}", self.file.path.display())?;
        } else {
            print_table(&entries, console, now)?;
        }
        console.out.flush().map_err(Error::from)
    }
}

fn print_table(entries: &[Entry], console: &mut Console<'_>, now: SystemTime) -> Result<(), Error> {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(COLUMNS);
    table.add_rows(entries.iter().map(|entry| row(entry, now)));
    for line in table.lines() {
        writeln!(console.out, "{}", line.trim())?;
    }
    Ok(())
}

fn row(entry: &Entry, now: SystemTime) -> [String; COLUMNS.len()] {
    let models = entry.models.as_ref();
    [
        entry.id.clone(),
        entry.tenant.clone(),
        entry.class().to_owned(),
        models.map_or_else(|| "all".to_owned(), |models| models.join(", ")),
        entry.created.map_or_else(String::new, |at| at.to_string()),
        match state(entry, now) {
            State::Active => "active".to_owned(),
            State::ActiveUntil(date) => format!("active until {date}"),
            State::RevokedAt(date) => format!("revoked at {date}"),
        },
        entry.note.clone().unwrap_or_default(),
    ]
}

fn object(entry: &Entry, now: SystemTime) -> Value {
    json!({
        "id": entry.id,
        "tenant": entry.tenant,
        "class": entry.class(),
        "models": entry.models,
        "created": entry.created.map(|at| at.to_string()),
        "state": match state(entry, now) {
            State::RevokedAt(_) => "revoked",
            State::Active | State::ActiveUntil(_) => "active",
        },
        "revoked": entry.revoked.map(|at| at.to_string()),
        "note": entry.note,
    })
}

fn state(entry: &Entry, now: SystemTime) -> State {
    match entry.revoked {
        None => State::Active,
        // One that is no moment does not get past the check.
        Some(date) if moment::moment(&date).is_ok_and(|revoked| now < revoked) => {
            State::ActiveUntil(date)
        }
        Some(date) => State::RevokedAt(date),
    }
}
