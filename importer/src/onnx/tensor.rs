//! Tensors held on the host: constants of a net, and what is computed of shapes.

use super::proto::TensorProto;

/// What went wrong in a node, or the thing itself.
pub(super) type Step<T> = std::result::Result<T, String>;

/// Most axes of a tensor; NumPy has as many.
const MOST_AXES: usize = 64;

/// The entries, row-major. Every float type is held as float32, every whole number as i64.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Float(Vec<f32>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
}

/// A tensor whose entries are known before any image is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) dims: Vec<usize>,
    pub(super) data: Data,
}

/// ONNX's numbers for element types (`TensorProto.DataType`), as far as a net for images uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementType {
    Float,
    Uint8,
    Int8,
    Uint16,
    Int16,
    Int32,
    Int64,
    Bool,
    Float16,
    Double,
    Uint32,
    Uint64,
    Bfloat16,
}

impl ElementType {
    pub(super) fn of(number: i64) -> Step<Self> {
        Ok(match number {
            1 => Self::Float,
            2 => Self::Uint8,
            3 => Self::Int8,
            4 => Self::Uint16,
            5 => Self::Int16,
            6 => Self::Int32,
            7 => Self::Int64,
            9 => Self::Bool,
            10 => Self::Float16,
            11 => Self::Double,
            12 => Self::Uint32,
            13 => Self::Uint64,
            16 => Self::Bfloat16,
            other => return Err(format!("element type {other} of ONNX is not supported")),
        })
    }

    pub(super) fn size(self) -> usize {
        match self {
            Self::Uint8 | Self::Int8 | Self::Bool => 1,
            Self::Uint16 | Self::Int16 | Self::Float16 | Self::Bfloat16 => 2,
            Self::Float | Self::Int32 | Self::Uint32 => 4,
            Self::Int64 | Self::Double | Self::Uint64 => 8,
        }
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::Float | Self::Float16 | Self::Double | Self::Bfloat16)
    }
}

/// The number of entries of declared dimensions; an error where they, or the dimensions, are too many to count.
pub(super) fn count(dims: &[usize]) -> Step<usize> {
    if dims.len() > MOST_AXES {
        return Err(format!("a tensor of {} axes", dims.len()));
    }
    dims.iter()
        .try_fold(1usize, |product, dim| product.checked_mul(*dim))
        .filter(|entries| *entries <= 1 << 40)
        .ok_or_else(|| format!("a tensor of shape {dims:?}"))
}

/// Declared dimensions as sizes.
pub(super) fn extents(dims: &[i64]) -> Step<Vec<usize>> {
    dims.iter()
        .map(|dim| usize::try_from(*dim).map_err(|_| format!("a negative dimension in shape {dims:?}")))
        .collect()
}

/// Entries stored as bytes, little-endian.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the network computes in float32; whole numbers beyond 2^63 are no sizes"
)]
pub(super) fn decode(bytes: &[u8], element: ElementType) -> Data {
    fn words<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
        bytes.as_chunks::<N>().0.iter().map(|word| read(*word)).collect()
    }
    match element {
        ElementType::Float => Data::Float(words(bytes, f32::from_le_bytes)),
        ElementType::Double => Data::Float(words(bytes, |word| f64::from_le_bytes(word) as f32)),
        ElementType::Float16 => Data::Float(words(bytes, |word| half::f16::from_le_bytes(word).to_f32())),
        ElementType::Bfloat16 => Data::Float(words(bytes, |word| half::bf16::from_le_bytes(word).to_f32())),
        ElementType::Bool => Data::Bool(bytes.iter().map(|byte| *byte != 0).collect()),
        ElementType::Uint8 => Data::Int(bytes.iter().map(|byte| i64::from(*byte)).collect()),
        ElementType::Int8 => Data::Int(bytes.iter().map(|byte| i64::from(*byte as i8)).collect()),
        ElementType::Uint16 => Data::Int(words(bytes, |word| i64::from(u16::from_le_bytes(word)))),
        ElementType::Int16 => Data::Int(words(bytes, |word| i64::from(i16::from_le_bytes(word)))),
        ElementType::Int32 => Data::Int(words(bytes, |word| i64::from(i32::from_le_bytes(word)))),
        ElementType::Uint32 => Data::Int(words(bytes, |word| i64::from(u32::from_le_bytes(word)))),
        ElementType::Int64 => Data::Int(words(bytes, i64::from_le_bytes)),
        ElementType::Uint64 => Data::Int(words(bytes, |word| u64::from_le_bytes(word) as i64)),
    }
}

