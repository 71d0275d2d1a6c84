//! An expression fitted to a network, and its values.

use burn::tensor::{Device, Tensor, TensorData};

use super::error::Error;
use super::expression::{Channel, Expression, Kind, Operator, Term};
use super::fitted::{Fitted, Inputs};
use super::terms;

/// Entries of an array, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The entries.
    pub values: Vec<f32>,
    /// The shape.
    pub shape: Vec<usize>,
}

/// Where an objective's names lead. Errors are sentences for the user.
pub trait Sources {
    /// Channels, rows and columns of a layer's activations: `[channels, 1, 1]` behind a fully connected layer.
    fn shape(&self, layer: &str) -> Result<[usize; 3], String>;
    /// The channel of a layer that a label stands for.
    fn channel(&self, layer: &str, label: &str) -> Result<usize, String>;
    /// The array in a `.npy` file.
    fn array(&self, file: &str) -> Result<Array, String>;
    /// A layer's activations of a photo, `[channels, rows, columns]`.
    fn photo(&self, layer: &str, file: &str) -> Result<Array, String>;
}

/// A node of an objective's tree.
#[derive(Debug, Clone)]
enum Node {
    Number(f64),
    Term(Box<Fitted>),
    Negative(Box<Self>),
    Binary(Box<Self>, Operator, Box<Self>),
}

/// An [`Expression`] that fits a network.
#[derive(Debug, Clone)]
pub struct Objective {
    expression: Expression,
    root: Node,
}

impl Objective {
    /// Looks up what the expression names, and fails where something does not fit. Arrays are kept on `device`.
    pub fn new(expression: Expression, sources: &dyn Sources, device: &Device) -> Result<Self, Error> {
        let root = fit(&expression, sources, device)?;
        Ok(Self { expression, root })
    }

    /// The expression.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The value of each image, `[batch, 1]`, of `image` `[batch, channels, rows, columns]`, between 0 and 1, and of the
    /// activations of all [`Expression::layers`] by name, `[batch, channels, rows, columns]`. A batch is units of `group` images.
    ///
    /// What is to be maximised is the sum over the batch. Activations that are not there count as nothing.
    pub fn evaluate(&self, activations: &[(&str, Tensor<4>)], image: &Tensor<4>, group: usize) -> Tensor<2> {
        let inputs = Inputs {
            activations,
            image,
            group: group.max(1),
        };
        evaluate(&self.root, &inputs)
    }
}

fn evaluate(node: &Node, inputs: &Inputs<'_>) -> Tensor<2> {
    match node {
        Node::Number(value) => {
            let batch = inputs.image.dims()[0];
            Tensor::full([batch, 1], *value, &inputs.image.device())
        }
        Node::Term(fitted) => terms::value(fitted, inputs),
        Node::Negative(inner) => evaluate(inner, inputs).mul_scalar(-1.0),
        Node::Binary(left, operator, right) => {
            let (left, right) = (evaluate(left, inputs), evaluate(right, inputs));
            match operator {
                Operator::Plus => left + right,
                Operator::Minus => left - right,
                Operator::Times => left * right,
                Operator::Over => left / right,
            }
        }
    }
}

fn fit(expression: &Expression, sources: &dyn Sources, device: &Device) -> Result<Node, Error> {
    Ok(match expression {
        Expression::Number(value) => Node::Number(*value),
        Expression::Term(term) => Node::Term(Box::new(fit_term(term, sources, device)?)),
        Expression::Negative(inner) => Node::Negative(Box::new(fit(inner, sources, device)?)),
        Expression::Binary(left, operator, right) => Node::Binary(
            Box::new(fit(left, sources, device)?),
            *operator,
            Box::new(fit(right, sources, device)?),
        ),
    })
}

/// The shape an array must have.
enum Expected {
    /// One number a channel.
    Vector,
    /// A window no larger than the layer.
    Window,
    /// Just the layer's.
    Whole,
}

