//! Counts the tokens of prompts as the model server will: by its `tokenizer.json`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longest text that is counted at once, bytes; a longer one is counted by a
/// thread that may take its time.
const AT_ONCE: usize = 512;

/// A model's tokenizer, as its `tokenizer.json` has it.
#[derive(Clone)]
pub struct Tokenizer {
    file: PathBuf,
    inner: Arc<tokenizers::Tokenizer>,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// Why it cannot be used, for people.
    pub fn load(file: &Path) -> Result<Self, String> {
        // Read apart from parsing, so that a file that is missing is called so.
        let json = std::fs::read(file)
            .map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
        let inner = tokenizers::Tokenizer::from_bytes(json)
            .map_err(|error| format!("`{}` is not a tokenizer.json: {error}", file.display()))?;
        Ok(Self {
            file: file.to_owned(),
            inner: Arc::new(inner),
        })
    }

    /// How many tokens a text has, with those that the model puts around it;
    /// `None` if the tokenizer cannot say.
    pub async fn count(&self, text: String) -> Option<u32> {
        if text.len() <= AT_ONCE {
            return count(&self.inner, &text);
        }
        let inner = Arc::clone(&self.inner);
        let counting = tokio::task::spawn_blocking(move || count(&inner, &text));
        counting.await.ok().flatten()
    }
}

fn count(tokenizer: &tokenizers::Tokenizer, text: &str) -> Option<u32> {
    let encoding = tokenizer.encode_fast(text, true).ok()?;
    u32::try_from(encoding.len()).ok()
}

/// Two are the same if they come from the same file: a reload reads it anew.
impl PartialEq for Tokenizer {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tokenizer").field(&self.file).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words, and no word for others.
    const WORDS: &str = r#"{
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null,
        "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "river": 1}, "unk_token": "[UNK]"}
    }"#;

    #[tokio::test]
    async fn tokens_are_counted_as_the_file_says_at_any_length() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokenizer.json");
        std::fs::write(&file, WORDS).unwrap();
        let tokenizer = Tokenizer::load(&file).unwrap();
        assert_eq!(tokenizer.count("a river".to_owned()).await, Some(2));
        assert_eq!(tokenizer.count("river ".repeat(5000)).await, Some(5000));
        assert_eq!(tokenizer.count(String::new()).await, Some(0));
    }

    #[test]
    fn a_file_that_is_none_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Tokenizer::load(&folder.path().join("none.json")).unwrap_err();
        assert!(missing.starts_with("cannot read `"), "{missing}");
        let file = folder.path().join("tokenizer.json");
        std::fs::write(&file, "{}").unwrap();
        let odd = Tokenizer::load(&file).unwrap_err();
        assert!(odd.contains("is not a tokenizer.json"), "{odd}");
    }
}
