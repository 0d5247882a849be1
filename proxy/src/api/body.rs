//! A request body: one JSON object whose members stay the bytes that the client
//! sent until somebody changes one. Duplicate keys and deep nesting are refused,
//! so that no upstream can read the body differently from us.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Deepest nesting of arrays and objects that is accepted.
pub const MAX_DEPTH: usize = 128;

/// Above this many members, duplicates are found by a set instead of by looking.
const FEW_MEMBERS: usize = 16;

/// Why a body is not usable.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BodyError {
    /// Not JSON at all.
    #[error("the body is not valid JSON: {0}")]
    Syntax(String),
    /// JSON, but not what the API takes.
    #[error("{0}")]
    Shape(String),
}

/// Why a change to a request is not possible.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EditError {
    /// Not a header name.
    #[error("`{0}` is not a header name")]
    HeaderName(String),
    /// A header that says how the message is framed.
    #[error("the header `{0}` is the gateway's own")]
    HeaderFixed(String),
    /// Not a header value.
    #[error("the value of header `{0}` has characters that no header may have")]
    HeaderValue(String),
    /// Not JSON.
    #[error("the value for `{0}` is not JSON: {1}")]
    NotJson(String, String),
    /// There is nothing at that place that can be set.
    #[error("nothing can be set at `{0}`")]
    NoPlace(String),
    /// This API has no such thing.
    #[error("{0} has no `{1}`")]
    NotInApi(&'static str, String),
    /// The body with the change would not be a request of this API.
    #[error(transparent)]
    Body(#[from] BodyError),
}

/// One JSON object.
#[derive(Debug, Clone)]
pub struct Body {
    source: Bytes,
    members: Vec<Member>,
    edited: bool,
}

#[derive(Debug, Clone)]
struct Member {
    key: Text,
    /// JSON text.
    value: Text,
}

/// A piece of the source, or what replaced it.
#[derive(Debug, Clone)]
enum Text {
    Source(Range<usize>),
    Own(String),
}

impl Body {
    /// Reads a body in one pass; values are checked to be JSON but not decoded.
    pub fn parse(source: Bytes) -> Result<Self, BodyError> {
        let text = std::str::from_utf8(&source)
            .map_err(|e| BodyError::Syntax(format!("invalid UTF-8 at byte {}", e.valid_up_to())))?;
        let members = members(text)?;
        Ok(Self {
            source,
            members,
            edited: false,
        })
    }

    /// JSON text of a member.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.find(key).map(|at| self.text(&self.members[at].value))
    }

    /// Replaces or adds a member; `value` must be JSON text.
    pub fn set(&mut self, key: &str, value: String) {
        let value = Text::Own(value);
        match self.find(key) {
            Some(at) => self.members[at].value = value,
            None => self.members.push(Member {
                key: Text::Own(key.to_owned()),
                value,
            }),
        }
        self.edited = true;
    }

    /// Removes a member.
    pub fn remove(&mut self, key: &str) {
        if let Some(at) = self.find(key) {
            self.members.remove(at);
            self.edited = true;
        }
    }

    /// Decodes a member; `None` when it is absent or null.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self, key: &str) -> Result<Option<T>, BodyError> {
        let Some(text) = self.get(key) else {
            return Ok(None);
        };
        serde_json::from_str(text)
            .map_err(|e| BodyError::Shape(format!("`{key}`: {}", without_position(&e))))
    }

    /// JSON text at a JSON pointer (RFC 6901).
    pub fn pointer(&self, pointer: &str) -> Option<String> {
        let (key, rest) = split_pointer(pointer)?;
        let text = self.get(&key)?;
        if rest.is_empty() {
            return Some(text.to_owned());
        }
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        value.pointer(rest).map(serde_json::Value::to_string)
    }

    /// Sets JSON text at a JSON pointer, making the objects on the way.
    pub fn set_pointer(&mut self, pointer: &str, value: &str) -> Result<(), EditError> {
        let no_place = || EditError::NoPlace(pointer.to_owned());
        let not_json = |e: serde_json::Error| EditError::NotJson(pointer.to_owned(), e.to_string());
        let (key, rest) = split_pointer(pointer).ok_or_else(no_place)?;
        let value: &RawValue = serde_json::from_str(value).map_err(not_json)?;
        check_depth(value.get()).map_err(EditError::Body)?;
        if rest.is_empty() {
            self.set(&key, value.get().to_owned());
            return Ok(());
        }
        let whole = self.get(&key).unwrap_or("{}");
        let mut whole: serde_json::Value = serde_json::from_str(whole).map_err(not_json)?;
        let place = place_for(&mut whole, rest).ok_or_else(no_place)?;
        *place = serde_json::from_str(value.get()).map_err(not_json)?;
        self.set(&key, whole.to_string());
        Ok(())
    }

    /// The body to send: the client's own bytes if nothing was changed.
    pub fn to_bytes(&self) -> Bytes {
        if !self.edited {
            return self.source.clone();
        }
        let mut out = Vec::with_capacity(self.source.len() + 64);
        out.push(b'{');
        for (at, member) in self.members.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(quote(self.text(&member.key)).as_bytes());
            out.push(b':');
            out.extend_from_slice(self.text(&member.value).as_bytes());
        }
        out.push(b'}');
        out.into()
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.members
            .iter()
            .position(|member| self.text(&member.key) == key)
    }

    fn text<'a>(&'a self, text: &'a Text) -> &'a str {
        match text {
            Text::Own(text) => text,
            Text::Source(range) => std::str::from_utf8(&self.source[range.clone()])
                .expect("ranges of a str, cut at its own borders"),
        }
    }
}

