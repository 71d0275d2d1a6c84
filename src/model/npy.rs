//! Reading NumPy's `.npy`; nothing is allocated that exceeds the file's own length.

use std::path::Path;

use deepvis_importer::input;
use ndarray::{ArrayD, ArrayView3, IxDyn, ShapeBuilder};
use ndarray_npy::WriteNpyExt;

use super::error::{Error, Result};
use crate::atomic_file::write_atomically;
use crate::python::{Value, literal};

/// Bytes of the longest array that is read: an image of 4000 x 4000 pixels in float64.
const LONGEST: u64 = 512 << 20;
/// Bytes of the longest header: NumPy itself asks whether longer ones are to be trusted.
const LONGEST_HEADER: usize = 10_000;
/// Most axes, as in NumPy.
const MOST_AXES: usize = 64;

/// Reads a `.npy` of any numbers but complex ones, in either order of bytes and axes, as float64.
///
/// # Errors
/// When the file cannot be read, holds something else, or is of another length than its header says.
pub fn read(path: &Path) -> Result<ArrayD<f64>> {
    let bytes = input::read(path, LONGEST).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&bytes).map_err(|message| Error::Input {
        path: path.to_owned(),
        message: format!("it is not a .npy of numbers: {message}"),
    })
}

/// Writes an image as a `.npy` of float64, channels x rows x columns.
///
/// # Errors
/// When the values do not fill the shape, or the file cannot be written.
pub fn write(path: &Path, values: &[f64], shape: [usize; 3]) -> std::io::Result<()> {
    let array = ArrayView3::from_shape(shape, values).map_err(std::io::Error::other)?;
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).map_err(std::io::Error::other)?;
    write_atomically(path, &bytes).map_err(|error| error.source)
}

/// The array in the bytes of a file; see `numpy/lib/format.py` for what these are.
///
/// # Errors
/// What is wrong with them.
pub fn parse(bytes: &[u8]) -> Result<ArrayD<f64>, String> {
    let (header, data) = split(bytes).ok_or("it ends within its header, or begins otherwise than one does")?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text")?;
    let Value::Dict(entries) = literal::parse(header)? else {
        return Err("its header is not a dict".into());
    };
    let entry = |name: &str| {
        let found = entries.iter().find(|(key, _)| key.str() == name);
        found
            .map(|(_, value)| value)
            .ok_or_else(|| format!("its header has no {name}"))
    };
    let Value::Str(element) = entry("descr")? else {
        return Err("it has more than one column".into());
    };
    let Value::Bool(is_fortran) = entry("fortran_order")? else {
        return Err("its header does not tell the order of its axes".into());
    };
    let shape = entry("shape")?.as_sizes().ok_or("its header has no proper shape")?;
    let count = shape
        .iter()
        .try_fold(1usize, |count, extent| count.checked_mul(*extent))
        .filter(|_| shape.len() <= MOST_AXES);
    let number: fn(&[u8]) -> f64 = match element.get(1..) {
        Some("b1") => |bytes| f64::from(u8::from(bytes[0] != 0)),
        Some("f2") => |bytes| burn::tensor::f16::from_le_bytes(padded(bytes)).to_f64(),
        Some("f4") => |bytes| f64::from(f32::from_le_bytes(padded(bytes))),
        Some("f8") => |bytes| f64::from_le_bytes(padded(bytes)),
        Some("u1" | "u2" | "u4" | "u8") => |bytes| float(i128::from(u64::from_le_bytes(padded(bytes)))),
        Some("i1") => |bytes| f64::from(i8::from_le_bytes(padded(bytes))),
        Some("i2") => |bytes| f64::from(i16::from_le_bytes(padded(bytes))),
        Some("i4") => |bytes| f64::from(i32::from_le_bytes(padded(bytes))),
        Some("i8") => |bytes| float(i128::from(i64::from_le_bytes(padded(bytes)))),
        _ => return Err(format!("its entries are of type {element:?}")),
    };
    let size = element[2..].parse::<usize>().map_err(|e| e.to_string())?;
    // A product that is 0 may have factors whose product no array can index.
    let is_plausible = shape.iter().all(|extent| *extent <= bytes.len());
    match count.filter(|_| is_plausible).and_then(|count| count.checked_mul(size)) {
        Some(needed) if needed == data.len() => {}
        needed => {
            let needed = needed.map_or("more than can be counted".to_owned(), |needed| needed.to_string());
            return Err(format!(
                "its shape is {shape:?} of {size} bytes each, {needed} in all, and {} of the {} bytes of the file are entries",
                data.len(),
                bytes.len()
            ));
        }
    }
    let is_big = match element.as_bytes()[0] {
        b'>' => true,
        b'<' | b'|' | b'=' => false,
        _ => return Err(format!("its entries are of type {element:?}")),
    };
    let values = data
        .chunks_exact(size)
        .map(|entry| {
            let mut entry: [u8; 8] = padded(entry);
            if is_big {
                entry[..size].reverse();
            }
            number(&entry[..size])
        })
        .collect();
    ArrayD::from_shape_vec(IxDyn(&shape).set_f(*is_fortran), values).map_err(|e| e.to_string())
}

