//! Which of the buckets that gateways share there is something to say about.

use std::collections::HashMap;
use std::sync::Arc;

use super::bucket::Bucket;
use super::budget::Budget;
use super::keeper::{Keeper, Order};
use super::key::Claim;
use super::now::Now;
use super::shared::Shared;
use super::table::Table;

/// What a table knows of the buckets that others share.
#[derive(Default)]
pub(super) struct SharedBuckets {
    /// Whether somebody keeps the whole; without one no bucket is shared.
    pub(super) keeper: Option<Keeper>,
    /// Those that were touched, or have something that may go back.
    listed: Vec<Claim>,
    /// The last round of asking that has begun.
    round: u64,
}

impl SharedBuckets {
    /// A bucket is touched.
    pub(super) fn list(&mut self, claim: &Claim, bucket: &mut Bucket) {
        if let Some(shared) = bucket.shared()
            && !shared.is_listed
        {
            shared.is_listed = true;
            self.listed.push(claim.clone());
        }
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
