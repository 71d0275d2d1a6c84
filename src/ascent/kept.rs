//! The images that an ascent keeps: as they are, the best, the first with a majority, the last.

use super::arithmetic::{Arithmetic, Found};
use super::climb::Climb;
use super::record::{Record, Snapshot};

/// The images of a batch that are kept from iteration to iteration.
pub(super) struct Kept<A: Arithmetic> {
    pub(super) x: A::Images,
    pub(super) best: A::Shown,
    pub(super) last: A::Shown,
    pub(super) majority: A::Shown,
    best_objective: A::Numbers,
    has_majority: A::Flags,
    pub(super) is_alive: A::Flags,
}

impl<A: Arithmetic> Kept<A> {
    /// What is kept at the beginning, or as the ascents' states say.
    pub(super) fn begin(arithmetic: &A, climbs: &[Climb]) -> Self {
        let x: Vec<&[f64]> = climbs.iter().map(|climb| climb.state().x.as_slice()).collect();
        // What is put in the place of images that are not there yet is never looked at.
        let nothing = vec![0.0; climbs[0].mean().len()];
        let snapshots = |choose: fn(&Record) -> &Option<Snapshot>| {
            let images: Vec<&[f64]> = climbs
                .iter()
                .map(|climb| {
                    choose(climb.record())
                        .as_ref()
                        .map_or(nothing.as_slice(), |snapshot| snapshot.xx.as_slice())
                })
                .collect();
            arithmetic.kept(&images)
        };
        let worst = if climbs[0].recipe().objective.climbs_up() {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
        let best_objective: Vec<f64> = climbs
            .iter()
            .map(|climb| climb.record().best.as_ref().map_or(worst, |best| f64::from(best.obj)))
            .collect();
        let has_majority: Vec<bool> = climbs.iter().map(|climb| climb.record().majority.is_some()).collect();
        Self {
            x: arithmetic.images(&x),
            best: snapshots(|record| &record.best),
            last: snapshots(|record| &record.last),
            majority: snapshots(|record| &record.majority),
            best_objective: arithmetic.numbers(&best_objective),
            has_majority: arithmetic.flags(&has_majority),
            is_alive: arithmetic.flags(&vec![true; climbs.len()]),
        }
    }

    /// Keeps the images that are the best, the first with a majority, or the last. `own` are the units' places.
    pub(super) fn remember(&mut self, arithmetic: &A, found: &Found<A>, own: &A::Numbers, upwards: bool) {
        let better = if upwards {
            arithmetic.greater(&found.objective, &self.best_objective)
        } else {
            arithmetic.greater(&self.best_objective, &found.objective)
        };
        let better = arithmetic.both(&better, &self.is_alive);
        arithmetic.select_numbers(&mut self.best_objective, &better, &found.objective);
        let shown = arithmetic.shown(&self.x, found);
        arithmetic.select(&mut self.best, &better, shown);
        let is_largest = arithmetic.equal(&found.place, own);
        let is_first = arithmetic.but_not(&is_largest, &self.has_majority);
        let is_first = arithmetic.both(&is_first, &self.is_alive);
        self.has_majority = arithmetic.either(&self.has_majority, &is_first);
        arithmetic.select(&mut self.majority, &is_first, shown);
        arithmetic.select(&mut self.last, &self.is_alive, shown);
    }
}
