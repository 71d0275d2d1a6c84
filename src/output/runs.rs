//! `runs.jsonl`: a line for every unit that was climbed, for pandas and for the gallery.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::Result;
use super::original::FindParams;
use crate::ascent::Record;
use crate::atomic_file;

/// Points of a curve in [`Run`], at most.
const CURVE_POINTS: usize = 64;

/// One line. Names are those of `FindParams` and `FindResults` where these have them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The files' common beginning, relative to the folder of `runs.jsonl`: append `_best_X.jpg` and the like.
    pub files: String,
    /// What decides the result: recipe, network and preprocessing.
    #[serde(default)]
    pub run_key: String,
    /// The network's name.
    pub network: String,
    /// What was pushed.
    pub push_layer: String,
    /// The objective, where it is no unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// Its channel.
    pub push_channel: usize,
    /// Its row and column.
    pub push_spatial: [usize; 2],
    /// The name of the class it stands for.
    pub label: Option<String>,
    /// Seed of the start image.
    pub rand_seed: u32,
    /// Direction.
    pub push_dir: f64,
    /// How the start image was made.
    pub start_at: String,
    /// Regularizer.
    pub decay: f64,
    /// Regularizer.
    pub blur_radius: f64,
    /// Regularizer.
    pub blur_every: i64,
    /// Regularizer.
    pub small_val_percentile: f64,
    /// Regularizer.
    pub small_norm_percentile: f64,
    /// Regularizer.
    pub px_benefit_percentile: f64,
    /// Regularizer.
    pub px_abs_benefit_percentile: f64,
    /// Learning rate policy.
    pub lr_policy: String,
    /// Its parameters, a Python dict.
    pub lr_params: String,
    /// Iterations that were asked for.
    pub max_iter: usize,
    /// Iterations that were done.
    pub iterations: usize,
    /// Iteration of the best objective.
    pub best_ii: Option<usize>,
    /// The best objective.
    pub best_obj: Option<f32>,
    /// The last objective.
    pub last_obj: Option<f32>,
    /// Iteration at which the unit first was the largest of its layer.
    pub majority_ii: Option<usize>,
    /// How it ended.
    pub meta_result: Option<String>,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// Iterations of the curve, evenly spread, the last among them.
    pub curve_ii: Vec<usize>,
    /// The objective there.
    pub curve_obj: Vec<f32>,
    /// Channels, rows and columns of the image.
    pub image: [usize; 3],
    /// Seconds that the unit took; of units that climb together, each one's share.
    pub seconds: f64,
    /// When it was done: RFC 3339, UTC.
    pub finished: String,
    /// What computed it.
    pub backend: String,
    /// The arithmetic of the images.
    #[serde(default)]
    pub precision: String,
    /// The version of deepvis.
    pub version: String,
}

