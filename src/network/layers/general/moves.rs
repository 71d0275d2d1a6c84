//! Layers that move entries: views, stretching, padding, and picking along an axis.

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};
use deepvis_importer::graph::{Move as Settings, Padding};

use super::stretch::{fits, padded, stretched};
use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layers::Forward;

/// A layer that moves entries.
#[derive(Module, Debug)]
pub struct Move {
    #[module(skip)]
    settings: Settings,
    /// The bottom's shape for one image.
    #[module(skip)]
    bottom: Vec<usize>,
}

impl Move {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, settings: &Settings) -> BuildResult {
        let bottom = build.bottom();
        let wrong = || build.error(format!("{settings:?} of a value of shape {bottom:?}"));
        let mut settings = settings.clone();
        let top = match &settings {
            Settings::View { shape, images } => {
                let same = shape.iter().product::<usize>() == bottom.iter().product::<usize>();
                if !same || images.is_some_and(|axis| axis >= shape.len()) {
                    return Err(wrong());
                }
                shape.clone()
            }
            Settings::Expand { shape } => {
                if !fits(&[bottom, shape]) || shape.len() < bottom.len() {
                    return Err(wrong());
                }
                stretched(&[bottom, shape])
            }
            Settings::Pad {
                axis,
                before,
                after,
                padding,
            } => {
                let extent = *bottom.get(*axis).ok_or_else(wrong)?;
                let signed = i64::try_from(extent).map_err(|_| wrong())?;
                let length = before.checked_add(*after).and_then(|pads| pads.checked_add(signed));
                let length = length
                    .and_then(|length| usize::try_from(length).ok())
                    .ok_or_else(wrong)?;
                let mut top = bottom.to_vec();
                top[*axis] = length;
                build.check_size(&top)?;
                if let Padding::Constant(_) = padding {
                    if -before > signed || -after > signed {
                        return Err(wrong());
                    }
                } else {
                    let indices = (-before..signed + after).map(|place| source(place, signed, *padding));
                    settings = Settings::Gather {
                        axis: *axis,
                        indices: indices.collect::<Option<_>>().ok_or_else(wrong)?,
                    };
                }
                top
            }
            Settings::Gather { axis, indices } => {
                let extent = *bottom.get(*axis).ok_or_else(wrong)?;
                if indices.iter().any(|index| *index >= extent) {
                    return Err(wrong());
                }
                let mut top = bottom.to_vec();
                top[*axis] = indices.len();
                top
            }
        };
        let layer = Self {
            settings,
            bottom: bottom.to_vec(),
        };
        build.one(layer, top)
    }
}

/// Where a padded entry comes from.
fn source(place: i64, extent: i64, padding: Padding) -> Option<usize> {
    let last = extent - 1;
    let from = match padding {
        Padding::Constant(_) => place,
        Padding::Edge => place.clamp(0, last),
        Padding::Reflect if place < 0 => -place,
        Padding::Reflect if place > last => 2 * last - place,
        Padding::Reflect => place,
        Padding::Wrap => place.rem_euclid(extent.max(1)),
    };
    usize::try_from(from).ok().filter(|_| from <= last)
}

impl Forward for Move {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = &bottoms[0];
        vec![match &self.settings {
            Settings::View { shape, images } => {
                let mut shape = shape.clone();
                if let Some(axis) = images {
                    let entries = |shape: &[usize]| shape.iter().product::<usize>();
                    shape[*axis] *= entries(x.shape()) / entries(&self.bottom).max(1);
                }
                x.reshaped(shape)
            }
            Settings::Expand { shape } => {
                let mut shape = shape.clone();
                let missing = shape.len() - self.bottom.len();
                for (axis, extent) in shape.iter_mut().enumerate().skip(missing) {
                    if *extent == self.bottom[axis - missing] || self.bottom[axis - missing] != 1 {
                        *extent = x.extent(axis - missing);
                    }
                }
                let y: Tensor<6> = x.view(padded(x.shape())).expand(padded(&shape));
                Blob::new(y, shape)
            }
            Settings::Pad {
                axis,
                before,
                after,
                padding,
            } => {
                let value = match padding {
                    Padding::Constant(value) => *value,
                    Padding::Reflect | Padding::Edge | Padding::Wrap => 0.0,
                };
                pad(x, *axis, [*before, *after], value)
            }
            Settings::Gather { axis, indices } => {
                let mut shape = x.shape().to_vec();
                shape[*axis] = indices.len();
                Blob::new(gather(x.around(*axis), indices), shape)
            }
        }]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn keeps_images_apart(&self) -> bool {
        true // Where it would not, the front end says so: `Graph::alone`.
    }
}

fn pad(x: &Blob, axis: usize, pads: [i64; 2], value: f32) -> Blob {
    let mut y = x.around(axis);
    let [cut_before, cut_after] = pads.map(|pad| usize::try_from(-pad).unwrap_or(0));
    let extent = y.dims()[1];
    if cut_before + cut_after > 0 {
        // More may be taken off at one end than is there before the other end's padding.
        y = y.narrow(1, cut_before, extent - cut_before - cut_after);
    }
    let [outer, extent, inner] = y.dims();
    let [before, after] = pads.map(|pad| usize::try_from(pad).unwrap_or(0));
    let device = y.device();
    let side = |count: usize| Tensor::<3>::full([outer, count, inner], value, &device);
    let mut parts = Vec::new();
    if before > 0 {
        parts.push(side(before));
    }
    parts.push(y);
    if after > 0 {
        parts.push(side(after));
    }
    let y = if parts.len() == 1 {
        parts.swap_remove(0)
    } else {
        Tensor::cat(parts, 1)
    };
    let mut shape = x.shape().to_vec();
    shape[axis] = before + extent + after;
    Blob::new(y, shape)
}

/// Runs of neighbours that are put together piece by piece; more are looked up one by one.
const FEW: usize = 4;

/// Entries along the middle axis, in the order of `indices`.
fn gather(x: Tensor<3>, indices: &[usize]) -> Tensor<3> {
    let mut runs: Vec<[usize; 2]> = Vec::new();
    for index in indices {
        match runs.last_mut() {
            Some([start, count]) if *start + *count == *index => *count += 1,
            _ => runs.push([*index, 1]),
        }
    }
    if runs.len() <= FEW {
        let mut parts: Vec<Tensor<3>> = runs
            .iter()
            .map(|[start, count]| x.clone().narrow(1, *start, *count))
            .collect();
        return if parts.len() == 1 {
            parts.swap_remove(0)
        } else {
            Tensor::cat(parts, 1)
        };
    }
    let places: Vec<i64> = indices.iter().map(|index| index.cast_signed() as i64).collect();
    let count = places.len();
    let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &x.device());
    x.select(1, places)
}
