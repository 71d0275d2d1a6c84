//! Products of matrices: Gemm, MatMul, Einsum, Attention.

use super::batch::{apart_along, can_lift, together};
use super::{Images, Live, Lowering, Value};
use crate::graph::{InnerProduct, LayerKind, Pairwise, Reducer};
use crate::onnx::node::Node;
use crate::onnx::tensor::{Data, Step, broadcast};

impl Lowering<'_> {
    pub(super) fn gemm(&mut self, node: &Node) -> Step<Live> {
        let mut a = self.live(node, 0)?;
        let (alpha, beta) = (node.float("alpha", 1.0), node.float("beta", 1.0));
        let turned = node.flag("transB", false);
        let is_matrix = |x: &Live| match x.shape.len() {
            2 => Ok(()),
            _ => Err(format!("it takes matrices, not a value of shape {:?}", x.shape)),
        };
        is_matrix(&a)?;
        if node.flag("transA", false) {
            a = self.permute(node, &a, &[1, 0]);
        }
        let inner = a.shape[1];
        let mut y = if self.is_constant(node, 1) {
            let weight = self.constant_shape(node, 1)?;
            let outputs = match (weight.as_slice(), turned) {
                ([outputs, k], true) | ([k, outputs], false) if *k == inner => *outputs,
                _ => return Err(format!("its weight of shape {weight:?} does not suit {:?}", a.shape)),
            };
            // The usual: one term for each output.
            let bias = match self.given(node, 2) {
                Some(Value::Known(_) | Value::Stored(..)) if beta == 1.0 && alpha == 1.0 => {
                    let shape = self.constant_shape(node, 2)?;
                    let is_row = matches!(shape.as_slice(), [n] | [1, n] if *n == outputs);
                    if is_row {
                        Some(self.stored(node, 2, "bias", &[outputs])?)
                    } else {
                        None
                    }
                }
                _ => None,
            };
            let done = bias.is_some();
            let weight = self.stored(node, 1, "weight", &weight)?;
            let y = self.inner_product(node, &a, weight, bias, outputs, !turned)?;
            if done {
                return Ok(y);
            }
            y
        } else {
            let mut b = self.live(node, 1)?;
            is_matrix(&b)?;
            if turned {
                b = self.permute(node, &b, &[1, 0]);
            }
            self.multiply(node, &a, &b)?
        };
        let scaled = |power: f32| LayerKind::Power {
            power: 1.0,
            scale: power,
            shift: 0.0,
        };
        if alpha != 1.0 {
            y = self.emit_like(node, scaled(alpha), &y);
        }
        if self.given(node, 2).is_some() {
            let mut c = self.live(node, 2)?;
            if beta != 1.0 {
                c = self.emit_like(node, scaled(beta), &c);
            }
            y = self.pair(node, Pairwise::Add, &y, &c)?;
        }
        Ok(y)
    }

    /// The product with a stored matrix along the last axis.
    fn inner_product(
        &mut self,
        node: &Node,
        x: &Live,
        weight: String,
        bias: Option<String>,
        outputs: usize,
        transpose: bool,
    ) -> Step<Live> {
        let (x, lift) = self.apart(node, x, &[x.shape.len() - 1]);
        let last = x.shape.len() - 1;
        let mut shape = x.shape.clone();
        shape[last] = outputs;
        let images = apart_along(&x, &[last]);
        let kind = LayerKind::InnerProduct(InnerProduct {
            weight,
            bias,
            num_output: outputs,
            axis: -1,
            transpose,
        });
        let y = self.emit(node, kind, &[&x], shape, images);
        self.dropped(node, &y, lift)
    }

    pub(super) fn matmul(&mut self, node: &Node) -> Step<Live> {
        if !self.is_constant(node, 0) && self.is_constant(node, 1) {
            let weight = self.constant_shape(node, 1)?;
            let a = self.live(node, 0)?;
            if let ([inputs, outputs], [_, .., last]) = (weight.as_slice(), a.shape.as_slice())
                && inputs == last
            {
                let name = self.stored(node, 1, "weight", &weight)?;
                return self.inner_product(node, &a, name, None, *outputs, true);
            }
        }
        let (mut a, mut b) = (self.live(node, 0)?, self.live(node, 1)?);
        let (flat_a, flat_b) = (a.shape.len() == 1, b.shape.len() == 1);
        if flat_a {
            a = self.view(node, &a, vec![1, a.shape[0]])?;
        }
        if flat_b {
            b = self.view(node, &b, vec![b.shape[0], 1])?;
        }
        let y = self.multiply(node, &a, &b)?;
        let mut shape = y.shape.clone();
        if flat_b {
            shape.pop();
        }
        if flat_a {
            shape.remove(y.shape.len() - 2);
        }
        self.view(node, &y, shape)
    }

    /// The product of the matrices in the last two axes.
    fn multiply(&mut self, node: &Node, a: &Live, b: &Live) -> Step<Live> {
        let ([left @ .., rows, inner], [right @ .., k, columns]) = (a.shape.as_slice(), b.shape.as_slice()) else {
            return Err(format!("shapes {:?} and {:?} are no matrices", a.shape, b.shape));
        };
        if inner != k {
            return Err(format!("shapes {:?} and {:?} do not fit", a.shape, b.shape));
        }
        let mut shape = broadcast(left, right)?;
        shape.extend([*rows, *columns]);
        // Where the images lie in the result: in an axis of matrices, in the rows of the first, in the columns of the second.
        let (of_a, of_b) = (a.images, b.images);
        let inner_a = of_a == Images::Axis(a.shape.len() - 1);
        let inner_b = of_b == Images::Axis(b.shape.len() - 2);
        let one_sided = |own: Images, other: Images, axis: usize| own == Images::Axis(axis) && other != Images::None;
        let images = if inner_a
            || inner_b
            || one_sided(of_a, of_b, a.shape.len() - 2)
            || one_sided(of_b, of_a, b.shape.len() - 1)
        {
            Images::Alone
        } else {
            let stretched = |x: &Live, last: [usize; 2]| Live {
                shape: [&x.shape[..x.shape.len() - 2], last.as_slice()].concat(),
                ..x.clone()
            };
            let last = [*rows, *columns];
            together(&[&stretched(a, last), &stretched(b, last)], &shape)
        };
        if images == Images::Alone && can_lift(&[a, b], shape.len()) {
            let (a, b) = (self.lifted(node, a, shape.len()), self.lifted(node, b, shape.len()));
            let y = self.multiply(node, &a, &b)?;
            return self.view(node, &y, shape);
        }
        Ok(self.emit(node, LayerKind::MatMul, &[a, b], shape, images))
    }

    /// `Einsum`: sums over products of entries with the same labels.
    pub(super) fn einsum(&mut self, node: &Node) -> Step<Live> {
        let equation: String = node.text("equation", "").split_whitespace().collect();
        let (inputs, output) = match equation.split_once("->") {
            Some((inputs, output)) => (inputs.to_owned(), Some(output.to_owned())),
            None => (equation.clone(), None),
        };
        if equation.contains('.') {
            return Err(format!("equation \"{equation}\": \"...\" is not computed"));
        }
        let mut terms: Vec<Vec<char>> = inputs.split(',').map(|term| term.chars().collect()).collect();
        let output: Vec<char> = if let Some(output) = output {
            output.chars().collect()
        } else {
            let mut once: Vec<char> = terms.concat();
            once.sort_unstable();
            let all = once.clone();
            once.retain(|label| all.iter().filter(|other| *other == label).count() == 1);
            once
        };
        if terms.len() != node.inputs.len() {
            return Err(format!("equation \"{equation}\" for {} inputs", node.inputs.len()));
        }
        let mut result: Option<(Live, Vec<char>)> = None;
        for i in 0..terms.len() {
            let labels = std::mem::take(&mut terms[i]);
            let x = self.live(node, i)?;
            let mut distinct = labels.clone();
            distinct.sort_unstable();
            distinct.dedup();
            if labels.len() != x.shape.len() || distinct.len() != labels.len() {
                return Err(format!("equation \"{equation}\" for an input of shape {:?}", x.shape));
            }
            result = Some(match result.take() {
                None => (x, labels),
                Some((y, of_y)) => {
                    let needed = |label: &char| output.contains(label) || terms[i + 1..].concat().contains(label);
                    self.contract(node, (&y, &of_y), (&x, &labels), needed)?
                }
            });
        }
        let (mut y, mut labels) = result.ok_or("it has no inputs")?;
        let summed: Vec<usize> = (0..labels.len()).filter(|i| !output.contains(&labels[*i])).collect();
        if !summed.is_empty() {
            let shape = (0..labels.len())
                .filter(|i| !summed.contains(i))
                .map(|i| y.shape[i])
                .collect();
            y = self.reduce_axes(node, &y, Reducer::Sum, summed)?;
            y = self.view(node, &y, shape)?;
            labels.retain(|label| output.contains(label));
        }
        let order = output
            .iter()
            .map(|label| labels.iter().position(|own| own == label))
            .collect::<Option<Vec<usize>>>()
            .filter(|order| order.len() == labels.len())
            .ok_or_else(|| format!("equation \"{equation}\" is not computed"))?;
        Ok(self.permute(node, &y, &order))
    }

    /// Two values multiplied, summed over the labels that both have and nobody needs any more.
    fn contract(
        &mut self,
        node: &Node,
        (a, of_a): (&Live, &[char]),
        (b, of_b): (&Live, &[char]),
        needed: impl Fn(&char) -> bool,
    ) -> Step<(Live, Vec<char>)> {
        let pick = |from: &[char], test: &dyn Fn(&char) -> bool| -> Vec<char> {
            from.iter().copied().filter(|label| test(label)).collect()
        };
        let shared = pick(of_a, &|label| of_b.contains(label) && needed(label));
        let summed = pick(of_a, &|label| of_b.contains(label) && !needed(label));
        let rows = pick(of_a, &|label| !of_b.contains(label));
        let columns = pick(of_b, &|label| !of_a.contains(label));
        let mut sides = Vec::new();
        for (x, labels, order) in [
            (a, of_a, [&shared, &rows, &summed]),
            (b, of_b, [&shared, &summed, &columns]),
        ] {
            let place = |label: &char| labels.iter().position(|own| own == label).unwrap_or(0);
            let axes: Vec<usize> = order.iter().flat_map(|part| part.iter().map(place)).collect();
            let turned = self.permute(node, x, &axes);
            let extent = |part: &[char]| part.iter().map(|label| x.shape[place(label)]).product::<usize>();
            let shape = order.iter().map(|part| extent(part)).collect();
            sides.push(self.view(node, &turned, shape)?);
        }
        let y = self.multiply(node, &sides[0], &sides[1])?;
        let labels = [shared, rows, columns].concat();
        let extent = |label: &char| {
            let own = |x: &Live, labels: &[char]| labels.iter().position(|own| own == label).map(|i| x.shape[i]);
            own(a, of_a).or_else(|| own(b, of_b)).unwrap_or(1)
        };
        let shape = labels.iter().map(extent).collect();
        Ok((self.view(node, &y, shape)?, labels))
    }

    /// `Attention` of version 23: softmax(scale Q K^T + mask) V.
    pub(super) fn attention(&mut self, node: &Node) -> Step<Live> {
        if (4..6).any(|i| self.given(node, i).is_some()) || node.float("softcap", 0.0) != 0.0 {
            return Err("past keys and values, and softcap, are not computed".into());
        }
        let query = self.live(node, 0)?;
        let flat = query.shape.len() == 3;
        let mut parts = Vec::new();
        for (i, name) in [(0, "q_num_heads"), (1, "kv_num_heads"), (2, "kv_num_heads")] {
            let x = self.live(node, i)?;
            parts.push(if flat {
                let heads = usize::try_from(node.int(name, 0)).unwrap_or(0);
                let [batch, tokens, features] = *x.shape.as_slice() else {
                    return Err(format!("an input of shape {:?}", x.shape));
                };
                if heads == 0 || !features.is_multiple_of(heads) {
                    return Err(format!("{features} features do not divide into {heads} heads"));
                }
                let split = self.view(node, &x, vec![batch, tokens, heads, features / heads])?;
                self.permute(node, &split, &[0, 2, 1, 3])
            } else {
                x
            });
        }
        let [q, mut k, mut v] = <[Live; 3]>::try_from(parts).map_err(|_| "its inputs are missing")?;
        let ([_, heads, tokens, width], [_, key_heads, keys, _], [_, _, _, _]) =
            (q.shape.as_slice(), k.shape.as_slice(), v.shape.as_slice())
        else {
            return Err(format!("shapes {:?}, {:?} and {:?}", q.shape, k.shape, v.shape));
        };
        let (heads, tokens, width, key_heads, keys) = (*heads, *tokens, *width, *key_heads, *keys);
        if key_heads != heads {
            if key_heads == 0 || !heads.is_multiple_of(key_heads) {
                return Err(format!("{heads} heads of queries for {key_heads} of keys"));
            }
            let indices: Vec<usize> = (0..heads).map(|head| head / (heads / key_heads)).collect();
            k = self.gather_axis(node, &k, 1, indices.clone())?;
            v = self.gather_axis(node, &v, 1, indices)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of features")]
        let scale = node.float("scale", 1.0 / (width as f32).sqrt());
        let k = self.permute(node, &k, &[0, 1, 3, 2]);
        let scores = self.multiply(node, &q, &k)?;
        let scaled = LayerKind::Power {
            power: 1.0,
            scale,
            shift: 0.0,
        };
        let mut scores = self.emit_like(node, scaled, &scores);
        if self.given(node, 3).is_some() {
            let mask = match self.optional(node, 3) {
                Ok(Some(mask)) if matches!(mask.data, Data::Bool(_)) => {
                    let kept = mask.to_bools();
                    let values = kept.iter().map(|kept| if *kept { 0.0 } else { f32::NEG_INFINITY });
                    let name = self.keep_values(node, "mask", &mask.dims, values.collect())?;
                    self.held(node, name, &mask.dims)
                }
                _ => self.live(node, 3)?,
            };
            scores = self.pair(node, Pairwise::Add, &scores, &mask)?;
        }
        if node.flag("is_causal", false) {
            self.afford(tokens.saturating_mul(keys))?;
            let values = (0..tokens)
                .flat_map(|row| (0..keys).map(move |column| if column <= row { 0.0 } else { f32::NEG_INFINITY }))
                .collect();
            let name = self.keep_values(node, "causal", &[tokens, keys], values)?;
            let mask = self.held(node, name, &[tokens, keys]);
            scores = self.pair(node, Pairwise::Add, &scores, &mask)?;
        }
        let weights = self.softmax_along(node, &scores, 3)?;
        let y = self.multiply(node, &weights, &v)?;
        if !flat {
            return Ok(y);
        }
        let y = self.permute(node, &y, &[0, 2, 1, 3]);
        let shape = vec![y.shape[0], y.shape[1], y.shape[2] * y.shape[3]];
        self.view(node, &y, shape)
    }
}
