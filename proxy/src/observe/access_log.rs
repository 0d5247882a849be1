//! The access log: one JSON object a line for each exchange. Lines are collected
//! and written several times a second, by a thread of its own: a system call for
//! each would cost as much as a tenth of a small request. What comes too fast for
//! the disk is lost and counted, and nobody waits.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use serde::Serialize;

use crate::config;

/// How often lines are written, if there are any.
const EVERY: Duration = Duration::from_millis(100);

/// Bytes that are written before their time.
const MUCH: usize = 256 * 1024;

/// Bytes that may wait to be written.
const MOST: usize = 16 * 1024 * 1024;

/// Where exchanges are written down, if they are.
#[derive(Debug, Default)]
pub struct AccessLog(ArcSwapOption<Sink>);

/// An open log. What waits is written when it is dropped.
#[derive(Debug)]
pub struct Sink {
    lines: Arc<Lines>,
    writer: Option<JoinHandle<()>>,
}

/// Lines on their way.
#[derive(Debug, Default)]
struct Lines {
    waiting: Mutex<Waiting>,
    lost: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    lines: u64,
    /// No more will come.
    ended: bool,
}

impl Sink {
    /// Opens a log; a file is written on where it ends.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(log: &config::AccessLog) -> io::Result<Self> {
        let file = match log {
            config::AccessLog::Stdout => File::from(io::stdout().as_fd().try_clone_to_owned()?),
            config::AccessLog::File(path) => {
                OpenOptions::new().create(true).append(true).open(path)?
            }
        };
        let lines = Arc::<Lines>::default();
        let shared = lines.clone();
        let writer = thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || shared.write_to(file))?;
        Ok(Self {
            lines,
            writer: Some(writer),
        })
    }

    fn add(&self, line: &[u8]) {
        let mut waiting = self.lines.waiting.lock();
        if waiting.bytes.len() + line.len() > MOST {
            self.lines.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let before = waiting.bytes.len();
        waiting.bytes.extend_from_slice(line);
        waiting.lines += 1;
        // Said once: when it becomes much.
        if before < MUCH && waiting.bytes.len() >= MUCH {
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(writer) = &self.writer {
            writer.thread().unpark();
        }
    }
}

impl Lines {
    /// Writes until there are no more.
    fn write_to(&self, mut file: File) {
        let mut bytes = Vec::new();
        let mut fails = false;
        loop {
            thread::park_timeout(EVERY);
            let mut waiting = self.waiting.lock();
            // The emptied buffer takes the next ones.
            std::mem::swap(&mut bytes, &mut waiting.bytes);
            let (lines, ended) = (std::mem::take(&mut waiting.lines), waiting.ended);
            drop(waiting);
            let written = file.write_all(&bytes);
            if let Err(error) = &written {
                self.lost.fetch_add(lines, Ordering::Relaxed);
                if !fails {
                    tracing::warn!(%error, "the access log cannot be written, lines are lost");
                }
            }
            if !bytes.is_empty() {
                fails = written.is_err();
            }
            bytes.clear();
            if ended {
                return;
            }
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.lines.waiting.lock().ended = true;
        self.wake();
        if let Some(writer) = self.writer.take() {
            // It ends by itself; had it panicked, there would be nothing to do about it.
            let _ = writer.join();
        }
    }
}

impl AccessLog {
    /// Writes there from now on, or nowhere. What was written before is flushed.
    pub fn write_to(&self, sink: Option<Sink>) {
        self.0.store(sink.map(Arc::new));
    }

    /// Whether anything is written down.
    pub fn is_on(&self) -> bool {
        self.0.load().is_some()
    }

    /// Writes a record down, as one line.
    pub fn write(&self, record: &impl Serialize) {
        let sink = self.0.load();
        let Some(sink) = &*sink else { return };
        let Ok(mut line) = serde_json::to_vec(record) else {
            return;
        };
        line.push(b'\n');
        sink.add(&line);
    }

    /// Lines that were lost since the log was opened.
    pub fn lost(&self) -> u64 {
        let lost = |sink: &Arc<Sink>| sink.lines.lost.load(Ordering::Relaxed);
        self.0.load().as_ref().map_or(0, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_lines_of_a_file_that_is_written_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.json");
        let log = AccessLog::default();
        assert!(!log.is_on());
        log.write(&serde_json::json!({"nobody": "reads this"}));
        for number in 0..2 {
            let sink = Sink::open(&config::AccessLog::File(path.clone())).unwrap();
            log.write_to(Some(sink));
            log.write(&serde_json::json!({"number": number, "text": "a\nb"}));
        }
        log.write_to(None);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            (&lines[1]["number"], &lines[1]["text"]),
            (&1.into(), &"a\nb".into())
        );
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_an_error() {
        let nowhere = config::AccessLog::File("/nowhere/at/all/access.json".into());
        assert!(Sink::open(&nowhere).is_err());
    }

    #[test]
    fn what_cannot_be_written_or_kept_is_counted() {
        let log = AccessLog::default();
        let full = config::AccessLog::File("/dev/full".into());
        log.write_to(Some(Sink::open(&full).unwrap()));
        log.write(&serde_json::json!({"nobody": "reads this"}));
        while log.lost() == 0 {
            thread::yield_now();
        }
        // More than may wait is not kept, whether the disk is quick or not.
        log.write(&"long ".repeat(MOST / 4));
        assert!(log.lost() >= 2);
    }
}
