//! Which of the buckets that gateways share there is something to say about.

use super::bucket::Bucket;
use super::keeper::Keeper;
use super::key::Claim;

/// What a table knows of the buckets that others share.
#[derive(Default)]
pub(super) struct SharedBuckets {
    /// Whether somebody keeps the whole; without one no bucket is shared.
    pub(super) keeper: Option<Keeper>,
    /// Those that were touched, or have something that may go back.
    pub(super) listed: Vec<Claim>,
    /// The last round of asking that has begun.
    pub(super) round: u64,
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
