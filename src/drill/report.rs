//! What the drill looked for, where, and what it found: a row each.

use std::fmt::Write;

use serde::Serialize;

use super::canary::Kind;

/// When it was looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// While the meeting runs.
    Running,
    /// Ten seconds after the last one left.
    Left,
    /// After a polite end.
    Terminated,
    /// After an abort in mid-meeting.
    Aborted,
    /// After a kill in mid-meeting.
    Killed,
}

impl Phase {
    fn words(self) -> &'static str {
        match self {
            Self::Running => "while the meeting runs",
            Self::Left => "10 s after the last one left",
            Self::Terminated => "after SIGTERM",
            Self::Aborted => "after SIGABRT in mid-meeting",
            Self::Killed => "after SIGKILL in mid-meeting",
        }
    }
}

/// Where it was looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// All readable mappings of the process.
    Memory,
    /// Standard output and standard error.
    Output,
    /// Files that it has open, wrote, or left behind.
    Files,
    /// Its environment.
    Environment,
    /// Its command line.
    CommandLine,
    /// What `/proc` says of it: status, maps, descriptors.
    Process,
    /// The names of its threads.
    Threads,
    /// Its rows in the kernel's tables of sockets.
    Sockets,
    /// What its metrics say.
    Metrics,
    /// What its health endpoint says.
    Health,
    /// The system's journal.
    Journal,
    /// How it ended.
    End,
    /// A core dump.
    Core,
    /// A look into it by another process of its user.
    Neighbour,
}

impl Place {
    fn words(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Output => "standard output and error",
            Self::Files => "files",
            Self::Environment => "environment",
            Self::CommandLine => "command line",
            Self::Process => "/proc: status, maps, fd",
            Self::Threads => "threads' names",
            Self::Sockets => "the kernel's sockets",
            Self::Metrics => "metrics",
            Self::Health => "health",
            Self::Journal => "journal",
            Self::End => "its end",
            Self::Core => "core dump",
            Self::Neighbour => "ptrace by the same user",
        }
    }
}

/// What was made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// It must be there: why.
    Allowed(&'static str),
    /// It should not be there.
    Found,
    /// The place could not be looked into: why. Not a pass.
    NotLooked(String),
    /// There is no such place here: why.
    NotThere(&'static str),
}

/// One place at one time.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// How the relay was run: as it comes, or with everything turned up.
    pub run: &'static str,
    /// When.
    pub phase: Phase,
    /// Where.
    pub place: Place,
    /// What was found there, or was looked for: everything, when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// How many canaries were looked for.
    pub canaries: usize,
    /// How many copies were found.
    pub found: usize,
    /// It is a single pattern of four or five bytes, which chance makes too.
    #[serde(skip)]
    pub(super) by_chance: bool,
    /// What that means.
    pub verdict: Verdict,
    /// Whose, in which form and where exactly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// All that a drill saw.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// In the order in which it was looked.
    pub rows: Vec<Row>,
    /// What happened in the meeting, by the story's own count.
    pub story: Vec<String>,
    /// How likely it is that a hit in memory is one by chance, over all looks.
    pub chance: f64,
    /// Single short patterns that did not come again with other canaries.
    pub passing: usize,
}

impl Findings {
    /// Something was found that should not be there.
    pub fn found(&self) -> bool {
        self.rows.iter().any(|row| row.verdict == Verdict::Found)
    }

    /// Some place could not be looked into.
    pub fn not_looked(&self) -> bool {
        let rows = &mut self.rows.iter();
        rows.any(|row| matches!(row.verdict, Verdict::NotLooked(_)))
    }

    /// Copies of a kind that were found and should not be there.
    pub fn count(&self, kind: Kind) -> usize {
        let found = self.rows.iter().filter(|row| row.verdict == Verdict::Found);
        let of = found.filter(|row| row.kind == Some(kind));
        of.map(|row| row.found).sum()
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut heading = None;
        for row in &self.rows {
            if heading != Some((row.run, row.phase)) {
                heading = Some((row.run, row.phase));
                let _ = writeln!(text, "\n{}, {}", row.run, row.phase.words());
            }
            let _ = writeln!(text, "{}", line(row));
            for detail in &row.details {
                let _ = writeln!(text, "      {detail}");
            }
        }
        text.push_str("\nIn this meeting: ");
        text.push_str(&self.story.join("; "));
        text.push_str(".\n");
        let _ = writeln!(
            text,
            "A hit in memory would be one by chance in {:.2} of 100 drills.",
            self.chance * 100.0
        );
        if self.passing > 0 {
            let _ = writeln!(
                text,
                "Of single patterns of four or five bytes {} did not come again with other canaries, \
                 and are taken for chance.",
                self.passing
            );
        }
        let kinds = Kind::ALL.map(|kind| format!("{} {}", self.count(kind), kind.words()));
        let _ = writeln!(
            text,
            "Found that should not be there: {}.",
            kinds.join(", ")
        );
        text
    }

    /// For programs: a line for each row, and one for the whole.
    pub fn json(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let mut value = serde_json::to_value(row).unwrap_or_default();
            if let Some(object) = value.as_object_mut() {
                object.insert("event".into(), "row".into());
            }
            let _ = writeln!(text, "{value}");
        }
        let kinds = Kind::ALL.map(|kind| (kind.words().to_owned(), self.count(kind).into()));
        let summary = serde_json::json!({
            "event": "summary",
            "clean": !self.found() && !self.not_looked(),
            "found": kinds.into_iter().collect::<serde_json::Map<_, _>>(),
            "not_looked": self.not_looked(),
            "story": self.story,
            "chance": self.chance,
            "passing": self.passing,
        });
        let _ = writeln!(text, "{summary}");
        text
    }
}

/// A row, without its details.
fn line(row: &Row) -> String {
    let what = row.kind.map_or("everything", Kind::words);
    let result = match &row.verdict {
        Verdict::Clean => format!("0 of {}", row.canaries),
        Verdict::Allowed(why) => format!("{} allowed: {why}", row.found),
        Verdict::Found => format!("{} FOUND", row.found),
        Verdict::NotLooked(why) => format!("NOT LOOKED: {why}"),
        Verdict::NotThere(why) => format!("-  {why}"),
    };
    format!("  {:<26} {what:<19} {result}", row.place.words())
}
