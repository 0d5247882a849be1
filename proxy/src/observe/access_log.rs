//! The access log: one JSON object a line for each exchange, written by a thread
//! of its own. Whoever is too fast for the disk loses lines, which are counted,
//! and never waits.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use serde::Serialize;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

use crate::config;

/// Lines that may wait to be written.
const WAITING: usize = 64 * 1024;

/// Where exchanges are written down, if they are.
#[derive(Debug, Default)]
pub struct AccessLog(ArcSwapOption<Sink>);

/// An open log.
#[derive(Debug)]
pub struct Sink {
    writer: NonBlocking,
    lost: ErrorCounter,
    /// Writes what waits when it is dropped.
    _worker: WorkerGuard,
}

impl Sink {
    /// Opens a log; a file is written on where it ends.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(log: &config::AccessLog) -> io::Result<Self> {
        let builder = NonBlockingBuilder::default()
            .buffered_lines_limit(WAITING)
            .lossy(true)
            .thread_name("access-log");
        let (writer, worker) = match log {
            config::AccessLog::Stdout => builder.finish(io::stdout()),
            config::AccessLog::File(path) => {
                let file = OpenOptions::new().create(true).append(true).open(path)?;
                builder.finish(file)
            }
        };
        Ok(Self {
            lost: writer.error_counter(),
            writer,
            _worker: worker,
        })
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
        // What does not fit is counted by the writer.
        let _ = sink.writer.clone().write_all(&line);
    }

    /// Lines that were lost since the log was opened.
    pub fn lost(&self) -> u64 {
        self.0
            .load()
            .as_ref()
            .map_or(0, |sink| sink.lost.dropped_lines() as u64)
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
}
