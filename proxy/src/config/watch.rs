//! Notices that the configuration file or a filter's file has changed: by a
//! write, a file renamed over it, a removal and a new file, or a symlink on the
//! way to it that was swapped, which is how Kubernetes updates a ConfigMap.
//! What to do then is the reload's business.

use std::path::PathBuf;
use std::sync::mpsc as std_mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tracing::error;

mod debounce;
mod files;
mod trail;

use debounce::Debounce;
use files::Files;

/// How often to look where the system does not tell.
const POLL: Duration = Duration::from_secs(1);

/// A watch over a set of files. It ends when dropped.
#[derive(Debug)]
pub struct Watch {
    messages: std_mpsc::Sender<Message>,
    changes: mpsc::Receiver<()>,
}

/// What the watching thread wakes up for.
enum Message {
    Event(notify::Result<notify::Event>),
    Replace(Vec<PathBuf>, oneshot::Sender<()>),
    Stop,
}

impl Watch {
    /// Starts to watch these files, which may be missing. Only what changes
    /// after this call is reported, so call it before reading them. Relative
    /// paths are taken from the current folder. Fails when no thread can be
    /// started.
    pub fn start(files: impl IntoIterator<Item = PathBuf>) -> std::io::Result<Self> {
        let (messages, inbox) = std_mpsc::channel();
        let (outbox, changes) = mpsc::channel(1);
        let events = messages.clone();
        // A send fails only when the thread below has ended, and the watch with it.
        let mut watched = Files::new(move |event| drop(events.send(Message::Event(event))));
        watched.replace(files.into_iter().collect());
        thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || run(watched, &inbox, &outbox))?;
        Ok(Self { messages, changes })
    }

    /// Waits until the content of a watched file has changed and then been
    /// still for a moment. Changes while nobody waits are reported as one at
    /// the next call; dropping the future loses none.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            error!(
                "the watch over the configuration has ended; changes are applied on SIGHUP only"
            );
            std::future::pending::<()>().await;
        }
    }

    /// Watches these files from now on, instead of those before. Call it before
    /// reading the files that are new; of the others no change is missed.
    pub async fn replace(&self, files: impl IntoIterator<Item = PathBuf>) {
        let (done, replaced) = oneshot::channel();
        let request = Message::Replace(files.into_iter().collect(), done);
        if self.messages.send(request).is_ok() {
            // An error means that the thread has ended, which `changed` reports.
            replaced.await.ok();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // An error means that the thread has ended already.
        self.messages.send(Message::Stop).ok();
    }
}

/// Watches until told to stop.
fn run(mut files: Files, inbox: &std_mpsc::Receiver<Message>, changed: &mpsc::Sender<()>) {
    let mut debounce = Debounce::default();
    loop {
        let idle = if files.are_watched() {
            Duration::MAX
        } else {
            POLL
        };
        let wait = debounce.wait(Instant::now()).unwrap_or(idle);
        // Not left to the channel: it hands out a waiting message before it times out.
        let message = if wait.is_zero() {
            Err(std_mpsc::RecvTimeoutError::Timeout)
        } else {
            inbox.recv_timeout(wait)
        };
        match message {
            Ok(Message::Event(event)) if files.concerned_by(&event) => {
                debounce.event(Instant::now());
            }
            Ok(Message::Event(_)) => {}
            Ok(Message::Replace(paths, done)) => {
                files.replace(paths);
                // Nobody waits for it any more.
                done.send(()).ok();
            }
            Ok(Message::Stop) | Err(std_mpsc::RecvTimeoutError::Disconnected) => return,
            Err(std_mpsc::RecvTimeoutError::Timeout) => {
                debounce = Debounce::default();
                if files.look() {
                    // Full when the last change has not been asked for yet.
                    changed.try_send(()).ok();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn notices_a_write_where_the_system_does_not_tell() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        let mut files = Files::default();
        files.replace(vec![file.clone()]);
        let (messages, inbox) = std_mpsc::channel();
        let (outbox, changes) = mpsc::channel(1);
        thread::spawn(move || run(files, &inbox, &outbox));

        let mut watch = Watch { messages, changes };
        std::fs::write(&file, "one").unwrap();
        watch.changed().await;
    }
}
