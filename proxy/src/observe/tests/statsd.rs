//! What a StatsD daemon is told: datagrams received.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use super::*;
use crate::config::{self, StatsdDialect};

/// A StatsD daemon as far as adding up goes.
struct Daemon {
    socket: UdpSocket,
    datagrams: Vec<String>,
}

impl Daemon {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        Self {
            socket,
            datagrams: Vec::new(),
        }
    }

    fn config(&self, prefix: &str) -> config::Metrics {
        config::Metrics {
            statsd_prefix: prefix.to_owned(),
            ..metrics_to(&self.socket.local_addr().unwrap().to_string())
        }
    }

    /// Receives until a counter or the number of a timer's values is `total`.
    fn wait_for(&mut self, name: &str, total: u64) {
        while self.total(name) < total {
            self.receive().expect("a datagram within the time limit");
        }
        assert_eq!(self.total(name), total, "{name}");
    }

    fn receive(&mut self) -> std::io::Result<()> {
        let mut buffer = [0; 65536];
        let length = self.socket.recv(&mut buffer)?;
        let datagram = std::str::from_utf8(&buffer[..length]).unwrap();
        self.datagrams.push(datagram.to_owned());
        Ok(())
    }

    /// Receives what is on its way.
    fn receive_rest(&mut self) {
        self.socket.set_nonblocking(true).unwrap();
        while self.receive().is_ok() {}
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.datagrams.iter().flat_map(|datagram| datagram.lines())
    }

    fn total(&self, name: &str) -> u64 {
        let values = self
            .lines()
            .map(parse_line)
            .filter(|line| line.name == name);
        values
            .map(|line| match line.unit {
                "c" => line.value.parse().unwrap(),
                "ms" => 1,
                unit => panic!("{name} has the unit {unit}"),
            })
            .sum()
    }
}

fn metrics_to(statsd: &str) -> config::Metrics {
    config::Metrics {
        statsd: Some(statsd.to_owned()),
        statsd_prefix: String::new(),
        statsd_dialect: StatsdDialect::Statsd,
        statsd_tags: BTreeMap::new(),
        statsd_sample_rate: 1.0,
    }
}

struct Line<'a> {
    name: &'a str,
    value: &'a str,
    unit: &'a str,
}

fn parse_line(line: &str) -> Line<'_> {
    let (name, rest) = line.split_once(':').expect(line);
    let (value, unit) = rest.split_once('|').expect(line);
    value.parse::<f64>().expect(line);
    assert!(["c", "g", "ms"].contains(&unit), "{line}");
    Line { name, value, unit }
}

#[test]
fn statsd_and_prometheus_say_the_same() {
    let mut daemon = Daemon::start();
    let registry = Registry::new();
    registry.set_statsd(&daemon.config("")).unwrap();
    let requests = registry.counter("requests.total", &[]).unwrap();
    let tokens = registry
        .counter("requests.model.{model}.input_tokens", &labels(&["model"]))
        .unwrap();
    let latency = registry.timer("request.latency", &[]).unwrap();
    thread::scope(|scope| {
        for model in ["qwen2", "llama3", "qwen2", "llama3"] {
            let (requests, tokens, latency) = (&requests, &tokens, &latency);
            scope.spawn(move || {
                for request in 0..100_000_u64 {
                    requests.add(1, &[]).unwrap();
                    tokens.add(request % 7, &[model]).unwrap();
                    if request % 1000 == 0 {
                        latency.record(Duration::from_micros(request), &[]).unwrap();
                    }
                }
            });
        }
    });
    registry.shutdown();

    let samples = samples(&registry);
    daemon.wait_for("requests.total", samples["headworks_requests_total"] as u64);
    assert_eq!(daemon.total("requests.total"), 400_000);
    for model in ["qwen2", "llama3"] {
        let rendered =
            samples[&format!("headworks_requests_model_input_tokens_total{{model=\"{model}\"}}")];
        daemon.wait_for(
            &format!("requests.model.{model}.input_tokens"),
            rendered as u64,
        );
    }
    let timings = samples["headworks_request_latency_seconds_count"];
    daemon.wait_for("request.latency", timings as u64);
    let millis: f64 = daemon
        .lines()
        .map(parse_line)
        .filter(|line| line.unit == "ms")
        .map(|line| line.value.parse::<f64>().unwrap())
        .sum();
    let seconds = samples["headworks_request_latency_seconds_sum"];
    assert!(
        (millis / 1000.0 - seconds).abs() < 1e-6,
        "{millis} ms, {seconds} s"
    );
    assert!(daemon.datagrams.len() < 1000, "counters are sent as sums");
}

