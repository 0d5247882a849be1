//! A report as CSV, quoted as RFC 4180 says. Lines end in a line feed alone:
//! every reader takes it, and so do the tools of a shell.

use std::borrow::Cow;
use std::io::{self, Write};

use super::{Report, numbers};

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let header: Vec<&str> = report.header().collect();
    writeln!(out, "{}", header.join(","))?;
    for (names, sums) in &report.sums {
        let names = names.iter().map(|name| quoted(name));
        let numbers = numbers(sums).map(|number| number.to_string().into());
        let fields: Vec<Cow<'_, str>> = names.chain(numbers).collect();
        writeln!(out, "{}", fields.join(","))?;
    }
    Ok(())
}

fn quoted(name: &str) -> Cow<'_, str> {
    if name.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", name.replace('"', "\"\"")).into()
    } else {
        name.into()
    }
}
