//! Layers of forks that are computed in several steps, each a kind of its own, and those whose form the stored blobs decide.

use super::blobs::Step;
use super::tensor;
use super::windows::Setting;
use crate::caffe::proto::bn_parameter::BnMode;
use crate::caffe::proto::unpooling_parameter::UnpoolMethod;
use crate::caffe::proto::{LayerParameter, UnpoolingParameter};
use crate::graph::{EltwiseOperation, InterpSize, LayerKind, UnpoolSize};
use crate::weights::StoredTensor;

/// The variance's addend in SegNet's `BN` layer, which has no setting for it.
const SEGNET_EPS: f32 = 1e-9;

/// One step after the other, each reading what the one before wrote.
fn chain(proto: &LayerParameter, kinds: Vec<(LayerKind, Vec<usize>)>) -> Vec<Step> {
    let last = kinds.len().saturating_sub(1);
    let between = |number: usize| vec![format!("{} (step {number})", proto.name())];
    kinds
        .into_iter()
        .enumerate()
        .map(|(number, (kind, places))| Step {
            kind,
            places,
            bottoms: if number == 0 {
                proto.bottom.clone()
            } else {
                between(number)
            },
            tops: if number == last {
                proto.top.clone()
            } else {
                between(number + 1)
            },
        })
        .collect()
}

/// A factor and perhaps a term for each channel.
fn affine(proto: &LayerParameter, factor: usize, term: Option<usize>) -> (LayerKind, Vec<usize>) {
    let kind = LayerKind::Scale {
        factor: Some(tensor(proto.name(), "factor")),
        axis: 1,
        num_axes: 1,
        bias: term.map(|_| tensor(proto.name(), "bias")),
    };
    (kind, [Some(factor), term].into_iter().flatten().collect())
}

/// The stored mean and variance, at these places; perhaps divided by a number.
fn stored_statistics(proto: &LayerParameter, places: Vec<usize>, eps: f32) -> (LayerKind, Vec<usize>) {
    let kind = LayerKind::BatchNorm {
        mean: tensor(proto.name(), "mean"),
        variance: tensor(proto.name(), "variance"),
        divisor: (places.len() == 3).then(|| tensor(proto.name(), "divisor")),
        eps,
    };
    (kind, places)
}

/// Caffe's `BatchNorm`: y = (x - mean / f) / sqrt(variance / f + eps), its blobs mean, variance and f. NVIDIA's fork adds
/// scale and bias as two more blobs (`scale_bias`); other writers leave f or the bias out, so that there are four. With
/// `use_global_stats: false` Caffe takes the statistics of the batch in the TEST phase, too.
pub(super) fn batch_norm(proto: &LayerParameter, stored: &[StoredTensor]) -> Vec<Step> {
    let p = proto.batch_norm_param.clone().unwrap_or_default();
    let is_stored = p.use_global_stats != Some(false);
    let (statistics, scale): (Vec<usize>, Option<(usize, Option<usize>)>) = match stored.len() {
        // The third blob is f where it is one number beside many.
        4 if stored[2].count() > 1 || stored[0].count() == 1 => (vec![0, 1], Some((2, Some(3)))),
        4 => (vec![0, 1, 2], Some((3, None))),
        5 => (vec![0, 1, 2], Some((3, Some(4)))),
        _ if p.scale_bias() => (vec![0, 1, 2], Some((3, Some(4)))),
        _ => (vec![0, 1, 2], None),
    };
    let norm = if is_stored {
        stored_statistics(proto, statistics, p.eps())
    } else {
        (LayerKind::BatchStatistics { eps: p.eps() }, Vec::new())
    };
    let scale = scale.map(|(factor, term)| affine(proto, factor, term));
    chain(proto, [norm].into_iter().chain(scale).collect())
}

/// `BN` of SegNet's and ENet's fork: scale and shift, y = scale x + shift in the mode INFERENCE, for which the statistics are
/// worked into both; in the mode LEARN x is normalized by the statistics of the batch before. And `BN` of PSPNet's, ICNet's
/// and TSN's fork: slope, bias, mean and variance, y = slope (x - mean) / sqrt(variance + eps) + bias. Which of them it is
/// the number of stored blobs tells, without such the settings.
pub(super) fn bn(proto: &LayerParameter, stored: &[StoredTensor]) -> Vec<Step> {
    let p = proto.bn_param.clone().unwrap_or_default();
    let says_segnet = p.bn_mode.is_some() || p.scale_filler.is_some() || p.shift_filler.is_some();
    let is_segnet = match stored.len() {
        2 => true,
        4 => false,
        _ => says_segnet,
    };
    let steps = match (is_segnet, p.bn_mode()) {
        (true, BnMode::Inference) => vec![affine(proto, 0, Some(1))],
        (true, BnMode::Learn) => vec![
            (LayerKind::BatchStatistics { eps: SEGNET_EPS }, Vec::new()),
            affine(proto, 0, Some(1)),
        ],
        (false, _) => vec![stored_statistics(proto, vec![2, 3], p.eps()), affine(proto, 0, Some(1))],
    };
    chain(proto, steps)
}

