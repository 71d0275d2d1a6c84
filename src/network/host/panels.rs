//! Matrix products whose right side is kept as gemm's kernel reads it.
//!
//! gemm copies what it multiplies into panels, of as many columns as its kernel takes at once, and does so in every product. Of
//! weights that few rows are multiplied with, as those of a transformer's tokens or of Winograd's points, that is a tenth of the
//! time. Here the copy is made once, and gemm reads a matrix of one panel where it lies, as long as it gets few rows at a time.

use std::ops::Range;

use rayon::prelude::*;

use super::gemm::{Cores, Matrix, Product, Shared, part};
use super::scratch::Unwritten;

/// Columns of a panel: four vectors of AVX-512, which its kernel takes at once, and four times what that for AVX2 does.
const WIDTH: usize = 64;
/// Rows that a panel is multiplied with at a time. Beyond eight times what its kernel takes (6 of AVX-512, 4 of others), gemm copies the
/// panel, as it does every matrix.
const HEIGHT: usize = 48;
/// Entries of the left side that all panels are multiplied with before the next: they stay in a core's cache.
const BAND: usize = 1 << 17;

/// Rows or columns in parts of one size; the last may be smaller. None is a single row or column unless that is all there is:
/// gemm sums products with vectors in another order.
#[derive(Debug, Clone, Copy)]
struct Parts {
    len: usize,
    size: usize,
}

impl Parts {
    fn count(self) -> usize {
        let Self { len, size } = self;
        len.div_ceil(size) - usize::from(len > size && len % size == 1)
    }

    fn range(self, index: usize) -> Range<usize> {
        let first = index * self.size;
        let is_last = index + 1 >= self.count();
        first..if is_last { self.len } else { first + self.size }
    }

    fn ranges(self) -> impl Iterator<Item = Range<usize>> {
        (0..self.count()).map(move |index| self.range(index))
    }
}

/// The panels of a matrix that has so many columns.
fn panels(columns: usize) -> Parts {
    Parts {
        len: columns,
        size: WIDTH,
    }
}

/// A matrix in panels, one after the other, each row-major, of one that is row-major.
pub(super) fn arranged(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    assert_eq!(values.len(), rows * columns);
    let mut arranged = Vec::with_capacity(values.len());
    for panel in panels(columns).ranges() {
        for row in values.chunks(columns) {
            arranged.extend_from_slice(&row[panel.clone()]);
        }
    }
    arranged
}

/// The transpose of a matrix of `rows x columns`, both in panels.
pub(super) fn turned(source: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    assert_eq!(source.len(), rows * columns);
    let (from, to) = (panels(columns), panels(rows));
    let blocks: Vec<Vec<f32>> = (0..to.count())
        .into_par_iter()
        .map(|panel| {
            let of_panel = to.range(panel);
            let mut block = Vec::with_capacity(of_panel.len() * columns);
            for range in from.ranges() {
                let (width, values) = (range.len(), &source[range.start * rows..range.end * rows]);
                for column in 0..width {
                    block.extend(of_panel.clone().map(|row| values[row * width + column]));
                }
            }
            block
        })
        .collect();
    blocks.concat()
}

/// `out = left * right + bias`, of images below each other, each of `of_image` rows. `left` is row-major, `rows x inner`; `right` is
/// `inner x columns`, in panels; the bias, if any, has `columns` entries. Writes all of `out`, `rows x columns`.
///
/// The sums of a row depend neither on the other rows nor on the number of cores.
pub(super) fn multiply(
    out: &mut Unwritten,
    left: &[f32],
    right: &[f32],
    bias: Option<&[f32]>,
    (of_image, columns, inner): (usize, usize, usize),
    cores: Cores,
) {
    let rows = left.len() / inner;
    assert_eq!(out.len(), rows * columns);
    assert_eq!(right.len(), inner * columns);
    assert!(bias.is_none_or(|bias| bias.len() == columns));
    let part = part(of_image, columns, inner);
    let panels = panels(columns);
    let most = BAND / part.max(1);
    let some = match cores {
        // So many that each core has several panels of a band to do.
        Cores::All => most.min(rows * panels.count() / (4 * rayon::current_num_threads())),
        Cores::One => most,
    };
    let bands = Parts {
        len: rows,
        size: some.next_multiple_of(HEIGHT).max(HEIGHT),
    };
    let out = Shared::new(out);
    let block = |index: usize| {
        let (band, panel) = (
            bands.range(index / panels.count()),
            panels.range(index % panels.count()),
        );
        let product = Product {
            // SAFETY: the panel begins inside the first row.
            out: unsafe { out.at(panel.start) },
            row_stride: columns,
            left: Matrix::new(left, rows, inner),
            right: Matrix::new(&right[panel.start * inner..panel.end * inner], inner, panel.len()),
            inner,
            part,
        };
        // SAFETY: the slices hold what the sizes say (asserted above), and no two blocks have a place of `out` in common.
        unsafe { multiply_panel(&product, band.clone(), panel.len()) };
        let Some(bias) = bias else { return };
        for row in band {
            // SAFETY: as above; the place has been written by the product.
            let values = unsafe { std::slice::from_raw_parts_mut(out.at(row * columns + panel.start), panel.len()) };
            values
                .iter_mut()
                .zip(&bias[panel.clone()])
                .for_each(|(value, bias)| *value += bias);
        }
    };
    let blocks = bands.count() * panels.count();
    cores.for_each(blocks, block);
}

