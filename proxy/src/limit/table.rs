//! All buckets, of a bounded number.

use std::collections::HashMap;
use std::sync::Arc;

use super::Budget;
use super::bucket::Bucket;
use super::keeper::{Keeper, Order};
use super::key::{Claim, Key};
use super::listed::SharedBuckets;
use super::now::Now;
use super::shared::Shared;
use crate::day::Day;

/// What a budget of a day or a month had used before its bucket was there.
pub(super) type Prior = dyn Fn(&Budget, &Key, Day) -> u64 + Send + Sync;

/// Buckets that are kept at most, but for those that have to stay.
pub(super) const MOST: usize = 100_000;

/// Buckets below which none is looked for that could go.
const FEW: usize = 1024;

/// Buckets by the claims on them.
pub(super) struct Table {
    buckets: HashMap<Claim, Bucket>,
    shared: SharedBuckets,
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

/// What is said of the buckets that others share.
impl Table {
    pub(super) fn share(&mut self, keeper: Keeper) {
        self.shared.keeper = Some(keeper);
    }

    /// Our part of a bucket.
    pub(super) fn shared(&mut self, claim: &Claim) -> Option<&mut Shared> {
        self.get(claim)?.shared()
    }

    /// So much is needed of each of these buckets. Returns the round in which
    /// that will be asked for.
    pub(super) fn want(&mut self, short: &[(Claim, u64)]) -> u64 {
        for (claim, need) in short {
            if let Some(shared) = self.shared(claim) {
                shared.want(*need);
            }
        }
        self.shared.round + 1
    }

    /// Begins a round: what is to be said of buckets that are listed.
    pub(super) fn orders(&mut self, now: &Now) -> (u64, Vec<Order>) {
        self.shared.round += 1;
        let listed = std::mem::take(&mut self.shared.listed);
        let mut orders = Vec::new();
        for claim in listed {
            let Some((budget, shared)) = parts(&mut self.buckets, &claim) else {
                continue;
            };
            // By the numbers of now.
            let claim = Claim { budget, ..claim };
            orders.extend(shared.order(&claim, now));
            shared.is_listed = shared.has_more_to_say(&claim.budget);
            if shared.is_listed {
                self.shared.listed.push(claim);
            }
        }
        (self.shared.round, orders)
    }

    /// Who keeps the whole from now on. Returns the round that ends by it.
    pub(super) fn keep(&mut self, keeper: Keeper, now: &Now) -> u64 {
        self.shared.keeper = Some(keeper);
        self.shared.round += 1;
        for (claim, bucket) in &mut self.buckets {
            let budget = bucket.budget().clone();
            if let Some(shared) = bucket.shared() {
                shared.keep(keeper, &budget, now);
            }
            self.shared.list(claim, bucket);
        }
        self.shared.round
    }

    /// Gives back all that is not used.
    pub(super) fn leave(&mut self, now: &Now) -> Vec<Order> {
        for (claim, bucket) in &mut self.buckets {
            if let Some(shared) = bucket.shared() {
                shared.leave();
            }
            self.shared.list(claim, bucket);
        }
        self.orders(now).1
    }
}

/// A bucket's budget, by its numbers of now, and our part of it.
fn parts<'a>(
    buckets: &'a mut HashMap<Claim, Bucket>,
    claim: &Claim,
) -> Option<(Arc<Budget>, &'a mut Shared)> {
    let bucket = buckets.get_mut(claim)?;
    let budget = bucket.budget().clone();
    Some((budget, bucket.shared()?))
}

#[cfg(test)]
impl Table {
    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }
}
