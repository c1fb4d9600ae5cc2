//! `make demo`: a relay and a meeting on this machine, 20 s of recorded voices and moving pictures. Three
//! knock at the host's door: one is admitted, one is admitted and removed halfway, one is denied. Then a
//! table of what arrived. Exits non-zero unless those who stayed have all of it, bit for bit, and the
//! one who was removed opened nothing that was sent after.
//!
//! Each participant writes a trace of its own (a hidden option of `join`, on its own disk alone);
//! the table compares them. A frame counts when it was sent while its listener was in the meeting.
//! A trace holds no name and no time of day, so people are told apart by the numbers that `/who` shows,
//! and moments by what each one had sent by then.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

const HOST: &str = "Ada";
const STAYS: &str = "Bea";
const REMOVED: &str = "Cam";
const DENIED: &str = "Dan";
/// What each one plays.
const FILES: [(&str, &str); 4] = [
    (HOST, "tests/fixtures/vp8-voice.webm"),
    (STAYS, "tests/fixtures/vp9-voice.webm"),
    (REMOVED, "tests/fixtures/voice-bo.webm"),
    (DENIED, "tests/fixtures/vp8-voice.webm"),
];
/// What `join` ends with when the host did not admit somebody, or removed it.
const PUT_OUT: i32 = 26;
/// What is cut off at both ends of the time in which all were there: frames still under way, and lines
/// that are not in the files yet.
const MARGIN: Duration = Duration::from_millis(500);
/// How long getting ready may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut program = PathBuf::from("target/release/sottovoce");
    let mut seconds = 20;
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--sottovoce", Some(path)) => program = path.into(),
            ("--seconds", Some(text)) if text.parse::<u64>().is_ok() => {
                seconds = text.parse().unwrap_or(seconds);
            }
            _ => {
                eprintln!("usage: demo [--sottovoce PROGRAM] [--seconds 20]");
                return ExitCode::from(2);
            }
        }
    }
    match demo(&program, Duration::from_secs(seconds)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            eprintln!("demo: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// A child that is ended when it goes out of scope, whatever happened.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that is removed when it goes out of scope.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A participant: its program, what it says, and what it is told.
struct Participant {
    process: Running,
    trace: PathBuf,
    events: Receiver<Value>,
    typed: ChildStdin,
}

impl Participant {
    fn join(program: &Path, link: &str, name: &str, folder: &Path) -> Result<Self, String> {
        let file = FILES.iter().find(|(other, _)| *other == name);
        let file = file.map(|(_, file)| *file).unwrap_or_default();
        let trace = folder.join(name);
        let mut child = Command::new(program)
            .args(["join", link, "--name", name, "--play", file])
            .args(["--loop", "--json", "--commands", "--trace"])
            .arg(&trace)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(match name {
                // Told that they are not wanted.
                REMOVED | DENIED => Stdio::null(),
                _ => Stdio::inherit(),
            })
            .spawn()
            .map_err(|error| error.to_string())?;
        let (typed, said) = (child.stdin.take(), child.stdout.take());
        let process = Running(child);
        let typed = typed.ok_or("no way to type")?;
        let said = BufReader::new(said.ok_or("no output")?);
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line);
                if event.is_ok_and(|event: Value| sender.send(event).is_err()) {
                    return;
                }
            }
        });
        Ok(Self {
            process,
            trace,
            events,
            typed,
        })
    }

    /// Waits for this event.
    fn until(&self, name: &str, is: impl Fn(&Value) -> bool) -> Result<Value, String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left);
            let event = event.map_err(|_| format!("a participant does not say {name:?}"))?;
            if event["event"] == name && is(&event) {
                return Ok(event);
            }
        }
    }

    /// By which number this one knows each of the others.
    fn numbers(&mut self) -> Result<HashMap<String, u32>, String> {
        self.types("/who")?;
        let roster = self.until("roster", |_| true)?;
        let members = roster["members"].as_array().into_iter().flatten();
        let number = |member: &Value| {
            let number = u32::try_from(member["number"].as_u64()?).ok()?;
            Some((member["name"].as_str()?.to_owned(), number))
        };
        Ok(members.filter_map(number).collect())
    }

    fn types(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.typed, "{line}").map_err(|error| error.to_string())
    }

    fn ends(&mut self, code: i32, what: &str) -> Result<(), String> {
        let status = self.process.0.wait().map_err(|error| error.to_string())?;
        match status.code() == Some(code) {
            true => Ok(()),
            false => Err(format!("{what} ended with {status}, and not with {code}")),
        }
    }
}