#[test]
fn the_daemon_is_told_without_being_asked() {
    let mut daemon = Daemon::start();
    let registry = Registry::new();
    registry.set_statsd(&daemon.config("headworks.")).unwrap();
    let errors = registry.counter("requests.errors.timeout", &[]).unwrap();
    errors.add(3, &[]).unwrap();
    daemon.wait_for("headworks.requests.errors.timeout", 3);
}

#[test]
fn a_daemon_set_later_is_told_only_what_happens_then() {
    let mut daemon = Daemon::start();
    let registry = Registry::new();
    let requests = registry.counter("requests.total", &[]).unwrap();
    let latency = registry.timer("request.latency", &[]).unwrap();
    requests.add(1000, &[]).unwrap();
    latency.record(Duration::from_secs(1), &[]).unwrap();
    registry.set_statsd(&daemon.config("")).unwrap();
    requests.add(5, &[]).unwrap();
    latency.record(Duration::from_secs(2), &[]).unwrap();
    registry.shutdown();
    daemon.wait_for("requests.total", 5);
    daemon.wait_for("request.latency", 1);
    assert_eq!(samples(&registry)["headworks_requests_total"], 1005.0);
}

#[test]
fn a_new_daemon_takes_over_where_the_last_left_off() {
    let (mut first, mut second) = (Daemon::start(), Daemon::start());
    let registry = Registry::new();
    let requests = registry.counter("requests.total", &[]).unwrap();
    registry.set_statsd(&first.config("")).unwrap();
    requests.add(3, &[]).unwrap();
    registry.set_statsd(&second.config("")).unwrap();
    requests.add(4, &[]).unwrap();
    registry.shutdown();
    requests.add(5, &[]).unwrap();
    first.wait_for("requests.total", 3);
    second.wait_for("requests.total", 4);
}

#[test]
fn dogstatsd_has_labels_as_tags_and_timings_can_be_a_sample() {
    let mut daemon = Daemon::start();
    let registry = Registry::new();
    let requests = registry.counter("requests.model.{model}", &["model".to_owned()]);
    let (requests, level) = (
        requests.unwrap(),
        registry.gauge("queue.depth", &[]).unwrap(),
    );
    let latency = registry.timer("request.latency", &[]).unwrap();
    let config = config::Metrics {
        statsd_dialect: StatsdDialect::Dogstatsd,
        statsd_tags: [("env".to_owned(), "prod".to_owned())].into(),
        statsd_sample_rate: 0.25,
        ..daemon.config("hw.")
    };
    registry.set_statsd(&config).unwrap();
    requests.add(3, &["qwen2|c\n@"]).unwrap();
    level.set(-2, &[]).unwrap();
    for _ in 0..2000 {
        latency.record(Duration::from_millis(7), &[]).unwrap();
    }
    requests.add(1, &["last"]).unwrap();
    registry.shutdown();
    while !daemon
        .lines()
        .any(|line| line.starts_with("hw.request.latency"))
    {
        daemon.receive().unwrap();
    }
    daemon.receive_rest();
    let has = |line: &str| daemon.lines().any(|told| told == line);
    assert!(has("hw.requests.model:3|c|#env:prod,model:qwen2_c__"));
    assert!(has("hw.requests.model:1|c|#env:prod,model:last"));
    assert!(has("hw.queue.depth:-2|g|#env:prod"));
    let told = daemon
        .lines()
        .filter(|line| *line == "hw.request.latency:7|ms|@0.25|#env:prod");
    let told = told.count();
    assert!((350..650).contains(&told), "{told} of 2000 at 0.25");
    assert!(
        registry
            .render()
            .contains("headworks_request_latency_seconds_count 2000")
    );
}

