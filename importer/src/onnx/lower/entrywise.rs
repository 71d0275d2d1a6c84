//! Operators of each entry by itself, or of entries of several values at one place.

use super::batch::{can_lift, together};
use super::{Images, Live, Lowering, Value};
use crate::graph::{LayerKind, Pairwise, Unary};
use crate::onnx::node::Node;
use crate::onnx::tensor::{ElementType, Step, broadcast};

/// Functions of one entry whose settings are none.
fn plain(op: &str) -> Option<LayerKind> {
    Some(match op {
        "Relu" => LayerKind::Relu { slope: 0.0 },
        "Sigmoid" => LayerKind::Sigmoid,
        "Tanh" => LayerKind::TanH,
        "Abs" => LayerKind::AbsVal,
        "Exp" => LayerKind::Exp {
            base: None,
            scale: 1.0,
            shift: 0.0,
        },
        "Log" => LayerKind::Log {
            base: None,
            scale: 1.0,
            shift: 0.0,
        },
        "Sign" => LayerKind::Unary(Unary::Sign),
        "Neg" => LayerKind::Unary(Unary::Neg),
        "Reciprocal" => LayerKind::Unary(Unary::Reciprocal),
        "Sqrt" => LayerKind::Unary(Unary::Sqrt),
        "Erf" => LayerKind::Unary(Unary::Erf),
        "Sin" => LayerKind::Unary(Unary::Sin),
        "Cos" => LayerKind::Unary(Unary::Cos),
        "Tan" => LayerKind::Unary(Unary::Tan),
        "Atan" => LayerKind::Unary(Unary::Atan),
        "Floor" => LayerKind::Unary(Unary::Floor),
        "Ceil" => LayerKind::Unary(Unary::Ceil),
        "Round" => LayerKind::Unary(Unary::Round),
        "Softplus" => LayerKind::Unary(Unary::Softplus),
        "Softsign" => LayerKind::Unary(Unary::Softsign),
        "HardSwish" => LayerKind::Unary(Unary::HardSwish),
        "Mish" => LayerKind::Unary(Unary::Mish),
        "Not" => LayerKind::Unary(Unary::Not),
        _ => return None,
    })
}

/// Functions of one entry with settings of their own.
fn with_settings(node: &Node) -> Option<LayerKind> {
    let float = |name: &str, default: f32| node.float(name, default);
    Some(match node.op.as_str() {
        "LeakyRelu" => LayerKind::Relu {
            slope: float("alpha", 0.01),
        },
        "Elu" => LayerKind::Elu {
            alpha: float("alpha", 1.0),
        },
        "Swish" => LayerKind::Swish {
            beta: float("alpha", 1.0),
        },
        "Celu" => LayerKind::Unary(Unary::Celu {
            alpha: float("alpha", 1.0),
        }),
        "Selu" => LayerKind::Unary(Unary::Selu {
            alpha: float("alpha", 1.673_263_2),
            gamma: float("gamma", 1.050_701),
        }),
        "HardSigmoid" => LayerKind::Unary(Unary::HardSigmoid {
            alpha: float("alpha", 0.2),
            beta: float("beta", 0.5),
        }),
        "ThresholdedRelu" => LayerKind::Unary(Unary::ThresholdedRelu {
            alpha: float("alpha", 1.0),
        }),
        "Shrink" => LayerKind::Unary(Unary::Shrink {
            bias: float("bias", 0.0),
            lambda: float("lambd", 0.5),
        }),
        "Gelu" if node.text("approximate", "none") == "tanh" => LayerKind::Unary(Unary::GeluTanh),
        "Gelu" => LayerKind::Unary(Unary::Gelu),
        _ => return None,
    })
}

fn pairwise(node: &Node) -> Option<Pairwise> {
    Some(match node.op.as_str() {
        "Add" | "Sum" => Pairwise::Add,
        "Sub" => Pairwise::Sub,
        "Mul" => Pairwise::Mul,
        "Div" => Pairwise::Div,
        "Pow" => Pairwise::Pow,
        "Max" => Pairwise::Max,
        "Min" => Pairwise::Min,
        "Mod" if node.flag("fmod", false) => Pairwise::Fmod,
        "Mod" => Pairwise::Mod,
        "Equal" => Pairwise::Equal,
        "Less" => Pairwise::Less,
        "Greater" => Pairwise::Greater,
        "LessOrEqual" => Pairwise::LessOrEqual,
        "GreaterOrEqual" => Pairwise::GreaterOrEqual,
        "And" => Pairwise::And,
        "Or" => Pairwise::Or,
        "Xor" => Pairwise::Xor,
        _ => return None,
    })
}

