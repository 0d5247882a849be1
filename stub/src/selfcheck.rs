//! Checks the batcher against its specification: in virtual time, so that the
//! figures are the same everywhere, and once against the real clock.

mod simulate;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::engine::{Engine, Order};
use crate::faults::Faults;
use crate::metrics::Metrics;
use crate::options::StartError;
use crate::profile::{Load, Profile};

/// Mean lateness of a pass beyond which figures taken on this machine mean nothing.
const MOST_LATE_MS: f64 = 0.5;

/// One figure and its bounds.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// What came out.
    pub value: f64,
    /// What should.
    pub expected: f64,
    /// By how much it may differ.
    pub tolerance: f64,
}

impl Figure {
    /// Within its bounds.
    pub fn passed(&self) -> bool {
        (self.value - self.expected).abs() <= self.tolerance
    }
}

/// What the check found.
#[derive(Debug, Clone)]
pub struct Report {
    /// Figures in virtual time.
    pub figures: Vec<Figure>,
    /// Mean lateness of real passes, in milliseconds.
    pub mean_late_ms: f64,
}

impl Report {
    /// All figures are within their bounds; lateness says something about the
    /// machine, not about the batcher.
    pub fn passed(&self) -> bool {
        self.figures.iter().all(Figure::passed)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for figure in &self.figures {
            let Figure {
                name,
                value,
                expected,
                tolerance,
            } = figure;
            let verdict = if figure.passed() { "ok" } else { "FAILED" };
            writeln!(
                out,
                "{name:<52} {value:>9.3}  expected {expected:>9.3} +/- {tolerance:<8.3} {verdict}"
            )?;
        }
        let late = self.mean_late_ms;
        let verdict = if late < MOST_LATE_MS {
            "ok"
        } else {
            "VOID: this machine is too busy for timed runs"
        };
        write!(
            out,
            "{:<52} {late:>9.3}  below    {MOST_LATE_MS:>9.3} {:>12} {verdict}",
            "mean lateness of a pass, ms", ""
        )
    }
}

/// Runs all checks; takes about two seconds.
///
/// # Errors
/// When the clock thread cannot be started.
pub fn run() -> Result<Report, StartError> {
    let mean_late_ms =
        mean_lateness().map_err(|error| StartError::Serve(([127, 0, 0, 1], 0).into(), error))?;
    Ok(Report {
        figures: figures(),
        mean_late_ms,
    })
}

/// The figures in virtual time.
pub fn figures() -> Vec<Figure> {
    let cards = [
        ("fast12", Profile::Fast12),
        ("rtx3060-qwen2-7b-int4", Profile::Rtx3060Qwen2),
        ("rtx3060-llama31-8b-int4", Profile::Rtx3060Llama31),
        ("rtx3080-12-llama31-8b-int4", Profile::Rtx3080Llama31),
        ("linear", Profile::Linear),
    ];
    let mut figures = Vec::new();
    for (name, profile) in cards {
        figures.push(time_per_token(name, profile));
        figures.extend([16, 32, 64].map(|batch| aggregate_rate(name, profile, batch)));
    }
    figures.push(Figure {
        name: "fast12: raw capacity, chat requests/s".to_owned(),
        value: simulate::capacity(Profile::Fast12),
        expected: 17.5,
        tolerance: 0.5,
    });
    figures
}

fn time_per_token(name: &str, profile: Profile) -> Figure {
    let timing = profile.timing();
    // The linear card adds the cost of computing the token to the step.
    let expected = 1e3 * (timing.step + if timing.linear { timing.token } else { 0.0 });
    Figure {
        name: format!("{name}: time per token at batch 1, ms"),
        value: 1e3 / simulate::rate(profile, 1).tokens_per_second,
        expected,
        tolerance: 0.03 * expected,
    }
}

fn aggregate_rate(name: &str, profile: Profile, batch: u32) -> Figure {
    let timing = profile.timing();
    let rate = simulate::rate(profile, batch);
    let load = Load {
        decoding: batch,
        prompt_tokens: 0,
        context_tokens: rate.mean_context,
    };
    let expected = f64::from(batch) / timing.seconds(load);
    Figure {
        name: format!("{name}: tokens/s at batch {batch}"),
        value: rate.tokens_per_second,
        expected,
        tolerance: 0.05 * expected,
    }
}

/// Lets the real clock make passes for a second and a half.
fn mean_lateness() -> std::io::Result<f64> {
    let faults = Arc::new(Faults::new(0));
    let engine = Engine::new(
        Profile::Fast12.timing(),
        1.0,
        None,
        faults,
        Arc::new(Metrics::default()),
    );
    let clock = engine.start_clock(0)?;
    let ticket = engine.submit(Order {
        input: 100,
        output: 1_000,
        max_new: 1_000,
        blocks: Vec::new(),
    });
    let end = Instant::now() + Duration::from_millis(1_500);
    thread::sleep(end - Instant::now());
    drop(ticket);
    engine.stop();
    // A panic of the clock would have been printed by it, and shows as no passes.
    let _ = clock.join();
    Ok(engine.lateness().mean_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batcher_keeps_its_specification() {
        for figure in figures() {
            assert!(figure.passed(), "{figure:?}");
        }
    }

    #[test]
    fn lateness_voids_a_run_without_failing_it() {
        let report = Report {
            figures: Vec::new(),
            mean_late_ms: 3.0,
        };
        assert!(report.passed());
        assert!(report.to_string().contains("VOID"));
    }
}
