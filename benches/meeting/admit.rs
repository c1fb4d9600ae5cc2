//! What it costs to let somebody in.
//!
//! Groups here are as they are in meetings: the host alone has committed, so that the nodes above
//! the other leaves are blank, and a commit is sealed to each member by itself.

use std::hint::black_box;
use std::time::Duration;

use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::group::{Change, Committers, Group, Joining, KeyPackage, LeafName};

use crate::report::Report;
use crate::time::{median_ms, taking};

pub fn measure(quick: bool, report: &mut Report) {
    let rounds = if quick { 5 } else { 15 };
    for members in [10, 50, 200] {
        enter(members, 1, rounds, report);
    }
    enter(50, 16, rounds, report);
}

/// Makes newcomers, no two alike.
struct Door {
    host: SigningKey,
    committers: Committers,
    drawn: u64,
}

impl Door {
    fn new() -> Self {
        let host = SigningKey::from_seed(&[0x33; 32]);
        let committers = Committers {
            keys: vec![host.public()],
            bundle: [9; 32],
        };
        Self {
            host,
            committers,
            drawn: 0,
        }
    }

    fn joining(&mut self, host: bool) -> Joining {
        self.drawn += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.drawn.to_be_bytes());
        let name = format!("Participant {}", self.drawn);
        let run = [7; 16];
        let (leaf, prover) = match host {
            true => (LeafName::committer(&name, run, 0), Some(&self.host)),
            false => (LeafName::member(&name, run), None),
        };
        Joining::new(leaf, prover, self.committers.clone(), seed).expect("keys")
    }

    fn newcomers(&mut self, count: usize) -> Vec<Joining> {
        (0..count).map(|_| self.joining(false)).collect()
    }

    fn read(&self, joinings: &[Joining]) -> Vec<KeyPackage> {
        let read = |one: &Joining| KeyPackage::read(one.key_package(), &self.committers);
        joinings
            .iter()
            .map(|one| read(one).expect("a key package"))
            .collect()
    }
}

fn process(member: &mut Group, commit: &[u8]) {
    let processed = member.process(commit, |change| change.committer.rank == Some(0));
    black_box(processed.expect("a commit"));
}

/// `count` enter a group, which has `members` then.
fn enter(members: usize, count: usize, rounds: usize, report: &mut Report) {
    let mut door = Door::new();
    let mut host = Group::found(door.joining(true)).expect("a group");
    let mut others = door.newcomers(members - count - 1);
    let member = others.pop().expect("somebody");
    let change = Change {
        add: door.read(std::slice::from_ref(&member)),
        remove: Vec::new(),
    };
    let posted = host.commit(change).expect("a commit");
    let welcome = posted.welcome.expect("a welcome");
    let mut member = member.enter(&welcome).expect("a member");
    // As many at a time as a chair takes in: a commit has to fit a message.
    for some in others.chunks(16) {
        let change = Change {
            add: door.read(some),
            remove: Vec::new(),
        };
        let posted = host.commit(change).expect("a commit");
        process(&mut member, &posted.commit);
    }

    let mut times = [const { Vec::<Duration>::new() }; 4];
    let mut sizes = (0, 0);
    for _ in 0..rounds {
        let mut newcomers = door.newcomers(count);
        let (reading, add) = taking(|| door.read(&newcomers));
        let change = Change {
            add,
            remove: Vec::new(),
        };
        let (committing, posted) = taking(|| host.commit(change).expect("a commit"));
        let (processing, ()) = taking(|| process(&mut member, &posted.commit));
        let welcome = posted.welcome.expect("a welcome");
        let newcomer = newcomers.pop().expect("somebody");
        let (entering, newcomer) = taking(|| newcomer.enter(&welcome).expect("in"));
        assert!(newcomer.tag() == member.tag() && member.tag() == host.tag());
        assert_eq!(host.roster().len(), members);
        sizes = (posted.commit.len(), welcome.len());
        for (all, one) in times
            .iter_mut()
            .zip([reading, committing, processing, entering])
        {
            all.push(one);
        }

        let mut last: Vec<_> = host.roster().iter().map(|member| member.leaf).collect();
        last.retain(|leaf| *leaf != host.me() && *leaf != member.me());
        let remove = last.split_off(last.len() - count);
        let change = Change {
            add: Vec::new(),
            remove,
        };
        let posted = host.commit(change).expect("a commit");
        process(&mut member, &posted.commit);
    }

    let name = match count {
        1 => format!("admit one at {members}"),
        count => format!("admit {count} at {members}"),
    };
    for (what, times) in [
        "key packages read",
        "commit and welcome",
        "a member's part",
        "newcomer's entry",
    ]
    .iter()
    .zip(&mut times)
    {
        report.figure(&format!("{name}: {what}"), median_ms(times), "ms", None);
    }
    let (commit, welcome) = sizes;
    report.figure(&format!("{name}: commit"), commit as f64, "bytes", None);
    report.figure(&format!("{name}: welcome"), welcome as f64, "bytes", None);
}
