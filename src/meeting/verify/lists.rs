//! The word lists of BIP-39 (github.com/bitcoin/bips, bip-0039, MIT), byte for byte.

/// Words in a list: eleven bits each.
pub(super) const WORDS: u16 = 2048;

/// In which language words are shown. Everyone who compares must see the same language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Italian.
    Italian,
    /// Chinese in simplified characters, each word one character.
    ChineseSimplified,
    /// Chinese in traditional characters, each word one character.
    ChineseTraditional,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::English,
        Self::Italian,
        Self::ChineseSimplified,
        Self::ChineseTraditional,
    ];

    /// For a screen's language, as `LANG` or a browser names it (`it_IT.UTF-8`, `zh-Hant-TW`).
    /// English where there is no list.
    pub fn of_tag(tag: &str) -> Self {
        let tag = tag.to_ascii_lowercase();
        let mut parts = tag.split(['-', '_', '.', '@']);
        let is_traditional = |part: &str| matches!(part, "hant" | "tw" | "hk" | "mo");
        match parts.next() {
            Some("it") => Self::Italian,
            // A script that is named goes before a place.
            Some("zh") if tag.contains("hans") => Self::ChineseSimplified,
            Some("zh") if parts.any(is_traditional) => Self::ChineseTraditional,
            Some("zh") => Self::ChineseSimplified,
            _ => Self::English,
        }
    }

    /// The name of its list.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "english",
            Self::Italian => "italian",
            Self::ChineseSimplified => "chinese_simplified",
            Self::ChineseTraditional => "chinese_traditional",
        }
    }

    /// The list, one word a line.
    pub(super) fn list(self) -> &'static str {
        match self {
            Self::English => include_str!("lists/english.txt"),
            Self::Italian => include_str!("lists/italian.txt"),
            Self::ChineseSimplified => include_str!("lists/chinese_simplified.txt"),
            Self::ChineseTraditional => include_str!("lists/chinese_traditional.txt"),
        }
    }

    /// A word by its number below 2,048; of a larger number only the eleven low bits count.
    pub(super) fn word(self, number: u16) -> &'static str {
        let number = usize::from(number % WORDS);
        self.list().lines().nth(number).unwrap_or_default()
    }
}
