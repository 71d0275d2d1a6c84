//! The loop. Nothing else in this crate takes a step.
//!
//! An iteration clips the image, sends it through the network and back, notes figures, keeps best, last and first majority,
//! and takes a step under the regularizers. Units that share a network climb together, in one pass.

use burn::tensor::{Device, Tensor, TensorData};

use super::arithmetic::parameterized::Parameterized;
use super::arithmetic::reference::Reference;
use super::arithmetic::tensors::Tensors;
use super::arithmetic::{Arithmetic, Batch, Figures, Found};
use super::climb::Climb;
use super::error::{Error, Result};
use super::kept::Kept;
use super::optimizer::{Moments, Optimizer, Quantity};
use super::pass::floats;
use super::recipe::{Image, Precision};
use super::record::Iteration;
use super::regularize::regularize;
use crate::network::{Network, host};

/// What is told of an iteration of one ascent.
#[derive(Debug)]
pub struct Progress<'a> {
    /// The ascent, with what it recorded.
    pub climb: &'a Climb,
    /// Its place among those that climb together.
    pub place: usize,
    /// What this iteration found.
    pub found: Iteration,
    /// The gradient of the image, where [`Listener::wants_images`] asked for it. Then the climb's images are of this
    /// iteration, too; without it they are those of the last time.
    pub gradient: Option<&'a [f32]>,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// With the next iteration.
    Continue,
    /// No further.
    Stop,
}

/// Who hears of iterations, on the thread that called [`ascend`].
pub trait Listener {
    /// Whether the images of this iteration are wanted too. On a device they have to be fetched.
    fn wants_images(&self, iteration: usize) -> bool;

    /// Hears of each iteration of each ascent, in order.
    fn iterated(&mut self, progress: &Progress<'_>) -> Flow;

    /// Asked before each iteration, and may take its time, which is a pause. A factor says that from this iteration on rates
    /// are so many times what the optimizer says; it holds until the next one, and is noted in [`State`](super::State).
    fn new_rate_factor(&mut self) -> Option<f64> {
        None
    }
}

/// Where and how a batch is computed.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The network; its first target is the layer of all units.
    pub network: &'a Network,
    /// The device that it is on.
    pub device: &'a Device,
    /// The arithmetic of the images.
    pub precision: Precision,
    /// Iterations from one fetching of figures to the next, at least 1; only on a device that waiting for costs time.
    pub read_every: usize,
}

/// Lets all `climbs` climb to their ends.
///
/// An ascent that ends early leaves the batch; one that fails does so alone. Ascents that are not at the same iteration, or
/// whose recipes differ in more than unit and seed, go one group after the other.
///
/// # Errors
/// One result an ascent, in order.
pub fn ascend(circumstances: Circumstances<'_>, climbs: &mut [Climb], listener: &mut dyn Listener) -> Vec<Result<()>> {
    let mut outcomes: Vec<Result<()>> = vec![Ok(()); climbs.len()];
    loop {
        let mut places: Vec<usize> = (0..climbs.len())
            .filter(|place| outcomes[*place].is_ok() && !climbs[*place].is_finished())
            .collect();
        let Some(first) = places.first().map(|first| climbs[*first].clone()) else {
            return outcomes;
        };
        places.retain(|place| {
            climbs[*place].iteration() == first.iteration() && climbs[*place].recipe().climbs_with(first.recipe())
        });
        let originals: Vec<Climb> = places.iter().map(|place| climbs[*place].clone()).collect();
        let batch = Batch {
            network: circumstances.network,
            device: circumstances.device,
            climbs: originals.iter().collect(),
        };
        if let Some(lost) = originals.iter().find(|climb| !climb.has_its_picture()) {
            let file = lost.recipe().start_from.as_ref().map(|picture| picture.file.clone());
            let error = Error::Setting(format!(
                "{}: nobody read the picture to start from",
                file.unwrap_or_default()
            ));
            places.iter().for_each(|place| outcomes[*place] = Err(error.clone()));
            return outcomes;
        }
        let group = Group {
            circumstances,
            originals: &originals,
            places: &places,
            climbs,
            outcomes: &mut outcomes,
        };
        let regularizers = first.recipe().regularizers;
        let is_parameterized = matches!(first.recipe().image, Image::Parameterized(_));
        let flow = match circumstances.precision {
            Precision::Float64 if is_parameterized => Err(Error::Setting(
                "parameterized images are computed in float32, not in float64 as the 2015 recipes".into(),
            )),
            Precision::Float32 if is_parameterized => {
                Parameterized::new(&batch).and_then(|arithmetic| group.climb(&arithmetic, listener, |_, _, _, _| ()))
            }
            Precision::Float64 => group.climb(
                &Reference::new(&batch),
                listener,
                |arithmetic, x, gradient, iteration| {
                    regularize(&regularizers, arithmetic, x, gradient, iteration);
                },
            ),
            Precision::Float32 => group.climb(&Tensors::new(&batch), listener, |arithmetic, x, gradient, iteration| {
                regularize(&regularizers, arithmetic, x, gradient, iteration);
            }),
        };
        match flow {
            Ok(Flow::Continue) => {}
            Ok(Flow::Stop) => return outcomes,
            Err(error) => {
                for place in places {
                    outcomes[place] = Err(error.clone());
                }
                return outcomes;
            }
        }
    }
}

