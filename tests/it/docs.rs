//! The documents, held to their word: what a reader would type is typed, at a
//! gateway with stubs behind it, and configurations are loaded.
//!
//! What none of this can run is in `tests/data/docs/not_run.toml`, with the reason.

mod answers;
mod cargo;
mod commands;
mod configs;
mod coverage;
mod docker;
mod listed;
mod markdown;
mod room;
mod shell;

use std::collections::BTreeSet;
use std::thread;

use headworks_tests::gateway;

use listed::Listed;
use markdown::documents;
use room::{Demo, Room};

/// Fails with all that went wrong, not with the first.
#[track_caller]
fn assert_none(problems: impl IntoIterator<Item = String>) {
    let problems: Vec<_> = problems.into_iter().collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n\n"));
}

/// Documents are typed beside each other, for they mostly wait.
#[tokio::test]
async fn every_command_does_what_its_document_says() {
    let (demo, listed) = (Demo::start().await, Listed::read());
    let documents = documents();
    let steps = documents
        .iter()
        .map(|document| shell::steps(document, &listed));
    let steps: Vec<_> = steps.filter(|steps| !steps.is_empty()).collect();
    assert!(steps.len() > 5, "documents have no commands");
    let demo = &demo;
    let typed: Vec<_> = thread::scope(|scope| {
        let running = steps.iter().map(|steps| {
            let type_all = || shell::type_all(steps, &Room::new(demo));
            scope.spawn(type_all)
        });
        let running: Vec<_> = running.collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_none(typed.into_iter().filter_map(Result::err));
}

#[test]
fn every_command_in_prose_is_one() {
    // The changelog may name what is no more.
    let documents = documents().into_iter();
    let documents = documents.filter(|document| document.file != "CHANGELOG.md");
    let spans: BTreeSet<_> = documents.flat_map(|document| document.inline()).collect();
    let checked = spans.iter().filter_map(|span| {
        let words: Vec<_> = span.split_whitespace().collect();
        let result = match words.as_slice() {
            ["headworks", args @ ..] if !args.is_empty() => cargo::parsed(&gateway(), args),
            ["cargo", args @ ..] if !args.is_empty() => cargo::check(args),
            _ => return None,
        };
        Some(result.map_err(|why| format!("`{span}`: {why}")))
    });
    let checked: Vec<_> = checked.collect();
    assert!(checked.len() > 20, "{}", checked.len());
    assert_none(checked.into_iter().filter_map(Result::err));
}

#[test]
fn every_configuration_loads() {
    let documents = documents();
    let blocks: Vec<_> = documents.iter().flat_map(configs::of).collect();
    let (manifests, configs): (Vec<_>, Vec<_>) =
        blocks.iter().partition(|b| configs::is_manifest(b));
    assert!(configs.len() > 5 && manifests.len() > 1);
    let failed = configs.into_iter().filter_map(|block| {
        let why = configs::check(block).err()?;
        Some(format!("{}: {why}", block.place))
    });
    assert_none(failed);
    configs::check_manifest(&manifests).unwrap();
}
