//! `--mean`: None, one value a channel, or an image.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::ArrayD;
use ndarray_npy::ReadNpyExt;

use super::error::{Error, Result};
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
    /// Understands `--mean`: a Python literal, or a bare path.
    ///
    /// # Errors
    /// When it is neither, or the file cannot be read.
    pub fn parse(given: &str) -> Result<Self> {
        let wrong = |message: &str| Error::Literal {
            flag: "--mean",
            given: given.to_owned(),
            message: message.to_owned(),
            expected: "None, a value per channel such as \"(104,117,123)\", or a file (.npy or .binaryproto)",
        };
        match literal::parse(given) {
            Ok(Value::None) => Ok(Self::None),
            Ok(Value::Str(path)) => Self::read(Path::new(&path)),
            Ok(value) => {
                let values = match (value.as_number(), value.as_sequence()) {
                    (Some(number), _) => Some(vec![number]),
                    (_, Some(values)) => values.iter().map(Value::as_number).collect(),
                    _ => None,
                };
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
                flag: "--mean",
                path: given.into(),
            }),
        }
    }

    fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(Error::NoFile {
                flag: "--mean",
                path: path.to_owned(),
            });
        }
        let (shape, values) = if path.extension().is_some_and(|ending| ending == "npy") {
            let array = read_npy(path)?;
            (array.shape().to_vec(), array.into_iter().collect())
        } else {
            let (shape, values) = deepvis_importer::mean::read(path)
                .map_err(|e| Error::Mean(format!("{e} (a .npy must end in .npy)")))?;
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
            [_] => Ok(Self::Channels(values)),
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
                "it has {} values, the network's input has {channels} channels",
                values.len()
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

/// Reads a .npy of floats or bytes as float64.
///
/// # Errors
/// When the file cannot be read or holds something else.
pub fn read_npy(path: &Path) -> Result<ArrayD<f64>> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    if let Ok(array) = ArrayD::<f64>::read_npy(bytes.as_slice()) {
        return Ok(array);
    }
    if let Ok(array) = ArrayD::<u8>::read_npy(bytes.as_slice()) {
        return Ok(array.mapv(f64::from));
    }
    let array = ArrayD::<f32>::read_npy(bytes.as_slice()).map_err(|e| Error::Input {
        path: path.to_owned(),
        message: format!("it is not a .npy of float32, float64 or uint8: {e}"),
    })?;
    Ok(array.mapv(f64::from))
}
