//! What is typed at a terminal is edited and obeyed, and the terminal is left as it was found,
//! however the program ends; lines of a pipe are obeyed too, and nothing is nothing.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command as Process, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::Pid;
use sottovoce::participant::Output;
use sottovoce::participant::console::{
    Command, Console, LINE_BYTES, StandardInput, Subject, Typed, help, restore,
};
use sottovoce::quiet::{self, Format};
use tokio::signal::unix::{SignalKind, signal};

const CHILD: &str = "SOTTOVOCE_TEST_CHILD";
const PATIENCE: Duration = Duration::from_secs(20);

/// What the child processes do; none of it when run as a test of its own.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(obey());
    println!("over");
    runtime.shutdown_background();
}

async fn obey() {
    quiet::install(Format::Text).expect("nobody else listens");
    quiet::at_a_fault(restore);
    let mut interrupt = signal(SignalKind::interrupt()).unwrap();
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let mut output = Output::new(false, false);
    let mut console = Console::open(&mut output, StandardInput::Free);
    println!("\nready");
    loop {
        let typed = tokio::select! {
            typed = console.next() => typed,
            _ = interrupt.recv() => return println!("\ninterrupted"),
            _ = terminate.recv() => return println!("\nterminated"),
        };
        match typed {
            None => return println!("no more"),
            Some(Typed::Mistake(mistake)) => println!("mistake: {mistake}"),
            Some(Typed::Command(command)) => match command {
                Command::Who => println!("who"),
                Command::Admit(Subject::Everyone) => println!("admit all"),
                Command::Admit(Subject::Number(number)) => println!("admit number {number}"),
                Command::Admit(Subject::Name(name)) => println!("admit name {name}"),
                Command::Say(text) => println!("say {text}"),
                Command::Help => output.answer(&help()),
                Command::Leave => return println!("leave"),
                Command::Lock => panic!("a fault"),
                _ => println!("something else"),
            },
        }
    }
}

fn this(program: &str, before: &[&str]) -> Process {
    let mut process = Process::new(program);
    process.args(before);
    process.args(["--exact", "child", "--nocapture", "--quiet"]);
    process.env(CHILD, "yes").env("TERM", "xterm");
    process.stdout(Stdio::piped()).stderr(Stdio::null());
    process
}

/// A program at a terminal of its own.
struct Seat {
    terminal: File,
    before: Termios,
    child: Child,
    said: std::sync::mpsc::Receiver<String>,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl Seat {
    fn take(term: &str) -> Self {
        let size = Winsize {
            ws_row: 30,
            ws_col: 60,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let OpenptyResult { master, slave } = openpty(Some(&size), None).unwrap();
        // Not what it would be anyway.
        let mut mode = tcgetattr(&slave).unwrap();
        mode.local_flags.remove(LocalFlags::ECHOK);
        tcsetattr(&slave, SetArg::TCSANOW, &mode).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let program = std::env::current_exe().unwrap();
        let mut process = this("setsid", &["--ctty", program.to_str().unwrap()]);
        process.env("TERM", term);
        process.stdin(slave.try_clone().unwrap()).stderr(slave);
        let mut child = process.spawn().expect("setsid runs");
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let (mut terminal, shown) = (File::from(master), screen.clone());
        let reads = terminal.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = terminal.read(&mut buffer) {
                shown.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        let (tell, said) = std::sync::mpsc::channel();
        let output = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let _ = tell.send(line.unwrap_or_default());
            }
        });
        let seat = Self {
            terminal: reads,
            before,
            child,
            said,
            screen,
        };
        seat.hears("ready");
        seat
    }

    fn types(&mut self, text: &str) {
        self.terminal.write_all(text.as_bytes()).unwrap();
    }

    fn hears(&self, line: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let said = self.said.recv_timeout(left);
            if said.unwrap_or_else(|_| panic!("{line:?} is not said")) == line {
                return;
            }
        }
    }

    fn sees(&self, part: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned();
            if screen.contains(part) {
                return;
            }
            assert!(Instant::now() < until, "{part:?} is not in {screen:?}");
            sleep(Duration::from_millis(10));
        }
    }

    fn is_edited(&self) -> bool {
        let mode = tcgetattr(&self.terminal).unwrap();
        !mode
            .local_flags
            .intersects(LocalFlags::ICANON | LocalFlags::ECHO)
    }

    fn signal(&self, signal: Signal) {
        let process = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(process), signal).unwrap();
    }

    /// The program is gone, and the terminal is as it was before it came.
    fn leaves_it_as_it_was(mut self) {
        self.child.wait().unwrap();
        let after = tcgetattr(&self.terminal).unwrap();
        assert!(after == self.before, "{after:?} is not {:?}", self.before);
        self.sees("\x1b[?2004l\x1b[?25h");
    }
}

