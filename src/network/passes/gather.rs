//! Functions of each entry that exporters write as several operators, gathered into one layer again: swish (`x * sigmoid(x)`),
//! hard swish (`x * hard_sigmoid(x)`), and GELU (`x / 2 * (1 + erf(x / sqrt 2))`, with the half before or after). One pass over
//! the entries takes the place of up to five.

use deepvis_importer::graph::{Pairwise as Operation, Unary as Of, ValueId};

use super::super::layers::LayerModule;
use super::super::layers::entrywise::{Entrywise, Function};
use super::super::layers::general::unary::Unary;
use super::super::run::Step;

/// How far a constant in a file, rounded to float32 or a few digits, may be from what is meant.
const NEAR: f32 = 1e-5;

fn is_near(x: f32, meant: f32) -> bool {
    (x - meant).abs() < NEAR
}

/// Gathers functions whose parts nobody else reads; the parts are then not computed.
pub(in crate::network) fn functions(layers: &mut Vec<LayerModule>, steps: &mut Vec<Step>, wanted: &[ValueId]) {
    let net = Net::new(layers, steps, wanted);
    let found: Vec<(usize, Gathered)> = (0..steps.len())
        .filter_map(|last| Some((last, net.at(last)?)))
        .collect();
    let mut parts = vec![false; steps.len()];
    for (last, gathered) in found {
        for part in gathered.parts {
            parts[part] = true;
        }
        layers[last] = gathered.layer;
        steps[last].reads = vec![gathered.x];
    }
    let kept = steps.drain(..).zip(layers.drain(..)).zip(parts);
    let kept: Vec<(Step, LayerModule)> = kept.filter(|(_, is_part)| !is_part).map(|(kept, _)| kept).collect();
    (*steps, *layers) = kept.into_iter().unzip();
}

/// A function that was found.
struct Gathered {
    /// What it is a function of.
    x: ValueId,
    /// The steps before the last that compute nothing else.
    parts: Vec<usize>,
    layer: LayerModule,
}

/// A network, to be followed backwards.
struct Net<'a> {
    layers: &'a [LayerModule],
    steps: &'a [Step],
    readers: Vec<usize>,
    /// Which step writes each value.
    writers: Vec<Option<usize>>,
}

impl<'a> Net<'a> {
    fn new(layers: &'a [LayerModule], steps: &'a [Step], wanted: &[ValueId]) -> Self {
        let readers = super::readers(steps, wanted);
        let mut writers = vec![None; readers.len()];
        for (index, step) in steps.iter().enumerate() {
            for value in &step.writes {
                writers[*value] = Some(index);
            }
        }
        Self {
            layers,
            steps,
            readers,
            writers,
        }
    }

    /// The step that makes a value which one step alone reads.
    fn maker(&self, value: ValueId) -> Option<(usize, &'a LayerModule)> {
        let step = self.writers[value].filter(|_| self.readers[value] == 1)?;
        Some((step, &self.layers[step]))
    }

    /// The only value that a step reads.
    fn source(&self, step: usize) -> Option<ValueId> {
        match self.steps[step].reads.as_slice() {
            [value] => Some(*value),
            _ => None,
        }
    }

    /// The factors of a product, in both orders.
    fn factors(&self, step: usize) -> Option<[[ValueId; 2]; 2]> {
        match (&self.layers[step], self.steps[step].reads.as_slice()) {
            (LayerModule::Pairwise(pair), [a, b]) if pair.operation() == Operation::Mul => Some([[*a, *b], [*b, *a]]),
            _ => None,
        }
    }

    /// The value that a value is a multiple of, and the step between.
    fn multiple(&self, value: ValueId, factor: f32) -> Option<(ValueId, usize)> {
        let (step, LayerModule::Power(power)) = self.maker(value)? else {
            return None;
        };
        let (scale, shift) = power.affine()?;
        (is_near(scale, factor) && shift == 0.0).then_some((self.source(step)?, step))
    }

    fn at(&self, last: usize) -> Option<Gathered> {
        if let Some(orders) = self.factors(last) {
            return orders
                .into_iter()
                .find_map(|[x, gate]| self.gated(x, gate).or_else(|| self.halved_gelu(x, gate)));
        }
        // The half of GELU comes last.
        let LayerModule::Power(power) = &self.layers[last] else {
            return None;
        };
        if power.affine() != Some((0.5, 0.0)) {
            return None;
        }
        let (product, _) = self.maker(self.source(last)?)?;
        self.factors(product)?.into_iter().find_map(|[x, share]| {
            let mut parts = self.twice_the_share(x, share)?;
            parts.push(product);
            Some(gelu(x, parts))
        })
    }

