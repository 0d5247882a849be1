//! A day: quiet and busy hours, overload and faults, again and again.

use super::super::super::scenario::Faults;
use super::*;

/// What an hour has: seconds of requests at a rate.
const HOUR: [(f64, f64); 5] = [
    (900.0, 16.0),
    (300.0, 91.0),
    (300.0, 0.2),
    (1500.0, 24.0),
    (600.0, 8.0),
];

/// What an hour came to.
#[derive(Debug, Clone, Copy)]
struct Hour {
    /// Of the first phase, share.
    in_time: f64,
    /// Of the overload, a second.
    goodput: f64,
    margin: f64,
    /// The longest time in which nothing was answered while requests came.
    gap: f64,
    /// Resident, bytes.
    memory: u64,
}

/// Twenty-four hours with `HEADWORKS_FULL=1`, else three.
#[test]
fn a_day_leaves_neither_drift_nor_lock_out_nor_memory_behind() {
    let full = std::env::var_os("HEADWORKS_FULL").is_some_and(|value| value != "0");
    let hours = if full { 24 } else { 3 };
    let case = like("A4", |case| {
        case.seconds = f64::from(hours) * 3600.0;
        // One server after the other, each hour twice.
        case.faults = Some(Faults {
            slower: Some(4.0),
            lasts: 60.0,
            every: 1800.0,
        });
    });
    let job = job(case, Policy::Shaper);
    let mut simulation = Simulation::new(&job, Plan::Open(Vec::new())).expect("a simulation");
    let day: Vec<Hour> = (0..hours)
        .map(|hour| pass(&mut simulation, case, hour))
        .collect();
    for hour in &day {
        println!("{hour:?}");
    }
    // What is learned in the first hour is the beginning of the rest.
    let (settled, rest) = (day[0], &day[1..]);
    for hour in rest {
        assert!(hour.in_time > 0.985, "{hour:?}");
        assert!(
            hour.goodput > 0.95 * settled.goodput,
            "{hour:?}, at first {settled:?}"
        );
        assert!(
            (hour.margin - settled.margin).abs() < 0.1,
            "{hour:?}, at first {settled:?}"
        );
        assert!(hour.gap < 10.0, "{hour:?}");
        assert!(
            hour.memory < settled.memory + (32 << 20),
            "{hour:?}, at first {settled:?}"
        );
    }
}

fn pass(simulation: &mut Simulation, case: &'static Case, hour: u32) -> Hour {
    let begin = f64::from(hour) * 3600.0;
    let mut from = begin;
    let mut phases = Vec::new();
    let mut gap: f64 = 0.0;
    for (phase, (seconds, rate)) in (0..).zip(HOUR) {
        let seed = u64::from(hour) * 10 + phase;
        let Plan::Open(mut requests) = Plan::make(case, rate, seed, seconds) else {
            panic!("an open loop");
        };
        requests.iter_mut().for_each(|request| request.at += from);
        simulation.more(requests);
        from += seconds;
        simulation.pass_until(from);
        let outcomes = simulation.take_outcomes();
        let answered = outcomes.iter().filter(|it| it.end == Some(End::Answered));
        let share = in_time(case, &outcomes, |_| true);
        phases.push((share, share * outcomes.len() as f64 / seconds));
        if rate > 1.0 {
            let mut ends: Vec<f64> = answered.map(|it| it.at + it.took).collect();
            ends.sort_by(f64::total_cmp);
            let gaps = ends.windows(2).map(|pair| pair[1] - pair[0]);
            gap = gap.max(gaps.fold(0.0, f64::max));
        }
    }
    let process = procfs::process::Process::myself().expect("this process");
    let memory = process.stat().expect("its figures").rss * procfs::page_size();
    Hour {
        in_time: phases[0].0,
        goodput: phases[1].1,
        margin: simulation.gateway().margin().expect("answers came"),
        gap,
        memory,
    }
}
