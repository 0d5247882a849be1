//! What a reader types, taken out of a block, with what is shown as the answer.

use super::markdown::Block;

/// Something to type.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    /// As it stands there, without comments.
    pub(super) text: String,
    /// What the block shows below it, if it is a `console`.
    pub(super) answer: Option<String>,
}

impl Typed {
    /// On one line, with single spaces: how the list names it.
    pub(super) fn name(&self) -> String {
        let one_line = self.text.replace("\\\n", " ");
        one_line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The program that is called first.
    pub(super) fn program(&self) -> String {
        let name = self.name();
        let is_assigned = |word: &&str| word.contains('=') && !word.contains("=$(");
        let word = name.split(' ').find(|word| !is_assigned(word));
        let word = word.unwrap_or_default();
        word.split_once("=$(")
            .map_or(word, |(_, program)| program)
            .to_owned()
    }
}

/// The commands of a block.
pub(super) fn of(block: &Block) -> Vec<Typed> {
    if block.language == "console" {
        sessions(&block.text)
    } else {
        split(&block.text)
    }
}

/// `$ command`, lines that go on with it, and what it prints.
fn sessions(text: &str) -> Vec<Typed> {
    let mut sessions: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            sessions.push((format!("{command}\n"), String::new()));
            continue;
        }
        let (command, answer) = sessions.last_mut().expect("a session begins with `$ `");
        let goes_on = answer.is_empty() && command.ends_with("\\\n");
        let part = if goes_on { command } else { answer };
        part.push_str(line);
        part.push('\n');
    }
    let typed = sessions.into_iter().map(|(command, answer)| {
        let mut typed = split(&command).pop().expect("a command stands behind `$ `");
        typed.answer = Some(answer.trim_end().to_owned()).filter(|answer| !answer.is_empty());
        typed
    });
    typed.collect()
}

/// Splits a script where its commands end: at the end of a line, unless a quote
/// or a loop is open, or the line ends with a backslash.
fn split(script: &str) -> Vec<Typed> {
    let mut commands = Vec::new();
    let mut text = String::new();
    for line in script.lines() {
        text.push_str(without_comment(&text, line));
        let open = text.ends_with('\\') || quote(&text).is_some() || is_open_loop(&text);
        if open {
            text.push('\n');
        } else if !text.trim().is_empty() {
            commands.push(Typed {
                text: std::mem::take(&mut text),
                answer: None,
            });
        }
    }
    assert!(text.trim().is_empty(), "a command without an end: {text}");
    commands
}

fn is_open_loop(text: &str) -> bool {
    text.starts_with("for ") && !text.ends_with("\ndone")
}

/// The line up to a `#` that is not quoted.
fn without_comment<'a>(before: &str, line: &'a str) -> &'a str {
    let is_comment = |(at, _): &(usize, &str)| {
        let ahead = &line[..*at];
        let stands_alone = ahead.is_empty() || ahead.ends_with(' ');
        stands_alone && quote(&format!("{before}{ahead}")).is_none()
    };
    let comment = line.match_indices('#').find(is_comment);
    line[..comment.map_or(line.len(), |(at, _)| at)].trim_end()
}

/// The quote that is open at the end of a text.
fn quote(text: &str) -> Option<char> {
    text.chars().fold(None, |open, c| match open {
        Some(quote) if quote == c => None,
        None if c == '\'' || c == '"' => Some(c),
        open => open,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(language: &str, text: &str) -> Vec<Typed> {
        of(&Block {
            place: "here".to_owned(),
            language: language.to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn lines_that_go_on_are_one_command_and_comments_are_none() {
        let script = "# first\nA=1 curl x \\\n  -d '{\"a\":\n 1} # no comment'   # b\n\nfor a in b; do\n  c\ndone\nK=$(headworks keys)\n";
        let typed = typed("sh", script);
        let names: Vec<_> = typed.iter().map(Typed::name).collect();
        assert_eq!(
            names,
            [
                "A=1 curl x -d '{\"a\": 1} # no comment'",
                "for a in b; do c done",
                "K=$(headworks keys)",
            ]
        );
        let programs: Vec<_> = typed.iter().map(Typed::program).collect();
        assert_eq!(programs, ["curl", "for", "headworks"]);
    }

    #[test]
    fn a_session_has_commands_and_answers() {
        let typed = typed("console", "$ a \\\n  b\nsaid\n\nmore\n\n$ c\n");
        assert_eq!(typed[0].name(), "a b");
        assert_eq!(typed[0].answer.as_deref(), Some("said\n\nmore"));
        assert_eq!((typed[1].name().as_str(), &typed[1].answer), ("c", &None));
    }
}
