//! A relay that serves has no way to files, to connections of its own or to other programs: the
//! kernel refuses, or ends it. And whoever requires that gets it or no relay.

mod support;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use sottovoce::quiet::sandbox::{Needs, fence, filter, support};
use support::{Participant, Relay, fixture, signal, sottovoce};

const CHILD: &str = "SOTTOVOCE_TEST_CHILD";
const FILE: &str = "SOTTOVOCE_TEST_FILE";

/// A child's exit status when the system refused what it tried.
const REFUSED: i32 = 77;
/// When the system let it.
const DONE: i32 = 0;
/// Any user that is not this one.
const NOBODY: u32 = 65534;

/// What the child processes do; none of it when run as a test of its own.
#[test]
fn child() {
    let Ok(child) = std::env::var(CHILD) else {
        return;
    };
    let file = PathBuf::from(std::env::var_os(FILE).unwrap());
    let (stage, trial) = child.split_once(' ').unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut needs = Needs::default();
    if stage == "rereading" {
        needs.rereads = vec![file.clone()];
    }
    fence(&needs).unwrap();
    if stage != "fenced" {
        filter(&needs).unwrap();
    }
    // No word through the harness from here on: it might need what is gone.
    let outcome = attempt(trial, &file, &socket);
    std::process::exit(match outcome.map_err(|error| error.raw_os_error()) {
        Ok(()) => DONE,
        Err(Some(libc::EACCES | libc::EPERM)) => REFUSED,
        Err(_) => 1,
    });
}

fn attempt(trial: &str, file: &Path, socket: &UdpSocket) -> io::Result<()> {
    let done = |result: libc::c_long| match result {
        ..0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    };
    let page = 4096;
    let map = |protection| {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        unsafe { libc::mmap(std::ptr::null_mut(), page, protection, flags, -1, 0) }
    };
    match trial {
        "read" => std::fs::read(file).map(drop),
        "read another" => std::fs::read("/etc/passwd").map(drop),
        "write" => OpenOptions::new().write(true).open(file).map(drop),
        "create" => File::create(file.with_extension("new")).map(drop),
        "remove" => std::fs::remove_file(file),
        "list" => std::fs::read_dir("/").map(drop),
        "connect" => TcpStream::connect(("127.0.0.1", 9)).map(drop),
        "listen" => TcpListener::bind("127.0.0.1:0").map(drop),
        "connect what is bound" => socket.connect(("127.0.0.1", 9)),
        "send to an address" => socket.send_to(b"x", (Ipv4Addr::LOCALHOST, 9)).map(drop),
        "signal" => done(unsafe { libc::kill(libc::getppid(), 0) }.into()),
        "fork" => done(unsafe { libc::fork() }.into()),
        "thread" => std::thread::Builder::new().spawn(|| ()).map(drop),
        "run" => Err(Command::new("/bin/true").exec()),
        "code" => done(map(libc::PROT_READ | libc::PROT_EXEC) as libc::c_long),
        "code later" => {
            let memory = map(libc::PROT_READ | libc::PROT_WRITE);
            let protection = libc::PROT_READ | libc::PROT_EXEC;
            done(unsafe { libc::mprotect(memory, page, protection) }.into())
        }
        "trace" => done(unsafe { libc::ptrace(libc::PTRACE_ATTACH, libc::getppid(), 0, 0) }),
        "duplicate" => done(unsafe { libc::dup(socket.as_raw_fd()) }.into()),
        "own memory" => File::open("/proc/self/mem").map(drop),
        "be dumped" => done(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) }.into()),
        "serve" => {
            let many: Vec<Vec<u8>> = (0..2000).map(|size| vec![1; size * 100]).collect();
            std::thread::sleep(Duration::from_millis(10));
            assert_eq!(many.last().map(Vec::len), Some(199_900));
            Ok(())
        }
        "abort" => std::process::abort(),
        _ => unreachable!("no such trial: {trial}"),
    }
}

fn run(stage: &str, trial: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chain.pem");
    std::fs::write(&file, "x").unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--quiet"])
        .env(CHILD, format!("{stage} {trial}"))
        .env(FILE, &file)
        // What the fence does for threads that begin after it; the harness's began before.
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .unwrap()
}

fn ends_with(stage: &str, trials: &[&str], code: i32) {
    for trial in trials {
        let output = run(stage, trial);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{stage}, {trial}: {output:?}"
        );
    }
}

