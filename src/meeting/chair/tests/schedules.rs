//! Random schedules over a toy group: joins, removals, crashes, splits, loss. After healing there
//! is one chair and one group. `CHAIR_SEED=n` replays one.

mod ordeal;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use super::super::{Chair, Claim, Output, Runs as Outcasts, Standing};
use super::net::{Dice, Net};

const ACT: u64 = 240;
const HEAL: u64 = 420;

#[derive(Clone)]
struct Group {
    epoch: u64,
    tag: u64,
    roster: BTreeSet<usize>,
    /// The main room.
    room: u64,
}

struct Commit {
    parent: u64,
    by: u8,
    after: Group,
    removed: BTreeSet<usize>,
}

#[derive(Clone)]
enum Message {
    Beat(Claim),
    Commit(Rc<Commit>),
    Behind {
        has: u64,
    },
    Rejoin,
    Knock,
    Welcome(Rc<Group>),
    Refused,
    Outcasts(Rc<Outcasts>),
    /// The main room, and what it answers.
    Over(u64, Rc<Outcasts>),
    Merge(u64, usize),
}

struct Inside {
    group: Group,
    chair: Chair,
    log: Vec<Rc<Commit>>,
    /// Until the winner has answered.
    yielding: bool,
    told: Option<[u8; 16]>,
    /// The winner's main room, until a beat of that rank fits.
    visits: Option<(u64, usize)>,
}

impl Inside {
    fn room(&self) -> u64 {
        self.visits.map_or(self.group.room, |(room, _)| room)
    }
}

#[derive(Default)]
struct Node {
    up: bool,
    removed: bool,
    inside: Option<Inside>,
    outcasts: Outcasts,
    heard: u64,
    runs: u8,
}

#[derive(Default, Debug)]
struct Counts {
    take_overs: u64,
    yields: u64,
    rejoins: u64,
    asked: u64,
    both_removed: u64,
    moves: u64,
    outcasts_put_out: u64,
    refounded: u64,
    lost: u64,
    merges: u64,
}

struct World {
    now: u64,
    dice: Dice,
    net: Net<(Option<u64>, Message)>,
    nodes: Vec<Node>,
    committers: usize,
    removed: BTreeSet<usize>,
    crashed: bool,
    counts: Counts,
}

fn person(of: usize) -> [u8; 16] {
    [of as u8 + 1; 16]
}

fn wide(tag: u64) -> [u8; 32] {
    let mut wide = [0; 32];
    wide[..8].copy_from_slice(&tag.to_be_bytes());
    wide
}

impl Group {
    fn standing(&self) -> Standing {
        let mut roster = [0; 32];
        for id in &self.roster {
            roster[*id] = 1;
        }
        Standing {
            epoch: self.epoch,
            tag: wide(self.tag),
            roster,
        }
    }

    fn ranks(&self, committers: usize) -> Vec<u8> {
        let ranks = self.roster.iter().filter(|id| **id < committers);
        ranks.map(|id| *id as u8).collect()
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let count = 3 + dice.below(10);
        let committers = 1 + dice.below(3);
        let mut net = Net::new(count);
        net.slow = 1 + dice.below(4);
        let nodes = (0..count)
            .map(|_| Node {
                up: true,
                ..Node::default()
            })
            .collect();
        let removed = BTreeSet::new();
        let counts = Counts::default();
        Self {
            now: 0,
            dice,
            net,
            nodes,
            committers,
            removed,
            crashed: false,
            counts,
        }
    }

    fn clock(&self) -> Duration {
        Duration::from_secs(self.now)
    }

    /// To all who are in that main room when it arrives; `None`: wherever they are.
    fn cast(&mut self, from: usize, room: Option<u64>, to: std::ops::Range<usize>, m: &Message) {
        for to in to {
            self.net
                .send(self.now, from, to, (room, m.clone()), &mut self.dice);
        }
    }

    fn tell(&mut self, from: usize, to: usize, message: Message) {
        self.net
            .send(self.now, from, to, (None, message), &mut self.dice);
    }

