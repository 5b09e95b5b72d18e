//! Models as the command line names them.

use crate::{args::RecipeArguments, failure::Failure};
use std::path::Path;
use study::{
    near::choose,
    run::RunError,
    study_file::{ModelSpec, StudyFile, built_in_model},
};
use train::Recipe;

/// The models of `names`: a built-in one's name, a study file for all of its models, or `FILE:NAME` for one of them.
///
/// Every recipe has the options that were given in the place of its own.
pub(super) fn find_all(names: &[String], options: &RecipeArguments) -> Result<Vec<ModelSpec>, Failure> {
    let mut models: Vec<ModelSpec> = Vec::new();
    for name in names {
        for mut model in find(name)? {
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
    let (file, of_file) = match name.rsplit_once(':') {
        Some((file, model)) if is_study_file(file) => (file, Some(model)),
        _ => (name, None),
    };
    if !is_study_file(file) {
        return Ok(vec![built_in_model(name).map_err(RunError::from)?]);
    }
    let models = StudyFile::read(Path::new(file)).map_err(RunError::from)?.models;
    let Some(wanted) = of_file else { return Ok(models) };
    let names: Vec<String> = models.iter().map(|model| model.architecture.name.clone()).collect();
    let found: Vec<ModelSpec> =
        models.into_iter().filter(|model| model.architecture.name == wanted).collect();
    if found.is_empty() {
        let hint = choose(wanted, names.iter().map(String::as_str));
        return Err(Failure::usage(format!("{file}: no model {wanted}"), hint));
    }
    Ok(found)
}

pub(super) fn is_study_file(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
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
    recipe.check().map_err(RunError::from)?;
    Ok(recipe)
}
