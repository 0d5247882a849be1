//! Whether two JSON values are alike, but for what varies.

use serde_json::Value;

/// Fails unless objects have the same members and values the same types. What is
/// `null` on one side may be anything on the other.
#[track_caller]
pub(super) fn assert_alike(shown: &Value, got: &Value) {
    if let Err(why) = alike("", shown, got) {
        panic!("{why}\nshown: {shown:#}\ngot: {got:#}");
    }
}

fn alike(path: &str, shown: &Value, got: &Value) -> Result<(), String> {
    match (shown, got) {
        (Value::Null, _) | (_, Value::Null) => Ok(()),
        (Value::Object(shown), Value::Object(got)) => {
            if !shown.keys().eq(got.keys()) {
                return Err(format!("`{path}` has other members"));
            }
            let mut pairs = shown.iter().zip(got.values());
            pairs.try_for_each(|((key, shown), got)| alike(&format!("{path}.{key}"), shown, got))
        }
        (Value::Array(shown), Value::Array(got)) => {
            let mut pairs = shown.iter().zip(got);
            pairs.try_for_each(|(shown, got)| alike(&format!("{path}[]"), shown, got))
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        _ => Err(format!("`{path}` has another type")),
    }
}

#[test]
fn what_varies_is_alike_and_what_is_missing_is_not() {
    let alike = |shown: &str, got: &str| {
        let value = |text| serde_json::from_str(text).unwrap();
        alike("", &value(shown), &value(got))
    };
    alike(r#"{"a": [1, 2], "b": null}"#, r#"{"b": "x", "a": [3]}"#).unwrap();
    alike(r#"{"a": 1}"#, r#"{"a": 1, "b": 1}"#).unwrap_err();
    alike(r#"{"a": {"b": 1}}"#, r#"{"a": {"b": "1"}}"#).unwrap_err();
}
