//! The files of an optimization: named by prefix and template, written whole or not at all.

use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::images::{around_zero, of_parameterized, picture, plus_mean};
use super::npz;
use super::original::{FindParams, attributes, pickle, text};
use super::provenance::Provenance;
use crate::ascent::{Image, Record};
use crate::atomic_file::write_atomically;
use crate::python::{Value, template};

/// Ending of the file that says what decides a result.
pub const INFO_JSON: &str = "info.json";

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
    /// How pickles are written.
    pub protocol: pickle::Protocol,
    /// Whether `image.png` has 16 bits a colour instead of 8.
    pub is_deep: bool,
    /// The parameters that were climbed, where they are written with the image as `image.npz`.
    pub npz: Option<&'a [f64]>,
    /// Whether existing files are overwritten.
    pub brave: bool,
}

impl ResultFiles {
    /// Names from prefix and template, both with Python's fields. Fields of results (`r.best_ii`) are filled when a `record`
    /// is there; without them the names are the same before and after the optimization. A prefix that is a folder, or ends
    /// with a slash, is written into; any other one is joined to the template by `_`.
    ///
    /// # Errors
    /// A short description of what is wrong with the template.
    pub fn new(
        prefix: &str,
        output_template: &str,
        params: FindParams<'_>,
        record: Option<&Record>,
    ) -> Result<Self, String> {
        let of_params = attributes::params(params);
        let of_results = record.map(attributes::results).unwrap_or_default();
        let find = |name: &str, attributes: &attributes::Attributes| {
            attributes
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.clone())
        };
        let fill = |template: &str| {
            template::fill(template, |name| match name.split_once('.') {
                Some(("p", "push_layer")) => Some(Value::Str(contained(&params.recipe.objective.unit.layer))),
                Some(("p", name)) => find(name, &of_params),
                Some(("r", name)) => find(name, &of_results),
                _ => None,
            })
        };
        let (prefix, name) = (fill(prefix)?, fill(output_template)?);
        let stem = if is_folder(&prefix) {
            Path::new(&prefix).join(name).to_string_lossy().into_owned()
        } else {
            format!("{prefix}_{name}")
        };
        Ok(Self { stem })
    }

    /// The folder that the results of every unit are in or below: the prefix as far as no field stands in it.
    pub fn common_folder(prefix: &str) -> PathBuf {
        let (fixed, is_whole) = match prefix.find("%(") {
            Some(at) => (&prefix[..at], false),
            None => (prefix, true),
        };
        let fixed = fixed.replace("%%", "%");
        if fixed.ends_with(std::path::is_separator) || (is_whole && is_folder(&fixed)) {
            return PathBuf::from(fixed);
        }
        Path::new(&fixed).parent().map(Path::to_owned).unwrap_or_default()
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
        let endings = [
            "best_X.jpg",
            "best_Xpm.jpg",
            "info.pkl",
            "info_big.pkl",
            INFO_JSON,
            "info.txt",
        ];
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

/// Whether files go into what a prefix names, rather than beside it.
fn is_folder(prefix: &str) -> bool {
    prefix.ends_with(std::path::is_separator) || (!prefix.is_empty() && Path::new(prefix).is_dir())
}

/// A layer's name as part of a path. Names in a downloaded network must not lead out of the results folder, nor contain
/// characters that act on a terminal or a shell.
fn contained(layer: &str) -> String {
    let parts = layer.split(['/', '\\']).map(|part| {
        if part.is_empty() || part == "." || part == ".." {
            "_"
        } else {
            part
        }
    });
    let is_unfit = |c: char| c == ':' || c.is_control();
    parts.collect::<Vec<_>>().join("/").replace(is_unfit, "_")
}

/// Writes all files of an optimization; `info.txt` comes last, so that where it is, the others are, and what
/// `before_last` does.
///
/// # Errors
/// When files exist and may not be overwritten, or one cannot be written.
pub fn write_results(
    files: &ResultFiles,
    params: FindParams<'_>,
    record: &Record,
    extras: &Extras<'_>,
    provenance: &Provenance,
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
        Ok(write_atomically(&path, &encode(&path, bytes)?)?)
    };
    // First: what a killed program leaves behind must be known to be its own.
    write(INFO_JSON, provenance.text())?;
    if let Some(best) = &record.best {
        let of_zero = picture(&around_zero(&best.xx), record.image, extras.swap);
        write("best_X.jpg", of_zero.jpeg())?;
        let of_mean = picture(&plus_mean(&best.xx, extras.mean), record.image, extras.swap);
        write("best_Xpm.jpg", of_mean.jpeg())?;
    }
    if let Image::Parameterized(_) = params.recipe.image {
        let png = if extras.is_deep {
            of_parameterized::<u16>(record, extras.mean, extras.swap).map(|shown| shown.png16())
        } else {
            of_parameterized::<u8>(record, extras.mean, extras.swap).map(|shown| shown.png())
        };
        if let Some(png) = png {
            write("image.png", png)?;
        }
    }
    if let Some(z) = extras.npz
        && let Some(bytes) = npz::bytes(z, record, extras.mean, extras.swap)
    {
        write("image.npz", bytes)?;
    }
    write(
        "info.pkl",
        pickle::info(params, record, pickle::Arrays::Trimmed, extras.protocol),
    )?;
    if !extras.skip_big {
        write(
            "info_big.pkl",
            pickle::info(params, record, pickle::Arrays::Whole, extras.protocol),
        )?;
    }
    before_last()?;
    write("info.txt", Ok(text::info(params, record).into_bytes()))
}
