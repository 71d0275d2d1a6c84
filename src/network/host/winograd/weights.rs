//! A convolution's weights at Winograd's points.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::super::HostArray;
use super::super::convolution::Geometry;
use super::transform::{POINTS, kernel};
use super::{LANES, TILE};

/// Weights at the points, kept from iteration to iteration.
#[derive(Debug, Clone, Default)]
pub struct Kept(Arc<Mutex<Option<Arc<Weights>>>>);

impl Kept {
    /// Those of `weight`, which are computed anew only when it is another tensor than the last time.
    pub(in crate::network::host) fn of(&self, weight: &HostArray) -> Arc<Weights> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            // The tensor is held on to, so that no other can have come to its place.
            Some(weights) if std::ptr::eq::<[f32]>(&**weight, &*weights.source) => Arc::clone(weights),
            _ => {
                let weights = Arc::new(Weights {
                    source: weight.clone(),
                    forward: OnceLock::new(),
                    backward: OnceLock::new(),
                });
                *kept = Some(Arc::clone(&weights));
                weights
            }
        }
    }
}

/// One convolution's weights at the points: for each group and point a matrix, inputs x outputs forward and outputs x inputs
/// backward, both rounded up to whole vectors with zeros.
pub(in crate::network::host) struct Weights {
    source: HostArray,
    forward: OnceLock<Vec<f32>>,
    backward: OnceLock<Vec<f32>>,
}

impl std::fmt::Debug for Weights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Weights({:?})", self.source.shape())
    }
}

impl Weights {
    /// From inputs to outputs.
    pub(super) fn forward(&self, geometry: &Geometry) -> &[f32] {
        self.forward.get_or_init(|| {
            let ([inputs, outputs], taps) = sizes(geometry);
            at_points(&self.source, geometry, [inputs, outputs], |input, output| {
                (output * inputs + input) * taps
            })
        })
    }

    /// From outputs to inputs.
    pub(super) fn backward(&self, geometry: &Geometry) -> &[f32] {
        self.backward.get_or_init(|| {
            let ([inputs, outputs], taps) = sizes(geometry);
            at_points(&self.source, geometry, [outputs, inputs], |output, input| {
                (output * inputs + input) * taps
            })
        })
    }
}

/// Inputs and outputs of a group, and taps of a kernel.
fn sizes(geometry: &Geometry) -> ([usize; 2], usize) {
    let of_group = [geometry.input[0], geometry.output[0]].map(|channels| channels / geometry.group);
    (of_group, geometry.kernel[0] * geometry.kernel[1])
}

/// Matrices of `from x to` channels a group and point; `place` tells where in a group's weights the kernel of two channels is.
fn at_points(
    weight: &[f32],
    geometry: &Geometry,
    [from, to]: [usize; 2],
    place: impl Fn(usize, usize) -> usize + Sync,
) -> Vec<f32> {
    let [rows, columns] = [from, to].map(|channels| channels.next_multiple_of(LANES));
    let group_len = weight.len() / geometry.group;
    let mut matrices = vec![0.0; geometry.group * TILE * rows * columns];
    let points = matrices.par_chunks_mut(rows * columns).enumerate();
    points.for_each(|(number, matrix)| {
        let weight = &weight[number / TILE * group_len..][..group_len];
        let [vertical, horizontal] = [number % TILE / POINTS, number % POINTS];
        match geometry.kernel[0] {
            3 => fill::<3>(matrix, weight, [from, to], [vertical, horizontal], &place),
            _ => fill::<5>(matrix, weight, [from, to], [vertical, horizontal], &place),
        }
    });
    matrices
}

/// One point's matrix, its rows being as many as they are.
fn fill<const K: usize>(
    matrix: &mut [f32],
    weight: &[f32],
    [from, to]: [usize; 2],
    [vertical, horizontal]: [usize; 2],
    place: &impl Fn(usize, usize) -> usize,
) {
    // What each tap counts for at a point along an axis.
    let factors = |point: usize| -> [f64; K] {
        std::array::from_fn(|tap| kernel::<K>(std::array::from_fn(|other| f64::from(u8::from(other == tap))))[point])
    };
    let (down, across) = (factors(vertical), factors(horizontal));
    let columns = to.next_multiple_of(LANES);
    for (row, line) in matrix.chunks_mut(columns).take(from).enumerate() {
        for (column, value) in line.iter_mut().take(to).enumerate() {
            let (taps, _) = weight[place(row, column)..][..K * K].as_chunks::<K>();
            let lines = taps.iter().zip(down).map(|(taps, down)| {
                let sum: f64 = taps
                    .iter()
                    .zip(across)
                    .map(|(tap, across)| f64::from(*tap) * across)
                    .sum();
                down * sum
            });
            *value = lines.sum::<f64>() as f32;
        }
    }
}
