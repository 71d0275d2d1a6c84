//! `deepvis import`: a Caffe network into one burnpack.

use std::process::ExitCode;

use deepvis_importer::record;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::error::Error;
use super::flags::ImportFlags;
use super::stdout::out;

pub(super) fn run(flags: &ImportFlags) -> anyhow::Result<ExitCode> {
    for (flag, path) in [("DEPLOY", &flags.deploy), ("WEIGHTS", &flags.weights)] {
        if !path.exists() {
            return Err(Error::NoFile {
                flag,
                path: path.clone(),
            }
            .into());
        }
    }
    let import = deepvis_importer::import(&flags.deploy, &flags.weights)?;
    for warning in &import.warnings {
        eprintln!("warning: {warning}");
    }
    let bytes: u64 = import
        .weights
        .layers()
        .filter(|(name, _)| import.graph.layer(name).is_some())
        .flat_map(|(_, blobs)| blobs.iter().map(|blob| blob.count() as u64 * 4))
        .sum();
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
