//! One metric: a bounded set of label sets, each with its cell. Looking up a
//! known label set takes no lock and allocates nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::cell::{Cell, Level, Timings};
use super::count::Count;
use super::error::LabelCount;
use super::exporting::Exporting;
use super::name::{Name, Spelled, bounded};

/// Most label sets of one metric; those beyond are counted under `OTHER`.
pub const LABEL_SETS: usize = 200;

/// The value of every label of a label set beyond the bound.
pub const OTHER: &str = "other";

/// A metric of cells of one kind, by label values.
pub struct Family<C> {
    name: Name,
    /// Sorted by values. Replaced as a whole when it grows, so readers need no lock.
    series: ArcSwap<Vec<Series<C>>>,
    growing: Mutex<()>,
    exporting: Arc<Exporting>,
}

/// One label set.
pub(super) struct Series<C> {
    pub(super) values: Arc<[Box<str>]>,
    pub(super) statsd: Arc<Spelled>,
    pub(super) cell: Arc<C>,
}

impl Family<Count> {
    /// Counts `by` more for the label set with these values.
    pub fn add(&self, by: u64, values: &[&str]) -> Result<(), LabelCount> {
        self.with(values, |count| count.add(by))
    }
}

impl Family<Level> {
    /// Sets the level for the label set with these values.
    pub fn set(&self, value: i64, values: &[&str]) -> Result<(), LabelCount> {
        self.with(values, |level| level.set(value))
    }
}

impl Family<Timings> {
    /// Records a duration for the label set with these values.
    pub fn record(&self, elapsed: Duration, values: &[&str]) -> Result<(), LabelCount> {
        self.with(values, |timings| self.record_in(timings, elapsed))
    }

    /// Records a duration for a label set of this timer.
    pub fn record_in(&self, timings: &Timings, elapsed: Duration) {
        timings.record(elapsed, &self.exporting);
    }
}

impl<C: Cell> Family<C> {
    pub(super) fn new(name: Name, exporting: Arc<Exporting>) -> Self {
        let family = Self::empty(name, exporting);
        // What has no labels is there from the start, at zero.
        if family.name.labels().is_empty() {
            family.grow(&[], Arc::default());
        }
        family
    }

    /// A metric without labels around a cell that somebody else fills.
    pub(super) fn around(cell: Arc<C>, name: Name, exporting: Arc<Exporting>) -> Self {
        let family = Self::empty(name, exporting);
        family.grow(&[], cell);
        family
    }

    fn empty(name: Name, exporting: Arc<Exporting>) -> Self {
        Self {
            name,
            series: ArcSwap::default(),
            growing: Mutex::default(),
            exporting,
        }
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn series(&self) -> Arc<Vec<Series<C>>> {
        self.series.load_full()
    }

    /// The cell of the label set with these values, to be kept by who changes
    /// it often.
    pub fn of(&self, values: &[&str]) -> Result<Arc<C>, LabelCount> {
        self.check(values)?;
        let series = self.series.load();
        match find(&series, values) {
            Ok(known) => Ok(Arc::clone(&series[known].cell)),
            Err(_) => Ok(self.admit(values)),
        }
    }

    /// Shows the label set with these values no more.
    pub fn remove(&self, values: &[&str]) {
        let _growing = self.growing.lock();
        let mut series = Vec::clone(&self.series.load());
        if let Ok(known) = find(&series, values) {
            series.remove(known);
            self.series.store(Arc::new(series));
        }
    }

    fn with(&self, values: &[&str], act: impl Fn(&C)) -> Result<(), LabelCount> {
        self.check(values)?;
        let series = self.series.load();
        match find(&series, values) {
            Ok(known) => act(&series[known].cell),
            Err(_) => act(&self.admit(values)),
        }
        Ok(())
    }

    fn check(&self, values: &[&str]) -> Result<(), LabelCount> {
        let labels = self.name.labels().len();
        if values.len() == labels {
            return Ok(());
        }
        Err(LabelCount {
            metric: self.name.dotted().to_owned(),
            labels,
            values: values.len(),
        })
    }

    /// The cell of a label set that was unknown a moment ago.
    fn admit(&self, values: &[&str]) -> Arc<C> {
        if self.series.load().len() < LABEL_SETS {
            return self.grow(values, Arc::default());
        }
        self.exporting.folded.add(1);
        let other = vec![OTHER; values.len()];
        let series = self.series.load();
        match find(&series, &other) {
            Ok(known) => Arc::clone(&series[known].cell),
            Err(_) => self.grow(&other, Arc::default()),
        }
    }

    /// Adds a label set, unless somebody else was quicker.
    fn grow(&self, values: &[&str], cell: Arc<C>) -> Arc<C> {
        let _growing = self.growing.lock();
        let mut series = Vec::clone(&self.series.load());
        match find(&series, values) {
            Ok(known) => Arc::clone(&series[known].cell),
            Err(place) => {
                series.insert(place, Series::new(&self.name, values, Arc::clone(&cell)));
                self.series.store(Arc::new(series));
                cell
            }
        }
    }
}

impl<C> Series<C> {
    fn new(name: &Name, values: &[&str], cell: Arc<C>) -> Self {
        let statsd = Arc::new(name.statsd(values));
        Self {
            values: values.iter().map(|value| bounded(value).into()).collect(),
            statsd,
            cell,
        }
    }
}

impl<C> Clone for Series<C> {
    fn clone(&self) -> Self {
        Self {
            values: Arc::clone(&self.values),
            statsd: Arc::clone(&self.statsd),
            cell: Arc::clone(&self.cell),
        }
    }
}

impl<C> fmt::Debug for Family<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The place of a label set, or where it belongs.
fn find<C>(series: &[Series<C>], values: &[&str]) -> Result<usize, usize> {
    series.binary_search_by(|known| {
        known
            .values
            .iter()
            .map(|value| &**value)
            .cmp(values.iter().map(|value| bounded(value)))
    })
}
