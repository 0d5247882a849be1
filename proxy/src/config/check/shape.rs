//! Unknown keys and values of the wrong type, found by holding the document
//! against the schema. What does not fit is taken out, so that the rest can
//! be checked in the same run.

use serde_json::Value as Json;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use crate::config::{Place, Problems, schema, suggest};

/// Reports what in `document` does not fit the schema, and takes it out.
pub(super) fn fit(document: &mut DeTable<'_>, problems: &mut Problems) {
    fit_table(schema::json(), document, &Place::default(), problems);
}

/// Whether the value may stay.
fn fit_value(schema: &Json, value: &mut DeValue<'_>, at: &Place, problems: &mut Problems) -> bool {
    let forms = schema::forms(schema);
    let fitting: Vec<_> = forms
        .iter()
        .copied()
        .filter(|form| is_of(form, value))
        .collect();
    let Some(form) = fitting.first() else {
        problems.push(
            at,
            format!("must be {}, got {}", either(&forms), shown(value)),
        );
        return false;
    };
    match value {
        DeValue::Table(table) => fit_table(form, table, at, problems),
        DeValue::Array(array) => return fit_array(form, array, at, problems),
        DeValue::String(word) => return fit_word(&fitting, word, at, problems),
        DeValue::Integer(number) => return fit_number(form, number, at, problems),
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
    true
}

fn fit_table(form: &Json, table: &mut DeTable<'_>, at: &Place, problems: &mut Problems) {
    let known = schema::keys(form);
    let free = schema::free_values(form);
    let fits = |key: &str, value: &mut DeValue<'_>| {
        let place = at.key(key);
        let schema = known
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, schema)| *schema);
        match schema.or(free) {
            Some(Json::Bool(_)) => true,
            Some(schema) => fit_value(schema, value, &place, problems),
            None => {
                problems.push(
                    place,
                    format!(
                        "unknown key{}",
                        suggest(key, known.iter().map(|(name, _)| *name))
                    ),
                );
                false
            }
        }
    };
    keep_if(table, fits);
}

fn keep_if(table: &mut DeTable<'_>, mut fits: impl FnMut(&str, &mut DeValue<'_>) -> bool) {
    let entries = std::mem::replace(table, DeTable::new()).into_iter();
    *table = entries
        .filter_map(|(key, mut value)| fits(key.get_ref(), value.get_mut()).then_some((key, value)))
        .collect();
}

/// A list goes as a whole, so that the places of its elements stay true.
fn fit_array(form: &Json, array: &mut DeArray<'_>, at: &Place, problems: &mut Problems) -> bool {
    let mut fits = true;
    for (index, value) in array.iter_mut().enumerate() {
        fits &= fit_value(&form["items"], value.get_mut(), &at.index(index), problems);
    }
    fits
}

fn fit_word(forms: &[&Json], word: &str, at: &Place, problems: &mut Problems) -> bool {
    let words: Vec<_> = forms
        .iter()
        .filter_map(|form| form["const"].as_str())
        .collect();
    let fits = words.is_empty() || words.contains(&word);
    if !fits {
        problems.push(
            at,
            format!(
                "unknown word `{word}`{}",
                suggest(word, words.iter().copied())
            ),
        );
    }
    fits
}

fn fit_number(form: &Json, number: &DeInteger<'_>, at: &Place, problems: &mut Problems) -> bool {
    let value = i64::from_str_radix(number.as_str(), number.radix()).ok();
    let least = form["minimum"].as_i64().unwrap_or(i64::MIN);
    let most = form["maximum"].as_i64().unwrap_or(i64::MAX);
    let fits = value.is_some_and(|value| (least..=most).contains(&value));
    if !fits {
        problems.push(at, format!("must be from {least} to {most}, got {number}"));
    }
    fits
}

/// Whether a value is of a form. Dates are TOML's own, without quotes; a schema
/// calls them strings.
fn is_of(form: &Json, value: &DeValue<'_>) -> bool {
    let is_date = form["format"] == "date-time";
    match value {
        DeValue::Datetime(_) => is_date,
        _ => !is_date && form["type"] == type_name(value),
    }
}

/// The schema's name for the type of a value.
fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Datetime(_) => "date",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

/// What one may write: `a string or a list`.
fn either(forms: &[&Json]) -> String {
    let mut names: Vec<_> = forms.iter().map(|form| described(form)).collect();
    names.dedup();
    names.join(" or ")
}

fn described(form: &Json) -> String {
    let name = match form["type"].as_str() {
        Some("string") if form["format"] == "date-time" => "a date without quotes",
        Some("string") => "a string",
        Some("integer") => "an integer",
        Some("boolean") => "true or false",
        Some("array") => "a list",
        Some("object") => "a table",
        other => other.unwrap_or("a value"),
    };
    match &form["examples"][0] {
        Json::Null => name.to_owned(),
        example => format!("{name} such as {example}"),
    }
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string `{text}`"),
        DeValue::Integer(number) => format!("the integer {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(truth) => format!("{truth}"),
        DeValue::Datetime(date) => format!("the date {date}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
