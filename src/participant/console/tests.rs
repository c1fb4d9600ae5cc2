use super::editor::{Editor, Effect};
use super::keys::{Key, Keys};
use super::lines::Lines;
use super::*;

fn name(text: &str) -> Subject {
    Subject::Name(text.into())
}

#[test]
fn a_line_becomes_what_it_asks_for() {
    let table = [
        ("/who", Command::Who),
        ("  /who  ", Command::Who),
        ("/admit 3", Command::Admit(Subject::Number(3))),
        ("/admit Ada", Command::Admit(name("Ada"))),
        (
            "/admit\tAda  Lovelace ",
            Command::Admit(name("Ada  Lovelace")),
        ),
        ("/admit all", Command::Admit(Subject::Everyone)),
        ("/admit \"all\"", Command::Admit(name("all"))),
        ("/admit \"7\"", Command::Admit(name("7"))),
        ("/admit 7th", Command::Admit(name("7th"))),
        ("/deny 1", Command::Deny(Subject::Number(1))),
        ("/deny all", Command::Deny(Subject::Everyone)),
        ("/deny \"all\"", Command::Deny(name("all"))),
        ("/remove Bob", Command::Remove(name("Bob"))),
        ("/remove \"all\"", Command::Remove(name("all"))),
        ("/lock", Command::Lock),
        ("/unlock", Command::Unlock),
        ("/words", Command::Words),
        ("/mute-all-request", Command::MuteAllRequest),
        (
            "/say  /who is a command",
            Command::Say("/who is a command".into()),
        ),
        ("/mute", Command::Mute),
        ("/unm", Command::Unmute),
        ("/leave", Command::Leave),
        ("/help", Command::Help),
        ("/hand", Command::Hand),
        ("/end", Command::End),
        (
            "good morning /all",
            Command::Say("good morning /all".into()),
        ),
        // Prefixes that only one command has.
        ("/a 1", Command::Admit(Subject::Number(1))),
        ("/unl", Command::Unlock),
        ("/mute-", Command::MuteAllRequest),
        ("/de 1", Command::Deny(Subject::Number(1))),
        ("/c 1", Command::Compare(Subject::Number(1))),
        ("/same Ada", Command::Same(name("Ada"))),
        ("/di 1", Command::Different(Subject::Number(1))),
        ("/wh", Command::Who),
    ];
    for (line, command) in table {
        assert!(Command::parse(line) == Some(Ok(command)), "{line:?}");
    }
    for line in ["", "   ", "\t"] {
        assert!(Command::parse(line).is_none(), "{line:?}");
    }
}

#[test]
fn a_mistake_is_told_with_what_helps() {
    let table = [
        ("/", "There is no /."),
        ("/en", "There is no /en."),
        ("/foo bar", "There is no /foo. /help lists"),
        ("/whoever", "There is no /whoever."),
        ("/WHO", "There is no /WHO."),
        ("/w", "/w may be /who or /words."),
        ("/u", "/u may be /unlock or /unmute."),
        ("/l", "/l may be /lock or /leave."),
        ("/d 1", "/d may be /deny or /different."),
        ("/compare all", "/compare is for one person"),
        (
            "/admit",
            "type NUMBER, NAME or all after it. /who shows the numbers.",
        ),
        ("/remove  ", "/remove needs to know more"),
        ("/remove \"\"", "/remove needs to know more"),
        ("/remove all", "/remove is for one person at a time"),
        ("/different all", "/different \"all\""),
        ("/admit 4294967296", "Nobody has such a number."),
        ("/say", "type TEXT after it."),
        ("/lock it", "/lock takes nothing after it."),
        ("/leave now", "/leave takes nothing after it."),
    ];
    for (line, part) in table {
        let Some(Err(mistake)) = Command::parse(line) else {
            panic!("{line:?} is a mistake");
        };
        let sentence = mistake.to_string();
        assert!(sentence.contains(part), "{line:?}: {sentence}");
    }
    let most = "x".repeat(crate::meeting::CHAT_BYTES);
    assert!(Command::parse(&most) == Some(Ok(Command::Say(most.clone()))));
    assert!(Command::parse(&(most.clone() + "x")) == Some(Err(Mistake::LongText)));
    assert!(Command::parse(&format!("/say {most}x")) == Some(Err(Mistake::LongText)));
}

