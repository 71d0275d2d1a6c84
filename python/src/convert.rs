//! Between Python's values and the library's.

use std::path::PathBuf;

use deepvis::model::{Model, photo};
use deepvis::output::images::Picture;
use deepvis::session::{Images, Input};
use numpy::ndarray::{ArrayD, IxDyn};
use numpy::{IntoPyArray, PyArrayDyn, PyReadonlyArrayDyn};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::error;

/// An array of a shape that fits its values.
pub(crate) fn array<'py, T: numpy::Element>(
    py: Python<'py>,
    values: Vec<T>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let array = ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|why| error::setting(why.to_string()))?;
    Ok(array.into_pyarray(py))
}

/// A picture as rows x columns x 3 bytes: grey ones three times, and without how opaque it is.
pub(crate) fn pixels<'py>(py: Python<'py>, picture: Picture) -> PyResult<Bound<'py, PyArrayDyn<u8>>> {
    let shape = [picture.height, picture.width, 3];
    let pixels = match picture.channels {
        1 => picture.pixels.into_iter().flat_map(|grey| [grey; 3]).collect(),
        4 => picture
            .pixels
            .chunks_exact(4)
            .flat_map(|pixel| &pixel[..3])
            .copied()
            .collect(),
        _ => picture.pixels,
    };
    array(py, pixels, &shape)
}

/// How opaque a picture's pixels are, rows x columns; `None` where it does not say.
pub(crate) fn opacity<'py>(py: Python<'py>, picture: &Picture) -> PyResult<Option<Bound<'py, PyArrayDyn<u8>>>> {
    if picture.channels != 4 {
        return Ok(None);
    }
    let opacity = picture.pixels.iter().skip(3).step_by(4).copied().collect();
    array(py, opacity, &[picture.height, picture.width]).map(Some)
}

/// Images as the network takes them: a file or an array of bytes (rows x columns, or rows x columns x 3) is a picture, which
/// is cut, scaled and mean-subtracted; an array of floats (channels x rows x columns, or a batch of them) is taken as it is.
pub(crate) fn images(given: &Bound<'_, PyAny>, model: &Model, image: [usize; 3]) -> PyResult<Images> {
    let swap = model.source.preprocessing.swap;
    let mean = model.mean(image).map_err(|error| error::of_model(&error))?;
    if let Ok(path) = given.extract::<PathBuf>() {
        let values = photo::read(&path, image, swap, &mean).map_err(|error| error::of_model(&error))?;
        return Ok(Images {
            values,
            input: Input::Pixels,
        });
    }
    let numpy = given.py().import("numpy")?;
    let given = numpy.call_method1("asarray", (given,))?;
    if let Ok(bytes) = given.extract::<PyReadonlyArrayDyn<'_, u8>>() {
        let bytes = bytes.as_array();
        let shape = match *bytes.shape() {
            [rows, columns] => [rows, columns, 1],
            [rows, columns, channels] => [rows, columns, channels],
            _ => {
                return Err(error::setting(format!(
                    "an array of bytes of shape {:?} is no picture: rows x columns x 3 is",
                    bytes.shape()
                )));
            }
        };
        let picture = photo::of_pixels(bytes.iter().copied().collect(), shape).map_err(error::setting)?;
        let values = photo::fit(&picture, image, swap, &mean).map_err(error::setting)?;
        return Ok(Images {
            values,
            input: Input::Pixels,
        });
    }
    let floats = numpy.call_method1("ascontiguousarray", (&given, "float32"))?;
    let floats = floats
        .extract::<PyReadonlyArrayDyn<'_, f32>>()
        .map_err(|_| PyTypeError::new_err("images are a path, an array of bytes or an array of floats"))?;
    let floats = floats.as_array();
    let fits = match floats.shape() {
        [_, rest @ ..] if rest.len() == 3 => rest == image,
        shape => shape == image,
    };
    if !fits {
        return Err(error::setting(format!(
            "an array of shape {:?} is no input: the network's is {image:?} (channels, rows, columns)",
            floats.shape()
        )));
    }
    Ok(Images {
        values: floats.iter().copied().collect(),
        input: Input::Blob,
    })
}
