//! Files that a recipe names, and what is in them: the picture to start from, what a formula compares with.

use std::path::Path;
use std::sync::Arc;

use super::error::{Error, Result};
use crate::ascent::{FileUsed, Recipe};
use crate::model::{self, Model, npy, photo};
use crate::parameterization::magnitude::Magnitude;

impl Recipe {
    /// The same begun with the picture in a file instead of noise.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn starting_from(mut self, file: &str) -> model::Result<Self> {
        self.start_from = Some(now(file)?);
        Ok(self)
    }

    /// Notes what the files that the formula names hold now, so that results are told apart by it.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn note_files(&mut self) -> Result<()> {
        let terms = self.formula.iter().flat_map(|formula| formula.terms());
        let named = terms.filter_map(|term| Some((term, term.file()?)));
        let noted = named.map(|(term, file)| now(file).map_err(|error| Error::Objective(format!("{term}: {error}"))));
        self.files = noted.collect::<Result<_>>()?;
        Ok(())
    }
}

fn now(file: &str) -> model::Result<FileUsed> {
    FileUsed::now(file).map_err(|source| model::Error::Read {
        path: file.into(),
        source,
    })
}

/// Refuses files that are not what they were when the recipe was planned.
///
/// # Errors
/// With the first of them.
pub(super) fn check_unchanged(recipe: &Recipe) -> Result<()> {
    for file in recipe.files.iter().chain(&recipe.start_from) {
        if now(&file.file)?.sha256 != file.sha256 {
            return Err(Error::Changed(file.file.clone()));
        }
    }
    Ok(())
}

/// Rows and columns of the picture that a recipe begins with, where it begins with one; an array that is no image has none.
///
/// # Errors
/// When the file is neither a picture nor an array.
pub fn picture_size(recipe: &Recipe) -> model::Result<Option<[usize; 2]>> {
    let Some(named) = &recipe.start_from else {
        return Ok(None);
    };
    let path = Path::new(&named.file);
    if npy::is_npy(path) {
        return Ok(match npy::read(path)?.shape() {
            [_, rows, columns] => Some([*rows, *columns]),
            _ => None,
        });
    }
    photo::size(path).map(Some)
}

/// The picture that a recipe begins with, for a network that takes images of `image`: grey levels less the mean, as the network
/// takes them, of the image's size.
///
/// # Errors
/// When the file is neither a picture nor what `--npy` writes, or is of another size.
pub(super) fn picture(recipe: &Recipe, model: &Model, image: [usize; 3]) -> Result<Option<Arc<[f64]>>> {
    let Some(named) = &recipe.start_from else {
        return Ok(None);
    };
    let path = Path::new(&named.file);
    let mean = recipe.mean_of_picture(&model.mean(image)?, image);
    let size = recipe.picture(image);
    if npy::is_npy(path) {
        let array = npy::read(path)?;
        if array.shape() != size {
            return Err(Error::Model(model::Error::Input {
                path: path.to_owned(),
                message: format!(
                    "it has shape {:?}, and an image to start from {size:?}: channels in the network's order, rows and columns, less \
                     the mean",
                    array.shape()
                ),
            }));
        }
        return Ok(Some(array.iter().copied().collect()));
    }
    let swap = model.source.preprocessing.swap;
    let pixels = photo::read(path, size, swap, &mean)?;
    Ok(Some(pixels.into_iter().map(f64::from).collect()))
}

/// The mean magnitude of the spectra of all pictures in a folder (PNG, JPEG and GIF, by their names' endings), for images of
/// `[channels, rows, columns]` of a network whose red, green and blue are `swap`.
///
/// # Errors
/// When the folder cannot be read, holds no picture, or one of them is none.
pub fn magnitude_of(folder: &Path, size: [usize; 3], swap: [usize; 3], is_decorrelated: bool) -> Result<Magnitude> {
    let read = |source| model::Error::Read {
        path: folder.to_owned(),
        source,
    };
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if ending.is_some_and(|ending| ["jpg", "jpeg", "png", "gif"].contains(&ending.as_str())) {
            pictures.push(path);
        }
    }
    // In whatever order the file system has them, the sum is the same.
    pictures.sort();
    let zeros = vec![0.0; size.iter().product()];
    let planes = |path: &std::path::PathBuf| -> Result<Vec<f32>> {
        // As in red, green and blue.
        let plain = if size[0] == swap.len() { [0, 1, 2] } else { swap };
        let pixels = photo::read(path, size, plain, &zeros)?;
        Ok(pixels.into_iter().map(|value| value / 255.0).collect())
    };
    Magnitude::mean(pictures.iter().map(planes), size, is_decorrelated)?.ok_or_else(|| {
        Error::Model(model::Error::Input {
            path: folder.to_owned(),
            message: "there is no picture in it whose name ends with .jpg, .jpeg, .png or .gif".into(),
        })
    })
}
