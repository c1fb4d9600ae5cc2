//! seccomp: every system call that serving does not take ends the process.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter_all_threads,
};

use super::Needs;
use super::calls::{Check, Test, allowed};
use crate::quiet::HardenError;

/// Leaves all threads of the process only the calls that [`Needs`] and serving take. Any other ends
/// the process by SIGSYS, as a fault that nobody can miss. No thread can begin after this.
///
/// # Errors
/// [`HardenError::Seccomp`] when the system does not have it.
pub fn filter(needs: &Needs) -> Result<(), HardenError> {
    let program = program(needs).map_err(|_| HardenError::Seccomp)?;
    apply_filter_all_threads(&program).map_err(|_| HardenError::Seccomp)
}

fn program(needs: &Needs) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in allowed(needs) {
        let of_call = rules.entry(call.number).or_default();
        if !call.checks.is_empty() {
            let conditions = call.checks.iter().map(condition);
            of_call.push(SeccompRule::new(conditions.collect::<Result<_, _>>()?)?);
        }
    }
    let arch = TargetArch::try_from(ARCH)?;
    let (others, these) = (SeccompAction::KillProcess, SeccompAction::Allow);
    SeccompFilter::new(rules, others, these, arch)?.try_into()
}

fn condition(check: &Check) -> Result<SeccompCondition, BackendError> {
    use SeccompCmpArgLen::{Dword, Qword};
    let (length, operator, value) = match check.test {
        Test::Is(value) => (Dword, SeccompCmpOp::Eq, value),
        Test::IsNull => (Qword, SeccompCmpOp::Eq, 0),
        Test::Has(bits) => (Dword, SeccompCmpOp::MaskedEq(bits), bits),
        Test::Lacks(bits) => (Dword, SeccompCmpOp::MaskedEq(bits), 0),
    };
    SeccompCondition::new(check.argument, length, operator, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel takes no more than 4096 steps, and each costs a call time.
    #[test]
    fn the_filter_is_short() {
        let needs = Needs {
            rereads: vec!["chain.pem".into()],
            accepts: true,
            counts: true,
        };
        let (least, most) = (program(&Needs::default()), program(&needs));
        let (least, most) = (least.unwrap().len(), most.unwrap().len());
        assert!(least < most && most < 400, "{least}, {most}");
    }
}
