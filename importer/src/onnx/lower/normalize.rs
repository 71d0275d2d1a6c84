//! Normalizations, softmax, and reductions.

use super::batch::apart_along;
use super::{Live, Lowering};
use crate::graph::{LayerKind, Pairwise, Reducer, Unary};
use crate::onnx::fold;
use crate::onnx::node::Node;
use crate::onnx::tensor::{Step, axis};
use crate::weights::TensorName;

impl Lowering<'_> {
    /// A factor and a term for each channel.
    fn by_channels(&mut self, node: &Node, x: &Live, factor: TensorName, term: Option<TensorName>) -> Live {
        let kind = LayerKind::Scale {
            factor: Some(factor),
            axis: 1,
            num_axes: 1,
            bias: term,
        };
        let x = self.fronted(node, x);
        self.emit(node, kind, &[&x], x.shape.clone(), x.images)
    }

    pub(super) fn batch_norm(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let channels = x.shape.get(1).copied().unwrap_or(1);
        let mut parameters = Vec::new();
        for i in 1..5 {
            let values = self.constant(node, i)?.to_floats();
            if values.len() != channels {
                return Err(format!("{} parameters for {channels} channels", values.len()));
            }
            parameters.push(values);
        }
        let eps = f64::from(node.float("epsilon", 1e-5));
        let (mut factors, mut terms) = (Vec::new(), Vec::new());
        let of_each =
            (0..channels).map(|channel| (0..4).map(|i| f64::from(parameters[i][channel])).collect::<Vec<_>>());
        for own in of_each {
            let of = |i: usize| own[i];
            let factor = of(0) / (of(3) + eps).sqrt();
            #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
            {
                factors.push(factor as f32);
                terms.push((of(1) - of(2) * factor) as f32);
            }
        }
        let factor = self.keep_values(node, "factor", &[channels], factors)?;
        let term = self.keep_values(node, "term", &[channels], terms)?;
        Ok(self.by_channels(node, &x, factor, Some(term)))
    }

    /// (x - mean) / sqrt(variance + eps) over all axes from one on.
    fn standardize(
        &mut self,
        node: &Node,
        x: &Live,
        from: usize,
        eps: f32,
        factor: Option<TensorName>,
        term: Option<TensorName>,
    ) -> Step<Live> {
        let axes: Vec<usize> = (from..x.shape.len()).collect();
        let (x, lift) = self.apart(node, x, &axes);
        let axes: Vec<usize> = axes.into_iter().map(|axis| axis + lift).collect();
        let images = apart_along(&x, &axes);
        let kind = LayerKind::Standardize {
            axis: from + lift,
            eps,
            factor,
            term,
        };
        let y = self.emit(node, kind, &[&x], x.shape.clone(), images);
        self.dropped(node, &y, lift)
    }

    pub(super) fn layer_norm(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let from = axis(node.int("axis", -1), x.shape.len())?;
        let entries = &x.shape[from..];
        let fits = |shape: &[usize]| shape.iter().product::<usize>() == entries.iter().product::<usize>();
        if !fits(&self.constant_shape(node, 1)?) {
            return Err(format!("its scale is not of shape {entries:?}"));
        }
        let factor = self.stored(node, 1, "factor", entries)?;
        let term = match self.given(node, 2) {
            Some(_) => Some(self.stored(node, 2, "term", entries)?),
            None => None,
        };
        self.standardize(node, &x, from, node.float("epsilon", 1e-5), Some(factor), term)
    }

    pub(super) fn rms_norm(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let from = axis(node.int("axis", -1), x.shape.len())?;
        let squares = self.emit_like(node, square(), &x);
        let mean = self.reduce_axes(node, &squares, Reducer::Mean, (from..x.shape.len()).collect())?;
        let shifted = LayerKind::Power {
            power: 1.0,
            scale: 1.0,
            shift: node.float("epsilon", 1e-5),
        };
        let shifted = self.emit_like(node, shifted, &mean);
        let root = self.unary(node, Unary::Sqrt, &shifted);
        let y = self.pair(node, Pairwise::Div, &x, &root)?;
        let factor = self.live(node, 1)?;
        self.pair(node, Pairwise::Mul, &y, &factor)
    }

    pub(super) fn instance_norm(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let channels = x.shape.get(1).copied().unwrap_or(1);
        let y = self.standardize(node, &x, 2, node.float("epsilon", 1e-5), None, None)?;
        let factor = self.stored(node, 1, "factor", &[channels])?;
        let term = self.stored(node, 2, "term", &[channels])?;
        Ok(self.by_channels(node, &y, factor, Some(term)))
    }

    pub(super) fn group_norm(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let [batch, channels, rest @ ..] = x.shape.as_slice() else {
            return Err(format!("it takes channels, not a value of shape {:?}", x.shape));
        };
        let groups = usize::try_from(node.int("num_groups", 0)).unwrap_or(0);
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(format!("{channels} channels do not divide into {groups} groups"));
        }
        let each = channels / groups * rest.iter().product::<usize>();
        let view = self.view(node, &x, vec![*batch, groups, each])?;
        let y = self.standardize(node, &view, 2, node.float("epsilon", 1e-5), None, None)?;
        let y = self.view(node, &y, x.shape.clone())?;
        let mut names = Vec::new();
        for (i, role) in [(1, "factor"), (2, "term")] {
            let values = self.constant(node, i)?.to_floats();
            // One a channel; before version 21 one a group.
            let values = if values.len() == groups && groups != *channels {
                values
                    .iter()
                    .flat_map(|value| vec![*value; channels / groups])
                    .collect()
            } else {
                values
            };
            names.push(self.keep_values(node, role, &[*channels], values)?);
        }
        let term = names.pop();
        let factor = names.pop().ok_or("its scale is missing")?;
        Ok(self.by_channels(node, &y, factor, term))
    }

    pub(super) fn mean_variance_norm(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let axes = node.ints("axes").map_or_else(|| vec![0, 2, 3], <[i64]>::to_vec);
        let mut axes = axes.iter().map(|i| axis(*i, x.shape.len())).collect::<Step<Vec<_>>>()?;
        axes.sort_unstable();
        axes.dedup();
        let mean = self.reduce_axes(node, &x, Reducer::Mean, axes.clone())?;
        let centred = self.pair(node, Pairwise::Sub, &x, &mean)?;
        let squares = self.emit_like(node, square(), &centred);
        let variance = self.reduce_axes(node, &squares, Reducer::Mean, axes)?;
        let deviation = self.unary(node, Unary::Sqrt, &variance);
        let shifted = LayerKind::Power {
            power: 1.0,
            scale: 1.0,
            shift: 1e-9,
        };
        let shifted = self.emit_like(node, shifted, &deviation);
        self.pair(node, Pairwise::Div, &centred, &shifted)
    }

    pub(super) fn lp_norm(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let at = axis(node.int("axis", -1), x.shape.len())?;
        let reducer = if node.int("p", 2) == 1 {
            Reducer::L1
        } else {
            Reducer::L2
        };
        let norm = self.reduce_axes(node, &x, reducer, vec![at])?;
        self.pair(node, Pairwise::Div, &x, &norm)
    }

    pub(super) fn softmax(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let rank = x.shape.len();
        let newer = node.opset >= 13;
        let at = axis(node.int("axis", if newer { -1 } else { 1 }), rank)?;
        if newer {
            return self.softmax_along(node, &x, at);
        }
        // Before version 13: over all axes from one on together.
        let flat = vec![x.shape[..at].iter().product(), x.shape[at..].iter().product()];
        let view = self.view(node, &x, flat)?;
        let y = self.softmax_along(node, &view, 1)?;
        self.view(node, &y, x.shape.clone())
    }

    pub(super) fn softmax_along(&mut self, node: &Node, x: &Live, at: usize) -> Step<Live> {
        let (x, lift) = self.apart(node, x, &[at]);
        let at = at + lift;
        let images = apart_along(&x, &[at]);
        let kind = if node.op == "LogSoftmax" {
            LayerKind::LogSoftmax { axis: at }
        } else {
            LayerKind::Softmax {
                axis: i32::try_from(at).unwrap_or(0),
            }
        };
        let y = self.emit(node, kind, &[&x], x.shape.clone(), images);
        self.dropped(node, &y, lift)
    }

    pub(super) fn reduce(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let given = self.optional(node, 1)?;
        let (axes, keeps) = fold::reduced_axes(node, x.shape.len(), given.as_deref())?;
        let reducer = match node.op.as_str() {
            "ReduceSum" => Reducer::Sum,
            "ReduceMean" => Reducer::Mean,
            "ReduceMax" => Reducer::Max,
            "ReduceMin" => Reducer::Min,
            "ReduceProd" => Reducer::Product,
            "ReduceL1" => Reducer::L1,
            "ReduceL2" => Reducer::L2,
            "ReduceSumSquare" => Reducer::SumOfSquares,
            "ReduceLogSum" => Reducer::LogSum,
            "ReduceLogSumExp" => Reducer::LogSumExp,
            _ => return Err("operators of this type are not computed".into()),
        };
        let y = self.reduce_axes(node, &x, reducer, axes.clone())?;
        if keeps {
            return Ok(y);
        }
        let shape = (0..x.shape.len())
            .filter(|i| !axes.contains(i))
            .map(|i| x.shape[i])
            .collect();
        self.view(node, &y, shape)
    }
}

fn square() -> LayerKind {
    LayerKind::Power {
        power: 2.0,
        scale: 1.0,
        shift: 0.0,
    }
}
