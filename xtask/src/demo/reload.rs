//! The chapter on reload: the router's settings change under traffic, again
//! and again, then a broken configuration is written and refused.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::client::{Client, request};
use super::traffic::Traffic;
use crate::process::wait_for;
use crate::stage::{MODELS, Stage};
use crate::ui::{heading, human};

/// Even, so that the last one leads back to the first model.
const SWAPS: usize = 6;
/// The model id whose pool the chapter changes.
const ALIAS: &str = "assistant";
/// Far more than a reload takes; only the message depends on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tells the chapter.
pub(super) fn tell(stage: &mut Stage) -> Result<()> {
    heading("A filter reloaded under traffic");
    let client = Client::new(&stage.gateway, &stage.admin);
    let before = generation(&client)?;
    println!(
        "generation {before} is live; requests to {} keep running",
        MODELS.join(" and ")
    );
    let traffic = Traffic::start(&client);
    for swap in 0..SWAPS {
        // The file begins with the first model, so the first swap goes to the other.
        swap_alias(stage, &client, MODELS[(swap + 1) % MODELS.len()])?;
    }
    refuse_a_broken_one(stage, &client)?;
    // The last good one went to the first model, so this is a change again.
    swap_alias(stage, &client, MODELS[1])?;
    let count = traffic.stop()?;
    println!("generation {before} before, {} now", generation(&client)?);
    println!(
        "{} requests answered meanwhile, {} failed",
        count.answered,
        count.failures.len()
    );
    ensure!(
        count.failures.is_empty(),
        "a request failed under reload: {}",
        count.failures[0]
    );
    ensure!(count.answered > 0, "no request ran under the reload");
    Ok(())
}

fn swap_alias(stage: &mut Stage, client: &Client, pool: &str) -> Result<()> {
    let before = generation(client)?;
    route_alias(stage, pool)?;
    let written = Instant::now();
    let live = wait_for(PATIENCE, || {
        Ok(Some(generation(client)?).filter(|now| *now > before))
    })?
    .with_context(|| {
        format!(
            "generation {before} is still live {} after the write",
            human(PATIENCE)
        )
    })?;
    println!(
        "  `{ALIAS}` -> {pool}: generation {live} live after {}",
        human(written.elapsed())
    );
    client
        .generate(&request(ALIAS, "Who are you?"))?
        .expect_from(pool)
}

fn refuse_a_broken_one(stage: &mut Stage, client: &Client) -> Result<()> {
    const MISSING: &str = "qwenn2";
    let before = generation(client)?;
    route_alias(stage, MISSING)?;
    let reason = wait_for(PATIENCE, || Ok(complaint(&state(client)?, MISSING)))?
        .with_context(|| format!("/generation does not say why `{MISSING}` was refused"))?;
    println!("  `{ALIAS}` -> {MISSING}: refused, because\n    {reason}");
    ensure!(
        generation(client)? == before,
        "a broken configuration went live"
    );
    client
        .generate(&request(ALIAS, "Still there?"))?
        .expect_from(MODELS[0])
}

fn route_alias(stage: &mut Stage, pool: &str) -> Result<()> {
    let settings = stage.config.settings("router")?;
    let model = settings
        .get_mut("models")
        .and_then(|models| models.get_mut(ALIAS))
        .and_then(toml::Value::as_table_mut);
    let model =
        model.with_context(|| format!("the router has no model `{ALIAS}` in its settings"))?;
    model.insert("pool".to_owned(), toml::Value::from(pool));
    stage.config.rewrite()
}

fn state(client: &Client) -> Result<Value> {
    Ok(serde_json::from_str(&client.admin("/generation")?)?)
}

/// The number of the live generation.
fn generation(client: &Client) -> Result<u64> {
    state(client)?["id"]
        .as_u64()
        .context("/generation has no number `id`")
}

/// The first text anywhere in the state that mentions `word`.
fn complaint(state: &Value, word: &str) -> Option<String> {
    match state {
        Value::String(text) => text.contains(word).then(|| text.clone()),
        Value::Array(items) => items.iter().find_map(|item| complaint(item, word)),
        Value::Object(fields) => fields.values().find_map(|field| complaint(field, word)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_reason_is_found_wherever_it_stands() {
        let state = json!({"id": 3, "last_error": {"problems": ["filters[0]: no pool `qwenn2`"]}});
        assert_eq!(
            complaint(&state, "qwenn2").as_deref(),
            Some("filters[0]: no pool `qwenn2`")
        );
        assert_eq!(complaint(&state, "phi"), None);
    }
}
