//! What can be asked of `headworks bench`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytesize::ByteSize;

/// Questions that users ask where no file has any.
const PROMPTS: [&str; 4] = [
    "What is a headworks?",
    "Explain continuous batching in two sentences.",
    "Write a haiku about rivers.",
    "Summarise: a gateway stands between clients and model servers.",
];

/// Who asks what, how long, and what is expected.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where the gateway listens for clients
    #[arg(long, value_name = "URL", default_value = "http://localhost:8000")]
    pub url: String,
    /// The API key, if the gateway wants one
    #[arg(
        long,
        value_name = "KEY",
        env = "HEADWORKS_API_KEY",
        hide_env_values = true
    )]
    pub key: Option<String>,
    /// Models that are asked, each user one after another
    #[arg(
        long,
        value_name = "MODEL,...",
        value_delimiter = ',',
        default_value = "qwen2,llama3"
    )]
    pub models: Vec<String>,
    /// Scenarios that requests name, one after another
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        default_value = "chat"
    )]
    pub scenarios: Vec<String>,
    /// A file with prompts, one a line [default: four short questions]
    #[arg(long, value_name = "FILE")]
    pub prompts: Option<PathBuf>,
    /// Users who ask at one time
    #[arg(short, long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub users: u32,
    /// Users who begin each second
    #[arg(short = 'r', long, value_name = "RATE", default_value_t = 10.0, value_parser = positive)]
    pub spawn_rate: f64,
    /// How long users ask, from the first one's beginning
    #[arg(short = 't', long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub duration: Duration,
    /// Shortest and longest pause between an answer and the next question
    #[arg(long, value_name = "FROM-TO", default_value = "1s-3s", value_parser = Pause::parse)]
    pub pause: Pause,
    /// New tokens that an answer may have
    #[arg(long, value_name = "TOKENS", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_new_tokens: u32,
    /// Ask for whole answers instead of streams: then there is no time to the first token
    #[arg(long)]
    pub whole: bool,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// How long to wait for each model's first token before users begin: started beside
    /// model servers it measures their cold start
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = humantime::parse_duration)]
    pub wait: Duration,
    /// What the figures are held against.
    #[command(flatten)]
    pub targets: Targets,
    /// Write the figures as JSON too
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Exit with 1 if a target is missed
    #[arg(long)]
    pub enforce: bool,
}

/// What the figures are held against.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Targets {
    /// Target: P99 of answers, at most
    #[arg(long = "target-p99", value_name = "TIME", default_value = "1.5s", value_parser = humantime::parse_duration)]
    pub p99: Duration,
    /// Target: answers a second, at least
    #[arg(
        long = "target-rate",
        value_name = "RATE",
        default_value_t = 10.0,
        value_parser = positive
    )]
    pub rate: f64,
    /// Target: failed requests, less than this many in a hundred
    #[arg(
        long = "target-errors",
        value_name = "PERCENT",
        default_value_t = 1.0,
        value_parser = positive
    )]
    pub errors: f64,
    /// Target: memory of the GPUs for each model, less than this
    #[arg(
        long = "target-gpu-memory",
        value_name = "SIZE",
        default_value = "7.5GB"
    )]
    pub gpu_memory: ByteSize,
}

/// How long users pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// At least.
    pub from: Duration,
    /// At most.
    pub to: Duration,
}

impl Pause {
    fn parse(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let time = |text| humantime::parse_duration(text).map_err(|error| error.to_string());
        let pause = Self {
            from: time(from)?,
            to: time(to)?,
        };
        match pause.from <= pause.to {
            true => Ok(pause),
            false => Err("the first time must not be longer than the second".to_owned()),
        }
    }
}

impl Args {
    /// What users ask.
    ///
    /// # Errors
    /// When the file cannot be read or holds no prompt.
    pub(super) fn prompts(&self) -> Result<Vec<String>> {
        let Some(file) = &self.prompts else {
            return Ok(PROMPTS.map(str::to_owned).to_vec());
        };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let prompts: Vec<String> = lines.map(str::to_owned).collect();
        ensure!(
            !prompts.is_empty(),
            "{} has no prompt; write one a line",
            file.display()
        );
        Ok(prompts)
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        Ok(_) => Err("must be greater than 0".to_owned()),
        Err(_) => Err("not a number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_one_time_or_two() {
        let seconds = Duration::from_secs;
        let of = |text| Pause::parse(text).map(|pause| (pause.from, pause.to));
        assert_eq!(of("1s-3s"), Ok((seconds(1), seconds(3))));
        assert_eq!(of("0s"), Ok((seconds(0), seconds(0))));
        assert!(of("3s-1s").unwrap_err().contains("longer than the second"));
        assert!(of("soon").is_err());
    }
}
