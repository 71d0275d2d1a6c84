//! What an optimization leaves behind: pictures, `info.txt`, pickles, each by its own file here.

pub mod attributes;
pub mod error;
pub mod files;
pub mod images;
pub mod pickle;
pub mod text;

pub use error::{Error, Result};
pub use files::{Extras, ResultFiles, write_results};
