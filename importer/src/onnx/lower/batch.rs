//! The images of a batch, kept apart through operators that know of one image only.

use super::{Images, Live, Lowering, MOST_AXES};
use crate::graph::{LayerKind, Move};
use crate::onnx::node::Node;
use crate::onnx::tensor::{Step, count};

impl Lowering<'_> {
    /// The same entries under another shape.
    pub(super) fn view(&mut self, node: &Node, input: &Live, shape: Vec<usize>) -> Step<Live> {
        if count(&shape)? != count(&input.shape)? {
            return Err(format!("{:?} cannot become {shape:?}", input.shape));
        }
        if shape == input.shape {
            return Ok(input.clone());
        }
        let images = match input.images {
            // The images stay apart where as many entries lie before their axis as before.
            Images::Axis(axis) => {
                let before: usize = input.shape[..axis].iter().product();
                let place = (0..shape.len()).find(|i| shape[..*i].iter().product::<usize>() == before);
                place.map_or(Images::Alone, Images::Axis)
            }
            other => other,
        };
        if images == Images::Alone && matches!(input.images, Images::Axis(_)) && !shape.is_empty() {
            let front = self.fronted(node, input);
            return Ok(self.labelled(node, &front, shape, Images::Axis(0)));
        }
        Ok(self.labelled(node, input, shape, images))
    }

    /// A view whose images are known to lie along an axis.
    fn labelled(&mut self, node: &Node, input: &Live, shape: Vec<usize>, images: Images) -> Live {
        let kind = LayerKind::Move(Move::View {
            shape: shape.clone(),
            images: match images {
                Images::Axis(axis) => Some(axis),
                Images::None | Images::Alone => None,
            },
        });
        self.emit(node, kind, &[input], shape, images)
    }

    /// The same value with each image whole, one after the other.
    pub(in crate::onnx) fn fronted(&mut self, node: &Node, x: &Live) -> Live {
        let Images::Axis(axis) = x.images else {
            return x.clone();
        };
        let (before, behind) = x.shape.split_at(axis);
        let (before, behind): (usize, usize) = (before.iter().product(), behind.iter().product());
        if axis == 0 {
            return x.clone();
        }
        if before == 1 {
            return self.labelled(node, x, x.shape.clone(), Images::Axis(0));
        }
        let apart = self.labelled(node, x, vec![before, 1, behind], Images::Axis(1));
        let turned = self.permute(node, &apart, &[1, 0, 2]);
        self.labelled(node, &turned, x.shape.clone(), Images::Axis(0))
    }

    /// A value whose images have an axis of their own in front, so that an operator may work along any other.
    pub(super) fn lifted(&mut self, node: &Node, x: &Live, rank: usize) -> Live {
        if x.images == Images::None {
            return x.clone();
        }
        let front = self.fronted(node, x);
        let mut shape = vec![1; rank + 1 - x.shape.len()];
        shape.extend(&x.shape);
        self.labelled(node, &front, shape, front.images)
    }

    /// The value, lifted if an operator along `axes` would mix its images, and by how many axes.
    pub(super) fn apart(&mut self, node: &Node, x: &Live, axes: &[usize]) -> (Live, usize) {
        match x.images {
            Images::Axis(axis) if axes.contains(&axis) && x.shape.len() < MOST_AXES => {
                (self.lifted(node, x, x.shape.len()), 1)
            }
            Images::Axis(_) | Images::None | Images::Alone => (x.clone(), 0),
        }
    }

    /// The result of a lifted operator, without the axis in front.
    pub(super) fn dropped(&mut self, node: &Node, y: &Live, lift: usize) -> Step<Live> {
        self.view(node, y, y.shape[lift..].to_vec())
    }
}

/// Images of a layer that works along some axes.
pub(super) fn apart_along(x: &Live, axes: &[usize]) -> Images {
    match x.images {
        Images::Axis(axis) if axes.contains(&axis) => Images::Alone,
        other => other,
    }
}

/// Images of a value that several are stretched to: along one axis, counted from the end, in all that have some.
pub(super) fn together(inputs: &[&Live], shape: &[usize]) -> Images {
    let mut images = Images::None;
    for input in inputs {
        match input.images {
            Images::None => {}
            Images::Alone => return Images::Alone,
            Images::Axis(own) => {
                let axis = own + shape.len() - input.shape.len();
                let same = images == Images::None || images == Images::Axis(axis);
                if input.shape[own] != shape[axis] || !same {
                    return Images::Alone;
                }
                images = Images::Axis(axis);
            }
        }
    }
    images
}

/// Whether an operator that would mix images can be lifted.
pub(super) fn can_lift(inputs: &[&Live], rank: usize) -> bool {
    rank < MOST_AXES && inputs.iter().all(|input| input.images != Images::Alone)
}
