//! `deepvis classify`: the likeliest classes of photographs.

use std::path::Path;
use std::process::ExitCode;

use burn::tensor::{Tensor, TensorData};

use super::device::Compute;
use super::error::Error;
use super::flags::ClassifyFlags;
use super::model::{Model, ModelOptions, named};
use super::photo;
use super::settings::Settings;
use super::stdout::out;
use crate::network::{InputSize, survey};
use crate::optimizer::evaluation::floats;

pub(super) fn run(flags: &ClassifyFlags, settings: &Settings) -> anyhow::Result<ExitCode> {
    let first = flags.paths[0].as_path();
    let names_net = first.is_dir()
        || named::is_name(first)
        || first
            .extension()
            .is_some_and(|e| e == "bpk" || e == "prototxt" || e == "caffemodel");
    let (net, images) = if names_net {
        (Some(first), &flags.paths[1..])
    } else {
        (None, flags.paths.as_slice())
    };
    if images.is_empty() {
        return Err(Error::Usage("classify: name at least one photograph (JPEG or PNG)".into()).into());
    }
    let model = ModelOptions::resolve(&flags.model, settings, net)?.load()?;
    let compute = Compute::resolve(&flags.device)?;
    model.warn();
    let layer = match &flags.layer {
        Some(layer) => layer.clone(),
        None => last_layer(&model, compute.most_entries)?,
    };
    let network = model.network(&layer, &compute)?;
    let mean = model.mean(network.image())?;
    let [channels, rows, columns] = network.image();
    for path in images {
        let image = photo::read(path, network.image(), model.options.swap, &mean)?;
        let image = Tensor::<4>::from_data(TensorData::new(image, [1, channels, rows, columns]), &compute.device);
        let reading = network.forward(image).swap_remove(0);
        let values = floats(reading.value.tensor())?;
        print(path, &values, &model, &layer, flags.top);
    }
    Ok(ExitCode::SUCCESS)
}

/// The last layer whose result can be computed: the class probabilities, in a net that ends with them.
fn last_layer(model: &Model, most_entries: usize) -> anyhow::Result<String> {
    let facts = survey(
        &model.import.graph,
        Some(&model.import.weights),
        InputSize::Declared,
        most_entries,
    );
    facts
        .iter()
        .rev()
        .find(|fact| fact.problem.is_none() && fact.kind != "Input")
        .and_then(|fact| fact.tops.first().cloned())
        .ok_or_else(|| {
            Error::Usage("no layer of this network can be computed; `deepvis inspect` says why".into()).into()
        })
}

fn print(path: &Path, values: &[f32], model: &Model, layer: &str, top: usize) {
    let mut ranked: Vec<(usize, f32)> = values.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    out!("{}", path.display());
    for (channel, value) in ranked.into_iter().take(top) {
        let label = model.labels.name(layer, values.len(), channel).unwrap_or("");
        out!("  {value:10.6}  {channel:>5}  {label}");
    }
}
