//! From what became of requests to the figures of a run.

use super::events::End;
use super::fairness;
use super::generator::Outcome;
use super::row::{Row, TENANT_SEPARATOR};
use super::scenario::{Case, Objective, Span, Window};

impl Outcome {
    fn answered(&self) -> bool {
        self.end == Some(End::Answered)
    }

    fn in_time(&self, objective: Objective) -> bool {
        self.answered() && self.took <= objective.of(self.output)
    }
}

/// Fills in what the outcomes tell. Those of the warm-up do not count.
pub(crate) fn fill(
    row: &mut Row,
    case: &Case,
    outcomes: &[Outcome],
    span: Span,
    windows: &[Window],
) {
    let counted: Vec<Outcome> = outcomes
        .iter()
        .filter(|it| it.at >= span.warm_up && it.at < span.whole())
        .copied()
        .collect();
    let objective = case.objective;
    counts(row, &counted, objective, span.measured);
    latencies(row, &counted);
    quarters(row, &counted, objective);
    if case.traffic.tenants().len() > 1 {
        tenants(row, &counted, case);
    }
    let hit: Vec<Outcome> = counted
        .iter()
        .filter(|it| windows.iter().any(|window| window.has(it.at)))
        .copied()
        .collect();
    if !windows.is_empty() {
        row.window_sent = Some(hit.len() as u64);
        row.window_p99_s = percentile(times(&hit), 0.99);
        row.window_in_time = share(&hit, |it| it.in_time(objective));
        row.window_failures = share(&hit, |it| !it.answered());
    }
}

fn counts(row: &mut Row, counted: &[Outcome], objective: Objective, seconds: f64) {
    let count = |is: &dyn Fn(&Outcome) -> bool| counted.iter().filter(|it| is(it)).count() as u64;
    row.seconds = seconds;
    row.sent = counted.len() as u64;
    row.answered = count(&Outcome::answered);
    row.refused = count(&|it| matches!(it.end, Some(End::Refused { .. })));
    row.failed = row.sent - row.answered - row.refused;
    let in_time = count(&|it| it.in_time(objective));
    row.late = row.answered - in_time;
    row.goodput = in_time as f64 / seconds;
    let tokens = counted
        .iter()
        .filter(|it| it.in_time(objective))
        .map(|it| f64::from(it.output));
    row.token_goodput = tokens.sum::<f64>() / seconds;
}

fn latencies(row: &mut Row, counted: &[Outcome]) {
    let took = times(counted);
    row.p50_s = percentile(took.clone(), 0.50);
    row.p95_s = percentile(took.clone(), 0.95);
    row.p99_s = percentile(took, 0.99);
    let firsts: Vec<f64> = counted.iter().filter_map(|it| it.first).collect();
    row.ttft_p50_s = percentile(firsts.clone(), 0.50);
    row.ttft_p99_s = percentile(firsts, 0.99);
    let refusals: Vec<_> = counted
        .iter()
        .filter_map(|it| match it.end {
            Some(End::Refused { retry_after }) => Some((it.took, retry_after)),
            _ => None,
        })
        .collect();
    row.refusal_p99_ms = percentile(refusals.iter().map(|(took, _)| took * 1e3).collect(), 0.99);
    row.retry_after = share(&refusals, |(_, told)| *told);
    let late = counted.iter().map(|it| it.late * 1e3).collect();
    row.generator_p99_ms = percentile(late, 0.99).unwrap_or_default();
}

fn quarters(row: &mut Row, counted: &[Outcome], objective: Objective) {
    let mut by_prompt = counted.to_vec();
    by_prompt.sort_by_key(|it| it.input);
    let quarter = |number: usize| {
        let edge = |number: usize| by_prompt.len() * number / 4;
        share(&by_prompt[edge(number)..edge(number + 1)], |it| {
            it.in_time(objective)
        })
    };
    row.in_time_q1 = quarter(0);
    row.in_time_q2 = quarter(1);
    row.in_time_q3 = quarter(2);
    row.in_time_q4 = quarter(3);
}

