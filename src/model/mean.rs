//! The mean that is subtracted: none, one value a channel, or an image.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deepvis_importer::names::counted;

use super::error::{Error, Result};
use super::npy;
use crate::python::{Value, literal};

/// A mean as it was given.
#[derive(Debug, Clone, PartialEq)]
pub enum Mean {
    /// Nothing is subtracted.
    None,
    /// One value a channel.
    Channels(Vec<f64>),
    /// An image: shape (channels, rows, columns) and entries.
    Image(PathBuf, Vec<usize>, Vec<f64>),
}

impl Mean {
    /// Understands a Python literal, or a bare path.
    ///
    /// # Errors
    /// When it is neither, or the file cannot be read.
    pub fn parse(given: &str) -> Result<Self> {
        let wrong = |message: &str| {
            Error::Mean(format!(
                "{given:?}: {message}; it takes None, a value per channel such as \"(104,117,123)\", or a file (.npy or \
                 .binaryproto)"
            ))
        };
        match literal::parse(given) {
            Ok(Value::None) => Ok(Self::None),
            Ok(Value::Str(path)) => Self::read(Path::new(&path)),
            Ok(value) => {
                let values = value.as_numbers();
                match values {
                    Some(values) if values.iter().all(|v| v.is_finite()) && !values.is_empty() => {
                        Ok(Self::Channels(values))
                    }
                    _ => Err(wrong("its entries must be finite numbers")),
                }
            }
            Err(_) if Path::new(given).exists() => Self::read(Path::new(given)),
            Err(message) if given.contains(['(', ',', '{', '[']) => Err(wrong(&message)),
            Err(_) => Err(Error::NoFile {
                what: "mean",
                path: given.into(),
            }),
        }
    }

    fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(Error::NoFile {
                what: "mean",
                path: path.to_owned(),
            });
        }
        let is_named_npy = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("npy"));
        let (shape, values) = if is_named_npy || npy::is_npy(path) {
            let array = npy::read(path)?;
            (array.shape().to_vec(), array.into_iter().collect())
        } else {
            let (shape, values) =
                deepvis_importer::caffe::mean::read(path).map_err(|e| Error::Mean(format!("{e}; nor is it a .npy")))?;
            (shape, values.into_iter().map(f64::from).collect())
        };
        let values: Vec<f64> = values;
        if !values.iter().all(|value| value.is_finite()) {
            return Err(Error::Mean(format!(
                "{} holds values that are not finite",
                path.display()
            )));
        }
        match shape.as_slice() {
            [] | [_] | [_, 1, 1] | [1, _, 1, 1] => Ok(Self::Channels(values)),
            // As pycaffe's `Transformer.set_mean` takes it: an image of one channel.
            &[rows, columns] => Ok(Self::Image(path.to_owned(), vec![1, rows, columns], values)),
            [1, rest @ ..] if rest.len() == 3 => Ok(Self::Image(path.to_owned(), rest.to_vec(), values)),
            [_, _, _] => Ok(Self::Image(path.to_owned(), shape, values)),
            other => Err(Error::Mean(format!(
                "{} has shape {other:?}; a mean has one value per channel, or is channels x rows x columns",
                path.display()
            ))),
        }
    }

    /// An entry for each of an image's: spread over it, or cropped to its centre.
    ///
    /// # Errors
    /// When channels differ or the mean image is too small.
    pub fn for_image(&self, [channels, rows, columns]: [usize; 3]) -> Result<Arc<[f64]>> {
        let area = rows * columns;
        match self {
            Self::None => Ok(vec![0.0; channels * area].into()),
            Self::Channels(values) if values.len() == channels || values.len() == 1 => Ok((0..channels)
                .flat_map(|c| std::iter::repeat_n(values[c.min(values.len() - 1)], area))
                .collect()),
            Self::Channels(values) => Err(Error::Mean(format!(
                "it has {}, the network's input has {}",
                counted(values.len(), "value"),
                counted(channels, "channel")
            ))),
            Self::Image(path, shape, values) => {
                let [depth, height, width] = [shape[0], shape[1], shape[2]];
                if depth != channels || height < rows || width < columns {
                    return Err(Error::Mean(format!(
                        "{} is {depth} x {height} x {width} (channels x rows x columns); the network's input is {channels} \
                         x {rows} x {columns}, and only a larger mean can be cropped; give one value per channel instead",
                        path.display()
                    )));
                }
                let (top, left) = ((height - rows) / 2, (width - columns) / 2);
                let line = |c: usize, y: usize| (c * height + top + y) * width + left;
                Ok((0..channels)
                    .flat_map(|c| (0..rows).map(move |y| (c, y)))
                    .flat_map(|(c, y)| values[line(c, y)..line(c, y) + columns].iter().copied())
                    .collect())
            }
        }
    }
}
