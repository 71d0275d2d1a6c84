//! `runs.jsonl`: a line for every unit that was climbed, for pandas and for the gallery.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use crate::optimizer::{Params, Results};

/// Points of a curve in [`Run`], at most.
const CURVE_POINTS: usize = 64;

/// One line. Names are those of `FindParams` and `FindResults` where these have them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The files' common beginning, relative to the folder of `runs.jsonl`: append `_best_X.jpg` and the like.
    pub files: String,
    /// The network's name.
    pub network: String,
    /// What was pushed.
    pub push_layer: String,
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
    /// The version of deepvis.
    pub version: String,
}

/// What a line says beside parameters and results.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// See [`Run::files`].
    pub files: String,
    /// The network's name.
    pub network: String,
    /// See [`Run::label`].
    pub label: Option<String>,
    /// See [`Run::seconds`].
    pub seconds: f64,
    /// What computed it.
    pub backend: String,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Run {
    /// The line of an optimization that ends now.
    pub fn new(params: &Params, results: &Results, circumstances: Circumstances) -> Self {
        let regularizers = &params.regularizers;
        let steps = results.ii.len();
        let every = steps.div_ceil(CURVE_POINTS).max(1);
        let points: Vec<usize> = (0..steps).filter(|i| i % every == 0 || i + 1 == steps).collect();
        Self {
            files: circumstances.files,
            network: circumstances.network,
            push_layer: params.unit.layer.clone(),
            push_channel: params.unit.channel,
            push_spatial: params.unit.spatial,
            label: circumstances.label,
            rand_seed: params.rand_seed,
            push_dir: params.push_dir.value(),
            start_at: params.start_at.name().into(),
            decay: regularizers.decay.value(),
            blur_radius: regularizers.blur_radius.value(),
            blur_every: regularizers.blur_every,
            small_val_percentile: regularizers.small_val_percentile.value(),
            small_norm_percentile: regularizers.small_norm_percentile.value(),
            px_benefit_percentile: regularizers.px_benefit_percentile.value(),
            px_abs_benefit_percentile: regularizers.px_abs_benefit_percentile.value(),
            lr_policy: params.rate.policy().into(),
            lr_params: params.lr_params.repr(),
            max_iter: params.max_iter,
            iterations: steps,
            best_ii: results.best.as_ref().map(|best| best.ii),
            best_obj: results.best.as_ref().map(|best| best.obj),
            last_obj: results.last.as_ref().map(|last| last.obj),
            majority_ii: results.majority.as_ref().map(|majority| majority.ii),
            meta_result: results.meta_result.map(|result| result.message().into()),
            error: circumstances.error,
            curve_ii: points.iter().map(|i| results.ii[*i]).collect(),
            curve_obj: points.iter().map(|i| results.obj[*i]).collect(),
            image: results.image,
            seconds: circumstances.seconds,
            finished: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
            backend: circumstances.backend,
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}

/// Appends a line, whole or not at all: several programs may write into one file at once. A line that a crash of the machine
/// cut off is taken away first.
///
/// # Errors
/// When the file cannot be written.
pub fn append(path: &Path, run: &Run) -> Result<()> {
    let failed = |source| Error::Write {
        path: path.to_owned(),
        source,
    };
    let mut line = serde_json::to_vec(run).map_err(|e| failed(e.into()))?;
    line.push(b'\n');
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = File::options()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(failed)?;
    // Where the file system has no locks, one write of one line is still as whole as it makes it.
    let _ = file.lock();
    cut_torn_line(&mut file).map_err(failed)?;
    file.write_all(&line).map_err(failed)
}

fn cut_torn_line(file: &mut File) -> std::io::Result<()> {
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
        file.set_len(whole as u64)?;
    }
    Ok(())
}

/// All lines of a folder's `runs.jsonl` and of its shards' (`runs-3-of-16.jsonl`), oldest first within a file; lines that
/// cannot be understood are left out and counted.
///
/// # Errors
/// When the folder or a file cannot be read.
pub fn read(folder: &Path) -> std::io::Result<(Vec<Run>, usize)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            name.is_some_and(|name| name.starts_with("runs") && name.ends_with(".jsonl"))
        })
        .collect();
    paths.sort();
    let (mut runs, mut damaged) = (Vec::new(), 0);
    for path in paths {
        for line in String::from_utf8_lossy(&std::fs::read(path)?).lines() {
            match serde_json::from_str(line) {
                Ok(run) => runs.push(run),
                Err(_) => damaged += 1,
            }
        }
    }
    Ok((runs, damaged))
}
