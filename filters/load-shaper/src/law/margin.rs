//! How far predictions can be trusted: a factor on objectives that follows the
//! part of admitted answers that were late.

/// Late answers that are aimed at: fewer than the hundredth that a P99 allows, since
/// a few thousand answers have by chance some more late ones among them.
const LATE: f64 = 0.005;

/// Answers after which the factor moves, or late ones.
const ANSWERS: (u32, u32) = (200, 8);

/// By how much it moves for each part of answers that is late.
const GAIN: f64 = 0.6;

/// The most it moves down at once. Up it moves by `GAIN * LATE` at most.
const STEP: f64 = -0.012;

/// Its least and most: late answers that a shorter objective does not cure, as
/// those from a queue before the gateway, must not end in refusing everything.
const BOUNDS: (f64, f64) = (0.8, 1.08);

/// A factor on objectives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Margin {
    pub(super) value: f64,
    pub(super) answers: u32,
    pub(super) late: u32,
}

impl Default for Margin {
    fn default() -> Self {
        Self {
            value: 1.0,
            answers: 0,
            late: 0,
        }
    }
}

impl Margin {
    pub(super) fn value(&self) -> f64 {
        self.value.clamp(BOUNDS.0, BOUNDS.1)
    }

    pub(super) fn answered(&mut self, in_time: bool) {
        self.answers = self.answers.saturating_add(1);
        self.late = self.late.saturating_add(u32::from(!in_time));
        if self.answers >= ANSWERS.0 || self.late >= ANSWERS.1 {
            self.adjust();
        }
    }

    fn adjust(&mut self) {
        let late = f64::from(self.late) / f64::from(self.answers);
        let step = (GAIN * (LATE - late)).max(STEP);
        *self = Self {
            value: (self.value + step).clamp(BOUNDS.0, BOUNDS.1),
            ..Self::default()
        };
    }
}