    fn enter(&mut self, id: usize, group: Group, founds: bool) {
        let now = self.clock();
        let (standing, ranks) = (group.standing(), group.ranks(self.committers));
        let rank = (id < self.committers).then_some(id as u8);
        let node = &mut self.nodes[id];
        if let Some(inside) = &mut node.inside {
            if standing == inside.group.standing() {
                return;
            }
            inside.group = group;
            inside.log.clear();
            inside.visits = None;
            inside.yielding |= rank.is_some();
            inside.chair.epoch_changed(now, standing, ranks, true);
        } else {
            node.runs += 1;
            let mut run = person(id);
            run[0] = self.dice.next() as u8;
            run[1] = node.runs;
            let chair = Chair::new(now, run, rank, standing, ranks, founds);
            node.inside = Some(Inside {
                group,
                chair,
                log: Vec::new(),
                yielding: rank.is_some() && !founds,
                told: None,
                visits: None,
            });
        }
    }

    fn commit(&mut self, id: usize, adds: &[usize], removes: &BTreeSet<usize>) {
        let (now, tag, committers) = (self.clock(), self.dice.next(), self.committers);
        let Some(inside) = &mut self.nodes[id].inside else {
            return;
        };
        let old = inside.group.clone();
        let group = &mut inside.group;
        group.epoch += 1;
        group.tag = tag;
        group.roster.extend(adds);
        group.roster.retain(|id| !removes.contains(id));
        if !removes.is_empty() {
            group.room = tag;
        }
        let after = group.clone();
        let by = id as u8;
        let commit = Rc::new(Commit {
            parent: old.tag,
            by,
            after,
            removed: removes.clone(),
        });
        inside.log.push(commit.clone());
        let (standing, ranks) = (group.standing(), group.ranks(committers));
        inside.chair.epoch_changed(now, standing, ranks, false);
        for removed in removes {
            self.nodes[id].outcasts.add(person(*removed));
            self.removed.insert(*removed);
        }
        let all = 0..self.nodes.len();
        self.cast(id, Some(old.room), all, &Message::Commit(commit));
    }

    fn admit(&mut self, id: usize, who: usize) {
        self.commit(id, &[who], &BTreeSet::new());
        if let Some(inside) = &self.nodes[id].inside {
            let group = Rc::new(inside.group.clone());
            self.tell(id, who, Message::Welcome(group));
        }
    }

    fn hear(&mut self, from: usize, id: usize, room: Option<u64>, message: Message) {
        let now = self.clock();
        let committers = self.committers;
        let node = &mut self.nodes[id];
        if !node.up || node.removed {
            return;
        }
        if let Message::Beat(_) = message {
            node.heard = self.now;
        }
        let Some(inside) = &mut node.inside else {
            if let Message::Welcome(group) = message {
                self.enter(id, (*group).clone(), false);
            }
            return;
        };
        if room.is_some_and(|room| room != inside.room()) {
            return;
        }
        let chair = inside.chair.is_chair();
        match message {
            Message::Beat(claim) => {
                let took = inside.chair.heard(now, &claim).is_ok();
                let to = inside.visits.map_or(0, |(_, to)| to);
                let rules = inside.chair.ruling(now) == Some(claim.rank);
                if took && rules && !chair && id < committers && inside.told != Some(claim.run) {
                    inside.told = Some(claim.run);
                    inside.yielding = true;
                }
                if took && claim.tag == wide(inside.group.tag) && usize::from(claim.rank) <= to {
                    inside.visits = None;
                }
            }
            Message::Commit(commit) => {
                let ruling = inside.chair.ruling(now);
                if chair || commit.parent != inside.group.tag || ruling != Some(commit.by) {
                    return;
                }
                if commit.removed.contains(&id) {
                    node.removed = true;
                    node.inside = None;
                    return;
                }
                for removed in &commit.removed {
                    node.outcasts.add(person(*removed));
                    self.counts.moves += 1;
                }
                inside.group = commit.after.clone();
                let (standing, ranks) = (inside.group.standing(), inside.group.ranks(committers));
                inside.chair.epoch_changed(now, standing, ranks, false);
                inside.log.push(commit);
            }
            Message::Behind { has } if chair => {
                let log = inside.log.iter().filter(|commit| commit.after.epoch > has);
                let log: Vec<_> = log.cloned().collect();
                for commit in log {
                    self.tell(id, from, Message::Commit(commit));
                }
            }
            Message::Rejoin if chair => {
                if inside.group.roster.contains(&from) && !node.outcasts.contains(&person(from)) {
                    self.admit(id, from);
                } else {
                    self.tell(id, from, Message::Refused);
                }
            }
            Message::Knock if chair && !node.outcasts.contains(&person(from)) => {
                self.admit(id, from);
            }
            Message::Welcome(group) if !chair => self.enter(id, (*group).clone(), false),
            Message::Refused if !chair => node.inside = None,
            Message::Outcasts(outcasts) if chair => {
                node.outcasts.merge(&outcasts, |_| false);
                let out = |who: &&usize| outcasts.contains(&person(**who));
                let out: BTreeSet<usize> =
                    inside.group.roster.iter().filter(out).copied().collect();
                if !out.is_empty() {
                    self.counts.outcasts_put_out += 1;
                    self.commit(id, &[], &out);
                }
                let room = self.nodes[id]
                    .inside
                    .as_ref()
                    .map(|inside| inside.group.room);
                self.tell(id, from, Message::Over(room.unwrap_or_default(), outcasts));
            }
            Message::Over(room, told) if inside.yielding && !chair => {
                // An answer of a former chair, or to a shorter list, is none.
                let rules = inside.chair.ruling(now).map(usize::from) == Some(from);
                if !rules || *told != node.outcasts {
                    return;
                }
                inside.yielding = false;
                let old = inside.room();
                if old != room && inside.chair.apart() {
                    inside.visits = Some((room, from));
                    let all = 0..self.nodes.len();
                    self.counts.merges += 1;
                    self.cast(id, Some(old), all, &Message::Merge(room, from));
                }
            }
            Message::Merge(room, to) if !chair => inside.visits = Some((room, to)),
            _ => {}
        }
    }

