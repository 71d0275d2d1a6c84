//! Which units are left to do: results that are there are never overwritten unless asked, nor taken for another's.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::keeper::Keeper;
use super::plan::LayerPlan;
use super::run_key::Fingerprint;
use crate::ascent::{Ending, Precision, Recipe, Record, Snapshot};
use crate::atomic_file;
use crate::output::{Existing, ResultFiles};

/// What was found of earlier results. Folders that were made for new ones are taken away again when it is dropped, as far as they are
/// empty: it is kept until the units have climbed.
#[derive(Debug, Default)]
pub struct Todo {
    /// Units that are done already, and were left out.
    pub done: usize,
    /// Those of them that had nothing to climb.
    pub flat: Vec<Recipe>,
    /// The arithmetics of those that are done already, each once.
    pub precisions: Vec<Precision>,
    /// All units.
    pub all: usize,
    /// What a person should know about others.
    pub notes: Vec<String>,
    made: MadeFolders,
}

/// Folders that were made for results. Those that are still empty when this is dropped are taken away again.
#[derive(Debug, Default)]
struct MadeFolders(Vec<PathBuf>);

impl MadeFolders {
    /// Makes a folder, with those that it is in, where it is not there, and sees whether it can be written.
    fn make(&mut self, folder: &Path) -> Result<()> {
        let missing = folder
            .ancestors()
            .filter(|folder| !folder.as_os_str().is_empty())
            .take_while(|folder| !folder.exists());
        self.0.extend(missing.map(Path::to_owned));
        atomic_file::sweep(folder);
        atomic_file::check_folder(folder).map_err(crate::output::Error::from)?;
        Ok(())
    }
}

impl Drop for MadeFolders {
    fn drop(&mut self) {
        // Folders before those that they are in.
        self.0
            .sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
        for folder in &self.0 {
            // It fails where there are results.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

impl Todo {
    /// Takes out of the plans what is done. A single unit (`several` is false) must not be done yet; of several, those
    /// are left out that are complete, whole, and of the same run key.
    ///
    /// # Errors
    /// When two units would have the same files, a template cannot be filled in, a folder cannot be written, or there
    /// are results of other settings, another network or another preprocessing.
    pub fn find(
        keeper: &Keeper,
        plans: &mut [LayerPlan],
        fingerprint: Fingerprint,
        several: bool,
        image: [usize; 3],
    ) -> Result<Self> {
        let folders = folders_of_different_files(keeper, plans, image)?;
        let mut todo = Self::default();
        for folder in &folders {
            todo.made.make(folder)?;
        }
        if keeper.overwrite || keeper.depends_on_results() {
            return Ok(todo);
        }
        for plan in plans {
            let recipes = std::mem::take(&mut plan.recipes);
            // A company climbs together, whoever of it is done.
            for together in recipes.chunk_by(|a, b| !a.company.is_empty() && a.company == b.company) {
                let before = todo.done;
                let mut is_left = Vec::with_capacity(together.len());
                for recipe in together {
                    todo.all += 1;
                    is_left.push(todo.is_left(keeper, recipe, fingerprint, several)?);
                }
                if is_left.contains(&true) && !together[0].company.is_empty() {
                    todo.done = before;
                    is_left.fill(true);
                }
                let left = together.iter().zip(is_left).filter(|(_, is_left)| *is_left);
                plan.recipes.extend(left.map(|(recipe, _)| recipe.clone()));
            }
        }
        Ok(todo)
    }

    /// Leaves the folders that were made for results where they are, for a climb that begins after this is dropped.
    pub fn keep_folders(&mut self) {
        self.made.0.clear();
    }

    fn is_left(&mut self, keeper: &Keeper, recipe: &Recipe, fingerprint: Fingerprint, several: bool) -> Result<bool> {
        let files = keeper.files(recipe, None)?;
        if !several {
            files.refuse_existing(keeper.skip_big)?;
            return Ok(true);
        }
        match keeper.existing(&files, recipe, fingerprint) {
            Existing::Nothing | Existing::Incomplete => Ok(true),
            Existing::Complete { is_flat, precision } => {
                self.done += 1;
                if is_flat {
                    self.flat.push(recipe.clone());
                }
                if !self.precisions.contains(&precision) {
                    self.precisions.push(precision);
                }
                Ok(false)
            }
            Existing::Interrupted(iterations) => {
                self.notes.push(format!(
                    "{}: only {iterations} iterations were done; it is done again",
                    recipe.objective.unit
                ));
                Ok(true)
            }
            Existing::Damaged(path) => {
                self.notes.push(format!(
                    "{} is damaged: {} is done again",
                    path.display(),
                    recipe.objective.unit
                ));
                Ok(true)
            }
            Existing::Other(path, difference) => Err(crate::output::Error::Other { path, difference }.into()),
        }
    }
}

/// Files of a unit, as far as they are known before it climbs: fields of results are filled in with made-up ones.
fn files_before(keeper: &Keeper, recipe: &Recipe, image: [usize; 3]) -> Result<ResultFiles> {
    if !keeper.depends_on_results() {
        return keeper.files(recipe, None);
    }
    let snapshot = Some(Snapshot {
        ii: 0,
        obj: 0.0,
        xx: Vec::new(),
    });
    let mut record = Record::new(Vec::new(), image);
    record.best.clone_from(&snapshot);
    record.last.clone_from(&snapshot);
    record.ending = Some(Ending::MajorityFailure);
    // Whatever comes out must have a name: a unit that is never the largest of its layer has `None` for these fields.
    keeper.files(recipe, Some(&record))?;
    record.majority = snapshot;
    record.ending = Some(Ending::MajoritySuccess);
    keeper.files(recipe, Some(&record))
}

/// The folders of all results, where no two units have the same files.
fn folders_of_different_files(keeper: &Keeper, plans: &[LayerPlan], image: [usize; 3]) -> Result<HashSet<PathBuf>> {
    let (mut folders, mut names): (HashSet<PathBuf>, HashMap<String, &Recipe>) = Default::default();
    for recipe in plans.iter().flat_map(|plan| &plan.recipes) {
        let path = files_before(keeper, recipe, image)?.path("best_X.jpg");
        if let Some(folder) = path.parent()
            && !folders.contains(folder)
        {
            folders.insert(folder.to_owned());
        }
        // Some file systems ignore case.
        let name = path.to_string_lossy().to_lowercase();
        if let Some(first) = names.insert(name, recipe) {
            let (a, b) = (&first.objective.unit, &recipe.objective.unit);
            let mut fields = Vec::new();
            if a.layer != b.layer {
                fields.push("%(p.push_layer)s");
            }
            if a.channel != b.channel {
                fields.push("%(p.push_channel)04d");
            }
            if first.seed != recipe.seed {
                fields.push("%(p.rand_seed)d");
            }
            return Err(Error::SameFiles {
                first: format!("{a}, seed {},", first.seed),
                second: format!("{b}, seed {},", recipe.seed),
                path,
                field: fields.join(" and "),
            });
        }
    }
    // That of the log; a shard without units makes none.
    if !names.is_empty() {
        folders.insert(keeper.folder());
    }
    Ok(folders)
}