fn tenants(row: &mut Row, counted: &[Outcome], case: &Case) {
    let objective = case.objective;
    let of = |tenant: usize| -> Vec<Outcome> {
        counted
            .iter()
            .filter(|it| it.sender == tenant)
            .copied()
            .collect()
    };
    let names = case.traffic.tenants();
    let told: Vec<_> = (0..names.len())
        .filter_map(|tenant| {
            let share = share(&of(tenant), |it| it.in_time(objective))?;
            Some(format!("{}={share:.4}", names[tenant]))
        })
        .collect();
    row.in_time_tenants = told.join(&TENANT_SEPARATOR.to_string());
    let others: Vec<_> = counted.iter().filter(|it| it.sender > 0).copied().collect();
    row.in_time_others = share(&others, |it| it.in_time(objective));
    let cost = |outcomes: &[Outcome]| {
        outcomes
            .iter()
            .map(|it| f64::from(it.input + it.output))
            .sum::<f64>()
    };
    let asked: Vec<f64> = (0..names.len()).map(|tenant| cost(&of(tenant))).collect();
    let served: Vec<f64> = (0..names.len())
        .map(|tenant| {
            cost(
                &of(tenant)
                    .into_iter()
                    .filter(Outcome::answered)
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    row.jain = fairness::jain(&asked, &served);
}

fn times(outcomes: &[Outcome]) -> Vec<f64> {
    outcomes
        .iter()
        .filter(|it| it.answered())
        .map(|it| it.took)
        .collect()
}

/// The least value that so many of all are not above; `None` of nothing.
pub(crate) fn percentile(mut values: Vec<f64>, quantile: f64) -> Option<f64> {
    let rank = (values.len() as f64 * quantile).ceil() as usize;
    let index = rank.max(1).min(values.len()).checked_sub(1)?;
    let (_, value, _) = values.select_nth_unstable_by(index, f64::total_cmp);
    Some(*value)
}

fn share<T>(values: &[T], is: impl Fn(&T) -> bool) -> Option<f64> {
    let count = values.iter().filter(|value| is(value)).count();
    (!values.is_empty()).then(|| count as f64 / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span {
        warm_up: 10.0,
        measured: 20.0,
    };

    fn outcome(at: f64, took: f64, end: End) -> Outcome {
        Outcome {
            at,
            late: 0.001,
            sender: 0,
            input: 10,
            output: 20,
            end: Some(end),
            took,
            first: Some(0.1),
        }
    }

    fn figures(name: &str, outcomes: &[Outcome], windows: &[Window]) -> Row {
        let mut row = Row::default();
        fill(
            &mut row,
            Case::named(name).expect(name)[0],
            outcomes,
            SPAN,
            windows,
        );
        row
    }

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(values.clone(), 0.99), Some(198.0));
        assert_eq!(percentile(values, 0.50), Some(100.0));
        assert_eq!(percentile(vec![7.0], 0.99), Some(7.0));
        assert_eq!(percentile(Vec::new(), 0.99), None);
    }

    #[test]
    fn only_answers_in_time_make_goodput_and_the_warm_up_does_not_count() {
        let refused = End::Refused { retry_after: true };
        let row = figures(
            "A6",
            &[
                outcome(9.9, 1.0, End::Answered),
                outcome(10.0, 1.0, End::Answered),
                outcome(11.0, 1.4, End::Answered),
                outcome(12.0, 1.6, End::Answered),
                outcome(13.0, 0.01, refused),
                outcome(14.0, 0.2, End::Failed),
                Outcome {
                    end: None,
                    took: f64::INFINITY,
                    ..outcome(15.0, 0.0, refused)
                },
                outcome(30.0, 1.0, End::Answered),
            ],
            &[],
        );
        assert_eq!(
            (row.sent, row.answered, row.refused, row.failed, row.late),
            (6, 3, 1, 2, 1)
        );
        assert_eq!((row.goodput, row.token_goodput), (0.1, 2.0));
        assert_eq!(
            (row.p99_s, row.refusal_p99_ms, row.retry_after),
            (Some(1.6), Some(10.0), Some(1.0))
        );
        assert_eq!(row.window_p99_s, None);
    }

    #[test]
    fn a_window_has_what_was_sent_in_the_fault_and_just_after() {
        let window = Window {
            begin: 12.0,
            end: 14.0,
            server: 0,
        };
        let row = figures(
            "A4",
            &[
                outcome(11.0, 1.0, End::Answered),
                outcome(12.5, 5.0, End::Answered),
                outcome(23.9, 1.2, End::Answered),
                outcome(24.1, 9.0, End::Answered),
            ],
            &[window],
        );
        assert_eq!((row.window_sent, row.window_p99_s), (Some(2), Some(5.0)));
        assert_eq!(
            (row.window_in_time, row.window_failures),
            (Some(0.5), Some(0.0))
        );
    }

    #[test]
    fn quarters_go_by_the_prompt_and_tenants_by_who_sent() {
        let outcomes: Vec<_> = (0..8_u32)
            .map(|number| Outcome {
                input: number,
                sender: number as usize % 4,
                took: if number < 4 { 1.0 } else { 2.0 },
                ..outcome(11.0, 0.0, End::Answered)
            })
            .collect();
        let row = figures("A9", &outcomes, &[]);
        assert_eq!((row.in_time_q1, row.in_time_q2), (Some(1.0), Some(1.0)));
        assert_eq!((row.in_time_q3, row.in_time_q4), (Some(0.0), Some(0.0)));
        assert_eq!(
            row.in_time_tenants,
            "flood=0.5000 a=0.5000 b=0.5000 c=0.5000"
        );
        assert_eq!(row.in_time_others, Some(0.5));
    }
}
