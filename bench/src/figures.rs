//! From measurements to figures: each is compared with what it refers to in
//! the same round, and the median of the rounds counts.

use serde::Serialize;

use crate::measure::Cell;
use crate::spread::Spread;
use crate::subject::Subject;
use crate::workload::Workload;

/// The figures of one subject under one workload. Times are microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was sent.
    pub(crate) workload: Workload,
    /// Through what.
    pub(crate) subject: Subject,
    /// CPU time of the proxy for one request or stream.
    pub(crate) cpu: Option<Spread>,
    /// The same as a multiple of plain Pingora's.
    pub(crate) ratio: Option<Spread>,
    /// Median latency.
    pub(crate) p50: Spread,
    /// The latency that one in a hundred exceeds.
    pub(crate) p99: Spread,
    /// How much of it a proxy adds to the direct way; below zero is noise.
    pub(crate) added_p99: Option<Spread>,
    /// Pieces in which a body came; of a stream, its chunks.
    pub(crate) pieces: Spread,
}

/// All rows, in the order of workloads, then subjects.
pub(crate) fn rows(cells: &[Cell]) -> Vec<Row> {
    let mut keys: Vec<_> = cells
        .iter()
        .map(|cell| (cell.workload, cell.subject))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .filter_map(|(workload, subject)| row(cells, workload, subject))
        .collect()
}

fn row(cells: &[Cell], workload: Workload, subject: Subject) -> Option<Row> {
    let of = |subject| {
        cells
            .iter()
            .filter(move |cell| cell.workload == workload && cell.subject == subject)
    };
    // Both sides have one cell a round, in the order of rounds.
    let plain = of(subject).zip(of(Subject::PlainPingora));
    let direct = of(subject).zip(of(Subject::Direct));
    let own = || of(subject);
    Some(Row {
        workload,
        subject,
        cpu: Spread::over(own().filter_map(|cell| cell.cpu)),
        ratio: Spread::over(plain.filter_map(|(cell, plain)| Some(cell.cpu? / plain.cpu?))),
        p50: Spread::over(own().map(|cell| cell.latency.p50))?,
        p99: Spread::over(own().map(|cell| cell.latency.p99))?,
        pieces: Spread::over(own().map(|cell| cell.pieces))?,
        added_p99: Spread::over(direct.map(|(cell, direct)| cell.latency.p99 - direct.latency.p99)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Percentiles;
    use crate::noise::Noise;

    fn cell(round: u32, subject: Subject, cpu: Option<f64>, p99: f64) -> Cell {
        Cell {
            round,
            workload: Workload::Delay,
            subject,
            exchanges: 1,
            seconds: 1.0,
            cpu,

            latency: Percentiles { p50: 1.0, p99 },
            pieces: 64.0,
            noise: Noise {
                others: 0.0,
                stolen: 0.0,
            },
        }
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine was three times slower in the second round; the ratio is not.
        let cells = [
            cell(1, Subject::Direct, None, 20.0),
            cell(1, Subject::PlainPingora, Some(50.0), 90.0),
            cell(1, Subject::Headworks4, Some(40.0), 80.0),
            cell(2, Subject::Direct, None, 60.0),
            cell(2, Subject::PlainPingora, Some(150.0), 270.0),
            cell(2, Subject::Headworks4, Some(120.0), 140.0),
        ];
        let rows = rows(&cells);
        let headworks = rows.last().expect("three rows");
        assert_eq!(
            headworks.ratio,
            Some(Spread {
                median: 0.8,
                min: 0.8,
                max: 0.8
            })
        );
        assert_eq!(
            headworks.added_p99,
            Some(Spread {
                median: 70.0,
                min: 60.0,
                max: 80.0
            })
        );
    }

    #[test]
    fn the_direct_way_has_no_cpu_time() {
        let rows = rows(&[cell(1, Subject::Direct, None, 20.0)]);
        assert_eq!((rows[0].cpu, rows[0].ratio), (None, None));
    }

    #[test]
    fn the_median_of_an_odd_number_of_rounds_is_one_of_them() {
        let spread = Spread::over([3.0, 1.0, 2.5].into_iter());
        assert_eq!(
            spread,
            Some(Spread {
                median: 2.5,
                min: 1.0,
                max: 3.0
            })
        );
    }
}
