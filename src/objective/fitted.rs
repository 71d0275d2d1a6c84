//! A term that fits a network, and what its value is computed of.

use burn::tensor::Tensor;

use super::expression::Term;

/// A term with all it needs.
#[derive(Debug, Clone)]
pub(super) struct Fitted {
    pub(super) term: Term,
    /// The channels it names.
    pub(super) channels: Vec<usize>,
    /// The array it names, `[1, channels, rows, columns]`.
    pub(super) constant: Option<Tensor<4>>,
}

/// What terms are computed of.
pub(super) struct Inputs<'a> {
    pub(super) activations: &'a [(&'a str, Tensor<4>)],
    pub(super) image: &'a Tensor<4>,
    pub(super) group: usize,
}

impl Inputs<'_> {
    /// A layer's activations.
    pub(super) fn of(&self, layer: &str) -> Tensor<4> {
        let found = self.activations.iter().find(|(name, _)| *name == layer);
        found.map_or_else(
            || Tensor::zeros([self.image.dims()[0], 1, 1, 1], &self.image.device()),
            |(_, activation)| activation.clone(),
        )
    }
}