/// What a line says beside parameters and results.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// See [`Run::files`].
    pub files: String,
    /// See [`Run::run_key`].
    pub run_key: String,
    /// The network's name.
    pub network: String,
    /// See [`Run::label`].
    pub label: Option<String>,
    /// See [`Run::seconds`].
    pub seconds: f64,
    /// What computed it.
    pub backend: String,
    /// See [`Run::precision`].
    pub precision: String,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Run {
    /// The line of an optimization that ends now.
    pub fn new(params: FindParams<'_>, record: &Record, circumstances: Circumstances) -> Self {
        let FindParams { recipe, spelling } = params;
        let regularizers = &recipe.regularizers;
        let steps = record.ii.len();
        let every = steps.div_ceil(CURVE_POINTS).max(1);
        let points: Vec<usize> = (0..steps).filter(|i| i % every == 0 || i + 1 == steps).collect();
        Self {
            files: circumstances.files,
            run_key: circumstances.run_key,
            network: circumstances.network,
            push_layer: recipe.objective.unit.layer.clone(),
            objective: recipe.formula.as_ref().map(ToString::to_string),
            push_channel: recipe.objective.unit.channel,
            push_spatial: recipe.objective.unit.spatial,
            label: circumstances.label,
            rand_seed: recipe.seed,
            push_dir: recipe.objective.direction,
            start_at: recipe.start_name().into(),
            decay: regularizers.decay,
            blur_radius: regularizers.blur_radius,
            blur_every: i64::try_from(regularizers.blur_every).unwrap_or(i64::MAX),
            small_val_percentile: regularizers.small_val_percentile,
            small_norm_percentile: regularizers.small_norm_percentile,
            px_benefit_percentile: regularizers.px_benefit_percentile,
            px_abs_benefit_percentile: regularizers.px_abs_benefit_percentile,
            lr_policy: recipe.optimizer.name().into(),
            lr_params: spelling.lr_params.repr(),
            max_iter: recipe.steps,
            iterations: steps,
            best_ii: record.best.as_ref().map(|best| best.ii),
            best_obj: record.best.as_ref().map(|best| best.obj),
            last_obj: record.last.as_ref().map(|last| last.obj),
            majority_ii: record.majority.as_ref().map(|majority| majority.ii),
            meta_result: record.ending.map(|result| result.message().into()),
            error: circumstances.error,
            curve_ii: points.iter().map(|i| record.ii[*i]).collect(),
            curve_obj: points.iter().map(|i| record.obj[*i]).collect(),
            image: record.image,
            seconds: circumstances.seconds,
            finished: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
            backend: circumstances.backend,
            precision: circumstances.precision,
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}

/// Appends a line, whole or not at all: several programs may write into one file at once. A line that a crash of the
/// machine cut off is taken away first; a last line that only lacks its end, as editors leave it, is kept.
///
/// # Errors
/// When the file cannot be written.
pub fn append(path: &Path, run: &Run) -> Result<()> {
    let failed = |source| atomic_file::Error {
        path: path.to_owned(),
        source,
    };
    let mut line = serde_json::to_vec(run).map_err(|e| failed(e.into()))?;
    line.push(b'\n');
    let mut options = File::options();
    options.read(true).append(true).create(true);
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut file = atomic_file::in_folder(folder, || options.open(path)).map_err(failed)?;
    // On a file system without locks, a single write of the whole line is the best that can be done.
    let _ = file.lock();
    end_last_line(&mut file).map_err(failed)?;
    Ok(file.write_all(&line).map_err(failed)?)
}

fn end_last_line(file: &mut File) -> std::io::Result<()> {
    let len = file.metadata()?.len();
    if len == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last != [b'\n'] {
        let mut text = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if serde_json::from_slice::<serde_json::Value>(&text[whole..]).is_ok() {
            file.write_all(b"\n")?;
        } else {
            file.set_len(whole as u64)?;
        }
    }
    Ok(())
}

/// What the logs of a folder hold.
#[derive(Debug, Default)]
pub struct Log {
    /// Oldest first within a file.
    pub runs: Vec<Run>,
    /// Lines that cannot be understood.
    pub damaged: usize,
    /// Files that cannot be read, and why.
    pub unread: Vec<(PathBuf, std::io::Error)>,
}

/// All lines of a folder's `runs.jsonl` and of its shards' (`runs-3-of-16.jsonl`), of regular files alone.
///
/// # Errors
/// When the folder cannot be read.
pub fn read(folder: &Path) -> std::io::Result<Log> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            name.is_some_and(|name| name.starts_with("runs") && name.ends_with(".jsonl")) && path.is_file()
        })
        .collect();
    paths.sort();
    let mut log = Log::default();
    for path in paths {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                log.unread.push((path, error));
                continue;
            }
        };
        for line in String::from_utf8_lossy(&bytes).lines() {
            match serde_json::from_str(line) {
                Ok(run) => log.runs.push(run),
                Err(_) => log.damaged += 1,
            }
        }
    }
    Ok(log)
}
