//! Names are text from strangers: what of them may stand on a screen or in a terminal.

use super::limits::{NAME_BYTES, NAME_LETTERS};
use super::track::Presence;

/// What stands for something that is not shown.
const INSTEAD: char = '\u{fffd}';

impl Presence {
    /// The name, harmless on a screen: see [`display_safe`].
    pub fn display_name(&self) -> String {
        display_safe(&self.name)
    }
}

/// Text of a stranger made harmless: nothing that moves a cursor, turns text around, is invisible,
/// or goes on for ever. Never empty.
pub fn display_safe(text: &str) -> String {
    let mut safe = String::new();
    let mut space = false;
    let mut letters = 0;
    for c in text.chars().take(NAME_BYTES) {
        if c.is_whitespace() {
            space = !safe.is_empty();
            continue;
        }
        if letters == NAME_LETTERS {
            safe.push('…');
            break;
        }
        if space {
            safe.push(' ');
            space = false;
        }
        safe.push(if is_harmless(c) { c } else { INSTEAD });
        letters += 1;
    }
    if safe.is_empty() {
        "(no name)".into()
    } else {
        safe
    }
}

/// Not a control character, a mark of direction, a joiner, a filler, a tag, a private character.
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{e000}'..='\u{f8ff}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{10ffff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in [
            "Ada",
            "Zoë Ångström",
            "李雷",
            "ئۇيغۇر",
            "བོད་",
            "O'Neill-Smith 2",
        ] {
            assert_eq!(display_safe(name), name);
        }
    }

    #[test]
    fn tricks_do_not_reach_the_screen() {
        assert_eq!(display_safe("\u{1b}[2JAda"), "\u{fffd}[2JAda");
        assert_eq!(display_safe("Ada\u{202e}live"), "Ada\u{fffd}live");
        assert_eq!(display_safe("A\u{200b}da\r\nBea"), "A\u{fffd}da Bea");
        assert_eq!(display_safe(" \t "), "(no name)");
        assert_eq!(display_safe(""), "(no name)");
        assert_eq!(
            display_safe(&"x".repeat(300)).chars().count(),
            NAME_LETTERS + 1
        );
    }
}
