//! What an optimization leaves behind: pictures, `info.txt`, pickles, `runs.jsonl`, the gallery, each by its own file here.

pub mod animation;
pub mod checkpoint;
pub mod error;
pub mod existing;
pub mod files;
pub mod gallery;
pub mod images;
pub mod npz;
pub mod original;
pub mod provenance;
pub mod runs;

pub use error::{Error, Result};
pub use existing::Existing;
pub use files::{Extras, ResultFiles, write_results};
pub use provenance::Provenance;
