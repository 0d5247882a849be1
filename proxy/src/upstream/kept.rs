//! Connections to an endpoint that wait for their next request. They are
//! watched by nobody: whether one is still open is seen when it is wanted.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pingora_core::protocols::Stream;
use tokio::io::{AsyncRead as _, ReadBuf};

/// Most connections kept to one endpoint.
const MOST: usize = 1024;

/// How long a connection is kept; servers mostly close them after 60 s or more.
const IDLE: Duration = Duration::from_secs(50);

/// The idle connections of an endpoint.
#[derive(Default)]
pub(super) struct Kept {
    /// Those that have waited longest first.
    idle: Mutex<VecDeque<Idle>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection and where it leads.
pub(super) struct Connection {
    pub(super) stream: Stream,
    pub(super) address: SocketAddr,
}

impl Kept {
    /// The open connection that was used last, so that those not needed grow
    /// old; one that leads where the endpoint no longer is, is closed.
    pub(super) fn take(&self, is_known: impl Fn(SocketAddr) -> bool) -> Option<Connection> {
        loop {
            let mut connection = self.idle.lock().pop_back()?.connection;
            if is_known(connection.address) && is_open(&mut connection.stream) {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub(super) fn give(&self, connection: Connection, since: Instant) {
        let mut idle = self.idle.lock();
        if idle.len() == MOST {
            idle.pop_front();
        }
        idle.push_back(Idle { connection, since });
    }

    /// Closes what has waited for too long, or was closed by the endpoint.
    pub(super) fn sweep(&self, now: Instant) {
        self.idle.lock().retain_mut(|idle| {
            now.saturating_duration_since(idle.since) < IDLE && is_open(&mut idle.connection.stream)
        });
    }
}

/// Whether a connection is as it was left. An endpoint that is not asked says
/// nothing, so what can be read is the connection's end, or nonsense.
fn is_open(stream: &mut Stream) -> bool {
    let mut byte = [0];
    let mut context = Context::from_waker(Waker::noop());
    let read = Pin::new(stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte));
    read.is_pending()
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = self.idle.lock().len();
        f.debug_struct("Kept").field("idle", &idle).finish()
    }
}
