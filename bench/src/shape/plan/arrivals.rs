//! When requests come, and from whom.

use rand::Rng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, Exp1, Gamma};

use super::super::scenario::Traffic;
use super::stream;

/// Bursts of the whole traffic: so many times the quiet rate, for so many
/// seconds on average, so many seconds apart on average.
const BURST: Burst = Burst {
    factor: 2.5,
    on: 5.0,
    off: 15.0,
};
/// Variance of the times between arrivals of bursty traffic: a coefficient of 2.
const BURSTY_SHAPE: f64 = 0.25;
/// Share of requests that the first of several tenants sends.
const FLOOD_SHARE: f64 = 0.7;
const NOISY_SHARE: f64 = 0.4;
/// A noisy tenant sends for so long, and is quiet for so long.
const NOISY_ON: f64 = 15.0;
const NOISY_OFF: f64 = 15.0;

/// A request that comes.
#[derive(Debug, PartialEq)]
pub(super) struct Arrival {
    /// Seconds from the beginning.
    pub(super) at: f64,
    /// Which of the traffic's tenants.
    pub(super) sender: usize,
}

struct Burst {
    factor: f64,
    on: f64,
    off: f64,
}

/// All arrivals of a chat.
pub(super) fn of(traffic: Traffic, rate: f64, seed: u64, seconds: f64) -> Vec<Arrival> {
    let mut random = stream(seed, "arrivals");
    match traffic {
        Traffic::Bursty => bursts(rate, seconds, &mut random)
            .into_iter()
            .map(|at| Arrival { at, sender: 0 })
            .collect(),
        Traffic::Flood => {
            let times = poisson(rate, seconds, &mut random);
            let mut who = stream(seed, "senders");
            times
                .into_iter()
                .map(|at| Arrival {
                    at,
                    sender: sender(FLOOD_SHARE, &mut who),
                })
                .collect()
        }
        Traffic::Noisy => noisy(rate, seconds, &mut random),
        _ => poisson(rate, seconds, &mut random)
            .into_iter()
            .map(|at| Arrival { at, sender: 0 })
            .collect(),
    }
}

/// Times of requests that know nothing of each other.
pub(super) fn poisson(rate: f64, seconds: f64, random: &mut SmallRng) -> Vec<f64> {
    let mut times = Vec::new();
    let mut now = 0.0;
    loop {
        let gap: f64 = Exp1.sample(random);
        now += gap / rate;
        if now >= seconds {
            return times;
        }
        times.push(now);
    }
}

/// Gamma-distributed gaps, at a rate that changes between quiet and burst.
fn bursts(rate: f64, seconds: f64, random: &mut SmallRng) -> Vec<f64> {
    let Burst { factor, on, off } = BURST;
    let quiet = rate * (on + off) / (off + factor * on);
    let gaps = Gamma::new(BURSTY_SHAPE, 1.0 / BURSTY_SHAPE).expect("both are positive");
    let mut times = Vec::new();
    let (mut now, mut bursting, mut until) = (0.0, false, 0.0);
    loop {
        while now >= until {
            bursting = !bursting;
            let mean = if bursting { on } else { off };
            let length: f64 = Exp1.sample(random);
            until += mean * length;
        }
        let current = if bursting { quiet * factor } else { quiet };
        now += gaps.sample(random) / current;
        if now >= seconds {
            return times;
        }
        times.push(now);
    }
}

/// One tenant comes in bursts, the others all the time.
fn noisy(rate: f64, seconds: f64, random: &mut SmallRng) -> Vec<Arrival> {
    let cycle = NOISY_ON + NOISY_OFF;
    let busy = rate * NOISY_SHARE * cycle / NOISY_ON;
    let noise = poisson(busy, seconds, random)
        .into_iter()
        .filter(|at| at % cycle < NOISY_ON)
        .map(|at| Arrival { at, sender: 0 });
    let mut all: Vec<_> = noise.collect();
    for at in poisson(rate * (1.0 - NOISY_SHARE), seconds, random) {
        let sender = random.random_range(1..=3);
        all.push(Arrival { at, sender });
    }
    all.sort_by(|a, b| a.at.total_cmp(&b.at));
    all
}

/// The first tenant with a share, one of three others otherwise.
fn sender(share: f64, random: &mut SmallRng) -> usize {
    if random.random_bool(share) {
        0
    } else {
        random.random_range(1..=3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tenant_has_its_share() {
        for (traffic, share) in [(Traffic::Flood, FLOOD_SHARE), (Traffic::Noisy, NOISY_SHARE)] {
            let all = of(traffic, 60.0, 1, 300.0);
            let first = all.iter().filter(|arrival| arrival.sender == 0).count();
            let seen = first as f64 / all.len() as f64;
            assert!((seen - share).abs() < 0.03, "{traffic:?}: {seen:.2}");
        }
    }

    #[test]
    fn bursts_vary_more_than_chance() {
        let variation = |traffic| {
            let mut counts = vec![0.0_f64; 1_000];
            for arrival in of(traffic, 35.0, 1, 1_000.0) {
                counts[arrival.at as usize] += 1.0;
            }
            let mean = counts.iter().sum::<f64>() / 1_000.0;
            counts.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / 1_000.0 / mean
        };
        assert!((0.8..1.2).contains(&variation(Traffic::Chat)));
        assert!(variation(Traffic::Bursty) > 4.0);
    }
}
