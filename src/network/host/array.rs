//! Tensors of the CPU backends as plain slices.

use std::ops::Deref;
use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex};
use burn::tensor::TensorData;
use burn_flex::FlexTensor;
use burn_ndarray::NdArrayTensor;
use ndarray::{ArcArray, IxDyn};

use burn::backend::NdArray;

/// The storage behind a [`HostArray`], shared with the tensor it came from.
#[derive(Clone)]
enum Storage {
    Flex(FlexTensor),
    NdArray(Arc<NdArrayTensor>),
    Owned(Arc<Vec<f32>>),
}

/// Row-major float32 entries with a shape; clones share them.
#[derive(Clone)]
pub struct HostArray {
    storage: Storage,
    shape: Vec<usize>,
}

impl HostArray {
    /// An array of its own.
    pub fn new(values: Vec<f32>, shape: Vec<usize>) -> Self {
        debug_assert_eq!(values.len(), shape.iter().product::<usize>());
        Self {
            storage: Storage::Owned(Arc::new(values)),
            shape,
        }
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
}

impl Deref for HostArray {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        let values = match &self.storage {
            Storage::Flex(tensor) => tensor.as_slice::<f32>(),
            Storage::NdArray(tensor) => match tensor.as_ref() {
                NdArrayTensor::F32(storage) => storage.view().to_slice(),
                _ => None,
            },
            Storage::Owned(values) => Some(values.as_slice()),
        };
        values.expect("`to_host` keeps float32 entries, contiguous")
    }
}

/// A backend whose tensors are in host memory.
pub trait Host: Backend {
    /// The tensor's entries; without a copy when they are contiguous.
    fn to_host(tensor: FloatTensor<Self>) -> HostArray;

    /// A tensor of `values`, row-major, without a copy.
    fn from_host(values: Vec<f32>, shape: &[usize]) -> FloatTensor<Self>;

    /// The tensor's shape.
    fn shape_of(tensor: &FloatTensor<Self>) -> Vec<usize>;
}

impl Host for Flex {
    fn to_host(tensor: FloatTensor<Self>) -> HostArray {
        let tensor = if tensor.is_contiguous() {
            tensor
        } else {
            tensor.to_contiguous()
        };
        let shape = Self::shape_of(&tensor);
        HostArray {
            storage: Storage::Flex(tensor),
            shape,
        }
    }

    fn from_host(values: Vec<f32>, shape: &[usize]) -> FloatTensor<Self> {
        FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
    }

    fn shape_of(tensor: &FloatTensor<Self>) -> Vec<usize> {
        tensor.layout().shape().to_vec()
    }
}

impl Host for NdArray {
    fn to_host(tensor: FloatTensor<Self>) -> HostArray {
        let shape = Self::shape_of(&tensor);
        // The network computes in float32 alone.
        let strided = match &tensor {
            NdArrayTensor::F32(storage) if !storage.view().is_standard_layout() => {
                Some(storage.view().iter().copied().collect())
            }
            _ => None,
        };
        let storage = match strided {
            Some(values) => Storage::Owned(Arc::new(values)),
            None => Storage::NdArray(Arc::new(tensor)),
        };
        HostArray { storage, shape }
    }

    fn from_host(values: Vec<f32>, shape: &[usize]) -> FloatTensor<Self> {
        let array = ArcArray::from_shape_vec(IxDyn(shape), values);
        NdArrayTensor::from(array.expect("a host function gives as many values as its shape has entries"))
    }

    fn shape_of(tensor: &FloatTensor<Self>) -> Vec<usize> {
        match tensor {
            NdArrayTensor::F32(storage) => storage.shape().to_vec(),
            _ => unreachable!("the network computes in float32"),
        }
    }
}
