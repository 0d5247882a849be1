//! The reference of the configuration file, `docs/CONFIG.md`, written from the
//! schema so that it cannot go stale.

use serde_json::Value as Json;

use super::schema;

const HEAD: &str = "\
# Configuration

<!-- Written by `headworks schema --markdown`; change proxy/src/config/file.rs instead. -->

`headworks check FILE` names everything that is wrong with a file, and `headworks schema` prints \
a JSON Schema that editors understand. `config/minimal.toml` is the smallest file that serves; \
`config/headworks.toml` shows every key at its default. A running gateway applies a changed file \
at once, except for the keys that need a restart.

";

/// The reference, as Markdown.
pub fn render() -> String {
    let mut page = Page(HEAD.to_owned());
    page.section(schema::json(), "Top level", "");
    page.0
}

struct Page(String);

impl Page {
    /// One table of the file, then the tables within it.
    fn section(&mut self, table: &Json, title: &str, path: &str) {
        self.0 += &format!("## {title}\n\n{}\n\n", sentence(table));
        self.0 += "| key | type | default | meaning |\n|---|---|---|---|\n";
        for (key, schema) in schema::keys(table) {
            self.row(key, schema, is_required(table, key));
        }
        for (key, schema) in schema::keys(table) {
            self.inner(schema, &join(path, key));
        }
    }

    fn row(&mut self, key: &str, schema: &Json, required: bool) {
        let default = match &schema["default"] {
            _ if required => "required".to_owned(),
            Json::Null | Json::Object(_) => String::new(),
            value => format!("`{value}`"),
        };
        self.0 += &format!(
            "| `{key}` | {} | {default} | {} |\n",
            kinds(schema),
            meaning(schema)
        );
    }

    fn inner(&mut self, schema: &Json, path: &str) {
        for form in schema::forms(schema) {
            let inside = schema::free_values(form)
                .or(form.get("items"))
                .and_then(schema::table);
            let (table, path, title) = match inside {
                Some(table) if form["type"] == "array" => {
                    (table, path.to_owned(), format!("[[{path}]]"))
                }
                Some(table) => (table, format!("{path}.<name>"), format!("[{path}.<name>]")),
                None => (form, path.to_owned(), format!("[{path}]")),
            };
            if !schema::keys(table).is_empty() {
                self.0 += "\n";
                self.section(table, &format!("`{title}`"), &path);
            }
        }
    }
}

fn is_required(table: &Json, key: &str) -> bool {
    table["required"]
        .as_array()
        .is_some_and(|keys| keys.iter().any(|required| required == key))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn sentence(schema: &Json) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_default()
        .replace('\n', " ")
}

/// What the key means, and what each of the words it takes does.
fn meaning(schema: &Json) -> String {
    schema::forms(schema)
        .into_iter()
        .flat_map(|form| form.get("items").map_or_else(|| vec![form], schema::forms))
        .filter_map(|form| Some((form["const"].as_str()?, sentence(form))))
        .fold(sentence(schema), |text, (word, means)| {
            format!("{text}<br>`{word}`: {means}")
        })
}

fn kinds(schema: &Json) -> String {
    let mut names: Vec<_> = schema::forms(schema)
        .into_iter()
        .map(|form| kind(schema, form))
        .collect();
    names.dedup();
    names.join(" or ")
}

fn kind(schema: &Json, form: &Json) -> String {
    let unit = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next());
    match (unit, form["type"].as_str()) {
        (Some("Time"), _) => "time".to_owned(),
        (Some("Size"), _) => "size".to_owned(),
        (_, Some("string")) if form.get("const").is_some() => "word".to_owned(),
        (_, Some("string")) if form["format"] == "date-time" => "date".to_owned(),
        (_, Some("array")) => format!("list of {}", kinds(&form["items"])),
        (_, Some("object")) => "table".to_owned(),
        (_, other) => other.unwrap_or("any").to_owned(),
    }
}
