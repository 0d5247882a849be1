//! Changes to the text of a keys file. Only what is new is written: comments,
//! order and spaces of all else stay.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use crate::identity::{Entry, entry, read};

/// The text with one more entry at its end; `None` if its keys stand in an
/// array in brackets, to which a table cannot be added.
pub(super) fn append(text: &str, entry: Entry) -> Option<String> {
    let document = read::document(text).ok()?;
    if is_in_brackets(text, document.get_ref()) {
        return None;
    }
    let newline = newline(text);
    let file = entry::File { keys: vec![entry] };
    let table = toml::to_string(&file).expect("an entry has nothing that TOML cannot write");
    let mut new = text.to_owned();
    if !text.is_empty() {
        let is_open_line = !text.ends_with('\n');
        new.push_str(if is_open_line { newline } else { "" });
        new.push_str(newline);
    }
    new.push_str(&table.replace('\n', newline));
    Some(new)
}

/// The text with the entry of this id revoked at a time; `None` if there is
/// no such entry.
pub(super) fn revoke(text: &str, id: &str, at: &Datetime) -> Option<String> {
    let document = read::document(text).ok()?;
    let has_id = |table: &DeTable<'_>| {
        table
            .get("id")
            .is_some_and(|value| value.get_ref().as_str() == Some(id))
    };
    let element =
        elements(document.get_ref())?.find(|element| table(element).is_some_and(has_id))?;
    let table = table(element)?;
    if let Some(old) = table.get("revoked") {
        return Some(replaced(text, old.span(), &at.to_string()));
    }
    let end = table.values().map(|value| value.span().end).max()?;
    if text.get(element.span())?.starts_with('{') {
        return Some(replaced(text, end..end, &format!(", revoked = {at}")));
    }
    let end = end_of_line(text, end);
    let line = format!("{}revoked = {at}", newline(text));
    Some(replaced(text, end..end, &line))
}

/// Whether the keys are written `keys = [..]`, without `[[keys]]`.
fn is_in_brackets(text: &str, document: &DeTable<'_>) -> bool {
    let Some(mut elements) = elements(document) else {
        return false;
    };
    let is_headed =
        |element: &Spanned<_>| text.get(element.span()).is_some_and(|t| t.starts_with('['));
    !elements.next().is_some_and(is_headed)
}

fn elements<'a>(
    document: &'a DeTable<'a>,
) -> Option<impl Iterator<Item = &'a Spanned<DeValue<'a>>>> {
    Some(document.get("keys")?.get_ref().as_array()?.iter())
}

fn table<'a>(element: &'a Spanned<DeValue<'a>>) -> Option<&'a DeTable<'a>> {
    element.get_ref().as_table()
}

/// Where the line with the byte before this offset ends, before its newline.
fn end_of_line(text: &str, offset: usize) -> usize {
    let rest = &text[offset..];
    let line = rest.lines().next().unwrap_or_default();
    offset + line.len()
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn replaced(text: &str, range: Range<usize>, with: &str) -> String {
    let mut text = text.to_owned();
    text.replace_range(range, with);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::identity::digest::Digest;

    /// An entry in one of the ways in which people may write it.
    fn written(index: usize) -> impl Strategy<Value = String> {
        let id = format!("id = 'key{index}'");
        let hash = format!("hash = \"{}\"", Digest::of(&index.to_string()));
        let rest = [
            "note = '''\n[[keys]]\nid = 'key0' # no'''",
            "'note' = \"\"\"two \\\n  lines\"\"\"",
            "\"models\" = [ # some\n  'a', 'b',\n]",
            "created = 2026-01-01 08:00:00+01:00",
            "revoked=2099-01-01T00:00:00Z",
            "class = \"gold\"",
        ];
        let rest = prop::sample::subsequence(rest.to_vec(), 0..rest.len())
            .prop_filter("a note stands once", |rest| {
                rest.iter().filter(|line| line.contains("note")).count() < 2
            });
        let ends = prop::collection::vec(prop::sample::select(vec!["", " # why", "\t", "\n\n"]), 9);
        let lines = rest.prop_flat_map(move |rest| {
            let fixed = [id.clone(), hash.clone(), "tenant = 'a'".to_owned()];
            let all = fixed.into_iter().chain(rest.into_iter().map(str::to_owned));
            Just(all.collect::<Vec<_>>()).prop_shuffle()
        });
        (lines, ends).prop_map(|(lines, ends)| {
            let lines = lines.iter().zip(ends);
            lines.fold("[[keys]]".to_owned(), |text, (line, end)| {
                format!("{text}\n  {line}{end}")
            })
        })
    }

    fn files() -> impl Strategy<Value = String> {
        let entries = (written(0), written(1), written(2), any::<bool>());
        entries.prop_map(|(one, two, three, crlf)| {
            let text = format!("# All.\n{one}\n{two}\n# Last.\n{three}");
            text.replace('\n', if crlf { "\r\n" } else { "\n" })
        })
    }

    fn entries(text: &str) -> Vec<Entry> {
        read::entries(text).expect("is TOML").0
    }

    proptest! {
        #[test]
        fn revoking_changes_one_date_of_one_entry(text in files(), index in 0_usize..3) {
            let now: Datetime = "2026-11-24T12:00:00Z".parse().unwrap();
            let revoked = revoke(&text, &format!("key{index}"), &now).unwrap();
            let mut expected = entries(&text);
            expected[index].revoked = Some(now);
            prop_assert_eq!(entries(&revoked), expected);
            let gone = text.lines().filter(|line| !revoked.contains(line)).count();
            prop_assert!(gone <= 1, "{}", revoked);
        }

        #[test]
        fn adding_keeps_the_text_and_adds_one_entry(text in files(), note in "\\PC*") {
            let mut expected = entries(&text);
            let entry = Entry { id: "new".to_owned(), note: Some(note), ..Entry::default() };
            let added = append(&text, entry.clone()).unwrap();
            prop_assert!(added.starts_with(&text));
            expected.push(entry);
            prop_assert_eq!(entries(&added), expected);
        }
    }
}
