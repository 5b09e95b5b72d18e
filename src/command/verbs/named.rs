//! Models as the command line names them.

use crate::command::{failure::Failure, options::RecipeArguments, output, reproduce::shell_path};
use std::{collections::HashSet, path::Path};
use study::{
    run::RunError,
    study_file::{ModelSpec, StudyFile, built_in_model},
    suggest::choose,
};
use train::{Precision, Recipe};

/// The models of `names`: a built-in one's name, a study file for all of its models, or `FILE:NAME` for one of them.
///
/// Every recipe has the options that were given in the place of its own. What else stands in a file is said to be left out.
pub(super) fn find_all(names: &[String], options: &RecipeArguments) -> Result<Vec<ModelSpec>, Failure> {
    let mut models: Vec<ModelSpec> = Vec::new();
    for name in names {
        let (found, study) = load(name)?;
        if let Some((file, study)) = study {
            check_grids(&study, file, options)?;
            check_precisions(&found, file, options)?;
            let left_out: Vec<&str> =
                study.given.iter().map(String::as_str).filter(|key| !OF_MODELS.contains(key)).collect();
            if !left_out.is_empty() {
                output::note(&format!(
                    "{file}: only its models are taken, not {}; `mnist-study run {}` takes all",
                    left_out.join(", "),
                    shell_path(file)
                ));
            }
        }
        for mut model in found {
            let of_that_name = |one: &ModelSpec| one.architecture.name == model.architecture.name;
            if models.iter().any(of_that_name) {
                return Err(Failure::usage(
                    format!("model {}: named twice", model.architecture.name),
                    "name each model once; --seeds sets how often each is trained",
                ));
            }
            model.recipe = with_options(&model.recipe, options)?;
            models.push(model);
        }
    }
    Ok(models)
}

/// The one model of a name.
pub(super) fn find_one(name: &str, options: &RecipeArguments) -> Result<ModelSpec, Failure> {
    let mut models = find_all(&[name.to_owned()], options)?;
    if models.len() != 1 {
        let names = models.iter().map(|model| model.architecture.name.as_str());
        return Err(Failure::usage(
            format!("{name}: one model expected, {} found", models.len()),
            format!("write {name}:NAME, and {}", choose("", names)),
        ));
    }
    Ok(models.remove(0))
}

/// As [`find_all`], each with its own recipe.
pub(super) fn find(name: &str) -> Result<Vec<ModelSpec>, Failure> {
    Ok(load(name)?.0)
}

/// Models, and the file that they are from with its name.
type Loaded<'a> = (Vec<ModelSpec>, Option<(&'a str, StudyFile)>);

/// The models of a name; if it is that of a study file, its name alone, and what else stands in it.
fn load(name: &str) -> Result<Loaded<'_>, Failure> {
    let Some((named, mut study)) = open(name)? else {
        return Ok((vec![built_in_model(name).map_err(RunError::from)?], None));
    };
    let models = std::mem::take(&mut study.models);
    let found = named.of(models, |model| &model.architecture.name)?;
    Ok((found, Some((named.file, study))))
}

/// A study file as it is named, and the one model of it that is meant, if it is one.
pub(super) struct InFile<'a> {
    pub(super) file: &'a str,
    wanted: Option<&'a str>,
}

impl InFile<'_> {
    /// Those of its models that are meant.
    pub(super) fn of<T>(&self, models: Vec<T>, name: impl Fn(&T) -> &str) -> Result<Vec<T>, Failure> {
        let Some(wanted) = self.wanted else { return Ok(models) };
        if !models.iter().any(|model| name(model) == wanted) {
            let hint = choose(wanted, models.iter().map(&name));
            return Err(Failure::usage(format!("{}: no model {wanted}", self.file), hint));
        }
        Ok(models.into_iter().filter(|model| name(model) == wanted).collect())
    }
}

/// The study file that a name is of; none for a built-in model's name.
pub(super) fn open(name: &str) -> Result<Option<(InFile<'_>, StudyFile)>, Failure> {
    let Some((file, wanted)) = in_study_file(name) else { return Ok(None) };
    let study = StudyFile::read(Path::new(file)).map_err(RunError::from)?;
    Ok(Some((InFile { file, wanted }, study)))
}

/// What of a study file goes with its models.
const OF_MODELS: [&str; 5] = ["models", "model", "recipe", "grid", "search"];

/// Refuses an option that would make the models of a grid alike: they would bear names that are not true.
pub(super) fn check_grids(study: &StudyFile, file: &str, options: &RecipeArguments) -> Result<(), Failure> {
    let given = [
        ("epochs", options.epochs.is_some()),
        ("batch_size", options.batch_size.is_some()),
        ("learning_rate", options.learning_rate.is_some()),
        ("precision", options.precision.is_some()),
    ];
    match given.into_iter().find(|(name, given)| *given && study.varied.iter().any(|varied| varied == name)) {
        None => Ok(()),
        Some((name, _)) => {
            let option = name.replace('_', "-");
            Err(Failure::usage(
                format!("--{option}: {file} varies {name} in a grid"),
                format!("leave out --{option}, or {name} in the grid"),
            ))
        }
    }
}

/// Refuses a precision for models of a file whose recipes differ in it: they would be compared with themselves.
pub(super) fn check_precisions(
    models: &[ModelSpec],
    file: &str,
    options: &RecipeArguments,
) -> Result<(), Failure> {
    let precisions: HashSet<Precision> = models.iter().map(|model| model.recipe.precision).collect();
    if options.precision.is_none() || precisions.len() < 2 {
        return Ok(());
    }
    Err(Failure::usage(
        format!("--precision: the models of {file} differ in precision"),
        "leave out --precision, or precision in their recipes",
    ))
}

/// The study file that a name is of, and the one model of it that is meant, of `FILE` or `FILE:NAME`; none for a built-in
/// model's name.
pub(super) fn in_study_file(name: &str) -> Option<(&str, Option<&str>)> {
    let is_file = |name: &str| {
        Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
    };
    match name.rsplit_once(':') {
        Some((file, model)) if is_file(file) => Some((file, Some(model))),
        _ => is_file(name).then_some((name, None)),
    }
}

/// A recipe with the options that were given.
pub(super) fn with_options(recipe: &Recipe, options: &RecipeArguments) -> Result<Recipe, Failure> {
    let mut recipe = recipe.clone();
    if let Some(epochs) = options.epochs {
        recipe.epochs = epochs;
    }
    if let Some(batch_size) = options.batch_size {
        recipe.batch_size = batch_size;
    }
    if let Some(learning_rate) = options.learning_rate {
        recipe.learning_rate = learning_rate;
    }
    if let Some(precision) = options.precision {
        recipe.precision = precision.into();
    }
    recipe.check().map_err(RunError::from)?;
    Ok(recipe)
}