/// The header's text, and what follows it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (version, rest) = rest.split_first_chunk::<2>()?;
    let (len, rest) = match version {
        [1, _] => {
            let (len, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_le_bytes(*len)), rest)
        }
        [2 | 3, _] => {
            let (len, rest) = rest.split_first_chunk()?;
            (usize::try_from(u32::from_le_bytes(*len)).ok()?, rest)
        }
        _ => return None,
    };
    if len > LONGEST_HEADER {
        return None;
    }
    rest.split_at_checked(len)
}

/// The first bytes, and zeros after them.
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    let len = bytes.len().min(N);
    all[..len].copy_from_slice(&bytes[..len]);
    all
}

#[expect(clippy::cast_precision_loss, reason = "as NumPy's astype(float)")]
fn float(value: i128) -> f64 {
    value as f64
}

/// Whether a file begins as a `.npy` does, whatever its name is.
pub fn is_npy(path: &Path) -> bool {
    use std::io::Read;
    let mut begin = [0; 6];
    input::open(path).is_ok_and(|(mut file, _)| file.read_exact(&mut begin).is_ok()) && begin == *b"\x93NUMPY"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As NumPy writes it: the header padded with spaces to a multiple of 64 bytes.
    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let padded = format!("{header:<117}\n");
        let len = u16::try_from(padded.len()).unwrap();
        [b"\x93NUMPY\x01\x00", &len.to_le_bytes()[..], padded.as_bytes(), data].concat()
    }

    fn header(element: &str, fortran: &str, shape: &str) -> String {
        format!("{{'descr': '{element}', 'fortran_order': {fortran}, 'shape': {shape}, }}")
    }

    #[test]
    fn every_kind_of_number_is_read() {
        let expected = ArrayD::from_shape_vec(IxDyn(&[2, 3]), vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let little: Vec<u8> = (0u8..6).flat_map(|i| f32::from(i).to_le_bytes()).collect();
        let big: Vec<u8> = (0u8..6).flat_map(|i| f64::from(i).to_be_bytes()).collect();
        let columns: Vec<u8> = [0u8, 3, 1, 4, 2, 5].to_vec();
        for (element, fortran, data) in [
            ("<f4", "False", little),
            (">f8", "False", big),
            ("|u1", "True", columns),
        ] {
            assert_eq!(
                parse(&npy(&header(element, fortran, "(2, 3)"), &data)),
                Ok(expected.clone())
            );
        }
        assert_eq!(parse(&npy(&header("|u1", "False", "()"), &[7])).unwrap().len(), 1);
    }

    /// Shapes that overflow, that no memory holds, and that hold nothing, at the speed of their length.
    #[test]
    fn a_shape_must_be_that_of_the_bytes() {
        for shape in [
            "(1, 4, 1048576, 1048576)",
            "(0, 4611686018427387904, 4611686018427387904)",
            "(18446744073709551615,)",
            "(99999999999999999999999,)",
            "(-1,)",
            "(3,)",
            "(1.0,)",
            "None",
        ] {
            assert!(
                parse(&npy(&header("<f4", "False", shape), &[0; 16])).is_err(),
                "{shape}"
            );
        }
        let digits = header("<f4", "False", &format!("({},)", "9".repeat(9_000)));
        assert!(parse(&npy(&digits, &[0; 16])).is_err());
        assert!(parse(&npy(&header("<f4", "False", &"(".repeat(40_000)), &[])).is_err());
        let whole = npy(&header("<f4", "False", "(4,)"), &[0; 16]);
        assert!(parse(&whole).is_ok());
        assert!((0..whole.len()).all(|len| parse(&whole[..len]).is_err()));
    }
}
