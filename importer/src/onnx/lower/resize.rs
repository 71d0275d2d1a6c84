//! `Resize` and `Upsample`: a linear map, or a choice of entries, along one axis after the other.

use super::{Live, Lowering};
use crate::onnx::node::Node;
use crate::onnx::tensor::{Step, Tensor, axis, extents};

/// The settings of one axis.
struct Axis {
    input: usize,
    output: usize,
    scale: f64,
    /// Of `tf_crop_and_resize`: start and end of the region.
    region: [f32; 2],
}

#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
impl Axis {
    /// Where an output pixel lies in the input. In float32, as the frameworks have it: which of two pixels is nearest hangs on
    /// the rounding where the scale is not a power of two.
    fn origin(&self, mode: &str, pixel: usize) -> Step<f64> {
        let (input, output, at) = (self.input as f32, self.output as f32, pixel as f32);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it was a float32, or is a ratio of extents"
        )]
        let scale = self.scale as f32;
        let origin = match mode {
            "half_pixel" => (at + 0.5) / scale - 0.5,
            "half_pixel_symmetric" => {
                let adjustment = output / (scale * input);
                let offset = input / 2.0 * (1.0 - adjustment);
                offset + (at + 0.5) / scale - 0.5
            }
            "pytorch_half_pixel" if self.output == 1 => 0.0,
            "pytorch_half_pixel" => (at + 0.5) / scale - 0.5,
            "align_corners" if self.output == 1 => 0.0,
            "align_corners" => at * (input - 1.0) / (output - 1.0),
            "asymmetric" => at / scale,
            "tf_half_pixel_for_nn" => (at + 0.5) / scale,
            "tf_crop_and_resize" => {
                let [start, end] = self.region;
                if self.output == 1 {
                    0.5 * (start + end) * (input - 1.0)
                } else {
                    start * (input - 1.0) + at * (end - start) * (input - 1.0) / (output - 1.0)
                }
            }
            other => return Err(format!("coordinates \"{other}\" are not computed")),
        };
        Ok(f64::from(origin))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "places in an image")]
fn nearest(origin: f64, rounding: &str, extent: usize) -> Step<usize> {
    let place = match rounding {
        "round_prefer_floor" => (origin - 0.5).ceil(),
        "round_prefer_ceil" => (origin + 0.5).floor(),
        "floor" => origin.floor(),
        "ceil" => origin.ceil(),
        other => return Err(format!("rounding \"{other}\" is not computed")),
    };
    Ok(usize::try_from(place as i64).unwrap_or(0).min(extent - 1))
}

