//! One way to name a network: from the file or folder that was named to all of its files.
//!
//! A file of weights that does not hold the structure needs a prototxt beside it. The one of the same name comes first; else
//! one that fits the weights, a deploy one before others. What fits is told by shapes, so that neither a solver's prototxt
//! nor another network's is ever taken; where several fit, they are listed and none is taken.

use std::path::{Path, PathBuf};

use deepvis_importer::caffe::Caffemodel;
use deepvis_importer::{Format, Graph, LayerKind, read_graph};

use super::error::{Error, Result};
use crate::network::{InputSize, survey};

/// What a file of a network is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Caffe's structure, as text.
    Prototxt,
    /// Caffe's weights, which need a prototxt.
    Caffemodel,
    /// Both, as `deepvis import` writes them.
    Burnpack,
    /// ONNX.
    Onnx,
}

/// The files of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The prototxt.
    pub deploy: Option<PathBuf>,
    /// The weights, or the whole network.
    pub weights: Option<PathBuf>,
}

/// No blob is larger when shapes are only compared.
const MOST_ENTRIES: usize = 1 << 40;

impl Kind {
    /// What a file is. Weights without an ending, as `caffenet-yos-weights`, are Caffe's.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension().map(|ending| ending.to_string_lossy().to_lowercase()) {
            Some(ending) if ending == "prototxt" => Some(Self::Prototxt),
            Some(ending) if ending == "caffemodel" => Some(Self::Caffemodel),
            Some(ending) if ending == "bpk" => Some(Self::Burnpack),
            Some(ending) if ending == "onnx" => Some(Self::Onnx),
            Some(_) => None,
            None => stem(path).ends_with("weights").then_some(Self::Caffemodel),
        }
    }

    /// Whether such a file is a network without another.
    pub fn is_whole(self) -> bool {
        match self {
            Self::Burnpack | Self::Onnx => true,
            Self::Prototxt | Self::Caffemodel => false,
        }
    }
}

/// The files of the network that a path names: one of them, or the folder they are in. A prototxt without weights, as a
/// folder without any, gives no weights.
///
/// # Errors
/// When there are several networks, several files that fit, or none that does.
pub fn of(path: &Path) -> Result<Files> {
    if path.is_dir() {
        return of_folder(path);
    }
    match Kind::of(path) {
        Some(Kind::Prototxt) => Ok(Files {
            deploy: Some(path.to_owned()),
            weights: weights_beside(path)?,
        }),
        Some(kind) if kind.is_whole() => Ok(Files {
            deploy: None,
            weights: Some(path.to_owned()),
        }),
        // What else is known by its bytes is told when it is loaded.
        None if Format::of(path).is_ok_and(|format| !matches!(format, Format::Caffemodel | Format::Empty)) => {
            Ok(Files {
                deploy: None,
                weights: Some(path.to_owned()),
            })
        }
        // Weights of any other name are taken at their word, and read as Caffe's.
        Some(_) | None => Ok(Files {
            deploy: Some(prototxt_beside(path)?),
            weights: Some(path.to_owned()),
        }),
    }
}

/// The files of the one network in a folder.
///
/// # Errors
/// As [`of`].
pub fn of_folder(folder: &Path) -> Result<Files> {
    let files = list(folder);
    let networks: Vec<&PathBuf> = files
        .iter()
        .filter(|file| Kind::of(file).is_some_and(|kind| kind != Kind::Prototxt))
        .collect();
    match networks.as_slice() {
        [one] => of(one),
        [] => {
            let prototxts = prototxts(&files);
            match prototxts.as_slice() {
                [] => Ok(Files::default()),
                several => Ok(Files {
                    deploy: Some(one_of(several, "prototxt", folder)?),
                    weights: None,
                }),
            }
        }
        several => Err(Error::Several {
            what: "network",
            place: folder.to_owned(),
            candidates: names(several.iter().map(|file| file.as_path())),
        }),
    }
}

/// The prototxt that belongs to a caffemodel, of those beside it.
///
/// # Errors
/// When none fits, or several do.
pub fn prototxt_beside(weights: &Path) -> Result<PathBuf> {
    let folder = folder_of(weights);
    let all = list(folder);
    let name = stem(weights);
    // Of the same name: that is said clearly enough, and if it does not fit, the message says where.
    if let Some(same) = all
        .iter()
        .find(|file| Kind::of(file) == Some(Kind::Prototxt) && stem(file) == name)
    {
        return Ok(same.clone());
    }
    let mut candidates = prototxts(&all);
    if candidates.is_empty() {
        return Err(unreadable(folder).unwrap_or_else(|| half(weights, "prototxt")));
    }
    let caffemodel = Caffemodel::open(weights)?;
    let found = names(candidates.iter().map(|(file, _)| file.as_path()));
    candidates.retain(|(_, graph)| fits(graph, &caffemodel));
    if candidates.is_empty() {
        return Err(Error::NoneFits {
            path: weights.to_owned(),
            missing: "prototxt",
            candidates: found,
        });
    }
    one_of(&candidates, "prototxt", weights)
}

