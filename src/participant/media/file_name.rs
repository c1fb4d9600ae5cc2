//! File names out of names that strangers chose.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::error::MediaError;

/// Bytes of a name that are kept; with a number and the ending a file name has 108 at most.
const STEM: usize = 96;
/// Marks on one letter: more of them stack up over the lines around.
const MARKS: usize = 3;
/// People of one name.
const NAMESAKES: u32 = 9999;
/// What a name becomes of which nothing is left.
const NAMELESS: &str = "participant";

/// Letters, marks and joiners that show nothing, so that two names look like one, or a name like
/// none. Pictures and words that a joiner ties together or keeps apart are as well known without.
fn invisible(c: char) -> bool {
    matches!(c,
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200C}' | '\u{200D}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{E0100}'..='\u{E01EF}')
}

/// Signs and pictures that people call themselves by: currencies, arrows, shapes, stars, emoji. A
/// list of what is kept, since nothing else says what is a picture; none of these looks like a
/// slash or like nothing.
fn pictured(c: char) -> bool {
    matches!(c,
        '©' | '®' | '™' | '\u{20A0}'..='\u{20C0}' | '\u{2190}'..='\u{21FF}' | '⌚' | '⌛'
        | '\u{23E9}'..='\u{23FA}' | '\u{25A0}'..='\u{26FF}' | '\u{2701}'..='\u{2767}'
        | '\u{2794}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}'
        // Between these is VERY HEAVY SOLIDUS.
        | '\u{1F000}'..='\u{1F67B}' | '\u{1F680}'..='\u{1FAFF}')
}

/// A name as the beginning of a file name: at most 96 bytes of letters, digits, marks, emoji,
/// spaces and `-_.()`, composed (NFC), with none of what file systems, shells or terminals give a
/// meaning to.
///
/// ```
/// use sottovoce::participant::media::safe_stem;
///
/// assert_eq!(safe_stem("Ada"), "Ada");
/// assert_eq!(safe_stem("🦊"), "🦊");
/// assert_eq!(safe_stem("../../etc/passwd"), "etc_passwd");
/// assert_eq!(safe_stem("nul"), "participant nul");
/// assert_eq!(safe_stem("\u{202e}\u{0}"), "participant");
/// ```
pub fn safe_stem(name: &str) -> String {
    let mut stem = String::new();
    let mut marks = 0;
    for c in name.chars().filter(|&c| !invisible(c)).nfc() {
        let mark = is_combining_mark(c);
        marks = if mark { marks + 1 } else { 0 };
        let lettered =
            stem.ends_with(|before: char| before.is_alphanumeric() || is_combining_mark(before));
        let kept = match c {
            _ if mark && (marks > MARKS || !lettered) => continue,
            _ if mark || c.is_alphanumeric() || pictured(c) || "-_.()".contains(c) => c,
            _ if c.is_whitespace() && !c.is_control() => ' ',
            _ => '_',
        };
        // A run of what stands for something else is as good as one.
        if matches!(kept, ' ' | '_') && stem.ends_with([' ', '_']) {
            continue;
        }
        if stem.len() + kept.len_utf8() > STEM {
            break;
        }
        stem.push(kept);
    }
    // Hidden files, options of commands; and Windows drops dots and spaces at the end.
    let stem = stem.trim_matches([' ', '_', '.', '-']);
    if stem.is_empty() {
        NAMELESS.to_owned()
    } else if reserved(stem) {
        safe_stem(&format!("{NAMELESS} {stem}"))
    } else {
        stem.to_owned()
    }
}

/// Names of devices on Windows, whatever follows after a dot.
fn reserved(stem: &str) -> bool {
    let base = stem
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_lowercase();
    if matches!(
        &base[..],
        "con" | "prn" | "aux" | "nul" | "conin$" | "conout$"
    ) {
        return true;
    }
    let numbered = base
        .strip_prefix("com")
        .or_else(|| base.strip_prefix("lpt"));
    let mut rest = numbered.unwrap_or_default().chars();
    matches!(
        (rest.next(), rest.next()),
        (Some('0'..='9' | '¹' | '²' | '³'), None)
    )
}

/// What two file names have in common that some file system takes for one.
fn key(file_name: &str) -> String {
    file_name
        .nfkc()
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect()
}

