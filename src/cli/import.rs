//! `deepvis import`: a network into one burnpack.

use std::process::ExitCode;

use deepvis_importer::record;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::error::Error;
use super::flags::ImportFlags;
use super::literals;
use super::stdout::out;
use crate::model::{self, Source};
use crate::network::InputSize;

/// The network's files: as named, else as every command finds them.
fn source(flags: &ImportFlags) -> anyhow::Result<Source> {
    let net = &flags.net;
    let mut source = match &flags.weights {
        Some(weights) => {
            for (flag, path) in [("NET", net), ("WEIGHTS", weights)] {
                if !path.exists() {
                    let path = path.clone();
                    return Err(Error::NoFile { flag, path }.into());
                }
            }
            Source::caffe(net, weights)
        }
        None => Source::at(net).map_err(told)?,
    };
    if let Some(size) = flags.data_size.as_deref() {
        source.size = InputSize::Resized(literals::data_size(size)?);
    }
    Ok(source)
}

/// What is said of a network that is not found, without the flags that other commands have for it.
fn told(error: model::Error) -> anyhow::Error {
    match error {
        model::Error::Half { .. } | model::Error::NoneFits { .. } | model::Error::Several { .. } => Error::Usage(
            format!("{error}; name both files, as in `deepvis import deploy.prototxt net.caffemodel -o net.bpk`"),
        )
        .into(),
        model::Error::NoneInFolder { .. } | model::Error::Unknown(_) | model::Error::NoNetwork => {
            Error::Usage(error.to_string()).into()
        }
        model::Error::Read { .. }
        | model::Error::NoFile { .. }
        | model::Error::Settings { .. }
        | model::Error::Mean(_)
        | model::Error::Input { .. }
        | model::Error::Import(_) => error.into(),
    }
}

pub(super) fn run(flags: &ImportFlags) -> anyhow::Result<ExitCode> {
    let import = source(flags)?.import().map_err(told)?;
    for warning in &import.warnings {
        eprintln!("warning: {warning}");
    }
    let bytes = import.weights.bytes();
    let bar = ProgressBar::new(bytes);
    if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {bytes}/{total_bytes} {eta} left") {
        bar.set_style(style.progress_chars("=> "));
    }
    let told = bar.clone();
    record::write(&import, &flags.output, flags.brave, move |bytes| told.inc(bytes))?;
    bar.finish_and_clear();
    out!(
        "{}: {} layers, {} of weights",
        flags.output.display(),
        import.graph.layers.len(),
        HumanBytes(bytes)
    );
    Ok(ExitCode::SUCCESS)
}
