//! A report as a JSON array.

use std::io::{self, Write};
use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{Column, NUMBERS, Report, numbers};
use crate::ledger::Sums;

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let objects: Vec<Object<'_>> = report
        .sums
        .iter()
        .map(|(names, sums)| Object {
            columns: &report.columns,
            names,
            sums,
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &objects)?;
    writeln!(out)
}

struct Object<'a> {
    columns: &'a [Column],
    names: &'a [Arc<str>],
    sums: &'a Sums,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len() + NUMBERS.len()))?;
        for (column, name) in self.columns.iter().zip(self.names) {
            map.serialize_entry(column.as_str(), &**name)?;
        }
        for (name, number) in NUMBERS.iter().zip(numbers(self.sums)) {
            map.serialize_entry(name, &number)?;
        }
        map.end()
    }
}