/// `SELU` (Klambauer et al. 2017): lambda x for x > 0, else lambda alpha (exp x - 1).
pub(super) fn selu(proto: &LayerParameter) -> Vec<Step> {
    let p = proto.selu_param.unwrap_or_default();
    let scaled = LayerKind::Power {
        power: 1.0,
        scale: p.lambda(),
        shift: 0.0,
    };
    chain(
        proto,
        vec![(LayerKind::Elu { alpha: p.alpha() }, Vec::new()), (scaled, Vec::new())],
    )
}

/// `Axpy` of the squeeze-and-excitation fork (Hu et al. 2017): a x + y, with one a for each channel.
pub(super) fn axpy(proto: &LayerParameter) -> Setting<Vec<Step>> {
    let [a, x, y] = proto.bottom.as_slice() else {
        return Err(format!("{} bottoms; it takes a, x and y", proto.bottom.len()));
    };
    let flat = vec![format!("{} (a)", proto.name())];
    let scaled = vec![format!("{} (a x)", proto.name())];
    Ok(vec![
        Step::new(
            LayerKind::Flatten { axis: 1, end_axis: -1 },
            std::slice::from_ref(a),
            &flat,
        ),
        Step::new(
            LayerKind::Scale {
                factor: None,
                axis: 0,
                num_axes: 1,
                bias: None,
            },
            &[x.clone(), flat[0].clone()],
            &scaled,
        ),
        Step::new(
            LayerKind::Eltwise(EltwiseOperation::Sum(Vec::new())),
            &[scaled[0].clone(), y.clone()],
            &proto.top,
        ),
    ])
}

/// `Interp` of DeepLab's and PSPNet's fork.
pub(super) fn interp(proto: &LayerParameter) -> Setting<LayerKind> {
    let p = proto.interp_param.unwrap_or_default();
    let extent = |name: &str, value: i32| usize::try_from(value).map_err(|_| format!("{name} is {value}"));
    let cut = |name: &str, value: i32| match usize::try_from(-i64::from(value)) {
        Ok(cut) => Ok(cut),
        Err(_) => Err(format!("{name} is {value}; it may only cut off, and not be positive")),
    };
    let size = if p.shrink_factor.is_some() || p.zoom_factor.is_some() {
        InterpSize::Factors {
            shrink: extent("shrink_factor", p.shrink_factor())?,
            zoom: extent("zoom_factor", p.zoom_factor())?,
        }
    } else if p.height.is_some() && p.width.is_some() {
        InterpSize::Fixed([extent("height", p.height())?, extent("width", p.width())?])
    } else {
        InterpSize::OfSecond
    };
    Ok(LayerKind::Interp {
        size,
        cut: [cut("pad_beg", p.pad_beg())?, cut("pad_end", p.pad_end())?],
    })
}

/// `Upsample`: by the mask of a pooling layer in SegNet's fork, by repeating pixels in the ports of YOLO v3, which have no
/// second bottom.
pub(super) fn upsample(proto: &LayerParameter) -> LayerKind {
    let p = proto.upsample_param.unwrap_or_default();
    let scale = [p.scale_h.unwrap_or(p.scale()), p.scale_w.unwrap_or(p.scale())].map(|scale| scale as usize);
    if proto.bottom.len() < 2 {
        return LayerKind::Upsample { scale };
    }
    let size = match (p.upsample_h, p.upsample_w) {
        (Some(rows), Some(columns)) => UnpoolSize::Fixed([rows as usize, columns as usize]),
        _ => UnpoolSize::Scaled {
            scale,
            less: [p.pad_out_h(), p.pad_out_w()].map(usize::from),
        },
    };
    LayerKind::Unpool { size }
}

/// `Unpooling` of DeconvNet's fork (Noh et al. 2015), by the mask of a pooling layer.
pub(super) fn unpooling(proto: &LayerParameter) -> Setting<LayerKind> {
    let p = proto.unpooling_param.unwrap_or_default();
    if p.unpool() != UnpoolMethod::Max || proto.bottom.len() != 2 {
        return Err("only MAX unpooling by the mask of a pooling layer, its second bottom, is computed".into());
    }
    let [rows, columns] = [p.unpool_h.or(p.unpool_size), p.unpool_w.or(p.unpool_size)];
    let size = match (rows, columns) {
        (Some(rows), Some(columns)) => UnpoolSize::Fixed([rows as usize, columns as usize]),
        _ => windows(&p)?,
    };
    Ok(LayerKind::Unpool { size })
}

fn windows(p: &UnpoolingParameter) -> Setting<UnpoolSize> {
    let side = |one: Option<u32>| one.or(p.kernel_size).ok_or("kernel_size is missing");
    Ok(UnpoolSize::Windows {
        kernel: [side(p.kernel_h)? as usize, side(p.kernel_w)? as usize],
        stride: [p.stride_h.unwrap_or(p.stride()), p.stride_w.unwrap_or(p.stride())].map(|stride| stride as usize),
        pad: p.pad() as usize,
    })
}