/// Makes a new file for the recording of a participant of this name, and says where. Of two of one
/// name the second gets ` (2)`; names that only differ in case or in how accents are stored
/// count as one. An existing file, or a link, is never opened.
///
/// The directory is made when it is not there. Recordings are for the person who records: the
/// file is readable by nobody else.
///
/// # Errors
///
/// [`MediaError::CannotCreate`], [`MediaError::NotAFolder`], [`MediaError::DiskFull`].
pub fn create_recording(directory: &Path, name: &str) -> Result<(File, PathBuf), MediaError> {
    let failed = |error: std::io::Error| match MediaError::writing(&error) {
        MediaError::DiskFull => MediaError::DiskFull,
        _ => MediaError::creating(&error),
    };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let taken: HashSet<String> = std::fs::read_dir(directory)
        .map_err(failed)?
        .filter_map(|entry| Some(key(&entry.ok()?.file_name().to_string_lossy())))
        .collect();
    let stem = safe_stem(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for number in 1..=NAMESAKES {
        let file_name = match number {
            1 => format!("{stem}.webm"),
            _ => format!("{stem} ({number}).webm"),
        };
        if taken.contains(&key(&file_name)) {
            continue;
        }
        let path = directory.join(file_name);
        match options.open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(MediaError::CannotCreate(ErrorKind::AlreadyExists))
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use proptest::prelude::*;

    use super::*;

    fn created(directory: &Path, name: &str) -> String {
        let (_, path) = create_recording(directory, name).unwrap();
        path.file_name().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn names_become_harmless_and_stay_readable() {
        for (name, stem) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("Владимир", "Владимир"),
            ("नमस्ते", "नमस्ते"),
            ("Ada 🦊", "Ada 🦊"),
            ("🦊", "🦊"),
            ("🦊🐻 ❤\u{fe0f}", "🦊🐻 ❤"),
            ("👩\u{200d}💻", "👩💻"),
            ("👍🏽", "👍🏽"),
            ("🇩🇪", "🇩🇪"),
            ("1\u{fe0f}\u{20e3}", "1\u{20e3}"),
            ("★€→", "★€→"),
            ("🏴\u{e0067}\u{e007f}", "🏴"),
            ("../🦊/..", "🦊"),
            ("🦊\u{202e}\u{200b}\u{0}.", "🦊"),
            ("a\u{2215}b\u{2044}c", "a_b_c"),
            ("a\u{1F67C}b\u{1F67D}c", "a_b_c"),
            ("\u{2800}", "participant"),
            ("../../x", "x"),
            ("/etc/passwd", "etc_passwd"),
            ("C:\\Windows\\x", "C_Windows_x"),
            ("-rf", "rf"),
            (".bashrc", "bashrc"),
            ("a\u{0}b\nc\x1b[31m", "a_b_c_31m"),
            ("gnp.\u{202e}exe", "gnp._exe"),
            ("Ad\u{200b}a", "Ad_a"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("$(reboot)`;&|'\"", "(reboot)"),
            ("", "participant"),
            ("...", "participant"),
            ("\u{3164}", "participant"),
            ("con", "participant con"),
            ("CON.tar", "participant CON.tar"),
            ("com1", "participant com1"),
            ("LPT¹", "participant LPT¹"),
            ("COM10", "COM10"),
            ("console", "console"),
            (
                "a\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}",
                "à\u{301}\u{302}\u{303}",
            ),
        ] {
            assert_eq!(safe_stem(name), stem, "{name:?}");
        }
        assert_eq!(safe_stem(&"é".repeat(300)), "é".repeat(48));
        assert_eq!(safe_stem(&"🦊".repeat(300)), "🦊".repeat(24));
    }

    #[test]
    fn two_people_of_one_name_get_two_files() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(created(directory.path(), "Ada"), "Ada.webm");
        assert_eq!(created(directory.path(), "Ada"), "Ada (2).webm");
        assert_eq!(created(directory.path(), "ADA"), "ADA (3).webm");
        assert_eq!(created(directory.path(), "../Ada"), "Ada (4).webm");
        assert_eq!(created(directory.path(), "Ada (2)"), "Ada (2) (2).webm");
        assert_eq!(created(directory.path(), "Zo\u{eb}"), "Zo\u{eb}.webm");
        assert_eq!(created(directory.path(), "Zoe\u{308}"), "Zo\u{eb} (2).webm");
    }

    #[test]
    #[cfg(unix)]
    fn links_are_not_followed_and_others_may_not_read() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let precious = directory.path().join("precious");
        // A dangling link too: to open it would make the file it points to.
        std::os::unix::fs::symlink(&precious, directory.path().join("Ada.webm")).unwrap();
        let (file, path) = create_recording(directory.path(), "Ada").unwrap();
        assert!(path.ends_with("Ada (2).webm"));
        assert!(!precious.exists());
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_directory_that_is_a_file_is_an_error_with_a_remedy() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = create_recording(file.path(), "Ada")
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error, MediaError::NotAFolder);
    }

    fn any_name() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[./\\\\ \\-\u{0}-\u{1f}\u{202a}-\u{202e}aA\u{300}-\u{30f}]{0,40}",
            "(con|aux|NUL|com|lpt)[0-9]?[. ]?[a-z]{0,3}",
            "\\PC{0,300}",
            "[🦊-🦏❤⚡a./ \u{200b}-\u{200f}\u{fe0f}\u{20e3}]{0,40}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_name_becomes_one_plain_component(name in any_name()) {
            let stem = safe_stem(&name);
            let file_name = format!("{stem} ({NAMESAKES}).webm");
            prop_assert!(file_name.len() <= 108);
            let path = Path::new(&file_name);
            let components: Vec<_> = path.components().collect();
            prop_assert!(matches!(components[..], [Component::Normal(_)]));
            prop_assert!(!stem.starts_with(['.', '-', ' ']) && !stem.ends_with(['.', ' ']));
            prop_assert!(!reserved(&stem));
            prop_assert!(!stem.chars().any(|c| c.is_control() || "/\\:*?\"<>|".contains(c)));
            let unseen = |c: char| invisible(c) || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
            prop_assert!(!stem.chars().any(unseen));
            prop_assert_eq!(safe_stem(&stem), stem, "safe already");
        }

        #[test]
        fn nothing_that_exists_is_written_over(names in proptest::collection::vec(any_name(), 1..8)) {
            let directory = tempfile::tempdir().unwrap();
            let mut keys = HashSet::new();
            for name in &names {
                let (_, path) = create_recording(directory.path(), name).unwrap();
                prop_assert_eq!(path.parent(), Some(directory.path()));
                prop_assert!(keys.insert(key(path.file_name().unwrap().to_str().unwrap())));
            }
            prop_assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), names.len());
        }
    }
}
