//! Pools, over windows and over whole images.

use super::window::{Window, settings, two};
use crate::graph::{Counted, LayerKind, Padding, Pairwise, PoolMethod, Pooling, Reducer, Rounding};
use crate::onnx::lower::{Live, Lowering};
use crate::onnx::node::Node;
use crate::onnx::tensor::Step;

impl Lowering<'_> {
    pub(in crate::onnx::lower) fn pool(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        if x.shape.len() < 3 {
            return Err(format!("it takes an image, not a value of shape {:?}", x.shape));
        }
        let space = x.shape[2..].to_vec();
        if node.ints("kernel_shape").is_none_or(|shape| shape.len() != space.len()) {
            return Err(format!("it has no kernel_shape for a value of shape {:?}", x.shape));
        }
        let kernel = settings(node, "kernel_shape", 1, space.len(), 1)?;
        let window = Window::of(node, kernel, &space)?;
        let output = window.outputs(&space)?;
        let counted = if node.flag("count_include_pad", false) {
            Counted::Padded
        } else {
            Counted::Inside
        };
        // Axes along which nothing happens go with the channels, or behind.
        let busy: Vec<usize> = (0..space.len()).filter(|axis| !window.is_idle(*axis)).collect();
        let (first, last) = match busy.as_slice() {
            [] => return Ok(x),
            [axis] => (*axis, *axis),
            [first, second] if first + 1 == *second => (*first, *second),
            _ => return Err("it works along several axes that are no neighbours, or along more than two".into()),
        };
        let before = x.shape[1] * space[..first].iter().product::<usize>();
        let behind: usize = space[last + 1..].iter().product();
        let (view, window) = match (first == last, behind) {
            (true, _) => (
                vec![x.shape[0], before, space[first], behind],
                window.axes([Some(first), None]),
            ),
            (false, 1) => (
                vec![x.shape[0], before, space[first], space[last]],
                window.axes([Some(first), Some(last)]),
            ),
            (false, _) => return Err("it works along axes that are not the last".into()),
        };
        let image = self.view(node, &x, view)?;
        let image = self.fronted(node, &image);
        let y = self.pool_image(node, &image, &window, counted)?;
        let mut shape = x.shape[..2].to_vec();
        shape.extend(output);
        self.view(node, &y, shape)
    }

    /// A pool over rows and columns.
    pub(super) fn pool_image(&mut self, node: &Node, x: &Live, window: &Window, counted: Counted) -> Step<Live> {
        let output = window.outputs(&x.shape[2..])?;
        let method = match node.op.as_str() {
            "MaxPool" => Some(PoolMethod::Max),
            "AveragePool" => Some(PoolMethod::Average),
            _ => None,
        };
        let fits =
            (0..2).all(|axis| window.begin[axis] < window.kernel[axis] && window.end[axis] < window.kernel[axis]);
        match method {
            Some(method) if fits && !window.is_dilated() => {
                let kind = LayerKind::Pooling(Pooling {
                    method,
                    kernel: Some(two(&window.kernel)),
                    stride: two(&window.stride),
                    pads: window.pads(),
                    rounding: if window.ceil { Rounding::Ceil } else { Rounding::Floor },
                    counted,
                });
                let shape = vec![x.shape[0], x.shape[1], output[0], output[1]];
                Ok(self.emit(node, kind, &[x], shape, x.images))
            }
            _ => self.pool_taps(node, x, window, counted, &output),
        }
    }

    /// A pool by way of all windows laid out side by side: for those that dilate, or sum powers.
    #[expect(clippy::cast_precision_loss, reason = "windows are far smaller than 2^24 pixels")]
    pub(super) fn pool_taps(
        &mut self,
        node: &Node,
        x: &Live,
        window: &Window,
        counted: Counted,
        output: &[usize],
    ) -> Step<Live> {
        let is_max = node.op == "MaxPool";
        let outside = if is_max { f32::MIN } else { 0.0 };
        let mut y = x.clone();
        let mut inside = Vec::new();
        for (i, length) in output.iter().enumerate().take(2) {
            let (begin, extent) = (window.begin[i], x.shape[i + 2]);
            self.afford(length.saturating_mul(window.kernel[i]))?;
            let places: Vec<usize> = (0..*length)
                .flat_map(|o| (0..window.kernel[i]).map(move |k| (o, k)))
                .map(|(o, k)| o * window.stride[i] + k * window.dilation[i])
                .collect();
            let reached = places.iter().max().map_or(0, |last| last + 1);
            let after = reached.saturating_sub(begin + extent);
            let pads = [begin.cast_signed() as i64, after.cast_signed() as i64];
            y = self.pad_axis(node, &y, i + 2, pads, Padding::Constant(outside))?;
            let limit = match counted {
                Counted::Inside => begin..begin + extent,
                Counted::Padded => 0..begin + extent + window.end[i],
                Counted::Kernel => 0..reached,
            };
            let counts: Vec<usize> = places
                .chunks(window.kernel[i])
                .map(|taps| taps.iter().filter(|place| limit.contains(place)).count())
                .collect();
            inside.push(counts);
            y = self.gather_axis(node, &y, i + 2, places)?;
        }
        let taps = vec![
            x.shape[0],
            x.shape[1],
            output[0],
            window.kernel[0],
            output[1],
            window.kernel[1],
        ];
        y = self.view(node, &y, taps)?;
        let axes = vec![3, 5];
        let p = node.int("p", 2);
        y = match node.op.as_str() {
            "MaxPool" => self.reduce_axes(node, &y, Reducer::Max, axes)?,
            "AveragePool" => self.reduce_axes(node, &y, Reducer::Sum, axes)?,
            _ if p == 2 => self.reduce_axes(node, &y, Reducer::L2, axes)?,
            _ if p == 1 => self.reduce_axes(node, &y, Reducer::L1, axes)?,
            _ => return Err(format!("a norm of order {p} is not computed")),
        };
        y = self.view(node, &y, vec![x.shape[0], x.shape[1], output[0], output[1]])?;
        if node.op == "AveragePool" {
            self.afford(output[0].saturating_mul(output[1]))?;
            let factors = inside[0]
                .iter()
                .flat_map(|rows| {
                    inside[1]
                        .iter()
                        .map(move |columns| 1.0 / (rows * columns).max(1) as f32)
                })
                .collect();
            let shape = [output[0], output[1]];
            let name = self.keep_values(node, "window", &shape, factors)?;
            let factor = self.held(node, name, &shape);
            y = self.pair(node, Pairwise::Mul, &y, &factor)?;
        }
        Ok(y)
    }

    pub(in crate::onnx::lower) fn global_pool(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let rank = x.shape.len();
        if rank < 3 {
            return Err(format!("it takes an image, not a value of shape {:?}", x.shape));
        }
        let reducer = match node.op.as_str() {
            "GlobalAveragePool" => Reducer::Mean,
            "GlobalMaxPool" => Reducer::Max,
            _ => match node.int("p", 2) {
                1 => Reducer::L1,
                2 => Reducer::L2,
                p => return Err(format!("a norm of order {p} is not computed")),
            },
        };
        self.reduce_axes(node, &x, reducer, (2..rank).collect())
    }
}