    /// x * sigmoid(x), or x * `hard_sigmoid`(x).
    fn gated(&self, x: ValueId, gate: ValueId) -> Option<Gathered> {
        let (step, layer) = self.maker(gate)?;
        if self.source(step)? != x {
            return None;
        }
        let layer = match layer {
            LayerModule::Entrywise(gate) if gate.function() == Function::Sigmoid => {
                LayerModule::Entrywise(Entrywise::new(Function::Swish { beta: 1.0 }))
            }
            LayerModule::Unary(gate) => match gate.function() {
                Of::HardSigmoid { alpha, beta } if is_near(alpha, 1.0 / 6.0) && beta == 0.5 => {
                    LayerModule::Unary(Unary::new(Of::HardSwish))
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(Gathered {
            x,
            parts: vec![step],
            layer,
        })
    }

    /// (x / 2) * (1 + erf(x / sqrt 2)).
    fn halved_gelu(&self, half: ValueId, share: ValueId) -> Option<Gathered> {
        let (x, halving) = self.multiple(half, 0.5)?;
        let mut parts = self.twice_the_share(x, share)?;
        parts.push(halving);
        Some(gelu(x, parts))
    }

    /// The steps of 1 + erf(x / sqrt 2).
    fn twice_the_share(&self, x: ValueId, share: ValueId) -> Option<Vec<usize>> {
        let (adding, LayerModule::Power(power)) = self.maker(share)? else {
            return None;
        };
        if power.affine() != Some((1.0, 1.0)) {
            return None;
        }
        let (erf, LayerModule::Unary(unary)) = self.maker(self.source(adding)?)? else {
            return None;
        };
        let (of, scaling) = self.multiple(self.source(erf)?, std::f32::consts::FRAC_1_SQRT_2)?;
        (unary.function() == Of::Erf && of == x).then(|| vec![adding, erf, scaling])
    }
}

fn gelu(x: ValueId, parts: Vec<usize>) -> Gathered {
    Gathered {
        x,
        parts,
        layer: LayerModule::Unary(Unary::new(Of::Gelu)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::layers::general::pairwise::Pairwise;
    use crate::network::layers::power::{Outer, Power};

    fn line(scale: f32, shift: f32) -> LayerModule {
        LayerModule::Power(Power::new(Outer::Power(1.0), scale, shift))
    }

    fn product() -> LayerModule {
        LayerModule::Pairwise(Pairwise::new(Operation::Mul))
    }

    fn sigmoid() -> LayerModule {
        LayerModule::Entrywise(Entrywise::new(Function::Sigmoid))
    }

    /// What is left of a net, and what its last layer reads.
    fn gathered(net: Vec<(LayerModule, Step)>, wanted: &[ValueId]) -> (Vec<LayerModule>, Vec<ValueId>) {
        let (mut layers, mut steps): (Vec<_>, Vec<_>) = net.into_iter().unzip();
        functions(&mut layers, &mut steps, wanted);
        let reads = steps.pop().unwrap().reads;
        (layers, reads)
    }

    #[test]
    fn a_product_with_its_own_sigmoid_is_a_swish() {
        let net = |reads: [ValueId; 2]| vec![(sigmoid(), Step::from(&[0], 1)), (product(), Step::from(&reads, 2))];
        for reads in [[0, 1], [1, 0]] {
            let (layers, reads) = gathered(net(reads), &[2]);
            let [LayerModule::Entrywise(layer)] = layers.as_slice() else {
                panic!("{layers:?}");
            };
            assert_eq!((layer.function(), reads), (Function::Swish { beta: 1.0 }, vec![0]));
        }
        // A unit of the sigmoid is asked for; another value is multiplied; somebody else reads it.
        assert_eq!(gathered(net([0, 1]), &[1, 2]).0.len(), 2);
        assert_eq!(gathered(net([5, 1]), &[2]).0.len(), 2);
        let mut read_twice = net([0, 1]);
        read_twice.push((line(2.0, 0.0), Step::from(&[1], 3)));
        assert_eq!(gathered(read_twice, &[2, 3]).0.len(), 3);
    }

    #[test]
    fn gelu_is_found_however_its_half_is_placed() {
        let share = || {
            vec![
                (line(0.707_106_77, 0.0), Step::from(&[0], 1)),
                (LayerModule::Unary(Unary::new(Of::Erf)), Step::from(&[1], 2)),
                (line(1.0, 1.0), Step::from(&[2], 3)),
            ]
        };
        let (mut after, mut before) = (share(), share());
        after.extend([
            (product(), Step::from(&[0, 3], 4)),
            (line(0.5, 0.0), Step::from(&[4], 5)),
        ]);
        before.extend([
            (line(0.5, 0.0), Step::from(&[0], 4)),
            (product(), Step::from(&[3, 4], 5)),
        ]);
        for net in [after.clone(), before] {
            let (layers, reads) = gathered(net, &[5]);
            let [LayerModule::Unary(layer)] = layers.as_slice() else {
                panic!("{layers:?}");
            };
            assert_eq!((layer.function(), reads), (Of::Gelu, vec![0]));
        }
        // Another factor, and a part that is asked for.
        let mut other = after.clone();
        other[0].0 = line(0.7, 0.0);
        assert_eq!(gathered(other, &[5]).0.len(), 5);
        assert_eq!(gathered(after, &[3, 5]).0.len(), 5);
    }
}
