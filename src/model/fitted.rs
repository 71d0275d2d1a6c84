//! How large images are where a network leaves that open: as its fully connected layers, which take one size only, have weights
//! for.

use std::cmp::Ordering;

use burn::tensor::Device;
use deepvis_importer::{Graph, LayerKind, Weights};

use crate::network::{DEFAULT_SIZE, InputSize, fully_connected_take};

/// The largest side that is looked at.
const LARGEST_SIDE: usize = 1024;
/// Channels that are tried where they are open, too.
const CHANNELS: [usize; 2] = [3, 1];

/// Gives an input whose size is open the sides, alike, that the weights fit. Returns what a user should know of it.
pub fn fit_input(graph: &mut Graph, weights: &Weights, size: InputSize) -> Option<String> {
    if size != InputSize::Declared {
        return None;
    }
    let mut open = (0..graph.layers.len()).filter(|index| is_open(&graph.layers[*index].kind));
    let (input, None) = (open.next()?, open.next()) else {
        return None;
    };
    let LayerKind::Input { shape } = &graph.layers[input].kind else {
        return None;
    };
    let known = shape.as_ref().and_then(|shape| shape.get(1).copied().flatten());
    let tried = known.map_or(CHANNELS.to_vec(), |channels| vec![channels]);
    let before = graph.layers[input].kind.clone();
    for channels in tried {
        let device = Device::flex();
        let mut fits = |side: usize| {
            let shape = [1, channels, side, side].map(Some).to_vec();
            graph.layers[input].kind = LayerKind::Input { shape: Some(shape) };
            fully_connected_take(graph, weights, &device)
        };
        if let Some(side) = fitting(&mut fits) {
            fits(side);
            return Some(format!(
                "the network does not say how large its images are; {channels} x {side} x {side} is assumed, which the weights of \
                 its fully connected layers are for"
            ));
        }
    }
    graph.layers[input].kind = before;
    None
}

fn is_open(kind: &LayerKind) -> bool {
    let LayerKind::Input { shape } = kind else {
        return false;
    };
    shape
        .as_ref()
        .is_none_or(|shape| matches!(shape.as_slice(), [_, _, None, None]))
}

/// The side that fits best. Several may, as poolings round: the usual one, else the one that halves most often.
fn fitting(compared: &mut impl FnMut(usize) -> Ordering) -> Option<usize> {
    // What the layers take grows with the side.
    let mut first = |wanted: fn(Ordering) -> bool| {
        let (mut below, mut above) = (0, LARGEST_SIDE + 1);
        while above - below > 1 {
            let middle = usize::midpoint(below, above);
            if wanted(compared(middle)) {
                above = middle;
            } else {
                below = middle;
            }
        }
        above
    };
    let (least, beyond) = (first(Ordering::is_ge), first(Ordering::is_gt));
    let mut fitting = least..beyond.min(LARGEST_SIDE + 1);
    if fitting.contains(&DEFAULT_SIZE[0]) {
        return Some(DEFAULT_SIZE[0]);
    }
    let most = fitting.clone().map(usize::trailing_zeros).max()?;
    fitting.find(|side| side.trailing_zeros() == most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `LeNet`: 5 x 5, halved, 5 x 5, halved: 4 x 4 of 25 to 28 pixels.
    #[test]
    fn of_several_sides_the_one_that_halves_most_often_is_taken() {
        let lenet = |side: usize| {
            let halved = |side: usize| side.saturating_sub(4).div_ceil(2);
            halved(halved(side)).cmp(&4)
        };
        assert!((25..=28).all(|side| lenet(side).is_eq()) && lenet(24).is_lt() && lenet(29).is_gt());
        assert_eq!(fitting(&mut { lenet }), Some(28));
        assert_eq!(fitting(&mut |side: usize| (side / 20).cmp(&11)), Some(227));
        assert_eq!(fitting(&mut |side: usize| (2 * side).cmp(&101)), None);
    }
}
