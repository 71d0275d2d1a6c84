//! Python's spelling of values: what the original printed, took in flags and filled templates with.

mod arithmetic;
pub mod literal;
pub mod number;
pub mod template;
pub mod value;

pub use value::Value;