#[test]
fn tags_that_would_garble_lines_are_refused() {
    let daemon = Daemon::start();
    let registry = Registry::new();
    for (name, value) in [
        ("a b", "c"),
        ("env", "a|c"),
        ("env", ""),
        ("env", &"x".repeat(300)),
    ] {
        let config = config::Metrics {
            statsd_dialect: StatsdDialect::Dogstatsd,
            statsd_tags: [(name.to_owned(), value.to_owned())].into(),
            ..daemon.config("")
        };
        let error = registry.set_statsd(&config).unwrap_err();
        assert!(matches!(error, StatsdError::Tag(_)), "{error}");
    }
}

#[test]
fn a_daemon_that_cannot_be_used_leaves_the_last_in_place() {
    let mut daemon = Daemon::start();
    let registry = Registry::new();
    let requests = registry.counter("requests.total", &[]).unwrap();
    registry.set_statsd(&daemon.config("")).unwrap();
    let no_port = metrics_to("127.0.0.1");
    let error = registry.set_statsd(&no_port).unwrap_err();
    assert!(
        error.to_string().contains("write it as host:port"),
        "{error}"
    );
    let error = registry.set_statsd(&daemon.config("a:1|c\n")).unwrap_err();
    assert!(matches!(error, StatsdError::Prefix(_)), "{error}");
    requests.add(1, &[]).unwrap();
    registry.shutdown();
    daemon.wait_for("requests.total", 1);
}

#[test]
fn a_datagram_holds_many_lines_and_at_most_1432_bytes() {
    let mut daemon = Daemon::start();
    let registry = Registry::new();
    registry
        .set_statsd(&daemon.config(&"p".repeat(128)))
        .unwrap();
    let names = labels(&["a", "b", "c", "d", "e", "f"]);
    let value = "v".repeat(500);
    let longest = registry.gauge("g.{a}.{b}.{c}.{d}.{e}.{f}", &names).unwrap();
    longest.set(i64::MIN, &[value.as_str(); 6]).unwrap();
    let counter = registry.counter("count.{a}", &labels(&["a"])).unwrap();
    for set in 0..100_u32 {
        counter.add(u64::MAX / 100, &[&set.to_string()]).unwrap();
    }
    let last = registry.counter("last", &[]).unwrap();
    last.add(1, &[]).unwrap();
    registry.shutdown();
    daemon.wait_for(&format!("{}last", "p".repeat(128)), 1);
    let longest = daemon.datagrams.iter().map(String::len).max();
    assert!((1200..=1432).contains(&longest.unwrap()), "{longest:?}");
    assert!(
        daemon
            .lines()
            .any(|line| line.contains(&i64::MIN.to_string()))
    );
}

#[test]
fn a_negative_level_follows_a_zero_in_the_same_datagram() {
    let mut daemon = Daemon::start();
    let registry = Registry::new();
    registry.set_statsd(&daemon.config("")).unwrap();
    registry
        .gauge("a.level", &[])
        .unwrap()
        .set(-5, &[])
        .unwrap();
    registry.counter("last", &[]).unwrap().add(1, &[]).unwrap();
    registry.shutdown();
    daemon.wait_for("last", 1);
    let last = daemon.datagrams.last().unwrap();
    assert!(last.contains("a.level:0|g\na.level:-5|g\n"), "{last}");
}

#[test]
fn hostile_label_values_are_escaped_and_sanitised() {
    let mut daemon = Daemon::start();
    let registry = Registry::new();
    registry.set_statsd(&daemon.config("")).unwrap();
    let counter = registry.counter("a.{model}", &labels(&["model"])).unwrap();
    counter.add(1, &["x:1|c\nrequests.total:9|c"]).unwrap();
    counter.add(1, &["say \"hi\"\\\n"]).unwrap();
    registry.counter("last", &[]).unwrap().add(1, &[]).unwrap();
    registry.shutdown();
    daemon.wait_for("last", 1);
    assert_eq!(daemon.total("requests.total"), 0);
    assert_eq!(daemon.total("a.x_1_c_requests_total_9_c"), 1);
    let rendered = registry.render();
    assert!(
        rendered.contains(r#"headworks_a_total{model="say \"hi\"\\\n"} 1"#),
        "{rendered}"
    );
}