/// A JSON string with this content.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The members of a JSON object, as ranges of its text.
fn members(text: &str) -> Result<Vec<Member>, BodyError> {
    let read: Members<'_> = serde_json::from_str(text).map_err(|e| match e.classify() {
        serde_json::error::Category::Data => BodyError::Shape(without_position(&e)),
        _ => BodyError::Syntax(e.to_string()),
    })?;
    let place = |part: &str| {
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        Text::Source(start..start + part.len())
    };
    read.0
        .into_iter()
        .map(|(key, value)| {
            check_depth(value.get())?;
            let key = match key {
                Cow::Borrowed(key) => place(key),
                Cow::Owned(key) => Text::Own(key),
            };
            Ok(Member {
                key,
                value: place(value.get()),
            })
        })
        .collect()
}

/// An object's members in order, each key once.
pub(super) struct Members<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::with_capacity(8);
        let mut seen = HashSet::new();
        while let Some(Key(key)) = map.next_key()? {
            let twice = if members.len() < FEW_MEMBERS {
                members.iter().any(|(other, _)| *other == key)
            } else {
                if seen.is_empty() {
                    seen.extend(members.iter().map(|(other, _)| other.clone()));
                }
                !seen.insert(key.clone())
            };
            if twice {
                return Err(A::Error::custom(format_args!(
                    "the key `{key}` appears twice"
                )));
            }
            members.push((key, map.next_value()?));
        }
        Ok(Members(members))
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Refuses text nested deeper than `MAX_DEPTH`. Raw values are skipped without
/// recursion, so nothing else bounds them.
fn check_depth(json: &str) -> Result<(), BodyError> {
    if !json.starts_with(['[', '{']) {
        return Ok(());
    }
    let mut depth = 0_usize;
    let mut rest = json.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(BodyError::Shape(format!(
                        "the body is nested deeper than {MAX_DEPTH} levels"
                    )));
                }
            }
            b']' | b'}' => depth -= 1,
            b'"' => rest = after_string(rest),
            _ => {}
        }
    }
    Ok(())
}

/// What follows the closing quote of a string whose opening quote was read.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        if rest[at] == b'"' {
            return &rest[at + 1..];
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    &[]
}

/// A pointer's first token, unescaped, and the pointer that remains.
fn split_pointer(pointer: &str) -> Option<(String, &str)> {
    let pointer = pointer.strip_prefix('/')?;
    let (first, rest) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
    Some((first.replace("~1", "/").replace("~0", "~"), rest))
}

/// The value at a pointer, with missing object members made.
fn place_for<'a>(
    value: &'a mut serde_json::Value,
    pointer: &str,
) -> Option<&'a mut serde_json::Value> {
    let Some((token, rest)) = split_pointer(pointer) else {
        return Some(value);
    };
    let next = match value {
        serde_json::Value::Object(members) => members
            .entry(token)
            .or_insert_with(|| serde_json::json!({})),
        serde_json::Value::Array(items) => items.get_mut(token.parse::<usize>().ok()?)?,
        _ => return None,
    };
    place_for(next, rest)
}

