//! Names are text from strangers: what of them may stand on a screen or in a terminal.

use super::limits::{NAME_BYTES, NAME_LETTERS};
use super::track::Presence;

/// What stands for something that is not shown.
const INSTEAD: char = '\u{fffd}';
/// What stands for a quotation mark in a name.
const APOSTROPHE: char = '\'';
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

/// A stranger's name made harmless: nothing that moves a cursor, turns text around, is invisible,
/// or goes on for ever, and nothing that ends the quotes in which a sentence has it. Never empty.
pub fn display_safe(name: &str) -> String {
    made_safe(name, true)
}

/// Text of a stranger made harmless in the same way, which may have quotes in it.
pub fn display_text(text: &str) -> String {
    made_safe(text, false)
}

/// Text of a stranger with many letters, made harmless a stretch at a time.
pub fn display_long(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let letters: Vec<char> = word.chars().collect();
        let parts = letters.chunks(NAME_LETTERS);
        parts
            .map(|part| display_text(&part.iter().collect::<String>()))
            .collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What somebody of this name is shown as, so that no two ever are shown alike: names are chosen freely,
/// and who takes another's must not pass for that one, nor for one who has left.
pub fn told_apart(name: String, taken: impl Fn(&str) -> bool) -> String {
    let numbered = |number: u32| format!("{name} ({number})");
    match taken(&name) {
        true => (2..)
            .map(numbered)
            .find(|name| !taken(name))
            .unwrap_or_default(),
        false => name,
    }
}

fn made_safe(text: &str, quoted: bool) -> String {
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
        letters += 1;
        let c = match is_harmless(c) {
            false => INSTEAD,
            true if quoted && is_double_quote(c, &safe) => APOSTROPHE,
            true => c,
        };
        // Two of them look like one that is double.
        if !(quoted && is_apostrophe(c) && safe.ends_with(is_apostrophe)) {
            safe.push(c);
        }
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

/// Looks like the quotes around a name, or is somebody's.
fn is_double_quote(c: char, before: &str) -> bool {
    match c {
        // What sits on a letter, as in Hungarian, is no quote; alone it looks like one.
        '\u{30b}' | '\u{30e}' => !before.ends_with(char::is_alphabetic),
        _ => matches!(
            c,
            '"' | '\u{ab}'
                | '\u{bb}'
                | '\u{2ba}'
                | '\u{2dd}'
                | '\u{2ee}'
                | '\u{2f5}'..='\u{2f6}'
                | '\u{5f4}'
                | '\u{1cd3}'
                | '\u{201c}'..='\u{201f}'
                | '\u{2033}'..='\u{2034}'
                | '\u{2036}'..='\u{2037}'
                | '\u{2057}'
                | '\u{275d}'..='\u{275e}'
                | '\u{2760}'
                | '\u{276e}'..='\u{276f}'
                | '\u{2e42}'
                | '\u{3003}'
                | '\u{301d}'..='\u{301f}'
                | '\u{ff02}'
                | '\u{1f676}'..='\u{1f678}'
        ),
    }
}

fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        APOSTROPHE
            | '`'
            | '\u{b4}'
            | '\u{2b9}'
            | '\u{2bb}'..='\u{2bd}'
            | '\u{2c8}'
            | '\u{2ca}'..='\u{2cb}'
            | '\u{5f3}'
            | '\u{7f4}'..='\u{7f5}'
            | '\u{2018}'..='\u{201b}'
            | '\u{2032}'
            | '\u{2035}'
            | '\u{275b}'..='\u{275c}'
            | '\u{275f}'
            | '\u{a78b}'..='\u{a78c}'
            | '\u{ff07}'
            | '\u{ff40}'
    )
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
    fn long_texts_are_shown_whole_and_tricks_are_not() {
        let long = "word ".repeat(500);
        assert_eq!(display_long(&long), long.trim_end());
        let one = "x".repeat(1000);
        assert_eq!(display_long(&one), one);
        assert_eq!(
            display_long("a\u{202e}b\u{1b}[2J c\r\nd"),
            "a\u{fffd}b\u{fffd}[2J c d"
        );
        assert_eq!(display_long("he said \"no\""), "he said \"no\"");
        assert_eq!(display_long(" \n "), "");
    }

    #[test]
    fn no_two_are_shown_alike() {
        let taken = ["Ada", "Ada (2)"];
        let shown = |name: &str| told_apart(name.into(), |other| taken.contains(&other));
        assert_eq!(shown("Ada"), "Ada (3)");
        assert_eq!(shown("Bea"), "Bea");
    }

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
    fn no_name_ends_the_quotes_around_it() {
        for (name, shown) in [
            ("Ada\" is here", "Ada' is here"),
            (
                "«Ada» “B” „C‟ ″D″ ＂E＂ ״F״ 〃",
                "'Ada' 'B' 'C' 'D' 'E' 'F' '",
            ),
            ("Ada'' ‘’`´x", "Ada' ‘x"),
            ("Ada'\"'x", "Ada'x"),
            ("Erdo\u{30b}s \u{30b} \u{30e}", "Erdo\u{30b}s ' '"),
        ] {
            assert_eq!(display_safe(name), shown, "{name:?}");
        }
        assert_eq!(display_text("he said \"no\""), "he said \"no\"");
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
