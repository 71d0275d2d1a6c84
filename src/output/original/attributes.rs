//! `FindParams` and `FindResults` as the original's attributes: names and Python values.

use super::params::FindParams;
use crate::ascent::{Record, Snapshot};
use crate::python::Value;

/// Attributes sorted by name.
pub type Attributes = Vec<(&'static str, Value)>;

fn triple(values: [usize; 3]) -> Value {
    Value::Tuple(values.map(Value::from).to_vec())
}

/// The attributes of `FindParams`.
pub fn params(params: FindParams<'_>) -> Attributes {
    let FindParams { recipe, spelling } = params;
    let unit = &recipe.objective.unit;
    let [row, column] = unit.spatial;
    vec![
        (
            "blur_every",
            Value::Int(i64::try_from(recipe.regularizers.blur_every).unwrap_or(i64::MAX)),
        ),
        ("blur_radius", spelling.blur_radius.into()),
        ("decay", spelling.decay.into()),
        ("lr_params", spelling.lr_params.clone()),
        ("lr_policy", Value::Str(recipe.optimizer.name().into())),
        ("max_iter", recipe.steps.into()),
        ("push_channel", unit.channel.into()),
        ("push_dir", spelling.push_dir.into()),
        ("push_layer", Value::Str(unit.layer.clone())),
        ("push_spatial", Value::Tuple(vec![row.into(), column.into()])),
        ("push_unit", triple([unit.channel, row, column])),
        ("px_abs_benefit_percentile", spelling.px_abs_benefit_percentile.into()),
        ("px_benefit_percentile", spelling.px_benefit_percentile.into()),
        ("rand_seed", Value::Int(i64::from(recipe.seed))),
        ("small_norm_percentile", spelling.small_norm_percentile.into()),
        ("small_val_percentile", spelling.small_val_percentile.into()),
        ("start_at", Value::Str(recipe.start_name().into())),
    ]
}

/// The attributes of `FindResults`. A snapshot that was never taken is `None` (the original lacks the attribute). Of an image
/// that is made of other numbers than its pixels, as of a spectrum's, x0 has these, along one axis.
pub fn results(results: &Record) -> Attributes {
    let shape = results.image.to_vec();
    let image = |values: &[f64]| Value::Array(values.to_vec(), shape.clone());
    let x0 = if results.x0.len() == shape.iter().product::<usize>() {
        image(&results.x0)
    } else {
        Value::Array(results.x0.clone(), vec![results.x0.len()])
    };
    let snapshot = |snapshot: &Option<Snapshot>| match snapshot {
        Some(s) => [Value::from(s.ii), Value::Float32(s.obj), image(&s.xx)],
        None => [Value::None, Value::None, Value::None],
    };
    let floats = |values: &[f64]| Value::List(values.iter().map(|v| Value::Float(*v)).collect());
    let [best_ii, best_obj, best_xx] = snapshot(&results.best);
    let [last_ii, last_obj, last_xx] = snapshot(&results.last);
    let [majority_ii, majority_obj, majority_xx] = snapshot(&results.majority);
    vec![
        ("best_ii", best_ii),
        ("best_obj", best_obj),
        ("best_xx", best_xx),
        ("dist", floats(&results.dist)),
        (
            "idxmax",
            Value::List(results.idxmax.iter().map(|index| triple(*index)).collect()),
        ),
        (
            "ii",
            Value::List(results.ii.iter().map(|ii| Value::from(*ii)).collect()),
        ),
        (
            "ismax",
            Value::List(results.ismax.iter().map(|ismax| Value::Bool(*ismax)).collect()),
        ),
        ("last_ii", last_ii),
        ("last_obj", last_obj),
        ("last_xx", last_xx),
        ("majority_ii", majority_ii),
        ("majority_obj", majority_obj),
        ("majority_xx", majority_xx),
        (
            "meta_result",
            results
                .ending
                .map_or(Value::None, |result| Value::Str(result.message().into())),
        ),
        ("norm", floats(&results.norm)),
        (
            "obj",
            Value::List(results.obj.iter().map(|obj| Value::Float32(*obj)).collect()),
        ),
        ("std", floats(&results.std)),
        ("x0", x0),
    ]
}