#[test]
fn help_names_each_command() {
    let help = help();
    for word in super::command::completions("") {
        assert!(help.contains(&format!("  /{word} ")), "{word}");
    }
    assert_eq!(help.lines().count(), 18);
}

fn all(bytes: &[u8], chunk: usize) -> Vec<Typed> {
    let mut lines = Lines::default();
    let mut found: Vec<_> = bytes
        .chunks(chunk)
        .flat_map(|part| lines.feed(part))
        .collect();
    found.extend(lines.end());
    found.into_iter().filter_map(lines::Line::typed).collect()
}

#[test]
fn bytes_become_lines_however_they_are_cut() {
    let long = "y".repeat(LINE_BYTES + 1);
    let exact = format!("/say {}", "z".repeat(100));
    let text = format!("/who\r\n\n{long}\nh\u{e9}\x1b[2J\n{exact}\n");
    let mut bytes = text.into_bytes();
    bytes.extend(b"\xff\xfe\n/leave");
    let said = |text: &str| Typed::Command(Command::Say(text.into()));
    let expected = [
        Typed::Command(Command::Who),
        Typed::Mistake(Mistake::LongLine),
        said("h\u{e9} [2J"),
        said(&"z".repeat(100)),
        Typed::Mistake(Mistake::NotText),
        Typed::Command(Command::Leave),
    ];
    for chunk in [1, 2, 3, 1000, 8192, bytes.len()] {
        assert!(all(&bytes, chunk) == expected, "in pieces of {chunk}");
    }
}

#[test]
fn a_line_has_at_most_so_many_bytes_and_holds_no_more() {
    let mut lines = Lines::default();
    let most = "/who".to_owned() + &" ".repeat(LINE_BYTES - 4);
    let typed = |lines: Vec<lines::Line>| lines.into_iter().find_map(lines::Line::typed);
    assert!(
        typed(lines.feed((most.clone() + "\n").as_bytes())) == Some(Typed::Command(Command::Who))
    );
    let wrong = Some(Typed::Mistake(Mistake::LongLine));
    assert!(typed(lines.feed((most.clone() + " \n").as_bytes())) == wrong);
    for _ in 0..1000 {
        assert!(lines.feed(most.as_bytes()).is_empty());
    }
    assert!(lines.end().and_then(lines::Line::typed) == wrong);
    assert!(lines.end().is_none());
}

/// What comes of these bytes, typed at a terminal.
fn typed(editor: &mut Editor, bytes: &[u8]) -> Vec<Effect> {
    let mut keys = Keys::default();
    let keys: Vec<Key> = bytes.iter().filter_map(|byte| keys.feed(*byte)).collect();
    keys.into_iter()
        .filter_map(|key| editor.press(key))
        .collect()
}

