//! Guesses what a mistyped word was meant to be.

/// How alike two words must be, from 0 to 1, for one to be a typo of the other.
const ALIKE: f64 = 0.8;

/// The candidate that `word` is most likely a typo of.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// The end of a message about an unknown `word`: the likely candidate, or
/// else all there are.
///
/// ```
/// use headworks::config::suggest;
/// assert_eq!(suggest("gpu-poool", ["gpu-pool", "cpu"]), "; did you mean `gpu-pool`?");
/// assert_eq!(suggest("tpu-7", ["gpu", "asic"]), "; there is `gpu`, `asic`");
/// ```
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(candidate) = did_you_mean(word, candidates.clone()) {
        return format!("; did you mean `{candidate}`?");
    }
    let all: Vec<_> = candidates
        .into_iter()
        .map(|candidate| format!("`{candidate}`"))
        .collect();
    if all.is_empty() {
        String::new()
    } else {
        format!("; there is {}", all.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_closest_word_and_nothing_for_a_foreign_one() {
        let known = ["model-router", "token-limits", "load-shaper", "telemetry"];
        assert_eq!(did_you_mean("modelrouter", known), Some("model-router"));
        assert_eq!(did_you_mean("token-limit", known), Some("token-limits"));
        assert_eq!(did_you_mean("zebra", known), None);
    }
}
