//! Names are text from strangers: what of them may stand on a screen or in a terminal.

use super::limits::{NAME_BYTES, NAME_LETTERS};
use super::track::Presence;

/// What stands for something that is not shown.
const INSTEAD: char = '\u{fffd}';
/// ZERO WIDTH NON-JOINER: Persian cannot be written without it.
const NON_JOINER: char = '\u{200c}';
/// ZERO WIDTH JOINER: makes one picture of several.
const JOINER: char = '\u{200d}';
/// Asks for the coloured picture, where there is a plain one too. The plain one will do.
const COLOURED: char = '\u{fe0f}';

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
    let mut coming = text.chars().take(NAME_BYTES).peekable();
    let mut before = None;
    while let Some(c) = coming.next() {
        if c == COLOURED && before.is_some_and(is_pictured) {
            continue;
        }
        let (was, next) = (before.replace(c), coming.peek().copied());
        if matches!(c, NON_JOINER | JOINER) {
            if letters < NAME_LETTERS && joins(c, was, next) {
                safe.push(c);
            }
            continue;
        }
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

/// Whether a joiner between these two shapes what is read. Anywhere else it shows nothing, and two
/// names with and without it would look like one.
fn joins(joiner: char, before: Option<char>, next: Option<char>) -> bool {
    let Some(before) = before else {
        return false;
    };
    let next = next.unwrap_or(' ');
    match joiner {
        JOINER => is_virama(before) || (is_pictured(before) && is_pictured(next)),
        _ => {
            let parted = is_cursive(before) && !joins_no_next(before) && is_cursive(next);
            parted || (is_virama(before) && matches!(next, '\u{900}'..='\u{dff}'))
        }
    }
}

/// Arabic letters that never join the next one: what parts them from it shows nothing.
fn joins_no_next(c: char) -> bool {
    matches!(
        c,
        '\u{621}'..='\u{625}'
            | '\u{627}'
            | '\u{629}'
            | '\u{62f}'..='\u{632}'
            | '\u{648}'
            | '\u{671}'..='\u{677}'
            | '\u{688}'..='\u{699}'
            | '\u{6c0}'
            | '\u{6c3}'..='\u{6cb}'
            | '\u{6cd}'
            | '\u{6cf}'
            | '\u{6d2}'..='\u{6d5}'
    )
}

/// Letters that change their shape with their neighbours: Arabic, Syriac, N'Ko, Mongolian.
fn is_cursive(c: char) -> bool {
    c.is_alphabetic()
        && matches!(
            c,
            '\u{620}'..='\u{6ff}'
                | '\u{710}'..='\u{77f}'
                | '\u{7ca}'..='\u{7fa}'
                | '\u{860}'..='\u{86a}'
                | '\u{870}'..='\u{8c9}'
                | '\u{1820}'..='\u{18aa}'
        )
}

/// The sign of the Indic scripts that takes a letter's vowel away.
fn is_virama(c: char) -> bool {
    matches!(
        c,
        '\u{94d}'
            | '\u{9cd}'
            | '\u{a4d}'
            | '\u{acd}'
            | '\u{b4d}'
            | '\u{bcd}'
            | '\u{c4d}'
            | '\u{ccd}'
            | '\u{d4d}'
            | '\u{dca}'
    )
}

/// Emoji, and the skin tones that may end one.
fn is_pictured(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{2b05}'..='\u{2b55}' | '\u{1f300}'..='\u{1faff}')
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
    use proptest::prelude::*;

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
            "می\u{200c}خواهم",
            "क\u{94d}\u{200d}ष",
            "👨\u{200d}👩\u{200d}👧",
            "👩🏽\u{200d}🚀",
        ] {
            assert_eq!(display_safe(name), name);
        }
    }

    #[test]
    fn joiners_go_silently_where_they_join_nothing() {
        for (name, shown) in [
            ("A\u{200d}d\u{200c}a", "Ada"),
            ("\u{200c}می\u{200c}", "می"),
            ("می\u{200c}\u{200c}خواهم", "میخواهم"),
            ("می \u{200c}خواهم", "می خواهم"),
            ("می\u{200c} خواهم", "می خواهم"),
            ("👩\u{200c}👩", "👩👩"),
            ("دا\u{200c}ر", "دار"),
            ("م\u{200d}ی", "می"),
            ("❤\u{fe0f}\u{200d}🔥", "❤\u{200d}🔥"),
            ("👩\u{200d}a\u{200d}👩", "👩a👩"),
            ("\u{200d}\u{200c}", "(no name)"),
        ] {
            assert_eq!(display_safe(name), shown, "{name:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn nothing_unseen_stands_but_a_joiner_between_what_it_joins(
            name in "([a-c\u{627}-\u{62a}👨-👩\u{94d}\u{939} ]|[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]){0,40}"
        ) {
            let shown: Vec<char> = display_safe(&name).chars().collect();
            for (place, &c) in shown.iter().enumerate() {
                if is_harmless(c) {
                    continue;
                }
                let before = place.checked_sub(1).map(|place| shown[place]);
                prop_assert!(matches!(c, NON_JOINER | JOINER), "{shown:?}");
                prop_assert!(joins(c, before, shown.get(place + 1).copied()), "{shown:?}");
            }
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