/// The message alone: positions within one member would mislead.
pub(super) fn without_position(e: &serde_json::Error) -> String {
    let message = e.to_string();
    message
        .rfind(" at line ")
        .map_or(message.clone(), |at| message[..at].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body(text: &str) -> Body {
        Body::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn refusal(text: &str) -> String {
        Body::parse(Bytes::copy_from_slice(text.as_bytes()))
            .unwrap_err()
            .to_string()
    }

    fn text(body: &Body) -> String {
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn an_unchanged_body_is_forwarded_byte_for_byte() {
        let sent = " {\"inputs\" : \"a\\u00e9b\",\n \"n\": 1e2 } ";
        assert_eq!(text(&body(sent)), sent);
    }

    #[test]
    fn a_change_leaves_the_other_members_as_they_were_sent() {
        let mut body = body(r#"{"n": 1.50, "é\n": [1, 2], "x": 1}"#);
        body.set("x", "2".to_owned());
        body.remove("n");
        body.set("y", "null".to_owned());
        assert_eq!(text(&body), r#"{"é\n":[1, 2],"x":2,"y":null}"#);
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        assert_eq!(refusal(r#"{"a":1,"a":2}"#), "the key `a` appears twice");
        assert_eq!(
            refusal(r#"{"a":1,"\u0061":2}"#),
            "the key `a` appears twice"
        );
        let many: Vec<String> = (0..40).map(|i| format!("\"k{i}\":0")).collect();
        assert_eq!(
            refusal(&format!("{{{},\"k3\":1}}", many.join(","))),
            "the key `k3` appears twice"
        );
        assert_eq!(
            refusal("[1]"),
            "invalid type: sequence, expected a JSON object"
        );
        assert!(
            refusal("{\"a\":1} x").starts_with("the body is not valid JSON: trailing characters")
        );
        let bad = Body::parse(Bytes::from_static(b"{\"a\":\"\xff\"}")).unwrap_err();
        assert_eq!(
            bad.to_string(),
            "the body is not valid JSON: invalid UTF-8 at byte 6"
        );
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_strings_do_not_count() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        body(&nested(MAX_DEPTH));
        assert!(refusal(&nested(MAX_DEPTH + 1)).contains("deeper than 128"));
        body(&format!(
            "{{\"a\":[\"{}\\\"{}\"]}}",
            "[".repeat(200),
            "{".repeat(200)
        ));
    }

    #[test]
    fn pointers_read_and_write_at_any_depth() {
        let mut body = body(r#"{"parameters":{"top_p":0.5},"messages":[{"role":"user"}]}"#);
        assert_eq!(body.pointer("/parameters/top_p").as_deref(), Some("0.5"));
        body.set_pointer("/parameters/seed", "7").unwrap();
        body.set_pointer("/messages/0/role", "\"system\"").unwrap();
        body.set_pointer("/a~1b/c", "true").unwrap();
        assert_eq!(
            text(&body),
            r#"{"parameters":{"seed":7,"top_p":0.5},"messages":[{"role":"system"}],"a/b":{"c":true}}"#
        );
        let no_place = body.set_pointer("/messages/9/role", "1").unwrap_err();
        assert_eq!(
            no_place.to_string(),
            "nothing can be set at `/messages/9/role`"
        );
        assert!(body.set_pointer("/x", "{oops").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_but_never_panic(bytes: Vec<u8>) {
            if let Ok(body) = Body::parse(Bytes::from(bytes.clone())) {
                let sent = body.to_bytes();
                prop_assert_eq!(&sent[..], &bytes[..]);
            }
        }

        #[test]
        fn an_edited_body_is_the_same_object_but_for_the_edit(keys in prop::collection::hash_set("[a-c\"\\\\é]{0,3}", 0..6)) {
            let object: serde_json::Map<String, serde_json::Value> =
                keys.into_iter().map(|key| (key, serde_json::json!(["x", 1]))).collect();
            let sent = serde_json::Value::Object(object.clone()).to_string();
            let mut body = body(&sent);
            body.set("added", "1".to_owned());
            let mut expected = object;
            expected.insert("added".to_owned(), 1.into());
            let read: serde_json::Value = serde_json::from_slice(&body.to_bytes()).unwrap();
            prop_assert_eq!(read, serde_json::Value::Object(expected));
        }
    }
}
