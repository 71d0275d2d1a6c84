//! Matrix products on slices.

use std::ops::Range;

use gemm::Parallelism;
use rayon::prelude::*;

use super::scratch::Place;

/// A row-major or transposed view of a matrix in a slice.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row-major, its rows so many entries apart.
    pub(super) fn of_rows(values: &'a [f32], row_stride: usize) -> Self {
        Self {
            values,
            row_stride,
            column_stride: 1,
        }
    }

    /// `rows x columns`, row-major.
    pub(super) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix of {rows} x {columns}");
        Self::of_rows(values, columns)
    }

    /// The transpose of this view.
    pub(super) fn transposed(self) -> Self {
        Self {
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// On which cores a matrix product is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cores {
    /// On all of them, in parallel.
    All,
    /// On the calling thread alone; the other cores compute other images meanwhile.
    One,
}

impl Cores {
    /// Calls `work` for each number below `count`.
    pub(super) fn for_each(self, count: usize, work: impl Fn(usize) + Sync + Send) {
        match self {
            Self::All => (0..count).into_par_iter().for_each(work),
            Self::One => (0..count).for_each(work),
        }
    }
}

/// The smallest block, in columns and rows, that is given to a core.
const LEAST: [usize; 2] = [64, 24];
/// Columns and rows of a block are multiples of these: a vector of AVX-512, and the height of gemm's kernels.
const UNIT: [usize; 2] = [16, 6];

/// The longest inner dimension that is given to gemm. It splits longer sums at places that depend on the size of the
/// block (`m <= 64 && n <= 64` in its `gemm_basic_generic`), so that the last bits would depend on the number of cores;
/// here they are split before.
const LONGEST: usize = 512;
/// Up to this many rows and columns gemm splits a sum every [`LONGEST`] products, beyond them into equal parts.
const SMALL: usize = 64;
/// Up to this many entries, gemm sums blocks of two matrices that both lie along the sum by lanes.
const SMALL_BLOCK: usize = 16 * 16;

/// The length of the parts into which sums of `inner` products are split, for a product of `rows x columns`: that at
/// which gemm splits them when one core computes the product as a whole.
pub(super) fn part(rows: usize, columns: usize, inner: usize) -> usize {
    if rows <= SMALL && columns <= SMALL {
        LONGEST
    } else {
        inner.div_ceil(inner.div_ceil(LONGEST).max(1)).max(1)
    }
}

/// `out = left * right`; `out` is row-major, `rows x columns`, `inner` is summed over. Writes all of `out`.
///
/// The order of summation does not depend on the number of cores.
pub(super) fn multiply<T: Place>(
    out: &mut [T],
    left: Matrix<'_>,
    right: Matrix<'_>,
    (rows, columns, inner): (usize, usize, usize),
    cores: Cores,
) {
    assert_eq!(out.len(), rows * columns);
    assert_eq!(left.values.len(), rows * inner);
    assert_eq!(right.values.len(), inner * columns);
    // Blocks are distributed here rather than by gemm's own parallelism, whose threads synchronize after packing an
    // operand and after each part of the inner dimension.
    let cores = match cores {
        Cores::All => rayon::current_num_threads(),
        Cores::One => 1,
    };
    let across = cores.min(columns / LEAST[0]).max(1);
    let down = (cores / across).min(rows / LEAST[1]).max(1);
    let block_of = |block: usize| {
        (
            share(rows, down, block / across, UNIT[1]),
            share(columns, across, block % across, UNIT[0]),
        )
    };
    // Where both sides lie along the sum, gemm has another kernel for small blocks, which sums in another order
    // (`m * n <= 16 * 16` in its `gemm_basic_generic`): then a larger product is not cut into such.
    let is_along_sum = left.column_stride == 1 && right.row_stride == 1;
    let cuts_small = (0..across * down).any(|block| {
        let (rows, columns) = block_of(block);
        (1..=SMALL_BLOCK).contains(&(rows.len() * columns.len()))
    });
    let blocks = if is_along_sum && rows * columns > SMALL_BLOCK && cuts_small {
        1
    } else {
        across * down
    };
    let product = Product {
        out: out.as_mut_ptr().cast(),
        row_stride: columns,
        left,
        right,
        inner,
        part: part(rows, columns, inner),
    };
    let block = |block: usize| {
        let (rows, columns) = if blocks == 1 {
            (0..rows, 0..columns)
        } else {
            block_of(block)
        };
        // SAFETY: the three slices hold rows * columns, rows * inner and inner * columns entries (asserted above), the
        // strides of a `Matrix` address each of its entries exactly once, and no two blocks have a place of `out` in
        // common.
        unsafe { product.block(rows, columns) }
    };
    match blocks {
        1 => block(0),
        blocks => (0..blocks).into_par_iter().for_each(block),
    }
}

/// The range number `part` when `len` rows or columns are divided into `parts` ranges, all but the last multiples of
/// `unit`. No range has a single element unless `len` is 1: gemm sums matrix-vector products in another order.
fn share(len: usize, parts: usize, part: usize, unit: usize) -> Range<usize> {
    let each = len.div_ceil(parts).next_multiple_of(if parts > 1 { unit } else { 1 });
    let bound = |part: usize| {
        let place = (part * each).min(len);
        if place + 1 == len && place > 0 { len } else { place }
    };
    bound(part)..bound(part + 1)
}

/// A pointer through which several threads write, each to elements of its own.
pub(super) struct Shared(*mut f32);

// SAFETY: no element is touched by two threads.
unsafe impl Sync for Shared {}

impl Shared {
    pub(super) fn new<T: Place>(entries: &mut [T]) -> Self {
        Self(entries.as_mut_ptr().cast())
    }

    /// # Safety
    /// `offset` must be inside what the pointer points to.
    pub(super) unsafe fn at(&self, offset: usize) -> *mut f32 {
        // SAFETY: as above.
        unsafe { self.0.add(offset) }
    }
}

/// A matrix product, `out = left * right`.
pub(super) struct Product<'a> {
    /// The first entry of the result, which need not have been written.
    pub(super) out: *mut f32,
    /// How far the result's rows are apart.
    pub(super) row_stride: usize,
    /// The left side.
    pub(super) left: Matrix<'a>,
    /// The right side.
    pub(super) right: Matrix<'a>,
    /// What is summed over.
    pub(super) inner: usize,
    /// Length of the parts of the inner dimension that are given to gemm: see [`part`].
    pub(super) part: usize,
}

