//! A filter's settings, from TOML to the JSON that filters read.

use serde_json::{Map, Number, Value as Json};
use toml::{Table, Value};

use crate::config::{Place, Problems};

pub(super) fn to_json(settings: &Table, at: &Place, problems: &mut Problems) -> Json {
    let entries: Map<_, _> = settings
        .iter()
        .map(|(key, value)| (key.clone(), value_to_json(value, &at.key(key), problems)))
        .collect();
    Json::Object(entries)
}

fn value_to_json(value: &Value, at: &Place, problems: &mut Problems) -> Json {
    match value {
        Value::String(text) => Json::String(text.clone()),
        Value::Integer(number) => Json::from(*number),
        Value::Float(number) => Number::from_f64(*number).map_or_else(
            || {
                refuse(
                    at,
                    format!("must be a finite number, got {number}"),
                    problems,
                )
            },
            Json::Number,
        ),
        Value::Boolean(truth) => Json::Bool(*truth),
        Value::Datetime(date) => refuse(
            at,
            format!("dates are not supported; write it as \"{date}\""),
            problems,
        ),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .map(|(i, value)| value_to_json(value, &at.index(i), problems))
            .collect(),
        Value::Table(table) => to_json(table, at, problems),
    }
}

fn refuse(at: &Place, message: String, problems: &mut Problems) -> Json {
    problems.push(at, message);
    Json::Null
}
