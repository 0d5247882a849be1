//! The key that a request presents. Whether it is a good one is for `Keys`.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

/// Where clients of some APIs put their key instead.
const X_API_KEY: &str = "x-api-key";

/// What a request presents to tell who it is from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Presented<'a> {
    /// Nothing.
    None,
    /// This key.
    Key(&'a str),
    /// Something that is not one key: another scheme, no text, several keys.
    Unusable,
}

/// Reads `Authorization: Bearer <key>` (RFC 9110, 11.4; RFC 6750, 2.1) and
/// `x-api-key: <key>`. Where both stand they have to agree: nobody could say
/// otherwise which of the two was meant.
pub fn presented(headers: &HeaderMap) -> Presented<'_> {
    let authorization = headers.get_all(AUTHORIZATION).iter().map(bearer);
    let x_api_key = headers.get_all(X_API_KEY).iter().map(text);
    authorization
        .chain(x_api_key)
        .map(|key| key.map_or(Presented::Unusable, Presented::Key))
        .reduce(|one, other| {
            if one == other {
                one
            } else {
                Presented::Unusable
            }
        })
        .unwrap_or(Presented::None)
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, key) = text(value)?.split_once(' ')?;
    let key = key.trim_start_matches(' ');
    scheme.eq_ignore_ascii_case("bearer").then_some(key)
}

/// What is left is not empty, and has no space around it.
fn text(value: &HeaderValue) -> Option<&str> {
    let text = str::from_utf8(value.as_bytes()).ok()?;
    let text = text.trim_matches([' ', '\t']);
    (!text.is_empty()).then_some(text)
}

/// Keeps the key out of logs.
impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Key(_) => "Key(..)",
            Self::Unusable => "Unusable",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Presented::{Key, None, Unusable};
    use super::*;

    #[track_caller]
    fn check(lines: &[(&'static str, &str)], expected: Presented<'_>) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        assert!(presented(&headers) == expected, "{lines:?}");
    }

    const AUTH: &str = "authorization";

    #[test]
    fn a_key_is_read_from_either_header() {
        check(&[], None);
        check(&[("x-real-ip", "10.0.0.1")], None);
        check(&[(AUTH, "Bearer hw_a_b")], Key("hw_a_b"));
        check(&[(AUTH, "bEARER   hw_a_b ")], Key("hw_a_b"));
        check(&[("x-api-key", "hw_a_b")], Key("hw_a_b"));
        check(&[(AUTH, "Bearer correct horse")], Key("correct horse"));
    }

    #[test]
    fn keys_that_are_the_same_are_one() {
        check(&[(AUTH, "Bearer k"), ("x-api-key", "k")], Key("k"));
        check(&[(AUTH, "Bearer k"), (AUTH, "bearer  k")], Key("k"));
    }

    #[test]
    fn what_is_not_one_key_cannot_be_used() {
        check(&[(AUTH, "Bearer k"), ("x-api-key", "l")], Unusable);
        check(&[(AUTH, "Bearer k"), (AUTH, "Bearer l")], Unusable);
        check(&[("x-api-key", "k"), ("x-api-key", "l")], Unusable);
        check(&[(AUTH, "Basic dTpw")], Unusable);
        check(&[(AUTH, "Basic dTpw"), ("x-api-key", "k")], Unusable);
        for empty in ["", "Bearer", "Bearer ", "hw_a_b", "Bearerk", "Bearer\tk"] {
            check(&[(AUTH, empty)], Unusable);
        }
        check(&[("x-api-key", " ")], Unusable);
    }

    #[test]
    fn bytes_that_are_no_text_cannot_be_used() {
        let mut headers = HeaderMap::new();
        headers.insert(X_API_KEY, HeaderValue::from_bytes(b"k\xff").unwrap());
        assert!(presented(&headers) == Unusable);
    }

    proptest! {
        #[test]
        fn no_headers_make_it_panic(lines in prop::collection::vec((any::<bool>(), any::<Vec<u8>>()), 0..4)) {
            let mut headers = HeaderMap::new();
            for (authorization, bytes) in lines {
                let name = if authorization { AUTHORIZATION.as_str() } else { X_API_KEY };
                if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                    headers.append(name.parse::<http::HeaderName>().unwrap(), value);
                }
            }
            presented(&headers);
        }
    }
}
