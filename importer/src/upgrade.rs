//! Lifts older forms of a prototxt to the current one, as Caffe's `upgrade_proto.cpp` does, and applies phase rules.
//!
//! - V0 (`layers { layer { type: "conv" } }`) and V1 (`layers { type: CONVOLUTION }`) become `layer { type: "Convolution" }`;
//!   V0's separate padding layers are merged into the layer after them;
//! - `input` with `input_dim` or `input_shape` becomes an `Input` layer;
//! - layers whose rules exclude the TEST phase are dropped.

use std::path::Path;

use crate::error::{Error, Result};
use crate::proto::v1_layer_parameter::LayerType;
use crate::proto::{
    BlobShape, ConcatParameter, ConvolutionParameter, DropoutParameter, InnerProductParameter, InputParameter,
    LayerParameter, LrnParameter, NetParameter, NetState, NetStateRule, Phase, PoolingParameter,
    TransformationParameter, V0LayerParameter, V1LayerParameter, lrn_parameter, pooling_parameter,
};

/// The net with current layers only: no `layers`, no `input`, nothing that the TEST phase leaves out.
///
/// # Errors
/// When the net has both `layer` and `layers`, or declares inputs without saying how large they are in a way that Caffe
/// would accept.
pub fn to_current(mut net: NetParameter, path: &Path) -> Result<NetParameter> {
    if !net.layers.is_empty() {
        if !net.layer.is_empty() {
            return Err(Error::Net(format!(
                "{}: it has both \"layer\" and \"layers\"; Caffe accepts one or the other",
                path.display()
            )));
        }
        net.layer = merge_padding(std::mem::take(&mut net.layers))
            .into_iter()
            .map(from_v1)
            .collect();
    }
    let inputs = input_layers(&net, path)?;
    net.input.clear();
    net.input_dim.clear();
    net.input_shape.clear();
    let state = test_state(net.state.as_ref());
    let layers = std::mem::take(&mut net.layer);
    net.layer = inputs
        .into_iter()
        .chain(layers.into_iter().filter(|layer| is_included(layer, &state)))
        .collect();
    Ok(net)
}

fn input_layers(net: &NetParameter, path: &Path) -> Result<Vec<LayerParameter>> {
    let count = net.input.len();
    let shapes: Vec<Option<BlobShape>> = if !net.input_shape.is_empty() {
        if net.input_shape.len() != count && net.input_shape.len() != 1 {
            return Err(Error::Net(format!(
                "{}: {count} inputs but {} input_shape entries",
                path.display(),
                net.input_shape.len()
            )));
        }
        (0..count)
            .map(|i| Some(net.input_shape[if net.input_shape.len() == 1 { 0 } else { i }].clone()))
            .collect()
    } else if !net.input_dim.is_empty() {
        if net.input_dim.len() != 4 * count {
            return Err(Error::Net(format!(
                "{}: {count} inputs need {} input_dim entries, there are {}",
                path.display(),
                4 * count,
                net.input_dim.len()
            )));
        }
        net.input_dim
            .chunks(4)
            .map(|dims| {
                Some(BlobShape {
                    dim: dims.iter().map(|d| i64::from(*d)).collect(),
                })
            })
            .collect()
    } else {
        vec![None; count]
    };
    Ok(net
        .input
        .iter()
        .zip(shapes)
        .map(|(name, shape)| LayerParameter {
            name: Some(name.clone()),
            r#type: Some("Input".into()),
            top: vec![name.clone()],
            input_param: shape.map(|shape| InputParameter { shape: vec![shape] }),
            ..LayerParameter::default()
        })
        .collect())
}

fn test_state(declared: Option<&NetState>) -> NetState {
    NetState {
        phase: Some(Phase::Test as i32),
        ..declared.cloned().unwrap_or_default()
    }
}

fn is_included(layer: &LayerParameter, state: &NetState) -> bool {
    if layer.include.is_empty() {
        !layer.exclude.iter().any(|rule| meets(rule, state))
    } else {
        layer.include.iter().any(|rule| meets(rule, state))
    }
}

/// Caffe's `Net::StateMeetsRule`.
fn meets(rule: &NetStateRule, state: &NetState) -> bool {
    rule.phase.is_none_or(|_| rule.phase() as i32 == state.phase() as i32)
        && rule.min_level.is_none_or(|least| state.level() >= least)
        && rule.max_level.is_none_or(|most| state.level() <= most)
        && rule.stage.iter().all(|stage| state.stage.contains(stage))
        && !rule.not_stage.iter().any(|stage| state.stage.contains(stage))
}

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

fn from_v1(v1: V1LayerParameter) -> LayerParameter {
    let kind = current_type(v1.r#type()).to_owned();
    if let Some(v0) = v1.layer {
        return from_v0(v0, v1.bottom, v1.top);
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
        ..LayerParameter::default()
    }
}

/// V0 wrote padding as a layer of its own; Caffe moves it into the convolution or pooling that reads its top.
fn merge_padding(layers: Vec<V1LayerParameter>) -> Vec<V1LayerParameter> {
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

fn from_v0(v0: V0LayerParameter, bottom: Vec<String>, top: Vec<String>) -> LayerParameter {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::parse_net;

    fn upgraded(text: &str) -> NetParameter {
        let path = Path::new("net.prototxt");
        to_current(parse_net(text.into(), path).unwrap().net, path).unwrap()
    }

    #[test]
    fn v0_padding_moves_into_the_convolution() {
        let net = upgraded(
            "input: 'data' input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
             layers { layer { name: 'pad1' type: 'padding' pad: 2 } bottom: 'data' top: 'pad1' }
             layers { layer { name: 'conv1' type: 'conv' num_output: 4 kernelsize: 5 } bottom: 'pad1' top: 'conv1' }
             layers { layer { name: 'relu1' type: 'relu' } bottom: 'conv1' top: 'conv1' }",
        );
        let conv = &net.layer[1];
        assert_eq!(
            (net.layer.len(), conv.r#type(), conv.bottom[0].as_str()),
            (3, "Convolution", "data")
        );
        let param = conv.convolution_param.as_ref().unwrap();
        assert_eq!(
            (param.pad.as_slice(), param.kernel_size.as_slice()),
            (&[2][..], &[5][..])
        );
    }

    #[test]
    fn rules_follow_level_and_stage() {
        let net = upgraded(
            "state { level: 2 stage: 'deploy' }
             layer { name: 'a' include { min_level: 3 } }
             layer { name: 'b' include { stage: 'deploy' phase: TEST } }
             layer { name: 'c' exclude { stage: 'deploy' } }
             layer { name: 'd' include { phase: TRAIN } include { max_level: 2 } }
             layer { name: 'e' include { not_stage: 'deploy' } }",
        );
        let names: Vec<_> = net.layer.iter().map(LayerParameter::name).collect();
        assert_eq!(names, ["b", "d"]);
    }

    #[test]
    fn inputs_must_say_their_size() {
        let path = Path::new("net.prototxt");
        let net = parse_net("input: 'a' input: 'b' input_dim: 1".into(), path)
            .unwrap()
            .net;
        let error = to_current(net, path).unwrap_err().to_string();
        assert!(
            error.contains("2 inputs need 8 input_dim entries, there are 1"),
            "{error}"
        );
    }
}
