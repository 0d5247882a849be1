//! Where commands of a document are typed: a folder with a copy of what they
//! name, and addresses.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use headworks_tests::{ModelServer, Port, Setup, TestProxy, clean, gateway, root};
use tempfile::TempDir;

/// The folders of the repository that commands name.
const COPIED: [&str; 4] = ["config", "deploy", "examples", "monitoring"];

/// The gateway of `cargo xtask demo --serve`, with stubs behind it. Rooms share it.
pub(super) struct Demo {
    pub(super) models: [ModelServer; 2],
    pub(super) proxy: TestProxy,
}

/// A folder for one document.
pub(super) struct Room {
    pub(super) folder: TempDir,
    shared: [SocketAddr; 2],
    /// For a gateway that a document starts.
    own: [Port; 2],
}

impl Demo {
    pub(super) async fn start() -> Self {
        let models = ["qwen2", "llama3"].map(ModelServer::named);
        let [qwen, llama] = &models;
        let setup = Setup::file("config/demo.toml").model(qwen).model(llama);
        let proxy = setup
            // Nobody asks it; documents drain it.
            .pool("spare", ["http://10.0.0.2:8080"])
            .unwatched("spare")
            .set("usage.file", "usage.db")
            .start()
            .await;
        Self { models, proxy }
    }
}

impl Room {
    pub(super) fn new(demo: &Demo) -> Self {
        let room = Self {
            folder: tempfile::tempdir().unwrap(),
            shared: [demo.proxy.address(), demo.proxy.admin_address()],
            own: [Port::free(), Port::free()],
        };
        for name in COPIED {
            room.copy(Path::new(name));
        }
        room.configure("config/minimal.toml", &demo.models);
        room.configure("examples/policies/headworks.toml", &demo.models);
        room.configure("examples/tier-router/headworks.toml", &demo.models);
        let at = |path: &str| room.folder.path().join(path);
        for folder in ["etc/headworks", "target/release"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        for reader in ["headworks.toml", "etc/headworks/headworks.toml"] {
            fs::copy(at("config/minimal.toml"), at(reader)).unwrap();
        }
        let link = |of: &Path, path: &str| std::os::unix::fs::symlink(of, at(path)).unwrap();
        link(&gateway(), "target/release/headworks");
        link(&root().join("target/guests"), "target/guests");
        link(&demo.proxy.folder().join("usage.db"), "usage.db");
        room
    }

    fn copy(&self, path: &Path) {
        let (from, to) = (root().join(path), self.folder.path().join(path));
        if from.is_dir() {
            fs::create_dir(to).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                self.copy(&path.join(entry.unwrap().file_name()));
            }
        } else {
            fs::copy(from, to).unwrap();
        }
    }

    /// Gives a configuration the ports of this room, and model servers that are there.
    fn configure(&self, file: &str, [one, other]: &[ModelServer; 2]) {
        let file = self.folder.path().join(file);
        let text = fs::read_to_string(&file).unwrap();
        let text = text.replace("http://127.0.0.1:8080", &one.url());
        let text = text.replace("http://127.0.0.1:8081", &other.url());
        let [clients, admin] = self.own.each_ref().map(Port::address);
        let listen = format!("server.listen = '{clients}'\nadmin.listen = '{admin}'\n");
        fs::write(file, listen + &text).unwrap();
    }

    /// A shell in the room. It and what it started end after a minute.
    pub(super) fn shell(&self) -> Command {
        let mut shell = Command::new("timeout");
        clean(&mut shell).args(["60", "bash"]);
        shell.current_dir(&self.folder).env("PROGRAM", gateway());
        shell.env("CARGO_CALLS", self.folder.path().join("cargo-calls"));
        let own = self.own.each_ref().map(Port::address);
        let names = ["GATEWAY", "ADMIN", "OWN_GATEWAY", "OWN_ADMIN"];
        for (name, address) in names.iter().zip(self.shared.iter().chain(&own)) {
            shell.env(name, address.to_string());
        }
        shell
    }
}
