//! Float32 tensors on any device: nothing comes back but figures, and images when they are asked for.

mod percentile;
mod reduce;

use burn::tensor::{Bool, Device, Tensor, TensorData};

use self::percentile::below;
use self::reduce::{largest, norm, sum};
use super::reference::blur_matrix;
use super::{Arithmetic, Batch, Figures, Found, Pixelwise, RANGE};
use crate::ascent::error::Result;
use crate::ascent::optimizer::{Adaptive, Moments};
use crate::ascent::pass::{floats, pass};
use crate::ascent::recipe::Image;
use crate::network::host::is_host;
use crate::network::{Activation, Blob, Network};
use crate::objective::Reach;

/// A batch in float32.
pub(in crate::ascent) struct Tensors<'a> {
    pub(super) network: &'a Network,
    device: &'a Device,
    /// Channels, rows, columns of the pushed layer.
    extents: [usize; 3],
    /// What an image's entries may be at least and at most: black and white, mean-subtracted; `[1, channels, rows, columns]`.
    limits: [Tensor<4>; 2],
    /// Blurs down (`[1, 1, rows, rows]`, from the left) and across (`[1, 1, columns, columns]`, from the right).
    blur: Option<[Tensor<4>; 2]>,
    /// What the backward pass begins with, `[batch, values]`.
    seeds: Tensor<2>,
    x0: Tensor<4>,
    reach: Reach,
    /// Units' places in the layer's values; their channels, where whole channels are climbed.
    places: Vec<usize>,
}

#[expect(clippy::cast_possible_truncation, reason = "float32 throughout")]
impl<'a> Tensors<'a> {
    /// The arithmetic of `batch`.
    pub(in crate::ascent) fn new(batch: &Batch<'a>) -> Self {
        let (network, device) = (batch.network, batch.device);
        let first = batch.climbs[0];
        let [channels, rows, columns] = network.image();
        let limits = RANGE.map(|edge| {
            let limit = first
                .network_mean()
                .iter()
                .map(|mean| edge as f32 - *mean as f32)
                .collect();
            Tensor::from_data(TensorData::new::<f32, _>(limit, [1, channels, rows, columns]), device)
        });
        let regularizers = first.recipe().regularizers;
        let blur = regularizers.blurs().then(|| {
            let matrix = |len: usize| {
                let weights: Vec<f32> = blur_matrix(regularizers.blur_radius, len)
                    .into_iter()
                    .map(|weight| weight as f32)
                    .collect();
                Tensor::<4>::from_data(TensorData::new(weights, [1, 1, len, len]), device)
            };
            [matrix(rows), matrix(columns).transpose()]
        });
        let extents = first.extents();
        let values: usize = extents.iter().product();
        let reach = first.recipe().objective.reach;
        let mut seeds = vec![0.0f32; batch.climbs.len() * values];
        for (place, climb) in batch.climbs.iter().enumerate() {
            let direction = climb.recipe().objective.direction as f32;
            let seeds = &mut seeds[place * values..(place + 1) * values];
            match reach {
                Reach::Position => seeds[climb.place()] = direction,
                Reach::Channel => {
                    let area = extents[1] * extents[2];
                    seeds[climb.place() * area..(climb.place() + 1) * area].fill(direction / area as f32);
                }
            }
        }
        let x0: Vec<&[f64]> = batch.climbs.iter().map(|climb| climb.record().x0.as_slice()).collect();
        Self {
            network,
            device,
            extents,
            limits,
            blur,
            seeds: Tensor::from_data(TensorData::new(seeds, [batch.climbs.len(), values]), device),
            // The parameters of a parameterized image are no image.
            x0: match first.recipe().image {
                Image::GreyLevels => upload(&x0, network.image(), device),
                Image::Parameterized(_) => Tensor::zeros([1, 1, 1, 1], device),
            },
            reach,
            places: batch.climbs.iter().map(|climb| climb.place()).collect(),
        }
    }

    /// The sum of what the units are pushed by, and the layer's values, `[batch, values]`: of `crops` of each image the mean.
    pub(super) fn push(&self, target: Activation, crops: usize) -> (Tensor<1>, Tensor<2>) {
        let [batch, values] = self.seeds.dims();
        let of_images = |all: &Blob| {
            if crops == 1 {
                return all.view([batch, values]);
            }
            all.view([batch, crops, values]).mean_dim(1).reshape([batch, values])
        };
        let layer = of_images(&target.value).inner();
        let seeds = self.seeds.clone().autodiff();
        ((of_images(&target.pushed) * seeds).sum(), layer)
    }