#[test]
fn commands_are_edited_as_they_are_typed() {
    let mut seat = Seat::take("xterm");
    assert!(seat.is_edited());
    seat.types("/adt\x7fm\t1\x1b[D3\r");
    seat.hears("admit number 31");
    seat.sees("> /admit 31");
    seat.types("\x1b[A\x17all\r");
    seat.hears("admit all");
    seat.types("h\u{e9}llo\r/lo it\r");
    seat.hears("say h\u{e9}llo");
    seat.hears("mistake: /lock takes nothing after it. Type it alone.");
    seat.types("half a li");
    seat.sees("half a li\x1b[7m \x1b[0m");
    seat.types("\x15/help\r");
    seat.sees("/mute-all-request");
    seat.types("\x04");
    seat.hears("leave");
    seat.leaves_it_as_it_was();
}

#[test]
fn the_terminal_leaves_it_as_it_was_whatever_ends_the_program() {
    for (signal, said) in [
        (Signal::SIGINT, "interrupted"),
        (Signal::SIGTERM, "terminated"),
    ] {
        let mut seat = Seat::take("xterm");
        seat.types("half a li");
        seat.sees("half a li\x1b[7m");
        assert!(seat.is_edited());
        seat.signal(signal);
        seat.hears(said);
        seat.leaves_it_as_it_was();
    }
    let mut ctrl_c = Seat::take("xterm");
    ctrl_c.types("half\x03");
    ctrl_c.hears("interrupted");
    ctrl_c.leaves_it_as_it_was();
    let mut fault = Seat::take("xterm");
    fault.types("/lock\r");
    fault.leaves_it_as_it_was();
}

#[test]
fn a_program_that_was_stopped_edits_again() {
    let mut seat = Seat::take("xterm");
    seat.signal(Signal::SIGSTOP);
    // A shell would.
    tcsetattr(&seat.terminal, SetArg::TCSANOW, &seat.before).unwrap();
    seat.signal(Signal::SIGCONT);
    let until = Instant::now() + PATIENCE;
    while !seat.is_edited() {
        assert!(Instant::now() < until, "it is not edited again");
        sleep(Duration::from_millis(10));
    }
    seat.types("/whx\x7fo\r");
    seat.hears("who");
    seat.signal(Signal::SIGTERM);
    seat.leaves_it_as_it_was();
}

#[test]
fn a_terminal_that_cannot_draw_gives_lines() {
    let mut seat = Seat::take("dumb");
    assert!(!seat.is_edited());
    seat.types("/whx\x7fo\n");
    seat.hears("who");
    seat.types("\x04");
    seat.hears("leave");
    seat.child.wait().unwrap();
    let screen = String::from_utf8_lossy(&seat.screen.lock().unwrap()).into_owned();
    assert!(!screen.contains('\x1b'), "no codes that it knows: {screen}");
}

/// What is heard of a program that has this for its standard input.
fn heard(input: Stdio, feed: &[u8]) -> Vec<String> {
    let program = std::env::current_exe().unwrap();
    let mut process = this(program.to_str().unwrap(), &[]);
    let mut child = process.stdin(input).spawn().unwrap();
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(feed).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let lines = said.lines().map(str::to_owned);
    let after = lines.skip_while(|line| line != "ready").skip(1);
    after.take_while(|line| line != "over").collect()
}

#[test]
fn lines_of_a_pipe_are_obeyed_and_its_end_is_no_farewell() {
    let long = "x".repeat(LINE_BYTES + 1);
    let text = format!("/who\n\n{long}\r\n/admit Ada\nlast");
    let said = heard(Stdio::piped(), text.as_bytes());
    let expected = [
        "who",
        "mistake: A line of more than 8192 bytes was left out. Make it shorter.",
        "admit name Ada",
        "say last",
        "no more",
    ];
    assert_eq!(said, expected);
}

#[test]
fn nothing_comes_from_nothing() {
    assert_eq!(heard(Stdio::null(), b""), ["no more"]);
}
