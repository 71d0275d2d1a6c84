//! The five files of an optimization: named by prefix and template, written whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{Error, Result};
use super::images::{around_zero, picture, plus_mean};
use super::{attributes, pickle, text};
use crate::optimizer::{Params, Results};
use crate::python::{Value, template};

/// How names of temporary files begin and end.
const TEMPORARY: (&str, &str) = (".deepvis-", ".tmp");
/// A temporary file of this age is nobody's any more: its program was killed while it wrote.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Takes away what killed programs left half-written in a folder.
pub fn sweep(folder: &Path) {
    let is_abandoned = |entry: &std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .map(|time| time.elapsed().unwrap_or_default());
        name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1) && age.is_ok_and(|age| age > ABANDONED)
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(is_abandoned) {
        // What cannot be taken away does no harm.
        let _ = std::fs::remove_file(entry.path());
    }
}

/// Writes `bytes` under a temporary name beside `path`, then renames: `path` is never half-written.
///
/// # Errors
/// When the folder cannot be made or the file not be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |source| Error::Write {
        path: path.to_owned(),
        source,
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY.0)
        .suffix(TEMPORARY.1)
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_data().map_err(failed)?;
    let file = file.persist(path).map_err(|e| failed(e.error))?;
    open_to_others(&file).map_err(failed)
}

/// Temporary files are for their owner alone; results should be as readable as any new file.
#[cfg(unix)]
fn open_to_others(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_others(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// The names of an optimization's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultFiles {
    stem: String,
}

/// What a picture and its names need beyond parameters and results.
#[derive(Debug, Clone)]
pub struct Extras<'a> {
    /// The mean image, an entry for each of x.
    pub mean: &'a [f64],
    /// Which channels become red, green and blue.
    pub swap: [usize; 3],
    /// Whether `info_big.pkl` is left out.
    pub skip_big: bool,
    /// Whether existing files are overwritten.
    pub brave: bool,
}

impl ResultFiles {
    /// Names from `--output-prefix` and `--output-template`. Fields of results (`r.best_ii`) are filled when `results` are
    /// there; a template without them gives the same names before and after the optimization.
    ///
    /// # Errors
    /// A short description of what is wrong with the template.
    pub fn new(
        prefix: &str,
        output_template: &str,
        params: &Params,
        results: Option<&Results>,
    ) -> Result<Self, String> {
        let of_params = attributes::params(params);
        let of_results = results.map(attributes::results).unwrap_or_default();
        let find = |name: &str, attributes: &attributes::Attributes| {
            attributes
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.clone())
        };
        let stem = template::fill(output_template, |name| match name.split_once('.') {
            Some(("p", "push_layer")) => Some(Value::Str(contained(&params.unit.layer))),
            Some(("p", name)) => find(name, &of_params),
            Some(("r", name)) => find(name, &of_results),
            _ => None,
        })?;
        Ok(Self {
            stem: format!("{prefix}_{stem}"),
        })
    }

    /// Whether a template names its files by results, so that they are known only afterwards.
    pub fn depends_on_results(output_template: &str) -> bool {
        output_template.contains("%(r.")
    }

    /// What all names begin with, relative to a folder when it is in there.
    pub fn below(&self, folder: &Path) -> String {
        let stem = Path::new(&self.stem);
        stem.strip_prefix(folder)
            .unwrap_or(stem)
            .to_string_lossy()
            .replace('\\', "/")
    }

    /// The file of that ending, as in `best_X.jpg`.
    pub fn path(&self, ending: &str) -> PathBuf {
        PathBuf::from(format!("{}_{ending}", self.stem))
    }

    /// Every file that is written.
    pub fn all(&self, skip_big: bool) -> Vec<PathBuf> {
        let endings = ["best_X.jpg", "best_Xpm.jpg", "info.pkl", "info_big.pkl", "info.txt"];
        endings
            .into_iter()
            .filter(|ending| !(skip_big && *ending == "info_big.pkl"))
            .map(|e| self.path(e))
            .collect()
    }

    /// Refuses when any of the files is there.
    ///
    /// # Errors
    /// [`Error::Exists`] with the first of them.
    pub fn refuse_existing(&self, skip_big: bool) -> Result<()> {
        match self.all(skip_big).into_iter().find(|path| path.exists()) {
            Some(path) => Err(Error::Exists(path)),
            None => Ok(()),
        }
    }
}

/// A layer's name as part of a path: a network from elsewhere must not lead out of the results folder.
fn contained(layer: &str) -> String {
    let parts = layer.split(['/', '\\']).map(|part| {
        if part.is_empty() || part == "." || part == ".." {
            "_"
        } else {
            part
        }
    });
    parts.collect::<Vec<_>>().join("/").replace(['\0', ':'], "_")
}

/// Writes all files of an optimization; `info.txt` comes last, so that where it is, the others are, and what `before_last`
/// does.
///
/// # Errors
/// When files exist and may not be overwritten, or one cannot be written.
pub fn write_results(
    files: &ResultFiles,
    params: &Params,
    results: &Results,
    extras: &Extras<'_>,
    before_last: impl FnOnce() -> Result<()>,
) -> Result<()> {
    if !extras.brave {
        files.refuse_existing(extras.skip_big)?;
    }
    let encode = |path: &Path, bytes: std::result::Result<Vec<u8>, String>| {
        bytes.map_err(|message| Error::Encode {
            path: path.to_owned(),
            message,
        })
    };
    let write = |ending: &str, bytes: std::result::Result<Vec<u8>, String>| {
        let path = files.path(ending);
        write_atomically(&path, &encode(&path, bytes)?)
    };
    if let Some(best) = &results.best {
        let of_zero = picture(&around_zero(&best.xx), results.image, extras.swap);
        write("best_X.jpg", of_zero.jpeg())?;
        let of_mean = picture(&plus_mean(&best.xx, extras.mean), results.image, extras.swap);
        write("best_Xpm.jpg", of_mean.jpeg())?;
    }
    write("info.pkl", pickle::info(params, results, pickle::Arrays::Trimmed))?;
    if !extras.skip_big {
        write("info_big.pkl", pickle::info(params, results, pickle::Arrays::Whole))?;
    }
    before_last()?;
    write("info.txt", Ok(text::info(params, results).into_bytes()))
}
