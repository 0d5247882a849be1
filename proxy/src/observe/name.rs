//! Names of metrics: judged once, then spelled for Prometheus and for StatsD.
//! Whatever a label value holds, a StatsD name made here is one name.

use std::collections::HashSet;
use std::fmt;

/// Longest label value, bytes; the rest of a longer one is cut off.
pub(super) const MAX_VALUE: usize = 80;
/// Longest StatsD name without prefix, bytes, and all of its labels as tags: a line
/// of both fits a datagram.
const MAX_NAME: usize = 512;

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Counts up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A histogram of durations.
    Timer,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Timer => "timer",
        })
    }
}

/// A well-formed name and its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    dotted: String,
    words: Vec<Word>,
    labels: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Text(String),
    /// The label with this index.
    Label(usize),
}

impl Name {
    /// Judges a name and its labels; the error says what is wrong with them.
    pub(super) fn parse(dotted: &str, labels: &[String]) -> Result<Self, String> {
        check_labels(labels)?;
        let words = dotted
            .split('.')
            .map(|word| Word::parse(word, labels))
            .collect::<Result<Vec<_>, _>>()?;
        if !matches!(words.first(), Some(Word::Text(_))) {
            return Err("its first word must be plain".to_owned());
        }
        let name = Self {
            dotted: dotted.to_owned(),
            words,
            labels: labels.to_vec(),
        };
        let longest = dotted.len() + name.placed().count() * MAX_VALUE;
        if longest > MAX_NAME {
            return Err(format!(
                "it may become {longest} bytes long on StatsD, at most {MAX_NAME} are possible"
            ));
        }
        let tags = labels.iter().map(|label| label.len() + 2 + MAX_VALUE);
        let tags: usize = tags.sum();
        if tags > MAX_NAME {
            return Err(format!(
                "its labels may become {tags} bytes of tags on StatsD, at most {MAX_NAME} are possible"
            ));
        }
        Ok(name)
    }

    /// As it was registered.
    pub(super) fn dotted(&self) -> &str {
        &self.dotted
    }

    pub(super) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The first label that StatsD does not see.
    pub(super) fn unplaced_label(&self) -> Option<&str> {
        let placed: HashSet<usize> = self.placed().collect();
        (0..self.labels.len())
            .find(|index| !placed.contains(index))
            .map(|index| self.labels[index].as_str())
    }

    /// The name of the metric family, without the suffix that its kind adds.
    pub(super) fn prometheus(&self, kind: Kind) -> String {
        let mut family = "headworks".to_owned();
        for word in &self.words {
            if let Word::Text(text) = word {
                family.push('_');
                family.push_str(text);
            }
        }
        let suffix = match kind {
            Kind::Counter => "_total",
            Kind::Gauge => "",
            Kind::Timer => "_seconds",
        };
        family.strip_suffix(suffix).unwrap_or(&family).to_owned()
    }

    /// Every name that the metric occupies in a Prometheus exposition.
    pub(super) fn prometheus_samples(&self, kind: Kind) -> Vec<String> {
        let family = self.prometheus(kind);
        let suffixes: &[&str] = match kind {
            Kind::Counter => &["", "_total"],
            Kind::Gauge => &[""],
            Kind::Timer => &[
                "_seconds",
                "_seconds_bucket",
                "_seconds_count",
                "_seconds_sum",
            ],
        };
        suffixes
            .iter()
            .map(|suffix| format!("{family}{suffix}"))
            .collect()
    }

    /// How StatsD is told of one label set.
    pub(super) fn statsd(&self, values: &[&str]) -> Spelled {
        let words: Vec<_> = self.words.iter().map(|word| word.statsd(values)).collect();
        let texts: Vec<_> = self.words.iter().filter_map(Word::text).collect();
        let tags = self.labels.iter().zip(values);
        let tags: Vec<_> = tags.map(|(label, value)| tag(label, value)).collect();
        Spelled {
            whole: words.join("."),
            name: texts.join("."),
            tags: tags.join(","),
        }
    }

    fn placed(&self) -> impl Iterator<Item = usize> {
        self.words.iter().filter_map(|word| match word {
            Word::Label(index) => Some(*index),
            Word::Text(_) => None,
        })
    }
}

/// One label set on StatsD: as a name that holds its labels, and as a name with tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelled {
    pub(super) whole: String,
    pub(super) name: String,
    /// `model:qwen2,pool:a`; empty without labels.
    pub(super) tags: String,
}

/// A label as DogStatsD has it, whatever its value holds.
pub(super) fn tag(label: &str, value: &str) -> String {
    format!("{label}:{}", sanitised(value))
}

impl Word {
    fn parse(word: &str, labels: &[String]) -> Result<Self, String> {
        match word
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(label) => labels
                .iter()
                .position(|known| known == label)
                .map(Self::Label)
                .ok_or_else(|| format!("`{{{label}}}` names none of its labels")),
            None if is_word(word) => Ok(Self::Text(word.to_owned())),
            None => Err(format!(
                "`{word}` is neither a word of letters, digits and `_` nor a `{{label}}`"
            )),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Label(_) => None,
        }
    }

    fn statsd(&self, values: &[&str]) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Label(index) => sanitised(values[*index]),
        }
    }
}

