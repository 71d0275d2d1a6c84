//! One unit: begun, checkpointed, written, logged.

use std::path::{Path, PathBuf};

use super::job::LayerJob;
use super::report;
use super::snapshots::Snapshots;
use crate::cli::show;
use crate::optimizer::{self, Climb, Params, Results};
use crate::output::runs::{self, Circumstances, Run};
use crate::output::{self, Extras, ResultFiles, checkpoint};

/// Ending of a checkpoint's name.
const CHECKPOINT: &str = "checkpoint.cbor";

/// A climb at its start, or where its checkpoint says.
///
/// # Errors
/// When the unit is outside its layer, or the checkpoint cannot be used.
pub(super) fn begin(layer: &LayerJob<'_>, params: &Params) -> anyhow::Result<Climb> {
    let mut climb = Climb::new(
        params.clone(),
        layer.mean.clone(),
        layer.network.image(),
        &layer.plan.shape,
    )?;
    let output = &layer.job.flags.output;
    if output.checkpoint_every.is_some() && !output.brave {
        let path = layer.job.files(params, None)?.path(CHECKPOINT);
        if let Some(state) = checkpoint::read(&path, params)? {
            layer
                .job
                .say(&format!("{}: goes on at iteration {}", params.unit, state.iteration));
            climb.restore(state)?;
        }
    }
    Ok(climb)
}

/// Writes the climb's state down when --checkpoint-every says so.
///
/// # Errors
/// When it cannot be written.
pub(super) fn checkpoint(layer: &LayerJob<'_>, climb: &Climb, files: &ResultFiles) -> output::Result<()> {
    let every = layer.job.flags.output.checkpoint_every;
    let is_due = every.is_some_and(|every| climb.iteration().is_multiple_of(every as usize));
    if !is_due || climb.is_finished() {
        return Ok(());
    }
    checkpoint::write(&files.path(CHECKPOINT), climb.params(), climb.state())
}

/// Writes the state of an interrupted climb down, if checkpoints are asked for; whether it did.
///
/// # Errors
/// When it cannot be written.
pub(super) fn keep_for_later(layer: &LayerJob<'_>, climb: &Climb) -> anyhow::Result<bool> {
    if layer.job.flags.output.checkpoint_every.is_none() {
        return Ok(false);
    }
    let path = layer.job.files(climb.params(), None)?.path(CHECKPOINT);
    checkpoint::write(&path, climb.params(), climb.state())?;
    Ok(true)
}

/// Writes the files of a unit; gives a line about it.
///
/// # Errors
/// When a file cannot be written, or is there and may not be overwritten.
pub(super) fn write(
    layer: &LayerJob<'_>,
    params: &Params,
    results: &Results,
    snapshots: Snapshots,
    seconds: f64,
) -> anyhow::Result<String> {
    let job = layer.job;
    let flags = &job.flags.output;
    let files = job.files(params, Some(results))?;
    let extras = Extras {
        mean: &layer.mean,
        swap: job.options.model.swap,
        skip_big: flags.skipbig,
        // Of several units only those are climbed whose files are missing or incomplete.
        brave: flags.brave || (job.several && !ResultFiles::depends_on_results(&flags.output_template)),
    };
    snapshots.finish(&files)?;
    output::write_results(&files, params, results, &extras, || {
        log(layer, params, results, &files, None, seconds)
    })?;
    if flags.checkpoint_every.is_some() {
        // It may never have come to a checkpoint.
        let _ = std::fs::remove_file(files.path(CHECKPOINT));
    }
    let label = label(layer, params);
    let mut summary = report::summary(params, label, results, &files);
    if flags.show
        && let Some(problem) = show::picture(&files.path("best_Xpm.jpg"))
    {
        summary = format!("{summary}\n{problem}");
    }
    Ok(summary)
}

/// Writes a line about a unit that failed.
///
/// # Errors
/// When it cannot be written.
pub(super) fn log_failure(
    layer: &LayerJob<'_>,
    params: &Params,
    results: &Results,
    error: &optimizer::Error,
    seconds: f64,
) -> anyhow::Result<()> {
    let files = layer.job.files(params, Some(results))?;
    log(layer, params, results, &files, Some(error.to_string()), seconds)?;
    Ok(())
}

fn label<'a>(layer: &'a LayerJob<'_>, params: &Params) -> Option<&'a str> {
    layer
        .job
        .model
        .labels
        .name(&params.unit.layer, layer.plan.extents[0], params.unit.channel)
}

fn log(
    layer: &LayerJob<'_>,
    params: &Params,
    results: &Results,
    files: &ResultFiles,
    error: Option<String>,
    seconds: f64,
) -> output::Result<()> {
    let job = layer.job;
    let folder = folder(&job.flags.output.output_prefix);
    let name = match job.shard {
        Some(shard) => format!("runs-{}-of-{}.jsonl", shard.index + 1, shard.count),
        None => "runs.jsonl".to_owned(),
    };
    let circumstances = Circumstances {
        files: files.below(&folder),
        network: report::network_name(job.model),
        label: label(layer, params).map(str::to_owned),
        seconds,
        backend: job.compute.name.clone(),
        error,
    };
    runs::append(&folder.join(name), &Run::new(params, results, circumstances))
}

/// The folder that a prefix of file names points into.
fn folder(prefix: &str) -> PathBuf {
    let parent = if prefix.ends_with('/') {
        Some(Path::new(prefix))
    } else {
        Path::new(prefix).parent()
    };
    parent.map(Path::to_owned).unwrap_or_default()
}
