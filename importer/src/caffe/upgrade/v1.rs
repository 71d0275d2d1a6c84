//! The V1 form: `layers { type: CONVOLUTION }`.

use super::v0::from_v0;
use crate::caffe::proto::v1_layer_parameter::LayerType;
use crate::caffe::proto::{LayerParameter, V1LayerParameter};

/// The name that the current form gives a V1 layer type.
fn current_type(kind: LayerType) -> &'static str {
    match kind {
        LayerType::None => "",
        LayerType::Absval => "AbsVal",
        LayerType::Accuracy => "Accuracy",
        LayerType::Argmax => "ArgMax",
        LayerType::Bnll => "BNLL",
        LayerType::Concat => "Concat",
        LayerType::ContrastiveLoss => "ContrastiveLoss",
        LayerType::Convolution => "Convolution",
        LayerType::Deconvolution => "Deconvolution",
        LayerType::Data => "Data",
        LayerType::Dropout => "Dropout",
        LayerType::DummyData => "DummyData",
        LayerType::EuclideanLoss => "EuclideanLoss",
        LayerType::Eltwise => "Eltwise",
        LayerType::Exp => "Exp",
        LayerType::Flatten => "Flatten",
        LayerType::Hdf5Data => "HDF5Data",
        LayerType::Hdf5Output => "HDF5Output",
        LayerType::HingeLoss => "HingeLoss",
        LayerType::Im2col => "Im2col",
        LayerType::ImageData => "ImageData",
        LayerType::InfogainLoss => "InfogainLoss",
        LayerType::InnerProduct => "InnerProduct",
        LayerType::Lrn => "LRN",
        LayerType::MemoryData => "MemoryData",
        LayerType::MultinomialLogisticLoss => "MultinomialLogisticLoss",
        LayerType::Mvn => "MVN",
        LayerType::Pooling => "Pooling",
        LayerType::Power => "Power",
        LayerType::Relu => "ReLU",
        LayerType::Sigmoid => "Sigmoid",
        LayerType::SigmoidCrossEntropyLoss => "SigmoidCrossEntropyLoss",
        LayerType::Silence => "Silence",
        LayerType::Softmax => "Softmax",
        LayerType::SoftmaxLoss => "SoftmaxWithLoss",
        LayerType::Split => "Split",
        LayerType::Slice => "Slice",
        LayerType::Tanh => "TanH",
        LayerType::WindowData => "WindowData",
        LayerType::Threshold => "Threshold",
    }
}

/// The name that the current form gives a V1 layer type of a fork.
fn type_of_fork(kind: &str) -> &str {
    match kind {
        "BATCHNORM" | "BATCH_NORM" => "BatchNorm",
        "CROP" => "Crop",
        "PERMUTE" => "Permute",
        "PRELU" => "PReLU",
        "RESHAPE" => "Reshape",
        "SCALE" => "Scale",
        "UNPOOLING" => "Unpooling",
        "UPSAMPLE" => "Upsample",
        "INTERP" => "Interp",
        other => other,
    }
}

/// A layer of the V1 form in the current one.
pub(super) fn from_v1(v1: V1LayerParameter) -> LayerParameter {
    let of_fork = v1.deepvis_left_out.iter().find_map(|path| path.strip_prefix("type: "));
    let kind = of_fork.map_or(current_type(v1.r#type()), type_of_fork).to_owned();
    if let Some(v0) = v1.layer {
        return LayerParameter {
            deepvis_left_out: v1.deepvis_left_out,
            include: v1.include,
            exclude: v1.exclude,
            ..from_v0(v0, v1.bottom, v1.top)
        };
    }
    LayerParameter {
        name: v1.name,
        r#type: Some(kind),
        bottom: v1.bottom,
        top: v1.top,
        include: v1.include,
        exclude: v1.exclude,
        loss_weight: v1.loss_weight,
        blobs: v1.blobs,
        argmax_param: v1.argmax_param,
        concat_param: v1.concat_param,
        convolution_param: v1.convolution_param,
        dropout_param: v1.dropout_param,
        eltwise_param: v1.eltwise_param,
        exp_param: v1.exp_param,
        inner_product_param: v1.inner_product_param,
        lrn_param: v1.lrn_param,
        mvn_param: v1.mvn_param,
        pooling_param: v1.pooling_param,
        power_param: v1.power_param,
        relu_param: v1.relu_param,
        sigmoid_param: v1.sigmoid_param,
        softmax_param: v1.softmax_param,
        slice_param: v1.slice_param,
        tanh_param: v1.tanh_param,
        threshold_param: v1.threshold_param,
        transform_param: v1.transform_param,
        data_param: v1.data_param,
        dummy_data_param: v1.dummy_data_param,
        image_data_param: v1.image_data_param,
        memory_data_param: v1.memory_data_param,
        window_data_param: v1.window_data_param,
        bn_param: v1.bn_param,
        upsample_param: v1.upsample_param,
        unpooling_param: v1.unpooling_param,
        deepvis_left_out: v1.deepvis_left_out,
        ..LayerParameter::default()
    }
}
