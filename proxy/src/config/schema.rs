//! The JSON Schema of `file::Config`: one description of the file for
//! editors, for `docs/CONFIG.md` and for the check of its shape.

use std::sync::LazyLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value as Json;

use super::file;

static SCHEMA: LazyLock<Json> = LazyLock::new(|| {
    let settings = SchemaSettings::draft2020_12().with_transform(WithoutNull);
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<file::Config>();
    schema.insert("title".into(), "Headworks".into());
    schema.to_value()
});

/// The schema, as JSON.
pub fn json() -> &'static Json {
    &SCHEMA
}

/// TOML has no null: a value that may be absent is left out.
#[derive(Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some([one, Json::String(null)]) = schema
            .get("type")
            .and_then(Json::as_array)
            .map(Vec::as_slice)
            && null == "null"
        {
            let one = one.clone();
            schema.insert("type".into(), one);
        }
        if let Some([one, null]) = schema
            .get("anyOf")
            .and_then(Json::as_array)
            .map(Vec::as_slice)
            && null["type"] == "null"
            && let Some(one) = one.as_object().cloned()
        {
            schema.remove("anyOf");
            schema.ensure_object().extend(one);
        }
        if schema.get("default").is_some_and(Json::is_null) {
            schema.remove("default");
        }
        transform_subschemas(self, schema);
    }
}

/// What one part of the schema allows: usually one form, several for a value
/// that can be written in several ways.
pub(super) fn forms(schema: &Json) -> Vec<&Json> {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.strip_prefix("#/$defs/"))
    {
        return forms(&SCHEMA["$defs"][name]);
    }
    match schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        Some(several) => several.iter().flat_map(forms).collect(),
        None => vec![schema],
    }
}

/// The table among the forms of a schema.
pub(super) fn table(schema: &Json) -> Option<&Json> {
    forms(schema)
        .into_iter()
        .find(|form| form["type"] == "object")
}

/// The keys a table may have, sorted, with the schema of each.
pub(super) fn keys(table: &Json) -> Vec<(&str, &Json)> {
    let mut keys: Vec<_> = table["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, schema)| (key.as_str(), schema))
        .collect();
    // Sorted here: the order of a JSON object depends on a feature of serde_json.
    keys.sort_by_key(|(key, _)| *key);
    keys
}

/// The schema of every value of a table whose keys are free.
pub(super) fn free_values(table: &Json) -> Option<&Json> {
    Some(&table["additionalProperties"])
        .filter(|schema| schema.is_object() || **schema == Json::Bool(true))
}
