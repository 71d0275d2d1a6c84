//! From a `LayerParameter` to a typed layer: Caffe's `LayerSetUp`, as far as it needs no blob shapes.

use super::Layer;
use super::kind::{EltwiseOperation, InnerProduct, LayerKind, Lrn, LrnRegion, Reduction};
use super::windows::{LARGEST, Setting, convolution, pooling, positive};
use crate::error::{Error, Result};
use crate::proto::LayerParameter;
use crate::proto::eltwise_parameter::EltwiseOp;
use crate::proto::lrn_parameter::NormRegion;
use crate::proto::reduction_parameter::ReductionOp;

/// Converts a layer.
pub(super) fn layer(proto: &LayerParameter) -> Result<Layer> {
    let kind = kind(proto).map_err(|message| Error::Layer {
        layer: proto.name().to_owned(),
        kind: proto.r#type().to_owned(),
        message,
    })?;
    let layer = Layer {
        name: proto.name().to_owned(),
        type_name: proto.r#type().to_owned(),
        kind,
        bottoms: proto.bottom.clone(),
        tops: proto.top.clone(),
    };
    check_arity(&layer)?;
    Ok(layer)
}

fn kind(proto: &LayerParameter) -> Setting<LayerKind> {
    Ok(match proto.r#type() {
        "Input" => LayerKind::Input {
            shape: declared_shape(proto)?,
        },
        "Data" | "ImageData" | "HDF5Data" | "MemoryData" | "WindowData" | "DummyData" | "AnnotatedData" => {
            LayerKind::Input {
                shape: cropped_shape(proto),
            }
        }
        "Convolution" => LayerKind::Convolution(convolution(proto.convolution_param.as_ref())?),
        "Deconvolution" => LayerKind::Deconvolution(convolution(proto.convolution_param.as_ref())?),
        "Pooling" => LayerKind::Pooling(pooling(&proto.pooling_param.unwrap_or_default())?),
        "LRN" => lrn(proto)?,
        "InnerProduct" => {
            let p = proto.inner_product_param.clone().unwrap_or_default();
            LayerKind::InnerProduct(InnerProduct {
                num_output: positive("num_output", p.num_output())?,
                bias: p.bias_term(),
                axis: p.axis(),
                transpose: p.transpose(),
            })
        }
        "ReLU" => LayerKind::Relu {
            slope: proto.relu_param.unwrap_or_default().negative_slope(),
        },
        "PReLU" => LayerKind::PRelu {
            shared: proto.prelu_param.clone().unwrap_or_default().channel_shared(),
        },
        "ELU" => LayerKind::Elu {
            alpha: proto.elu_param.unwrap_or_default().alpha(),
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
                base: base(p.base())?,
                scale: p.scale(),
                shift: p.shift(),
            }
        }
        "Log" => {
            let p = proto.log_param.unwrap_or_default();
            LayerKind::Log {
                base: base(p.base())?,
                scale: p.scale(),
                shift: p.shift(),
            }
        }
        "Clip" => {
            let p = proto.clip_param.ok_or("clip_param { min: .. max: .. } is missing")?;
            if p.min > p.max {
                return Err(format!("min {} is greater than max {}", p.min, p.max));
            }
            LayerKind::Clip { min: p.min, max: p.max }
        }
        "Swish" => LayerKind::Swish {
            beta: proto.swish_param.unwrap_or_default().beta(),
        },
        "Dropout" => LayerKind::Dropout,
        "BatchNorm" => LayerKind::BatchNorm {
            eps: proto.batch_norm_param.unwrap_or_default().eps(),
        },
        "Scale" => {
            let p = proto.scale_param.clone().unwrap_or_default();
            LayerKind::Scale {
                axis: p.axis(),
                num_axes: p.num_axes(),
                bias: p.bias_term(),
            }
        }
        "Bias" => {
            let p = proto.bias_param.clone().unwrap_or_default();
            LayerKind::Bias {
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
            let tiles = p.tiles.and_then(|tiles| usize::try_from(tiles).ok()).unwrap_or(0);
            if tiles == 0 {
                return Err("tiles must be 1 or more".into());
            }
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
        _ => LayerKind::Unsupported,
    })
}

