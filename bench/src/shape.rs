//! `headworks-bench shape`: whether the load shaper does what is demanded of it,
//! on real sockets, next to other policies behind the same gateway.
//!
//! A run walks down this list: a [`scenario`] says what happens, [`plan`] fixes every request by a
//! seed, [`rig`] starts model servers and a gateway with one [`policy`], [`generator`] sends,
//! [`figures`] reads off a [`row`], [`results`] keeps it, [`demands`] judges, [`report`] tells.
//! Or [`simulate`] takes the place of rig and generator.

mod counters;
mod demands;
mod events;
mod exchange;
mod fairness;
mod figures;
mod generator;
mod job;
mod options;
mod plan;
mod policy;
mod render;
mod report;
mod results;
mod rig;
mod row;
mod run;
mod scenario;
mod search;
mod simulate;
mod tables;

use std::process::ExitCode;

use anyhow::Result;

pub(crate) use options::Options;

use demands::Verdict;
use job::Job;
use policy::Policy;
use results::Results;
use run::Maker;
use search::Range;

/// Runs what was asked for and is not there yet, judges and tells.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let mut results = Results::open(&options.results)?;
    if !options.report_only {
        let maker = Maker::find(options)?;
        run_all(&maker, options, &mut results).await?;
    }
    let verdicts = demands::judge(&results);
    report::tell(&results, &verdicts, options)?;
    let missed = !verdicts.iter().all(Verdict::met);
    Ok(ExitCode::from(u8::from(options.enforce && missed)))
}

/// The policies take turns within a seed, so that a slow hour of the machine hits all alike.
async fn run_all(maker: &Maker, options: &Options, results: &mut Results) -> Result<()> {
    let mut jobs = Vec::new();
    for case in options.cases() {
        let policies = options.policies(case);
        for seed in 1..=options.seeds {
            let job = |policy: &Policy| Job {
                case,
                policy: *policy,
                rate: case.rate,
                seed,
                scale: options.scale,
            };
            jobs.extend(policies.iter().map(job));
        }
    }
    maker.run(&jobs, options, results).await?;
    if options.search {
        search(maker, options, results).await?;
    }
    Ok(())
}

/// All searches go on side by side: each rate to try follows from those before it.
async fn search(maker: &Maker, options: &Options, results: &mut Results) -> Result<()> {
    loop {
        let known = results.of_time(maker.time());
        let mut jobs = Vec::new();
        for case in options.cases() {
            let Some(range) = Range::of(case) else {
                continue;
            };
            for policy in options.policies(case) {
                let next = range.next(&search::known(&known, case, policy));
                let job = |rate| {
                    (1..=options.seeds).map(move |seed| Job {
                        case,
                        policy,
                        rate,
                        seed,
                        scale: options.scale,
                    })
                };
                jobs.extend(next.into_iter().flat_map(job));
            }
        }
        if jobs.is_empty() {
            return Ok(());
        }
        maker.run(&jobs, options, results).await?;
    }
}
