//! What is wrong with settings, by path.

use headworks_sdk::prelude::*;

#[config(check)]
struct Config {
    header: String,
    #[serde(default)]
    models: BTreeMap<String, Model>,
    #[serde(default = "one")]
    weights: Vec<u32>,
}

#[config]
struct Model {
    pool: String,
    #[serde(default)]
    share: f64,
}

fn one() -> Vec<u32> {
    vec![1]
}

impl Config {
    fn check(&self, problems: &mut Problems) {
        for (name, model) in &self.models {
            problems.check(format!("models.{name}.pool"), setup::uses_pool(&model.pool));
            if model.share > 1.0 {
                let message = format!("must be at most 1, got {}", model.share);
                problems.add(format!("models.{name}.share"), message);
            }
        }
    }
}

#[on_request]
fn weighted(request: &mut Request, config: &Config) -> Verdict {
    request.tag("weights", &format!("{:?}", config.weights));
    request.tag("header", &config.header);
    Verdict::Next
}

fn check(settings: Value, problems: &[&str]) {
    let gateway = testing::gateway().pool("gpu", &[]);
    let found = gateway.load::<Weighted>(settings).unwrap_err();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, problems);
}

#[test]
fn a_wrong_type_is_named_with_its_path() {
    check(
        json!({"header": "x", "models": {"llama3": {"pool": 7}}}),
        &["models.llama3.pool: invalid type: integer `7`, expected a string"],
    );
    check(
        json!({"header": "x", "weights": [1, -1]}),
        &["weights[1]: invalid value: integer `-1`, expected u32"],
    );
}

#[test]
fn a_missing_key_is_named() {
    check(json!({}), &["missing field `header`"]);
    check(
        json!({"header": "x", "models": {"llama3": {}}}),
        &["models.llama3: missing field `pool`"],
    );
}

#[test]
fn an_unknown_key_is_refused_at_any_depth() {
    check(
        json!({"header": "x", "weihgts": []}),
        &["weihgts: unknown field `weihgts`, expected one of `header`, `models`, `weights`"],
    );
    check(
        json!({"header": "x", "models": {"llama3": {"pool": "gpu", "shaer": 1}}}),
        &["models.llama3.shaer: unknown field `shaer`, expected `pool` or `share`"],
    );
}

#[test]
fn everything_that_the_author_checks_is_told_at_once() {
    check(
        json!({"header": "x", "models": {"llama3": {"pool": "gpuu", "share": 2.5}}}),
        &[
            "models.llama3.pool: no pool `gpuu`; there are: gpu",
            "models.llama3.share: must be at most 1, got 2.5",
        ],
    );
}

#[test]
fn what_is_left_out_takes_its_default() {
    let mut host = testing::host::<Weighted>(json!({"header": "x"})).unwrap();
    let answer = host.chat("llama3").send();
    assert_eq!(answer.tags()["weights"], "[1]");
    assert_eq!(answer.tags()["header"], "x");
}

#[on_request]
fn plain(_request: &mut Request) -> Verdict {
    Verdict::Next
}

#[test]
fn a_filter_without_settings_takes_none() {
    testing::host::<Plain>(json!({})).unwrap();
    let problems = testing::host::<Plain>(json!({"pool": "gpu"})).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "pool: unknown field `pool`, there are no fields"
    );
}
