//! What is there already of an optimization that is asked for again.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::files::{INFO_JSON, ResultFiles};
use super::original::{FindParams, text};
use super::provenance::Provenance;
use crate::ascent::{FileUsed, Precision, Recipe};

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existing {
    /// No file.
    Nothing,
    /// Some of the files, of the same run.
    Incomplete,
    /// All files, but this one is cut off or of another kind.
    Damaged(PathBuf),
    /// All files, of a run that was interrupted after so many iterations.
    Interrupted(usize),
    /// Files of another run, or nobody knows of which: this file says so, and this is the difference.
    Other(PathBuf, String),
    /// All files, whole, of the same run.
    Complete {
        /// Whether the unit had no gradient, so that there was nothing to climb.
        is_flat: bool,
        /// The arithmetic of its images.
        precision: Precision,
    },
}

impl Existing {
    /// Looks for results of the run `run_key`, which is the one of `params`; where there is nothing, the key is not asked for.
    pub fn look(files: &ResultFiles, params: FindParams<'_>, run_key: impl FnOnce() -> String, skip_big: bool) -> Self {
        let all = files.all(skip_big);
        let Some(any) = all.iter().find(|path| path.exists()) else {
            return Self::Nothing;
        };
        let path = files.path(INFO_JSON);
        let Some(provenance) = Provenance::read(&path) else {
            let other = difference(files, params).unwrap_or_else(|| {
                format!("nothing tells of which network and preprocessing: there is no {INFO_JSON}")
            });
            return Self::Other(any.clone(), other);
        };
        if provenance.run_key != run_key() {
            let other = difference(files, params).or_else(|| changed(&provenance.recipe, params.recipe));
            let other = other.unwrap_or_else(|| {
                format!(
                    "another network, other weights or another preprocessing (\"{}\")",
                    provenance.network
                )
            });
            return Self::Other(path, other);
        }
        if !all.iter().all(|path| path.exists()) {
            return Self::Incomplete;
        }
        if let Some(path) = all.iter().find(|path| !is_whole(path)) {
            return Self::Damaged(path.clone());
        }
        if provenance.is_complete {
            Self::Complete {
                is_flat: provenance.is_flat,
                precision: provenance.precision,
            }
        } else {
            Self::Interrupted(provenance.iterations)
        }
    }
}

/// The first file that a recipe names whose contents were others.
fn changed(was: &Recipe, asked: &Recipe) -> Option<String> {
    let files = |recipe: &Recipe| -> Vec<FileUsed> {
        let mut files = recipe.files.clone();
        files.extend(recipe.start_from.clone());
        files
    };
    let (was, asked) = (files(was), files(asked));
    let mut pairs = was.iter().zip(&asked);
    let (file, _) = pairs.find(|(was, asked)| was.file == asked.file && was.sha256 != asked.sha256)?;
    Some(format!("{} had other contents", file.file))
}

/// The first setting that `info.txt` has otherwise.
fn difference(files: &ResultFiles, params: FindParams<'_>) -> Option<String> {
    let was = std::fs::read_to_string(files.path("info.txt")).ok()?;
    let asked = text::params(params);
    let mut lines = was.lines().zip(asked.lines());
    let (was, asked) = lines.find(|(was, asked)| was != asked)?;
    Some(format!("{}, not {}", was.trim(), asked.trim()))
}

/// Whether a file begins and ends as its kind does.
fn is_whole(path: &Path) -> bool {
    let (begin, end): (&[u8], &[u8]) = match path.extension().and_then(|ending| ending.to_str()) {
        Some("jpg") => (&[0xff, 0xd8], &[0xff, 0xd9]),
        Some("pkl") => (&[0x80], b"."),
        Some("json") => (b"{", b"}\n"),
        _ => (b"FindParams", b"\n"),
    };
    ends(path, begin.len(), end.len()).is_ok_and(|(first, last)| first == begin && last == end)
}

fn ends(path: &Path, begin: usize, end: usize) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let mut file = std::fs::File::open(path)?;
    let mut first = vec![0; begin];
    file.read_exact(&mut first)?;
    let back = i64::try_from(end).map_err(std::io::Error::other)?;
    file.seek(SeekFrom::End(-back))?;
    let mut last = vec![0; end];
    file.read_exact(&mut last)?;
    Ok((first, last))
}
