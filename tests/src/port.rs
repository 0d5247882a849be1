//! Ports for those who have to know them before they listen.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use rand::Rng as _;

/// A port of this machine that nobody listens on, and that no other test takes
/// until this is dropped.
pub struct Port {
    number: u16,
    /// Held by a lock: tests run in processes of their own.
    _claim: File,
}

impl Port {
    /// Claims one. It is from a range that the system does not give to those
    /// who connect.
    ///
    /// # Panics
    /// When there is no folder for temporary files.
    pub fn free() -> Self {
        let mut random = rand::rng();
        loop {
            let number = random.random_range(10_000..32_000);
            if let Some(port) = Self::claim(number) {
                return port;
            }
        }
    }

    fn claim(number: u16) -> Option<Self> {
        let folder = std::env::temp_dir().join("headworks-test-ports");
        fs::create_dir_all(&folder).expect("there is a folder for temporary files");
        let claim = File::create(folder.join(number.to_string()));
        let claim = claim.expect("a file can be made in it");
        claim.try_lock().ok()?;
        let port = Self {
            number,
            _claim: claim,
        };
        // Whoever is no test makes no claims.
        TcpListener::bind(port.address()).ok()?;
        Some(port)
    }

    /// The loopback address with this port.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}
