//! The types that TypeScript is told are those that come.

use std::collections::BTreeSet;

use super::*;

const TYPES: &str = include_str!("../types.d.ts");

/// The names in the source of an enum, as serde writes them.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let start = format!("pub enum {name} {{\n");
    let body = source.split_once(&start).expect("the enum").1;
    let body = body.split_once("\n}\n").expect("its end").0;
    let names = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = names.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    let kebab = |line: &str| {
        let name: String = line
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let mut kebab = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && !kebab.is_empty() {
                kebab.push('-');
            }
            kebab.push(letter.to_ascii_lowercase());
        }
        kebab
    };
    names.map(kebab).collect()
}

/// The texts in quotes behind `before`, in a part of the types.
fn told(part: &str, before: &str) -> BTreeSet<String> {
    let pieces = part.split(before).skip(1);
    let pieces = pieces.filter_map(|piece| piece.split_once('"').map(|(text, _)| text.to_owned()));
    pieces.collect()
}

/// The texts of one union of texts.
fn union(start: &str) -> BTreeSet<String> {
    let part = TYPES.split_once(start).expect("the union").1;
    let part = part.split_once(';').expect("its end").0;
    let part = part.split_once('}').map_or(part, |(part, _)| part);
    part.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_kind_is_told_to_typescript() {
    let source = include_str!("../out.rs");
    let all = TYPES.split_once("export type Out =").expect("the type").1;
    assert_eq!(told(all, "kind: \""), variants(source, "Out"));
    for (name, start) in [
        ("Wait", "kind: \"waiting\"; for: "),
        ("LossReason", "          reason: "),
        ("Gone", "kind: \"gone\"; who: number; why: "),
        ("Signatures", "track: number; state: "),
        ("Warning", "kind: \"warning\"; what: "),
        ("Over", "kind: \"over\";\n          why:\n"),
    ] {
        assert_eq!(union(start), variants(source, name), "{name}");
    }
    let links = include_str!("../links.rs");
    let mut faults = union("export type Fault =");
    for of_the_rim in ["name", "tracks", "options", "internal"] {
        assert!(faults.remove(of_the_rim), "{of_the_rim}");
    }
    assert_eq!(faults, variants(links, "LinkFault"));
    assert_eq!(union("export type LinkKind ="), variants(links, "LinkKind"));
}

#[test]
fn fields_are_named_as_typescript_expects() {
    let out = Out::Frame {
        who: 1,
        track: 2,
        number: 3.0,
        timestamp: 4.0,
        keyframe: true,
        duration: None,
        bytes: Blob(Bytes::from_static(b"x")),
    };
    let value = serde_json::to_value(out).expect("a value");
    let fields: BTreeSet<_> = value
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    let told = TYPES.split_once("kind: \"frame\";").expect("the frame").1;
    let told = told.split_once('}').expect("its end").0;
    for field in fields.iter().filter(|field| *field != "kind") {
        assert!(
            told.contains(&format!(" {field}: ")) || told.contains(&format!(" {field}?: ")),
            "{field}"
        );
    }
    let waiting = serde_json::to_value(Out::Waiting { r#for: Wait::Host }).expect("a value");
    assert_eq!(
        waiting,
        serde_json::json!({ "kind": "waiting", "for": "host" })
    );
    assert_eq!(
        serde_json::to_value(Out::Inside).expect("a value")["kind"],
        "inside"
    );
}
