//! A scraper that takes nothing but the text format of Prometheus, and no number that is exact.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use sottovoce::quiet::metrics::{BYTES, PACKETS, PEOPLE};

/// Where the numbers are told.
pub enum Place {
    Port(u16),
    Path(PathBuf),
}

pub trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

impl Place {
    pub fn connect(&self) -> Box<dyn Line> {
        let patience = Some(Duration::from_secs(30));
        match self {
            Self::Port(port) => {
                let line = TcpStream::connect(("127.0.0.1", *port)).expect("it listens");
                line.set_read_timeout(patience).expect("a timeout");
                Box::new(line)
            }
            Self::Path(path) => {
                let line = UnixStream::connect(path).expect("it listens");
                line.set_read_timeout(patience).expect("a timeout");
                Box::new(line)
            }
        }
    }
}

/// What is said to these bytes, until the other side ends.
pub fn ask(place: &Place, request: &[u8]) -> String {
    let mut line = place.connect();
    // Who is sent too much hangs up.
    let _ = line.write_all(request);
    let mut said = Vec::new();
    let _ = line.read_to_end(&mut said);
    String::from_utf8(said).expect("text")
}

/// An answer: its status and headers, these in alphabetical order, and its text.
pub struct Scrape {
    pub head: Vec<String>,
    pub body: String,
}

impl Scrape {
    pub fn of(said: &str) -> Self {
        let (head, body) = said.split_once("\r\n\r\n").expect("a head");
        let mut head: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
        head[1..].sort_unstable();
        Self {
            head,
            body: body.to_owned(),
        }
    }
}

/// What a scrape holds, by name and label.
#[derive(Debug)]
pub struct Numbers(BTreeMap<String, u64>);

impl Numbers {
    pub fn count(&self, name: &str) -> u64 {
        *self.0.get(name).unwrap_or_else(|| panic!("no {name}"))
    }

    pub fn all(&self) -> Vec<(&str, u64)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect()
    }
}

/// Reads the text format (Prometheus, "Exposition formats", version 0.0.4), as strictly as it can be
/// read: a line of help, one of type, then samples of that name. Every value is rough.
pub fn numbers(text: &str) -> Numbers {
    let mut numbers = BTreeMap::new();
    let mut lines = text
        .strip_suffix('\n')
        .expect("a last line that ends")
        .split('\n')
        .peekable();
    while let Some(help) = lines.next() {
        let help = help.strip_prefix("# HELP ").expect("help first");
        let (name, words) = help.split_once(' ').expect("a name and words");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name}"
        );
        assert!(!words.is_empty() && !words.contains('\\'));
        let kind = lines
            .next()
            .and_then(|line| line.strip_prefix(&format!("# TYPE {name} ")))
            .expect("a type");
        assert_eq!(
            kind,
            if name.ends_with("_total") {
                "counter"
            } else {
                "gauge"
            },
            "{name}"
        );
        let step = match name {
            _ if name.contains("_bytes") => BYTES,
            _ if name.contains("_packets") => PACKETS,
            _ => PEOPLE,
        };
        let mut samples = 0;
        while let Some(sample) = lines.next_if(|line| !line.starts_with('#')) {
            let (series, value) = sample.split_once(' ').expect("a value and no time");
            let label = series.strip_prefix(name).expect("of this name");
            let known = [
                "",
                "{role=\"member\"}",
                "{role=\"viewer\"}",
                "{reason=\"full\"}",
                "{reason=\"bounds\"}",
                "{reason=\"slow\"}",
                "{reason=\"protocol\"}",
            ];
            assert!(known.contains(&label), "{label}");
            let value: u64 = value.parse().expect("a whole number");
            assert!(value.is_multiple_of(step), "{sample}");
            assert!(
                numbers.insert(series.to_owned(), value).is_none(),
                "{series} twice"
            );
            samples += 1;
        }
        assert!(samples > 0, "{name} has no value");
    }
    assert_eq!(numbers.len(), 15, "{numbers:#?}");
    Numbers(numbers)
}
