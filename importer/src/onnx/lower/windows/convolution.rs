//! Convolutions, and their transposes.

use super::window::{Window, settings, two};
use crate::graph::{Convolution, LayerKind, Padding};
use crate::onnx::lower::{Live, Lowering};
use crate::onnx::node::Node;
use crate::onnx::tensor::Step;

impl Lowering<'_> {
    /// The kernel's extents: what the weight has, which `kernel_shape` must not contradict.
    pub(super) fn kernel(node: &Node, weight: &[usize]) -> Step<Vec<usize>> {
        let kernel = weight.get(2..).unwrap_or_default().to_vec();
        let declared = settings(node, "kernel_shape", 1, kernel.len(), 1)?;
        if node.ints("kernel_shape").is_some_and(|shape| !shape.is_empty()) && declared != kernel {
            return Err(format!("kernel_shape is {declared:?}, the weight's is {kernel:?}"));
        }
        if kernel.contains(&0) {
            return Err(format!("a weight of shape {weight:?}"));
        }
        Ok(kernel)
    }

    pub(in crate::onnx::lower) fn convolution(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let weight = self.constant_shape(node, 1)?;
        let rank = x.shape.len();
        if weight.len() != rank || rank < 3 {
            return Err(format!("its weight has shape {weight:?}, its input {:?}", x.shape));
        }
        let kernel = Self::kernel(node, &weight)?;
        let group = usize::try_from(node.int("group", 1)).ok().filter(|group| *group > 0);
        let group = group.ok_or("its group must be 1 or more")?;
        if weight[1].checked_mul(group) != Some(x.shape[1]) || !weight[0].is_multiple_of(group) {
            return Err(format!(
                "its weight of shape {weight:?} in {group} groups does not suit {} input channels",
                x.shape[1]
            ));
        }
        let mut window = Window::of(node, kernel, &x.shape[2..])?;
        let spatial = window.outputs(&x.shape[2..])?;
        let image = self.as_image(node, &x)?;
        if rank == 3 {
            window = window.axes([None, Some(0)]);
        }
        let stored_shape = [weight[0], weight[1], window.kernel[0], window.kernel[1]];
        let name = self.stored(node, 1, "weight", &stored_shape)?;
        let bias = match self.given(node, 2) {
            Some(_) => Some(self.stored(node, 2, "bias", &[weight[0]])?),
            None => None,
        };
        let output: Vec<usize> = if rank == 3 {
            vec![1, spatial[0]]
        } else {
            spatial.clone()
        };
        let kind = LayerKind::Convolution(Convolution {
            weight: name,
            bias,
            num_output: weight[0],
            kernel: two(&window.kernel),
            stride: two(&window.stride),
            pads: window.pads(),
            dilation: two(&window.dilation),
            group,
        });
        let shape = vec![x.shape[0], weight[0], output[0], output[1]];
        let y = self.emit(node, kind, &[&image], shape, image.images);
        let mut shape = vec![x.shape[0], weight[0]];
        shape.extend(spatial);
        self.view(node, &y, shape)
    }

    pub(in crate::onnx::lower) fn transposed_convolution(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let weight = self.constant_shape(node, 1)?;
        let rank = x.shape.len();
        if weight.len() != rank || rank < 3 || weight[0] != x.shape[1] {
            return Err(format!("its weight has shape {weight:?}, its input {:?}", x.shape));
        }
        let kernel = Self::kernel(node, &weight)?;
        let group = usize::try_from(node.int("group", 1))
            .ok()
            .filter(|group| *group > 0 && x.shape[1].is_multiple_of(*group))
            .ok_or("its groups do not divide its channels")?;
        let channels = weight[1].checked_mul(group).ok_or("its channels cannot be counted")?;
        let input = &x.shape[2..];
        let axes = input.len();
        let mut window = Window::of(node, kernel, input)?;
        let extra = settings(node, "output_padding", 0, axes, 0)?;
        let mode = node.text("auto_pad", "NOTSET");
        let wanted = match node.ints("output_shape") {
            Some(shape) if !shape.is_empty() => Some(settings(node, "output_shape", 1, axes, 1)?),
            _ if mode.starts_with("SAME") => Some((0..axes).map(|i| input[i] * window.stride[i]).collect()),
            _ => None,
        };
        // Rows (columns) that the whole result has beyond what is wanted, at the end; fewer than none are added.
        let mut surplus = vec![0i64; axes];
        let mut output = vec![0; axes];
        for i in 0..axes {
            let whole = window.stride[i] * (input[i].max(1) - 1) + window.reach(i);
            let signed = |size: usize| size.cast_signed() as i64;
            if let Some(wanted) = &wanted {
                let total = signed(whole + extra[i]) - signed(wanted[i]);
                let total_cut = usize::try_from(total.max(0)).unwrap_or(0);
                window.begin[i] = if mode == "SAME_UPPER" {
                    total_cut / 2
                } else {
                    total_cut - total_cut / 2
                };
                output[i] = wanted[i];
            } else {
                output[i] = (whole + extra[i])
                    .checked_sub(window.begin[i] + window.end[i])
                    .filter(|extent| *extent > 0)
                    .ok_or("its output is empty")?;
            }
            surplus[i] = signed(whole) - signed(window.begin[i]) - signed(output[i]);
            window.end[i] = usize::try_from(surplus[i].max(0)).unwrap_or(0);
        }
        let short: Vec<i64> = surplus.iter().map(|s| (-s).max(0)).collect();
        let image = self.as_image(node, &x)?;
        if axes == 1 {
            window = window.axes([None, Some(0)]);
        }
        let stored_shape = [weight[0], weight[1], window.kernel[0], window.kernel[1]];
        let name = self.stored(node, 1, "weight", &stored_shape)?;
        let bias = match self.given(node, 2) {
            Some(_) => Some(self.stored(node, 2, "bias", &[channels])?),
            None => None,
        };
        // A bias also belongs to what is added at the end.
        let late = short.iter().any(|s| *s > 0);
        let kind = LayerKind::Deconvolution(Convolution {
            weight: name,
            bias: if late { None } else { bias.clone() },
            num_output: channels,
            kernel: two(&window.kernel),
            stride: two(&window.stride),
            pads: window.pads(),
            dilation: two(&window.dilation),
            group,
        });
        let mut computed = (0..axes)
            .map(|i| output[i].checked_sub(usize::try_from(short[i]).unwrap_or(0)))
            .collect::<Option<Vec<usize>>>()
            .filter(|computed| !computed.contains(&0))
            .ok_or("its padding takes all of its output off")?;
        let mut added = short;
        if axes == 1 {
            computed.insert(0, 1);
            added.insert(0, 0);
        }
        let shape = vec![x.shape[0], channels, computed[0], computed[1]];
        let mut y = self.emit(node, kind, &[&image], shape, image.images);
        for (i, after) in added.iter().enumerate() {
            y = self.pad_axis(node, &y, i + 2, [0, *after], Padding::Constant(0.0))?;
        }
        if let (true, Some(term)) = (late, bias) {
            let kind = LayerKind::Bias {
                term: Some(term),
                axis: 1,
                num_axes: 1,
            };
            y = self.emit_like(node, kind, &y);
        }
        let mut shape = vec![x.shape[0], channels];
        shape.extend(output);
        self.view(node, &y, shape)
    }
}
