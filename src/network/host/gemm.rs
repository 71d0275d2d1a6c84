//! Matrix products on slices.

use gemm::Parallelism;

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

/// `out = left * right`, or `out += left * right` when `add`; `out` is row-major, `rows x columns`, `inner` is summed over.
pub(super) fn multiply(
    out: &mut [f32],
    left: Matrix<'_>,
    right: Matrix<'_>,
    (rows, columns, inner): (usize, usize, usize),
    add: bool,
    cores: Cores,
) {
    assert_eq!(out.len(), rows * columns);
    assert_eq!(left.values.len(), rows * inner);
    assert_eq!(right.values.len(), inner * columns);
    let stride = |stride: usize| isize::try_from(stride).unwrap_or(isize::MAX);
    // SAFETY: the three slices hold rows * columns, rows * inner and inner * columns entries (asserted above), and the
    // strides of a `Matrix` address each of its entries exactly once.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            stride(columns),
            add,
            left.values.as_ptr(),
            stride(left.column_stride),
            stride(left.row_stride),
            right.values.as_ptr(),
            stride(right.column_stride),
            stride(right.row_stride),
            1.0,
            1.0,
            false,
            false,
            false,
            match cores {
                Cores::All => Parallelism::Rayon(0),
                Cores::One => Parallelism::None,
            },
        );
    }
}
