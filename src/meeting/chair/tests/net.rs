//! A network with a virtual clock that loses, reorders and splits, from one seed.

pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1)
    }

    /// SplitMix64.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(super) fn percent(&mut self, p: usize) -> bool {
        self.below(100) < p
    }
}

/// What is under way: when it arrives, from whom, to whom.
pub(super) struct Net<M> {
    way: Vec<(u64, usize, usize, M)>,
    /// Which side each is on.
    pub(super) side: Vec<u8>,
    pub(super) loss: usize,
    pub(super) slow: usize,
}

impl<M> Net<M> {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            way: Vec::new(),
            side: vec![0; nodes],
            loss: 0,
            slow: 1,
        }
    }

    pub(super) fn send(&mut self, now: u64, from: usize, to: usize, message: M, dice: &mut Dice) {
        if from != to && self.side[from] == self.side[to] && !dice.percent(self.loss) {
            let at = now + 1 + dice.below(self.slow) as u64;
            self.way.push((at, from, to, message));
        }
    }

    pub(super) fn arrived(&mut self, now: u64) -> Vec<(usize, usize, M)> {
        let (here, way) = std::mem::take(&mut self.way)
            .into_iter()
            .partition(|packet| packet.0 <= now);
        self.way = way;
        let here: Vec<(u64, usize, usize, M)> = here;
        here.into_iter().map(|(_, f, t, m)| (f, t, m)).collect()
    }
}
