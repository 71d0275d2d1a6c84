//! BatchNorm, Scale and ReLU as part of the convolution before them.

use deepvis_importer::graph::ValueId;

use crate::network::layers::LayerModule;
use crate::network::layers::entrywise::Function;
use crate::network::run::Step;

/// Folds BatchNorm, Scale and ReLU into the convolution before them where nobody else reads the values between, which
/// then are not computed.
pub(in crate::network) fn into_convolutions(layers: &mut Vec<LayerModule>, steps: &mut Vec<Step>, wanted: &[ValueId]) {
    let readers = super::readers(steps, wanted);
    let mut kept: Vec<(Step, LayerModule)> = Vec::with_capacity(layers.len());
    for (step, layer) in std::mem::take(steps).into_iter().zip(std::mem::take(layers)) {
        let before = match step.reads.as_slice() {
            [value] if readers[*value] == 1 => kept.iter_mut().rev().find(|(s, _)| s.writes == [*value]),
            _ => None,
        };
        if let Some((before, convolution)) = before
            && fold(convolution, &layer)
        {
            before.writes = step.writes;
        } else {
            kept.push((step, layer));
        }
    }
    (*steps, *layers) = kept.into_iter().unzip();
}

/// Folds `next` into the layer that alone feeds it, if that can be done.
fn fold(layer: &mut LayerModule, next: &LayerModule) -> bool {
    let LayerModule::Convolution(convolution) = layer else {
        return false;
    };
    if convolution.has_relu() {
        return false;
    }
    if let LayerModule::BatchNorm(norm) = next {
        let (factor, shift) = norm.affine();
        convolution.fold_affine(&factor, &shift);
        return true;
    }
    if let LayerModule::Scale(scale) = next
        && let Some((factor, shift)) = scale.affine()
    {
        let shift = shift.unwrap_or_else(|| factor.zeros_like());
        convolution.fold_affine(&factor, &shift);
        return true;
    }
    // The sign of the result tells whether a ReLU let it through only if the slope is not negative.
    if let LayerModule::Entrywise(entrywise) = next
        && let Function::Relu { slope } = entrywise.function()
        && slope >= 0.0
    {
        convolution.fuse_relu(slope);
        return true;
    }
    false
}
