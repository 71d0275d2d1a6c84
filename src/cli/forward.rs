//! `deepvis forward`: a blob, and the gradient of one of its units, as NumPy files.

use std::path::Path;
use std::process::ExitCode;

use burn::tensor::{Tensor, TensorData};
use ndarray::{ArrayD, IxDyn};
use ndarray_npy::WriteNpyExt;

use super::device::Compute;
use super::error::{Error, Result};
use super::flags::ForwardFlags;
use super::mean::read_npy;
use super::model::{Model, ModelOptions};
use super::photo;
use super::settings::Settings;
use super::stdout::out;
use crate::network::Network;
use crate::optimizer::evaluation::floats;
use crate::output::Error as OutputError;
use crate::output::files::write_atomically;

pub(super) fn run(flags: &ForwardFlags, settings: &Settings) -> anyhow::Result<ExitCode> {
    let model = ModelOptions::resolve(&flags.model, settings, flags.net.as_deref())?.load()?;
    let compute = Compute::resolve(&flags.device)?;
    model.warn();
    let network = model.network(&flags.layer, &compute)?;
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
    let image = input(&flags.input, &network, &model)?;
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
        let entries: usize = shape.iter().product();
        let gradients = reading.pushed.view([entries]).narrow(0, index, 1).sum().backward();
        let gradient = match image.grad(&gradients) {
            Some(gradient) => floats(gradient)?,
            None => vec![0.0; channels * rows * columns],
        };
        let shape = [1, channels, rows, columns];
        write(&paths[1], gradient, &shape)?;
        out!("{}: {shape:?}", paths[1].display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The input blob: an array as it is, or a picture less the mean.
fn input(path: &Path, network: &Network, model: &Model) -> Result<Vec<f32>> {
    let image = network.image();
    if path.extension().is_none_or(|ending| ending != "npy") {
        return photo::read(path, image, model.options.swap, &model.mean(image)?);
    }
    let array = read_npy(path)?;
    let fits = match array.shape() {
        [1, rest @ ..] if rest.len() == 3 => rest == image,
        shape => shape == image,
    };
    if !fits {
        return Err(Error::Input {
            path: path.to_owned(),
            message: format!(
                "it has shape {:?}, the network's input is {image:?} (channels, rows, columns)",
                array.shape()
            ),
        });
    }
    #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
    Ok(array.iter().map(|value| *value as f32).collect())
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
