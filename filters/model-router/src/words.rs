//! Names in messages: of strangers, cut short; of settings, with the nearest
//! right one.

/// Most characters of a stranger's name in a message.
const LONGEST: usize = 64;

/// Most names that a message lists.
const MOST: usize = 8;

/// A name that a client sent, short enough to be told back.
pub(crate) fn bounded(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}...", &name[..end]),
    }
}

/// A key of a table as TOML has it.
pub(crate) fn quoted(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        format!("{key:?}")
    }
}

/// The end of a message about a name that is none of these.
pub(crate) fn suggest<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = |other: &&str| distance(name, other) <= other.chars().count().div_ceil(3);
    let nearest = known
        .clone()
        .filter(near)
        .min_by_key(|other| distance(name, other));
    if let Some(nearest) = nearest {
        return format!("; did you mean `{nearest}`?");
    }
    let mut some: Vec<_> = known
        .take(MOST + 1)
        .map(|name| format!("`{name}`"))
        .collect();
    if some.len() > MOST {
        some[MOST] = "more".to_owned();
    }
    match some.is_empty() {
        true => String::new(),
        false => format!("; there is {}", some.join(", ")),
    }
}

/// How many characters to insert, remove or replace to make one the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    // The distances of what was read of `one` to each beginning of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for c in one.chars() {
        let mut before = row[0];
        row[0] += 1;
        for (i, d) in other.iter().enumerate() {
            let replaced = before + usize::from(c != *d);
            before = row[i + 1];
            row[i + 1] = replaced.min(before + 1).min(row[i] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_name_is_cut_between_characters() {
        assert_eq!(bounded("gpt-900"), "gpt-900");
        assert_eq!(bounded(&"é".repeat(64)), "é".repeat(64));
        assert_eq!(bounded(&"é".repeat(65)), format!("{}...", "é".repeat(64)));
    }

    #[test]
    fn the_nearest_name_is_suggested_and_else_some() {
        let known = ["qwen2", "llama3"];
        assert_eq!(
            suggest("qwenn2", known.into_iter()),
            "; did you mean `qwen2`?"
        );
        assert_eq!(
            suggest("lama3", known.into_iter()),
            "; did you mean `llama3`?"
        );
        assert_eq!(
            suggest("phi", known.into_iter()),
            "; there is `qwen2`, `llama3`"
        );
        assert_eq!(suggest("phi", [].into_iter()), "");
        let many: Vec<String> = (0..20).map(|i| format!("model-{i}")).collect();
        let list = suggest("phi", many.iter().map(String::as_str));
        assert!(list.ends_with("`model-7`, more"), "{list}");
    }

    #[test]
    fn keys_are_quoted_as_toml_has_them() {
        assert_eq!(quoted("qwen2"), "qwen2");
        assert_eq!(quoted("llama-3.1"), "\"llama-3.1\"");
        assert_eq!(quoted(""), "\"\"");
    }
}
