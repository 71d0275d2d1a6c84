//! Layers on values of any number of axes, as ONNX's operators are: one file for each family.

pub mod constant;
pub mod moves;
pub mod normalize;
pub mod pairwise;
pub mod product;
pub mod reduce;
pub mod stretch;
pub mod unary;
