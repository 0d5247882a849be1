//! Text with a place for the prompt.

const PLACE: &str = "{inputs}";

/// What stands before and after the prompt.
pub(crate) struct Template {
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Template {
    /// Reads text that has `{inputs}` once.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some((before, after)) = text.split_once(PLACE) else {
            return Err(format!("needs `{PLACE}`, where the prompt is put"));
        };
        if after.contains(PLACE) {
            return Err(format!("has `{PLACE}` more than once"));
        }
        Ok(Self {
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_has_one_place() {
        let template = Template::parse("Q: {inputs}\nA {x}:").unwrap();
        assert_eq!((&*template.before, &*template.after), ("Q: ", "\nA {x}:"));
        let problem = |text| Template::parse(text).err();
        assert_eq!(
            problem("Summarize {input}").as_deref(),
            Some("needs `{inputs}`, where the prompt is put")
        );
        assert_eq!(
            problem("{inputs} {inputs}").as_deref(),
            Some("has `{inputs}` more than once")
        );
    }
}
