//! A histogram with the buckets of the original.

use std::fmt::Write;

/// Which buckets a histogram has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// 35 geometric buckets from 150 microseconds on.
    Seconds,
    /// 100 equal buckets up to the given number of tokens.
    Tokens(u32),
}

impl Scale {
    fn bounds(self) -> Vec<f64> {
        match self {
            Self::Seconds => std::iter::successors(Some(0.00015), |bound| Some(bound * 1.5))
                .take(35)
                .collect(),
            Self::Tokens(most) => (1..=100)
                .map(|step| f64::from(most) * f64::from(step) / 100.0)
                .collect(),
        }
    }
}

pub(super) struct Histogram {
    bounds: Vec<f64>,
    counts: Vec<u64>,
    sum: f64,
    count: u64,
}

impl Histogram {
    pub(super) fn new(scale: Scale) -> Self {
        let bounds = scale.bounds();
        Self {
            counts: vec![0; bounds.len()],
            bounds,
            sum: 0.0,
            count: 0,
        }
    }

    pub(super) fn add(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum += value;
        self.count += 1;
    }

    pub(super) fn write(&self, page: &mut String, name: &str, label: &str) {
        self.try_write(page, name, label)
            .expect("a string takes any text");
    }

    fn try_write(&self, page: &mut String, name: &str, label: &str) -> std::fmt::Result {
        let comma = if label.is_empty() { "" } else { "," };
        let braces = if label.is_empty() {
            String::new()
        } else {
            format!("{{{label}}}")
        };
        let mut below = 0;
        for (bound, count) in self.bounds.iter().zip(&self.counts) {
            below += count;
            // Nine digits: repeated multiplication leaves dust behind them.
            let bound = (bound * 1e9).round() / 1e9;
            writeln!(
                page,
                "{name}_bucket{{{label}{comma}le=\"{bound}\"}} {below}"
            )?;
        }
        writeln!(
            page,
            "{name}_bucket{{{label}{comma}le=\"+Inf\"}} {}",
            self.count
        )?;
        writeln!(page, "{name}_sum{braces} {}", self.sum)?;
        writeln!(page, "{name}_count{braces} {}", self.count)
    }
}
