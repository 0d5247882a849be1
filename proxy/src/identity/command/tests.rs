//! Commands, as somebody types them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::{CommandFactory as _, Parser};
use expect_test::expect;
use tempfile::TempDir;

use super::*;
use crate::identity::{Client, Keys};

#[derive(Debug, Parser)]
#[command(name = "keys")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// A folder with a keys file.
struct Desk {
    folder: TempDir,
    file: PathBuf,
}

/// What a command printed.
#[derive(Debug, Default, PartialEq)]
struct Printed {
    out: String,
    notes: String,
}

/// Noon of 2026-11-24.
fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_521_600)
}

impl Desk {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.toml");
        Self { folder, file }
    }

    fn with(text: &str) -> Self {
        let desk = Self::empty();
        fs::write(&desk.file, text).unwrap();
        desk
    }

    fn run(&self, words: &str) -> Result<Printed, String> {
        self.run_with(words, "")
    }

    fn run_with(&self, words: &str, input: &str) -> Result<Printed, String> {
        let words = ["keys"].into_iter().chain(words.split(' '));
        let file = ["--file", self.file.to_str().unwrap()];
        let cli = Cli::try_parse_from(words.chain(file)).map_err(|error| error.to_string())?;
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let console = &mut Console {
            input: &mut input.as_bytes(),
            out: &mut out,
            notes: &mut notes,
        };
        let done = cli.command.run(console, noon());
        done.map_err(|error| self.without_folder(&error.to_string()))?;
        Ok(Printed {
            out: String::from_utf8(out).unwrap(),
            notes: self.without_folder(&String::from_utf8(notes).unwrap()),
        })
    }

    fn without_folder(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    fn find(&self, key: &str) -> Option<Arc<Client>> {
        let keys = Keys::parse(&self.text(), &self.file).unwrap();
        keys.find(key.trim_end(), noon())
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder.path()).unwrap().count()
    }
}

/// A file as people keep it; the hashes are of `1` and `2`.
const KEPT: &str = r#"# Keys of our shop.

[[keys]] # the first
  id = "bob"   # not his name
  hash = "sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
  tenant = "acme"
  created = 2026-11-01T08:00:00Z # when he came

# For the batch jobs.
[[keys]]
note = """
of several \
lines"""
tenant = "acme"
id = "batch"
revoked = 2027-01-01T00:00:00Z  # when the jobs end
hash = "sha256:d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"
models = [
  "llama3", # and no other
]
# That is all."#;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn a_new_key_can_be_used_and_only_it_is_on_standard_output() {
    let desk = Desk::empty();
    let Printed { out: key, notes } = desk
        .run("new --tenant acme --class gold --models llama3,qwen --note laptop")
        .unwrap();
    assert_eq!(key.lines().count(), 1);
    let client = desk.find(&key).unwrap();
    assert_eq!((&*client.tenant, &*client.class), ("acme", "gold"));
    assert!(client.may_use("qwen") && !client.may_use("gpt"));
    let id = &client.key;
    assert_eq!(
        notes,
        format!(
            "added key `{id}` of tenant `acme` to keys.toml\nkeep the key; it is not shown again\n"
        )
    );
    assert!(!desk.text().contains(key.trim_end()));
    assert!(desk.text().contains("created = 2026-11-24T12:00:00Z\n"));
}

#[test]
fn a_new_file_is_for_its_owner_only_and_nothing_else_is_left() {
    let desk = Desk::empty();
    desk.run("new --tenant acme").unwrap();
    let mode = fs::metadata(&desk.file).unwrap().permissions().mode();
    assert_eq!((mode & 0o777, desk.files()), (0o600, 1));
}