impl Tensor {
    /// A tensor that a message holds itself, in `raw_data` or in one of the typed fields.
    pub(super) fn of(proto: &TensorProto) -> Step<Self> {
        let dims = extents(&proto.dims)?;
        let element = ElementType::of(i64::from(proto.data_type()))?;
        let entries = count(&dims)?;
        let data = match &proto.raw_data {
            Some(raw) if raw.len() == entries.saturating_mul(element.size()) => decode(raw, element),
            Some(raw) if !raw.is_empty() || entries > 0 && typed(proto, element).len() != entries => {
                return Err(format!(
                    "shape {dims:?} declares {entries} entries of {} bytes, the file holds {} bytes",
                    element.size(),
                    raw.len()
                ));
            }
            _ => typed(proto, element),
        };
        let tensor = Self { dims, data };
        if tensor.data.len() == entries {
            Ok(tensor)
        } else {
            Err(format!(
                "shape {:?} declares {entries} entries, the file holds {}",
                tensor.dims,
                tensor.data.len()
            ))
        }
    }

    pub(super) fn float(dims: Vec<usize>, values: Vec<f32>) -> Self {
        Self {
            dims,
            data: Data::Float(values),
        }
    }

    pub(super) fn scalar(value: usize) -> Self {
        Self {
            dims: Vec::new(),
            data: Data::Int(vec![value.cast_signed() as i64]),
        }
    }

    pub(super) fn ints(values: Vec<i64>) -> Self {
        Self {
            dims: vec![values.len()],
            data: Data::Int(values),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// The entries as float32; true is 1.
    #[expect(clippy::cast_precision_loss, reason = "the network computes in float32")]
    pub(super) fn to_floats(&self) -> Vec<f32> {
        match &self.data {
            Data::Float(values) => values.clone(),
            Data::Int(values) => values.iter().map(|value| *value as f32).collect(),
            Data::Bool(values) => values.iter().map(|value| f32::from(u8::from(*value))).collect(),
        }
    }

    /// The entries as whole numbers, fractions cut off.
    #[expect(clippy::cast_possible_truncation, reason = "what ONNX's Cast does")]
    pub(super) fn to_ints(&self) -> Vec<i64> {
        match &self.data {
            Data::Float(values) => values.iter().map(|value| *value as i64).collect(),
            Data::Int(values) => values.clone(),
            Data::Bool(values) => values.iter().map(|value| i64::from(*value)).collect(),
        }
    }

    /// The entries as truth values: whether they are not zero.
    pub(super) fn to_bools(&self) -> Vec<bool> {
        match &self.data {
            Data::Float(values) => values.iter().map(|value| *value != 0.0).collect(),
            Data::Int(values) => values.iter().map(|value| *value != 0).collect(),
            Data::Bool(values) => values.clone(),
        }
    }

    /// The same entries under another shape.
    pub(super) fn reshaped(&self, dims: Vec<usize>) -> Step<Self> {
        if count(&dims)? != self.len() {
            return Err(format!("{:?} cannot become {dims:?}", self.dims));
        }
        Ok(Self {
            dims,
            data: self.data.clone(),
        })
    }

    /// The entries at `places`, under the shape `dims`.
    pub(super) fn select(&self, dims: Vec<usize>, places: &[usize]) -> Self {
        fn pick<T: Copy>(values: &[T], places: &[usize]) -> Vec<T> {
            places.iter().map(|place| values[*place]).collect()
        }
        let data = match &self.data {
            Data::Float(values) => Data::Float(pick(values, places)),
            Data::Int(values) => Data::Int(pick(values, places)),
            Data::Bool(values) => Data::Bool(pick(values, places)),
        };
        Self { dims, data }
    }
}

impl Data {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }
}

/// Entries of the typed fields: `float_data`, `int32_data` (which also holds halves, as bits) and so on.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "halves are stored in the low bits; the network computes in float32"
)]
fn typed(proto: &TensorProto, element: ElementType) -> Data {
    let ints = &proto.int32_data;
    match element {
        ElementType::Float => Data::Float(proto.float_data.clone()),
        ElementType::Double => Data::Float(proto.double_data.iter().map(|value| *value as f32).collect()),
        ElementType::Float16 => Data::Float(
            ints.iter()
                .map(|bits| half::f16::from_bits(*bits as u16).to_f32())
                .collect(),
        ),
        ElementType::Bfloat16 => Data::Float(
            ints.iter()
                .map(|bits| half::bf16::from_bits(*bits as u16).to_f32())
                .collect(),
        ),
        ElementType::Bool => Data::Bool(ints.iter().map(|value| *value != 0).collect()),
        ElementType::Int64 => Data::Int(proto.int64_data.clone()),
        ElementType::Uint32 | ElementType::Uint64 => {
            Data::Int(proto.uint64_data.iter().map(|value| *value as i64).collect())
        }
        ElementType::Uint8 | ElementType::Int8 | ElementType::Uint16 | ElementType::Int16 | ElementType::Int32 => {
            Data::Int(ints.iter().map(|value| i64::from(*value)).collect())
        }
    }
}

