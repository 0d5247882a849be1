//! Keys as the gateway uses them.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use super::*;
use crate::identity::digest::Digest;

const KEY: &str = "sk-0123456789abcdef";

fn origin() -> &'static Path {
    Path::new("keys.toml")
}

/// Noon of 2026-11-24.
fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_521_600)
}

fn entry(id: &str, key: &str) -> Entry {
    Entry {
        id: id.to_owned(),
        hash: Digest::of(key).to_string(),
        tenant: "acme".to_owned(),
        ..Entry::default()
    }
}

/// `KEY` with further lines.
fn parse(lines: &str) -> Keys {
    let hash = Digest::of(KEY);
    let text = format!("[[keys]]\nid = 'a'\nhash = '{hash}'\ntenant = 'acme'\n{lines}");
    Keys::parse(&text, origin()).unwrap()
}

/// Every `#1`, `#2` in the text becomes a hash.
#[track_caller]
fn check(text: &str, expected: &Expect) {
    let text = ["1", "2", "3"].iter().fold(text.to_owned(), |text, key| {
        text.replace(&format!("#{key}"), &Digest::of(key).to_string())
    });
    let problems = Keys::parse(&text, origin()).expect_err("has problems");
    expected.assert_eq(&shown(&problems));
}

fn shown(problems: &[KeyProblem]) -> String {
    problems.iter().fold(String::new(), |mut all, problem| {
        writeln!(all, "{problem}").unwrap();
        all
    })
}

#[test]
fn a_key_tells_who_its_holder_is() {
    let client = parse("class = 'gold'\nmodels = ['llama3', 'qwen']\ncreated = 2026-11-24T12:00:00Z\nnote = 'Bob’s'")
        .find(KEY, noon())
        .unwrap();
    let models = ["llama3", "qwen"].map(Arc::from);
    let expected = Client {
        tenant: "acme".into(),
        key: "a".into(),
        class: "gold".into(),
        models: Some(models.into()),
    };
    assert_eq!(*client, expected);
    assert!(client.may_use("qwen") && !client.may_use("gpt"));
}

#[test]
fn a_key_without_class_and_models_is_standard_and_good_for_all() {
    let client = parse("").find(KEY, noon()).unwrap();
    assert_eq!((&*client.class, &client.models), ("standard", &None));
    assert!(client.may_use("anything"));
}

#[test]
fn a_key_is_refused_from_the_moment_it_is_revoked() {
    let keys = parse("revoked = 2026-11-24T14:00:00+02:00");
    let before = noon() - Duration::from_nanos(1);
    assert!(keys.find(KEY, before).is_some());
    assert!(keys.find(KEY, noon()).is_none());
    assert!(keys.find(KEY, noon() + Duration::from_secs(1)).is_none());
}

#[test]
fn keys_that_cannot_be_used_are_answered_alike() {
    let identity = Identity::new(parse("revoked = 2026-01-01T00:00:00Z"), None);
    let long = "k".repeat(513);
    let malformed = ["", "hw__", "sk-0123456789abcdeF", "hw_k7w2_short", &long];
    for key in malformed.into_iter().chain([KEY]) {
        assert_eq!(identify(&identity, key), Err(Unknown::Invalid), "{key}");
    }
    assert_eq!(Unknown::Invalid.to_string(), "the API key is not valid");
}

fn identify(identity: &Identity, key: &str) -> Result<Arc<Client>, Unknown> {
    let value = HeaderValue::from_str(&format!("Bearer {key}")).unwrap();
    let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]);
    identity.identify(&headers, noon())
}

#[test]
fn a_key_of_512_bytes_is_the_longest() {
    let (longest, longer) = ("k".repeat(512), "k".repeat(513));
    let keys = Keys::from_entries(vec![entry("a", &longest), entry("b", &longer)]).unwrap();
    assert!(keys.find(&longest, noon()).is_some());
    assert!(keys.find(&longer, noon()).is_none());
}

#[test]
fn only_those_without_a_key_are_anonymous_and_only_where_a_tenant_is_named() {
    let nothing = HeaderMap::new();
    let closed = Identity::new(parse(""), None);
    let missing = closed.identify(&nothing, noon());
    assert_eq!(missing, Err(Unknown::Missing));

    let open = Identity::new(parse(""), Some("guests".into()));
    let guest = open.identify(&nothing, noon()).unwrap();
    let seen = (&*guest.tenant, &*guest.key, &*guest.class);
    assert_eq!(seen, ("guests", "-", "anonymous"));
    assert_eq!(&*identify(&open, KEY).unwrap().tenant, "acme");
    assert_eq!(identify(&open, "sk-wrong"), Err(Unknown::Invalid));
    let basic = HeaderMap::from_iter([(
        http::header::AUTHORIZATION,
        HeaderValue::from_static("Basic dTpw"),
    )]);
    assert_eq!(open.identify(&basic, noon()), Err(Unknown::Invalid));
}

