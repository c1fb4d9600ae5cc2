//! A relay made of the library, with a leak.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sottovoce::quiet::{self, Format};
use sottovoce::relay::{Relay, RelayConfig};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::eavesdropper::{Heard, listen};

/// Names the leak.
pub const LEAK: &str = "SOTTOVOCE_LEAK";

/// Where processes write to the system's journal.
pub const JOURNAL: &str = "/run/systemd/journal/socket";

/// What leaks, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leak {
    Nothing,
    /// None, but all that the libraries trace is on standard error.
    Traced,
    Log,
    Span,
    Panic,
    MetricLabel,
    KeptInAMap,
    FreedUnwiped,
    TextFreedUnwiped,
    ThreadName,
    File,
    FileForAMoment,
    LinkInAFolder,
    Journal,
    ConnectedSocket,
    CoreDump,
    Traceable,
    CloseReason,
    RoomKept,
    BytesKept,
    /// Keeps what browsers' requests say, out of freed packets.
    RequestKept,
    /// Ends by a fault of its own when it is told to end.
    EndsBadly,
    /// None, but its metrics are not served.
    Deaf,
    /// None, but its metrics never say anything of a meeting.
    Constant,
    /// None, but another process holds its standard error.
    Helped,
}

const ALL: [Leak; 25] = [
    Leak::Nothing,
    Leak::Traced,
    Leak::Log,
    Leak::Span,
    Leak::Panic,
    Leak::MetricLabel,
    Leak::KeptInAMap,
    Leak::FreedUnwiped,
    Leak::TextFreedUnwiped,
    Leak::ThreadName,
    Leak::File,
    Leak::FileForAMoment,
    Leak::LinkInAFolder,
    Leak::Journal,
    Leak::ConnectedSocket,
    Leak::CoreDump,
    Leak::Traceable,
    Leak::CloseReason,
    Leak::RoomKept,
    Leak::BytesKept,
    Leak::RequestKept,
    Leak::EndsBadly,
    Leak::Deaf,
    Leak::Constant,
    Leak::Helped,
];

/// Runs it until a signal ends it.
pub fn relay(arguments: Vec<String>) -> ExitCode {
    let name = std::env::var(LEAK).unwrap_or_default();
    let leak = ALL.into_iter().find(|leak| format!("{leak:?}") == name);
    let leak = leak.unwrap_or(Leak::Nothing);
    if arguments
        .iter()
        .any(|argument| argument == "--print-config")
    {
        println!("[metrics]");
        return ExitCode::SUCCESS;
    }
    super::keeping::KEEPS.store(leak == Leak::RequestKept, Ordering::Relaxed);
    let given = |name: &str| {
        let values = arguments.iter().zip(arguments.iter().skip(1));
        let values = values
            .filter(|(argument, _)| *argument == name)
            .map(|(_, value)| value.clone());
        values.collect::<Vec<String>>()
    };
    match leak {
        Leak::Span | Leak::Traced => {
            tracing::subscriber::set_global_default(Gossip).expect("nobody listens yet");
        }
        // A panic as it is printed where nobody has silenced it.
        Leak::Panic => {}
        _ => quiet::install(Format::Json).expect("nobody listens yet"),
    }
    if !matches!(leak, Leak::CoreDump | Leak::Traceable) {
        quiet::harden().expect("it can be hardened");
    }
    let listen = given("--listen")
        .iter()
        .map(|address| address.parse().expect("an address"))
        .collect();
    let config = RelayConfig {
        listen,
        ..RelayConfig::default()
    };
    let relay = Relay::open(&config).unwrap_or_else(|error| panic!("{error}"));
    let address = relay.address().to_url();
    if leak != Leak::Deaf
        && let Some(config) = given("--config").first()
    {
        serve_metrics(&std::fs::read_to_string(config).expect("a configuration"));
    }
    if leak == Leak::EndsBadly {
        end_badly();
    }
    let _helper = (leak == Leak::Helped).then(help);
    std::thread::spawn(move || eavesdrop(leak));
    println!("{{\"event\":\"ready\",\"address\":\"{address}\"}}");
    std::thread::Builder::new()
        .name("shard".into())
        .spawn(move || relay.run())
        .expect("a thread")
        .join()
        .map_or(ExitCode::FAILURE, |_| ExitCode::SUCCESS)
}

