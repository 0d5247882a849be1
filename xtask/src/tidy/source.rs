//! The files that rules read: every text, and Rust code as tokens, in which
//! comments and strings cannot be mistaken for code.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use super::Finding;
use crate::workspace::Workspace;

/// Every file of the repository that is text.
pub(super) struct Sources {
    pub(super) texts: Vec<Text>,
    pub(super) code: Vec<Code>,
    /// Files, and the folders that hold them, from the top.
    pub(super) names: HashSet<PathBuf>,
}

/// A file as text.
pub(super) struct Text {
    pub(super) file: PathBuf,
    pub(super) content: String,
}

/// A file of Rust.
pub(super) struct Code {
    pub(super) file: PathBuf,
    pub(super) lines: usize,
    pub(super) tokens: Vec<Token>,
}

/// An identifier, a punctuation mark, a literal or a bracket.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// Counts from 1.
    pub(super) line: usize,
}

impl Sources {
    /// Reads what git knows and what it will be told.
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let files = workspace.files()?;
        let names = files
            .iter()
            .flat_map(|file| file.ancestors())
            .map(Path::to_owned)
            .collect();
        let mut sources = Self {
            texts: Vec::new(),
            code: Vec::new(),
            names,
        };
        for file in files {
            let bytes = std::fs::read(workspace.root.join(&file))?;
            let Ok(content) = String::from_utf8(bytes) else {
                continue;
            };
            if file.extension().is_some_and(|extension| extension == "rs") {
                sources.code.push(Code::parse(&file, &content)?);
            }
            sources.texts.push(Text { file, content });
        }
        Ok(sources)
    }
}

impl Text {
    /// Lines with their numbers, counted from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.content
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// A finding in this file.
    pub(super) fn finding(&self, line: usize, rule: &'static str, advice: String) -> Finding {
        Finding {
            file: self.file.clone(),
            line,
            rule,
            advice,
        }
    }
}

impl Token {
    fn new(text: impl Into<String>, span: Span) -> Self {
        Self {
            text: text.into(),
            line: span.start().line,
        }
    }
}

impl Code {
    /// Splits Rust into tokens.
    pub(super) fn parse(file: &Path, content: &str) -> Result<Self> {
        let stream = content.parse::<TokenStream>().map_err(|error| {
            anyhow!("{}:{}: {error}", file.display(), error.span().start().line)
        })?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        Ok(Self {
            file: file.to_owned(),
            lines: content.lines().count(),
            tokens,
        })
    }

    /// A finding in this file.
    pub(super) fn finding(&self, line: usize, rule: &'static str, advice: String) -> Finding {
        Finding {
            file: self.file.clone(),
            line,
            rule,
            advice,
        }
    }

    /// Lines where these tokens stand in a row.
    pub(super) fn find<'a>(&'a self, row: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
        self.tokens
            .windows(row.len())
            .filter(move |window| {
                window
                    .iter()
                    .zip(row)
                    .all(|(token, text)| token.text == *text)
            })
            .map(|window| window[0].line)
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                tokens.push(Token::new(open, group.span_open()));
                flatten(group.stream(), tokens);
                tokens.push(Token::new(close, group.span_close()));
            }
            leaf => tokens.push(Token::new(leaf.to_string(), leaf.span())),
        }
    }
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

#[cfg(test)]
pub(super) fn code(file: &str, content: &str) -> Code {
    Code::parse(Path::new(file), content).unwrap()
}

#[cfg(test)]
pub(super) fn text(file: &str, content: &str) -> Text {
    Text {
        file: PathBuf::from(file),
        content: content.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_no_code() {
        let code = code(
            "a.rs",
            "// unsafe\n/* unsafe */ fn a() { let b = \"unsafe\"; }\nunsafe fn c() {}",
        );
        assert_eq!(code.find(&["unsafe"]).collect::<Vec<_>>(), [3]);
    }
}
