//! Operators that move entries and compute nothing.

use super::batch::{apart_along, can_lift, together};
use super::{Images, Live, Lowering, Value};
use crate::graph::{LayerKind, Move, Padding};
use crate::onnx::fold;
use crate::onnx::node::Node;
use crate::onnx::tensor::{Step, Tensor, axis, extents};

impl Lowering<'_> {
    pub(super) fn reshape(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let given = self.optional(node, 1)?;
        let given = given.as_deref();
        let shape = match node.op.as_str() {
            "Reshape" => fold::reshaped(node, &x.shape, given)?,
            "Flatten" => fold::flattened(node, &x.shape)?,
            "Squeeze" => fold::squeezed(node, &x.shape, given)?,
            _ => fold::unsqueezed(node, &x.shape, given)?,
        };
        self.view(node, &x, shape)
    }

    pub(super) fn transpose(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let order = fold::permutation(node, x.shape.len())?;
        Ok(self.permute(node, &x, &order))
    }

    /// The axes in another order.
    pub(super) fn permute(&mut self, node: &Node, x: &Live, order: &[usize]) -> Live {
        if order.iter().copied().eq(0..x.shape.len()) {
            return x.clone();
        }
        let shape = order.iter().map(|axis| x.shape[*axis]).collect();
        let images = match x.images {
            Images::Axis(axis) => order
                .iter()
                .position(|from| *from == axis)
                .map_or(Images::Alone, Images::Axis),
            other => other,
        };
        let kind = LayerKind::Permute { order: order.to_vec() };
        self.emit(node, kind, &[x], shape, images)
    }

    pub(super) fn concat(&mut self, node: &Node) -> Step<Live> {
        let parts = (0..node.inputs.len())
            .map(|i| self.live(node, i))
            .collect::<Step<Vec<_>>>()?;
        let rank = parts.first().ok_or("it has no inputs")?.shape.len();
        let at = axis(node.int("axis", 1), rank)?;
        let parts: Vec<&Live> = parts.iter().filter(|part| !part.shape.contains(&0)).collect();
        self.join(node, &parts, at)
    }

    /// Values side by side along an axis.
    pub(super) fn join(&mut self, node: &Node, parts: &[&Live], at: usize) -> Step<Live> {
        let first = *parts.first().ok_or("all of its inputs are empty")?;
        let mut shape = first.shape.clone();
        shape[at] = 0;
        let mut images = Images::None;
        for part in parts {
            let fits = part.shape.len() == shape.len()
                && part
                    .shape
                    .iter()
                    .zip(&shape)
                    .enumerate()
                    .all(|(i, (a, b))| i == at || a == b);
            if !fits {
                return Err(format!(
                    "shapes {:?} and {:?} do not fit side by side",
                    first.shape, part.shape
                ));
            }
            shape[at] = shape[at]
                .checked_add(part.shape[at])
                .ok_or("its output cannot be counted")?;
            images = match (images, part.images) {
                (Images::None, other) | (other, Images::None) => other,
                (a, b) if a == b => a,
                _ => Images::Alone,
            };
        }
        if parts.len() == 1 {
            return Ok(first.clone());
        }
        if images == Images::Axis(at) {
            images = Images::Alone;
        }
        if images == Images::Alone && can_lift(parts, shape.len()) {
            let lifted: Vec<Live> = parts
                .iter()
                .map(|part| match part.images {
                    Images::None => self.view(node, part, [&[1], part.shape.as_slice()].concat()),
                    Images::Axis(_) | Images::Alone => Ok(self.lifted(node, part, shape.len())),
                })
                .collect::<Step<_>>()?;
            let lifted: Vec<&Live> = lifted.iter().collect();
            let y = self.join(node, &lifted, at + 1)?;
            return self.view(node, &y, shape);
        }
        let kind = LayerKind::Concat {
            axis: i32::try_from(at).unwrap_or(0),
        };
        Ok(self.emit(node, kind, parts, shape, images))
    }

    pub(super) fn split(&mut self, node: &Node) -> Step<Vec<Value>> {
        let x = self.live(node, 0)?;
        let given = self.optional(node, 1)?;
        let (at, sizes) = fold::parts(node, &x.shape, given.as_deref())?;
        self.afford(x.shape[at])?;
        let mut start = 0;
        let mut parts = Vec::new();
        for size in sizes {
            let part = self.gather_axis(node, &x, at, (start..start + size).collect())?;
            parts.push(Value::Live(part));
            start += size;
        }
        Ok(parts)
    }

    pub(super) fn slice(&mut self, node: &Node) -> Step<Live> {
        let mut x = self.live(node, 0)?;
        let inputs = (0..node.inputs.len())
            .map(|i| if i == 0 { Ok(None) } else { self.optional(node, i) })
            .collect::<Step<Vec<_>>>()?;
        let inputs: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_deref).collect();
        for cut in fold::cuts(node, &x.shape, &inputs)? {
            self.afford(cut.count)?;
            let indices = (0..cut.count)
                .map(|i| cut.start.wrapping_add_signed(cut.step.wrapping_mul(i.cast_signed())))
                .collect();
            x = self.gather_axis(node, &x, cut.axis, indices)?;
        }
        Ok(x)
    }

    pub(super) fn gather(&mut self, node: &Node) -> Step<Live> {
        if self.is_constant(node, 0) {
            return Err("its indices depend on the image; they have no gradient".into());
        }
        let x = self.live(node, 0)?;
        let index = self.constant(node, 1)?;
        let at = axis(node.int("axis", 0), x.shape.len())?;
        self.afford(index.len())?;
        let indices = fold::indices(&index, x.shape[at])?;
        let picked = self.gather_axis(node, &x, at, indices)?;
        let mut shape = x.shape[..at].to_vec();
        shape.extend(&index.dims);
        shape.extend(&x.shape[at + 1..]);
        self.view(node, &picked, shape)
    }

    pub(super) fn gather_nd(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let index = self.constant(node, 1)?;
        let batch_dims = usize::try_from(node.int("batch_dims", 0)).map_err(|_| "negative batch_dims")?;
        let shape = fold::gathered_shape(&x.shape, &index, batch_dims);
        let (starts, run) = fold::tuples(&x.shape, &index, batch_dims)?;
        self.afford(starts.len().saturating_mul(run))?;
        let whole: usize = x.shape.iter().product();
        let flat = self.view(node, &x, vec![whole])?;
        let places: Vec<usize> = starts.iter().flat_map(|start| *start..start + run).collect();
        let picked = self.gather_axis(node, &flat, 0, places)?;
        self.view(node, &picked, shape)
    }

    pub(super) fn pad(&mut self, node: &Node) -> Step<Live> {
        let mut x = self.live(node, 0)?;
        let pads = match (self.optional(node, 1)?, node.ints("pads").or(node.ints("paddings"))) {
            (Some(pads), _) => pads.to_ints(),
            (None, Some(pads)) => pads.to_vec(),
            (None, None) => return Err("its pads are missing".into()),
        };
        let value = match self.optional(node, 2)? {
            Some(value) => value.to_floats().first().copied().unwrap_or(0.0),
            None => node.float("value", 0.0),
        };
        let padding = match node.text("mode", "constant").as_str() {
            "constant" => Padding::Constant(value),
            "reflect" => Padding::Reflect,
            "edge" => Padding::Edge,
            "wrap" => Padding::Wrap,
            other => return Err(format!("mode \"{other}\" is not computed")),
        };
        let rank = x.shape.len();
        let axes = match self.optional(node, 3)? {
            Some(axes) => axes
                .to_ints()
                .iter()
                .map(|i| axis(*i, rank))
                .collect::<Step<Vec<_>>>()?,
            None => (0..rank).collect(),
        };
        if pads.len() != 2 * axes.len() {
            return Err(format!("{} pads for {} axes", pads.len(), axes.len()));
        }
        for (i, at) in axes.iter().enumerate() {
            x = self.pad_axis(node, &x, *at, [pads[i], pads[i + axes.len()]], padding)?;
        }
        Ok(x)
    }

    pub(super) fn expand(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let target = self.constant(node, 1)?;
        let shape = fold::expanded(&x.shape, &target)?;
        if shape == x.shape {
            return Ok(x);
        }
        let images = together(&[&x], &shape);
        if images == Images::Alone && can_lift(&[&x], shape.len()) {
            let lifted = self.lifted(node, &x, shape.len());
            let above: Vec<usize> = [&[1], shape.as_slice()].concat();
            let kind = LayerKind::Move(Move::Expand { shape: above.clone() });
            let y = self.emit(node, kind, &[&lifted], above, Images::Axis(0));
            return self.view(node, &y, shape);
        }
        let kind = LayerKind::Move(Move::Expand { shape: shape.clone() });
        Ok(self.emit(node, kind, &[&x], shape, images))
    }

    pub(super) fn tile(&mut self, node: &Node) -> Step<Live> {
        let mut x = self.live(node, 0)?;
        let repeats = extents(&self.constant(node, 1)?.to_ints())?;
        if repeats.len() != x.shape.len() {
            return Err(format!("repeats {repeats:?} of a value of shape {:?}", x.shape));
        }
        for (at, copies) in repeats.iter().enumerate().filter(|(_, copies)| **copies != 1) {
            let tiled = x.shape[at]
                .checked_mul(*copies)
                .filter(|tiled| (1..=1 << 24).contains(tiled));
            let tiled = tiled.ok_or_else(|| format!("{copies} copies of {} entries", x.shape[at]))?;
            self.afford(tiled)?;
            let indices = (0..tiled).map(|i| i % x.shape[at]).collect();
            x = self.gather_axis(node, &x, at, indices)?;
        }
        Ok(x)
    }

    /// `DepthToSpace` and `SpaceToDepth`: blocks of pixels from channels, and back.
    pub(super) fn depth_space(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let [batch, channels, rows, columns] = *x.shape.as_slice() else {
            return Err(format!("it takes an image, not a value of shape {:?}", x.shape));
        };
        let block = usize::try_from(node.int("blocksize", 0)).unwrap_or(0);
        if !(1..=1 << 12).contains(&block) {
            return Err(format!("its blocksize is {block}"));
        }
        if node.op == "DepthToSpace" {
            let depth = channels / (block * block);
            if depth * block * block != channels {
                return Err(format!(
                    "{channels} channels do not divide into blocks of {block} x {block}"
                ));
            }
            let (split, order) = if node.text("mode", "DCR") == "CRD" {
                (vec![batch, depth, block, block, rows, columns], [0, 1, 4, 2, 5, 3])
            } else {
                (vec![batch, block, block, depth, rows, columns], [0, 3, 4, 1, 5, 2])
            };
            let view = self.view(node, &x, split)?;
            let turned = self.permute(node, &view, &order);
            return self.view(node, &turned, vec![batch, depth, rows * block, columns * block]);
        }
        if !rows.is_multiple_of(block) || !columns.is_multiple_of(block) {
            return Err(format!(
                "{rows} x {columns} pixels do not divide into blocks of {block}"
            ));
        }
        let (rows, columns) = (rows / block, columns / block);
        let view = self.view(node, &x, vec![batch, channels, rows, block, columns, block])?;
        let turned = self.permute(node, &view, &[0, 3, 5, 1, 2, 4]);
        self.view(node, &turned, vec![batch, channels * block * block, rows, columns])
    }

    /// Running sums, as a product with a triangle of ones.
    pub(super) fn cum_sum(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let along = self.constant(node, 1)?.to_ints();
        let at = axis(*along.first().ok_or("its axis is missing")?, x.shape.len())?;
        let extent = x.shape[at];
        if extent > 1 << 12 {
            return Err(format!("running sums of {extent} entries"));
        }
        self.afford(extent * extent)?;
        let (exclusive, reverse) = (node.flag("exclusive", false), node.flag("reverse", false));
        let weight = (0..extent)
            .flat_map(|to| (0..extent).map(move |from| (to, from)))
            .map(|(to, from)| {
                let (to, from) = if reverse { (from, to) } else { (to, from) };
                f32::from(u8::from(from < to || from == to && !exclusive))
            })
            .collect();
        self.along_axis(node, &x, at, extent, weight)
    }

    /// A linear map along one axis: `outputs` sums of its entries, weighted by a row of `weight` each.
    pub(super) fn along_axis(
        &mut self,
        node: &Node,
        x: &Live,
        at: usize,
        outputs: usize,
        weight: Vec<f32>,
    ) -> Step<Live> {
        let weight = self.keep_values(node, "matrix", &[outputs, x.shape[at]], weight)?;
        let (x, lift) = self.apart(node, x, &[at]);
        let at = at + lift;
        let mut shape = x.shape.clone();
        shape[at] = outputs;
        let images = apart_along(&x, &[at]);
        let kind = LayerKind::AlongAxis {
            axis: at,
            outputs,
            weight,
        };
        let y = self.emit(node, kind, &[&x], shape, images);
        self.dropped(node, &y, lift)
    }
}
