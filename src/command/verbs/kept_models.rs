//! The weights that a study keeps in its results folder, and the one that a folder stands for.

use super::weights::encoded;
use crate::command::{
    failure::Failure,
    options::{ModelFileArguments, values::KeepModels},
    output,
    reproduce::shell_path,
};
use data::Corpus;
use records::{
    identity::run_id,
    kept_models::{KeptModel, MODELS, in_words, kept_models},
    record::{Environment, RunSpec},
    store::{FileError, Store},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};
use study::{execute, run::FinishedRun};

/// More are not named one by one.
const NAMED: usize = 3;

/// Which runs of a plan keep their weights, and where.
pub(super) struct Keeping<'a> {
    folder: &'a Path,
    runs: &'a [RunSpec],
    corpus: &'a Corpus,
    /// By their places in the plan.
    chosen: BTreeSet<usize>,
}

impl<'a> Keeping<'a> {
    /// Of the runs of a plan those that `which` asks for.
    ///
    /// # Errors
    /// When something is in the place of the folder of the weights: a run would be lost over it otherwise.
    pub(super) fn of(
        which: KeepModels,
        runs: &'a [RunSpec],
        folder: &'a Path,
        corpus: &'a Corpus,
    ) -> Result<Self, Failure> {
        let chosen = match which {
            KeepModels::All => (0..runs.len()).collect(),
            KeepModels::None => BTreeSet::new(),
            KeepModels::Last => {
                let places = runs.iter().enumerate().map(|(place, run)| (run.model.as_str(), place));
                // Of each model the last one stays.
                places.collect::<BTreeMap<_, _>>().into_values().collect()
            }
        };
        if !chosen.is_empty() {
            Store::of(folder).prepare_weights()?;
        }
        Ok(Self { folder, runs, corpus, chosen })
    }

    /// Says which of the runs at `places` were recorded without the weights that are to be kept, and how to have them.
    pub(super) fn tell_missing(&self, places: &[usize], environment: &Environment) {
        // A folder that cannot be read was refused before.
        let kept = kept_models(self.folder).unwrap_or_default();
        let store = Store::of(self.folder);
        let mut missing = Vec::new();
        for run in places.iter().filter(|place| self.chosen.contains(place)).map(|place| &self.runs[*place]) {
            let id = run_id(run, environment);
            if kept.iter().any(|model| model.id == id) {
                continue;
            }
            let results = store.results(&id);
            // A run that failed, or that has several results, has no weights to keep.
            if !results.kept.is_empty() && results.conflict().is_none() {
                missing.push((in_words(&run.model, run.seed, run.fold), id));
            }
        }
        let folder = self.folder.join(MODELS);
        match &missing[..] {
            [] => {}
            few if few.len() <= NAMED => {
                let names: Vec<&str> = few.iter().map(|(name, _)| name.as_str()).collect();
                let only: String = few.iter().map(|(_, id)| format!(" --only {id}")).collect();
                let (them, their) = if few.len() == 1 { ("it", "its") } else { ("them", "their") };
                output::note(&format!(
                    "{} has no weights of {}, recorded earlier: to train {them} again and keep {their} weights, pass --fresh{only}",
                    folder.display(),
                    names.join(" and ")
                ));
            }
            many => output::note(&format!(
                "{} has no weights of {} runs, recorded earlier: to train them again and keep their weights, pass --fresh",
                folder.display(),
                many.len()
            )),
        }
    }
}

impl execute::Keeping for Keeping<'_> {
    /// Writes the weights of a run whose record is kept, if they are to be kept too.
    fn keep(&self, place: usize, run: &FinishedRun) -> Result<(), FileError> {
        if !self.chosen.contains(&place) {
            return Ok(());
        }
        let store = Store::of(self.folder);
        let FinishedRun { model, record } = run;
        let bytes = encoded(record, model, self.corpus).map_err(|error| FileError {
            path: store.weights_path(&record.specification, &record.id),
            problem: io::Error::other(error),
        })?;
        store.write_weights(record, &bytes)
    }
}

