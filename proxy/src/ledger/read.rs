//! Reads rows, also while a gateway adds to them.

use std::path::Path;
use std::sync::Arc;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, named_params};

use super::{LedgerError, Row, RowKey, Sums, schema};
use crate::day::Day;

const SELECT: &str = "
    SELECT day, tenant, key, class, model, requests, input_tokens, output_tokens
    FROM usage
    WHERE day BETWEEN :from AND :to
        AND (:tenant IS NULL OR tenant = :tenant)
        AND (:key IS NULL OR key = :key)
        AND (:model IS NULL OR model = :model)
    ORDER BY day, tenant, key, class, model";

/// Which rows to read; all by default.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The first day.
    pub from: Option<Day>,
    /// The last day.
    pub to: Option<Day>,
    /// Only of this tenant.
    pub tenant: Option<String>,
    /// Only of this key.
    pub key: Option<String>,
    /// Only of this model.
    pub model: Option<String>,
}

/// What a ledger holds, for somebody who only looks.
#[derive(Debug)]
pub enum Usage {}

impl Usage {
    /// The rows of a ledger that pass the filter, by day and then by name. A
    /// gateway may be writing: there is all that it had written when this began.
    pub fn read(path: &Path, filter: &Filter) -> Result<Vec<Row>, LedgerError> {
        let connection = schema::open_to_read(path)?;
        rows(&connection, filter).map_err(|error| LedgerError::of(path, error))
    }
}

pub(super) fn rows(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Row>> {
    let mut select = connection.prepare(SELECT)?;
    let bounds = named_params! {
        ":from": filter.from.unwrap_or(Day::FIRST),
        ":to": filter.to.unwrap_or(Day::LAST),
        ":tenant": filter.tenant,
        ":key": filter.key,
        ":model": filter.model,
    };
    select.query_map(bounds, row)?.collect()
}

fn row(columns: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let name = |index| columns.get::<_, Arc<str>>(index);
    // The gateway writes none below zero.
    let sum = |index| {
        columns
            .get(index)
            .map(|sum: i64| sum.max(0).cast_unsigned())
    };
    Ok(Row {
        day: columns.get(0)?,
        key: RowKey {
            tenant: name(1)?,
            key: name(2)?,
            class: name(3)?,
            model: name(4)?,
        },
        sums: Sums {
            requests: sum(5)?,
            input_tokens: sum(6)?,
            output_tokens: sum(7)?,
        },
    })
}

impl FromSql for Day {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

impl ToSql for Day {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}
