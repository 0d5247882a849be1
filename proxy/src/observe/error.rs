//! Why a metric cannot be made, or not be used as it was.

use super::name::Kind;

/// A metric that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The name or a label is malformed.
    #[error("metric `{name}` cannot be: {problem}")]
    Malformed {
        /// As it was to be registered.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// StatsD could not tell the gauge's label sets apart.
    #[error(
        "gauge `{name}` needs `{{{label}}}` in its name: StatsD sees no other labels, and a level is not a sum"
    )]
    UnplacedLabel {
        /// As it was to be registered.
        name: String,
        /// The label without a place.
        label: String,
    },
    /// The name is taken by a metric of another kind.
    #[error("metric `{name}` is a {is} already and cannot be a {wanted}; choose another name")]
    OtherKind {
        /// The name of both.
        name: String,
        /// What it is.
        is: Kind,
        /// What it was to be.
        wanted: Kind,
    },
    /// The name is taken by a metric with other labels.
    #[error(
        "metric `{name}` has the labels {is:?} already and cannot have {wanted:?}; choose another name"
    )]
    OtherLabels {
        /// The name of both.
        name: String,
        /// What it has.
        is: Vec<String>,
        /// What it was to have.
        wanted: Vec<String>,
    },
    /// Prometheus could not tell two metrics apart.
    #[error(
        "metric `{name}` would be `{sample}` on Prometheus, as `{taken_by}` is; choose another name"
    )]
    Collision {
        /// As it was to be registered.
        name: String,
        /// The name that both would have.
        sample: String,
        /// The metric that has it.
        taken_by: String,
    },
    /// There are as many metrics as there may be.
    #[error(
        "metric `{name}` is one too many: there are {most} already; use labels instead of names"
    )]
    TooMany {
        /// As it was to be registered.
        name: String,
        /// How many there may be.
        most: usize,
    },
}

/// The number of label values is not the number of labels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("metric `{metric}` got {values} label values instead of {labels}; pass one for each label")]
pub struct LabelCount {
    pub(super) metric: String,
    pub(super) labels: usize,
    pub(super) values: usize,
}
