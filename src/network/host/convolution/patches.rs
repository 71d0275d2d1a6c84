//! A convolution of one image as a matrix product over unfolded patches, and its transpose.

use super::depthwise;
use super::footprint::Footprint;
use super::geometry::Geometry;
use crate::network::host::gemm::{Cores, Matrix, multiply};
use crate::network::host::scratch::{Unwritten, with_scratch, written};

/// `weight * patches(image)`; writes all of `out`.
pub(super) fn correlate(geometry: &Geometry, image: &[f32], weight: &[f32], out: &mut Unwritten, cores: Cores) {
    if geometry.is_depthwise() {
        return depthwise::correlate(geometry, image, weight, out, cores);
    }
    let (patch, area) = (geometry.patch(), geometry.output_area());
    let outputs = geometry.output[0] / geometry.group;
    let inputs = geometry.input[0] / geometry.group * geometry.input_area();
    for group in 0..geometry.group {
        let image = &image[group * inputs..(group + 1) * inputs];
        let weight = &weight[group * outputs * patch..(group + 1) * outputs * patch];
        let out = &mut out[group * outputs * area..(group + 1) * outputs * area];
        let weight = Matrix::new(weight, outputs, patch);
        let sizes = (outputs, area, patch);
        if geometry.is_pointwise() {
            multiply(out, weight, Matrix::new(image, patch, area), sizes, cores);
        } else {
            with_scratch(patch * area, |columns| {
                geometry.unfold(image, columns);
                multiply(out, weight, Matrix::new(columns, patch, area), sizes, cores);
            });
        }
    }
}

/// The transpose of [`correlate`]: spreads `out` over the image; writes all of it.
pub(super) fn spread(geometry: &Geometry, out: &[f32], weight: &[f32], image: &mut Unwritten, cores: Cores) {
    if geometry.is_depthwise() {
        return depthwise::spread(geometry, out, weight, image, cores);
    }
    let (patch, area) = (geometry.patch(), geometry.output_area());
    let outputs = geometry.output[0] / geometry.group;
    let inputs = geometry.input[0] / geometry.group * geometry.input_area();
    for group in 0..geometry.group {
        let image = &mut image[group * inputs..(group + 1) * inputs];
        let weight = &weight[group * outputs * patch..(group + 1) * outputs * patch];
        let out = &out[group * outputs * area..(group + 1) * outputs * area];
        let weight = Matrix::new(weight, outputs, patch).transposed();
        let out = Matrix::new(out, outputs, area);
        let sizes = (patch, area, outputs);
        if geometry.is_pointwise() {
            multiply(image, weight, out, sizes, cores);
        } else {
            with_scratch(patch * area, |columns| {
                multiply(columns, weight, out, sizes, cores);
                geometry.fold(columns, image);
            });
        }
    }
}

/// As [`spread`], of a gradient that is zero outside its footprint, over an image of zeros.
pub(super) fn spread_part(
    geometry: &Geometry,
    footprint: &Footprint,
    out: &[f32],
    weight: &[f32],
    image: &mut [f32],
    cores: Cores,
) {
    if footprint.is_empty() {
        return;
    }
    let (part, input) = footprint.part(geometry);
    if input.is_empty() {
        return;
    }
    let part_of_out = footprint.cut(out, geometry.output);
    // SAFETY: all of it is written.
    let seen = unsafe {
        written(part.input.iter().product(), |seen| {
            spread(&part, &part_of_out, weight, seen, cores);
        })
    };
    input.paste(&seen, image, geometry.input);
}
