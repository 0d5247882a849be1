//! The runs made so far, in results.csv: a long bench goes on where it stopped.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::policy::Policy;
use super::row::{Row, Time};

/// All runs, in the order in which they were made.
#[derive(Debug)]
pub(crate) struct Results {
    file: PathBuf,
    rows: Vec<Row>,
}

impl Results {
    /// Reads what the folder holds; makes the folder if it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let file = folder.join("results.csv");
        let rows = if file.exists() {
            read(&file)?
        } else {
            Vec::new()
        };
        Ok(Self { file, rows })
    }

    /// Adds a run, in the file too.
    pub(crate) fn add(&mut self, row: Row) -> Result<()> {
        let cannot = || format!("cannot write {}", self.file.display());
        let new = !self.file.exists();
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.file);
        let mut writer = csv::WriterBuilder::new()
            .has_headers(new)
            .from_writer(file.with_context(cannot)?);
        writer.serialize(&row).with_context(cannot)?;
        writer.flush().with_context(cannot)?;
        self.rows.push(row);
        Ok(())
    }

    /// Those of one kind of time.
    pub(crate) fn of_time(&self, time: Time) -> Self {
        let rows = self.rows.iter().filter(|row| row.time == time);
        Self {
            file: self.file.clone(),
            rows: rows.cloned().collect(),
        }
    }

    /// The same run as `wanted`, made before and not void.
    pub(crate) fn made(&self, wanted: &Row) -> Option<&Row> {
        let policy = wanted.policy?;
        self.rows.iter().rev().find(|row| {
            row.is_of(&wanted.case, policy, wanted.rate, wanted.seed)
                && row.time == wanted.time
                && row.void.is_empty()
                && row.version == wanted.version
                && (row.scale - wanted.scale).abs() < 1e-9
        })
    }

    /// The runs of a case under a policy at a rate, the last of each seed, in order of the
    /// seeds. One that counts goes before void ones.
    pub(crate) fn of(&self, case: &str, policy: Policy, rate: f64) -> Vec<&Row> {
        let mut seeds: Vec<u64> = self.rows.iter().map(|row| row.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let last = |seed: &u64| {
            let mut made = self
                .rows
                .iter()
                .rev()
                .filter(|row| row.is_of(case, policy, rate, *seed));
            let newest = made.next()?;
            let counts = |row: &&Row| row.void.is_empty() && row.version == newest.version;
            Some(if newest.void.is_empty() {
                newest
            } else {
                made.find(counts).unwrap_or(newest)
            })
        };
        seeds.iter().filter_map(last).collect()
    }

    /// The rates at which a case was run under a policy, in rising order.
    pub(crate) fn rates(&self, case: &str, policy: Policy) -> Vec<f64> {
        let of_both = |row: &&Row| row.case == case && row.policy == Some(policy);
        let mut rates: Vec<f64> = self
            .rows
            .iter()
            .filter(of_both)
            .map(|row| row.rate)
            .collect();
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        rates
    }
}

fn read(file: &Path) -> Result<Vec<Row>> {
    let cannot = || format!("cannot read {}; move it away to begin anew", file.display());
    let mut reader = csv::Reader::from_reader(File::open(file).with_context(cannot)?);
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .with_context(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seed: u64, version: &str, void: &str) -> Row {
        Row {
            case: "A6".into(),
            policy: Some(Policy::Fixed10),
            rate: 91.0,
            seed,
            scale: 0.3,
            version: version.into(),
            void: void.into(),
            p99_s: Some(1.5),
            in_time_tenants: "a=0.5 b=1".into(),
            ..Row::default()
        }
    }

    #[test]
    fn a_bench_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let mut results = Results::open(folder.path()).unwrap();
        results.add(row(1, "v1", "")).unwrap();
        results.add(row(2, "v1", "noisy, very")).unwrap();
        let again = Results::open(folder.path()).unwrap();
        assert_eq!(again.rows, results.rows);

        assert_eq!(again.made(&row(1, "v1", "")), Some(&row(1, "v1", "")));
        // Another build, a void run, another length and another policy are to be made.
        assert_eq!(again.made(&row(1, "v2", "")), None);
        assert_eq!(again.made(&row(2, "v1", "")), None);
        assert_eq!(
            again.made(&Row {
                scale: 1.0,
                ..row(1, "v1", "")
            }),
            None
        );
        let other = Row {
            policy: Some(Policy::Shaper),
            ..row(1, "v1", "")
        };
        assert_eq!(again.made(&other), None);
    }

    #[test]
    fn the_last_run_of_each_seed_counts_and_a_valid_one_before_a_void_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut results = Results::open(folder.path()).unwrap();
        for made in [
            row(2, "v1", ""),
            row(1, "v1", ""),
            row(1, "v2", ""),
            row(1, "v2", "noisy"),
        ] {
            results.add(made).unwrap();
        }
        let found = results.of("A6", Policy::Fixed10, 91.0);
        assert_eq!(found, [&row(1, "v2", ""), &row(2, "v1", "")]);
        assert_eq!(results.rates("A6", Policy::Fixed10), [91.0]);
        assert!(results.of("A6", Policy::Fixed10, 24.0).is_empty());
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("results.csv"), "rate\nfast\n").unwrap();
        let error = Results::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("move it away"), "{error}");
    }
}