fn demo(program: &Path, duration: Duration) -> Result<bool, String> {
    let scratch =
        Scratch(std::env::temp_dir().join(format!("sottovoce-demo-{}", std::process::id())));
    std::fs::create_dir_all(&scratch.0).map_err(|error| format!("no scratch folder: {error}"))?;

    let mut relay = Command::new(program)
        .args(["relay", "--json", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .map(Running)
        .map_err(|error| format!("{} does not start: {error}", program.display()))?;
    let ready = first_line(&mut relay.0)?;
    let address = field(&ready, "address")?;
    let invite = Command::new(program)
        .args(["invite", "--json", "--relay", &address])
        .output()
        .map_err(|error| error.to_string())?;
    let invited = String::from_utf8_lossy(&invite.stdout).into_owned();
    let link = field(&invited, "meeting_link")?;
    println!(
        "a relay listens on {}",
        address.split('#').next().unwrap_or_default()
    );

    let join = |link: &str, name| Participant::join(program, link, name, &scratch.0);
    let mut host = join(&field(&invited, "host_link")?, HOST)?;
    host.until("connected", |_| true)?;
    println!("{HOST} holds the meeting");
    let [mut stays, mut removed, mut denied] = [
        join(&link, STAYS)?,
        join(&link, REMOVED)?,
        join(&link, DENIED)?,
    ];
    for _ in 0..3 {
        let knock = host.until("knock", |_| true)?;
        let name = knock["name"].as_str().unwrap_or_default();
        let (command, done) = match name == DENIED {
            true => ("deny", "denied"),
            false => ("admit", "admitted"),
        };
        host.types(&format!("/{command} {}", knock["number"]))?;
        println!("{name} knocks and is {done}");
    }
    denied.ends(PUT_OUT, DENIED)?;
    let folder = scratch.0.as_path();
    all_hear(&[HOST, STAYS, REMOVED], folder)?;
    let mut numbers = HashMap::new();
    for (name, one) in [
        (HOST, &mut host),
        (STAYS, &mut stays),
        (REMOVED, &mut removed),
    ] {
        numbers.insert(name, one.numbers()?);
    }
    let moment = || {
        std::thread::sleep(MARGIN);
        let moment = sent_by_now(folder);
        std::thread::sleep(MARGIN);
        moment
    };
    let all = moment()?;
    progress(duration / 2);
    let before = moment()?;
    host.types(&format!("/remove {REMOVED}"))?;
    host.until("link", |_| true)?;
    let after = moment()?;
    println!("{REMOVED} is removed, and everybody else moves to other rooms");
    removed.ends(PUT_OUT, REMOVED)?;
    progress(duration / 2);
    let end = moment()?;
    stays.types("/leave")?;
    stays.ends(0, STAYS)?;
    host.types("/leave")?;
    host.ends(0, HOST)?;
    let mut summaries = HashMap::new();
    for (name, one) in [(HOST, &host), (STAYS, &stays), (REMOVED, &removed)] {
        summaries.insert(name, one.until("summary", |_| true)?);
    }

    let people = [&host, &stays, &removed, &denied];
    let traces: HashMap<&str, Vec<Line>> = FILES
        .iter()
        .zip(people)
        .map(|((name, _), one)| Ok((*name, read(&one.trace)?)))
        .collect::<Result<_, String>>()?;
    let whole = (&all, &end);
    let first = (&all, &before);
    println!(
        "\n{:<9} {:<8} {:>5} {:>6} {:>9} {:>14} {:>5} {:>8} {:>8}",
        "listener",
        "speaker",
        "track",
        "sent",
        "received",
        "bit-identical",
        "lost",
        "p50 late",
        "p99 late"
    );
    let mut perfect = true;
    for (listener, speaker, during) in [
        (HOST, STAYS, whole),
        (STAYS, HOST, whole),
        (HOST, REMOVED, first),
        (STAYS, REMOVED, first),
        (REMOVED, HOST, first),
        (REMOVED, STAYS, first),
    ] {
        let number = numbers[listener].get(speaker).copied();
        let number = number.ok_or("somebody is not on a list of who is there")?;
        let late = &summaries[listener]["participants"];
        perfect &= table(&traces, (listener, late), (speaker, number), during);
    }
    let later = (&after, &end);
    let sent = [HOST, STAYS].map(|name| sent(&traces[name], name, later));
    let opened = opened(&traces[REMOVED], &sent);
    let sent = sent.map(|sent| sent.len());
    println!(
        "\n{REMOVED}, removed: {opened} opened of {} frames sent after. {DENIED}, denied: {} opened.",
        sent[0] + sent[1],
        traces[DENIED].len()
    );
    let kept_out = opened == 0 && sent.iter().all(|sent| *sent > 0) && traces[DENIED].is_empty();
    println!(
        "{}",
        match (perfect, kept_out) {
            (true, true) => "Everything arrived, bit for bit, and nothing where it should not.",
            (false, _) => "Something is missing or differs.",
            (_, false) => "Something arrived where it should not.",
        }
    );
    Ok(perfect && kept_out)
}

/// Waits until each of these has heard all others of them.
fn all_hear(names: &[&str], folder: &Path) -> Result<(), String> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let complete = names.iter().all(|name| {
            read(&folder.join(name)).is_ok_and(|lines| {
                let heard: HashSet<u32> = lines.iter().filter_map(|line| line.from).collect();
                heard.len() + 1 == names.len()
            })
        });
        if complete {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Err("the participants do not hear each other".into())
}

fn progress(duration: Duration) {
    let start = Instant::now();
    let terminal = std::io::stdout().is_terminal();
    while start.elapsed() < duration {
        if terminal {
            let left = duration.saturating_sub(start.elapsed()).as_secs() + 1;
            print!("\rthey talk for {left:>2} s more ");
            let _ = std::io::stdout().flush();
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    if terminal {
        print!("\r{:30}\r", "");
    }
}

/// A line of a trace: a frame that was sent (no `from`) or received.
#[derive(Deserialize)]
struct Line {
    from: Option<u32>,
    track: u8,
    number: u64,
    digest: String,
}

/// A moment: the newest frame that each one had sent on each track.
type Moment = HashMap<(&'static str, u8), u64>;

fn read(path: &Path) -> Result<Vec<Line>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("no trace: {error}"))?;
    // The last line may still be under way.
    Ok(text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

fn sent_by_now(folder: &Path) -> Result<Moment, String> {
    let mut moment = Moment::new();
    for name in [HOST, STAYS, REMOVED] {
        for line in read(&folder.join(name))? {
            if line.from.is_none() {
                moment.insert((name, line.track), line.number);
            }
        }
    }
    Ok(moment)
}

/// What somebody sent after the one moment and up to the other.
fn sent<'a>(trace: &'a [Line], name: &'static str, during: (&Moment, &Moment)) -> Vec<&'a Line> {
    let newest = |moment: &Moment, track| moment.get(&(name, track)).copied();
    let mut sent: Vec<&Line> = trace
        .iter()
        .filter(|line| {
            let number = Some(line.number);
            line.from.is_none()
                && number > newest(during.0, line.track)
                && number <= newest(during.1, line.track)
        })
        .collect();
    sent.sort_by_key(|line| (line.track, line.number));
    sent
}

/// How many of these frames somebody opened, whenever that was.
fn opened(listener: &[Line], sent: &[Vec<&Line>]) -> usize {
    let heard = |frame: &&&Line| {
        listener.iter().any(|line| {
            line.from.is_some() && (&line.digest, line.number) == (&frame.digest, frame.number)
        })
    };
    sent.iter().flatten().filter(heard).count()
}

/// A line for each track of a speaker: what a listener has of it, and how late it came by the
/// listener's own summary. Whether that is all of it.
fn table(
    traces: &HashMap<&str, Vec<Line>>,
    (listener, summary): (&str, &Value),
    (speaker, number): (&'static str, u32),
    during: (&Moment, &Moment),
) -> bool {
    let heard: HashMap<(u8, u64), &Line> = traces[listener]
        .iter()
        .filter(|line| line.from == Some(number))
        .map(|line| ((line.track, line.number), line))
        .collect();
    let find = |list: &Value, field: &str, value: &Value| {
        let mut list = list.as_array().into_iter().flatten();
        list.find(|one| one[field] == *value).cloned()
    };
    let person = find(summary, "name", &speaker.into()).unwrap_or_default();
    let sent = sent(&traces[speaker], speaker, during);
    let mut perfect = !sent.is_empty();
    for track in sent.chunk_by(|a, b| a.track == b.track) {
        let arrived: Vec<(&Line, &Line)> = track
            .iter()
            .filter_map(|line| Some((*line, *heard.get(&(line.track, line.number))?)))
            .collect();
        let same = arrived.iter().filter(|(s, h)| s.digest == h.digest).count();
        let counts = find(&person["tracks"], "track", &track[0].track.into()).unwrap_or_default();
        let late = |name: &str| match counts[name].as_u64() {
            Some(late) => format!("{late} ms"),
            None => "?".into(),
        };
        println!(
            "{:<9} {:<8} {:>5} {:>6} {:>9} {:>14} {:>5} {:>8} {:>8}",
            listener,
            speaker,
            track[0].track,
            track.len(),
            arrived.len(),
            same,
            track.len() - arrived.len(),
            late("late_p50_ms"),
            late("late_p99_ms"),
        );
        perfect &= same == track.len();
    }
    perfect
}

/// The first line that a child prints; what it prints later is not wanted.
fn first_line(child: &mut Child) -> Result<String, String> {
    let out = child.stdout.take().ok_or("the relay has no output")?;
    let mut line = String::new();
    BufReader::new(out)
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    if line.is_empty() {
        Err("the relay does not get ready".into())
    } else {
        Ok(line)
    }
}

fn field(json: &str, name: &str) -> Result<String, String> {
    let value: serde_json::Value =
        serde_json::from_str(json.trim()).map_err(|_| "not what was expected of a child")?;
    value[name]
        .as_str()
        .map(String::from)
        .ok_or_else(|| format!("no {name} in a child's answer"))
}
