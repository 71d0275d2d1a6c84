//! Many units in one run: batches that share their passes through the network, results that are kept as they are done, and
//! going on after an interruption.
//!
//! A [`Session`] holds the only loop over batches. What happens is told to a [`Watcher`]: a progress bar, a web page.

mod contents;
mod error;
mod event;
mod forward;
mod keeper;
pub mod memory;
pub mod names;
mod plan;
mod run;
mod run_key;
mod save;
mod single;
mod snapshots;
mod sources;
mod todo;
mod together;

pub use contents::{magnitude_of, picture_size};
pub use error::{Error, Result};
pub use event::{Event, Failure, Outcome, Unfinished, Watcher};
pub use forward::{Images, Input, Values, forward, gradient};
pub use keeper::Keeper;
pub use plan::{LayerPlan, Shard};
pub use run::Session;
pub use run_key::{Fingerprint, RunKey};
pub use save::Climbed;
pub use single::optimize;
pub use sources::labelled;
pub use todo::Todo;
pub use together::climb;
