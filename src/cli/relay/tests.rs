use sottovoce::carrier::certificate::{Identity, Window};

use super::*;

#[test]
fn addresses_that_take_each_other_in_are_told() {
    let all = |texts: &[&str]| -> Vec<SocketAddr> {
        texts.iter().map(|text| address(text).unwrap()).collect()
    };
    for texts in [
        &["127.0.0.1:4433", "127.0.0.1:4433"][..],
        &["127.0.0.1:1", "0.0.0.0:4433", "127.0.0.1:4433"],
        &["[::1]:4433", "[::]:4433"],
    ] {
        let told = covered(&all(texts)).unwrap();
        assert!(told.contains("leave one"), "{told}");
    }
    for texts in [
        &["127.0.0.1:0", "127.0.0.1:0"][..],
        &["0.0.0.0:4433", "[::]:4433"],
        &["127.0.0.1:4433", "127.0.0.1:4434", "127.0.0.2:4433"],
    ] {
        assert_eq!(covered(&all(texts)), None);
    }
}

#[test]
fn an_address_is_printed_again_when_links_from_it_would_live_longer() {
    let identity = Identity::from_bytes([7; 32]);
    let begin = Window::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
        .and_then(Window::next)
        .expect("a window");
    let (first, second) = (begin.start(), begin.next().expect("a window").start());
    let store = CertificateStore::derived(identity, first).expect("a certificate");
    let hashes = store.hashes(first).expect("hashes");
    for json in [false, true] {
        let address = RelayAddress::new("192.0.2.1", 7, hashes.clone());
        let mut announcer = Announcer {
            json,
            address: address.ok().unwrap(),
        };
        let last = second - Duration::from_secs(1);
        assert_eq!(announcer.renewed(&store, last), None);
        let line = announcer.renewed(&store, second).expect("another address");
        let url = match json {
            false => line.trim_end().to_owned(),
            true => {
                let event: serde_json::Value = serde_json::from_str(&line).expect("JSON");
                assert_eq!(event["event"], "address");
                event["address"].as_str().expect("an address").to_owned()
            }
        };
        let renewed: RelayAddress = url.parse().ok().unwrap();
        assert_eq!(renewed.host().to_text(), "192.0.2.1");
        assert_eq!(renewed.hashes().first(), hashes.last());
        assert_eq!(announcer.renewed(&store, second), None, "told once");
    }
}

#[test]
fn an_address_to_listen_on_has_a_port() {
    for text in ["127.0.0.1", "::1", "[::1]"] {
        assert!(address(text).unwrap_err().contains("port"), "{text}");
    }
    for text in ["", "localhost:4433", "127.0.0.1:", "127.0.0.1:70000"] {
        assert!(address(text).unwrap_err().contains("IP address"), "{text}");
    }
}