/// At most `MAX_VALUE` bytes of a label value.
pub(super) fn bounded(value: &str) -> &str {
    &value[..value.floor_char_boundary(MAX_VALUE)]
}

/// One word of a StatsD name, whatever the value holds. What is not a letter,
/// digit, `-` or `_` means something to one StatsD daemon or another.
fn sanitised(value: &str) -> String {
    let harmless = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    if value.is_empty() {
        "_".to_owned()
    } else {
        bounded(value).chars().map(harmless).collect()
    }
}

fn check_labels(labels: &[String]) -> Result<(), String> {
    let mut seen = HashSet::new();
    for label in labels {
        if !is_word(label)
            || label.starts_with(|c: char| c.is_ascii_digit())
            || label.starts_with("__")
        {
            return Err(format!(
                "its label `{label}` must be letters, digits and `_`, not starting with a digit or `__`"
            ));
        }
        if label == "le" {
            return Err(
                "its label `le` is what Prometheus calls the bounds of buckets, choose another"
                    .to_owned(),
            );
        }
        if !seen.insert(label) {
            return Err(format!("its label `{label}` appears twice"));
        }
    }
    Ok(())
}

/// A plain word of a name.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(dotted: &str, labels: &[&str]) -> Result<Name, String> {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        Name::parse(dotted, &labels)
    }

    #[test]
    fn one_name_is_spelled_for_both() {
        let check = |dotted, kind, statsd: &str, prometheus: &[&str]| {
            let name = name(dotted, &["model"]).unwrap();
            assert_eq!(name.statsd(&["qwen2"]).whole, statsd);
            assert_eq!(name.prometheus_samples(kind), prometheus);
        };
        check(
            "requests.total",
            Kind::Counter,
            "requests.total",
            &["headworks_requests", "headworks_requests_total"],
        );
        check(
            "requests.model.{model}",
            Kind::Counter,
            "requests.model.qwen2",
            &["headworks_requests_model", "headworks_requests_model_total"],
        );
        check(
            "requests.model.{model}.input_tokens",
            Kind::Counter,
            "requests.model.qwen2.input_tokens",
            &[
                "headworks_requests_model_input_tokens",
                "headworks_requests_model_input_tokens_total",
            ],
        );
        check(
            "queue.depth",
            Kind::Gauge,
            "queue.depth",
            &["headworks_queue_depth"],
        );
        check(
            "request.latency",
            Kind::Timer,
            "request.latency",
            &[
                "headworks_request_latency_seconds",
                "headworks_request_latency_seconds_bucket",
                "headworks_request_latency_seconds_count",
                "headworks_request_latency_seconds_sum",
            ],
        );
    }

    #[test]
    fn a_malformed_name_is_refused_with_its_reason() {
        let check = |dotted: &str, labels: &[&str], reason: &str| {
            let problem = name(dotted, labels).unwrap_err();
            assert!(problem.contains(reason), "{dotted}: {problem}");
        };
        check("", &[], "`` is neither");
        check("requests..total", &[], "`` is neither");
        check("requests:1|c\nforged", &[], "is neither");
        check(
            "requests.{model}",
            &[],
            "`{model}` names none of its labels",
        );
        check("{model}.requests", &["model"], "first word must be plain");
        check("requests", &["le"], "`le`");
        check("requests", &["__name__"], "not starting with");
        check("requests", &["a b"], "`a b`");
        check("requests", &["model", "model"], "twice");
        check(&"long.".repeat(200), &[], "is neither");
        check(&["long"; 200].join("."), &[], "999 bytes");
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        check("requests", &many, "581 bytes of tags");
    }

    #[test]
    fn a_label_value_is_cut_between_characters() {
        assert_eq!(bounded(&"é".repeat(60)), "é".repeat(40));
        assert_eq!(bounded(&format!("a{}", "é".repeat(60))).len(), 79);
    }

    proptest! {
        #[test]
        fn no_label_value_forges_a_statsd_name(model in any::<String>(), pool in ".*[:|@#,.\n\r\0 ].*") {
            let name = name("requests.{model}.in.{pool}", &["model", "pool"]).unwrap();
            let Spelled { whole: statsd, name, tags } = name.statsd(&[&model, &pool]);
            prop_assert_eq!(name, "requests.in");
            let tags: Vec<_> = tags.split(',').collect();
            prop_assert!(tags.len() == 2 && tags.iter().all(|tag| tag.matches(':').count() == 1));
            prop_assert!(!tags.concat().contains(['|', '@', '#', '\n']));
            let words: Vec<_> = statsd.split('.').collect();
            prop_assert!(matches!(words[..], ["requests", _, "in", _]), "{statsd}");
            for word in words {
                prop_assert!(!word.is_empty() && word.len() <= MAX_VALUE);
                prop_assert!(word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            }
        }
    }
}
