//! Nothing by which two connections of one participant could be linked: no session ticket, no
//! token, no early data.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use quinn_proto::TokenStore;
use rustls::NamedGroup;
use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;

use super::client::{A_WHILE, config, usual};
use super::net::{Net, RELAY};

/// Counts what a server leaves with its client.
#[derive(Debug, Default)]
struct Stores(AtomicUsize);

impl ClientSessionStore for Stores {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

impl TokenStore for Stores {
    fn insert(&self, _: &str, _: Bytes) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn take(&self, _: &str) -> Option<Bytes> {
        None
    }
}

#[test]
fn a_client_that_would_keep_everything_gets_nothing_to_keep() {
    let mut net = Net::new(1);
    let (sessions, tokens) = (Arc::new(Stores::default()), Arc::new(Stores::default()));
    for port in 0..2_u16 {
        let (transport, mut tls) = usual();
        tls.resumption = Resumption::store(sessions.clone());
        tls.enable_early_data = true;
        let mut config = config(transport, tls);
        config.token_store(tokens.clone());
        let client = net.client_with(config, RELAY);
        let peer = net.joined(client);
        net.clients[client].control(b"hello");
        net.run(A_WHILE);
        // A path that was validated is when a server would give out a token, too.
        let moved = ([198, 51, 100, 1 + client as u8], 6000 + port);
        net.clients[client].host.rebind(moved.into());
        net.clients[client].quic.local_address_changed();
        net.run(A_WHILE);
        assert_eq!(net.heard(peer).control, b"hello");
        let quic = &net.clients[client].quic;
        assert!(!quic.has_0rtt() && !quic.accepted_0rtt());
        assert_eq!(quic.stats().frame_rx.new_token, 0);
    }
    assert_eq!(sessions.0.load(Ordering::Relaxed), 0, "session tickets");
    assert_eq!(tokens.0.load(Ordering::Relaxed), 0, "address tokens");
    net.end();
}
