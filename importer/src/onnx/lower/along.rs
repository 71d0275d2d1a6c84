//! Steps along axes that many operators are made of: padding, picking, reducing.

use super::batch::apart_along;
use super::windows::LARGEST;
use super::{Live, Lowering};
use crate::graph::{LayerKind, Move, Padding, Reduce, Reducer, Unary};
use crate::onnx::node::Node;
use crate::onnx::tensor::Step;

impl Lowering<'_> {
    /// Adds entries at both ends of an axis.
    pub(super) fn pad_axis(
        &mut self,
        node: &Node,
        x: &Live,
        axis: usize,
        [before, after]: [i64; 2],
        padding: Padding,
    ) -> Step<Live> {
        if before == 0 && after == 0 {
            return Ok(x.clone());
        }
        let extent = x.shape[axis].cast_signed() as i64;
        let padded = before.checked_add(after).and_then(|pads| pads.checked_add(extent));
        let padded = padded
            .filter(|padded| (1..=LARGEST).contains(padded) && before.abs() <= LARGEST && after.abs() <= LARGEST)
            .ok_or_else(|| format!("padding {before} and {after} around {extent} entries"))?;
        let reach = before.max(after);
        match padding {
            Padding::Reflect if reach >= extent => {
                return Err(format!("{reach} mirrored entries around {extent}"));
            }
            Padding::Wrap if reach > extent => return Err(format!("{reach} wrapped entries around {extent}")),
            Padding::Reflect | Padding::Wrap | Padding::Edge | Padding::Constant(_) => {}
        }
        let (x, lift) = self.apart(node, x, &[axis]);
        let mut shape = x.shape.clone();
        shape[axis + lift] = usize::try_from(padded).unwrap_or(0);
        let images = apart_along(&x, &[axis + lift]);
        let kind = LayerKind::Move(Move::Pad {
            axis: axis + lift,
            before,
            after,
            padding,
        });
        let y = self.emit(node, kind, &[&x], shape, images);
        self.dropped(node, &y, lift)
    }

    /// Picks entries along an axis.
    pub(super) fn gather_axis(&mut self, node: &Node, x: &Live, axis: usize, indices: Vec<usize>) -> Step<Live> {
        if indices.is_empty() {
            return Err("its output is empty".into());
        }
        if indices.iter().copied().eq(0..x.shape[axis]) {
            return Ok(x.clone());
        }
        let (x, lift) = self.apart(node, x, &[axis]);
        let axis = axis + lift;
        let mut shape = x.shape.clone();
        shape[axis] = indices.len();
        let images = apart_along(&x, &[axis]);
        let kind = LayerKind::Move(Move::Gather { axis, indices });
        let y = self.emit(node, kind, &[&x], shape, images);
        self.dropped(node, &y, lift)
    }

    /// The reduction of some axes, which stay with an extent of 1.
    pub(super) fn reduce_axes(&mut self, node: &Node, x: &Live, reducer: Reducer, axes: Vec<usize>) -> Step<Live> {
        if axes.is_empty() && reducer_is_idle(reducer) {
            return Ok(x.clone());
        }
        let (x, lift) = self.apart(node, x, &axes);
        let axes: Vec<usize> = axes.into_iter().map(|axis| axis + lift).collect();
        let mut shape = x.shape.clone();
        for axis in &axes {
            shape[*axis] = 1;
        }
        let images = apart_along(&x, &axes);
        let y = self.emit(node, LayerKind::Reduce(Reduce { reducer, axes }), &[&x], shape, images);
        self.dropped(node, &y, lift)
    }

    /// A function of each entry.
    pub(super) fn unary(&mut self, node: &Node, function: Unary, x: &Live) -> Live {
        self.emit_like(node, LayerKind::Unary(function), x)
    }
}

fn reducer_is_idle(reducer: Reducer) -> bool {
    matches!(
        reducer,
        Reducer::Sum | Reducer::Mean | Reducer::Max | Reducer::Min | Reducer::Product
    )
}
