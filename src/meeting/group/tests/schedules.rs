//! Meetings by chance: who comes, goes, is put out, loses messages or gets them late, and what is
//! true after all of it.

use super::*;
use crate::meeting::crypto::Provider;

/// Somebody who is a member, by its own lights.
struct One {
    group: Group,
    name: String,
    /// Commits that it has had.
    had: usize,
    lost: bool,
}

struct Schedule {
    draws: Provider,
    host: Group,
    honest: Vec<One>,
    /// Those who were put out and kept what they had.
    out: Vec<Group>,
    /// All commits so far, in order.
    commits: Vec<Vec<u8>>,
    /// What the host said since somebody was last put out.
    said: Vec<Vec<u8>>,
    named: u32,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut new = Self {
            draws: Provider::new(bytes),
            host: host(),
            honest: Vec::new(),
            out: Vec::new(),
            commits: Vec::new(),
            said: Vec::new(),
            named: 0,
        };
        for _ in 0..2 + new.below(3) {
            new.change(None, true);
        }
        new
    }

    fn below(&mut self, bound: usize) -> usize {
        u64::from_be_bytes(self.draws.random().array()) as usize % bound
    }

    fn join(&mut self, name: String) -> Joining {
        let name = LeafName::member(&name, self.draws.random().array());
        Joining::new(name, None, committers(), self.draws.random().array()).expect("keys")
    }

    /// One commit: somebody goes, somebody comes, or both.
    fn change(&mut self, goes: Option<LeafId>, comes: bool) {
        self.named += 1;
        let name = format!("P{}", self.named);
        let joining = comes.then(|| self.join(name.clone()));
        let posted = self.commit(goes, joining.as_ref());
        if let Some(joining) = joining {
            let group = joining.enter(&posted.expect("a welcome")).expect("in");
            let had = self.commits.len();
            let lost = false;
            self.honest.push(One {
                group,
                name,
                had,
                lost,
            });
        }
    }

    fn commit(&mut self, goes: Option<LeafId>, comes: Option<&Joining>) -> Option<Vec<u8>> {
        let change = Change {
            add: comes.map(package).into_iter().collect(),
            remove: goes.into_iter().collect(),
        };
        let posted = self.host.commit(change).expect("a commit");
        self.commits.push(posted.commit);
        posted.welcome
    }

    fn step(&mut self) {
        let some = self.below(self.honest.len());
        match self.below(10) {
            0..3 if self.honest.len() < 11 => {
                let goes = None;
                self.change(goes, true);
            }
            // Put out, or gone by itself: it keeps what it has and hears all that follows.
            3..5 if self.honest.len() > 2 => {
                let gone = self.honest.swap_remove(some);
                let comes = self.below(2) == 0;
                self.change(Some(gone.group.me()), comes);
                self.out.push(gone.group);
                self.said.clear();
            }
            5 => {
                let late = self.honest[some].had < self.commits.len();
                self.honest[some].lost |= late && self.below(2) == 0;
            }
            6 => self.rejoin(some),
            7 => {
                self.change(None, false);
            }
            _ => {
                let said = self.host.say(b"on").expect("said");
                self.said.push(said);
            }
        }
        for one in 0..self.honest.len() {
            if self.below(3) != 0 {
                self.deliver(one);
            }
        }
    }

    /// What its relay has for it: one that may be too early, and as many as it likes in order.
    fn deliver(&mut self, at: usize) {
        let missing = self.commits.len() - self.honest[at].had;
        let (early, some) = (self.below(missing + 1), self.below(missing + 1));
        let one = &mut self.honest[at];
        if early > 1 && !one.lost {
            let too_early = &self.commits[one.had + early - 1];
            let refused = take(&mut one.group, too_early);
            assert_eq!(refused, Err(GroupRejection::FutureEpoch));
        }
        if !one.lost {
            catch_up(one, &self.commits, some);
        }
    }

    /// One that lost a commit, or thinks so, comes in anew in the place of what it was.
    fn rejoin(&mut self, at: usize) {
        let name = self.honest[at].name.clone();
        let joining = self.join(name);
        let old = self.honest[at].group.me();
        let welcome = self.commit(Some(old), Some(&joining)).expect("a welcome");
        let group = joining.enter(&welcome).expect("in");
        let one = &mut self.honest[at];
        one.had = self.commits.len();
        one.lost = false;
        self.out.push(std::mem::replace(&mut one.group, group));
        self.said.clear();
    }

    /// Everybody gets what is missing, and then all is as it should be.
    fn end(mut self, seed: u64) {
        for at in 0..self.honest.len() {
            match self.honest[at].lost {
                true => self.rejoin(at),
                false => catch_up(&mut self.honest[at], &self.commits, usize::MAX),
            }
        }
        for one in &mut self.honest {
            catch_up(one, &self.commits, usize::MAX);
        }
        let secret = *self.host.export("test", b"").expect("a secret");
        let names = |group: &Group| -> Vec<(LeafId, String)> {
            let roster = group.roster().iter();
            roster
                .map(|member| (member.leaf, member.name.clone()))
                .collect()
        };
        for one in &self.honest {
            assert_eq!(one.group.epoch(), self.host.epoch(), "seed {seed}");
            assert_eq!(one.group.tag(), self.host.tag(), "seed {seed}");
            assert!(names(&one.group) == names(&self.host), "seed {seed}");
            assert_eq!(one.group.roster_hash(), self.host.roster_hash());
            assert!(*one.group.export("test", b"").expect("a secret") == secret);
        }
        let mut here: Vec<&str> = self.honest.iter().map(|one| &one.name[..]).collect();
        here.push("Host");
        here.sort_unstable();
        let mut listed: Vec<String> = names(&self.host).into_iter().map(|one| one.1).collect();
        listed.sort_unstable();
        assert_eq!(listed, here, "seed {seed}");
        let said = self.host.say(b"the last word").expect("said");
        for one in &mut self.honest {
            assert!(take(&mut one.group, &said).is_ok(), "seed {seed}");
        }
        for out in &mut self.out {
            for commit in &self.commits {
                let _ = take(out, commit);
            }
            for said in self.said.iter().chain([&said]) {
                assert!(take(out, said).is_err(), "seed {seed}");
            }
            assert!(out.tag() != self.host.tag(), "seed {seed}");
            let had = out.export("test", b"").map(|had| *had);
            assert!(had != Ok(secret), "seed {seed}");
            if let Ok(said) = out.say(b"still here") {
                assert!(take(&mut self.host, &said).is_err(), "seed {seed}");
            }
        }
    }
}

fn catch_up(one: &mut One, commits: &[Vec<u8>], most: usize) {
    for commit in commits.iter().skip(one.had).take(most) {
        let taken = take(&mut one.group, commit);
        assert_eq!(taken, Ok(committed(false)));
        let again = take(&mut one.group, commit);
        assert_eq!(again, Err(GroupRejection::OldEpoch));
        one.had += 1;
    }
}

fn run(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut schedule = Schedule::new(seed);
        for _ in 0..schedule.below(8) + 3 {
            schedule.step();
        }
        schedule.end(seed);
    }
}

#[test]
fn after_any_schedule_all_agree_and_nobody_else_hears_a() {
    run(0..150);
}

#[test]
fn after_any_schedule_all_agree_and_nobody_else_hears_b() {
    run(150..300);
}
