//! What is kept of a key: its SHA-256. A key of ours has 256 secret bits, which
//! nobody guesses however fast a guess is: a slow hash would gain nothing, and
//! cost each request its time.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "sha256:";

/// The SHA-256 of a whole key, written `sha256:<64 hexadecimal digits>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    /// One that no key has, as far as anybody knows.
    pub(super) const NOBODY: Self = Self([0; 32]);

    pub(super) fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Takes as long whether the two differ early, late or not at all.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl FromStr for Digest {
    type Err = String;

    // What was written is not repeated: it may be the key itself.
    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_prefix(PREFIX)
            .and_then(bytes)
            .map(Self)
            .ok_or_else(|| format!("must be `{PREFIX}` and 64 hexadecimal digits"))
    }
}

fn bytes(digits: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = digits
        .chars()
        .map(|digit| Some(digit.to_digit(16)? as u8))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    rest.is_empty().then_some(bytes)?.try_into().ok()
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Says nothing: a key that people thought of can be guessed from its digest.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn is_written_as_sha256sum_writes_it() {
        assert_eq!(Digest::of("abc").to_string(), ABC);
        assert!(Digest::of("abc").is_same(&ABC.parse().unwrap()));
        assert!(!Digest::of("abd").is_same(&ABC.parse().unwrap()));
        let upper = ABC.to_uppercase().replace("SHA", "sha");
        assert_eq!(upper.parse(), Ok(Digest::of("abc")));
    }

    #[test]
    fn anything_else_is_refused_and_not_repeated() {
        let bad = [
            "",
            "sha256:",
            "sha512:00",
            &ABC[7..],
            &ABC[..70],
            &format!("{ABC}0"),
            &format!("{ABC}00"),
            &ABC.replace("ba", "+a"),
            &ABC.replace("ba", "é"),
        ];
        for text in bad {
            let error = text.parse::<Digest>().unwrap_err();
            assert_eq!(error, "must be `sha256:` and 64 hexadecimal digits");
        }
    }
}