/// Caffe's `ExactNumBottomBlobs` and its kin.
fn check_arity(layer: &Layer) -> Result<()> {
    let (bottoms, tops) = (layer.bottoms.len(), layer.tops.len());
    let fits = match &layer.kind {
        LayerKind::Input { .. } => bottoms == 0 && tops >= 1,
        LayerKind::Eltwise(_) => bottoms >= 2 && tops == 1,
        LayerKind::Concat { .. } => bottoms >= 1 && tops == 1,
        LayerKind::Slice { .. } | LayerKind::Split => bottoms == 1 && tops >= 1,
        LayerKind::Convolution(_) | LayerKind::Deconvolution(_) => bottoms >= 1 && bottoms == tops,
        LayerKind::Crop { .. } => bottoms == 2 && tops == 1,
        LayerKind::Scale { .. } | LayerKind::Bias { .. } => (1..=2).contains(&bottoms) && tops == 1,
        LayerKind::Softmax { .. } => bottoms >= 1,
        LayerKind::Pooling(_) => bottoms == 1 && (1..=2).contains(&tops),
        LayerKind::Sink | LayerKind::Unsupported => true,
        _ => bottoms == 1 && tops == 1,
    };
    if fits {
        Ok(())
    } else {
        Err(layer.error(format!(
            "it has {bottoms} bottoms and {tops} tops, which is not what a layer of its type takes"
        )))
    }
}

fn declared_shape(proto: &LayerParameter) -> Setting<Option<Vec<usize>>> {
    let Some(shape) = proto.input_param.as_ref().and_then(|p| p.shape.first()) else {
        return Ok(None);
    };
    shape
        .dim
        .iter()
        .map(|dim| match usize::try_from(*dim) {
            Ok(dim) if dim <= LARGEST as usize => Ok(dim),
            _ => Err(format!("an input of shape {:?}", shape.dim)),
        })
        .collect::<Setting<Vec<_>>>()
        .map(Some)
}

/// A data layer's crop size, when it has one, as the shape of its (colour) images.
fn cropped_shape(proto: &LayerParameter) -> Option<Vec<usize>> {
    let side = proto.transform_param.as_ref()?.crop_size() as usize;
    (1..=LARGEST as usize).contains(&side).then(|| vec![1, 3, side, side])
}

fn lrn(proto: &LayerParameter) -> Setting<LayerKind> {
    let p = proto.lrn_param.unwrap_or_default();
    let size = positive("local_size", p.local_size())?;
    if size.is_multiple_of(2) {
        return Err(format!("local_size is {size}; it must be odd"));
    }
    Ok(LayerKind::Lrn(Lrn {
        region: match p.norm_region() {
            NormRegion::AcrossChannels => LrnRegion::AcrossChannels,
            NormRegion::WithinChannel => LrnRegion::WithinChannel,
        },
        size,
        alpha: p.alpha(),
        beta: p.beta(),
        k: p.k(),
    }))
}

fn eltwise(proto: &LayerParameter) -> Setting<LayerKind> {
    let p = proto.eltwise_param.clone().unwrap_or_default();
    if !p.coeff.is_empty() && p.coeff.len() != proto.bottom.len() {
        return Err(format!(
            "{} coefficients for {} bottoms",
            p.coeff.len(),
            proto.bottom.len()
        ));
    }
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

fn base(value: f32) -> Setting<Option<f32>> {
    if value > 0.0 {
        Ok(Some(value))
    } else if value == -1.0 {
        Ok(None)
    } else {
        Err(format!("base is {value}; it must be positive, or -1 for e"))
    }
}
