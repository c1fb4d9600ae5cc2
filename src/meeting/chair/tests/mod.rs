//! The chair: single rules, then thousands of random schedules.

mod net;
mod rules;
mod schedules;
