//! Which bucket of a budget an exchange is charged to.

use std::hash::{Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

use super::budget::Budget;

/// What can tell buckets apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// Whose request it is.
    Tenant,
    /// With which API key.
    Key,
    /// For which model.
    Model,
    /// Of which class.
    Class,
}

/// Which bucket of a budget: the values of its attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(Arc<[(Attribute, Arc<str>)]>);

impl Key {
    /// A bucket by these values; of no attributes it is that of everyone.
    pub fn new(parts: impl IntoIterator<Item = (Attribute, Arc<str>)>) -> Self {
        Self(parts.into_iter().collect())
    }

    /// The values, in the order in which they were given.
    pub fn parts(&self) -> &[(Attribute, Arc<str>)] {
        &self.0
    }

    /// The value of an attribute, if buckets differ by it.
    pub fn get(&self, attribute: Attribute) -> Option<&Arc<str>> {
        let found = self.0.iter().find(|(of, _)| *of == attribute);
        found.map(|(_, value)| value)
    }
}

/// A budget, and what tells its buckets apart: each combination of these
/// attributes has a bucket of its own.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// The budget of each bucket.
    pub budget: Arc<Budget>,
    /// The attributes, in a fixed order.
    pub by: Vec<Attribute>,
}

/// A bucket that an exchange is charged to.
///
/// Claims are equal when they are on the same bucket. The numbers of the budget
/// say nothing for that, since a reload may change them. What it counts does,
/// and whether its time is rolling, a day, a month or now: what was used of one
/// means nothing for the other.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The budget.
    pub budget: Arc<Budget>,
    /// Which bucket of it.
    pub key: Key,
}

impl PartialEq for Claim {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.budget, &other.budget);
        ours.name == theirs.name
            && ours.unit == theirs.unit
            && discriminant(&ours.period) == discriminant(&theirs.period)
            && self.key == other.key
    }
}

impl Eq for Claim {}

impl Hash for Claim {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.budget.name.hash(state);
        self.key.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::budget::{Period, Unit};
    use super::*;

    fn claim(amount: u64, period: Period, tenant: &str) -> Claim {
        let budget = Budget {
            name: "b".into(),
            unit: Unit::Tokens,
            amount,
            period,
            burst: 1,
            shadow: false,
        };
        Claim {
            budget: Arc::new(budget),
            key: Key::new([(Attribute::Tenant, tenant.into())]),
        }
    }

    #[test]
    fn other_numbers_are_the_same_bucket_and_another_kind_of_time_is_not() {
        let rolling = |seconds| Period::Rolling(Duration::from_secs(seconds));
        let first = claim(1, rolling(1), "a");
        assert_eq!(first, claim(2, rolling(60), "a"));
        assert_ne!(first, claim(1, rolling(1), "b"));
        assert_ne!(first, claim(1, Period::Day, "a"));
    }

    #[test]
    fn a_key_has_the_values_it_was_made_of() {
        let key = claim(1, Period::Day, "a").key;
        assert_eq!(key.get(Attribute::Tenant).map(|value| &**value), Some("a"));
        assert_eq!(key.get(Attribute::Model), None);
    }
}