/// The weights that belong to a prototxt, of those beside it; none where none fit.
fn weights_beside(deploy: &Path) -> Result<Option<PathBuf>> {
    let mut candidates: Vec<PathBuf> = list(folder_of(deploy))
        .into_iter()
        .filter(|file| Kind::of(file) == Some(Kind::Caffemodel))
        .collect();
    let name = stem(deploy);
    if let Some(same) = candidates.iter().find(|file| stem(file) == name) {
        return Ok(Some(same.clone()));
    }
    if candidates.is_empty() {
        return Ok(None);
    }
    let (graph, _) = read_graph(deploy)?;
    candidates.retain(|file| Caffemodel::open(file).is_ok_and(|caffemodel| fits(&graph, &caffemodel)));
    match candidates.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => Err(Error::Several {
            what: "file of weights",
            place: deploy.to_owned(),
            candidates: names(several.iter().map(PathBuf::as_path)),
        }),
    }
}

/// The only one of some prototxts, or the only one that is called a deploy one.
fn one_of(some: &[(PathBuf, Graph)], what: &'static str, place: &Path) -> Result<PathBuf> {
    let deploy: Vec<&Path> = some
        .iter()
        .map(|(file, _)| file.as_path())
        .filter(|file| stem(file).contains("deploy"))
        .collect();
    match (some, deploy.as_slice()) {
        ([(one, _)], _) => Ok(one.clone()),
        (_, [one]) => Ok(one.to_path_buf()),
        _ => Err(Error::Several {
            what,
            place: place.to_owned(),
            candidates: names(some.iter().map(|(file, _)| file.as_path())),
        }),
    }
}

/// Whether all weights of a graph are in a caffemodel, of the shapes that the graph needs. Shapes of a training prototxt,
/// which does not say how large its images are, are not known.
fn fits(graph: &Graph, caffemodel: &Caffemodel) -> bool {
    let weights = caffemodel.weights_in_order(graph);
    let kinds = || graph.layers.iter().map(|layer| &layer.kind);
    if weights.tensors().next().is_none() {
        return false;
    }
    if kinds().any(|kind| matches!(kind, LayerKind::Input { shape: None })) {
        return kinds()
            .flat_map(LayerKind::tensors)
            .all(|name| weights.get(name).is_some());
    }
    let facts = survey(graph, Some(&weights), InputSize::Declared, MOST_ENTRIES);
    facts.iter().all(|fact| fact.misfit.is_none())
}

/// The prototxts that describe a network; a solver's has no layers.
fn prototxts(files: &[PathBuf]) -> Vec<(PathBuf, Graph)> {
    files
        .iter()
        .filter(|file| Kind::of(file) == Some(Kind::Prototxt))
        .filter_map(|file| Some((file.clone(), read_graph(file).ok()?.0)))
        .filter(|(_, graph)| !graph.layers.is_empty())
        .collect()
}

/// That a folder has no network: why its prototxt cannot be read, if it has one, else with a look at what in it did not arrive
/// whole.
pub(crate) fn none_in(folder: &Path) -> Error {
    unreadable(folder).unwrap_or_else(|| Error::NoneInFolder {
        folder: folder.to_owned(),
        unfinished: unfinished(folder),
    })
}

/// That half of a network is named, with a look at what beside it did not arrive whole.
pub(super) fn half(path: &Path, missing: &'static str) -> Error {
    Error::Half {
        path: path.to_owned(),
        missing,
        unfinished: unfinished(folder_of(path)),
    }
}

/// Why the first of a folder's prototxts that cannot be read is none; `None` where all can be.
fn unreadable(folder: &Path) -> Option<Error> {
    let prototxts = list(folder).into_iter();
    prototxts
        .filter(|file| Kind::of(file) == Some(Kind::Prototxt))
        .find_map(|file| Some(read_graph(&file).err()?.into()))
}

/// The files of a folder, sorted; none of one that cannot be read.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .map(|path| path.strip_prefix("./").map(Path::to_owned).unwrap_or(path))
        .collect();
    files.sort();
    files
}

/// Endings of downloads that have not ended: of `deepvis fetch` and Firefox, of Chromium, of the first Edge.
const UNFINISHED: [&str; 3] = ["part", "crdownload", "partial"];

/// What a message says of a network's files in a folder whose downloads did not end; nothing where there are none.
fn unfinished(folder: &Path) -> String {
    let is_unfinished = |file: &PathBuf| {
        let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        ending.is_some_and(|ending| UNFINISHED.contains(&ending.as_str()))
            && Kind::of(&file.with_extension("")).is_some()
    };
    let parts: Vec<PathBuf> = list(folder).into_iter().filter(is_unfinished).collect();
    let what = match parts.len() {
        0 => return String::new(),
        1 => "is a download",
        _ => "are downloads",
    };
    format!(
        "; {} {what} that did not end",
        names(parts.iter().map(PathBuf::as_path))
    )
}

/// The folder that a file is in.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn stem(file: &Path) -> String {
    file.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// File names for a message.
fn names<'a>(files: impl Iterator<Item = &'a Path>) -> String {
    let names: Vec<String> = files
        .filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned()))
        .collect();
    names.join(", ")
}
