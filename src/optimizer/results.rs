//! What is remembered of an optimization: `FindResults` in the original.

use serde::{Deserialize, Serialize};

use super::objective::Reading;
use super::statistics::ImageStatistics;

/// How an optimization ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetaResult {
    /// The unit was the largest of its layer at some iteration.
    MajoritySuccess,
    /// It never was.
    MajorityFailure,
    /// The gradient vanished: nothing to climb.
    GradZeroFailure,
}

impl MetaResult {
    /// The original's words.
    pub fn message(self) -> &'static str {
        match self {
            Self::MajoritySuccess => "Metaresult: majority success",
            Self::MajorityFailure => "Metaresult: majority failure",
            Self::GradZeroFailure => "Metaresult: grad 0 failure",
        }
    }
}

/// An image and when it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The iteration.
    pub ii: usize,
    /// The objective there.
    pub obj: f32,
    /// The image, mean-subtracted, channels x rows x columns.
    pub xx: Vec<f64>,
}

/// The record of an optimization: one entry an iteration, and the images worth keeping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The start image.
    pub x0: Vec<f64>,
    /// Channels, rows, columns of every image.
    pub image: [usize; 3],
    /// Iterations.
    pub ii: Vec<usize>,
    /// Objective.
    pub obj: Vec<f32>,
    /// Largest unit of the layer: channel, row, column.
    pub idxmax: Vec<[usize; 3]>,
    /// Whether that is the pushed one.
    pub ismax: Vec<bool>,
    /// Norm of x.
    pub norm: Vec<f64>,
    /// Distance of x from x0.
    pub dist: Vec<f64>,
    /// Standard deviation of x.
    pub std: Vec<f64>,
    /// Norm of the gradient.
    pub grad_norm: Vec<f32>,
    /// Learning rate.
    pub lr: Vec<f64>,
    /// The image when the unit first was the largest of its layer.
    pub majority: Option<Snapshot>,
    /// The image of the best objective.
    pub best: Option<Snapshot>,
    /// The last image.
    pub last: Option<Snapshot>,
    /// How it ended; `None` while it runs.
    pub meta_result: Option<MetaResult>,
}

impl Results {
    /// Nothing yet.
    pub fn new(x0: Vec<f64>, image: [usize; 3]) -> Self {
        Self {
            x0,
            image,
            ii: Vec::new(),
            obj: Vec::new(),
            idxmax: Vec::new(),
            ismax: Vec::new(),
            norm: Vec::new(),
            dist: Vec::new(),
            std: Vec::new(),
            grad_norm: Vec::new(),
            lr: Vec::new(),
            majority: None,
            best: None,
            last: None,
            meta_result: None,
        }
    }

    /// Records an iteration; `better` tells whether the first objective beats the second.
    pub(super) fn record(
        &mut self,
        ii: usize,
        x: &[f64],
        reading: Reading,
        is_largest: bool,
        statistics: ImageStatistics,
        better: impl Fn(f32, f32) -> bool,
    ) {
        let obj = reading.objective;
        self.ii.push(ii);
        self.obj.push(obj);
        self.idxmax.push(reading.largest);
        self.ismax.push(is_largest);
        self.norm.push(statistics.norm);
        self.dist.push(statistics.dist);
        self.std.push(statistics.std);
        if is_largest && self.majority.is_none() {
            self.majority = Some(Snapshot {
                ii,
                obj,
                xx: x.to_vec(),
            });
        }
        if self.best.as_ref().is_none_or(|best| better(obj, best.obj)) {
            replace(&mut self.best, ii, obj, x);
        }
        replace(&mut self.last, ii, obj, x);
    }
}

/// Overwrites a snapshot, using its memory again.
fn replace(snapshot: &mut Option<Snapshot>, ii: usize, obj: f32, x: &[f64]) {
    match snapshot {
        Some(snapshot) => {
            snapshot.ii = ii;
            snapshot.obj = obj;
            snapshot.xx.copy_from_slice(x);
        }
        None => {
            *snapshot = Some(Snapshot {
                ii,
                obj,
                xx: x.to_vec(),
            })
        }
    }
}
