//! What is remembered of an ascent: figures of every iteration, and the images worth keeping.

use serde::{Deserialize, Serialize};

/// How an ascent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// The unit was the largest of its layer at some iteration.
    MajoritySuccess,
    /// It never was.
    MajorityFailure,
    /// The gradient vanished: nothing to climb.
    GradZeroFailure,
}

impl Ending {
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

/// The figures of one iteration of one ascent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Iteration {
    /// The unit's value.
    pub objective: f32,
    /// Channel, row and column of the largest value of the layer; the first in row-major order.
    pub largest: [usize; 3],
    /// That value.
    pub largest_value: f32,
    /// Norm of x.
    pub norm: f64,
    /// Distance of x from x0.
    pub distance: f64,
    /// Standard deviation of x.
    pub deviation: f64,
    /// Norm of the gradient.
    pub gradient_norm: f32,
}

/// The record of an ascent: one entry an iteration, and the images worth keeping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
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
    /// Of an image that is seen through crops, how strongly each pixel was pushed: the sum over iterations and channels of the
    /// gradient's absolute values, rows x columns. It says what of the picture the unit looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushes: Option<Vec<f32>>,
    /// Of an image with an alpha channel, how opaque the last one is, from 0 to 1, rows x columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opacity: Option<Vec<f32>>,
    /// How it ended; `None` while it runs.
    pub ending: Option<Ending>,
}

impl Record {
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
            pushes: None,
            opacity: None,
            ending: None,
        }
    }

    /// Records what an iteration found, before its step; `is_largest` says whether the pushed unit was the largest, `improves`
    /// whether the first of two objectives is the better one. Snapshots get their images later: see
    /// [`Record::illustrate`].
    pub(super) fn note(&mut self, ii: usize, found: &Iteration, is_largest: bool, improves: impl Fn(f32, f32) -> bool) {
        let obj = found.objective;
        self.ii.push(ii);
        self.obj.push(obj);
        self.idxmax.push(found.largest);
        self.ismax.push(is_largest);
        self.norm.push(found.norm);
        self.dist.push(found.distance);
        self.std.push(found.deviation);
        let snapshot = Snapshot {
            ii,
            obj,
            xx: Vec::new(),
        };
        if is_largest && self.majority.is_none() {
            self.majority = Some(snapshot.clone());
        }
        if self.best.as_ref().is_none_or(|best| improves(obj, best.obj)) {
            self.best = Some(snapshot.clone());
        }
        self.last = Some(snapshot);
    }

    /// Puts the images into the snapshots.
    pub(super) fn illustrate(&mut self, best: Vec<f64>, last: Vec<f64>, majority: Vec<f64>) {
        for (snapshot, image) in [
            (&mut self.best, best),
            (&mut self.last, last),
            (&mut self.majority, majority),
        ] {
            if let Some(snapshot) = snapshot {
                snapshot.xx = image;
            }
        }
    }
}
