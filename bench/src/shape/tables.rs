//! The tables for people, in Markdown.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::demands::{Measured, Verdict};
use super::policy::Policy;
use super::results::Results;
use super::row::{Row, Time};
use super::scenario::Case;
use crate::spread::Spread;

const UNKNOWN: &str = "-";

/// What was demanded and what came out.
pub(crate) fn demands(verdicts: &[Verdict]) -> Table {
    let mut table = right_aligned(
        &[
            "",
            "figure",
            "of",
            "demanded",
            "simulated",
            "",
            "on sockets",
            "requests",
            "",
        ],
        3,
    );
    for verdict in verdicts {
        let demand = verdict.demand;
        let place = [demand.scenario(), demand.variant()].join(" ");
        let requests = match verdict.real.requests {
            0 => UNKNOWN.to_owned(),
            requests => requests.to_string(),
        };
        table.add_row([
            place.trim().to_owned(),
            demand.name.to_owned(),
            demand.subject(),
            demand.bound.text(),
            figure(verdict.simulated),
            verdict.word(verdict.simulated).to_owned(),
            figure(verdict.real),
            requests,
            word(verdict),
        ]);
    }
    table
}

fn figure(measured: Measured) -> String {
    measured.figure.map_or(UNKNOWN.to_owned(), spread)
}

/// What is said of runs on sockets, some of which may not count.
fn word(verdict: &Verdict) -> String {
    let word = verdict.word(verdict.real);
    match verdict.real.void {
        0 => word.to_owned(),
        runs => format!("{word} ({runs} void)"),
    }
}

/// The figures of a case, of each policy that was run; `None` if there are none.
pub(crate) fn figures(case: &Case, policies: &[Policy], results: &Results) -> Option<Table> {
    let header = [
        "policy",
        "time",
        "goodput req/s",
        "tokens/s",
        "P50 s",
        "P99 s",
        "TTFT P50 s",
        "TTFT P99 s",
        "refused %",
        "failed %",
        "in time %",
        "by prompt, short to long %",
        "CPU us",
    ];
    let mut table = right_aligned(&header, 2);
    let times = [("simulated", Time::Simulated), ("real", Time::Real)];
    let times = times.map(|(name, time)| (name, results.of_time(time)));
    let all = policies
        .iter()
        .flat_map(|policy| times.iter().map(move |time| (policy, time)));
    for (policy, (time, results)) in all {
        let rows = results.of(case.id, *policy, case.rate);
        if rows.is_empty() {
            continue;
        }
        let median = |figure: &dyn Fn(&Row) -> Option<f64>, digits: usize| {
            let spread = Spread::over(rows.iter().filter_map(|row| figure(row)));
            spread.map_or(UNKNOWN.to_owned(), |spread| {
                format!("{:.digits$}", spread.median)
            })
        };
        let percent = |share: Option<f64>| share.map(|share| share * 100.0);
        let of_sent = |count: u64, row: &Row| Some(count as f64 / row.sent.max(1) as f64 * 100.0);
        let quarters = [
            median(&|row| percent(row.in_time_q1), 0),
            median(&|row| percent(row.in_time_q2), 0),
            median(&|row| percent(row.in_time_q3), 0),
            median(&|row| percent(row.in_time_q4), 0),
        ];
        table.add_row([
            policy.to_string(),
            (*time).to_owned(),
            median(&|row| Some(row.goodput), 1),
            median(&|row| Some(row.token_goodput), 0),
            median(&|row| row.p50_s, 2),
            median(&|row| row.p99_s, 2),
            median(&|row| row.ttft_p50_s, 3),
            median(&|row| row.ttft_p99_s, 3),
            median(&|row| of_sent(row.refused, row), 1),
            median(&|row| of_sent(row.failed, row), 1),
            median(&|row| percent(Some(row.in_time())), 1),
            quarters.join(" "),
            median(&|row| row.gateway_cpu_us, 0),
        ]);
    }
    (!table.is_empty()).then_some(table)
}

/// A table whose numbers stand below each other; the first columns are text.
fn right_aligned(header: &[&str], text: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(text) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn spread(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    if (max - min).abs() < 1e-9 {
        return number(median);
    }
    format!("{} ({} to {})", number(median), number(min), number(max))
}

/// Three digits that matter, or two behind the point.
fn number(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else if value.abs() >= 0.1 || value == 0.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_show_the_policies_that_were_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut results = Results::open(folder.path()).unwrap();
        let case = Case::named("A6").unwrap()[0];
        assert!(figures(case, case.policies, &results).is_none());
        for (seed, goodput) in [(1, 57.0), (2, 58.4)] {
            let row = Row {
                case: "A6".into(),
                policy: Some(Policy::Shaper),
                rate: 91.0,
                seed,
                sent: 100,
                refused: 36,
                goodput,
                ..Row::default()
            };
            results.add(row).unwrap();
        }
        let text = figures(case, case.policies, &results).unwrap().to_string();
        let line = text.lines().last().unwrap();
        assert!(
            line.starts_with("| shaper") && line.contains("57.7") && line.contains("36.0"),
            "{text}"
        );
    }
}
