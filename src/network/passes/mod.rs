//! Passes over a network that is built: the same results with less work.

pub(super) mod fold;
pub(super) mod gather;

use deepvis_importer::graph::ValueId;

use super::run::Step;

/// How often each value is read, by layers or by who asked for it.
fn readers(steps: &[Step], wanted: &[ValueId]) -> Vec<usize> {
    let values = steps.iter().flat_map(|step| step.reads.iter().chain(&step.writes));
    let count = values.chain(wanted).max().map_or(0, |last| last + 1);
    let mut readers = vec![0; count];
    for value in steps.iter().flat_map(|step| &step.reads).chain(wanted) {
        readers[*value] += 1;
    }
    readers
}
