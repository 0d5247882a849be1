//! The listener for clients.

use std::net::{Ipv4Addr, SocketAddr};

use super::Checker;
use crate::config::{Admin, Place, Server, file};

impl Checker<'_> {
    pub(super) fn server(&mut self, file: &file::Server, admin: &Admin, at: &Place) -> Server {
        Server {
            listen: self.listen(&file.listen, admin, &at.key("listen")),
            threads: match file.threads {
                0 => std::thread::available_parallelism().map_or(1, usize::from),
                threads => threads,
            },
            max_body: self.accept(file.max_body.parse(), &at.key("max_body")),
            read_timeout: self.accept(file.read_timeout.parse(), &at.key("read_timeout")),
            keepalive: self.accept(file.keepalive.parse(), &at.key("keepalive")),
            drain: self.accept(file.drain.parse(), &at.key("drain")),
        }
    }

    fn listen(&mut self, file: &file::Listen, admin: &Admin, at: &Place) -> Vec<SocketAddr> {
        let written: Vec<_> = match file {
            file::Listen::One(text) => vec![(text, at.clone())],
            file::Listen::Many(texts) => texts
                .iter()
                .enumerate()
                .map(|(i, text)| (text, at.index(i)))
                .collect(),
        };
        if written.is_empty() {
            self.problem(at, "must name at least one address");
        }
        let mut taken: Vec<(SocketAddr, String)> = vec![(admin.listen, "admin.listen".to_owned())];
        for (text, at) in written {
            let address = self.address(text, &at);
            if let Some((other, owner)) = taken.iter().find(|(other, _)| clash(address, *other)) {
                let message =
                    format!("`{address}` is taken by {owner} = `{other}`; choose another port");
                self.problem(&at, message);
            }
            taken.push((address, at.to_string()));
        }
        taken
            .into_iter()
            .skip(1)
            .map(|(address, _)| address)
            .collect()
    }

    pub(super) fn address(&mut self, text: &str, at: &Place) -> SocketAddr {
        text.parse().unwrap_or_else(|_| {
            self.problem(
                at,
                format!("must be an IP address and a port, such as `0.0.0.0:8000`, got `{text}`"),
            );
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
        })
    }
}

/// Whether a socket cannot listen on both. Port 0 is a new port each time.
/// `[::]` takes the addresses of IPv4 too, as Linux has it by default.
fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let same_port = one.port() == other.port() && one.port() != 0;
    let covers = |one: SocketAddr, other: SocketAddr| {
        one.ip().is_unspecified() && (one.is_ipv6() || other.is_ipv4())
    };
    same_port && (one.ip() == other.ip() || covers(one, other) || covers(other, one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_takes_its_port_on_every_address_it_stands_for() {
        let clash = |one: &str, other: &str| clash(one.parse().unwrap(), other.parse().unwrap());
        assert!(clash("0.0.0.0:1", "127.0.0.1:1") && clash("[::]:1", "0.0.0.0:1"));
        assert!(clash("127.0.0.1:1", "[::]:1") && clash("[::1]:1", "[::]:1"));
        assert!(!clash("0.0.0.0:1", "[::1]:1") && !clash("127.0.0.1:1", "[::1]:1"));
        assert!(!clash("0.0.0.0:1", "0.0.0.0:2") && !clash("0.0.0.0:0", "0.0.0.0:0"));
    }
}
