//! Which layer holds the classes, and a command to paste.

use deepvis_importer::Graph;

use super::Report;
use crate::cli::flags::InspectFlags;
use crate::cli::model::ModelOptions;
use crate::cli::shell::quoted;
use crate::cli::stdout::out;
use crate::model::Scheme;
use crate::model::preprocessing::ChannelOrder;

/// The name by which people know a value.
pub(super) fn known_as<'a>(graph: &'a Graph, value: &'a str) -> &'a str {
    let place = graph.values.iter().rposition(|name| name == value);
    place.map_or(value, |place| graph.known_as(place))
}

/// Which layer holds the classes, and a command that pushes one of them.
pub(super) fn ending(report: &Report, options: &ModelOptions, flags: &InspectFlags, has_weights: bool) {
    let Some(classes) = &report.classes else { return };
    out!("classes: the {} units of layer {}", classes.units, classes.layer);
    if !has_weights {
        out!("no weights that fit are beside the prototxt: nothing can be pushed without them");
        return;
    }
    let settings = &options.settings;
    let channel = settings
        .push_channel
        .filter(|channel| *channel < classes.units)
        .unwrap_or(0);
    let mut words = vec!["deepvis".to_owned(), "optimize".into()];
    if let Some(net) = &flags.net {
        words.push(quoted(&net.to_string_lossy()));
    } else {
        let flags = &flags.model;
        for (flag, path) in [
            ("--model", &flags.model),
            ("--caffe-root", &flags.caffe_root),
            ("--deploy-proto", &flags.deploy_proto),
            ("--net-weights", &flags.net_weights),
        ] {
            if let Some(path) = path {
                words.extend([flag.to_owned(), quoted(&path.to_string_lossy())]);
            }
        }
    }
    let typed = [
        ("--mean", flags.model.mean.as_deref()),
        ("--preprocess", flags.model.preprocess.map(Scheme::name)),
        ("--input-std", flags.model.input_std.as_deref()),
        ("--input-scale", flags.model.input_scale.as_deref()),
        ("--channel-order", flags.model.channel_order.map(ChannelOrder::name)),
        ("--channel-swap-to-rgb", flags.model.channel_swap_to_rgb.as_deref()),
        ("--data-size", flags.model.data_size.as_deref()),
        ("--input-shape", flags.model.input_shape.as_deref()),
        ("--push-layer", Some(classes.layer.as_str())),
        ("--push-channel", Some(&channel.to_string())),
        ("--preset", settings.preset.is_none().then_some("paper-3")),
    ];
    for (flag, value) in typed {
        words.extend(value.into_iter().flat_map(|value| [flag.to_owned(), quoted(value)]));
    }
    out!("one of them: {}", words.join(" "));
}
