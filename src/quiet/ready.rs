//! The one word to a service manager (systemd's `Type=notify`): that the relay is ready.

/// Says it, where whoever started this process wants to hear (`NOTIFY_SOCKET`). It takes a socket
/// of its own, so it must come before [`super::sandbox::fence`].
pub fn announce_ready() {
    // A manager that cannot be reached ends the service after a while; there is nobody else to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}
