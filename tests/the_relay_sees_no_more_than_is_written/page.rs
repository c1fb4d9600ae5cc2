//! What `docs/what-the-relay-sees.md` says.

use std::collections::BTreeSet;

pub const PAGE: &str = include_str!("../../docs/what-the-relay-sees.md");

/// The rows of the table under a heading: their cells.
pub fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, part) = PAGE
        .split_once(&format!("\n## {heading}\n"))
        .expect(heading);
    let part = part.split("\n## ").next().expect("a part");
    let lines = part.lines().filter(|line| line.starts_with('|'));
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect();
    // Two lines of head.
    lines.skip(2).map(cells).collect()
}

/// What stands in backquotes in the first cells of a table.
pub fn listed(heading: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for row in rows(heading) {
        for name in quoted(row[0]) {
            assert!(all.insert(name.to_owned()), "{name} stands there twice");
        }
    }
    all
}

/// The numbers in the row of a field.
pub fn numbers(heading: &str, field: &str) -> BTreeSet<usize> {
    let rows = rows(heading);
    let row = rows.iter().find(|row| quoted(row[0]).contains(&field));
    let row = row.unwrap_or_else(|| panic!("{field} is listed"));
    let numbers = row[1..].iter().flat_map(|cell| quoted(cell));
    numbers
        .filter_map(|text| text.replace(',', "").parse().ok())
        .collect()
}

fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
