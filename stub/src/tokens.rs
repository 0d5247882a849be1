//! The stub's tokenizer: four bytes a token, never splitting a character.

use serde::Serialize;

/// Bytes of a prompt that count as one token.
pub(crate) const BYTES_PER_TOKEN: usize = 4;

/// Tokens of a text.
pub(crate) fn count(text: &str) -> u32 {
    u32::try_from(text.len().div_ceil(BYTES_PER_TOKEN)).unwrap_or(u32::MAX)
}

/// One token of a prompt, as `/tokenize` shows it; positions count characters.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PromptToken<'a> {
    /// Stands for the token's text.
    pub id: u32,
    /// The part of the prompt.
    pub text: &'a str,
    /// First character.
    pub start: usize,
    /// Character after the last.
    pub stop: usize,
}

/// Splits a text into as many tokens as `count` says.
pub(crate) fn split(text: &str) -> impl Iterator<Item = PromptToken<'_>> {
    let mut start = 0;
    (0..text.len().div_ceil(BYTES_PER_TOKEN)).map(move |index| {
        let from = text.floor_char_boundary(index * BYTES_PER_TOKEN);
        let part = &text[from..text.floor_char_boundary((index + 1) * BYTES_PER_TOKEN)];
        let stop = start + part.chars().count();
        let id = part
            .bytes()
            .fold(0, |id, byte| (id * 31 + u32::from(byte)) % 32_000);
        let token = PromptToken {
            id,
            text: part,
            start,
            stop,
        };
        start = stop;
        token
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_make_the_text_again() {
        for text in ["", "a", "four", "Zürich am Abend", "日本語のテキスト🙂"] {
            let tokens: Vec<_> = split(text).collect();
            assert_eq!(tokens.len(), count(text) as usize);
            assert_eq!(
                tokens.iter().map(|token| token.text).collect::<String>(),
                text
            );
            assert_eq!(
                tokens.last().map_or(0, |token| token.stop),
                text.chars().count()
            );
        }
    }
}
