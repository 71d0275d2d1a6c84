//! The one-dimensional transforms of a tile's rows and columns, on vectors of channels.
//!
//! A correlation of K taps with R = 7 - K results is a product of polynomials, determined by its values at six points:
//! 0, 2/3, -2/3, 3/2, -3/2 and infinity (Winograd 1980; Lavin & Gray 2016, arXiv:1509.09308). These points halve the
//! rounding errors of the usual 0, 1, -1, 2, -2 (why: Barabasz et al. 2020, arXiv:1803.10986); that 2/3 and 3/2 are
//! each other's inverse spares multiplications.

use pulp::Simd;

/// Interpolation points, and also pixels of an input tile, along an axis.
pub(super) const POINTS: usize = 6;

/// The points beside zero and infinity, and their negatives.
const NEAR: f64 = 2.0 / 3.0;
const FAR: f64 = 3.0 / 2.0;

const A: f32 = NEAR as f32;
const B: f32 = FAR as f32;
const AA: f32 = (NEAR * NEAR) as f32;
const BB: f32 = (FAR * FAR) as f32;
const SUM: f32 = (NEAR * NEAR + FAR * FAR) as f32;

/// Vectors of channels along an axis.
type Line<S, const N: usize> = [<S as Simd>::f32s; N];

/// What each of a kernel's `K` taps along an axis counts for at a point, over what the image's transform leaves
/// undivided.
pub(super) fn factors<const K: usize>(point: usize) -> [f64; K] {
    let near = 2.0 * NEAR * NEAR * (NEAR * NEAR - FAR * FAR);
    let far = 2.0 * FAR * FAR * (FAR * FAR - NEAR * NEAR);
    let (place, divisor) = match point {
        0 => (0.0, 1.0),
        1 => (NEAR, near),
        2 => (-NEAR, near),
        3 => (FAR, far),
        4 => (-FAR, far),
        // At infinity only the highest power counts.
        _ => return std::array::from_fn(|tap| if tap == K - 1 { 1.0 } else { 0.0 }),
    };
    let mut power = 1.0;
    std::array::from_fn(|_| {
        let factor = power / divisor;
        power *= place;
        factor
    })
}

/// The pixels along one axis of a tile, and their transforms. Each is the other side's transposed: a convolution takes
/// images to points and points to results, its way back results to points and points to images.
pub(super) trait Axis<const N: usize> {
    /// Pixels to points.
    fn to_points<S: Simd>(simd: S, places: Line<S, N>) -> Line<S, POINTS>;

    /// Points to pixels.
    fn from_points<S: Simd>(simd: S, points: Line<S, POINTS>) -> Line<S, N>;
}

/// Six pixels of the input; the next tile's overlap with them.
pub(super) struct Input;

/// The output pixels that a tile yields.
pub(super) struct Output;

/// `factor * value + to`.
#[inline(always)]
fn add<S: Simd>(simd: S, factor: f32, value: S::f32s, to: S::f32s) -> S::f32s {
    simd.mul_add_e_f32s(simd.splat_f32s(factor), value, to)
}

impl Axis<POINTS> for Input {
    #[inline(always)]
    fn to_points<S: Simd>(simd: S, x: Line<S, POINTS>) -> Line<S, POINTS> {
        let (even, odd) = (add(simd, -BB, x[2], x[4]), add(simd, -BB, x[1], x[3]));
        let (far_even, far_odd) = (add(simd, -AA, x[2], x[4]), add(simd, -AA, x[1], x[3]));
        [
            add(simd, -SUM, x[2], simd.add_f32s(x[0], x[4])),
            add(simd, A, odd, even),
            add(simd, -A, odd, even),
            add(simd, B, far_odd, far_even),
            add(simd, -B, far_odd, far_even),
            add(simd, -SUM, x[3], simd.add_f32s(x[1], x[5])),
        ]
    }

    #[inline(always)]
    fn from_points<S: Simd>(simd: S, v: Line<S, POINTS>) -> Line<S, POINTS> {
        let (near, near_odd) = (simd.add_f32s(v[1], v[2]), simd.sub_f32s(v[1], v[2]));
        let (far, far_odd) = (simd.add_f32s(v[3], v[4]), simd.sub_f32s(v[3], v[4]));
        let nothing = simd.splat_f32s(0.0);
        [
            v[0],
            add(simd, -B, near_odd, add(simd, -A, far_odd, v[5])),
            add(simd, -SUM, v[0], add(simd, -BB, near, add(simd, -AA, far, nothing))),
            add(simd, A, near_odd, add(simd, B, far_odd, add(simd, -SUM, v[5], nothing))),
            simd.add_f32s(v[0], simd.add_f32s(near, far)),
            v[5],
        ]
    }
}

impl<const R: usize> Axis<R> for Output {
    #[inline(always)]
    fn to_points<S: Simd>(simd: S, y: Line<S, R>) -> Line<S, POINTS> {
        let nothing = simd.splat_f32s(0.0);
        // Even and odd powers, at the near and at the far points.
        let (mut near, mut far) = ([nothing; 2], [nothing; 2]);
        let (mut near_power, mut far_power) = (1.0, 1.0);
        for (place, y) in y.iter().enumerate() {
            near[place % 2] = add(simd, near_power, *y, near[place % 2]);
            far[place % 2] = add(simd, far_power, *y, far[place % 2]);
            (near_power, far_power) = (near_power * A, far_power * B);
        }
        [
            y[0],
            simd.add_f32s(near[0], near[1]),
            simd.sub_f32s(near[0], near[1]),
            simd.add_f32s(far[0], far[1]),
            simd.sub_f32s(far[0], far[1]),
            y[R - 1],
        ]
    }

    #[inline(always)]
    fn from_points<S: Simd>(simd: S, m: Line<S, POINTS>) -> Line<S, R> {
        let (near, near_odd) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
        let (far, far_odd) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
        let mut results = [simd.splat_f32s(0.0); R];
        results[0] = m[0];
        results[R - 1] = m[5];
        let (mut near_power, mut far_power) = (1.0, 1.0);
        for (place, result) in results.iter_mut().enumerate() {
            let (near, far) = if place % 2 == 0 {
                (near, far)
            } else {
                (near_odd, far_odd)
            };
            *result = add(simd, near_power, near, add(simd, far_power, far, *result));
            (near_power, far_power) = (near_power * A, far_power * B);
        }
        results
    }
}