    /// Of a layer's values: each unit's, the largest, and the place of that.
    pub(super) fn read_units(&self, layer: Tensor<2>) -> [Tensor<2>; 3] {
        let [batch, _] = layer.dims();
        let [channels, rows, columns] = self.extents;
        let layer = layer.reshape([batch, channels, rows, columns]);
        let layer = match self.reach {
            Reach::Position => layer,
            Reach::Channel => layer.mean_dim(3).mean_dim(2),
        };
        let own: Vec<i32> = self
            .places
            .iter()
            .map(|place| i32::try_from(*place).unwrap_or(i32::MAX))
            .collect();
        let own = Tensor::from_data(TensorData::new(own, [batch, 1]), self.device);
        let values = layer.dims().iter().skip(1).product();
        let objective = layer.clone().reshape([batch, values]).gather(1, own);
        let (largest, place) = largest(layer);
        [objective, largest, place.float()]
    }

    fn entries(&self) -> f64 {
        self.network.image().iter().product::<usize>() as f64
    }
}

#[expect(clippy::cast_possible_truncation, reason = "float32 throughout")]
pub(super) fn upload(images: &[&[f64]], [channels, rows, columns]: [usize; 3], device: &Device) -> Tensor<4> {
    let entries: Vec<f32> = images
        .iter()
        .flat_map(|image| image.iter().map(|x| *x as f32))
        .collect();
    Tensor::from_data(
        TensorData::new(entries, [images.len(), channels, rows, columns]),
        device,
    )
}

