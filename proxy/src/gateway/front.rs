//! What a new connection speaks: HTTP/2 with prior knowledge, or HTTP/1.
//! Pingora would wait for the 24 bytes of HTTP/2's preface without end, which
//! the shortest requests of HTTP/1.0 do not have.

use std::sync::Arc;

use async_trait::async_trait;
use pingora_core::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream, ServerApp};
use pingora_core::protocols::Stream;
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;
use pingora_timeout::timeout;

use super::Gateway;
use crate::downstream;

/// How HTTP/2's preface begins (RFC 9113, 3.4), and no method does.
const PREFACE: &[u8; 3] = b"PRI";

/// Takes connections of clients to the gateway.
pub struct Front {
    http1: Arc<Speaker>,
    http2: Arc<Speaker>,
}

impl Front {
    /// The way into a gateway.
    pub fn new(gateway: Gateway) -> Self {
        let gateway = Arc::new(gateway);
        let speaker = |http2| {
            let mut options = HttpServerOptions::default();
            options.h2c = http2;
            let gateway = gateway.clone();
            Arc::new(Speaker { gateway, options })
        };
        Self {
            http1: speaker(false),
            http2: speaker(true),
        }
    }
}

#[async_trait]
impl ServerApp for Front {
    async fn process_new(
        self: &Arc<Self>,
        mut stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let mut first = [0; PREFACE.len()];
        let limit = self.http1.gateway.patience().read;
        // Who connects and says nothing in time has nothing to say.
        let peeked = timeout(limit, stream.try_peek(&mut first)).await.ok()?;
        let speaker = if peeked.ok()? && first == *PREFACE {
            &self.http2
        } else {
            &self.http1
        };
        speaker.process_new(stream, shutdown).await
    }
}

/// The gateway over one version of HTTP.
struct Speaker {
    gateway: Arc<Gateway>,
    options: HttpServerOptions,
}

#[async_trait]
impl HttpServerApp for Speaker {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let _running = self.gateway.request(&mut session, shutdown).await?;
        downstream::finish(session).await
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        Some(&self.options)
    }
}
