//! `deepvis classify`: the likeliest classes of photographs.

use std::path::Path;
use std::process::ExitCode;

use burn::tensor::{Tensor, TensorData};

use super::compute;
use super::error::Error;
use super::flags::ClassifyFlags;
use super::model::{ModelOptions, doubts, files_used};
use super::stdout::out;
use crate::ascent::floats;
use crate::model::Settings;
use crate::model::photo;
use crate::model::{Model, files, named};

pub(super) fn run(flags: &ClassifyFlags, settings: &Settings) -> anyhow::Result<ExitCode> {
    let first = flags.paths[0].as_path();
    let names_net = first.is_dir() || named::is_name(first) || files::Kind::of(first).is_some();
    let (net, images) = if names_net {
        (Some(first), &flags.paths[1..])
    } else {
        (None, flags.paths.as_slice())
    };
    if images.is_empty() {
        return Err(Error::Usage("classify: name at least one photograph (JPEG or PNG)".into()).into());
    }
    let model = ModelOptions::resolve(&flags.model, settings, net)?.source.load()?;
    let compute = compute::resolve(&flags.device)?;
    if let Some(files) = files_used(&model.source) {
        eprintln!("{files}");
    }
    super::warn(&model.import.warnings);
    super::warn(&doubts(&model));
    let layer = match &flags.layer {
        Some(layer) => layer.clone(),
        None => model.last_layer(compute.most_entries).ok_or_else(|| {
            Error::Usage("no layer of this network can be computed; `deepvis inspect` says why".into())
        })?,
    };
    let network = model.network(&layer, &compute)?;
    let classes = network.shape(0).iter().skip(1).product();
    if let Some(why) = model.labels.misfit(&layer, classes) {
        super::warn(&[format!(
            "the labels are not those of \"{layer}\": {why}; classes are shown by number"
        )]);
    }
    let mean = model.mean(network.image())?;
    let [channels, rows, columns] = network.image();
    for path in images {
        let image = photo::read(path, network.image(), model.source.preprocessing.swap, &mean)?;
        let image = Tensor::<4>::from_data(TensorData::new(image, [1, channels, rows, columns]), &compute.device);
        let reading = network.units(image).swap_remove(0);
        let values = floats(reading.value.tensor())?;
        print(path, &values, &model, &layer, flags.top);
    }
    Ok(ExitCode::SUCCESS)
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
