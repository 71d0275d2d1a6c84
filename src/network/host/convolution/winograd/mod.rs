//! Convolutions of 3 x 3, 4 x 4 and 5 x 5 by Winograd's minimal filtering: F(4 x 4, 3 x 3), F(3 x 3, 4 x 4) and F(2 x
//! 2, 5 x 5), with 36 multiplications for a tile instead of 144, 144 and 100 (Lavin & Gray 2016, arXiv:1509.09308).
//!
//! Each tile of 6 x 6 pixels is transformed to its values at 6 x 6 interpolation points ("points" below). At each point
//! the channels are multiplied by a matrix, and the products are transformed back to a tile of the output. Transformed
//! values are stored tile by tile, and for each point as one row of channels, padded to whole vectors, so that a
//! transform works on many channels at once. The backward pass is the transpose of all this.
//!
//! A strided convolution is computed as one of stride 1 over the phases of its input (`side`): CaffeNet's 11 x 11 of
//! stride 4 is one of 3 x 3 over 16 times as many channels. GoogLeNet's 7 x 7 of stride 2 would be one of 4 x 4 over 12
//! channels, which was measured to be no faster than the matrix product over patches.

mod side;
mod transform;
mod weights;

use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use self::side::Side;
use self::transform::{Axis, Input, Output, POINTS};
pub(super) use self::weights::Weights;
use super::geometry::Geometry;
use crate::network::host::gemm::Cores;
use crate::network::host::panels::multiply_layers;
use crate::network::host::scratch::with_scratch;
use crate::network::host::vector::{LANES, with_vectors};

/// Interpolation points of a tile.
const TILE: usize = POINTS * POINTS;
/// The fewest tiles of an image, and channels of a group, for which it pays: there are four times as many transformed
/// weights to read (for 3 x 3) as plain ones.
const FEWEST_TILES: usize = 9;
const FEWEST_CHANNELS: usize = 16;
/// Images, or bands of an image, are computed together, which reads the weights once, up to this many transformed
/// entries.
const TOGETHER: usize = 1 << 20;
/// Transformed entries that fit a core's own cache.
const CACHE: usize = 1 << 18;

/// The kernel size, along either axis, of the convolution of stride 1 over the phases that `geometry` is computed as;
/// `None` where the axes differ, or where there is no transform for that size.
fn taps(geometry: &Geometry) -> Option<usize> {
    let ([kernel, other_kernel], [stride, other_stride]) = (geometry.kernel, geometry.stride);
    let taps = kernel.div_ceil(stride);
    let known = (3..=5).contains(&taps) && Side::PHASES.contains(&(stride * stride));
    (kernel == other_kernel && stride == other_stride && known).then_some(taps)
}

/// How a convolution is cut into tiles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiling {
    geometry: Geometry,
    /// Output pixels that a tile yields, along an axis.
    step: usize,
    /// Rows and columns of tiles.
    tiles: [usize; 2],
}

impl Tiling {
    /// The tiles of a convolution, if it is faster this way.
    pub(super) fn of(geometry: &Geometry) -> Option<Self> {
        let [taps, phases] = [taps(geometry)?, geometry.stride[0] * geometry.stride[1]];
        let step = POINTS + 1 - taps;
        let [_, rows, columns] = geometry.output;
        let tiles = [rows.div_ceil(step), columns.div_ceil(step)];
        let fewest = (phases * geometry.input[0]).min(geometry.output[0]) / geometry.group;
        let gains = geometry.dilation == [1, 1] && tiles[0] * tiles[1] >= FEWEST_TILES && fewest >= FEWEST_CHANNELS;
        gains.then_some(Self {
            geometry: *geometry,
            step,
            tiles,
        })
    }

    fn input(&self) -> Side {
        let Geometry { input, pad, stride, .. } = self.geometry;
        Side::new(input, pad, stride, self.geometry.group)
    }

    fn output(&self) -> Side {
        Side::new(self.geometry.output, [0, 0], [1, 1], self.geometry.group)
    }

    /// Transformed entries of a row of tiles, of input and output together.
    fn row_len(&self) -> usize {
        self.tiles[1] * TILE * (self.input().channels() + self.output().channels())
    }

    /// Transformed weights of a group, for one direction.
    fn group_weights(&self) -> usize {
        TILE * self.input().channels() * self.output().channels()
    }

    /// Transformed weights for one direction.
    pub(super) fn transformed_weights(&self) -> usize {
        self.geometry.group * self.group_weights()
    }