/// The weight of an entry at a distance, for `linear` and `cubic`.
fn kernel(mode: &str, distance: f64, a: f64) -> f64 {
    let x = distance.abs();
    if mode == "linear" {
        (1.0 - x).max(0.0)
    } else if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

impl Lowering<'_> {
    pub(super) fn resize(&mut self, node: &Node) -> Step<Live> {
        let mut x = self.live(node, 0)?;
        let rank = x.shape.len();
        // Upsample and the first Resize have the scales second; later ones a region before them.
        let (scales_at, sizes_at) = if node.op == "Upsample" || node.opset < 11 {
            (1, 9)
        } else {
            (2, 3)
        };
        let given = |tensor: Option<std::rc::Rc<Tensor>>| tensor.filter(|tensor| tensor.len() > 0);
        let sizes = given(self.optional(node, sizes_at)?);
        let scales = given(self.optional(node, scales_at)?)
            .map(|scales| scales.to_floats())
            .or_else(|| node.floats("scales").map(<[f32]>::to_vec));
        let axes = match node.ints("axes") {
            Some(axes) if !axes.is_empty() => axes.iter().map(|i| axis(*i, rank)).collect::<Step<Vec<_>>>()?,
            _ => (0..rank).collect(),
        };
        let default = if node.opset < 11 { "asymmetric" } else { "half_pixel" };
        let coordinates = node.text("coordinate_transformation_mode", default);
        let region = if coordinates == "tf_crop_and_resize" {
            self.constant(node, 1)?.to_floats()
        } else {
            Vec::new()
        };
        let wanted: Vec<(usize, f64)> = match (sizes, scales) {
            (Some(sizes), _) => {
                let sizes = extents(&sizes.to_ints())?;
                Self::sizes(node, &x.shape, &axes, &sizes)?
            }
            (None, Some(scales)) if scales.len() == axes.len() => axes
                .iter()
                .zip(&scales)
                .map(|(at, scale)| {
                    let scale = f64::from(*scale);
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        clippy::cast_precision_loss,
                        reason = "the size of an image; the cast saturates"
                    )]
                    let extent = (x.shape[*at] as f64 * scale).floor() as usize;
                    (extent, scale)
                })
                .collect(),
            (None, _) => return Err("it has neither sizes nor as many scales as axes".into()),
        };
        for (i, (at, (output, scale))) in axes.iter().zip(wanted).enumerate() {
            if !(1..=1 << 14).contains(&output) || scale.is_nan() || scale <= 0.0 {
                return Err(format!("a size of {output} pixels, {scale} times what it was"));
            }
            let bound = |place: usize, default: f32| region.get(place).copied().unwrap_or(default);
            let settings = Axis {
                input: x.shape[*at],
                output,
                scale,
                region: [bound(i, 0.0), bound(i + axes.len(), 1.0)],
            };
            if output == settings.input && (scale - 1.0).abs() < 1e-9 && region.is_empty() {
                continue;
            }
            x = self.resize_axis(node, &x, *at, &settings, &coordinates)?;
        }
        Ok(x)
    }

    /// Output extents and scales where sizes are given, by the policy that keeps the ratio of the sides or not.
    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
    fn sizes(node: &Node, shape: &[usize], axes: &[usize], sizes: &[usize]) -> Step<Vec<(usize, f64)>> {
        if sizes.len() != axes.len() {
            return Err(format!("{} sizes for {} axes", sizes.len(), axes.len()));
        }
        let ratios = axes
            .iter()
            .zip(sizes)
            .map(|(at, size)| *size as f64 / shape[*at] as f64);
        let chosen = match node.text("keep_aspect_ratio_policy", "stretch").as_str() {
            "stretch" => return Ok(sizes.iter().copied().zip(ratios).collect()),
            "not_larger" => ratios.fold(f64::INFINITY, f64::min),
            "not_smaller" => ratios.fold(0.0, f64::max),
            other => return Err(format!("policy \"{other}\" is not computed")),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates"
        )]
        Ok(axes
            .iter()
            .map(|at| ((shape[*at] as f64 * chosen).round() as usize, chosen))
            .collect())
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
    fn resize_axis(&mut self, node: &Node, x: &Live, at: usize, settings: &Axis, coordinates: &str) -> Step<Live> {
        let mode = node.text("mode", "nearest");
        let entries = if mode == "nearest" { 1 } else { settings.input };
        self.afford(settings.output.saturating_mul(entries))?;
        let origins = (0..settings.output)
            .map(|pixel| settings.origin(coordinates, pixel))
            .collect::<Step<Vec<f64>>>()?;
        let extent = settings.input;
        let last = extent as f64 - 1.0;
        let is_outside = |origin: f64| coordinates == "tf_crop_and_resize" && !(0.0..=last).contains(&origin);
        if origins.iter().any(|origin| is_outside(*origin)) {
            return Err("a region that reaches beyond the image is not computed".into());
        }
        if mode == "nearest" {
            let default = if node.opset < 11 { "floor" } else { "round_prefer_floor" };
            let rounding = node.text("nearest_mode", default);
            let indices = origins
                .iter()
                .map(|origin| nearest(*origin, &rounding, extent))
                .collect::<Step<Vec<_>>>()?;
            return self.gather_axis(node, x, at, indices);
        }
        if !matches!(mode.as_str(), "linear" | "bilinear" | "cubic") {
            return Err(format!("mode \"{mode}\" is not computed"));
        }
        let mode = if mode == "cubic" { "cubic" } else { "linear" };
        let a = f64::from(node.float("cubic_coeff_a", -0.75));
        let excludes = node.flag("exclude_outside", false);
        // Downwards, the kernel is widened where it is to smooth.
        let antialias = node.flag("antialias", false);
        let widened = if antialias {
            (1.0 / settings.scale).max(1.0)
        } else {
            1.0
        };
        let reach = if mode == "cubic" { 2.0 } else { 1.0 } * widened;
        let mut weight = vec![0.0f32; settings.output * extent];
        for (row, origin) in origins.iter().enumerate() {
            let mut taps: Vec<(i64, f64)> = Vec::new();
            #[expect(clippy::cast_possible_truncation, reason = "places in an image")]
            let (first, end) = ((origin - reach).floor() as i64, (origin + reach).ceil() as i64);
            for place in first..=end {
                let value = kernel(mode, (place as f64 - origin) / widened, a);
                let inside = (0..extent.cast_signed() as i64).contains(&place);
                if value != 0.0 && (inside || !excludes) {
                    taps.push((place, value));
                }
            }
            let sum: f64 = taps.iter().map(|(_, value)| value).sum();
            let divisor = if excludes || antialias { sum } else { 1.0 };
            for (place, value) in taps {
                let place = usize::try_from(place).unwrap_or(0).min(extent - 1);
                #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
                {
                    weight[row * extent + place] += (value / divisor) as f32;
                }
            }
        }
        self.along_axis(node, x, at, settings.output, weight)
    }
}
