//! Upstreams that do what no well-meaning server does, byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Wire;

/// A server that handles each connection by a script.
pub struct Scripted {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// Starts it. The script gets each connection with its number, from 0, and
    /// closes it by returning.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start<S>(script: impl Fn(usize, Wire) -> S + Send + 'static) -> Self
    where
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = count.fetch_add(1, SeqCst);
                tokio::spawn(script(number, Wire::new(stream)));
            }
        });
        Self {
            address,
            connections,
            task,
        }
    }

    /// Starts one that answers every request of a connection with these bytes.
    pub async fn answering(answer: &'static [u8]) -> Self {
        Self::start(move |_, mut wire| async move {
            while wire.message().await.is_some() {
                wire.send(answer).await;
            }
        })
        .await
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connections that were made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}
