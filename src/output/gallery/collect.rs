//! What is in a folder of results: every `info.txt`, with what `runs.jsonl` says about it.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use deepvis_importer::names::counted;
use serde::Serialize;

use super::info::Info;
use crate::output::error::{Error, Result};
use crate::output::runs::{self, Run};

/// Ending of the file that is written last of an optimization's.
const INFO: &str = "_info.txt";

/// Bytes of an `info.txt` that are read: its lists are shortened, and only names are as long as they like.
const LONGEST_INFO: u64 = 1 << 18;

/// A unit to show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The files' common beginning, relative to the folder, with slashes.
    pub files: String,
    /// The network's name, where `runs.jsonl` tells it.
    pub network: Option<String>,
    /// The layer.
    pub layer: String,
    /// The channel.
    pub channel: u64,
    /// Row and column, where they are not both 0.
    pub spatial: String,
    /// The seed.
    pub seed: u64,
    /// The class, where it has a name.
    pub label: Option<String>,
    /// The best objective.
    pub objective: Option<f64>,
    /// How it ended.
    pub result: String,
    /// Everything that `info.txt` says about parameters, and what is known about the run.
    pub facts: Vec<(String, String)>,
    /// Iterations of the objective curve.
    pub curve_ii: Vec<usize>,
    /// The objective there.
    pub curve_obj: Vec<f32>,
}

/// All units below a folder, network by network and layer by layer, and what was left out.
///
/// # Errors
/// When there are none, or the folder cannot be read.
pub(super) fn collect(folder: &Path) -> Result<(Vec<Item>, Vec<String>)> {
    // The folder itself must be readable; below it each one by itself.
    std::fs::read_dir(folder).map_err(|source| Error::Read {
        path: folder.to_owned(),
        source,
    })?;
    let mut infos = Vec::new();
    let mut runs: HashMap<String, Run> = HashMap::new();
    let mut order: Vec<String> = Vec::new();
    let mut warnings = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        let (log, entries) = match (runs::read(&inside), std::fs::read_dir(&inside)) {
            (Ok(log), Ok(entries)) => (log, entries),
            (Err(error), _) | (_, Err(error)) => {
                warnings.push(format!("{} is left out: {error}", inside.display()));
                continue;
            }
        };
        if log.damaged > 0 {
            warnings.push(format!(
                "{} lines of runs.jsonl in {} cannot be read",
                log.damaged,
                inside.display()
            ));
        }
        for (path, error) in log.unread {
            warnings.push(format!("{} cannot be read: {error}", path.display()));
        }
        for run in log.runs {
            if !order.contains(&run.push_layer) {
                order.push(run.push_layer.clone());
            }
            runs.insert(relative(&inside.join(&run.files), folder), run);
        }
        for entry in entries.filter_map(|entry| entry.ok()) {
            // Of the entry itself: a link may lead back to where it stands, and a pipe never ends.
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            let is_info = path.to_string_lossy().ends_with(INFO);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && is_info {
                infos.push(path);
            } else if is_info {
                warnings.push(format!("{} is left out: it is no file", path.display()));
            }
        }
    }
    let mut items: Vec<Item> = infos.iter().filter_map(|path| item(path, folder, &mut runs)).collect();
    let unseen = runs.values().filter(|run| run.error.is_some()).count();
    if unseen > 0 {
        warnings.push(format!(
            "{} failed and left no picture; runs.jsonl says why",
            counted(unseen, "unit")
        ));
    }
    if items.is_empty() {
        return Err(Error::NoResults(folder.to_owned()));
    }
    let place = |layer: &str| order.iter().position(|known| known == layer).unwrap_or(order.len());
    items.sort_by(|a, b| {
        (
            &a.network,
            place(&a.layer),
            &a.layer,
            a.channel,
            &a.spatial,
            a.seed,
            &a.files,
        )
            .cmp(&(
                &b.network,
                place(&b.layer),
                &b.layer,
                b.channel,
                &b.spatial,
                b.seed,
                &b.files,
            ))
    });
    Ok((items, warnings))
}

fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// The text of an `info.txt`; of a longer file, which is none of ours, as much as ours could have.
fn read_info(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(LONGEST_INFO).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn item(path: &Path, folder: &Path, runs: &mut HashMap<String, Run>) -> Option<Item> {
    let info = Info::parse(&read_info(path)?);
    let files = relative(path, folder).strip_suffix(INFO)?.to_owned();
    let run = runs.remove(&files);
    let spatial = info
        .param("push_spatial")
        .filter(|place| *place != "(0, 0)")
        .unwrap_or("");
    let mut facts = info.params.clone();
    for name in ["best_ii", "best_obj", "last_obj", "majority_ii", "meta_result"] {
        facts.extend(info.result(name).map(|value| (name.to_owned(), value.to_owned())));
    }
    if let Some(run) = &run {
        facts.push(("network".into(), run.network.clone()));
        facts.push(("seconds".into(), format!("{:.1}", run.seconds)));
        facts.push(("finished".into(), run.finished.clone()));
        facts.push(("backend".into(), run.backend.clone()));
        facts.push(("deepvis".into(), run.version.clone()));
    }
    let (curve_ii, curve_obj) = run
        .as_ref()
        .map_or_else(Default::default, |run| (run.curve_ii.clone(), run.curve_obj.clone()));
    Some(Item {
        files,
        network: run.as_ref().map(|run| run.network.clone()),
        layer: info.param("push_layer")?.to_owned(),
        channel: info.param("push_channel")?.parse().ok()?,
        spatial: spatial.to_owned(),
        seed: info.param("rand_seed").and_then(|seed| seed.parse().ok()).unwrap_or(0),
        label: run.and_then(|run| run.label),
        objective: info.result("best_obj").and_then(|value| value.parse().ok()),
        result: info.result("meta_result").unwrap_or("").to_owned(),
        facts,
        curve_ii,
        curve_obj,
    })
}