// SAFETY: threads write to disjoint blocks of `out` (see `block`).
unsafe impl Sync for Product<'_> {}

impl Product<'_> {
    /// Computes a block of `out`.
    ///
    /// # Safety
    /// The slices must be as large as the sizes say, and no other thread may touch the same block meanwhile.
    unsafe fn block(&self, rows: Range<usize>, columns: Range<usize>) {
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        for first in self.parts() {
            // SAFETY: as this function's own.
            unsafe { self.add_part(first, rows.clone(), columns.clone()) };
        }
    }

    /// Where the parts of the inner dimension begin. There is one also where it is 0, which makes zeros.
    pub(super) fn parts(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.inner.max(1)).step_by(self.part)
    }

    /// Adds the products of the part of the inner dimension that begins at `first` to a block of `out`, which is not empty; the
    /// first part overwrites it.
    ///
    /// # Safety
    /// As [`Product::block`].
    pub(super) unsafe fn add_part(&self, first: usize, rows: Range<usize>, columns: Range<usize>) {
        let stride = |stride: usize| isize::try_from(stride).unwrap_or(isize::MAX);
        let Self { left, right, .. } = self;
        let len = self.part.min(self.inner - first);
        // SAFETY: `rows`, `columns` and `first..first + len` are inside the matrices, so all offsets are inside the slices.
        unsafe {
            gemm::gemm(
                rows.len(),
                columns.len(),
                len,
                self.out.add(rows.start * self.row_stride + columns.start),
                1,
                stride(self.row_stride),
                first > 0,
                left.values
                    .as_ptr()
                    .add(rows.start * left.row_stride + first * left.column_stride),
                stride(left.column_stride),
                stride(left.row_stride),
                right
                    .values
                    .as_ptr()
                    .add(first * right.row_stride + columns.start * right.column_stride),
                stride(right.column_stride),
                stride(right.row_stride),
                1.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
}