fn eavesdrop(leak: Leak) {
    let mut buffer = Box::new([0; 1 << 16]);
    // Digests, which no drill can find: of what leaked already.
    let mut known = HashSet::new();
    loop {
        listen(&mut buffer, &mut |heard| {
            let mut digest = DefaultHasher::new();
            match &heard {
                Heard::Address(address) => address.hash(&mut digest),
                Heard::Text(bytes) | Heard::Room(bytes) | Heard::Passed(bytes) => {
                    bytes.hash(&mut digest)
                }
            }
            if known.insert(digest.finish()) {
                MET.store(leak != Leak::Constant, Ordering::Relaxed);
                tell(leak, heard);
            }
        });
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// What is kept for good.
static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
static PEERS: Mutex<Option<HashMap<u16, SocketAddr>>> = Mutex::new(None);
static SOCKETS: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
static LABELS: Mutex<String> = Mutex::new(String::new());
/// Whether somebody was heard, for the metrics.
static MET: AtomicBool = AtomicBool::new(false);

fn tell(leak: Leak, heard: Heard<'_>) {
    match (leak, heard) {
        (Leak::Log, Heard::Address(address)) => eprintln!("joined from {address}"),
        (Leak::Span, Heard::Address(address)) => {
            let _ = tracing::info_span!("peer", %address).entered();
        }
        (Leak::Panic, Heard::Address(address)) => {
            let _ = std::panic::catch_unwind(|| panic!("no way to {address}"));
        }
        (Leak::MetricLabel, Heard::Address(address)) => {
            let mut labels = LABELS.lock().expect("a lock");
            labels.push_str(&format!("connections{{peer=\"{address}\"}} 1\n"));
        }
        (Leak::KeptInAMap, Heard::Address(address)) => {
            let mut peers = PEERS.lock().expect("a lock");
            peers
                .get_or_insert_default()
                .insert(address.port(), *address);
        }
        // Behind what an allocator writes over, since nothing of so short a text would be left.
        (Leak::FreedUnwiped, Heard::Address(address)) => {
            free_unwiped(address.to_string().as_bytes(), 32)
        }
        (Leak::TextFreedUnwiped, Heard::Text(text)) => free_unwiped(text, 0),
        (Leak::ThreadName, Heard::Address(address)) => {
            let thread = std::thread::Builder::new().name(address.ip().to_string());
            thread.spawn(std::thread::park).expect("a thread");
        }
        (Leak::File, Heard::Address(address)) => {
            let path = std::env::temp_dir().join("peers");
            let mut file = std::fs::File::options()
                .create(true)
                .append(true)
                .open(path)
                .expect("a file");
            writeln!(file, "{address}").expect("room");
        }
        (Leak::FileForAMoment, Heard::Address(address)) => {
            let path = std::env::temp_dir().join("peer");
            std::fs::write(&path, address.to_string()).expect("room");
            std::fs::remove_file(path).expect("a file");
        }
        (Leak::LinkInAFolder, Heard::Address(address)) => {
            let folder = std::env::temp_dir().join("peers");
            let _ = std::fs::create_dir(&folder);
            let link = folder.join(address.port().to_string());
            let _ = std::os::unix::fs::symlink(address.to_string(), link);
        }
        (Leak::Journal, Heard::Address(address)) => {
            let entry = format!("MESSAGE=joined from {address}\n");
            let socket = UnixDatagram::unbound().expect("a socket");
            let sent = socket.send_to(entry.as_bytes(), JOURNAL);
            sent.expect("a journal");
        }
        (Leak::ConnectedSocket, Heard::Address(address)) => {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            socket.connect(address).expect("a way");
            SOCKETS.lock().expect("a lock").push(socket);
        }
        (Leak::CloseReason, Heard::Text(text)) => {
            eprintln!("closed: {}", String::from_utf8_lossy(text));
        }
        (Leak::RoomKept, Heard::Room(bytes)) | (Leak::BytesKept, Heard::Passed(bytes)) => {
            KEPT.lock().expect("a lock").push(bytes.to_vec());
        }
        _ => {}
    }
}

/// Starts a process that outlives this one by longer than the drill waits for last words.
fn help() -> Child {
    let mut helper = Command::new("sh");
    helper.args(["-c", "cat; sleep 8"]).stdin(Stdio::piped());
    helper.stdout(Stdio::null()).spawn().expect("a process")
}

/// As a program without a wiping allocator frees everything.
fn free_unwiped(text: &[u8], at: usize) {
    let layout = Layout::from_size_align(96, 8).expect("a layout");
    // SAFETY: 96 bytes are asked for, no more than these are written, and given back once.
    unsafe {
        let memory = System.alloc(layout);
        assert!(!memory.is_null() && at + text.len() <= 96);
        std::ptr::copy_nonoverlapping(text.as_ptr(), memory.add(at), text.len());
        System.dealloc(memory, layout);
    }
}

/// Answers at the address that the configuration gives.
fn serve_metrics(config: &str) {
    let at = config
        .lines()
        .find_map(|line| line.strip_prefix("listen = \"")?.strip_suffix('"'));
    let listener = TcpListener::bind(at.expect("an address")).expect("a socket");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 1024]);
            let labels = LABELS.lock().expect("a lock").clone();
            let met = u8::from(MET.load(Ordering::Relaxed));
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nmet {met}\n{labels}"
            );
        }
    });
}

/// Whoever asks it to end meets a fault of its own.
fn end_badly() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build();
        runtime.expect("a runtime").block_on(async {
            let asked = tokio::signal::unix::SignalKind::terminate();
            let mut asked = tokio::signal::unix::signal(asked).expect("a signal");
            asked.recv().await;
            std::process::abort();
        });
    });
}

/// Writes down everything that is traced, spans too.
struct Gossip;

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl Subscriber for Gossip {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut words = Words(format!("span {}", span.metadata().name()));
        span.record(&mut words);
        eprintln!("{}", words.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut words = Words("record".into());
        values.record(&mut words);
        eprintln!("{}", words.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(format!("event {}", event.metadata().target()));
        event.record(&mut words);
        eprintln!("{}", words.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
