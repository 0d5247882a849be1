//! A recorded trace, stretched in time to a rate. Azure's conversation trace of
//! 2023; the file names its source and licence.

use rand::Rng;

use super::{Request, stream, text};

const EXCERPT: &str = include_str!("../../../data/azure-conv-excerpt.csv");
/// Most new tokens that its requests ask for.
const CAP: u32 = 1_024;
/// A longer prompt would not fit the server with its answer.
const LONGEST: u32 = 7_100;

struct Row {
    seconds: f64,
    input: u32,
    output: u32,
}

/// Requests of the trace from a row that the seed chooses; at its end it begins anew.
pub(super) fn plan(rate: f64, seed: u64, seconds: f64) -> Vec<Request> {
    let rows = rows();
    let mut random = stream(seed, "trace");
    let mut words = stream(seed, "text");
    let length = rows.last().map_or(1.0, |row| row.seconds);
    let stretch = rows.len() as f64 / length / rate;
    let first = random.random_range(0..rows.len());
    (first..)
        .map(|index| {
            let row = &rows[index % rows.len()];
            let lap = (index / rows.len()) as f64;
            Request {
                at: (lap * length + row.seconds - rows[first].seconds) * stretch,
                sender: 0,
                prompt: text::prompt(&mut words, row.input),
                input: row.input,
                output: row.output,
                cap: CAP,
                session: None,
            }
        })
        .take_while(|request| request.at < seconds)
        .collect()
}

/// The excerpt; lines that begin with `#` say where it is from.
fn rows() -> Vec<Row> {
    let lines = EXCERPT
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1);
    lines.filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut fields = line.split(',');
    Some(Row {
        seconds: fields.next()?.parse().ok()?,
        input: fields.next()?.parse::<u32>().ok()?.clamp(1, LONGEST),
        output: fields.next()?.parse::<u32>().ok()?.clamp(1, CAP),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_excerpt_is_read_and_its_source_named() {
        assert_eq!(rows().len(), 2_000);
        assert!(EXCERPT.contains("Azure/AzurePublicDataset") && EXCERPT.contains("CC-BY 4.0"));
    }
}
