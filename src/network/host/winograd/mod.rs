//! Convolutions of 3 x 3, 4 x 4 and 5 x 5 by Winograd's minimal filtering: F(4 x 4, 3 x 3), F(3 x 3, 4 x 4) and F(2 x 2, 5 x 5),
//! with 36 products for a tile where 144, 144 and 100 are written down (Lavin & Gray 2016, arXiv:1509.09308).
//!
//! A tile's 6 x 6 places become its values at 6 x 6 points, at each of which the channels are multiplied by a matrix, and the
//! products become a tile of the output. Points come tile by tile, each a row of whole vectors of channels, so that every
//! transform is done for many channels at once. The way back is the transpose of it all.
//!
//! A strided convolution is one of stride 1 over its input's phases (`side`): CaffeNet's 11 x 11 of stride 4 is one of 3 x 3 over
//! 16 times as many channels. GoogLeNet's 7 x 7 of stride 2 would be one of 4 x 4 over 12, too few: it takes as long either way.

mod side;
mod transform;
mod weights;

use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use self::side::Side;
use self::transform::{Axis, Input, Output, POINTS};
pub(super) use self::weights::{Kept, Weights};
use super::convolution::Geometry;
use super::gemm::{Cores, multiply_layers};
use super::scratch::with_scratch;
use super::vector::with_vectors;

/// Channels that are transformed at once: as many as the widest vector holds.
const LANES: usize = 16;
/// Points of a tile.
const TILE: usize = POINTS * POINTS;
/// The fewest tiles of an image and channels of a group for which the weights, four times as many then, are worth reading.
const FEWEST_TILES: usize = 9;
const FEWEST_CHANNELS: usize = 16;
/// Entries that images, or bands of one, may have at the points for them to be computed together, which reads the weights once.
const TOGETHER: usize = 1 << 20;
/// Entries that stay in a core's cache.
const CACHE: usize = 1 << 18;

/// Taps along an axis of a convolution of stride 1 over the phases of another's input, if both axes have as many, and points for
/// them.
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
    /// Places of the output that a tile is for, along an axis.
    step: usize,
    /// Rows and columns of tiles.
    tiles: [usize; 2],
}

impl Tiling {
    /// How to cut a convolution that gains by it.
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

    /// Entries that a row of tiles has at the points, before and after.
    fn row_len(&self) -> usize {
        self.tiles[1] * TILE * (self.input().channels() + self.output().channels())
    }

    /// Weights of a group at the points, in either direction.
    fn group_weights(&self) -> usize {
        TILE * self.input().channels() * self.output().channels()
    }

    /// Rows of tiles of an image that are computed together: all of them, unless they outgrow the caches, and the weights that
    /// each band reads anew. Together the cores do more, for they wait for each other at the end of each step.
    fn band(&self, cores: Cores) -> usize {
        let most = match cores {
            Cores::All => TOGETHER,
            Cores::One => CACHE,
        };
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

    /// From one side to the other, by way of the points.
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

    /// Transforms a band of rows of tiles of some images to their points.
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

    /// Transforms a band of rows of tiles of some images from their points. The bands above must be done.
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
            // Some channels at a time.
            for_each(planes, to.block_len(), cores, len, |lines, block, planes| {
                let top = band.start * self.step;
                let (known, new) = lines.split_at_mut((M - self.step) * across);
                // What the band above has in common with this one was stored, but is not complete.
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

/// Does `work` for each chunk with its number, with so many lines of memory, whose contents are arbitrary.
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

/// Transforms a row of tiles to their points, for the channels of a block.
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

/// Transforms an image's tiles from their points, for the channels of a block, and adds them up where they overlap.
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
