//! Keeps results: names, checkpoints, pictures on the way, the files of a unit, the log.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::{Error, Result};
use super::plan::{LayerPlan, Shard};
use super::run_key::{Fingerprint, RunKey};
use super::snapshots::{Schedule, Snapshots};
use crate::ascent::{self, Climb, Precision, Recipe, Record};
use crate::atomic_file::write_atomically;
use crate::model::Model;
use crate::objective::Expression;
use crate::output::images::{Picture, of_parameterized, square, together};
use crate::output::original::pickle::Protocol;
use crate::output::original::{FindParams, Spelling};
use crate::output::runs::{self, Circumstances, Run};
use crate::output::{self, Existing, Extras, Provenance, ResultFiles, checkpoint};

/// Ending of a checkpoint's name.
const CHECKPOINT: &str = "checkpoint.cbor";

/// Ending of the name of a company's picture, which is otherwise that of the first image.
const TOGETHER: &str = "together.png";

/// Where results go, and which.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// What all file names begin with; may hold fields as the template does.
    pub prefix: String,
    /// Names by Python's fields of parameters (`p.`) and results (`r.`).
    pub template: String,
    /// Whether a layer's slashes become dashes in file names, instead of folders.
    pub flat_names: bool,
    /// Whether existing files are overwritten.
    pub overwrite: bool,
    /// Whether `info_big.pkl` is left out.
    pub skip_big: bool,
    /// How pickles are written.
    pub protocol: Protocol,
    /// Whether `image.png` has 16 bits a colour.
    pub deep_png: bool,
    /// Whether `image.npz` is written.
    pub npz: bool,
    /// Iterations from one saved picture to the next.
    pub save_every: Option<usize>,
    /// Whether the ascent is written as a GIF.
    pub animate: bool,
    /// Iterations from one checkpoint to the next.
    pub checkpoint_every: Option<usize>,
    /// The part of the work that this is, which names the log.
    pub shard: Option<Shard>,
    /// How numbers were given, for the original's files.
    pub spelling: Spelling,
}

impl Keeper {
    /// The files of a unit; a `record` fills in fields of results.
    ///
    /// # Errors
    /// [`Error::Template`].
    pub fn files(&self, recipe: &Recipe, record: Option<&Record>) -> Result<ResultFiles> {
        let mut named = Cow::Borrowed(recipe);
        if self.flat_names && recipe.objective.unit.layer.contains('/') {
            let layer = &mut named.to_mut().objective.unit.layer;
            *layer = layer.replace('/', "-");
        }
        let params = self.params(&named);
        ResultFiles::new(&self.prefix, &self.template, params, record).map_err(|message| Error::Template {
            template: if ResultFiles::new(&self.prefix, "", params, record).is_err() {
                self.prefix.clone()
            } else {
                self.template.clone()
            },
            message,
        })
    }

    /// Whether the names of files are known only when there are results.
    pub fn depends_on_results(&self) -> bool {
        [&self.prefix, &self.template]
            .into_iter()
            .any(|part| ResultFiles::depends_on_results(part))
    }

    /// Whether a checkpoint is there from which the run of a recipe goes on.
    ///
    /// # Errors
    /// When there is one that is damaged, or of another run.
    pub fn has_checkpoint(&self, recipe: &Recipe, fingerprint: Fingerprint) -> Result<bool> {
        let path = self.files(recipe, None)?.path(CHECKPOINT);
        let key = RunKey::new(recipe, fingerprint);
        Ok(checkpoint::read(&path, key.as_str())?.is_some())
    }

    /// What is there already of a recipe's run, by its `files`.
    pub fn existing(&self, files: &ResultFiles, recipe: &Recipe, fingerprint: Fingerprint) -> Existing {
        let key = || RunKey::new(recipe, fingerprint).as_str().to_owned();
        Existing::look(files, self.params(recipe), key, self.skip_big)
    }

    /// The recipe as the original has it.
    pub fn params<'a>(&'a self, recipe: &'a Recipe) -> FindParams<'a> {
        FindParams {
            recipe,
            spelling: &self.spelling,
        }
    }