/// (scale x + shift) ^ power.
fn power(power: f32, scale: f32, shift: f32) -> LayerKind {
    LayerKind::Power { power, scale, shift }
}

impl Lowering<'_> {
    pub(super) fn entrywise(&mut self, node: &Node) -> Step<Live> {
        if let Some(kind) = plain(&node.op).or_else(|| with_settings(node)) {
            let x = self.live(node, 0)?;
            return Ok(self.emit_like(node, kind, &x));
        }
        if matches!(node.op.as_str(), "Cast" | "CastLike") {
            return self.cast(node);
        }
        let Some(operation) = pairwise(node) else {
            return Err("operators of this type are not computed".into());
        };
        if let Some(live) = self.by_a_number(node, operation)? {
            return Ok(live);
        }
        if let Some(live) = self.by_channel(node, operation)? {
            return Ok(live);
        }
        let (a, b) = (self.live(node, 0)?, self.live(node, 1)?);
        self.pair(node, operation, &a, &b)
    }

    /// A constant input of one entry.
    fn single(&self, node: &Node, i: usize) -> Step<Option<f32>> {
        match self.given(node, i) {
            Some(Value::Known(tensor)) if tensor.len() == 1 => Ok(tensor.to_floats().first().copied()),
            _ => Ok(None),
        }
    }

    /// Arithmetic with one number.
    fn by_a_number(&mut self, node: &Node, operation: Pairwise) -> Step<Option<Live>> {
        let rank = |lowering: &Self, i: usize| lowering.constant_shape(node, i).map_or(0, |shape| shape.len());
        let (kind, i) = if let Some(number) = self.single(node, 1)? {
            let kind = match operation {
                Pairwise::Add => power(1.0, 1.0, number),
                Pairwise::Sub => power(1.0, 1.0, -number),
                Pairwise::Mul => power(1.0, number, 0.0),
                Pairwise::Div if number != 0.0 => power(1.0, 1.0 / number, 0.0),
                Pairwise::Pow if number == 0.5 => LayerKind::Unary(Unary::Sqrt),
                Pairwise::Pow => power(number, 1.0, 0.0),
                _ => return Ok(None),
            };
            (kind, 0)
        } else if let Some(number) = self.single(node, 0)? {
            let kind = match operation {
                Pairwise::Add => power(1.0, 1.0, number),
                Pairwise::Sub => power(1.0, -1.0, number),
                Pairwise::Mul => power(1.0, number, 0.0),
                _ => return Ok(None),
            };
            (kind, 1)
        } else {
            return Ok(None);
        };
        let x = self.live(node, i)?;
        if rank(self, 1 - i) > x.shape.len() {
            return Ok(None);
        }
        Ok(Some(self.emit_like(node, kind, &x)))
    }

    /// A product with one number a channel of an image: as Caffe's `Scale`, which convolutions take in.
    fn by_channel(&mut self, node: &Node, operation: Pairwise) -> Step<Option<Live>> {
        let i = match (self.is_constant(node, 0), self.is_constant(node, 1)) {
            (false, true) => 1,
            (true, false) => 0,
            _ => return Ok(None),
        };
        let constant = self.constant_shape(node, i)?;
        let x = self.live(node, 1 - i)?;
        let rank = x.shape.len();
        let aligned = rank.checked_sub(constant.len());
        let by_channel = rank == 4
            && aligned.is_some_and(|missing| {
                constant
                    .iter()
                    .enumerate()
                    .all(|(axis, extent)| *extent == if axis + missing == 1 { x.shape[1] } else { 1 })
            })
            && constant.iter().product::<usize>() == x.shape[1];
        if !by_channel || operation != Pairwise::Mul || x.images != Images::Axis(0) {
            return Ok(None);
        }
        let factor = self.stored(node, i, "factor", &[x.shape[1]])?;
        let kind = LayerKind::Scale {
            factor: Some(factor),
            axis: 1,
            num_axes: 1,
            bias: None,
        };
        Ok(Some(self.emit_like(node, kind, &x)))
    }

    /// A function of two values, stretched to each other.
    pub(super) fn pair(&mut self, node: &Node, operation: Pairwise, a: &Live, b: &Live) -> Step<Live> {
        let shape = broadcast(&a.shape, &b.shape)?;
        self.stretched(node, LayerKind::Pairwise(operation), &[a, b], shape)
    }

    pub(super) fn variadic(&mut self, node: &Node) -> Step<Live> {
        let mut result = self.live(node, 0)?;
        let operation = match node.op.as_str() {
            "Mean" | "Sum" => Pairwise::Add,
            "Max" => Pairwise::Max,
            _ => Pairwise::Min,
        };
        for i in 1..node.inputs.len() {
            let next = self.live(node, i)?;
            result = self.pair(node, operation, &result, &next)?;
        }
        if node.op == "Mean" {
            #[expect(clippy::cast_precision_loss, reason = "there are few inputs")]
            let scale = 1.0 / node.inputs.len() as f32;
            result = self.emit_like(node, power(1.0, scale, 0.0), &result);
        }
        Ok(result)
    }

    /// Values that depend on the image are held as float32: what a cast takes off is taken off, the rest is the same.
    fn cast(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let to = if node.op == "Cast" { node.int("to", 1) } else { 1 };
        let element = ElementType::of(to)?;
        if element.is_float() {
            return Ok(x);
        }
        if element == ElementType::Bool {
            let zero = self.unary(node, Unary::Not, &x);
            return Ok(self.unary(node, Unary::Not, &zero));
        }
        Ok(self.unary(node, Unary::Trunc, &x))
    }

    pub(super) fn clip(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let mut bounds = [f32::MIN, f32::MAX];
        for (i, (bound, name)) in bounds.iter_mut().zip(["min", "max"]).enumerate() {
            *bound = match self.optional(node, i + 1)? {
                Some(tensor) => *tensor
                    .to_floats()
                    .first()
                    .ok_or_else(|| format!("its {name} is empty"))?,
                None => node.float(name, *bound),
            };
        }
        let [min, max] = bounds;
        Ok(self.emit_like(node, LayerKind::Clip { min, max: max.max(min) }, &x))
    }

    pub(super) fn prelu(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let slope = self.live(node, 1)?;
        // x for x > 0, else slope x: max(x, 0) - slope max(-x, 0).
        let positive = self.emit_like(node, LayerKind::Relu { slope: 0.0 }, &x);
        let turned = self.unary(node, Unary::Neg, &x);
        let negative = self.emit_like(node, LayerKind::Relu { slope: 0.0 }, &turned);
        let negative = self.pair(node, Pairwise::Mul, &negative, &slope)?;
        self.pair(node, Pairwise::Sub, &positive, &negative)
    }

    pub(super) fn choose(&mut self, node: &Node) -> Step<Live> {
        let (condition, yes, no) = (self.live(node, 0)?, self.live(node, 1)?, self.live(node, 2)?);
        let shape = broadcast(&broadcast(&condition.shape, &yes.shape)?, &no.shape)?;
        self.stretched(node, LayerKind::Where, &[&condition, &yes, &no], shape)
    }

    /// A layer of values that are stretched to one shape.
    fn stretched(&mut self, node: &Node, kind: LayerKind, inputs: &[&Live], shape: Vec<usize>) -> Step<Live> {
        let images = together(inputs, &shape);
        if images != Images::Alone || !can_lift(inputs, shape.len()) {
            return Ok(self.emit(node, kind, inputs, shape, images));
        }
        let lifted: Vec<Live> = inputs
            .iter()
            .map(|input| self.lifted(node, input, shape.len()))
            .collect();
        let lifted: Vec<&Live> = lifted.iter().collect();
        let mut above = vec![1];
        above.extend(&shape);
        let images = together(&lifted, &above);
        let y = self.emit(node, kind, &lifted, above, images);
        self.view(node, &y, shape)
    }
}
