//! The yardstick: the load balancer of Pingora's own quick start on one thread,
//! without health checks, filters, parsing or logging.

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use pingora_core::ErrorType;
use pingora_core::server::Server;
use pingora_core::server::configuration::ServerConf;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_load_balancing::LoadBalancer;
use pingora_load_balancing::selection::RoundRobin;
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};

use crate::options::Ends;

struct Balancer(Arc<LoadBalancer<RoundRobin>>);

#[async_trait]
impl ProxyHttp for Balancer {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    async fn upstream_peer(
        &self,
        _session: &mut Session,
        _ctx: &mut Self::CTX,
    ) -> pingora_core::Result<Box<HttpPeer>> {
        let upstream = self.0.select(b"", 256).ok_or_else(|| {
            pingora_core::Error::explain(ErrorType::ConnectNoRoute, "no upstream to select")
        })?;
        Ok(Box::new(HttpPeer::new(upstream, false, String::new())))
    }
}

/// Serves until the process is told to stop.
pub(crate) fn run(ends: &Ends) -> Result<Infallible> {
    let conf = ServerConf {
        threads: 1,
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let upstreams = LoadBalancer::try_from_iter([ends.upstream])
        .with_context(|| format!("cannot balance over {}", ends.upstream))?;
    let mut proxy = http_proxy_service(&server.configuration, Balancer(Arc::new(upstreams)));
    proxy.add_tcp(&ends.listen.to_string());
    server.add_service(proxy);
    server.run_forever()
}
