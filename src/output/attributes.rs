//! `FindParams` and `FindResults` as the original's attributes: names and Python values.

use crate::optimizer::results::Snapshot;
use crate::optimizer::{Number, Params, Results};
use crate::python::Value;

/// Attributes sorted by name.
pub type Attributes = Vec<(&'static str, Value)>;

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(value) => Self::Int(value),
            Number::Float(value) => Self::Float(value),
        }
    }
}

fn triple(values: [usize; 3]) -> Value {
    Value::Tuple(values.map(Value::from).to_vec())
}

/// The attributes of `FindParams`.
pub fn params(params: &Params) -> Attributes {
    let [row, column] = params.unit.spatial;
    let r = &params.regularizers;
    vec![
        ("blur_every", Value::Int(r.blur_every)),
        ("blur_radius", r.blur_radius.into()),
        ("decay", r.decay.into()),
        ("lr_params", params.lr_params.clone()),
        ("lr_policy", Value::Str(params.rate.policy().into())),
        ("max_iter", params.max_iter.into()),
        ("push_channel", params.unit.channel.into()),
        ("push_dir", params.push_dir.into()),
        ("push_layer", Value::Str(params.unit.layer.clone())),
        ("push_spatial", Value::Tuple(vec![row.into(), column.into()])),
        ("push_unit", triple([params.unit.channel, row, column])),
        ("px_abs_benefit_percentile", r.px_abs_benefit_percentile.into()),
        ("px_benefit_percentile", r.px_benefit_percentile.into()),
        ("rand_seed", Value::Int(i64::from(params.rand_seed))),
        ("small_norm_percentile", r.small_norm_percentile.into()),
        ("small_val_percentile", r.small_val_percentile.into()),
        ("start_at", Value::Str(params.start_at.name().into())),
    ]
}

/// The attributes of `FindResults`. A snapshot that was never taken is `None` (the original lacks the attribute).
pub fn results(results: &Results) -> Attributes {
    let shape = results.image.to_vec();
    let image = |values: &[f64]| Value::Array(values.to_vec(), shape.clone());
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
                .meta_result
                .map_or(Value::None, |result| Value::Str(result.message().into())),
        ),
        ("norm", floats(&results.norm)),
        (
            "obj",
            Value::List(results.obj.iter().map(|obj| Value::Float32(*obj)).collect()),
        ),
        ("std", floats(&results.std)),
        ("x0", image(&results.x0)),
    ]
}
