//! A convolution's weights, transformed to Winograd's interpolation points.

use std::borrow::Cow;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use super::transform::{POINTS, factors};
use super::{TILE, taps};
use crate::network::host::HostArray;
use crate::network::host::convolution::Geometry;
use crate::network::host::panels;
use crate::network::host::vector::LANES;

/// One convolution's transformed weights, each direction computed when it is first used: for each group and point a
/// matrix in panels, inputs x outputs forward and outputs x inputs backward, both extents padded with zeros to whole vectors.
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
    /// Of a convolution's weight, none computed yet.
    pub(in crate::network::host) fn new(source: &HostArray) -> Self {
        Self {
            source: source.clone(),
            forward: OnceLock::new(),
            backward: OnceLock::new(),
        }
    }

    /// For the forward pass: inputs x outputs.
    pub(super) fn forward(&self, geometry: &Geometry) -> &[f32] {
        self.forward.get_or_init(|| {
            let [inputs, outputs] = channels(geometry);
            at_points(&self.source, geometry, [inputs, outputs])
        })
    }

    /// For the backward pass: outputs x inputs.
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
    /// Distance in memory from one channel's weights to the next's.
    apart: usize,
}

/// Input channels (each phase of a channel counts as one) and output channels.
fn channels(geometry: &Geometry) -> [Channels; 2] {
    let [inputs, outputs] = [geometry.input[0], geometry.output[0]].map(|channels| channels / geometry.group);
    let inputs = inputs * geometry.stride[0] * geometry.stride[1];
    let taps = taps(geometry).map_or(0, |taps| taps * taps);
    [(inputs, taps), (outputs, inputs * taps)].map(|(count, apart)| Channels { count, apart })
}

/// The weights of a convolution of stride 1 over the phases of the input.
fn of_phases<'a>(weight: &'a [f32], geometry: &Geometry) -> Cow<'a, [f32]> {
    let (stride, kernel) = (geometry.stride[0], geometry.kernel[0]);
    if stride == 1 {
        return Cow::Borrowed(weight);
    }
    let taps = kernel.div_ceil(stride);
    let phases = weight.chunks(kernel * kernel).flat_map(|kernel_of_channel| {
        (0..stride * stride * taps * taps).map(move |place| {
            let [phase, tap] = [place / (taps * taps), place % (taps * taps)];
            let y = tap / taps * stride + phase / stride;
            let x = tap % taps * stride + phase % stride;
            // Where the stride does not divide the kernel, the last phases have fewer taps.
            if y < kernel && x < kernel {
                kernel_of_channel[y * kernel + x]
            } else {
                0.0
            }
        })
    });
    Cow::Owned(phases.collect())
}

/// For each group and point the matrix whose rows are the channels of the first side and whose columns are those of the
/// second, in panels.
fn at_points(weight: &[f32], geometry: &Geometry, sides: [Channels; 2]) -> Vec<f32> {
    let [rows, columns] = sides.map(|channels| channels.count.next_multiple_of(LANES));
    let weight = of_phases(weight, geometry);
    let group_len = weight.len() / geometry.group;
    let mut matrices = vec![0.0; geometry.group * TILE * rows * columns];
    let points = Mutex::new(matrices.chunks_mut(rows * columns).enumerate());
    let next = || points.lock().unwrap_or_else(PoisonError::into_inner).next();
    let of_point = |number: usize, matrix: &mut [f32]| {
        let weight = &weight[number / TILE * group_len..][..group_len];
        let point = [number % TILE / POINTS, number % POINTS];
        match taps(geometry) {
            Some(3) => fill::<3>(matrix, weight, sides, point),
            Some(4) => fill::<4>(matrix, weight, sides, point),
            _ => fill::<5>(matrix, weight, sides, point),
        }
        matrix.copy_from_slice(&panels::arranged(matrix, rows, columns));
    };
    let work = || {
        while let Some((number, matrix)) = next() {
            of_point(number, matrix);
        }
    };
    // Not by rayon: one of its threads that waits for the others takes up other work, as another image of this layer, which would
    // wait for these weights for ever.
    thread::scope(|scope| {
        for _ in 1..rayon::current_num_threads() {
            // Where the system refuses a thread, the others do its work.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    matrices
}

/// The matrix of one point: the 2-D transform of the kernel for each pair of channels, summed in float64.
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
