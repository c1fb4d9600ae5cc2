//! How the process dies of a fault of its own: it says where, never what, and leaves at once.

use std::panic::{PanicHookInfo, set_hook};
use std::process::abort;
use std::sync::OnceLock;

use super::{Format, say, stderr};

/// From here on a panic prints its place in the code and aborts. Its message may hold anything
/// that was in memory, and unwinding would go on with what is half done.
pub(super) fn install() {
    set_hook(Box::new(hook));
}

/// What is put in order first.
static FIRST: OnceLock<fn()> = OnceLock::new();

pub(super) fn first(put_in_order: fn()) {
    // The one that came before stays: there is one terminal.
    let _ = FIRST.set(put_in_order);
}

fn hook(info: &PanicHookInfo<'_>) {
    let line = match info.location() {
        Some(place) => line(say::format(), place.file(), place.line()),
        None => line(say::format(), "", 0),
    };
    if let Some(put_in_order) = FIRST.get() {
        put_in_order();
    }
    stderr::write(&line);
    abort();
}

fn line(format: Format, file: &str, line: u32) -> String {
    let file: String = shortened(file).chars().map(harmless).collect();
    match format {
        Format::Text => {
            format!(
                "sottovoce: stopped by a fault of its own at {file}:{line}; please report that place\n"
            )
        }
        Format::Json => format!("{{\"event\":\"fault\",\"file\":\"{file}\",\"line\":{line}}}\n"),
    }
}

/// The path within its crate: what comes before tells of the machine that built it.
fn shortened(file: &str) -> &str {
    // A dependency: .../registry/src/<registry>/<crate>-<version>/src/lib.rs
    if let Some((_, rest)) = file.split_once("/registry/src/") {
        return rest.split_once('/').map_or("", |(_, path)| path);
    }
    // The standard library: /rustc/<commit>/library/core/src/...
    if let Some(start) = file.find("/library/") {
        return &file[start + 1..];
    }
    // Ours, built from elsewhere: .../src/relay/room.rs
    match file.starts_with('/').then(|| file.rfind("/src/")).flatten() {
        Some(start) => &file[start + 1..],
        None => file,
    }
}

fn harmless(letter: char) -> char {
    match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '/' | '.' | '-' | '_' => letter,
        _ => '_',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_from_its_crate_on() {
        let cases = [
            ("src/relay/room.rs", "src/relay/room.rs"),
            (
                "/home/someone/sottovoce/src/relay/room.rs",
                "src/relay/room.rs",
            ),
            (
                "/home/someone/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/bytes-1.12.2/src/bytes.rs",
                "bytes-1.12.2/src/bytes.rs",
            ),
            (
                "/rustc/59807616e1/library/core/src/option.rs",
                "library/core/src/option.rs",
            ),
            ("", ""),
        ];
        for (file, place) in cases {
            assert_eq!(shortened(file), place);
        }
    }

    #[test]
    fn json_holds_whatever_the_path_holds() {
        let line = line(Format::Json, "src/a\"b\\c\n.rs", 7);
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["file"], "src/a_b_c_.rs");
        assert_eq!(value["line"], 7);
    }
}
