//! Clocks. All but the words is counted in CPU time, so that what else runs on the machine counts less.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// CPU time of this process, which has one thread.
pub fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the system tells what was used");
    let of = |time: TimeVal| {
        Duration::from_secs(time.tv_sec() as u64) + Duration::from_micros(time.tv_usec() as u64)
    };
    of(usage.user_time()) + of(usage.system_time())
}

/// What `work` takes, and what it gives.
pub fn taking<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = cpu();
    let result = work();
    (cpu() - begun, result)
}

/// In milliseconds.
pub fn median_ms(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// How often `work` is done in a second of CPU time: the best of five runs of `length`, as the others
/// were disturbed. `work` does `batch` at once.
pub fn rate(length: Duration, batch: usize, mut work: impl FnMut()) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..5 {
        let (begun, mut done) = (cpu(), 0);
        loop {
            work();
            done += batch;
            let passed = cpu() - begun;
            if passed >= length {
                best = best.max(done as f64 / passed.as_secs_f64());
                break;
            }
        }
    }
    best
}
