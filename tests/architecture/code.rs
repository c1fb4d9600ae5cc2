//! As much of Rust's grammar as the rules need: the code without comments and literals, in words.

/// The words of a file: identifiers, `::`, and other marks one by one.
pub struct Code(Vec<String>);

impl Code {
    pub fn new(text: &str) -> Self {
        let bare = bare(text);
        let mut words = Vec::new();
        let mut rest = bare.as_str();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                _ if is_name(first) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            let (word, after) = rest.split_at(length);
            if !first.is_whitespace() {
                words.push(word.to_owned());
            }
            rest = after;
        }
        Self(words)
    }

    /// Whether `path` (`a` or `a::b`) stands in it.
    pub fn has(&self, path: &str) -> bool {
        let wanted = Self::new(path).0;
        self.0.windows(wanted.len()).any(|words| words == wanted)
    }

    /// The names right under the root of the crate that it uses, seen from a module that lies
    /// `depth` modules below the root.
    pub fn folders(&self, depth: usize) -> Vec<String> {
        let mut folders = Vec::new();
        let mut supers = 0;
        for (at, word) in self.0.iter().enumerate() {
            let followed = self.word(at + 1) == "::";
            supers = match word.as_str() {
                "super" if followed => supers + 1,
                "::" => supers,
                _ => 0,
            };
            let at_root = matches!(word.as_str(), "crate" | "sottovoce") || supers >= depth;
            if at_root && followed && word != "::" {
                folders.extend(self.heads(at + 2));
            }
        }
        folders
    }

    /// The first names of the path or the group of paths at `at`.
    fn heads(&self, at: usize) -> Vec<String> {
        if self.word(at) != "{" {
            return vec![self.word(at).to_owned()];
        }
        let mut heads = vec![self.word(at + 1).to_owned()];
        let mut open = 0;
        for at in at.. {
            match self.word(at) {
                "{" => open += 1,
                "}" => open -= 1,
                "," if open == 1 => heads.push(self.word(at + 1).to_owned()),
                "" => break,
                _ => {}
            }
            if open == 0 {
                break;
            }
        }
        heads
    }

    fn word(&self, at: usize) -> &str {
        self.0.get(at).map_or("", String::as_str)
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The code before its own module of tests, which by custom is the last thing in a file.
pub fn without_tests(text: &str) -> &str {
    let mut from = 0;
    while let Some(found) = text[from..].find("#[cfg(test)]") {
        let (start, after) = (from + found, from + found + "#[cfg(test)]".len());
        let item = text[after..].trim_start();
        let line = item.lines().next().unwrap_or_default();
        if line.starts_with("mod ") && line.ends_with('{') {
            return &text[..start];
        }
        from = after;
    }
    text
}

/// Lines with code on them.
pub fn lines(text: &str) -> usize {
    let code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    text.lines().filter(code).count()
}

/// The code with comments and what stands in literals blanked out.
fn bare(text: &str) -> String {
    let mut bare = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before = bare.chars().next_back();
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_string(rest).filter(|_| !before.is_some_and(is_name)) {
            length
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_char(rest) {
            quoted(rest, '\'')
        } else {
            bare.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        bare.push(' ');
        rest = &rest[length..];
    }
    bare
}

fn block_comment(text: &str) -> usize {
    let mut open = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (open, at) = (open + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (open, at) = (open - 1, at + 2);
            if open == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Bytes of the raw string at the start of `text`, if it is one.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let marks = after.len() - after.trim_start_matches('#').len();
    let inside = after[marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    let start = text.len() - inside.len();
    Some(
        inside
            .find(&end)
            .map_or(text.len(), |found| start + found + end.len()),
    )
}

/// Bytes of the literal at the start of `text`, up to the `mark` that ends it.
fn quoted(text: &str, mark: char) -> usize {
    let mut escaped = true; // The first mark begins it.
    for (at, c) in text.char_indices() {
        if c == mark && !escaped {
            return at + 1;
        }
        escaped = at != 0 && c == '\\' && !escaped;
    }
    text.len()
}

/// Whether the quote at the start of `text` begins a character and not a lifetime.
fn is_char(text: &str) -> bool {
    let mut inside = text.chars().skip(1);
    inside.next() == Some('\\') || inside.next() == Some('\'')
}
