//! Tells systemd how far the gateway is, where it asks for that (`Type=notify`).

use sd_notify::NotifyState;

/// Clients are served, by this process from now on.
pub(super) fn serving() {
    tell(&[NotifyState::MainPid(std::process::id()), NotifyState::Ready]);
}

/// No more clients are taken.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Does nothing where nobody asks: `NOTIFY_SOCKET` is not set then.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd cannot be told how far the gateway is");
    }
}
