//! Sums of rows, for people and for programs.

mod csv;
mod json;
mod table;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use clap::ValueEnum;

use super::{Row, Sums};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people, with a total
    #[default]
    Table,
    /// For spreadsheets: a header and a line for each sum
    Csv,
    /// For programs: an array with an object for each sum
    Json,
}

/// What sums can be made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Column {
    /// The day, UTC
    Day,
    /// Who pays
    Tenant,
    /// The name of the key
    Key,
    /// The class of priority
    Class,
    /// The model that answered
    Model,
}

/// Writes the sums of the rows that agree in all these columns, in the order of
/// their values; without columns the sums of all rows.
pub fn render(rows: &[Row], format: Format, by: &[Column], out: &mut impl Write) -> io::Result<()> {
    let report = Report::new(rows, by);
    match format {
        Format::Table => table::write(&report, out),
        Format::Csv => csv::write(&report, out),
        Format::Json => json::write(&report, out),
    }
}

/// What is counted, in the order of `numbers`.
const NUMBERS: [&str; 4] = ["requests", "input_tokens", "output_tokens", "tokens"];

/// Sums by columns.
struct Report {
    columns: Vec<Column>,
    /// By what is in the columns.
    sums: BTreeMap<Vec<Arc<str>>, Sums>,
}

impl Report {
    fn new(rows: &[Row], by: &[Column]) -> Self {
        let mut columns: Vec<Column> = Vec::new();
        for column in by {
            if !columns.contains(column) {
                columns.push(*column);
            }
        }
        let mut sums: BTreeMap<Vec<Arc<str>>, Sums> = BTreeMap::new();
        if columns.is_empty() {
            sums.entry(Vec::new()).or_default();
        }
        for row in rows {
            let names = columns.iter().map(|column| column.of(row)).collect();
            *sums.entry(names).or_default() += row.sums;
        }
        Self { columns, sums }
    }

    fn total(&self) -> Sums {
        let mut total = Sums::default();
        self.sums.values().for_each(|sums| total += *sums);
        total
    }

    /// The names of all columns.
    fn header(&self) -> impl Iterator<Item = &'static str> {
        let columns = self.columns.iter().map(|column| column.as_str());
        columns.chain(NUMBERS)
    }
}

fn numbers(sums: &Sums) -> [u64; 4] {
    [
        sums.requests,
        sums.input_tokens,
        sums.output_tokens,
        sums.tokens(),
    ]
}

impl Column {
    fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Tenant => "tenant",
            Self::Key => "key",
            Self::Class => "class",
            Self::Model => "model",
        }
    }

    fn of(self, row: &Row) -> Arc<str> {
        match self {
            Self::Day => row.day.to_string().into(),
            Self::Tenant => row.key.tenant.clone(),
            Self::Key => row.key.key.clone(),
            Self::Class => row.key.class.clone(),
            Self::Model => row.key.model.clone(),
        }
    }
}
