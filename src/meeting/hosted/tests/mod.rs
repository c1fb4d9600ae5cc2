//! Hosted meetings in memory.