    fn run_node(&mut self, id: usize) {
        let now = self.clock();
        let node = &mut self.nodes[id];
        if !node.up || node.removed {
            return;
        }
        let Some(inside) = &mut node.inside else {
            let silent = self.now - node.heard;
            if id < self.committers && silent > 25 + 30 * id as u64 {
                self.counts.refounded += 1;
                let tag = self.dice.next();
                let roster = BTreeSet::from([id]);
                self.enter(
                    id,
                    Group {
                        epoch: 0,
                        tag,
                        roster,
                        room: tag,
                    },
                    true,
                );
            } else if self.now.is_multiple_of(5) {
                self.cast(id, None, 0..self.committers, &Message::Knock);
            }
            return;
        };
        let mut outputs = Vec::new();
        while let Some(output) = inside.chair.poll(now) {
            outputs.push(output);
        }
        if inside.yielding && self.now.is_multiple_of(2) {
            outputs.push(Output::Yield { to: 0 });
        }
        let (room, has) = (inside.room(), inside.group.epoch);
        for output in outputs {
            self.act(id, room, has, output);
        }
    }

    fn act(&mut self, id: usize, room: u64, has: u64, output: Output) {
        let (all, chairs) = (0..self.nodes.len(), 0..self.committers);
        match output {
            Output::Post(claim) => {
                self.cast(id, Some(room), all, &Message::Beat(claim.clone()));
                self.cast(id, None, chairs, &Message::Beat(claim));
            }
            Output::TakeOver => {
                self.counts.take_overs += 1;
                let node = &mut self.nodes[id];
                let Some(inside) = &mut node.inside else {
                    return;
                };
                inside.yielding = false;
                let out = |who: &&usize| node.outcasts.contains(&person(**who));
                let out: BTreeSet<usize> =
                    inside.group.roster.iter().filter(out).copied().collect();
                if !out.is_empty() {
                    self.commit(id, &[], &out);
                }
            }
            Output::Yield { .. } => {
                if let Some(inside) = &mut self.nodes[id].inside {
                    self.counts.yields += u64::from(!inside.yielding);
                    inside.yielding = true;
                }
                let outcasts = Rc::new(self.nodes[id].outcasts.clone());
                self.cast(id, None, chairs, &Message::Outcasts(outcasts));
            }
            Output::Behind { .. } => {
                self.counts.asked += 1;
                self.cast(id, Some(room), all, &Message::Behind { has });
            }
            Output::Rejoin { to } => {
                self.counts.rejoins += 1;
                if id < self.committers {
                    let outcasts = Rc::new(self.nodes[id].outcasts.clone());
                    self.cast(id, None, chairs, &Message::Outcasts(outcasts));
                }
                self.tell(id, usize::from(to), Message::Rejoin);
            }
            Output::Lost => {
                self.counts.lost += 1;
                self.nodes[id].inside = None;
            }
            Output::InUse | Output::Warn | Output::StopSending | Output::Resume => {}
        }
    }
}
