//! What is left after SIGKILL.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::UNIX_EPOCH;

use super::*;

/// Where the child keeps its ledger.
const PATH: &str = "HEADWORKS_TEST_LEDGER";

/// How much had been recorded, and when.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Duration,
    recorded: u64,
}

#[test]
fn what_was_recorded_a_second_before_a_kill_is_in_the_file() {
    let (_folder, path) = place();
    let mut before = 0;
    for round in 0..3 {
        let (mut child, marks) = start_child(&path);
        let lived_for = Duration::from_millis(1_400 + 130 * round);
        let marks: Vec<Mark> = kill_after(lived_for, &mut child, &marks, &path);
        let found = total(&read(&path));
        assert_eq!(found, sums(found.requests), "whole transactions");
        let killed = marks.last().unwrap().at;
        let safe = marks
            .iter()
            .rev()
            .find(|mark| mark.at + Duration::from_secs(1) <= killed);
        let safe = safe.expect("it lived for more than a second").recorded;
        let most = marks[marks.len() - 2].recorded + 1;
        let found = found.requests - before;
        assert!(safe > 0 && (safe..=most).contains(&found), "{found}");
        before += found;
        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(used(&ledger, Quantity::Requests, Period::Month), before);
    }
}

/// The marks of the child, and at last one of the moment it was killed. While
/// it lives, its ledger is read.
fn kill_after(time: Duration, child: &mut Child, marks: &Receiver<Mark>, path: &Path) -> Vec<Mark> {
    let mut seen = vec![marks.recv_timeout(Duration::from_secs(20)).unwrap()];
    let start = Instant::now();
    while start.elapsed() < time {
        let rows = read(path);
        assert_eq!(total(&rows), sums(total(&rows).requests));
        thread::sleep(Duration::from_millis(20));
    }
    let at = now();
    child.kill().unwrap();
    child.wait().unwrap();
    seen.extend(marks.iter());
    let recorded = 0;
    seen.push(Mark { at, recorded });
    seen
}

/// Runs `records_until_killed` in a process of its own.
fn start_child(path: &Path) -> (Child, Receiver<Mark>) {
    let (_, module) = module_path!().split_once("::").unwrap();
    let test = format!("{module}::records_until_killed");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([&test, "--exact", "--nocapture", "--test-threads=1"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (send, marks) = mpsc::channel();
    thread::spawn(move || {
        let marks = lines.map_while(Result::ok).filter_map(|line| parse(&line));
        marks.for_each(|mark| send.send(mark).unwrap_or_default());
    });
    (child, marks)
}

/// `recorded 17 at 1769817599123456`, in microseconds.
fn parse(line: &str) -> Option<Mark> {
    let (recorded, at) = line.split_once("recorded ")?.1.split_once(" at ")?;
    Some(Mark {
        at: Duration::from_micros(at.parse().ok()?),
        recorded: recorded.parse().ok()?,
    })
}

/// The child; among other tests it does nothing.
#[test]
fn records_until_killed() {
    let Ok(path) = std::env::var(PATH) else {
        return;
    };
    let ledger = Ledger::open(Path::new(&path)).unwrap();
    let limit = Instant::now() + Duration::from_secs(30);
    let mut recorded = 0;
    while Instant::now() < limit {
        ledger.record(entry("acme/ci"));
        recorded += 1;
        println!("recorded {recorded} at {}", now().as_micros());
        thread::sleep(Duration::from_millis(1));
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