#[test]
fn a_file_keeps_its_mode_and_a_symlink_stays_one() {
    let mut desk = Desk::with(KEPT);
    fs::set_permissions(&desk.file, fs::Permissions::from_mode(0o640)).unwrap();
    let link = desk.folder.path().join("link.toml");
    symlink(&desk.file, &link).unwrap();
    desk.file = link;
    desk.run("revoke bob").unwrap();
    assert!(fs::symlink_metadata(&desk.file).unwrap().is_symlink());
    let mode = fs::metadata(&desk.file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_new_key_is_added_below_all_that_was_there() {
    for newline in ["\n", "\r\n"] {
        let kept = KEPT.replace('\n', newline);
        let desk = Desk::with(&kept);
        let key = desk.run("new --tenant umbrella").unwrap().out;
        let text = desk.text();
        let added = text.strip_prefix(&kept).unwrap();
        assert!(added.starts_with(&format!("{newline}{newline}[[keys]]{newline}id = \"")));
        assert!(!added.replace(newline, "").contains(['\r', '\n']));
        assert_eq!(&*desk.find(&key).unwrap().tenant, "umbrella");
        assert!(desk.find("1").is_some());
    }
}

#[test]
fn keys_made_at_once_are_all_there() {
    let desk = Desk::empty();
    let keys: Vec<String> = std::thread::scope(|scope| {
        let make = || desk.run("new --tenant acme").unwrap().out;
        let running: Vec<_> = (0..16).map(|_| scope.spawn(make)).collect();
        running
            .into_iter()
            .map(|running| running.join().unwrap())
            .collect()
    });
    assert!(keys.iter().all(|key| desk.find(key).is_some()));
    assert_eq!(Keys::parse(&desk.text(), &desk.file).unwrap().len(), 16);
    assert_eq!(desk.files(), 1);
}

#[test]
fn a_key_of_ones_own_is_added_and_not_printed() {
    let desk = Desk::empty();
    let new = "new --tenant acme --key-from-stdin";
    let printed = desk.run_with(new, "sk-0123456789abcdef\n").unwrap();
    assert_eq!(printed.out, "");
    assert_eq!(printed.notes.lines().count(), 1);
    let client = desk.find("sk-0123456789abcdef").unwrap();
    let again = desk.run_with(new, "sk-0123456789abcdef\r\n").unwrap_err();
    let id = &client.key;
    assert_eq!(
        again,
        format!("the key on standard input is in the file already, as `{id}`")
    );
}

#[test]
fn a_bad_key_of_ones_own_is_refused_and_makes_no_file() {
    let desk = Desk::empty();
    for (input, expected) in [
        ("", "must be 16 to 512 characters, got 0"),
        ("short\n", "must be 16 to 512 characters, got 5"),
        (&"k".repeat(4000), "must be 16 to 512 characters, got 1024"),
        (
            "one-0123456789abcdef\ntwo",
            "must be printable ASCII without spaces around it",
        ),
        (
            "sk-0123456789abcdef\n\n",
            "must be printable ASCII without spaces around it",
        ),
    ] {
        let error = desk.run_with("new --tenant acme --key-from-stdin", input);
        assert_eq!(error, Err(format!("the key on standard input {expected}")));
    }
    assert_eq!(desk.files(), 0);
}

#[test]
fn what_is_typed_is_checked_before_anything_is_done() {
    let desk = Desk::empty();
    for (words, expected) in [
        ("new", "--tenant <NAME>"),
        ("new --tenant a/b", "'--tenant <NAME>': must be 1 to 64 of"),
        (
            "new --tenant a --class é",
            "'--class <NAME>': must be 1 to 64 of",
        ),
        (
            "new --tenant a --models a,,b",
            "'--models <MODEL,..>': must not be empty",
        ),
        (
            "new --tenant a --note \u{7}",
            "'--note <TEXT>': must be at most 256 characters",
        ),
    ] {
        let error = desk.run(words).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(desk.files(), 0);
}

#[test]
fn a_file_that_is_bad_is_left_as_it_is() {
    let bad = KEPT.replace("\"batch\"", "\"bob\"");
    let desk = Desk::with(&bad);
    let expected = "keys.toml: 1 problem\n  keys[1].id  `bob` is taken by keys[0], line 3 of keys.toml (line 15)";
    for words in ["new --tenant a", "list", "revoke bob"] {
        assert_eq!(desk.run(words), Err(expected.to_owned()));
    }
    assert_eq!(desk.text(), bad);
}

#[test]
fn keys_in_brackets_can_be_revoked_but_not_added_to() {
    let brackets = "keys = [{ id = 'bob', tenant = 'a', hash = 'sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b' }, # Bob\n]\n";
    let desk = Desk::with(brackets);
    let expected =
        "cannot add to `keys = [..]` in `keys.toml`; write each key below a `[[keys]]` of its own";
    assert_eq!(desk.run("new --tenant a"), Err(expected.to_owned()));
    desk.run("revoke bob").unwrap();
    let revoked = brackets.replace("b' }", "b', revoked = 2026-11-24T12:00:00Z }");
    assert_eq!(desk.text(), revoked);
    let desk = Desk::with("keys = []\n");
    assert_eq!(desk.run("new --tenant a"), Err(expected.to_owned()));
}

#[test]
fn revoking_a_key_adds_a_line_and_keeps_all_else() {
    let crlf = KEPT.replace('\n', "\r\n");
    for (kept, newline) in [(KEPT, "\n"), (&crlf, "\r\n")] {
        let desk = Desk::with(kept);
        assert!(desk.find("1").is_some());
        let printed = desk.run("revoke bob").unwrap();
        assert_eq!(printed.notes, "revoked key `bob` of tenant `acme`\n");
        let line = format!("# when he came{newline}revoked = 2026-11-24T12:00:00Z{newline}");
        let expected = kept.replace(&format!("# when he came{newline}"), &line);
        assert_eq!(desk.text(), expected);
        assert!(desk.find("1").is_none() && desk.find("2").is_some());
    }
}

#[test]
fn a_key_whose_time_has_not_come_can_be_revoked_now() {
    let desk = Desk::with(KEPT);
    desk.run("revoke batch").unwrap();
    let expected = KEPT.replace("2027-01-01T00:00:00Z", "2026-11-24T12:00:00Z");
    assert_eq!(desk.text(), expected);
    let printed = desk.run("revoke batch").unwrap();
    assert_eq!(
        printed.notes,
        "key `batch` was revoked before, at 2026-11-24T12:00:00Z\n"
    );
    assert_eq!(desk.text(), expected);
}

#[test]
fn a_key_at_the_very_end_of_a_file_can_be_revoked() {
    let end = KEPT.rfind("\n# That").unwrap();
    let desk = Desk::with(&KEPT[..end].replace("revoked", "#"));
    desk.run("revoke batch").unwrap();
    assert!(desk.text().ends_with("\n]\nrevoked = 2026-11-24T12:00:00Z"));
    assert!(desk.find("2").is_none());
}

#[test]
fn an_id_that_is_unknown_or_a_key_is_refused() {
    let desk = Desk::with(KEPT);
    let error = |words| desk.run(words).unwrap_err();
    assert_eq!(
        error("revoke bacth"),
        "no key `bacth`; did you mean `batch`?"
    );
    assert_eq!(
        error("revoke 7"),
        "no key `7`; `headworks keys list` shows all there are"
    );
    let secret = "A".repeat(43);
    assert_eq!(
        error(&format!("revoke hw_0123456789ab_{secret}")),
        "this is a key; give its id, `0123456789ab`"
    );
    assert_eq!(desk.text(), KEPT);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let desk = Desk::empty();
    let expected = "there is no file `keys.toml`; `headworks keys new` makes it with its first key";
    for words in ["list", "revoke bob"] {
        assert_eq!(desk.run(words), Err(expected.to_owned()));
    }
    assert_eq!(desk.files(), 0);
}

#[test]
fn a_list_shows_all_but_hashes() {
    let desk = Desk::with(KEPT);
    desk.run("revoke bob").unwrap();
    expect![[r#"
        ID     TENANT  CLASS     MODELS  CREATED               STATE                              NOTE
        bob    acme    standard  all     2026-11-01T08:00:00Z  revoked at 2026-11-24T12:00:00Z
        batch  acme    standard  llama3                        active until 2027-01-01T00:00:00Z  of several lines
    "#]]
    .assert_eq(&desk.run("list").unwrap().out);
    expect![[r#"
        [
          {
            "class": "standard",
            "created": "2026-11-01T08:00:00Z",
            "id": "bob",
            "models": null,
            "note": null,
            "revoked": "2026-11-24T12:00:00Z",
            "state": "revoked",
            "tenant": "acme"
          },
          {
            "class": "standard",
            "created": null,
            "id": "batch",
            "models": [
              "llama3"
            ],
            "note": "of several lines",
            "revoked": "2027-01-01T00:00:00Z",
            "state": "active",
            "tenant": "acme"
          }
        ]
    "#]]
    .assert_eq(&desk.run("list --json").unwrap().out);
}

#[test]
fn a_list_of_no_keys_says_so() {
    let desk = Desk::with("");
    let printed = desk.run("list").unwrap();
    assert_eq!(
        (&*printed.out, &*printed.notes),
        ("", "no keys in keys.toml\n")
    );
    assert_eq!(desk.run("list --json").unwrap().out, "[]\n");
}