fn is_killed(stage: &str, trials: &[&str], signal: i32) {
    for trial in trials {
        let output = run(stage, trial);
        let by = output.status.signal();
        assert_eq!(by, Some(signal), "{stage}, {trial}: {output:?}");
    }
}

#[test]
fn the_fence_leaves_no_file_and_no_way_out() {
    let abi = support().landlock_abi.expect("this kernel has Landlock");
    ends_with(
        "fenced",
        &["read", "write", "create", "remove", "list"],
        REFUSED,
    );
    ends_with("fenced", &["own memory", "run"], REFUSED);
    if abi >= 4 {
        ends_with("fenced", &["connect", "listen"], REFUSED);
    }
    if abi >= 6 {
        ends_with("fenced", &["signal"], REFUSED);
    }
    ends_with("fenced", &["thread"], DONE);
}

#[test]
fn a_call_that_serving_does_not_take_ends_the_process() {
    let trials = [
        "read",
        "write",
        "create",
        "remove",
        "list",
        "connect",
        "listen",
        "connect what is bound",
        "send to an address",
        "signal",
        "fork",
        "thread",
        "run",
        "code",
        "code later",
        "trace",
        "duplicate",
        "own memory",
        "be dumped",
    ];
    is_killed("filtered", &trials, libc::SIGSYS);
    is_killed("filtered", &["abort"], libc::SIGABRT);
    ends_with("filtered", &["serve"], DONE);
}

#[test]
fn files_that_are_read_again_are_the_only_ones() {
    ends_with("rereading", &["read", "serve"], DONE);
    ends_with("rereading", &["read another", "own memory"], REFUSED);
    is_killed(
        "rereading",
        &["write", "create", "remove", "connect", "code"],
        libc::SIGSYS,
    );
}

/// The program where every user finds it.
fn for_everyone(folder: &Path) -> PathBuf {
    let program = folder.join("sottovoce");
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::copy(sottovoce().get_program(), &program).unwrap();
    program
}

/// The fields of `/proc/PID/status`.
fn status(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path.join("status")).unwrap();
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

/// How long the range is that a line of `/proc/PID/maps` is about.
fn size(line: &str) -> u64 {
    let range = line.split_whitespace().next().unwrap();
    let (start, end) = range.split_once('-').unwrap();
    let number = |text| u64::from_str_radix(text, 16).unwrap();
    number(end) - number(start)
}

#[test]
fn a_relay_that_is_ready_has_given_everything_up() {
    let folder = tempfile::tempdir().unwrap();
    let root = unsafe { libc::geteuid() } == 0;
    let own = |program: &Path| {
        let mut command = Command::new(program);
        if root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    };
    let mut command = own(&for_everyone(folder.path()));
    let arguments = ["relay", "--json", "--listen", "127.0.0.1:0"];
    let relay = Relay::spawn(command.args(arguments).arg("--require-sandbox"));

    let process = PathBuf::from(format!("/proc/{}", relay.pid()));
    let threads: Vec<_> = std::fs::read_dir(process.join("task")).unwrap().collect();
    assert!(threads.len() > 1, "the shard has a thread of its own");
    for thread in threads {
        let fields = status(&thread.unwrap().path());
        assert_eq!(fields["NoNewPrivs"], "1", "{fields:?}");
        assert_eq!(fields["Seccomp"], "2", "{fields:?}");
    }
    let limits = std::fs::read_to_string(process.join("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<_> = core.unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"]);
    // What cannot be dumped belongs to root, whoever runs it, and its own user cannot look into it.
    assert_eq!(std::fs::metadata(process.join("mem")).unwrap().uid(), 0);
    let maps = process.join("maps");
    let look = own(Path::new("cat")).arg(&maps).output().unwrap();
    assert!(!look.status.success() && look.stdout.is_empty(), "{look:?}");

    // Another arena of glibc's reserves 64 MiB, and opens a file when it shrinks.
    if root {
        let maps = std::fs::read_to_string(&maps).unwrap();
        let reserved = maps
            .lines()
            .filter(|line| line.contains(" ---p "))
            .map(size);
        assert!(reserved.max() < Some(32 << 20), "{maps}");
    }

    // It serves, and ends as asked.
    let mut participant = Participant::hosts(&relay.invite(), "Ada", &[] as &[&str]);
    participant.until("connected", Duration::from_secs(10));
    relay.signal("TERM");
    let (status, printed) = relay.finish(Duration::from_secs(5));
    assert!(
        status.success() && printed.is_empty(),
        "{status}: {printed}"
    );
}