/// The line that says where a results folder keeps weights; nothing where it keeps none.
pub(super) fn line(results: &Path) -> String {
    match kept_models(results) {
        Ok(kept) if !kept.is_empty() => format!("Weights: {}\n", results.join(MODELS).display()),
        // What cannot be read is no result.
        _ => String::new(),
    }
}

/// The arguments with the file of the one model that is meant, where a results folder is named. `example` is the rest of a command with
/// the verb, that of a hint.
///
/// # Errors
/// When the folder keeps the weights of no model or of several.
pub(super) fn found(
    arguments: &ModelFileArguments,
    verb: &str,
    example: &str,
) -> Result<ModelFileArguments, Failure> {
    let folder = &arguments.file;
    if !is_results(folder) {
        return Ok(arguments.clone());
    }
    let kept = kept_models(folder)?;
    match &kept[..] {
        [model] => Ok(ModelFileArguments { file: model.path.clone(), ..arguments.clone() }),
        [] => Err(Failure::new(
            format!(
                "{}: a results folder with the weights of a model expected, none found",
                folder.display()
            ),
            "train the study again and keep them, with `mnist-study compare --fresh` or `mnist-study run STUDY.toml --fresh`, or make a \
             file with `mnist-study train MODEL --save FILE`",
        )),
        [first, ..] => {
            let named: Vec<String> = kept.iter().take(NAMED).map(KeptModel::in_words).collect();
            let more = match kept.len() - named.len() {
                0 => String::new(),
                others => format!("; and {others} more"),
            };
            Err(Failure::usage(
                format!(
                    "{}: a results folder with the weights of one model expected, those of {} found ({}{more})",
                    folder.display(),
                    kept.len(),
                    named.join("; ")
                ),
                format!(
                    "name the file of one: `mnist-study {verb} {}{example}`",
                    shell_path(first.path.display())
                ),
            ))
        }
    }
}

/// Whether a path is a folder with records, or with those of several data sets.
fn is_results(path: &Path) -> bool {
    let has_records = |folder: &Path| Store::of(folder).identities().is_ok_and(|ids| !ids.is_empty());
    let parts = || records::results::read_parts(path).unwrap_or_default();
    path.is_dir() && (has_records(path) || parts().iter().any(|part| has_records(&path.join(&part.folder))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use study::{
        plan::{StudySpec, identify, plan},
        study_file::built_in_model,
    };

    #[test]
    fn the_last_run_of_each_model_is_kept_unless_asked_otherwise() {
        let corpus = data::synthetic(5, 60, 30, 10, 9, 3);
        let study = StudySpec {
            models: ["mlp", "nano"].map(|name| built_in_model(name).expect("built in")).to_vec(),
            protocol: records::record::Protocol::Sound,
            audit_selection: false,
            resample: records::record::Resample::None,
            cross_validation: None,
            first_seed: 5,
            runs: 3,
        };
        let runs = plan(&study, &identify(&corpus));
        let folder = tempfile::tempdir().expect("a folder");
        for (which, expected) in
            [(KeepModels::Last, vec![4, 5]), (KeepModels::All, (0..6).collect()), (KeepModels::None, vec![])]
        {
            let keeping = Keeping::of(which, &runs, folder.path(), &corpus).expect("free");
            assert_eq!(keeping.chosen.into_iter().collect::<Vec<_>>(), expected, "{which:?}");
        }
        assert!(!folder.path().join(MODELS).exists(), "no folder before there is something to keep");
        std::fs::write(folder.path().join(MODELS), "mine").expect("written");
        assert!(Keeping::of(KeepModels::Last, &runs, folder.path(), &corpus).is_err());
        assert!(Keeping::of(KeepModels::None, &runs, folder.path(), &corpus).is_ok());
    }
}
