//! Whatever a dependency logs, at any level and whatever `RUST_LOG` says, none of it comes out of
//! a process that is `quiet`; our own events do.

use std::process::{Command, Output};

use sottovoce::quiet::{self, Event, Format, Level, Overheard};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_global_default;
use tracing::{Metadata, Subscriber};

const CHILD: &str = "SOTTOVOCE_TEST_CHILD";
const ADDRESS: &str = "203.0.113.77:40123";

/// Prints all it hears.
struct Gossip;

impl Subscriber for Gossip {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        eprintln!("{span:?}");
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        eprintln!("{values:?}");
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        eprintln!("{event:?}");
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What quinn and others say of a peer, and what something in our own name might.
fn gossip() {
    let remote = ADDRESS;
    let span = tracing::error_span!("connection", remote, late = tracing::field::Empty);
    let _entered = span.enter();
    span.record("late", ADDRESS);
    tracing::trace!(target: "quinn_proto::endpoint", %remote, "initial packet");
    tracing::warn!(target: "quinn_udp", "sendmsg error: destination {ADDRESS}");
    tracing::error!(target: "sottovoce", remote, "in our name");
    tracing::error!(target: "sottovoce::quiet", remote, "in our room's name");
}

/// What the child processes do; none of it when run as a test of its own.
#[test]
fn child() {
    match std::env::var(CHILD).as_deref() {
        Ok("quiet") => {
            quiet::install(Format::Text).expect("nobody else listens");
            quiet::install(Format::Text).expect("once more does no harm");
            assert!(set_global_default(Gossip).is_err(), "the place is taken");
            gossip();
            quiet::log(Event::Started { shards: 1 });
            quiet::log(Event::Full);
            quiet::log(Event::Full);
            gossip();
        }
        Ok("json") => {
            quiet::install(Format::Json).expect("nobody else listens");
            gossip();
            quiet::log(Event::Full);
        }
        Ok("overheard") => {
            set_global_default(Gossip).expect("nobody else listens");
            assert_eq!(quiet::install(Format::Text), Err(Overheard));
            gossip();
        }
        Ok(_) | Err(_) => {}
    }
}

fn run(child: &str, rust_log: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--quiet"])
        .env(CHILD, child)
        .env("RUST_LOG", rust_log)
        .output()
        .unwrap()
}

fn said(child: &str, rust_log: &str) -> String {
    let output = run(child, rust_log);
    assert!(output.status.success(), "{output:?}");
    assert!(
        !String::from_utf8_lossy(&output.stdout).contains("203.0"),
        "{output:?}"
    );
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn only_our_events_come_out_at_every_level() {
    let started = format!("sottovoce: {}\n", Event::Started { shards: 1 });
    let full = format!("sottovoce: {}\n", Event::Full);
    let both = format!("{started}{full}");
    for (rust_log, expected) in [
        ("trace", &both),
        ("trace,quinn=trace,quinn_udp=trace,sottovoce=trace", &both),
        ("info", &both),
        ("", &full),
        ("quinn_proto=trace", &full),
        ("off", &String::new()),
    ] {
        assert_eq!(&said("quiet", rust_log), expected, "RUST_LOG={rust_log}");
    }
    assert_eq!(said("json", "trace"), "{\"event\":\"full\"}\n");
}

#[test]
fn a_process_that_is_overheard_knows_it() {
    let output = said("overheard", "");
    if cfg!(debug_assertions) {
        assert!(output.contains(ADDRESS), "the gossip is real: {output}");
    } else {
        assert_eq!(output, "", "release builds hold no gossip at all");
    }
}

#[test]
fn what_is_on_by_default_is_what_an_operator_must_act_on() {
    assert_eq!(Event::CertificateRotated.level(), Level::Info);
    assert_eq!(
        Event::Overloaded {
            shard: 0,
            late_percent: 40
        }
        .level(),
        Level::Warn
    );
}
