//! `deepvis import`: a network into one burnpack.

use std::process::ExitCode;

use deepvis_importer::record;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::error::Error;
use super::flags::ImportFlags;
use super::literals;
use super::stdout::out;

pub(super) fn run(flags: &ImportFlags) -> anyhow::Result<ExitCode> {
    for (flag, path) in [("NET", Some(&flags.deploy)), ("WEIGHTS", flags.weights.as_ref())] {
        if let Some(path) = path
            && !path.exists()
        {
            return Err(Error::NoFile {
                flag,
                path: path.clone(),
            }
            .into());
        }
    }
    let import = match &flags.weights {
        Some(weights) => deepvis_importer::import(&flags.deploy, weights)?,
        None if flags.deploy.extension().is_some_and(|ending| ending == "prototxt") => {
            return Err(Error::Usage(format!("import: {} needs its .caffemodel too", flags.deploy.display())).into());
        }
        None => {
            let size = flags.data_size.as_deref().map(literals::data_size).transpose()?;
            deepvis_importer::open(&flags.deploy, size)?
        }
    };
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
