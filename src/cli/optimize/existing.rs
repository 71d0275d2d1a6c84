//! Which units are left to do: earlier results are never overwritten unless asked.

use std::collections::HashSet;
use std::path::Path;

use super::job::Job;
use super::plan::LayerPlan;
use crate::cli::error::Error;
use crate::output::files::sweep;
use crate::output::{Existing, ResultFiles};

/// Takes out of the plans what is done. One unit alone must not be done yet; of several those are left out that are complete
/// and whole.
pub(super) fn leave_out_done(job: &Job<'_>, plans: &mut [LayerPlan]) -> anyhow::Result<()> {
    let output = &job.flags.output;
    let mut folders = HashSet::new();
    for params in plans.iter().flat_map(|plan| &plan.units) {
        // Names that depend on results are known only afterwards.
        let Ok(files) = job.files(params, None) else { break };
        folders.extend(files.path("").parent().map(Path::to_owned));
    }
    folders.iter().for_each(|folder| sweep(folder));
    if output.brave || ResultFiles::depends_on_results(&output.output_template) {
        return Ok(());
    }
    if !job.several {
        for params in plans.iter().flat_map(|plan| &plan.units) {
            job.files(params, None)?.refuse_existing(output.skipbig)?;
        }
        return Ok(());
    }
    let mut done = 0usize;
    let mut all = 0usize;
    for plan in plans {
        let mut todo = Vec::with_capacity(plan.units.len());
        for params in std::mem::take(&mut plan.units) {
            all += 1;
            match Existing::look(&job.files(&params, None)?, &params, output.skipbig) {
                Existing::Complete => done += 1,
                Existing::Incomplete => todo.push(params),
                Existing::Damaged(path) => {
                    job.say(&format!("{} is damaged: {} is done again", path.display(), params.unit));
                    todo.push(params);
                }
                Existing::Other(path, was, asked) => {
                    return Err(Error::Usage(format!(
                        "{} is there already with other settings ({was}, not {asked}); --brave overwrites it, \
                         --output-prefix or --output-template give another name",
                        path.display()
                    ))
                    .into());
                }
            }
        }
        plan.units = todo;
    }
    if done > 0 {
        job.say(&format!(
            "{done} of {all} units are done already and left out; --brave does them again"
        ));
    }
    Ok(())
}
