//! What it costs tenants to have more than their share while another is refused
//! its own. Shares are counted by the gateway.

use super::fading::Fading;

/// By how much the penalty grows with each such refusal, and to what.
const PENALTY: (f64, f64) = (0.04, 0.35);

/// The part of their bounds that those lose who have twice their share or more.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Penalty(pub(super) Fading);

impl Penalty {
    /// The part of its bound that a request may use whose tenant has had so much
    /// of an equal share.
    pub(super) fn part(&self, share: f64, now: f64) -> f64 {
        let beyond = (share - 1.0).clamp(0.0, 1.0);
        1.0 - self.0.after(now) * beyond
    }

    /// A request was refused. Only where its tenant has less than its share do
    /// others pay for that: else nobody would gain by what they lose.
    pub(super) fn denied(&mut self, share: f64, now: f64) {
        if share < 1.0 {
            self.0.add(PENALTY.0, PENALTY.1, now);
        }
    }
}
