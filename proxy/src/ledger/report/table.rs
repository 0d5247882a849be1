//! A report as a table with a total.

use std::io::{self, Write};

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::{Report, numbers};
use crate::ledger::Sums;

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_preset(ASCII_MARKDOWN)
        .set_header(report.header());
    for (names, sums) in &report.sums {
        let names = names.iter().map(|name| printable(name));
        table.add_row(names.chain(figures(sums)));
    }
    if !report.columns.is_empty() {
        let blanks = report.columns.iter().skip(1).map(|_| String::new());
        let names = std::iter::once("total".to_owned()).chain(blanks);
        table.add_row(names.chain(figures(&report.total())));
    }
    for column in table.column_iter_mut().skip(report.columns.len()) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{table}")
}

fn figures(sums: &Sums) -> impl Iterator<Item = String> {
    numbers(sums).into_iter().map(grouped)
}

/// A name as it can be shown. Clients may choose one: it must not command the
/// terminal, nor look like two cells.
fn printable(name: &str) -> String {
    let shown = |letter: char| match letter {
        '|' => "\\|".to_owned(),
        _ if letter.is_control() => letter.escape_default().to_string(),
        _ => letter.to_string(),
    };
    name.chars().map(shown).collect()
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
