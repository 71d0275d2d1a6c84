//! The kind of a layer that is one in the graph, too, with its settings resolved.

use super::windows::{Setting, convolution, depthwise, pooling};
use super::{input, steps, tensor};
use crate::caffe::proto::LayerParameter;
use crate::caffe::proto::eltwise_parameter::EltwiseOp;
use crate::caffe::proto::lrn_parameter::NormRegion;
use crate::caffe::proto::reduction_parameter::ReductionOp;
use crate::graph::{EltwiseOperation, InnerProduct, LayerKind, Lrn, LrnRegion, Reduction};

/// What a layer computes.
pub(super) fn kind(proto: &LayerParameter) -> Setting<LayerKind> {
    let tensor = |role: &str| tensor(proto.name(), role);
    // Scale and Bias learn their operand only when no second bottom gives it.
    let learns = proto.bottom.len() < 2;
    Ok(match proto.r#type() {
        "Input" => LayerKind::Input {
            shape: input::declared(proto)?.into_iter().next().flatten(),
        },
        "Convolution" => LayerKind::Convolution(convolution(proto.name(), proto.convolution_param.as_ref())?),
        "ConvolutionDepthwise" | "ConvolutionDepthWise" | "DepthwiseConvolution" | "DepthwiseConv" => {
            LayerKind::Convolution(depthwise(proto.name(), proto.convolution_param.as_ref())?)
        }
        "Deconvolution" => LayerKind::Deconvolution(convolution(proto.name(), proto.convolution_param.as_ref())?),
        "Pooling" => LayerKind::Pooling(pooling(&proto.pooling_param.unwrap_or_default())?),
        "Upsample" => steps::upsample(proto),
        "Unpooling" => steps::unpooling(proto)?,
        "Interp" => steps::interp(proto)?,
        "ShuffleChannel" => LayerKind::ShuffleChannel {
            groups: proto.shuffle_channel_param.unwrap_or_default().group() as usize,
        },
        "Reorg" => {
            let p = proto.reorg_param.unwrap_or_default();
            LayerKind::Reorg {
                stride: p.stride() as usize,
                reverse: p.reverse(),
            }
        }
        "ArgMax" => {
            let p = proto.argmax_param.unwrap_or_default();
            LayerKind::ArgMax {
                axis: p.axis,
                top_k: p.top_k() as usize,
                out_max_val: p.out_max_val(),
            }
        }
        "LRN" => lrn(proto)?,
        "InnerProduct" => {
            let p = proto.inner_product_param.clone().unwrap_or_default();
            LayerKind::InnerProduct(InnerProduct {
                weight: tensor("weight"),
                bias: p.bias_term().then(|| tensor("bias")),
                num_output: p.num_output() as usize,
                axis: p.axis(),
                transpose: p.transpose(),
            })
        }
        "ReLU" => LayerKind::Relu {
            slope: proto.relu_param.unwrap_or_default().negative_slope(),
        },
        "PReLU" => LayerKind::PRelu {
            slope: tensor("slope"),
            shared: proto.prelu_param.clone().unwrap_or_default().channel_shared(),
        },
        "ELU" => LayerKind::Elu {
            alpha: proto.elu_param.unwrap_or_default().alpha(),
        },
        "ReLU6" => LayerKind::Clip {
            min: 0.0,
            max: proto.relu6_param.unwrap_or_default().threshold(),
        },
        "Sigmoid" => LayerKind::Sigmoid,
        "TanH" => LayerKind::TanH,
        "AbsVal" => LayerKind::AbsVal,
        "BNLL" => LayerKind::Bnll,
        "Power" => {
            let p = proto.power_param.unwrap_or_default();
            LayerKind::Power {
                power: p.power(),
                scale: p.scale(),
                shift: p.shift(),
            }
        }
        "Exp" => {
            let p = proto.exp_param.unwrap_or_default();
            LayerKind::Exp {
                base: base(p.base()),
                scale: p.scale(),
                shift: p.shift(),
            }
        }
        "Log" => {
            let p = proto.log_param.unwrap_or_default();
            LayerKind::Log {
                base: base(p.base()),
                scale: p.scale(),
                shift: p.shift(),
            }
        }
        "Clip" => {
            let p = proto.clip_param.ok_or("clip_param { min: .. max: .. } is missing")?;
            LayerKind::Clip { min: p.min, max: p.max }
        }
        "Swish" => LayerKind::Swish {
            beta: proto.swish_param.unwrap_or_default().beta(),
        },
        // Where a fork does not scale in the TRAIN phase, it does in the TEST phase.
        "Dropout" => match proto.dropout_param.unwrap_or_default() {
            p if p.scale_train() => LayerKind::Dropout,
            p => LayerKind::Power {
                power: 1.0,
                scale: 1.0 - p.dropout_ratio(),
                shift: 0.0,
            },
        },
        "Scale" => {
            let p = proto.scale_param.clone().unwrap_or_default();
            LayerKind::Scale {
                factor: learns.then(|| tensor("factor")),
                axis: p.axis(),
                num_axes: p.num_axes(),
                bias: p.bias_term().then(|| tensor("bias")),
            }
        }
        "Bias" => {
            let p = proto.bias_param.clone().unwrap_or_default();
            LayerKind::Bias {
                term: learns.then(|| tensor("term")),
                axis: p.axis(),
                num_axes: p.num_axes(),
            }
        }
        "Eltwise" => eltwise(proto)?,
        "Concat" => {
            let p = proto.concat_param.unwrap_or_default();
            LayerKind::Concat {
                axis: legacy_axis(p.axis, p.concat_dim)?,
            }
        }
        "Slice" => {
            let p = proto.slice_param.clone().unwrap_or_default();
            LayerKind::Slice {
                axis: legacy_axis(p.axis, p.slice_dim)?,
                points: p.slice_point.iter().map(|point| *point as usize).collect(),
            }
        }
        "Split" => LayerKind::Split,
        "Softmax" | "SoftmaxWithLoss" => LayerKind::Softmax {
            axis: proto.softmax_param.unwrap_or_default().axis(),
        },
        "Flatten" => {
            let p = proto.flatten_param.unwrap_or_default();
            LayerKind::Flatten {
                axis: p.axis(),
                end_axis: p.end_axis(),
            }
        }
        "Reshape" => {
            let p = proto.reshape_param.clone().unwrap_or_default();
            LayerKind::Reshape {
                dims: p.shape.clone().unwrap_or_default().dim,
                axis: p.axis(),
                num_axes: p.num_axes(),
            }
        }
        "Crop" => {
            let p = proto.crop_param.clone().unwrap_or_default();
            LayerKind::Crop {
                axis: p.axis(),
                offset: p.offset.iter().map(|offset| *offset as usize).collect(),
            }
        }
        "MVN" => {
            let p = proto.mvn_param.unwrap_or_default();
            LayerKind::Mvn {
                normalize_variance: p.normalize_variance(),
                across_channels: p.across_channels(),
                eps: p.eps(),
            }
        }
        "Tile" => {
            let p = proto.tile_param.unwrap_or_default();
            // None or a negative number of tiles is refused with 0 by the check of the graph.
            let tiles = p.tiles.and_then(|tiles| usize::try_from(tiles).ok()).unwrap_or(0);
            LayerKind::Tile { axis: p.axis(), tiles }
        }
        "Reduction" => {
            let p = proto.reduction_param.unwrap_or_default();
            LayerKind::Reduction {
                operation: match p.operation() {
                    ReductionOp::Sum => Reduction::Sum,
                    ReductionOp::Asum => Reduction::AbsoluteSum,
                    ReductionOp::Sumsq => Reduction::SumOfSquares,
                    ReductionOp::Mean => Reduction::Mean,
                },
                axis: p.axis(),
                coeff: p.coeff(),
            }
        }
        "Permute" => LayerKind::Permute {
            order: proto
                .permute_param
                .clone()
                .unwrap_or_default()
                .order
                .iter()
                .map(|axis| *axis as usize)
                .collect(),
        },
        "Normalize" => {
            let p = proto.norm_param.clone().unwrap_or_default();
            LayerKind::Normalize {
                scale: tensor("scale"),
                across_spatial: p.across_spatial(),
                channel_shared: p.channel_shared(),
                eps: p.eps(),
            }
        }
        "Silence"
        | "Accuracy"
        | "EuclideanLoss"
        | "HingeLoss"
        | "SigmoidCrossEntropyLoss"
        | "ContrastiveLoss"
        | "InfogainLoss"
        | "MultinomialLogisticLoss"
        | "HDF5Output" => LayerKind::Sink,
        "LSTM" | "LSTMUnit" | "RNN" | "GRU" => return Err("layers over sequences are not computed".into()),
        "Convolution3D" | "Deconvolution3D" | "Pooling3D" | "NdConvolution" | "NdPooling" => {
            return Err("convolution and pooling in three dimensions are not computed".into());
        }
        _ if input::is_data(proto) => LayerKind::Input {
            shape: input::image_shape(proto)?,
        },
        _ => LayerKind::Unsupported { reason: None },
    })
}

