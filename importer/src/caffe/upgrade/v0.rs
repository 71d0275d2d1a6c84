//! The V0 form: `layers { layer { type: "conv" } }`.

use crate::caffe::proto::{
    ConcatParameter, ConvolutionParameter, DropoutParameter, InnerProductParameter, LayerParameter, LrnParameter,
    PoolingParameter, TransformationParameter, V0LayerParameter, V1LayerParameter, lrn_parameter, pooling_parameter,
};

/// V0 wrote padding as a layer of its own; Caffe moves it into the convolution or pooling that reads its top.
pub(super) fn merge_padding(layers: Vec<V1LayerParameter>) -> Vec<V1LayerParameter> {
    let is_padding = |layer: &V1LayerParameter| layer.layer.as_ref().is_some_and(|v0| v0.r#type() == "padding");
    let pads: Vec<(String, String, u32)> = layers
        .iter()
        .filter(|layer| is_padding(layer))
        .filter_map(|layer| {
            let pad = layer.layer.as_ref()?.pad();
            Some((layer.top.first()?.clone(), layer.bottom.first()?.clone(), pad))
        })
        .collect();
    layers
        .into_iter()
        .filter(|layer| !is_padding(layer))
        .map(|mut layer| {
            for bottom in &mut layer.bottom {
                if let Some((_, source, pad)) = pads.iter().rev().find(|(top, _, _)| top == bottom) {
                    bottom.clone_from(source);
                    if let Some(v0) = &mut layer.layer {
                        v0.pad = Some(*pad);
                    }
                }
            }
            layer
        })
        .collect()
}

/// A layer of the V0 form in the current one.
pub(super) fn from_v0(v0: V0LayerParameter, bottom: Vec<String>, top: Vec<String>) -> LayerParameter {
    let mut layer = LayerParameter {
        name: v0.name.clone(),
        bottom,
        top,
        ..LayerParameter::default()
    };
    let kind = match v0.r#type() {
        "conv" => {
            layer.convolution_param = Some(ConvolutionParameter {
                num_output: v0.num_output,
                bias_term: v0.biasterm,
                pad: v0.pad.into_iter().collect(),
                kernel_size: v0.kernelsize.into_iter().collect(),
                stride: v0.stride.into_iter().collect(),
                group: v0.group,
                ..ConvolutionParameter::default()
            });
            "Convolution"
        }
        "innerproduct" => {
            layer.inner_product_param = Some(InnerProductParameter {
                num_output: v0.num_output,
                bias_term: v0.biasterm,
                ..InnerProductParameter::default()
            });
            "InnerProduct"
        }
        "pool" => {
            // The two enumerations number their members alike.
            layer.pooling_param = Some(PoolingParameter {
                pool: v0.pool.or(Some(pooling_parameter::PoolMethod::Max as i32)),
                pad: v0.pad,
                kernel_size: v0.kernelsize,
                stride: v0.stride,
                ..PoolingParameter::default()
            });
            "Pooling"
        }
        "lrn" => {
            layer.lrn_param = Some(LrnParameter {
                local_size: v0.local_size,
                alpha: v0.alpha,
                beta: v0.beta,
                k: v0.k,
                norm_region: Some(lrn_parameter::NormRegion::AcrossChannels as i32),
                ..LrnParameter::default()
            });
            "LRN"
        }
        "dropout" => {
            layer.dropout_param = Some(DropoutParameter {
                dropout_ratio: v0.dropout_ratio,
                ..DropoutParameter::default()
            });
            "Dropout"
        }
        "concat" => {
            layer.concat_param = Some(ConcatParameter {
                concat_dim: v0.concat_dim,
                axis: None,
            });
            "Concat"
        }
        "data" | "images" | "window_data" | "hdf5_data" => {
            layer.transform_param = Some(TransformationParameter {
                scale: v0.scale,
                crop_size: v0.cropsize,
                mean_file: v0.meanfile,
                ..TransformationParameter::default()
            });
            "Data"
        }
        "accuracy" => "Accuracy",
        "bnll" => "BNLL",
        "euclidean_loss" => "EuclideanLoss",
        "flatten" => "Flatten",
        "hdf5_output" => "HDF5Output",
        "hinge_loss" => "HingeLoss",
        "im2col" => "Im2col",
        "infogain_loss" => "InfogainLoss",
        "multinomial_logistic_loss" => "MultinomialLogisticLoss",
        "relu" => "ReLU",
        "sigmoid" => "Sigmoid",
        "softmax" => "Softmax",
        "softmax_loss" => "SoftmaxWithLoss",
        "split" => "Split",
        "tanh" => "TanH",
        other => other,
    };
    layer.r#type = Some(kind.to_owned());
    layer
}
