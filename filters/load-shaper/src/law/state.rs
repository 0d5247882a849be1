//! What the law has learned, as bytes: filter instances are several, and what
//! one has learned goes to the others through a key-value store.

use super::Learned;
use super::fading::Fading;
use super::margin::Margin;
use super::pressure::{Pressure, Pressures};
use super::share::Penalty;

/// Of what is written; another is not read.
const VERSION: u8 = 1;

/// Numbers in it.
const NUMBERS: usize = 14;

/// Its length.
pub(super) const BYTES: usize = 1 + 8 * NUMBERS;

/// Before any time that was.
const NEVER: f64 = -1.0;

impl Learned {
    pub(super) fn to_bytes(self) -> [u8; BYTES] {
        let mut out = [VERSION; BYTES];
        let places = out[1..].chunks_exact_mut(8);
        for (place, number) in places.zip(self.to_numbers()) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        out
    }

    /// None for what was not written by `to_bytes`.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        if version != VERSION || bytes.len() != BYTES {
            return None;
        }
        let mut numbers = [0.0; NUMBERS];
        for (number, bytes) in numbers.iter_mut().zip(rest.chunks_exact(8)) {
            *number = f64::from_le_bytes(bytes.try_into().ok()?);
        }
        let all_finite = numbers.iter().all(|number| number.is_finite());
        all_finite.then(|| Self::from_numbers(numbers))
    }

    fn to_numbers(self) -> [f64; NUMBERS] {
        let Self {
            margin,
            mean_prompt,
            last_refusal,
            last_favour,
            penalty: Penalty(penalty),
            pressures: Pressures([normal, high]),
        } = self;
        [
            margin.value,
            f64::from(margin.answers),
            f64::from(margin.late),
            mean_prompt,
            last_refusal.unwrap_or(NEVER),
            last_favour.unwrap_or(NEVER),
            penalty.value,
            penalty.at,
            normal.weight.value,
            normal.weight.at,
            normal.strain,
            high.weight.value,
            high.weight.at,
            high.strain,
        ]
    }

    fn from_numbers(numbers: [f64; NUMBERS]) -> Self {
        let [value, answers, late, mean_prompt, rest @ ..] = numbers;
        let [refusal, favour, penalty, penalty_at, rest @ ..] = rest;
        let [normal, normal_at, normal_strain, high, high_at, high_strain] = rest;
        Self {
            margin: Margin {
                value,
                answers: answers as u32,
                late: late as u32,
            },
            mean_prompt,
            last_refusal: time(refusal),
            last_favour: time(favour),
            penalty: Penalty(fading(penalty, penalty_at)),
            pressures: Pressures([
                pressure(normal, normal_at, normal_strain),
                pressure(high, high_at, high_strain),
            ]),
        }
    }
}

/// A time that was; none if it never was.
fn time(saved: f64) -> Option<f64> {
    (saved > NEVER).then_some(saved)
}

fn pressure(value: f64, at: f64, strain: f64) -> Pressure {
    Pressure {
        weight: fading(value, at),
        strain,
    }
}

fn fading(value: f64, at: f64) -> Fading {
    Fading { value, at }
}
