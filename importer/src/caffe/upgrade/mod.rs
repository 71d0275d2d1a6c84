//! Converts older forms of a prototxt to the current one, as Caffe's `upgrade_proto.cpp` does, and applies phase rules.
//!
//! - V0 (`layers { layer { type: "conv" } }`) and V1 (`layers { type: CONVOLUTION }`) become `layer { type:
//!   "Convolution" }`; V0's separate padding layers are merged into the layer after them;
//! - `input` with `input_dim` or `input_shape` becomes an `Input` layer;
//! - layers whose rules exclude the TEST phase are dropped.

mod v0;
mod v1;

use std::path::Path;

use self::v0::merge_padding;
use self::v1::from_v1;
use super::proto::{BlobShape, InputParameter, LayerParameter, NetParameter, NetState, NetStateRule, Phase};
use crate::error::{Error, Result};

/// The net with current layers only: no `layers`, no `input`, nothing that the TEST phase leaves out.
///
/// # Errors
/// When the net has both `layer` and `layers`, or declares inputs without saying how large they are in a way that Caffe
/// would accept.
pub fn to_current(net: NetParameter, path: &Path) -> Result<NetParameter> {
    Ok(upgrade(net, path)?.net)
}

/// A net in the current form.
#[derive(Debug)]
pub struct Upgraded {
    /// Its layers for the TEST phase.
    pub net: NetParameter,
    /// Layers without bottoms that rules leave out, as those that feed images for training are.
    pub left_out: Vec<LayerParameter>,
}

/// [`to_current`], with the data layers that rules leave out.
///
/// # Errors
/// As [`to_current`].
pub fn upgrade(mut net: NetParameter, path: &Path) -> Result<Upgraded> {
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
    let state = test_state(net.state.as_ref());
    let (layers, others): (Vec<_>, Vec<_>) = std::mem::take(&mut net.layer)
        .into_iter()
        .partition(|layer| is_included(layer, &state));
    let mut inputs = input_layers(&net, path)?;
    // As Caffe, which makes a layer only of inputs that say their size, and drops others; an input that no layer writes
    // either is kept, its size for the user to say.
    inputs.retain(|input| {
        let written = |top: &String| {
            layers
                .iter()
                .any(|layer| layer.bottom.is_empty() && layer.top.contains(top))
        };
        input.input_param.is_some() || !input.top.iter().any(written)
    });
    net.input.clear();
    net.input_dim.clear();
    net.input_shape.clear();
    net.layer = inputs.into_iter().chain(layers).collect();
    let left_out = others
        .into_iter()
        .filter(|layer| layer.bottom.is_empty() && !layer.top.is_empty());
    Ok(Upgraded {
        left_out: left_out.collect(),
        net,
    })
}

/// The rules of a layer, as a prototxt writes them.
pub(super) fn rules(layer: &LayerParameter) -> String {
    let rule = |kind: &str, rule: &NetStateRule| {
        let mut parts = Vec::new();
        if rule.phase.is_some() {
            parts.push(format!("phase: {}", rule.phase().as_str_name()));
        }
        parts.extend(rule.stage.iter().map(|stage| format!("stage: {stage:?}")));
        parts.extend(rule.not_stage.iter().map(|stage| format!("not_stage: {stage:?}")));
        parts.extend(rule.min_level.iter().map(|level| format!("min_level: {level}")));
        parts.extend(rule.max_level.iter().map(|level| format!("max_level: {level}")));
        format!("{kind} {{ {} }}", parts.join(" "))
    };
    let include = layer.include.iter().map(|r| rule("include", r));
    let exclude = layer.exclude.iter().map(|r| rule("exclude", r));
    include.chain(exclude).collect::<Vec<_>>().join(" ")
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
    // A phase of a fork's is not this one.
    if layer
        .deepvis_left_out
        .iter()
        .any(|path| path.starts_with("include.phase: "))
    {
        return false;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caffe::text::parse_net;

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
