//! `deepvis optimize`: loads a network once and lets one or many units climb.

mod display;
mod existing;
mod interrupt;
mod job;
mod options;
mod plan;
mod report;
mod selection;
mod snapshots;
mod unit;

use std::process::ExitCode;

use super::device::Compute;
use super::flags::OptimizeFlags;
use super::settings::Settings;
use job::Job;
use options::OptimizeOptions;
use plan::Shard;

pub(super) fn run(flags: &OptimizeFlags, settings: &Settings) -> anyhow::Result<ExitCode> {
    let options = OptimizeOptions::resolve(flags, settings)?;
    let shard = flags.output.shard.as_deref().map(Shard::parse).transpose()?;
    let compute = Compute::resolve(&flags.device)?;
    let model = options.model.clone().load()?;
    let mut plans = plan::plan(&options, &model, shard, compute.most_entries)?;
    let job = Job {
        flags,
        options: &options,
        model: &model,
        compute: &compute,
        shard,
        several: shard.is_some() || plans.iter().map(|plan| plan.units.len()).sum::<usize>() > 1,
    };
    if !flags.output.quiet {
        model.warn();
    }
    if model.options.is_bundled {
        job.say(
            "no network was named, so this is the bundled one; --model, --deploy-proto with --net-weights, or deepvis.toml \
             name another",
        );
    }
    for warning in report::warnings(&options, &model, &plans) {
        job.say(&format!("warning: {warning}"));
    }
    existing::leave_out_done(&job, &mut plans)?;
    plans.retain(|plan| !plan.units.is_empty());
    job.climb(&plans)
}
