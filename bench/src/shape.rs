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
use scenario::Case;
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
    for case in options.cases() {
        let job = |seed, policy| Job {
            case,
            policy,
            rate: case.rate,
            seed,
            scale: options.scale,
        };
        let policies = options.policies(case);
        let of_seed = |seed| policies.iter().map(move |policy| job(seed, *policy));
        let jobs: Vec<_> = (1..=options.seeds).flat_map(of_seed).collect();
        maker.run(&jobs, options, results).await?;
        if let Some(range) = Range::of(case).filter(|_| options.search) {
            for policy in options.policies(case) {
                search(maker, options, case, policy, range, results).await?;
            }
        }
    }
    Ok(())
}

async fn search(
    maker: &Maker,
    options: &Options,
    case: &'static Case,
    policy: Policy,
    range: Range,
    results: &mut Results,
) -> Result<()> {
    while let Some(rate) = range.next(&search::known(&results.of_time(maker.time()), case, policy))
    {
        let job = |seed| Job {
            case,
            policy,
            rate,
            seed,
            scale: options.scale,
        };
        let jobs: Vec<_> = (1..=options.seeds).map(job).collect();
        maker.run(&jobs, options, results).await?;
    }
    Ok(())
}
