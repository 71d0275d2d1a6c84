//! A model's folder: its deepvis.toml and files.

use std::path::{Path, PathBuf};

use crate::cli::error::Result;
use crate::cli::settings::{FILE_NAME, Settings};

/// The settings of a model's folder: its deepvis.toml, completed by the files that are there.
pub(super) fn settings(folder: &Path) -> Result<Settings> {
    let file = folder.join(FILE_NAME);
    let mut settings = if file.is_file() {
        Settings::read(&file)?
    } else {
        Settings::default()
    };
    let (deploy, weights) = files(folder);
    settings.deploy_proto = settings.deploy_proto.or(deploy);
    settings.net_weights = settings.net_weights.or(weights);
    Ok(settings)
}

/// The one prototxt (a deploy one, if there are several) and the one file of weights of a folder.
pub(super) fn files(folder: &Path) -> (Option<PathBuf>, Option<PathBuf>) {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let ending = |wanted: &str| {
        files
            .iter()
            .filter(|file| file.extension().is_some_and(|ending| ending == wanted))
            .cloned()
            .collect::<Vec<_>>()
    };
    let prototxts = ending("prototxt");
    let is_deploy = |file: &&PathBuf| {
        file.file_name()
            .is_some_and(|name| name.to_string_lossy().contains("deploy"))
    };
    let deploy = prototxts.iter().find(is_deploy).or(prototxts.first()).cloned();
    let weights = ending("caffemodel")
        .first()
        .cloned()
        .or_else(|| ending("bpk").first().cloned());
    (deploy, weights)
}
