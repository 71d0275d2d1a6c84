//! Results of this and earlier climbs, as `runs.jsonl` lists them.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use crate::output::runs::{self, Run};

/// Results that are shown, at most.
const MOST: usize = 200;
/// The files of a result that a page may see, and what they are.
const FILES: [(&str, &str); 5] = [
    ("best_Xpm.jpg", "image/jpeg"),
    ("best_X.jpg", "image/jpeg"),
    ("image.png", "image/png"),
    ("climb.gif", "image/gif"),
    ("info.txt", "text/plain; charset=utf-8"),
];
/// Bytes of the largest of them that is sent.
const LARGEST: u64 = 64 << 20;

/// A result.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    #[serde(flatten)]
    run: Run,
    /// The ending of its picture's name.
    picture: &'static str,
    /// When the picture was last written, so that a new one of the same name is not taken for the old one.
    changed: u64,
}

/// The latest results of a folder that have a picture, latest first, each file once.
pub(super) fn list(folder: &Path) -> Vec<Listed> {
    let Ok(log) = runs::read(or_here(folder)) else {
        return Vec::new();
    };
    let mut runs = log.runs;
    runs.sort_by(|a, b| a.finished.cmp(&b.finished));
    let mut seen = HashSet::new();
    let mut listed = Vec::new();
    for run in runs.into_iter().rev().filter(|run| run.error.is_none()) {
        if listed.len() == MOST || !seen.insert(run.files.clone()) {
            continue;
        }
        let picture = ["image.png", "best_Xpm.jpg"]
            .into_iter()
            .find_map(|ending| Some((ending, find(folder, &run.files, ending)?.0)));
        if let Some((picture, path)) = picture {
            let changed = path.metadata().and_then(|metadata| metadata.modified()).ok();
            let changed = changed.and_then(|changed| changed.duration_since(std::time::UNIX_EPOCH).ok());
            listed.push(Listed {
                run,
                picture,
                changed: changed.map_or(0, |changed| u64::try_from(changed.as_millis()).unwrap_or(u64::MAX)),
            });
        }
    }
    listed
}

/// The place of a result's file, and its kind; `None` for whatever is no regular file of a result in this very folder or below.
/// `files` comes from a page or from a log that anybody may have written.
pub(super) fn find(folder: &Path, files: &str, ending: &str) -> Option<(PathBuf, &'static str)> {
    let (ending, kind) = FILES.into_iter().find(|(known, _)| *known == ending)?;
    let relative = PathBuf::from(format!("{files}_{ending}"));
    let is_plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if !is_plain || files.is_empty() || files.contains(['\\', '\0']) {
        return None;
    }
    let folder = or_here(folder).canonicalize().ok()?;
    let path = folder.join(relative).canonicalize().ok()?;
    let metadata = path.metadata().ok()?;
    (path.starts_with(&folder) && metadata.is_file() && metadata.len() <= LARGEST).then_some((path, kind))
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_folder_is_found() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("results");
        std::fs::create_dir_all(folder.join("inside")).unwrap();
        for path in ["results/a", "results/inside/a", "a", "results/a_b"] {
            std::fs::write(place.path().join(format!("{path}_info.txt")), "x").unwrap();
        }
        std::fs::write(folder.join("a_secret.txt"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(place.path().join("a_info.txt"), folder.join("link_info.txt")).unwrap();
        for files in ["a", "inside/a", "a_b"] {
            assert!(find(&folder, files, "info.txt").is_some(), "{files}");
        }
        let absolute = place.path().join("a").display().to_string();
        for files in [
            "../a",
            "inside/../../a",
            &absolute,
            "link",
            "",
            "..",
            ".",
            "a\0",
            "..\\a",
        ] {
            assert!(find(&folder, files, "info.txt").is_none(), "{files}");
        }
        assert!(find(&folder, "a", "secret.txt").is_none() && find(&folder, "a", "info.txt/").is_none());
    }
}
