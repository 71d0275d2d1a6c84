//! What is said about an optimization, before and after.

use super::options::OptimizeOptions;
use super::plan::LayerPlan;
use crate::cli::literals::Spatial;
use crate::cli::model::Model;
use crate::optimizer::regularize::LEAST_USEFUL_RADIUS;
use crate::optimizer::{MetaResult, Params, Results};
use crate::output::ResultFiles;

/// The network's name, else its file.
pub(super) fn network_name(model: &Model) -> String {
    if model.import.graph.name.is_empty() {
        model.import.weights.source().display().to_string()
    } else {
        model.import.graph.name.clone()
    }
}

/// What the original warns about, and a mean that was probably forgotten.
pub(super) fn warnings(options: &OptimizeOptions, model: &Model, plans: &[LayerPlan]) -> Vec<String> {
    let mut warnings = Vec::new();
    let conv = plans.iter().find(|plan| plan.extents[1] * plan.extents[2] > 1);
    if let (Spatial::Unset, Some(plan)) = (options.spatial, conv) {
        let [_, rows, columns] = plan.extents;
        warnings.push(format!(
            "\"{}\" is a conv layer of {rows} x {columns} units a channel, and its corner (0,0) is pushed; --push-spatial \
             \"({},{})\" or center pushes the unit in the middle",
            plan.layer,
            rows / 2,
            columns / 2
        ));
    }
    let radius = options.regularizers.blur_radius.value();
    if radius > 0.0 && radius < LEAST_USEFUL_RADIUS {
        warnings.push(format!(
            "--blur-radius {radius}: blur sizes between 0 and {LEAST_USEFUL_RADIUS} work poorly"
        ));
    }
    if model.options.mean.is_none() {
        warnings.push("no --mean was given, so none is subtracted; ImageNet networks want \"(104,117,123)\"".into());
    }
    warnings
}

/// A line about a unit that is done.
pub(super) fn summary(params: &Params, label: Option<&str>, results: &Results, files: &ResultFiles) -> String {
    let best = results.best.as_ref();
    let best = best
        .map(|best| format!("best objective {} at iteration {}", best.obj, best.ii))
        .unwrap_or_default();
    let majority = results.majority.as_ref().map_or_else(
        || "never the largest of its layer".to_owned(),
        |m| format!("largest of its layer from iteration {}", m.ii),
    );
    let how = match results.meta_result {
        Some(MetaResult::GradZeroFailure) => "the gradient is 0, there is nothing to climb".to_owned(),
        _ => majority,
    };
    let label = label.map(|label| format!(" ({label})")).unwrap_or_default();
    format!(
        "{}{label}, seed {}: {best}; {how}; {}",
        params.unit,
        params.rand_seed,
        files.path("best_X.jpg").display()
    )
}
