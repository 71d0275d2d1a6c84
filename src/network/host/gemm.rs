//! Matrix products on slices.

use std::ops::Range;

use gemm::Parallelism;
use rayon::prelude::*;

/// A row-major or transposed view of a matrix in a slice.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `rows x columns`, row-major.
    pub(super) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix of {rows} x {columns}");
        Self {
            values,
            row_stride: columns,
            column_stride: 1,
        }
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

/// Who computes a matrix product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cores {
    /// All together.
    All,
    /// The one that asks, while others do as much for other images.
    One,
}

/// The least columns and rows of a block that a core computes by itself.
const LEAST: [usize; 2] = [64, 24];
/// What the columns and rows of a block are multiples of: width and height of gemm's innermost loop, with AVX-512 and AVX2.
const UNIT: [usize; 2] = [16, 6];

/// `out = left * right`; `out` is row-major, `rows x columns`, `inner` is summed over.
///
/// The sums are added up in the same order however many cores take part.
pub(super) fn multiply(
    out: &mut [f32],
    left: Matrix<'_>,
    right: Matrix<'_>,
    (rows, columns, inner): (usize, usize, usize),
    cores: Cores,
) {
    assert_eq!(out.len(), rows * columns);
    assert_eq!(left.values.len(), rows * inner);
    assert_eq!(right.values.len(), inner * columns);
    // gemm's own threads wait while one of them rearranges a whole operand, and for each other again and again.
    let cores = match cores {
        Cores::All => rayon::current_num_threads(),
        Cores::One => 1,
    };
    let across = cores.min(columns / LEAST[0]).max(1);
    let down = (cores / across).min(rows / LEAST[1]).max(1);
    let product = Product {
        out: out.as_mut_ptr(),
        row_stride: columns,
        left,
        right,
        inner,
    };
    let block = |block: usize| {
        let columns = share(columns, across, block % across, UNIT[0]);
        let rows = share(rows, down, block / across, UNIT[1]);
        // SAFETY: the three slices hold rows * columns, rows * inner and inner * columns entries (asserted above), the strides
        // of a `Matrix` address each of its entries exactly once, and no two blocks have a place of `out` in common.
        unsafe { product.block(rows, columns) }
    };
    match across * down {
        1 => block(0),
        blocks => (0..blocks).into_par_iter().for_each(block),
    }
}

/// `out = left * right` in each of some layers, that of `left` and `out` being what is between rows: these are `rows x layers x
/// inner` and `rows x layers x columns`, `right` is `layers x inner x columns`.
pub(super) fn multiply_layers(
    out: &mut [f32],
    left: &[f32],
    right: &[f32],
    (layers, rows, columns, inner): (usize, usize, usize, usize),
    cores: Cores,
) {
    assert_eq!(out.len(), rows * layers * columns);
    assert_eq!(left.len(), rows * layers * inner);
    assert_eq!(right.len(), layers * inner * columns);
    let out = Shared(out.as_mut_ptr());
    let layer = |layer: usize| {
        let product = Product {
            // SAFETY: a layer's first row is inside `out`, which has at least one where `rows` is not zero.
            out: unsafe { out.at(layer * columns * usize::from(rows > 0)) },
            row_stride: layers * columns,
            left: Matrix {
                values: &left[(layer * inner).min(left.len())..],
                row_stride: layers * inner,
                column_stride: 1,
            },
            right: Matrix::new(&right[layer * inner * columns..][..inner * columns], inner, columns),
            inner,
        };
        // SAFETY: the slices hold what the sizes say (asserted above) from each layer's beginning on, and layers have no place of
        // `out` in common.
        unsafe { product.block(0..rows, 0..columns) }
    };
    match cores {
        Cores::All => (0..layers).into_par_iter().for_each(layer),
        Cores::One => (0..layers).for_each(layer),
    }
}

/// The part number `part` of `len` places shared out among `parts`, in multiples of `unit` but for the last.
fn share(len: usize, parts: usize, part: usize, unit: usize) -> Range<usize> {
    let each = len.div_ceil(parts).next_multiple_of(if parts > 1 { unit } else { 1 });
    (part * each).min(len)..((part + 1) * each).min(len)
}

/// Where threads write to places that they do not share.
struct Shared(*mut f32);

// SAFETY: see above.
unsafe impl Sync for Shared {}

impl Shared {
    /// # Safety
    /// `offset` must be inside what the pointer points to.
    unsafe fn at(&self, offset: usize) -> *mut f32 {
        // SAFETY: as above.
        unsafe { self.0.add(offset) }
    }
}

struct Product<'a> {
    out: *mut f32,
    row_stride: usize,
    left: Matrix<'a>,
    right: Matrix<'a>,
    inner: usize,
}

// SAFETY: threads write to places of `out` that they do not share (see `block`).
unsafe impl Sync for Product<'_> {}

impl Product<'_> {
    /// Computes a block of `out`.
    ///
    /// # Safety
    /// The slices must be as large as the sizes say, and no other thread may touch the same block meanwhile.
    unsafe fn block(&self, rows: Range<usize>, columns: Range<usize>) {
        let stride = |stride: usize| isize::try_from(stride).unwrap_or(isize::MAX);
        let Self { left, right, .. } = self;
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        // SAFETY: the offsets stay inside the slices, for `rows` and `columns` do; see `multiply`.
        unsafe {
            gemm::gemm(
                rows.len(),
                columns.len(),
                self.inner,
                self.out.add(rows.start * self.row_stride + columns.start),
                1,
                stride(self.row_stride),
                false,
                left.values.as_ptr().add(rows.start * left.row_stride),
                stride(left.column_stride),
                stride(left.row_stride),
                right.values.as_ptr().add(columns.start * right.column_stride),
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
