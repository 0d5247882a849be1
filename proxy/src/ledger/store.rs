//! The file of a running gateway: rows are added to, never replaced, so that
//! gateways can share it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Statement, TransactionBehavior, params};

use super::book::Days;
use super::{Filter, LedgerError, Row, RowKey, Sums, read, schema};
use crate::day::Day;

/// `min` keeps a sum that would be too large an integer; it would become a
/// fraction otherwise, which the table refuses.
const ADD: &str = "
    INSERT INTO usage VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT DO UPDATE SET
        requests = min(9223372036854775807, requests + excluded.requests),
        input_tokens = min(9223372036854775807, input_tokens + excluded.input_tokens),
        output_tokens = min(9223372036854775807, output_tokens + excluded.output_tokens)";

/// The file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    pub(super) connection: Connection,
    /// What SQLite counted of others' changes when it was last asked.
    others: Option<i64>,
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self {
            path: path.to_owned(),
            connection: schema::open(path)?,
            others: None,
        })
    }

    /// Adds all, or nothing if that fails.
    pub(super) fn add(&mut self, days: &Days) -> Result<(), LedgerError> {
        let added = add_all(&mut self.connection, days);
        added.map_err(|error| LedgerError::of(&self.path, error))
    }

    /// The rows of a month. Where they cannot be read they stay news.
    pub(super) fn month_of(&mut self, day: Day) -> Result<Vec<Row>, LedgerError> {
        let filter = Filter {
            from: Some(day.first_of_month()),
            to: Some(day.last_of_month()),
            ..Filter::default()
        };
        let rows = read::rows(&self.connection, &filter);
        rows.map_err(|error| {
            self.others = None;
            LedgerError::of(&self.path, error)
        })
    }

    /// Whether others have changed the file since this was last asked.
    pub(super) fn has_news(&mut self) -> Result<bool, LedgerError> {
        let counted = schema::number(&self.connection, "PRAGMA data_version");
        let others = counted.map_err(|error| LedgerError::of(&self.path, error))?;
        Ok(self.others.replace(others) != Some(others))
    }
}

fn add_all(connection: &mut Connection, days: &Days) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut statement = transaction.prepare(ADD)?;
    for (day, rows) in days {
        for (key, sums) in rows {
            add(&mut statement, *day, key, *sums)?;
        }
    }
    drop(statement);
    transaction.commit()
}

fn add(statement: &mut Statement<'_>, day: Day, key: &RowKey, sums: Sums) -> rusqlite::Result<()> {
    statement.execute(params![
        day,
        key.tenant,
        key.key,
        key.class,
        key.model,
        integer(sums.requests),
        integer(sums.input_tokens),
        integer(sums.output_tokens),
    ])?;
    Ok(())
}

/// SQLite knows no larger one.
fn integer(sum: u64) -> i64 {
    i64::try_from(sum).unwrap_or(i64::MAX)
}
