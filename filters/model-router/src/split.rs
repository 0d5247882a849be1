//! Several pools for one model, each with its share.

use headworks_sdk::prelude::*;

use crate::words::quoted;

/// Pools with their shares, in whatever unit adds up.
pub(crate) struct Split {
    /// Where the share of each pool ends, counted from the first.
    ends: Vec<(u32, String)>,
    total: u32,
}

impl Split {
    /// Judges the shares found at a path in the settings.
    pub(crate) fn new(at: &str, shares: BTreeMap<String, u32>, problems: &mut Problems) -> Self {
        let mut split = Self {
            ends: Vec::new(),
            total: 0,
        };
        for (pool, share) in shares {
            let place = format!("{at}.{}", quoted(&pool));
            problems.check(&place, setup::uses_pool(&pool));
            match split.total.checked_add(share) {
                Some(total) => split.total = total,
                None => problems.add(
                    place,
                    format!("all shares must add up to {} at most", u32::MAX),
                ),
            }
            split.ends.push((split.total, pool));
        }
        if split.total == 0 {
            problems.add(at, "needs a pool with a share greater than 0");
        }
        split
    }

    /// A pool by chance, as often as its share says.
    pub(crate) fn pick(&self) -> &str {
        let ticket = random::below(self.total);
        let winner = self.ends.iter().find(|(end, _)| ticket < *end);
        let (_, pool) = winner.expect("the last share ends at the total");
        pool
    }
}
