//! Everyone on a machine can read its command lines; a meeting link need not stand there. It may come
//! by standard input or from a file, with blanks around it, and mistakes get a sentence there too.

mod support;

use std::io::Write;
use std::process::{Output, Stdio};

use support::{Relay, invite, sottovoce};

/// Joins for a moment with these arguments and this on standard input.
fn join(arguments: &[&str], input: &str) -> Output {
    let mut child = sottovoce()
        .args(["join", "--name", "Ada", "--for", "1s"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("join starts");
    let mut pipe = child.stdin.take().expect("its input");
    // It may have ended already, and then it says why.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    child.wait_with_output().expect("it ends")
}

fn fails(arguments: &[&str], input: &str, code: i32, words: &[&str]) {
    let output = join(arguments, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

#[test]
fn a_link_by_standard_input_or_from_a_file() {
    let relay = Relay::start();
    let link = relay.invite().host;
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("link");
    std::fs::write(&file, format!("\n  {link}\r\n\n")).expect("write");
    let file = file.to_str().expect("a path");
    for (arguments, input) in [
        (&["-"][..], format!(" {link} \r\nand more")),
        (&["-"], link.clone()),
        (&["--link-file", file], String::new()),
    ] {
        let output = join(arguments, &input);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
}

/// A host that keeps its link off the command line has to type, too.
#[test]
fn what_follows_the_link_is_commands() {
    let relay = Relay::start();
    let link = relay.invite().host;
    let output = join(&["-", "--commands"], &format!("{link}\n/help\n"));
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("/admit"), "{said}");
    // What a shell's loop has in its pipe is no command by itself.
    let output = join(&["-"], &format!("{link}\n/help\n"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && !said.contains("/admit"),
        "{said}"
    );
}

#[test]
fn what_holds_no_link_is_told() {
    let link = invite(&format!("https://127.0.0.1:9/#{}", "A".repeat(43)), &[]).meeting;
    let cut = &link[..link.len() - 1];
    let folder = tempfile::tempdir().expect("a scratch folder");
    let place = |name: &str| {
        folder
            .path()
            .join(name)
            .to_str()
            .expect("a path")
            .to_owned()
    };
    let (mangled, empty, binary) = (place("mangled"), place("empty"), place("binary"));
    std::fs::write(&mangled, cut).expect("write");
    std::fs::write(&empty, " \n").expect("write");
    std::fs::write(&binary, [0xff; 9000]).expect("write");

    fails(&["-"], cut, 20, &["damaged on its way"]);
    fails(&["--link-file", &mangled], "", 20, &["damaged on its way"]);
    fails(&["-"], "", 20, &["standard input", "no meeting link"]);
    fails(&["--link-file", &empty], "", 20, &["no meeting link"]);
    fails(&["--link-file", &binary], "", 20, &["no meeting link"]);
    let nowhere = place("nowhere");
    fails(&["--link-file", &nowhere], "", 20, &[&nowhere, "check it"]);
    fails(&["-", "--play", "-"], &link, 2, &["--link-file"]);
    fails(&["--link-file", &mangled, &link], "", 2, &["--link-file"]);
    fails(&[], "", 2, &["--link-file"]);
}
