//! Names for results, so that trying another recipe on a unit never costs the picture of the one before.

use super::planner::Plan;
use crate::output::Existing;
use crate::session::Fingerprint;

/// Tries with other names, at most.
const MOST: usize = 10_000;

/// Gives the keeper of a plan the first of the prefixes `opt`, `opt-2`, `opt-3`... under which there is nothing of other runs.
/// Where all of the plan's own results are there already they are made again.
///
/// # Errors
/// When a template cannot be filled in, or no name is free.
pub(super) fn choose(plan: &mut Plan, fingerprint: Fingerprint) -> Result<(), String> {
    let base = plan.keeper.prefix.clone();
    for number in 1..=MOST {
        plan.keeper.prefix = numbered(&base, number);
        if let Some(all_done) = try_name(plan, fingerprint)? {
            plan.keeper.overwrite = all_done;
            return Ok(());
        }
    }
    Err(format!("{MOST} names beginning with {base} are taken"))
}

fn numbered(base: &str, number: usize) -> String {
    match number {
        1 => base.to_owned(),
        _ if base.ends_with('/') => format!("{base}{number}"),
        _ => format!("{base}-{number}"),
    }
}

/// Whether all results of the plan are there, when nothing of another run is.
fn try_name(plan: &Plan, fingerprint: Fingerprint) -> Result<Option<bool>, String> {
    let keeper = &plan.keeper;
    let mut all_done = true;
    for recipe in plan.layers.iter().flat_map(|layer| &layer.recipes) {
        let files = keeper.files(recipe, None).map_err(|error| error.to_string())?;
        match keeper.existing(&files, recipe, fingerprint) {
            Existing::Other(..) => return Ok(None),
            Existing::Complete { .. } => {}
            Existing::Nothing | Existing::Incomplete | Existing::Damaged(_) | Existing::Interrupted(_) => {
                all_done = false;
            }
        }
        if keeper.has_checkpoint(recipe, fingerprint).is_err() {
            return Ok(None);
        }
    }
    Ok(Some(all_done))
}