impl Arithmetic for Tensors<'_> {
    type Images = Tensor<4>;
    type Gradient = Tensor<4>;
    type Shown = Tensor<4>;
    type Drawn = ();
    /// `[batch, 1]`
    type Numbers = Tensor<2>;
    /// `[batch, 1]`
    type Flags = Tensor<2, Bool>;

    fn images(&self, images: &[&[f64]]) -> Self::Images {
        upload(images, self.network.image(), self.device)
    }

    #[expect(clippy::cast_possible_truncation, reason = "float32 throughout")]
    fn numbers(&self, numbers: &[f64]) -> Self::Numbers {
        let numbers: Vec<f32> = numbers.iter().map(|number| *number as f32).collect();
        let count = numbers.len();
        Tensor::from_data(TensorData::new(numbers, [count, 1]), self.device)
    }

    fn flags(&self, flags: &[bool]) -> Self::Flags {
        let numbers: Vec<f64> = flags.iter().map(|flag| f64::from(u8::from(*flag))).collect();
        self.numbers(&numbers).greater_elem(0.5)
    }

    fn kept(&self, images: &[&[f64]]) -> Self::Shown {
        self.images(images)
    }

    fn shown<'a>(&self, x: &'a Self::Images, _: &'a Found<Self>) -> &'a Self::Shown {
        x
    }

    fn read_shown(&self, images: &Self::Shown) -> Result<Vec<Vec<f64>>> {
        self.read_images(images)
    }

    fn read_images(&self, images: &Self::Images) -> Result<Vec<Vec<f64>>> {
        let values = floats(images.clone())?;
        let image = |image: &[f32]| image.iter().map(|x| f64::from(*x)).collect();
        Ok(values.chunks(values.len() / self.places.len()).map(image).collect())
    }

    fn read_gradient(&self, gradient: &Self::Gradient) -> Result<Vec<Vec<f32>>> {
        let values = floats(gradient.clone())?;
        Ok(values
            .chunks(values.len() / self.places.len())
            .map(<[f32]>::to_vec)
            .collect())
    }

    fn read_figures(&self, figures: Vec<Figures<Self::Numbers>>) -> Result<Vec<Vec<Figures<f64>>>> {
        let iterations = figures.len();
        let batch = self.places.len();
        let rows = figures
            .into_iter()
            .map(|figures| Tensor::cat(figures.into_array().to_vec(), 1))
            .collect();
        let all = floats(Tensor::cat(rows, 0))?;
        let each = all.len() / (iterations * batch).max(1);
        Ok(all
            .chunks(each * batch)
            .map(|iteration| {
                iteration
                    .chunks(each)
                    .map(|of| Figures::from_array(std::array::from_fn(|figure| f64::from(of[figure]))))
                    .collect()
            })
            .collect())
    }

    fn pass(&self, x: &Self::Images, _: usize) -> Result<Found<Self>> {
        let (layer, gradient) = pass(self.network, x.clone(), |mut seen| self.push(seen.swap_remove(0), 1));
        let [objective, largest, place] = self.read_units(layer);
        Ok(Found {
            objective,
            largest,
            place,
            gradient,
            drawn: (),
        })
    }

    fn clip(&self, x: &mut Self::Images) {
        let [low, high] = self.limits.clone();
        *x = x.clone().max_pair(low).min_pair(high);
    }

    fn statistics(&self, x: &Self::Images) -> [Self::Numbers; 3] {
        let entries = self.entries();
        let deviation = x.clone() - sum(x.clone()) / entries;
        [
            norm(x),
            norm(&(x.clone() - self.x0.clone())),
            norm(&deviation) / entries.sqrt(),
        ]
    }

    fn gradient_norms(&self, gradient: &Self::Gradient) -> Self::Numbers {
        norm(gradient)
    }

    fn add_scaled(&self, x: &mut Self::Images, rate: &Self::Numbers, gradient: &Self::Gradient) {
        let batch = self.places.len();
        *x = x.clone() + gradient.clone() * rate.clone().reshape([batch, 1, 1, 1]);
    }

    fn step(
        &self,
        x: &mut Self::Images,
        gradient: &Self::Gradient,
        by: &Adaptive,
        moments: &mut Moments,
    ) -> Result<()> {
        let dims = x.dims();
        let rows = |images: &Tensor<4>| images.clone().reshape([dims[0], dims[1] * dims[2] * dims[3]]);
        *x = by.step(rows(x), rows(gradient), moments).reshape(dims);
        Ok(())
    }

    fn greater(&self, a: &Self::Numbers, b: &Self::Numbers) -> Self::Flags {
        a.clone().greater(b.clone())
    }

    fn equal(&self, a: &Self::Numbers, b: &Self::Numbers) -> Self::Flags {
        a.clone().equal(b.clone())
    }

    fn both(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags {
        a.clone().bool_and(b.clone())
    }

    fn but_not(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags {
        a.clone().bool_and(b.clone().bool_not())
    }

    fn either(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags {
        a.clone().bool_or(b.clone())
    }

    fn select(&self, kept: &mut Self::Shown, flags: &Self::Flags, x: &Self::Shown) {
        if is_host(self.device) {
            // Where it costs nothing to look: most often all are kept, or none.
            let chosen: Vec<bool> = flags.clone().into_data().iter::<bool>().collect();
            match (chosen.contains(&true), chosen.contains(&false)) {
                (true, true) => {}
                (false, _) => return,
                (true, false) => {
                    *kept = x.clone();
                    return;
                }
            }
        }
        let dims = x.dims();
        let mask = flags.clone().reshape([dims[0], 1, 1, 1]).expand(dims);
        *kept = kept.clone().mask_where(mask, x.clone());
    }

    fn select_numbers(&self, kept: &mut Self::Numbers, flags: &Self::Flags, numbers: &Self::Numbers) {
        *kept = kept.clone().mask_where(flags.clone(), numbers.clone());
    }
}

impl Pixelwise for Tensors<'_> {
    /// `[batch, 1, rows, columns]`
    type Pixels = Tensor<4>;

    fn scale(&self, x: &mut Self::Images, factor: f64) {
        *x = x.clone() * factor;
    }

    fn blur(&self, x: &mut Self::Images) {
        if let Some([down, across]) = &self.blur {
            let [batch, channels, rows, columns] = x.dims();
            let down = down.clone().expand([batch, channels, rows, rows]);
            let across = across.clone().expand([batch, channels, columns, columns]);
            *x = down.matmul(x.clone()).matmul(across);
        }
    }

    fn zero_small_values(&self, x: &mut Self::Images, percent: f64) {
        let mask = below(&x.clone().abs(), percent);
        *x = x.clone().mask_fill(mask, 0.0);
    }

    /// The squares of the norms, which have the same order.
    fn pixel_norms(&self, x: &Self::Images) -> Self::Pixels {
        x.clone().square().sum_dim(1)
    }

    fn pixel_benefits(&self, x: &Self::Images, gradient: &Self::Gradient) -> Self::Pixels {
        -(gradient.clone() * x.clone()).sum_dim(1)
    }

    fn pixel_sizes(&self, pixels: Self::Pixels) -> Self::Pixels {
        pixels.abs()
    }

    fn zero_pixels(&self, x: &mut Self::Images, measures: Self::Pixels, percent: f64) {
        let mask = below(&measures, percent).expand(x.dims());
        *x = x.clone().mask_fill(mask, 0.0);
    }
}
