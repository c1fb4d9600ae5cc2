//! Who is let in: what a key package and the proofs that come with it say of whoever knocks.

use super::*;

impl Ruling {
    /// Whether somebody who waits in the lobby, and does not come back, is to be let in. The porter takes
    /// whoever brings a proof for one who does: that it proves nothing shows here alone.
    pub(super) fn admits(&self, waiting: &Waiting<'_>) -> bool {
        let wanted = self.admits_all || self.admitted.contains(&waiting.number);
        wanted && !self.locked
    }

    pub(super) fn judge(
        &self,
        stay: StayId,
        waiting: &Waiting<'_>,
        group: &Group,
        outcasts: &Outcasts,
        core: &Core,
    ) -> Verdict {
        let Ok(key_package) = KeyPackage::read(waiting.key_package, group.committers()) else {
            return Verdict::Deny;
        };
        let (member, roster) = (key_package.member(), group.roster());
        if member.name != waiting.name || is_out(member, outcasts) {
            return Verdict::Deny;
        }
        let proof = waiting.proof_of_return.unwrap_or_default();
        let proven = proven(proof, waiting.key_package);
        let own = roster.iter().find(|one| proven.contains(&one.sign_key));
        // Who comes back is the same as before: a leaf does not pass from one to another.
        let same = |one: &Member| {
            (&one.name, one.rank, one.run) == (&member.name, member.rank, member.run)
        };
        let own = own.filter(|before| before.leaf != group.me() && same(before));
        let own = own.map(|before| before.leaf);
        if !is_certified(member, own.is_some(), &proven) {
            return Verdict::Deny;
        }
        let key_package = Box::new(key_package.clone());
        match core.stays.purpose(stay) {
            Some(Purpose::Main) if own.is_some() => Verdict::Admit(key_package, own),
            Some(Purpose::Committers) => {
                let Some(rank) = member.rank else {
                    return Verdict::Deny;
                };
                let same = roster.iter().find(|one| one.rank == Some(rank));
                match same {
                    Some(me) if me.leaf == group.me() => Verdict::Deny,
                    same => Verdict::Admit(key_package, same.map(|one| one.leaf)),
                }
            }
            Some(Purpose::Lobby) if member.rank.is_none() => {
                if own.is_some() {
                    return Verdict::Admit(key_package, own);
                }
                // Whoever is inside does not knock, and nobody else has its process.
                if roster.iter().any(|one| one.run == member.run) {
                    return Verdict::Deny;
                }
                let recent = |since: Duration| core.now < since + COMES_BACK_WITHIN;
                let mut taken_out = self.taken_out.iter().filter(|(_, since)| recent(*since));
                let back = taken_out.any(|(one, _)| same(one) && proven.contains(&one.sign_key));
                match back || self.admits(waiting) {
                    true => Verdict::Admit(key_package, None),
                    false => Verdict::Ask(Asked::of(waiting)),
                }
            }
            _ => Verdict::Deny,
        }
    }
}