    /// The folder of the log.
    pub fn folder(&self) -> PathBuf {
        ResultFiles::common_folder(&self.prefix)
    }
}

/// A keeper at work on a layer.
pub(super) struct LayerKeeper<'a> {
    pub(super) keeper: &'a Keeper,
    pub(super) model: &'a Model,
    pub(super) plan: &'a LayerPlan,
    pub(super) mean: Arc<[f64]>,
    /// Channels, rows, columns of the network's input.
    pub(super) image: [usize; 3],
    pub(super) fingerprint: Fingerprint,
    /// What computes: "flex (CPU)".
    pub(super) backend: &'a str,
    pub(super) precision: Precision,
}

impl LayerKeeper<'_> {
    /// Goes on from a checkpoint, where there is one; gives the iteration.
    ///
    /// # Errors
    /// When the checkpoint is damaged, or of another run.
    pub(super) fn resume(&self, climb: &mut Climb) -> Result<Option<usize>> {
        if self.keeper.checkpoint_every.is_none() || self.keeper.overwrite {
            return Ok(None);
        }
        let path = self.keeper.files(climb.recipe(), None)?.path(CHECKPOINT);
        let Some(state) = checkpoint::read(&path, self.key(climb.recipe()).as_str())? else {
            return Ok(None);
        };
        climb.restore(state).map_err(|error| output::Error::Checkpoint {
            path,
            message: error.to_string(),
        })?;
        Ok(Some(climb.iteration()))
    }

    /// The mean for a recipe's images.
    fn mean_of(&self, recipe: &Recipe) -> Arc<[f64]> {
        recipe.mean_of_picture(&self.mean, self.image)
    }

    /// Pictures on the way of one ascent.
    pub(super) fn snapshots(&self, recipe: &Recipe) -> Snapshots {
        Snapshots::new(
            self.pictures(recipe.steps),
            self.mean_of(recipe),
            self.model.source.preprocessing.swap,
        )
    }

    /// Which pictures are taken on the way of an ascent of so many iterations.
    fn pictures(&self, steps: usize) -> Schedule {
        Schedule {
            save_every: self.keeper.save_every,
            animate: self.keeper.animate,
            steps,
        }
    }

    /// Whether pictures or a checkpoint are due after this iteration (from 0).
    pub(super) fn is_due(&self, iteration: usize, steps: usize) -> bool {
        let checkpoint = self
            .keeper
            .checkpoint_every
            .is_some_and(|every| (iteration + 1).is_multiple_of(every));
        checkpoint || self.pictures(steps).is_due(iteration)
    }

    /// Writes the ascent's state down when it is due.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn checkpoint(&self, climb: &Climb, files: &ResultFiles) -> output::Result<()> {
        let every = self.keeper.checkpoint_every;
        let is_due = every.is_some_and(|every| climb.iteration().is_multiple_of(every));
        if !is_due || climb.is_finished() {
            return Ok(());
        }
        checkpoint::write(
            &files.path(CHECKPOINT),
            self.key(climb.recipe()).as_str(),
            climb.state(),
        )
    }

    /// Writes the state of an interrupted ascent down, if checkpoints are asked for; whether it did.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep_for_later(&self, climb: &Climb) -> Result<bool> {
        if self.keeper.checkpoint_every.is_none() {
            return Ok(false);
        }
        let path = self.keeper.files(climb.recipe(), None)?.path(CHECKPOINT);
        checkpoint::write(&path, self.key(climb.recipe()).as_str(), climb.state())?;
        Ok(true)
    }

    /// Writes the files of a unit.
    ///
    /// # Errors
    /// When a file cannot be written, or is there and may not be overwritten.
    pub(super) fn write(
        &self,
        recipe: &Recipe,
        (z, record): (Option<&[f64]>, &Record),
        may_complete: bool,
        snapshots: Snapshots,
        seconds: f64,
    ) -> Result<(ResultFiles, Run)> {
        let keeper = self.keeper;
        let files = keeper.files(recipe, Some(record))?;
        let mean = self.mean_of(recipe);
        let extras = Extras {
            mean: &mean,
            swap: self.model.source.preprocessing.swap,
            skip_big: keeper.skip_big,
            protocol: keeper.protocol,
            is_deep: keeper.deep_png,
            npz: z.filter(|_| keeper.npz),
            brave: keeper.overwrite || may_complete,
        };
        let provenance = Provenance {
            run_key: self.key(recipe).as_str().to_owned(),
            is_complete: record.ii.len() >= recipe.steps || record.ending == Some(ascent::Ending::GradZeroFailure),
            is_flat: record.ending == Some(ascent::Ending::GradZeroFailure),
            iterations: record.ii.len(),
            network: self.model.name(),
            preprocessing: self.model.source.preprocessing.clone(),
            recipe: recipe.clone(),
            precision: self.precision,
            backend: self.backend.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        if !extras.brave {
            files.refuse_existing(extras.skip_big).map_err(Error::Output)?;
        }
        snapshots.finish(&files)?;
        let run = self.run(recipe, record, &files, None, seconds);
        output::write_results(&files, keeper.params(recipe), record, &extras, &provenance, || {
            self.log(&run)
        })?;
        if keeper.checkpoint_every.is_some() {
            // It may never have come to a checkpoint.
            let _ = std::fs::remove_file(files.path(CHECKPOINT));
        }
        Ok((files, run))
    }

    /// Writes the pictures of a company as one: a strip of what goes from one end to the other, else a square.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_together(&self, company: &[(Recipe, Record)]) -> Result<()> {
        let Some((first, record)) = company.first() else {
            return Ok(());
        };
        let mean = self.mean_of(first);
        let swap = self.model.source.preprocessing.swap;
        let shown = company.iter().map(|(_, record)| of_parameterized(record, &mean, swap));
        let Some(shown) = shown.collect::<Option<Vec<Picture>>>() else {
            return Ok(());
        };
        let is_strip = first.formula.as_ref().is_some_and(Expression::interpolates);
        let across = if is_strip { shown.len() } else { square(shown.len()) };
        let path = self.keeper.files(first, Some(record))?.path(TOGETHER);
        if let Some(bytes) = together(&shown, across).map(|picture| picture.png()) {
            let bytes = bytes.map_err(|message| output::Error::Encode {
                path: path.clone(),
                message,
            })?;
            write_atomically(&path, &bytes).map_err(output::Error::from)?;
        }
        Ok(())
    }

    /// Writes a line about a unit that failed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn log_failure(&self, recipe: &Recipe, record: &Record, error: &Error, seconds: f64) -> Result<()> {
        // A template that needs results may ask for one that a failed ascent has not.
        let files = self.keeper.files(recipe, Some(record)).ok();
        let Some(files) = files else { return Ok(()) };
        let run = self.run(recipe, record, &files, Some(error.to_string()), seconds);
        self.log(&run)?;
        Ok(())
    }

    /// The unit's name, where there is one.
    pub(super) fn label(&self, recipe: &Recipe) -> Option<&str> {
        let unit = &recipe.objective.unit;
        self.model.labels.name(&unit.layer, self.plan.extents[0], unit.channel)
    }

    fn key(&self, recipe: &Recipe) -> RunKey {
        RunKey::new(recipe, self.fingerprint)
    }

    fn run(&self, recipe: &Recipe, record: &Record, files: &ResultFiles, error: Option<String>, seconds: f64) -> Run {
        let circumstances = Circumstances {
            files: files.below(&self.keeper.folder()),
            run_key: self.key(recipe).as_str().to_owned(),
            network: self.model.name(),
            label: self.label(recipe).map(str::to_owned),
            seconds,
            backend: self.backend.to_owned(),
            precision: self.precision.name().to_owned(),
            error,
        };
        Run::new(self.keeper.params(recipe), record, circumstances)
    }

    fn log(&self, run: &Run) -> output::Result<()> {
        let name = match self.keeper.shard {
            Some(shard) => format!("runs-{}-of-{}.jsonl", shard.index + 1, shard.count),
            None => "runs.jsonl".to_owned(),
        };
        runs::append(&self.keeper.folder().join(name), run)
    }
}