fn fit_term(term: &Term, sources: &dyn Sources, device: &Device) -> Result<Fitted, Error> {
    let error = |message: String| Error {
        term: term.to_string(),
        message,
    };
    let channel = |layer: &str, channel: &Channel| -> Result<usize, Error> {
        let [channels, _, _] = sources.shape(layer).map_err(error)?;
        let index = match channel {
            Channel::Index(index) => *index,
            Channel::Label(label) => sources.channel(layer, label).map_err(error)?,
        };
        if index >= channels {
            let last = channels.saturating_sub(1);
            return Err(error(format!("{layer} has channels 0 to {last}, but no {index}")));
        }
        Ok(index)
    };
    let place = |layer: &str, position: Option<[usize; 2]>| -> Result<(), Error> {
        let [_, rows, columns] = sources.shape(layer).map_err(error)?;
        match position {
            Some([row, column]) if row >= rows || column >= columns => Err(error(format!(
                "{layer} has {rows} rows and {columns} columns, counted from 0"
            ))),
            Some(_) | None => Ok(()),
        }
    };
    let array = |layer: &str, file: &str, expected: &Expected| -> Result<Tensor<4>, Error> {
        let array = sources.array(file).map_err(error)?;
        let shape = sources.shape(layer).map_err(error)?;
        // An axis of one image in front is as good as none.
        let found = match array.shape.as_slice() {
            [1, rest @ ..] if rest.len() == 3 => rest,
            all => all,
        };
        let four = match (found, expected) {
            ([channels], Expected::Vector) if *channels == shape[0] => Some([1, *channels, 1, 1]),
            ([channels, rows, columns], Expected::Window)
                if *channels == shape[0] && (1..=shape[1]).contains(rows) && (1..=shape[2]).contains(columns) =>
            {
                Some([1, *channels, *rows, *columns])
            }
            (found, Expected::Whole) if found == shape => Some([1, shape[0], shape[1], shape[2]]),
            (_, Expected::Vector | Expected::Window | Expected::Whole) => None,
        };
        let Some(four) = four else {
            let needed = match expected {
                Expected::Vector => format!("[{}]", shape[0]),
                Expected::Window => format!("[{}, at most {}, at most {}]", shape[0], shape[1], shape[2]),
                Expected::Whole => format!("{shape:?}"),
            };
            return Err(error(format!(
                "{file} has shape {:?}; {layer} needs {needed}",
                array.shape
            )));
        };
        Ok(Tensor::from_data(TensorData::new(array.values, four), device).without_autodiff())
    };
    let photo = |layer: &str, file: &str| -> Result<Tensor<4>, Error> {
        let array = sources.photo(layer, file).map_err(error)?;
        let [channels, rows, columns] = array.shape[..] else {
            return Err(error(format!("the photo's activations have shape {:?}", array.shape)));
        };
        let data = TensorData::new(array.values, [1, channels, rows, columns]);
        Ok(Tensor::from_data(data, device).without_autodiff())
    };
    let mut channels = Vec::new();
    let constant = match &term.kind {
        Kind::Neuron {
            layer,
            channel: named,
            position,
        } => {
            channels.push(channel(layer, named)?);
            place(layer, *position)?;
            None
        }
        Kind::Channel { layer, channel: named } => {
            channels.push(channel(layer, named)?);
            None
        }
        Kind::Interpolate { first, last } => {
            channels.extend([channel(&first.0, &first.1)?, channel(&last.0, &last.1)?]);
            None
        }
        Kind::Layer { layer } | Kind::Mean { layer } | Kind::Diversity { layer } | Kind::Alignment { layer, .. } => {
            place(layer, None)?;
            None
        }
        Kind::Direction { layer, file, .. } | Kind::Cosine { layer, file } => {
            Some(array(layer, file, &Expected::Vector)?)
        }
        Kind::DirectionNeuron {
            layer, file, position, ..
        } => {
            place(layer, *position)?;
            Some(array(layer, file, &Expected::Vector)?)
        }
        Kind::TensorDirection { layer, file, .. } => Some(array(layer, file, &Expected::Window)?),
        Kind::DotCosine { layer, file, .. } => Some(array(layer, file, &Expected::Whole)?),
        Kind::Caricature { layer, photo: file, .. }
        | Kind::Inversion { layer, photo: file }
        | Kind::Difference { layer, photo: file } => Some(photo(layer, file)?),
        Kind::L1 { .. }
        | Kind::L2 { .. }
        | Kind::TotalVariation
        | Kind::Opacity
        | Kind::BlurPenalty
        | Kind::Boundary { .. } => None,
    };
    Ok(Fitted {
        term: term.clone(),
        channels,
        constant,
    })
}
