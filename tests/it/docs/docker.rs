//! Docker is not run; what its commands name is looked for in its files.

use std::collections::BTreeSet;
use std::fs;

use headworks_tests::root;

use super::assert_none;
use super::listed::Listed;
use super::markdown::{Document, documents};

#[test]
fn docker_is_told_what_its_files_have() {
    let read = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    let (compose, image) = (read("docker-compose.yml"), read("Dockerfile"));
    let documents = documents();
    let in_prose = documents.iter().flat_map(Document::inline);
    let listed = Listed::read();
    let commands = listed.commands().map(str::to_owned).chain(in_prose);
    let commands: BTreeSet<_> = commands.filter(|text| text.contains("docker ")).collect();
    assert!(commands.len() > 10, "{commands:?}");
    let mut missing = Vec::new();
    for command in &commands {
        for (place, name) in named(command) {
            let there = match place {
                Place::Service => compose.contains(&format!("\n  {name}:\n")),
                Place::Profile => compose.contains(&format!("profiles: [{name}]")),
                Place::Variable => compose.contains(&format!("${{{name}:-")),
                Place::Target => image.contains(&format!(" AS {name}\n")),
            };
            if !there {
                missing.push(format!("`{command}`: no {place:?} has the name {name}"));
            }
        }
    }
    assert_none(missing);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Service,
    Profile,
    Variable,
    Target,
}

/// What a command names.
fn named(command: &str) -> Vec<(Place, &str)> {
    let command = command.split(" | ").next().unwrap_or_default();
    let words: Vec<_> = command.split(' ').collect();
    let variables = words.iter().map_while(|word| word.split_once('='));
    let mut named: Vec<_> = variables.map(|(name, _)| (Place::Variable, name)).collect();
    for pair in words.windows(2) {
        match pair[0] {
            "--profile" => named.push((Place::Profile, pair[1])),
            "--target" => named.push((Place::Target, pair[1])),
            _ => {}
        }
    }
    let verb = words
        .iter()
        .position(|word| ["logs", "stop"].contains(word));
    if command.contains("docker compose ")
        && let Some(verb) = verb
    {
        let services = words[verb + 1..]
            .iter()
            .filter(|word| !word.starts_with('-'));
        named.extend(services.map(|name| (Place::Service, *name)));
    }
    named
}

#[test]
fn names_are_found_in_commands() {
    assert_eq!(
        named("A=1 docker compose --profile demo logs --follow qwen2 llama3 | grep b"),
        [
            (Place::Variable, "A"),
            (Place::Profile, "demo"),
            (Place::Service, "qwen2"),
            (Place::Service, "llama3"),
        ]
    );
    assert_eq!(
        named("docker build --target gateway ."),
        [(Place::Target, "gateway")]
    );
}
