//! A convolution's weights at Winograd's points.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::transform::{POINTS, factors};
use super::{LANES, TILE};
use crate::network::host::HostArray;
use crate::network::host::convolution::Geometry;

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
            let [inputs, outputs] = channels(geometry);
            at_points(&self.source, geometry, [inputs, outputs])
        })
    }

    /// From outputs to inputs.
    pub(super) fn backward(&self, geometry: &Geometry) -> &[f32] {
        self.backward.get_or_init(|| {
            let [inputs, outputs] = channels(geometry);
            at_points(&self.source, geometry, [outputs, inputs])
        })
    }
}

/// The channels of one side of a group.
#[derive(Debug, Clone, Copy)]
struct Channels {
    count: usize,
    /// Weights from one channel's to the next's.
    apart: usize,
}

/// Inputs and outputs.
fn channels(geometry: &Geometry) -> [Channels; 2] {
    let [inputs, outputs] = [geometry.input[0], geometry.output[0]].map(|channels| channels / geometry.group);
    let taps = geometry.kernel[0] * geometry.kernel[1];
    [(inputs, taps), (outputs, inputs * taps)].map(|(count, apart)| Channels { count, apart })
}

/// A matrix a group and point, of rows as there are channels on the first side and columns as on the second.
fn at_points(weight: &[f32], geometry: &Geometry, sides: [Channels; 2]) -> Vec<f32> {
    let [rows, columns] = sides.map(|channels| channels.count.next_multiple_of(LANES));
    let group_len = weight.len() / geometry.group;
    let mut matrices = vec![0.0; geometry.group * TILE * rows * columns];
    let points = matrices.par_chunks_mut(rows * columns).enumerate();
    points.for_each(|(number, matrix)| {
        let weight = &weight[number / TILE * group_len..][..group_len];
        let point = [number % TILE / POINTS, number % POINTS];
        match geometry.kernel[0] {
            3 => fill::<3>(matrix, weight, sides, point),
            _ => fill::<5>(matrix, weight, sides, point),
        }
    });
    matrices
}

/// One point's matrix.
fn fill<const K: usize>(matrix: &mut [f32], weight: &[f32], [from, to]: [Channels; 2], point: [usize; 2]) {
    let [down, across] = point.map(factors::<K>);
    let columns = to.count.next_multiple_of(LANES);
    for (row, line) in matrix.chunks_mut(columns).take(from.count).enumerate() {
        for (column, value) in line.iter_mut().take(to.count).enumerate() {
            let (taps, _) = weight[row * from.apart + column * to.apart..][..K * K].as_chunks::<K>();
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