/// A batch of `layers` independent products, `out = left * right` for each. `left` is `rows x layers x inner` and `out`
/// is `rows x layers x columns` (the index of the layer is the middle one), `right` is `layers x inner x columns`, each layer in
/// panels.
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
    if rows == 0 {
        return;
    }
    let out = Shared::new(out);
    let layer = |layer: usize| {
        let right = &right[layer * inner * columns..][..inner * columns];
        for panel in panels(columns).ranges() {
            let product = Product {
                // SAFETY: the panel begins inside the first row.
                out: unsafe { out.at(layer * columns + panel.start) },
                row_stride: layers * columns,
                left: Matrix::of_rows(&left[layer * inner..], layers * inner),
                right: Matrix::new(&right[panel.start * inner..panel.end * inner], inner, panel.len()),
                inner,
                // The number of rows depends on how many images are computed together, which must not change the order of
                // sums.
                part: part(usize::MAX, columns, inner),
            };
            // SAFETY: the slices hold what the sizes say (asserted above) from each layer's beginning on, and no two panels have a
            // place of `out` in common.
            unsafe { multiply_panel(&product, 0..rows, panel.len()) };
        }
    };
    cores.for_each(layers, layer);
}

/// Computes some rows of a product whose right side is a panel of so many columns.
///
/// # Safety
/// As [`Product::add_part`].
unsafe fn multiply_panel(product: &Product<'_>, rows: Range<usize>, columns: usize) {
    let heights = Parts {
        len: rows.len(),
        size: HEIGHT,
    };
    for first in product.parts() {
        for height in heights.ranges() {
            let rows = rows.start + height.start..rows.start + height.end;
            // SAFETY: as this function's own.
            unsafe { product.add_part(first, rows, 0..columns) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use super::*;

    /// Whole numbers, whose products and sums are exact in any order.
    fn matrix(rows: usize, columns: usize, of: usize) -> Vec<f32> {
        (0..rows * columns)
            .map(|i| ((i * of + i / 7) % 11) as f32 - 5.0)
            .collect()
    }

    fn written(rows: usize, columns: usize, fill: impl FnOnce(&mut Unwritten)) -> Vec<f32> {
        let mut out = vec![MaybeUninit::new(f32::NAN); rows * columns];
        fill(&mut out);
        // SAFETY: all entries have been written above, if only with no number.
        out.into_iter().map(|entry| unsafe { entry.assume_init() }).collect()
    }

    #[test]
    fn products_by_panels_are_products() {
        let sizes = [1, 2, 48, 63, 64, 65, 66, 128, 129, 200];
        for (rows, inner, columns) in [2, 47, 48, 49, 97, 333]
            .into_iter()
            .flat_map(|rows| sizes.map(|inner| (rows, inner)))
            .flat_map(|(rows, inner)| sizes.map(|columns| (rows, inner, columns)))
        {
            let (left, right) = (matrix(rows, inner, 3), matrix(inner, columns, 5));
            let bias = matrix(1, columns, 2);
            let found = written(rows, columns, |out| {
                let right = arranged(&right, inner, columns);
                let sizes = (rows, columns, inner);
                multiply(out, &left, &right, Some(&bias), sizes, Cores::All);
            });
            for row in 0..rows {
                for column in 0..columns {
                    let terms = (0..inner).map(|k| left[row * inner + k] * right[k * columns + column]);
                    let expected = terms.sum::<f32>() + bias[column];
                    assert_eq!(found[row * columns + column], expected, "{rows} {inner} {columns}");
                }
            }
        }
    }

    #[test]
    fn what_is_turned_is_the_transpose() {
        for (rows, columns) in [(2, 2), (64, 65), (66, 129), (193, 194), (7, 300), (65, 1)] {
            let values = matrix(rows, columns, 3);
            let transpose: Vec<f32> = (0..rows * columns)
                .map(|i| values[i % rows * columns + i / rows])
                .collect();
            assert_eq!(
                turned(&arranged(&values, rows, columns), rows, columns),
                arranged(&transpose, columns, rows),
                "{rows} x {columns}"
            );
        }
    }
}
