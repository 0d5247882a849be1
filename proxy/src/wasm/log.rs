//! How much a filter may have logged: so many lines a second. What it says, here
//! or elsewhere, is cut to the length of a line.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Longest line, bytes.
pub(super) const LINE: usize = 2048;

/// Lines that may follow each other within one second.
pub(super) struct LogBudget {
    lines: u32,
    second: Mutex<Second>,
}

struct Second {
    began: Instant,
    lines: u32,
    dropped: u64,
}

/// Leave to log a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leave {
    /// Lines that had none since the last that had.
    pub(super) dropped: u64,
}

impl LogBudget {
    /// So many lines a second.
    pub(super) fn new(lines: u32) -> Self {
        let second = Second {
            began: Instant::now(),
            lines: 0,
            dropped: 0,
        };
        Self {
            lines,
            second: Mutex::new(second),
        }
    }

    /// Asks for leave to log a line.
    pub(super) fn ask(&self, now: Instant) -> Option<Leave> {
        let mut second = self.second.lock();
        if now.duration_since(second.began) >= Duration::from_secs(1) {
            second.began = now;
            second.lines = 0;
        }
        if second.lines == self.lines {
            second.dropped += 1;
            return None;
        }
        second.lines += 1;
        Some(Leave {
            dropped: std::mem::take(&mut second.dropped),
        })
    }
}

/// As much of a text as a line may hold.
pub(super) fn cut(text: &str) -> &str {
    if text.len() <= LINE {
        text
    } else {
        &text[..text.floor_char_boundary(LINE)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_budget_are_dropped_and_counted() {
        let (budget, now) = (LogBudget::new(2), Instant::now());
        let asked =
            [0, 0, 0, 0, 999, 1001, 1002].map(|ms| budget.ask(now + Duration::from_millis(ms)));
        let leave = |dropped| Some(Leave { dropped });
        assert_eq!(
            asked,
            [leave(0), leave(0), None, None, None, leave(3), leave(0)]
        );
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let long = "é".repeat(LINE);
        assert_eq!(cut(&long), "é".repeat(LINE / 2));
        assert_eq!(cut(&format!("x{long}")).len(), LINE - 1);
        assert_eq!(cut("short"), "short");
    }
}