    /// Rows of tiles that are computed together (a band): all of an image, unless they need more memory than the caches
    /// have and than the weights, which every band reads again, are large. When all cores share a band it is larger, as
    /// they synchronize after each of its steps.
    fn band(&self, cores: Cores) -> usize {
        let most = match cores {
            Cores::All => TOGETHER,
            Cores::One => CACHE,
        };
        if self.tiles[1] == 1 {
            // A band of a single tile would be a matrix-vector product, for which gemm sums in another order.
            return self.tiles[0];
        }
        let bands = (self.tiles[0] * self.row_len()).div_ceil(most.max(self.group_weights()));
        self.tiles[0].div_ceil(bands)
    }

    /// Images of a batch that a core computes together.
    pub(super) fn together(&self) -> usize {
        (TOGETHER / (self.tiles[0] * self.row_len())).max(1)
    }

    /// The convolution of some images; overwrites `out`.
    pub(super) fn correlate(&self, images: &[f32], weights: &Weights, out: &mut [f32], cores: Cores) {
        let weights = weights.forward(&self.geometry);
        let sides = [self.input(), self.output()];
        match self.step {
            4 => self.pass::<Input, Output, POINTS, 4>(sides, images, weights, out, cores),
            3 => self.pass::<Input, Output, POINTS, 3>(sides, images, weights, out, cores),
            _ => self.pass::<Input, Output, POINTS, 2>(sides, images, weights, out, cores),
        }
    }

    /// Its transpose: spreads `out` over the images; overwrites them.
    pub(super) fn spread(&self, out: &[f32], weights: &Weights, images: &mut [f32], cores: Cores) {
        let weights = weights.backward(&self.geometry);
        let sides = [self.output(), self.input()];
        match self.step {
            4 => self.pass::<Output, Input, 4, POINTS>(sides, out, weights, images, cores),
            3 => self.pass::<Output, Input, 3, POINTS>(sides, out, weights, images, cores),
            _ => self.pass::<Output, Input, 2, POINTS>(sides, out, weights, images, cores),
        }
    }

    /// Transform, multiply at each point, transform back.
    fn pass<From: Axis<N>, To: Axis<M>, const N: usize, const M: usize>(
        &self,
        [from, to]: [Side; 2],
        x: &[f32],
        weights: &[f32],
        y: &mut [f32],
        cores: Cores,
    ) {
        let [rows, columns] = self.tiles;
        let (before_len, after_len) = (columns * TILE * from.channels(), columns * TILE * to.channels());
        let band = self.band(cores);
        let images = if band < rows { 1 } else { y.len() / to.len() };
        with_scratch(images * band * (before_len + after_len), |scratch| {
            let (before, after) = scratch.split_at_mut(images * band * before_len);
            for (x, y) in x.chunks(images * from.len()).zip(y.chunks_mut(images * to.len())) {
                for (group, weights) in weights.chunks(self.group_weights()).enumerate() {
                    for first in (0..rows).step_by(band) {
                        let band = first..rows.min(first + band);
                        let before = &mut before[..images * band.len() * before_len];
                        let after = &mut after[..images * band.len() * after_len];
                        self.take_points::<From, N>(from, (x, group), &band, before, cores);
                        let sizes = (TILE, images * band.len() * columns, to.channels(), from.channels());
                        multiply_layers(after, before, weights, sizes, cores);
                        self.give_places::<To, M>(to, (y, group), &band, after, cores);
                    }
                }
            }
        });
    }

    /// Transforms a band of some images to the points.
    fn take_points<From: Axis<N>, const N: usize>(
        &self,
        from: Side,
        (x, group): (&[f32], usize),
        band: &Range<usize>,
        before: &mut [f32],
        cores: Cores,
    ) {
        let across = (self.tiles[1] - 1) * self.step + N;
        let row_len = self.tiles[1] * TILE * from.channels();
        for_each(before, row_len, cores, N * across, |lines, row, tiles| {
            let planes = from.planes(x, row / band.len(), group);
            let top = (band.start + row % band.len()) * self.step;
            for (block, planes) in planes.chunks(from.block_len()).enumerate() {
                from.load(planes, top, lines, across);
                with_vectors(ToPoints::<From, N> {
                    lines,
                    tiles,
                    stride: from.channels(),
                    block,
                    step: self.step,
                    axis: PhantomData,
                });
            }
        });
    }

    /// Transforms a band of some images back from the points. Bands are done from top to bottom, since tiles overlap.
    fn give_places<To: Axis<M>, const M: usize>(
        &self,
        to: Side,
        (y, group): (&mut [f32], usize),
        band: &Range<usize>,
        after: &[f32],
        cores: Cores,
    ) {
        let columns = self.tiles[1];
        let across = (columns - 1) * self.step + M;
        let len = ((band.len() - 1) * self.step + M) * across;
        let image_len = band.len() * columns * TILE * to.channels();
        for (y, tiles) in y.chunks_mut(to.len()).zip(after.chunks(image_len)) {
            let planes = &mut y[group * to.group_len()..][..to.group_len()];
            // A block of channels at a time.
            for_each(planes, to.block_len(), cores, len, |lines, block, planes| {
                let top = band.start * self.step;
                let (known, new) = lines.split_at_mut((M - self.step) * across);
                // The rows that this band shares with the one above were stored, but this band's part is still missing.
                to.load(if top == 0 { &[] } else { planes }, top, known, across);
                new.fill([0.0; LANES]);
                with_vectors(FromPoints::<To, M> {
                    tiles,
                    columns,
                    stride: to.channels(),
                    block,
                    step: self.step,
                    lines,
                    axis: PhantomData,
                });
                to.store(lines, across, top, planes);
            });
        }
    }
}

