//! Keys themselves: new ones, and those that people bring. They are seen here
//! once and not kept.

use std::io;

use rand::TryRngCore as _;
use rand::rngs::OsRng;

use super::keys::LONGEST;

/// Digits and small letters, without `i`, `l`, `o` and `u`.
const ID_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ID_LENGTH: usize = 12;

/// What base64url writes with; 43 of them hold 258 bits.
const SECRET_ALPHABET: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SECRET_LENGTH: usize = 43;

/// Shortest key that people may bring, in characters.
const SHORTEST: usize = 16;

/// A key and what it is called.
pub(super) struct Key {
    pub(super) text: String,
    pub(super) id: String,
}

impl Key {
    /// `hw_<id>_<secret>`, of the operating system's randomness.
    pub(super) fn random() -> io::Result<Self> {
        let id = random_text::<ID_LENGTH>(ID_ALPHABET)?;
        let secret = random_text::<SECRET_LENGTH>(SECRET_ALPHABET)?;
        let text = format!("hw_{id}_{secret}");
        Ok(Self { text, id })
    }

    /// One that was made elsewhere. One of ours keeps its id.
    pub(super) fn brought(text: &str) -> io::Result<Self> {
        let id = match id_within(text) {
            Some(id) => id.to_owned(),
            None => random_text::<ID_LENGTH>(ID_ALPHABET)?,
        };
        let text = text.to_owned();
        Ok(Self { text, id })
    }
}

/// Whether people may bring this as a key; else what it must be. It has to
/// get through a header, where only ASCII is safe and outer spaces are lost.
pub(super) fn check_brought(text: &str) -> Result<(), String> {
    let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !is_printable || text.trim() != text {
        return Err("must be printable ASCII without spaces around it".to_owned());
    }
    if !(SHORTEST..=LONGEST).contains(&text.len()) {
        return Err(format!(
            "must be {SHORTEST} to {LONGEST} characters, got {}",
            text.len()
        ));
    }
    Ok(())
}

/// The id, if this has the form of a key of ours.
pub(super) fn id_within(text: &str) -> Option<&str> {
    let (id, secret) = text.strip_prefix("hw_")?.split_once('_')?;
    let is_of = |text: &str, alphabet: &[u8]| text.bytes().all(|byte| alphabet.contains(&byte));
    let is_key = id.len() == ID_LENGTH
        && secret.len() == SECRET_LENGTH
        && is_of(id, ID_ALPHABET)
        && is_of(secret, SECRET_ALPHABET);
    is_key.then_some(id)
}

/// As many characters of the alphabet. Its size divides 256, so all are as likely.
fn random_text<const LENGTH: usize>(alphabet: &[u8]) -> io::Result<String> {
    let mut bytes = [0; LENGTH];
    OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    let character = |byte: u8| char::from(alphabet[usize::from(byte) % alphabet.len()]);
    Ok(bytes.into_iter().map(character).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_has_the_form_of_one_and_is_like_no_other() {
        let key = Key::random().unwrap();
        assert_eq!(id_within(&key.text), Some(key.id.as_str()));
        assert_eq!(key.text.len(), 3 + 12 + 1 + 43);
        assert_eq!(check_brought(&key.text), Ok(()));
        let other = Key::random().unwrap();
        assert!(key.text != other.text && key.id != other.id);
    }

    #[test]
    fn a_key_that_is_brought_keeps_the_id_it_has() {
        let key = Key::random().unwrap();
        assert_eq!(Key::brought(&key.text).unwrap().id, key.id);
        let foreign = Key::brought("sk-0123456789abcdef").unwrap();
        assert_eq!(foreign.id.len(), 12);
        assert_eq!(id_within("hw_short_secret"), None);
        assert_eq!(id_within(&key.text.replace("hw_", "hx_")), None);
    }

    #[test]
    fn a_key_that_is_brought_must_get_through_a_header() {
        let printable = Err("must be printable ASCII without spaces around it".to_owned());
        let length = |got| Err(format!("must be 16 to 512 characters, got {got}"));
        assert_eq!(check_brought("sk-0123456789abc"), Ok(()));
        assert_eq!(check_brought("correct horse battery"), Ok(()));
        assert_eq!(check_brought(&"k".repeat(512)), Ok(()));
        assert_eq!(check_brought("sk-0123456789ab"), length(15));
        assert_eq!(check_brought(""), length(0));
        assert_eq!(check_brought(&"k".repeat(513)), length(513));
        for bad in [
            "pässword-0123456789",
            " sk-0123456789abc",
            "two\nlines-0123456",
        ] {
            assert_eq!(check_brought(bad), printable);
        }
    }
}