#[test]
fn a_line_can_be_edited() {
    let table: &[(&str, &str)] = &[
        ("/whx\x7fo\r", "/who"),
        ("ho\x1b[D\x1b[D/w\x05!\r", "/who!"),
        ("who\x01/\r", "/who"),
        ("who\x1b[H/\x1bOF!\r", "/who!"),
        ("/whoo\x1b[D\x1b[3~\r", "/who"),
        ("/whoo\x02\x04\r", "/who"),
        ("one two  \x17three\r", "one three"),
        ("one two\x1bb\x0b\r", "one "),
        ("one two\x1b[1;5D\x1b[1;5D\x1b[1;5Cx\r", "one xtwo"),
        ("one\x01\x0b\x19\x19\r", "oneone"),
        ("rubbish\x15/who\r", "/who"),
        ("h\u{e9}\u{4f60}\x7f\u{1f600}\r", "h\u{e9}\u{1f600}"),
        // The accent goes with its letter.
        ("ae\u{301}\x7fb\r", "ab"),
        ("ae\u{301}\x1b[Dx\r", "axe\u{301}"),
        // The escape key, unknown sequences and broken letters put nothing in.
        ("\x1b/wh\x1b[15~\x1b[1;2P\x00o\r", "/who"),
        ("/wh\x1b[12345678901234567890~o\r", "/who"),
        // A pasted text is one line.
        ("\x1b[200~one\r/leave\r\x1b[201~ two\r", "one /leave  two"),
        ("/wh\t\r", "/who"),
        ("/adm\t1\r", "/admit 1"),
        ("/wo\t\r", "/words"),
        ("good /wh\tx\r", "good /whx"),
    ];
    for (bytes, line) in table {
        let effects = typed(&mut Editor::default(), bytes.as_bytes());
        assert_eq!(effects, [Effect::Line((*line).into())], "{bytes:?}");
    }
    let mut editor = Editor::default();
    assert_eq!(
        typed(&mut editor, b"\xc3/\xe4\xbd/\xff\r"),
        [Effect::Line("//".into())]
    );
}

#[test]
fn the_tabulator_goes_as_far_as_there_is_no_choice() {
    let mut editor = Editor::default();
    assert_eq!(
        typed(&mut editor, b"/l\t"),
        [Effect::Choices(vec!["lock", "leave"])]
    );
    assert_eq!(typed(&mut editor, b"o\t\r"), [Effect::Line("/lock".into())]);
}

#[test]
fn ctrl_d_says_farewell_on_an_empty_line_alone() {
    let mut editor = Editor::default();
    assert_eq!(typed(&mut editor, b"a\x04\x7f\x04"), [Effect::Farewell]);
}

#[test]
fn the_history_gives_back_lines_and_the_new_one() {
    let mut editor = Editor::default();
    typed(&mut editor, b"one\rtwo\rtwo\r\r");
    let up_and_down = b"new\x1b[A\x1b[A\x1b[A\x1b[B\x1b[B\x1b[B!\r";
    assert_eq!(
        typed(&mut editor, up_and_down),
        [Effect::Line("new!".into())]
    );
    let up = typed(&mut editor, b"\x1b[A\x1b[A\x1b[A\r");
    assert_eq!(up, [Effect::Line("one".into())]);
    for line in 0..1000 {
        typed(&mut editor, format!("{line}\r").as_bytes());
    }
    let oldest = typed(
        &mut editor,
        &[b"\x1b[A".repeat(2000), b"\r".to_vec()].concat(),
    );
    assert_eq!(oldest, [Effect::Line("900".into())]);
}

#[test]
fn a_line_fits_its_row_and_shows_the_cursor() {
    let mut editor = Editor::default();
    typed(&mut editor, "abc \u{4f60}\u{597d} def".as_bytes());
    assert_eq!(editor.row(80), "> abc \u{4f60}\u{597d} def\x1b[7m \x1b[0m");
    typed(&mut editor, b"\x1b[D");
    assert_eq!(editor.row(80), "> abc \u{4f60}\u{597d} de\x1b[7mf\x1b[0m");
    for columns in 5..40 {
        for _ in 0..20 {
            typed(&mut editor, b"\x1b[D");
            let row = editor.row(columns);
            assert!(
                ::console::measure_text_width(&row) < columns,
                "{columns}: {row:?}"
            );
            assert!(row.contains("\x1b[7m"), "{columns}: {row:?}");
        }
        typed(&mut editor, b"\x05");
    }
    editor.row(0);
    let mut full = Editor::default();
    typed(&mut full, &b"x".repeat(2 * LINE_BYTES));
    assert_eq!(
        typed(&mut full, b"\r"),
        [Effect::Line("x".repeat(LINE_BYTES))]
    );
}

#[tokio::test]
async fn a_taken_standard_input_is_left_alone() {
    let mut output = Output::json(std::io::sink());
    let mut console = Console::open(&mut output, StandardInput::Taken);
    assert!(console.next().await.is_none());
    assert!(console.next().await.is_none());
}