/// Calls `work` for each chunk with `lines` rows of working memory (of arbitrary contents) and the chunk's number.
fn for_each(
    chunks: &mut [f32],
    len: usize,
    cores: Cores,
    lines: usize,
    work: impl Fn(&mut [[f32; LANES]], usize, &mut [f32]) + Sync,
) {
    let lines = || vec![[0.0; LANES]; lines];
    match cores {
        Cores::All => chunks
            .par_chunks_mut(len)
            .enumerate()
            .for_each_init(lines, |lines, (number, chunk)| work(lines, number, chunk)),
        Cores::One => {
            let mut lines = lines();
            let chunks = chunks.chunks_mut(len).enumerate();
            chunks.for_each(|(number, chunk)| work(&mut lines, number, chunk));
        }
    }
}

/// Transforms a row of tiles to the points, for a block of channels.
struct ToPoints<'a, From, const N: usize> {
    lines: &'a [[f32; LANES]],
    tiles: &'a mut [f32],
    stride: usize,
    block: usize,
    step: usize,
    axis: PhantomData<From>,
}

impl<From: Axis<N>, const N: usize> WithSimd for ToPoints<'_, From, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let vectors = LANES / S::F32_LANES;
        let (lines, _) = S::as_simd_f32s(self.lines.as_flattened());
        let across = self.lines.len() / N * vectors;
        let stride = self.stride / S::F32_LANES;
        let zero = simd.splat_f32s(0.0);
        for (number, tile) in self.tiles.chunks_exact_mut(TILE * self.stride).enumerate() {
            let (tile, _) = S::as_mut_simd_f32s(tile);
            for vector in 0..vectors {
                let mut half = [[zero; N]; POINTS];
                for line in 0..N {
                    let places = &lines[line * across + number * self.step * vectors + vector..];
                    let mut x = [zero; N];
                    for place in 0..N {
                        x[place] = places[place * vectors];
                    }
                    let points = From::to_points(simd, x);
                    for point in 0..POINTS {
                        half[point][line] = points[point];
                    }
                }
                let tile = &mut tile[self.block * vectors + vector..];
                for horizontal in 0..POINTS {
                    let points = From::to_points(simd, half[horizontal]);
                    for vertical in 0..POINTS {
                        tile[(vertical * POINTS + horizontal) * stride] = points[vertical];
                    }
                }
            }
        }
    }
}

/// Transforms an image's tiles back from the points, for a block of channels, and adds them up where they overlap.
struct FromPoints<'a, To, const M: usize> {
    tiles: &'a [f32],
    columns: usize,
    stride: usize,
    block: usize,
    step: usize,
    lines: &'a mut [[f32; LANES]],
    axis: PhantomData<To>,
}

impl<To: Axis<M>, const M: usize> WithSimd for FromPoints<'_, To, M> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let vectors = LANES / S::F32_LANES;
        let across = ((self.columns - 1) * self.step + M) * vectors;
        let (lines, _) = S::as_mut_simd_f32s(self.lines.as_flattened_mut());
        let stride = self.stride / S::F32_LANES;
        let zero = simd.splat_f32s(0.0);
        for (number, tile) in self.tiles.chunks_exact(TILE * self.stride).enumerate() {
            let (tile, _) = S::as_simd_f32s(tile);
            let [row, column] = [number / self.columns, number % self.columns];
            for vector in 0..vectors {
                let tile = &tile[self.block * vectors + vector..];
                let mut half = [[zero; POINTS]; M];
                for horizontal in 0..POINTS {
                    let mut points = [zero; POINTS];
                    for vertical in 0..POINTS {
                        points[vertical] = tile[(vertical * POINTS + horizontal) * stride];
                    }
                    let places = To::from_points(simd, points);
                    for line in 0..M {
                        half[line][horizontal] = places[line];
                    }
                }
                let first = row * self.step * across + column * self.step * vectors + vector;
                for line in 0..M {
                    let places = To::from_points(simd, half[line]);
                    let lines = &mut lines[first + line * across..];
                    for place in 0..M {
                        lines[place * vectors] = simd.add_f32s(lines[place * vectors], places[place]);
                    }
                }
            }
        }
    }
}
