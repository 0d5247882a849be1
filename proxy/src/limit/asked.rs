//! Buckets are asked whether a need fits, before any of them is charged.

use std::sync::Arc;
use std::time::Duration;

use super::bucket::Bucket;
use super::budget::Budget;
use super::denial::{Cause, Denial};
use super::key::Claim;
use super::level::Fit;
use super::now::Now;
use super::standing::Standing;
use super::table::Table;

/// When to come again where nobody knows when there will be room.
const SOON: Duration = Duration::from_secs(1);

/// What buckets said to a need.
#[derive(Default)]
pub(super) struct Asked {
    worst: Option<(Fit, Denial)>,
    /// Budgets that would have refused.
    pub(super) shadowed: Vec<Arc<Budget>>,
    /// Buckets that have too little here, and may have more elsewhere.
    short: Vec<(Claim, u64)>,
}

impl Asked {
    pub(super) fn ask(&mut self, bucket: &mut Bucket, claim: &Claim, need: u64, now: &Now) {
        let budget = &claim.budget;
        let fit = bucket.fit(need, now);
        match fit {
            Fit::Now => return,
            Fit::Ask => self.short.push((claim.clone(), need)),
            _ => {}
        }
        if budget.shadow {
            self.shadowed.push(Arc::clone(budget));
        } else if self.worst.as_ref().is_none_or(|(worst, _)| fit > *worst) {
            self.worst = Some((fit, denial(bucket, budget, need, fit)));
        }
    }

    /// The worst that was said, if it keeps the exchange out.
    pub(super) fn answered<'a>(
        &mut self,
        claims: impl Iterator<Item = &'a Claim>,
        table: &mut Table,
        now: &Now,
    ) -> Result<(), Denial> {
        let Some((fit, mut denial)) = self.worst.take() else {
            return Ok(());
        };
        if fit == Fit::Ask {
            denial.cause = Cause::NotAsked(table.want(&self.short));
        }
        denial.standings = standings(claims, table, now);
        Err(denial)
    }
}

fn denial(bucket: &Bucket, budget: &Arc<Budget>, needed: u64, fit: Fit) -> Denial {
    Denial {
        budget: Arc::clone(budget),
        cause: match fit {
            Fit::Unknown => Cause::Unknown,
            _ => Cause::NoRoom,
        },
        retry_after: match fit {
            Fit::Now | Fit::Never => None,
            Fit::After(wait) => Some(wait),
            Fit::Ask | Fit::Unknown => Some(SOON),
        },
        available: bucket.remaining(),
        needed,
        standings: Vec::new(),
    }
}

/// How the buckets stand of claims that may refuse.
pub(super) fn standings<'a>(
    claims: impl Iterator<Item = &'a Claim>,
    table: &mut Table,
    now: &Now,
) -> Vec<Standing> {
    let refusing = claims.filter(|claim| !claim.budget.shadow);
    refusing
        .filter_map(|claim| Some(table.get(claim)?.standing(now)))
        .collect()
}
