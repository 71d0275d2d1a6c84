//! The front end for ONNX.
//!
//! 1. `read` takes the file apart, weights left in it;
//! 2. `expand` puts local functions in where they are called;
//! 3. `lower` computes what is known (`fold`) and turns the rest into layers of the neutral graph;
//! 4. `names` finds what can be asked for.

mod expand;
mod fold;
mod lower;
mod names;
mod node;
mod proto;
mod read;
mod tensor;

use std::path::Path;

use crate::Import;
use crate::error::{Error, Result};
use crate::names::counted;
use crate::weights::Weights;
use expand::Functions;
use lower::{Images, Lowering, Value};
use tensor::ElementType;

/// Rows and columns of an image where neither the net nor the user gives them: ImageNet's usual.
const DEFAULT_SIZE: [usize; 2] = [224, 224];
/// The newest version of the operator set that this was written for.
const NEWEST_OPSET: i64 = 23;

/// Reads an ONNX network, for images of `size` rows and columns where that is given, else of the declared size.
///
/// # Errors
/// When the file, or one with its weights, is missing, truncated or of another format, or is not a valid network with an
/// image as input. An operator that is not computed is no error: it concerns only what depends on it.
pub fn import(path: &Path, size: Option<[usize; 2]>) -> Result<Import> {
    let failed = |message: String| Error::Net(message).in_file(path);
    let model = read::read(path)?;
    let mut warnings = Vec::new();
    match model.opsets.get("") {
        None => return Err(failed("it declares no version of the ONNX operators (opset_import): it is invalid".into())),
        Some(version) if *version > NEWEST_OPSET => warnings.push(format!(
            "{}: its operators are of version {version}; {NEWEST_OPSET} is the newest that deepvis knows, and is assumed",
            path.display()
        )),
        Some(_) => {}
    }
    let functions = Functions::new(model.functions);
    let nodes = functions.expand(model.nodes, &model.opsets).map_err(failed)?;
    let mut lowering = Lowering::new(&model.name, &functions, &model.opsets);
    for (name, initializer) in model.initializers {
        lowering.bind_initializer(name, initializer);
    }
    let inputs: Vec<_> = model
        .inputs
        .iter()
        .filter(|input| !lowering.values.contains_key(input.name()))
        .collect();
    for input in &inputs {
        let image = image_shape(input, size).map_err(failed)?;
        let live = lowering.image(input.name(), &image);
        lowering.values.insert(input.name().to_owned(), Value::Live(live));
    }
    lowering.run(&nodes).map_err(failed)?;
    let (targets, holds_a_norm) = names::targets(&lowering, &nodes);
    let modules = names::modules(&nodes);
    let Lowering { mut graph, tensors, .. } = lowering;
    graph.targets = targets;
    graph.modules = modules;
    if let Some(module) = holds_a_norm {
        warnings.push(format!(
            "the exporter folded batch normalizations into convolutions: \"{module}\" and names like it stand for the value \
             after both"
        ));
    }
    for layer in &graph.layers {
        if let crate::LayerKind::Unsupported { reason: Some(reason) } = &layer.kind
            && !reason.starts_with("it depends on")
        {
            warnings.push(format!(
                "node \"{}\" ({}) is not computed: {reason}; units that depend on it cannot be pushed",
                layer.name, layer.type_name
            ));
        }
    }
    graph.check().map_err(|e| e.in_file(path))?;
    Ok(Import {
        graph,
        weights: Weights::new(tensors, path.to_owned()),
        warnings,
        doubts: Vec::new(),
        transform: None,
    })
}

/// The image that an input takes, and whether its channels come last.
struct Image {
    /// Batch, channels, rows, columns.
    shape: [usize; 4],
    channels_last: bool,
}

fn image_shape(input: &proto::ValueInfoProto, size: Option<[usize; 2]>) -> std::result::Result<Image, String> {
    let name = input.name();
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let element = ElementType::of(i64::from(tensor.map_or(1, proto::type_proto::Tensor::elem_type)))?;
    if !element.is_float() {
        return Err(format!(
            "its input \"{name}\" holds whole numbers (tokens, perhaps, or bytes), no image of real numbers that could be \
             climbed on"
        ));
    }
    let Some(shape) = tensor.and_then(|tensor| tensor.shape.as_ref()) else {
        return Err(format!("its input \"{name}\" has no declared shape"));
    };
    let mut extents = Vec::new();
    for dim in &shape.dim {
        extents.push(match dim.dim_value {
            Some(value) if value < 0 => return Err(format!("its input \"{name}\" has a negative dimension, {value}")),
            Some(value) if value > 1 << 24 => return Err(format!("its input \"{name}\" has a dimension of {value}")),
            Some(value) => usize::try_from(value).ok().filter(|value| *value > 0),
            None => None,
        });
    }
    let [_, first, second, third] = *extents.as_slice() else {
        return Err(format!(
            "its input \"{name}\" has {}; an image has 4 axes: batch, channels, rows, columns",
            counted(extents.len(), "axis")
        ));
    };
    let is_channels = |extent: Option<usize>| matches!(extent, Some(1 | 3 | 4));
    let channels_last = is_channels(third) && !is_channels(first);
    let [rows, columns] = size.unwrap_or(DEFAULT_SIZE);
    let chosen = |declared: Option<usize>, default: usize| match size {
        Some(_) => default,
        None => declared.unwrap_or(default),
    };
    let shape = if channels_last {
        [1, third.unwrap_or(3), chosen(first, rows), chosen(second, columns)]
    } else {
        [1, first.unwrap_or(3), chosen(second, rows), chosen(third, columns)]
    };
    Ok(Image { shape, channels_last })
}

impl Lowering<'_> {
    /// Adds an input, turned to where the net has its channels.
    fn image(&mut self, name: &str, image: &Image) -> lower::Live {
        let live = self.input(name, &image.shape);
        if !image.channels_last {
            return live;
        }
        let [batch, channels, rows, columns] = image.shape;
        let id = self.graph.add_value(name);
        self.graph.layers.push(crate::Layer {
            name: name.to_owned(),
            type_name: "Transpose".to_owned(),
            kind: crate::LayerKind::Permute {
                order: vec![0, 2, 3, 1],
            },
            inputs: vec![live.id],
            outputs: vec![id],
        });
        lower::Live {
            id,
            shape: vec![batch, rows, columns, channels],
            images: Images::Axis(0),
        }
    }
}
