//! Text to document. A syntax error names its line and column and shows it.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, Error};

use crate::config::Problems;

pub(super) fn document<'text>(
    text: &'text str,
    origin: &Path,
) -> Result<Spanned<DeTable<'text>>, Problems> {
    let (document, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let mut problems = Problems::new(origin);
    for error in &errors {
        report(error, text, &mut problems);
    }
    problems.into_result(document)
}

/// Adds the error to the problems, with the line it is about.
pub(super) fn report(error: &Error, text: &str, problems: &mut Problems) {
    let offset = error.span().map_or(text.len(), |span| span.start);
    let (before, after) = text.split_at(text.floor_char_boundary(offset));
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let (lines_before, left) = before.split_at(start);
    let right = after.lines().next().unwrap_or_default();

    let place = format!(
        "line {}, column {}",
        lines_before.matches('\n').count() + 1,
        left.chars().count() + 1
    );
    // Tabs stay tabs, so that the caret stands below its character.
    let indent: String = left
        .chars()
        .map(|c| if c == '\t' { c } else { ' ' })
        .collect();
    let message = error.message().replace('\n', ", ");
    problems.push(
        place,
        format!("{message}\n    | {left}{right}\n    | {indent}^"),
    );
}