#[test]
fn a_file_may_have_no_keys() {
    for text in ["", "# nothing yet\n", "keys = []"] {
        assert!(Keys::parse(text, origin()).unwrap().is_empty(), "{text}");
    }
}

#[test]
fn every_problem_is_found_at_once() {
    check(
        r##"
[[keys]]
id = "a b"
hash = "sha256:123"
tenant = ""
class = "gold\n"
models = ["", "llama\u0007"]
created = 2026-11-24
revoked = 1812-12-01T00:00:00Z
note = "ring \u0007"

[[keys]]
id = "-"
hash = "hw_000000000000_secret"
tenant = "acme/eu"
models = []
"##,
        &expect![[r#"
            keys[0].id  must be 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-` (line 3)
            keys[0].hash  must be `sha256:` and 64 hexadecimal digits (line 4)
            keys[0].tenant  must be 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-` (line 5)
            keys[0].class  must be 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-` (line 6)
            keys[0].models[0]  must not be empty (line 7)
            keys[0].models[1]  must be at most 256 characters, none of them a control character (line 7)
            keys[0].created  must be a date with time and offset, such as 2026-12-01T00:00:00Z, got 2026-11-24 (line 8)
            keys[0].revoked  must be a date after 1970, got 1812-12-01T00:00:00Z (line 9)
            keys[0].note  must be at most 256 characters, none of them a control character (line 10)
            keys[1].id  must start with a letter or a digit (line 13)
            keys[1].hash  must be `sha256:` and 64 hexadecimal digits (line 14)
            keys[1].tenant  must be 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-` (line 15)
            keys[1].models  must name at least one model; leave it out to allow all (line 16)
        "#]],
    );
}

#[test]
fn values_of_the_wrong_type_and_unknown_ones_are_found_with_the_rest() {
    check(
        r##"
kees = 1

[[keys]]
id = 7
hash = 7
tenat = "acme"
class = ["gold"]
models = ["llama3", 7]
created = "2026-11-24T12:00:00Z"
note = { of = "Bob" }
secret = "hw_000000000000_secret"

[[keys]]
id = "b"
hash = "#1"
tenant = "a b"
"##,
        &expect![[r#"
            kees  unknown key; did you mean `keys`? (line 2)
            keys[0].tenant  is missing (line 4)
            keys[0].id  must be a string (line 5)
            keys[0].hash  must be a string (line 6)
            keys[0].tenat  unknown key; did you mean `tenant`? (line 7)
            keys[0].class  must be a string (line 8)
            keys[0].models  must be a list of strings (line 9)
            keys[0].created  must be a date without quotes (line 10)
            keys[0].note  must be a string (line 11)
            keys[0].secret  unknown key; there is `id`, `hash`, `tenant`, `class`, `models`, `created`, `revoked`, `note` (line 12)
            keys[1].tenant  must be 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-` (line 17)
        "#]],
    );
    check(
        "keys = [7, { id = 'a', tenant = 'a', hash = '#1' }]",
        &expect![[r#"
            keys[0]  must be a table (line 1)
        "#]],
    );
    check(
        "keys = 'a'",
        &expect![[r#"
            keys  must be a list of tables (line 1)
        "#]],
    );
}

#[test]
fn names_are_not_longer_than_they_may_be() {
    let (name, text) = ("n".repeat(65), "t".repeat(257));
    check(
        &format!(
            "[[keys]]\nid = '{name}'\nhash = '#1'\ntenant = '{name}'\nclass = '{name}'\nmodels = ['{text}']\nnote = '{text}'"
        ),
        &expect![[r#"
            keys[0].id  must be 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-` (line 2)
            keys[0].tenant  must be 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-` (line 4)
            keys[0].class  must be 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-` (line 5)
            keys[0].models[0]  must be at most 256 characters, none of them a control character (line 6)
            keys[0].note  must be at most 256 characters, none of them a control character (line 7)
        "#]],
    );
    let most = "n".repeat(64);
    assert_eq!(check_name(&most), Ok(()));
    assert_eq!(check_name("A-z.0_9"), Ok(()));
}

#[test]
fn ids_and_hashes_stand_once() {
    check(
        r##"
[[keys]]
id = "a"
hash = "#1"
tenant = "acme"
[[keys]]
id = "a"
hash = "#2"
tenant = "acme"
[[keys]]
id = "a"
hash = "#1"
tenant = "acme"
[[keys]]
id = "a"
hash = "bad"
tenant = "acme"
"##,
        &expect![[r#"
            keys[1].id  `a` is taken by keys[0], line 2 of keys.toml (line 7)
            keys[2].id  `a` is taken by keys[0], line 2 of keys.toml (line 11)
            keys[2].hash  is taken by keys[0], line 2 of keys.toml (line 12)
            keys[3].id  `a` is taken by keys[0], line 2 of keys.toml (line 15)
            keys[3].hash  must be `sha256:` and 64 hexadecimal digits (line 16)
        "#]],
    );
}

#[test]
fn a_syntax_error_has_its_line() {
    check(
        "[[keys]]\nid = \nhash = 'a\n",
        &expect![[r#"
            string values must be quoted, expected literal string (line 2)
            invalid literal string, expected `'` (line 3)
        "#]],
    );
}

#[test]
fn keys_of_several_files_are_one_set() {
    let (one, other) = (entry("b", "1"), entry("c", "2"));
    let merged = parse("").merge(Keys::from_entries(vec![one, other]).unwrap());
    let merged = merged.unwrap();
    assert_eq!(merged.len(), 3);
    for (key, id) in [(KEY, "a"), ("1", "b"), ("2", "c")] {
        assert_eq!(&*merged.find(key, noon()).unwrap().key, id);
    }
}

#[test]
fn what_two_files_have_both_is_a_problem_of_the_second() {
    let others = vec![entry("b", KEY), entry("a", "1"), entry("c", "2")];
    let others = Keys::from_entries(others).unwrap();
    let problems = parse("").merge(others).unwrap_err();
    expect![[r#"
        keys[0].hash  is taken by keys[0], line 1 of keys.toml
        keys[1].id  `a` is taken by keys[0], line 1 of keys.toml
    "#]]
    .assert_eq(&shown(&problems));
}

#[test]
fn what_stands_elsewhere_is_checked_as_well() {
    let bad = Entry {
        tenant: String::new(),
        ..entry("a", "1")
    };
    let problems = Keys::from_entries(vec![bad, entry("a", "2")]).unwrap_err();
    expect![[r#"
        keys[0].tenant  must be 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-`
        keys[1].id  `a` is taken by keys[0] of the configuration
    "#]]
    .assert_eq(&shown(&problems));
}

#[test]
fn an_entry_is_read_as_it_is_written() {
    let file = File {
        keys: vec![Entry {
            class: Some("gold".to_owned()),
            models: Some(vec!["meta/llama-3:8b".to_owned(), "a \"b\"".to_owned()]),
            created: Some(moment::date(noon())),
            revoked: Some(moment::date(noon())),
            note: Some("Bob's \\ laptop, \"blue\"".to_owned()),
            ..entry("a", "1")
        }],
    };
    let text = toml::to_string(&file).unwrap();
    assert_eq!(read::entries(&text).unwrap().0, file.keys);
    assert_eq!(toml::from_str::<File>(&text).unwrap(), file);
}

#[test]
fn no_log_shows_a_hash() {
    let shown = format!("{:?}", Identity::new(parse(""), None));
    let hash = Digest::of(KEY).to_string();
    assert!(!shown.contains(&hash["sha256:".len()..]), "{shown}");
}

/// Pieces that text near a keys file is made of.
fn near_miss() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[[keys]]\n".to_owned()),
        Just("keys = [{ ".to_owned()),
        Just(" }]\n".to_owned()),
        Just("id = \"é\"\n".to_owned()),
        Just("hash = \"sha256:é".to_owned()),
        Just("revoked = 2026-02-30T24:60:60+99:99\n".to_owned()),
        Just("created = 9999-12-31T23:59:60.5-23:59\r\n".to_owned()),
        Just("models = [\"a\", \n".to_owned()),
        Just("\u{feff}".to_owned()),
        "[a-z=\"'\\[\\]{}.,#\n]{0,8}",
        ".{0,8}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![any::<String>(), near_miss()]) {
        if let Err(problems) = Keys::parse(&text, origin()) {
            prop_assert!(!problems.is_empty());
        }
        Keys::default().find(&text, noon());
    }
}