/// The distance between neighbours along each axis, row-major.
pub(super) fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (0..dims.len().saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1] * dims[axis + 1];
    }
    strides
}

/// The places of all entries of `dims`, where a step along axis `i` moves by `steps[i]` from `start`.
pub(super) fn places(dims: &[usize], steps: &[isize], start: usize) -> Vec<usize> {
    let mut places = vec![start];
    for (extent, step) in dims.iter().zip(steps) {
        places = places
            .into_iter()
            .flat_map(|place| (0..*extent).map(move |i| place.wrapping_add_signed(step.wrapping_mul(i.cast_signed()))))
            .collect();
    }
    places
}

/// NumPy's rule: shapes aligned at their last axes, extents of 1 stretched.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Step<Vec<usize>> {
    let rank = a.len().max(b.len());
    (0..rank)
        .map(|axis| {
            let of = |dims: &[usize]| (axis + dims.len()).checked_sub(rank).map_or(1, |i| dims[i]);
            match (of(a), of(b)) {
                (x, y) if x == y => Ok(x),
                (1, y) => Ok(y),
                (x, 1) => Ok(x),
                _ => Err(format!("shapes {a:?} and {b:?} do not fit each other")),
            }
        })
        .collect()
}

/// For each entry of `target` the place of the entry of `dims` that is stretched to it.
pub(super) fn stretched(dims: &[usize], target: &[usize]) -> Vec<usize> {
    let own = strides(dims);
    let steps: Vec<isize> = (0..target.len())
        .map(|axis| match (axis + dims.len()).checked_sub(target.len()) {
            Some(i) if dims[i] != 1 => own[i].cast_signed(),
            _ => 0,
        })
        .collect();
    places(target, &steps, 0)
}

/// An axis that may be counted from the end.
pub(super) fn axis(axis: i64, rank: usize) -> Step<usize> {
    let from_start = if axis < 0 {
        axis + rank.cast_signed() as i64
    } else {
        axis
    };
    usize::try_from(from_start)
        .ok()
        .filter(|axis| *axis < rank)
        .ok_or_else(|| format!("axis {axis} of a tensor with {rank} axes"))
}