#[test]
fn a_heap_of_large_pages_is_allowed() {
    let mut command = sottovoce();
    let arguments = ["relay", "--json", "--listen", "127.0.0.1:0"];
    command
        .args(arguments)
        .arg("--require-sandbox")
        .env("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
    let relay = Relay::spawn(&mut command);
    let mut participant = Participant::hosts(&relay.invite(), "Ada", &[] as &[&str]);
    participant.until("connected", Duration::from_secs(10));
    relay.signal("TERM");
    let (status, printed) = relay.finish(Duration::from_secs(5));
    assert!(
        status.success() && printed.is_empty(),
        "{status}: {printed}"
    );
}

/// A relay on a kernel that does not know a call.
fn without(call: libc::c_long, error: i32, arguments: &[&str]) -> Command {
    let rules = [(call, vec![])].into();
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let error = SeccompAction::Errno(error.cast_unsigned());
    let unknown = SeccompFilter::new(rules, SeccompAction::Allow, error, arch);
    let unknown: BpfProgram = unknown.unwrap().try_into().unwrap();
    let mut command = sottovoce();
    command
        .args(["relay", "--listen", "127.0.0.1:0"])
        .args(arguments);
    // Between fork and exec: two system calls, and no memory is asked for.
    unsafe { command.pre_exec(move || apply_filter(&unknown).map_err(io::Error::other)) };
    command
}

const MISSING: [(libc::c_long, i32, &str); 3] = [
    (libc::SYS_landlock_create_ruleset, libc::ENOSYS, "landlock"),
    (
        libc::SYS_landlock_create_ruleset,
        libc::EOPNOTSUPP,
        "landlock",
    ),
    (libc::SYS_seccomp, libc::EINVAL, "seccomp"),
];

#[test]
fn whoever_requires_it_gets_it_or_no_relay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_nonblocking(true).unwrap();
    for (call, error, measure) in MISSING {
        let output = without(call, error, &["--require-sandbox"])
            .env("NOTIFY_SOCKET", &path)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(13), "{said}");
        assert!(said.to_lowercase().contains(measure), "{said}");
        assert!(
            said.contains("--require-sandbox") && said.lines().count() == 1,
            "{said}"
        );
        assert!(output.stdout.is_empty(), "it was never ready");
        assert!(manager.recv(&mut [0; 64]).is_err(), "nor did it say so");
    }
}

#[test]
fn elsewhere_a_relay_serves_without_and_says_so_in_a_line() {
    for (call, error, measure) in MISSING {
        let mut command = without(call, error, &[]);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut relay = piped.spawn().unwrap();
        let mut ready = String::new();
        let mut output = BufReader::new(relay.stdout.take().unwrap());
        output.read_line(&mut ready).unwrap();
        assert!(ready.starts_with("https://127.0.0.1:"), "{ready}");
        signal(relay.id(), "TERM");
        let output = relay.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        assert!(said.to_lowercase().contains(measure), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn certificates_are_read_again_behind_the_fence() {
    let folder = tempfile::tempdir().unwrap();
    let (live, archive) = (folder.path().join("live"), folder.path().join("archive"));
    for folder in [&live, &archive] {
        std::fs::create_dir(folder).unwrap();
    }
    // As certbot does it: links into another folder, and at a renewal links to other files there.
    let put = |name: &str, number: u32| {
        for (ending, to) in [("pem", "chain"), ("key", "key")] {
            let file = format!("{to}{number}.pem");
            let from = fixture(&format!("authority/{name}.{ending}"));
            std::fs::copy(from, archive.join(&file)).unwrap();
            let link = live.join(format!("{to}.pem"));
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(Path::new("../archive").join(file), link).unwrap();
        }
    };
    put("relay", 1);
    let config = format!(
        "certificate = {:?}\nkey = {:?}\n",
        live.join("chain.pem"),
        live.join("key.pem")
    );
    let file = folder.path().join("relay.toml");
    std::fs::write(&file, config).unwrap();
    let file = file.to_str().unwrap();
    let relay = Relay::with(&[
        "--listen",
        "127.0.0.1:0",
        "--config",
        file,
        "--require-sandbox",
    ]);
    assert!(relay.address.ends_with("/#authority"), "{}", relay.address);
    put("own", 2);
    relay.signal("HUP");
    assert!(!relay.announced("address").ends_with("/#authority"));
}
