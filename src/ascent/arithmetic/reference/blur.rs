//! The Gaussian blur of `scipy.ndimage.gaussian_filter`: two 1-D passes, reflecting at the edges.

use rayon::prelude::*;

/// Standard deviations at which SciPy cuts the kernel off.
const TRUNCATE: f64 = 4.0;

/// Half of a symmetric kernel, centre first.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few pixels"
)]
fn kernel(sigma: f64) -> Vec<f64> {
    let radius = (TRUNCATE * sigma + 0.5) as usize;
    let mut half: Vec<f64> = (0..=radius)
        .map(|x| (-0.5 / (sigma * sigma) * (x * x) as f64).exp())
        .collect();
    let sum = half[0] + 2.0 * half[1..].iter().sum::<f64>();
    half.iter_mut().for_each(|weight| *weight /= sum);
    half
}

/// The index that `position` is reflected to: d c b a | a b c d | d c b a.
fn reflected(position: isize, len: usize) -> usize {
    let period = 2 * len;
    let position = position
        .rem_euclid(isize::try_from(period).unwrap_or(isize::MAX))
        .unsigned_abs();
    if position < len {
        position
    } else {
        period - 1 - position
    }
}

fn signed(position: usize) -> isize {
    isize::try_from(position).unwrap_or(isize::MAX)
}

/// Blurs each channel of `x` (channels x `rows` x `columns`) with standard deviation `sigma`, in pixels.
pub fn blur(x: &mut [f64], sigma: f64, [rows, columns]: [usize; 2]) {
    let kernel = kernel(sigma);
    if kernel.len() == 1 || rows == 0 || columns == 0 {
        return;
    }
    let mut down = vec![0.0; rows * columns];
    for plane in x.chunks_mut(rows * columns) {
        blur_down(plane, &mut down, &kernel, [rows, columns]);
        blur_across(&down, plane, &kernel, columns);
    }
}

/// The blur of a line of `len` as a matrix: row `i` holds the weights of all positions in the blurred position `i`.
pub fn matrix(sigma: f64, len: usize) -> Vec<f64> {
    let kernel = kernel(sigma);
    let mut matrix = vec![0.0; len * len];
    for (i, row) in matrix.chunks_mut(len.max(1)).enumerate() {
        row[i] += kernel[0];
        for (offset, weight) in kernel.iter().enumerate().skip(1) {
            row[reflected(signed(i) - signed(offset), len)] += weight;
            row[reflected(signed(i) + signed(offset), len)] += weight;
        }
    }
    matrix
}

/// The fewest rows of a parallel task.
const ROWS: usize = 16;

/// Along the columns of a plane: whole rows are added up, weighted.
fn blur_down(plane: &[f64], out: &mut [f64], kernel: &[f64], [rows, columns]: [usize; 2]) {
    let row = |y: isize| {
        let y = reflected(y, rows);
        &plane[y * columns..(y + 1) * columns]
    };
    let lines = out.par_chunks_mut(columns).enumerate().with_min_len(ROWS);
    lines.for_each(|(y, out)| {
        let y = signed(y);
        for (out, centre) in out.iter_mut().zip(row(y)) {
            *out = kernel[0] * centre;
        }
        for (offset, weight) in kernel.iter().enumerate().skip(1) {
            let (above, below) = (row(y - signed(offset)), row(y + signed(offset)));
            for ((out, above), below) in out.iter_mut().zip(above).zip(below) {
                *out += weight * (above + below);
            }
        }
    });
}

/// Along the rows of a plane, over a copy of each that is extended by its reflection.
fn blur_across(plane: &[f64], out: &mut [f64], kernel: &[f64], columns: usize) {
    let radius = kernel.len() - 1;
    let extended = || vec![0.0; columns + 2 * radius];
    let lines = plane.par_chunks(columns).zip(out.par_chunks_mut(columns));
    lines
        .with_min_len(ROWS)
        .for_each_init(extended, |extended, (row, out)| {
            for (i, value) in extended.iter_mut().enumerate() {
                *value = row[reflected(signed(i) - signed(radius), columns)];
            }
            for (out, centre) in out.iter_mut().zip(&extended[radius..]) {
                *out = kernel[0] * centre;
            }
            for (offset, weight) in kernel.iter().enumerate().skip(1) {
                let (left, right) = (&extended[radius - offset..], &extended[radius + offset..]);
                for ((out, left), right) in out.iter_mut().zip(left).zip(right) {
                    *out += weight * (left + right);
                }
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.ndimage.gaussian_filter([[1, 2, 3], [4, 5, 7]], 1.0)`.
    #[test]
    fn matches_scipy() {
        let mut x = [1.0, 2.0, 3.0, 4.0, 5.0, 7.0];
        blur(&mut x, 1.0, [2, 3]);
        let expected = [
            2.507_552_731_851_199_6,
            3.168_088_976_821_157_8,
            3.868_213_912_508_051_2,
            3.399_583_481_979_548_5,
            4.128_007_426_880_762,
            4.928_553_469_959_281,
        ];
        for (x, expected) in x.iter().zip(expected) {
            assert!((x - expected).abs() < 1e-12, "{x} {expected}");
        }
    }

    /// Beside the matrices, which the GPU multiplies with: images of more rows than a task has.
    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn every_row_is_blurred() {
        let [rows, columns] = [3 * ROWS + 5, 2 * ROWS + 3];
        let x: Vec<f64> = (0..2 * rows * columns).map(|i| (i as f64).sin() * 100.0).collect();
        let mut blurred = x.clone();
        blur(&mut blurred, 1.3, [rows, columns]);
        let (down, across) = (matrix(1.3, rows), matrix(1.3, columns));
        for (plane, blurred) in x.chunks(rows * columns).zip(blurred.chunks(rows * columns)) {
            for (place, blurred) in blurred.iter().enumerate() {
                let (y, x) = (place / columns, place % columns);
                let row = |from: usize| {
                    let line = &plane[from * columns..][..columns];
                    line.iter()
                        .zip(&across[x * columns..])
                        .map(|(value, weight)| value * weight)
                };
                let expected: f64 = (0..rows)
                    .map(|from| down[y * rows + from] * row(from).sum::<f64>())
                    .sum();
                assert!((blurred - expected).abs() < 1e-11, "{y} {x}: {blurred} {expected}");
            }
        }
    }
}
