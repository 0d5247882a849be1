//! All buckets, of a bounded number.

use std::collections::HashMap;

use super::Budget;
use super::bucket::Bucket;
use super::key::{Claim, Key};
use super::listed::SharedBuckets;
use super::now::Now;
use crate::day::Day;

/// What a budget of a day or a month had used before its bucket was there.
pub(super) type Prior = dyn Fn(&Budget, &Key, Day) -> u64 + Send + Sync;

/// Buckets that are kept at most, but for those that have to stay.
pub(super) const MOST: usize = 100_000;

/// Buckets below which none is looked for that could go.
const FEW: usize = 1024;

/// Buckets by the claims on them.
pub(super) struct Table {
    pub(super) buckets: HashMap<Claim, Bucket>,
    pub(super) shared: SharedBuckets,
    /// So many buckets are a reason to look for some that can go.
    many: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            buckets: HashMap::new(),
            shared: SharedBuckets::default(),
            many: FEW,
        }
    }
}

impl Table {
    /// The bucket of a claim.
    pub(super) fn get(&mut self, claim: &Claim) -> Option<&mut Bucket> {
        let bucket = self.buckets.get_mut(claim)?;
        self.shared.list(claim, bucket);
        Some(bucket)
    }

    /// The bucket of a claim, up to now and by the numbers of its budget; a new
    /// one if there is none.
    pub(super) fn open(&mut self, claim: &Claim, prior: &Prior, now: &Now) -> &mut Bucket {
        // Two look-ups where one would need a claim that is ours to keep.
        if !self.buckets.contains_key(claim) {
            let before = || prior(&claim.budget, &claim.key, now.day);
            let bucket = Bucket::new(&claim.budget, before, self.shared.keeper, now);
            self.buckets.insert(claim.clone(), bucket);
        }
        let bucket = self.buckets.get_mut(claim);
        let bucket = bucket.expect("it was there or has just been put there");
        bucket.declare(&claim.budget, now);
        self.shared.list(claim, bucket);
        bucket
    }

    /// Makes room for so many more. Looks at all buckets, but only when their
    /// number has grown by a good part since the last time.
    pub(super) fn make_room(&mut self, more: usize, now: &Now) {
        if self.buckets.len().saturating_add(more) <= self.many {
            return;
        }
        self.buckets.retain(|_, bucket| !bucket.is_idle(now));
        // To forget what little was used is better than to have no end. A day's
        // or a month's use is asked for again.
        if self.buckets.len() > MOST - MOST / 8 {
            self.buckets.retain(|_, bucket| bucket.has_to_stay());
        }
        let left = self.buckets.len();
        self.many = (left * 2).clamp(FEW, MOST.max(left + MOST / 8));
    }
}

#[cfg(test)]
impl Table {
    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }
}