/// Ascents that share their passes, until one of them ends.
struct Group<'a> {
    circumstances: Circumstances<'a>,
    /// The ascents as they were when they began to share passes.
    originals: &'a [Climb],
    places: &'a [usize],
    climbs: &'a mut [Climb],
    outcomes: &'a mut [Result<()>],
}

impl Group<'_> {
    /// Iterates until an ascent ends or fails, or the listener stops it.
    fn climb<A: Arithmetic>(
        mut self,
        arithmetic: &A,
        listener: &mut dyn Listener,
        regularize: impl Fn(&A, &mut A::Images, &A::Gradient, usize) + Sync,
    ) -> Result<Flow> {
        let originals = self.originals;
        let recipe = originals[0].recipe();
        let mut kept = Kept::begin(arithmetic, originals);
        let mut moments = self.moments();
        // No place is -1: without a unit of its own an ascent is never the largest.
        let place = |climb: &Climb| climb.recipe().has_unit().then(|| as_number(climb.place()));
        let own: Vec<f64> = originals.iter().map(|climb| place(climb).unwrap_or(-1.0)).collect();
        let own = arithmetic.numbers(&own);
        let mut unread = Vec::new();
        for iteration in originals[0].iteration()..recipe.steps {
            let is_last = iteration + 1 == recipe.steps;
            if let Some(factor) = listener.new_rate_factor() {
                self.places
                    .iter()
                    .for_each(|place| self.climbs[*place].change_rate(iteration, factor));
            }
            let optimizer = recipe
                .optimizer
                .times(self.climbs[self.places[0]].rate_factor(iteration));
            let (figures, gradient) = host::in_pool(self.circumstances.device, || {
                arithmetic.clip(&mut kept.x);
                let found = arithmetic.pass(&kept.x, iteration)?;
                let [norm, distance, deviation] = arithmetic.statistics(&kept.x);
                let gradient_norm = arithmetic.gradient_norms(&found.gradient);
                kept.remember(arithmetic, &found, &own, recipe.objective.climbs_up());
                if !recipe.may_wait() {
                    let nothing = gradient_norm.filled(0.0);
                    let climbs_on = arithmetic.greater(&gradient_norm, &nothing);
                    kept.is_alive = arithmetic.both(&kept.is_alive, &climbs_on);
                }
                let Found {
                    objective,
                    largest,
                    place,
                    gradient,
                    drawn: _,
                } = found;
                if !is_last {
                    match &optimizer {
                        Optimizer::GradientAscent { schedule } => {
                            let rate = schedule.rate(&objective, &gradient_norm);
                            arithmetic.add_scaled(&mut kept.x, &rate, &gradient);
                        }
                        Optimizer::Adaptive(adaptive) => {
                            arithmetic.step(&mut kept.x, &gradient, adaptive, &mut moments)?;
                        }
                    }
                    regularize(arithmetic, &mut kept.x, &gradient, iteration);
                }
                let figures = Figures {
                    objective,
                    largest,
                    place,
                    norm,
                    distance,
                    deviation,
                    gradient_norm,
                };
                Ok::<_, Error>((figures, gradient))
            })?;
            unread.push(figures);
            let is_watched = listener.wants_images(iteration);
            if unread.len() < self.circumstances.read_every && !is_last && !is_watched {
                continue;
            }
            let figures = arithmetic.read_figures(std::mem::take(&mut unread))?;
            let gradients = is_watched.then(|| arithmetic.read_gradient(&gradient)).transpose()?;
            if is_watched || is_last {
                self.remember_moments(&moments)?;
            }
            let flow = self.tell(arithmetic, &kept, figures, gradients.as_deref(), listener)?;
            if flow == Flow::Stop || self.has_ended() {
                if !is_watched {
                    self.remember_moments(&moments)?;
                    self.illustrate(arithmetic, &kept)?;
                }
                return Ok(flow);
            }
        }
        Ok(Flow::Continue)
    }

    /// Whether one of the ascents needs no further iterations.
    fn has_ended(&self) -> bool {
        self.places
            .iter()
            .any(|place| self.climbs[*place].is_finished() || self.outcomes[*place].is_err())
    }

    /// Notes the figures of one or more iterations, and tells of them.
    fn tell<A: Arithmetic>(
        &mut self,
        arithmetic: &A,
        kept: &Kept<A>,
        figures: Vec<Vec<Figures<f64>>>,
        gradients: Option<&[Vec<f32>]>,
        listener: &mut dyn Listener,
    ) -> Result<Flow> {
        let mut flow = Flow::Continue;
        let last = figures.len().saturating_sub(1);
        for (row, figures) in figures.into_iter().enumerate() {
            // An ascent that ended in an earlier one of these iterations has nothing to say about the later ones.
            let of_row: Vec<(usize, usize, Iteration)> = self
                .places
                .iter()
                .zip(figures)
                .enumerate()
                .filter(|(_, (place, _))| self.outcomes[**place].is_ok() && !self.climbs[**place].is_finished())
                .map(|(slot, (place, figures))| (slot, *place, iteration(figures, self.climbs[*place].ranked())))
                .collect();
            for (_, place, found) in &of_row {
                self.outcomes[*place] = self.climbs[*place].note(found);
            }
            let gradients = gradients.filter(|_| row == last);
            if gradients.is_some() {
                self.illustrate(arithmetic, kept)?;
            }
            for (slot, place, found) in of_row {
                if self.outcomes[place].is_err() {
                    continue;
                }
                let heard = listener.iterated(&Progress {
                    climb: &self.climbs[place],
                    place,
                    found,
                    gradient: gradients.map(|gradients| gradients[slot].as_slice()),
                });
                if heard == Flow::Stop {
                    flow = Flow::Stop;
                }
            }
        }
        Ok(flow)
    }

    /// What the optimizer remembers at the beginning: nothing, or what the ascents' states say.
    fn moments(&self) -> Moments {
        let kept = self
            .originals
            .iter()
            .map(|climb| climb.state().moments.len())
            .min()
            .unwrap_or(0);
        let moments = (0..kept).map(|moment| {
            let rows = self.originals.iter().map(|climb| {
                let row = climb.state().moments[moment].clone();
                let len = row.len();
                Tensor::<2>::from_data(TensorData::new(row, [1, len]), self.circumstances.device)
            });
            Tensor::cat(rows.collect(), 0)
        });
        Moments {
            steps: self.originals.iter().map(Climb::iteration).collect(),
            moments: moments.collect(),
        }
    }

    /// Gives the ascents what the optimizer remembers of them.
    fn remember_moments(&mut self, moments: &Moments) -> Result<()> {
        let mut of_ascents = vec![Vec::new(); self.places.len()];
        for moment in &moments.moments {
            let values = floats(moment.clone())?;
            let rows = values.chunks(values.len() / self.places.len().max(1));
            for (of_ascent, row) in of_ascents.iter_mut().zip(rows) {
                of_ascent.push(row.to_vec());
            }
        }
        for (place, moments) in self.places.iter().zip(of_ascents) {
            self.climbs[*place].remember(moments);
        }
        Ok(())
    }

    /// Fetches the images and gives them to the ascents.
    fn illustrate<A: Arithmetic>(&mut self, arithmetic: &A, kept: &Kept<A>) -> Result<()> {
        let x = arithmetic.read_images(&kept.x)?;
        let best = arithmetic.read_shown(&kept.best)?;
        let last = arithmetic.read_shown(&kept.last)?;
        let majority = arithmetic.read_shown(&kept.majority)?;
        for (place, pushes) in self.places.iter().zip(arithmetic.read_pushes()?.into_iter().flatten()) {
            self.climbs[*place].weigh(pushes);
        }
        for (place, opacity) in self
            .places
            .iter()
            .zip(arithmetic.read_opacity(&kept.x)?.into_iter().flatten())
        {
            self.climbs[*place].veil(opacity);
        }
        let images = x.into_iter().zip(best).zip(last).zip(majority);
        for (place, (((x, best), last), majority)) in self.places.iter().zip(images) {
            self.climbs[*place].illustrate(x, best, last, majority);
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a place in a blob is far below 2^52")]
fn as_number(place: usize) -> f64 {
    place as f64
}

/// The figures of an iteration of one ascent, whose layer has these extents.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "they were float32 before, and places are whole numbers"
)]
fn iteration(figures: Figures<f64>, [_, rows, columns]: [usize; 3]) -> Iteration {
    let (place, area) = (figures.place as usize, rows * columns);
    Iteration {
        objective: figures.objective as f32,
        largest: [place / area, place % area / columns, place % columns],
        largest_value: figures.largest as f32,
        norm: figures.norm,
        distance: figures.distance,
        deviation: figures.deviation,
        gradient_norm: figures.gradient_norm as f32,
    }
}
