//! Steps and how long they took: a spinner on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

/// One piece of work that somebody waits for.
pub(crate) struct Step {
    name: String,
    started: Instant,
    /// Only on a terminal.
    spinner: Option<ProgressBar>,
}

/// Does one piece of work and says how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce(&Step) -> Result<T>) -> Result<T> {
    let step = Step::begin(name);
    let result = work(&step);
    step.end(result.is_ok());
    result
}

/// Begins a section of what a person reads.
pub(crate) fn heading(title: &str) {
    println!("\n{title}\n{}", "-".repeat(title.chars().count()));
}

/// A duration as people say it: `640 ms`, `12.3 s`, `2 min 05 s`.
pub(crate) fn human(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        0 => format!("{} ms", elapsed.as_millis()),
        1..60 => format!("{:.1} s", elapsed.as_secs_f64()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

impl Step {
    fn begin(name: &str) -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| spinner(name));
        if spinner.is_none() {
            eprintln!("{name} ...");
        }
        Self {
            name: name.to_owned(),
            started: Instant::now(),
            spinner,
        }
    }

    /// A line that a tool printed: beside the spinner, or as it is.
    pub(crate) fn line(&self, line: &str) {
        match &self.spinner {
            Some(spinner) => spinner.set_message(line.trim().to_owned()),
            None => eprintln!("{line}"),
        }
    }

    /// A line to keep.
    pub(crate) fn note(&self, line: &str) {
        match &self.spinner {
            Some(spinner) => spinner.println(format!("  {line}")),
            None => eprintln!("{}: {line}", self.name),
        }
    }

    /// Shows what a tool had printed before it failed, unless it was shown already.
    pub(crate) fn dump(&self, output: &str) {
        if let Some(spinner) = &self.spinner {
            spinner.println(output);
        }
    }

    fn end(&self, ok: bool) {
        let took = human(self.started.elapsed());
        let Some(spinner) = &self.spinner else {
            eprintln!(
                "{}: {} {took}",
                self.name,
                if ok { "done in" } else { "failed after" }
            );
            return;
        };
        spinner.finish_and_clear();
        eprintln!(
            "{} {:<28} {took:>12}",
            if ok { "✓" } else { "✗" },
            self.name
        );
    }
}

fn spinner(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed:>4} {wide_msg:.dim}")
        .expect("the template is a constant that indicatif accepts");
    let spinner = ProgressBar::new_spinner()
        .with_style(style)
        .with_prefix(name.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let check =
            |millis, expected: &str| assert_eq!(human(Duration::from_millis(millis)), expected);
        check(640, "640 ms");
        check(12_340, "12.3 s");
        check(125_000, "2 min 05 s");
    }
}
