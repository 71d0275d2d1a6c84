//! One file for each kind of layer, or small family of kinds.

pub mod activation;
pub mod arithmetic;
pub mod convolution;
pub mod deconvolution;
pub mod eltwise;
pub mod inner_product;
pub mod join;
pub mod lrn;
pub mod normalize;
pub mod pooling;
pub mod power;
pub mod reduction;
pub mod reshape;
pub mod softmax;
