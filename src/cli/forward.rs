//! `deepvis forward`: a blob, and the gradient of one of its units, as NumPy files.

use std::path::Path;
use std::process::ExitCode;

use burn::tensor::{Tensor, TensorData};
use deepvis_importer::Format;
use ndarray::{ArrayD, Axis, IxDyn};
use ndarray_npy::WriteNpyExt;

use super::compute;
use super::error::{Error, Result};
use super::flags::ForwardFlags;
use super::model::ModelOptions;
use super::stdout::out;
use crate::ascent::floats;
use crate::atomic_file::write_atomically;
use crate::model::Settings;
use crate::model::npy;
use crate::model::photo;
use crate::network::InputSize;
use crate::output::Error as OutputError;

pub(super) fn run(flags: &ForwardFlags, settings: &Settings) -> anyhow::Result<ExitCode> {
    let mut source = ModelOptions::resolve(&flags.model, settings, flags.net.as_deref())?.source;
    let array = if flags.input.extension().is_some_and(|ending| ending == "npy") {
        Some(npy::read(&flags.input)?)
    } else {
        None
    };
    if let (Some(array), InputSize::Declared, Some(weights)) = (&array, source.size, &source.weights)
        && Format::of(weights)? == Format::Onnx
        && let Some(size) = size_of(array.shape())
    {
        // Exporters may leave rows and columns open; the array says what they are.
        source.size = InputSize::Resized(size);
    }
    let model = source.load()?;
    let compute = compute::resolve(&flags.device)?;
    super::warn(&model.import.warnings);
    let mut network = model.network(&flags.layer, &compute)?;
    if array.is_some() {
        // An array is the input as the first layer sees it.
        network = network.with_factors(None);
    }
    let paths = [
        flags.output_dir.join("output.npy"),
        flags.output_dir.join("input_gradient.npy"),
    ];
    if !flags.brave
        && let Some(path) = paths.iter().find(|path| path.exists())
    {
        return Err(OutputError::Exists(path.clone()).into());
    }
    let [channels, rows, columns] = network.image();
    let (image, layout) = match array {
        Some(array) => blob(&flags.input, &array, network.image())?,
        None => {
            let (image, swap) = (network.image(), model.source.preprocessing.swap);
            let pixels = photo::read(&flags.input, image, swap, &model.mean(image)?)?;
            (pixels, Layout::ChannelsFirst)
        }
    };
    let data = TensorData::new(image, [1, channels, rows, columns]);
    let image = Tensor::<4>::from_data(data, &compute.device.clone().autodiff()).require_grad();
    let reading = network.forward(image.clone()).swap_remove(0);
    let shape = reading.value.shape().to_vec();
    let unit = flags
        .unit
        .as_deref()
        .map(|unit| parse_unit(unit, &flags.layer, &shape))
        .transpose()?;
    write(&paths[0], floats(reading.value.tensor())?, &shape)?;
    out!("{}: {shape:?}", paths[0].display());
    if let Some(index) = unit {
        let gradient = reading.gradient(index, &image)?;
        let gradient = ArrayD::from_shape_vec(IxDyn(&[1, channels, rows, columns]), gradient)?;
        let gradient = match layout {
            Layout::ChannelsFirst => gradient,
            Layout::ChannelsLast => gradient.permuted_axes(vec![0, 2, 3, 1]),
        };
        let shape = gradient.shape().to_vec();
        write(&paths[1], gradient.iter().copied().collect(), &shape)?;
        out!("{}: {shape:?}", paths[1].display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Where an array has its channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    ChannelsFirst,
    ChannelsLast,
}

/// Rows and columns of an array of one image.
fn size_of(shape: &[usize]) -> Option<[usize; 2]> {
    let is_channels = |extent: usize| matches!(extent, 1 | 3 | 4);
    match shape {
        [1, first, rows, last] if is_channels(*last) && !is_channels(*first) => Some([*first, *rows]),
        [1, _, rows, columns] => Some([*rows, *columns]),
        _ => None,
    }
}

/// An array as the network's input, channels first.
fn blob(path: &Path, array: &ArrayD<f64>, image: [usize; 3]) -> Result<(Vec<f32>, Layout)> {
    let [channels, rows, columns] = image;
    let array = match array.shape() {
        [1, _, _, _] => array.view().index_axis_move(Axis(0), 0),
        _ => array.view(),
    };
    let (array, layout) = if array.shape() == image {
        (array, Layout::ChannelsFirst)
    } else if array.shape() == [rows, columns, channels] {
        (array.permuted_axes(vec![2, 0, 1]), Layout::ChannelsLast)
    } else {
        return Err(Error::Input {
            path: path.to_owned(),
            message: format!(
                "it has shape {:?}, the network's input is {image:?} (channels, rows, columns)",
                array.shape()
            ),
        });
    };
    #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
    Ok((array.iter().map(|value| *value as f32).collect(), layout))
}

/// The place of a unit, "channel" or all its coordinates, in the row-major blob.
fn parse_unit(given: &str, layer: &str, shape: &[usize]) -> Result<usize> {
    let extents = shape.get(1..).unwrap_or_default();
    let wrong = |message: String| Error::Literal {
        flag: "--unit",
        given: given.to_owned(),
        message,
        expected: "a channel, or channel,row,column",
    };
    let indices: Option<Vec<usize>> = given
        .trim_matches(['(', ')'])
        .split(',')
        .map(|part| part.trim().parse().ok())
        .collect();
    let mut indices = indices.ok_or_else(|| wrong("that is not a unit".into()))?;
    if indices.len() > extents.len() && !indices[extents.len()..].iter().all(|index| *index == 0) {
        return Err(wrong(format!("layer \"{layer}\" has shape {shape:?}")));
    }
    indices.resize(extents.len(), 0);
    let mut place = 0;
    for (index, extent) in indices.iter().zip(extents) {
        if index >= extent {
            return Err(wrong(format!("layer \"{layer}\" has shape {shape:?}")));
        }
        place = place * extent + index;
    }
    Ok(place)
}

fn write(path: &Path, values: Vec<f32>, shape: &[usize]) -> anyhow::Result<()> {
    let array = ArrayD::from_shape_vec(IxDyn(shape), values)?;
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes)?;
    write_atomically(path, &bytes)?;
    Ok(())
}
