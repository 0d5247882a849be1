//! Every metric by name. Names that StatsD or Prometheus could not tell apart
//! are refused here.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use prometheus_client::encoding::DescriptorEncoder;

use super::cell::Cell;
use super::count::Count;
use super::error::RegisterError;
use super::exporting::Exporting;
use super::family::Family;
use super::name::{Kind, Name};
use super::statsd_lines::Lines;

/// Most metrics, so that filters cannot make them without end.
const METRICS: usize = 1000;

/// What the registry asks of a metric, whatever its kind.
pub(super) trait Metric: Any + Send + Sync {
    fn kind(&self) -> Kind;
    fn name(&self) -> &Name;
    /// Shows itself to Prometheus.
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result;
    /// Tells StatsD what it has not been told.
    fn export(&self, lines: &mut Lines<'_>);
    /// Leaves untold what StatsD has not been told.
    fn skip(&self);
}

impl<C: Cell> Metric for Family<C> {
    fn kind(&self) -> Kind {
        C::KIND
    }

    fn name(&self) -> &Name {
        self.name()
    }

    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_series(encoder)
    }

    fn export(&self, lines: &mut Lines<'_>) {
        self.series()
            .iter()
            .for_each(|series| series.cell.export(&series.statsd, lines));
    }

    fn skip(&self) {
        self.series().iter().for_each(|series| series.cell.skip());
    }
}

/// Every metric.
pub(super) struct Metrics {
    table: RwLock<Table>,
    exporting: Arc<Exporting>,
}

#[derive(Default)]
struct Table {
    by_name: BTreeMap<String, Arc<dyn Metric>>,
    /// Which metric has a name on Prometheus.
    samples: HashMap<String, String>,
}

impl Metrics {
    /// Only those about metrics.
    pub(super) fn new() -> Self {
        let metrics = Self {
            table: RwLock::default(),
            exporting: Arc::default(),
        };
        let exporting = &metrics.exporting;
        metrics.register_own("metrics.folded", &exporting.folded);
        metrics.register_own("metrics.statsd.timings_dropped", &exporting.timings_dropped);
        metrics.register_own(
            "metrics.statsd.datagrams_failed",
            &exporting.datagrams_failed,
        );
        metrics
    }

    pub(super) fn exporting(&self) -> &Arc<Exporting> {
        &self.exporting
    }

    pub(super) fn all(&self) -> Vec<Arc<dyn Metric>> {
        self.table.read().by_name.values().map(Arc::clone).collect()
    }

    /// The metric of this name, made if there is none.
    pub(super) fn register<C: Cell>(
        &self,
        name: &str,
        labels: &[String],
    ) -> Result<Arc<Family<C>>, RegisterError> {
        let mut table = self.table.write();
        if let Some(known) = table.by_name.get(name) {
            return same_metric(known, labels);
        }
        let parsed = parse::<C>(name, labels)?;
        let family = Arc::new(Family::new(parsed, Arc::clone(&self.exporting)));
        table.insert(Arc::clone(&family) as Arc<dyn Metric>)?;
        Ok(family)
    }

    /// A counter about metrics.
    pub(super) fn register_own(&self, name: &str, cell: &Arc<Count>) {
        let parsed = parse::<Count>(name, &[]).expect("our own names are well-formed");
        let family = Family::around(Arc::clone(cell), parsed, Arc::clone(&self.exporting));
        self.table
            .write()
            .insert(Arc::new(family))
            .expect("our own names are the first and distinct");
    }
}

impl Table {
    fn insert(&mut self, metric: Arc<dyn Metric>) -> Result<(), RegisterError> {
        let name = metric.name().dotted().to_owned();
        if self.by_name.len() == METRICS {
            return Err(RegisterError::TooMany {
                name,
                most: METRICS,
            });
        }
        let samples = metric.name().prometheus_samples(metric.kind());
        for sample in &samples {
            if let Some(taken_by) = self.samples.get(sample) {
                return Err(RegisterError::Collision {
                    name,
                    sample: sample.clone(),
                    taken_by: taken_by.clone(),
                });
            }
        }
        self.samples
            .extend(samples.into_iter().map(|sample| (sample, name.clone())));
        self.by_name.insert(name, metric);
        Ok(())
    }
}

/// The metric known by a name, if it is what is wanted.
fn same_metric<C: Cell>(
    known: &Arc<dyn Metric>,
    labels: &[String],
) -> Result<Arc<Family<C>>, RegisterError> {
    let name = known.name().dotted().to_owned();
    let is = known.name().labels().to_vec();
    if is != labels {
        return Err(RegisterError::OtherLabels {
            name,
            is,
            wanted: labels.to_vec(),
        });
    }
    let any: Arc<dyn Any + Send + Sync> = Arc::clone(known) as _;
    any.downcast().map_err(|_| RegisterError::OtherKind {
        name,
        is: known.kind(),
        wanted: C::KIND,
    })
}

fn parse<C: Cell>(name: &str, labels: &[String]) -> Result<Name, RegisterError> {
    let malformed = |problem| RegisterError::Malformed {
        name: name.to_owned(),
        problem,
    };
    let parsed = Name::parse(name, labels).map_err(malformed)?;
    match parsed.unplaced_label() {
        Some(label) if C::KIND == Kind::Gauge => Err(RegisterError::UnplacedLabel {
            name: name.to_owned(),
            label: label.to_owned(),
        }),
        _ => Ok(parsed),
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.table.read().by_name.keys())
            .finish()
    }
}
