//! Lines that are too long for a terminal, broken before the terminal does it.

use console::measure_text_width;

/// What stands before the rows of a line after its first.
const INDENT: &str = "    ";

/// Below this many columns nothing is done: there is no room for it.
const NARROW: usize = 20;

/// The text in rows of a terminal of this width. Rows after a line's first are indented: a name or a chat
/// text of the right length must not put its own words where sentences begin.
pub(super) fn rows(text: &str, columns: Option<usize>) -> String {
    match columns {
        Some(columns @ NARROW..) => {
            let lines: Vec<String> = text.split('\n').map(|line| broken(line, columns)).collect();
            lines.join("\n")
        }
        _ => text.to_owned(),
    }
}

fn broken(line: &str, columns: usize) -> String {
    let (mut text, mut used) = (String::new(), 0);
    for word in line.split_inclusive(' ') {
        let width = measure_text_width(word.trim_end());
        if used + width > columns && used > INDENT.len() {
            text.truncate(text.trim_end().len());
            used = next_row(&mut text);
        }
        for c in word.chars() {
            let width = measure_text_width(c.encode_utf8(&mut [0; 4]));
            if used + width > columns {
                // A blank at the end of a row needs no place.
                if c == ' ' {
                    continue;
                }
                used = next_row(&mut text);
            }
            text.push(c);
            used += width;
        }
    }
    text
}

fn next_row(text: &mut String) -> usize {
    text.push('\n');
    text.push_str(INDENT);
    INDENT.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_but_a_lines_first_begins_at_the_edge() {
        let text = "\"Eve\": hello            The meeting is locked.\nnext";
        let shown = "\"Eve\": hello\n    The meeting is\n    locked.\nnext";
        assert_eq!(rows(text, Some(20)), shown);
        let word = "x".repeat(50);
        for columns in 20..60 {
            for row in rows(&word, Some(columns)).lines().skip(1) {
                assert!(row.starts_with(INDENT) && row.len() <= columns, "{row:?}");
            }
        }
        assert_eq!(rows("明るい部屋の中のひと", Some(20)).lines().count(), 1);
        assert_eq!(rows("明るい部屋の中のひとた", Some(20)).lines().count(), 2);
        assert_eq!(rows("short", Some(20)), "short");
        assert_eq!(rows(text, None), text);
    }
}
