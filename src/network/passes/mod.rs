//! Passes over a network that is built: the same results with less work.

pub(super) mod fold;