fn lrn(proto: &LayerParameter) -> Setting<LayerKind> {
    let p = proto.lrn_param.unwrap_or_default();
    Ok(LayerKind::Lrn(Lrn {
        region: match p.norm_region() {
            NormRegion::AcrossChannels => LrnRegion::AcrossChannels,
            NormRegion::WithinChannel => LrnRegion::WithinChannel,
        },
        size: p.local_size() as usize,
        alpha: p.alpha(),
        beta: p.beta(),
        k: p.k(),
    }))
}

fn eltwise(proto: &LayerParameter) -> Setting<LayerKind> {
    let p = proto.eltwise_param.clone().unwrap_or_default();
    Ok(LayerKind::Eltwise(match p.operation() {
        EltwiseOp::Prod if !p.coeff.is_empty() => return Err("a product takes no coefficients".into()),
        EltwiseOp::Prod => EltwiseOperation::Product,
        EltwiseOp::Sum => EltwiseOperation::Sum(p.coeff),
        EltwiseOp::Max => EltwiseOperation::Max,
    }))
}

fn legacy_axis(axis: Option<i32>, dim: Option<u32>) -> Setting<i32> {
    match (axis, dim) {
        (Some(_), Some(_)) => Err("the axis is given twice, in the old and in the new way".into()),
        (Some(axis), None) => Ok(axis),
        (None, Some(dim)) => i32::try_from(dim).map_err(|_| format!("axis {dim}")),
        (None, None) => Ok(1),
    }
}

/// The base of `Exp` and `Log`; -1 means e.
fn base(value: f32) -> Option<f32> {
    (value != -1.0).then_some(value)
}
