//! The body of a mock request, and where each API keeps things in it.

use serde_json::{Map, Value};

/// A JSON body, read and changed as the gateway would for its API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub(crate) api: String,
    pub(crate) json: Value,
}

impl Body {
    /// Keeps parameters in an object of their own, as TGI and the unified API do.
    fn has_parameters(&self) -> bool {
        !self.api.starts_with("openai.")
    }

    /// Where a generation parameter may stand, by its TGI name; preferred first.
    fn keys(&self, name: &str) -> Vec<&str> {
        match name {
            "max_new_tokens" if self.api == "openai.chat" => {
                vec!["max_completion_tokens", "max_tokens"]
            }
            "max_new_tokens" => vec!["max_tokens"],
            "temperature" => vec!["temperature"],
            "top_p" => vec!["top_p"],
            "seed" => vec!["seed"],
            "stop" => vec!["stop"],
            "frequency_penalty" => vec!["frequency_penalty"],
            _ => vec![],
        }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&Value> {
        if self.has_parameters() {
            return self.json.get("parameters")?.get(name);
        }
        self.keys(name)
            .into_iter()
            .find_map(|key| self.json.get(key))
    }

    pub(crate) fn set_parameter(&mut self, name: &str, value: Value) -> Result<(), String> {
        if self.has_parameters() {
            let parameters = self
                .members()
                .entry("parameters")
                .or_insert_with(|| Map::new().into());
            parameters[name] = value;
            return Ok(());
        }
        let keys = self.keys(name);
        let used = keys.iter().find(|key| self.json.get(**key).is_some());
        let Some(key) = used.or(keys.first()).map(ToString::to_string) else {
            return Err(format!("`{}` has no `{name}`", self.api));
        };
        self.members().insert(key, value);
        Ok(())
    }

    /// Sets a value whose parent is there.
    pub(crate) fn set(&mut self, pointer: &str, value: Value) -> Result<(), String> {
        let nowhere = || format!("there is no place `{pointer}` in the body");
        if let Some(place) = self
            .json
            .pointer_mut(pointer)
            .filter(|_| !pointer.is_empty())
        {
            *place = value;
            return Ok(());
        }
        let (parent, key) = pointer.rsplit_once('/').ok_or_else(nowhere)?;
        let parent = self.json.pointer_mut(parent).and_then(Value::as_object_mut);
        let key = key.replace("~1", "/").replace("~0", "~");
        parent.ok_or_else(nowhere)?.insert(key, value);
        Ok(())
    }

    pub(crate) fn wrap_prompt(&mut self, before: &str, after: &str) -> Result<(), String> {
        let key = if self.api == "openai.completions" {
            "prompt"
        } else {
            "inputs"
        };
        let Some(Value::String(prompt)) = self.json.get_mut(key) else {
            return Err(format!("`{}` has no prompt that is one text", self.api));
        };
        *prompt = format!("{before}{prompt}{after}");
        Ok(())
    }

    /// Whether a pointer leads to prompt content.
    pub(crate) fn is_content(pointer: &str) -> bool {
        let first = pointer
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default();
        matches!(first, "inputs" | "prompt" | "messages" | "suffix")
    }

    fn members(&mut self) -> &mut Map<String, Value> {
        self.json
            .as_object_mut()
            .expect("the body of a mock request is an object")
    }
}
