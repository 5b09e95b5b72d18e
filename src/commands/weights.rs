//! Files of weights, as the verbs read them.

use super::{datasets, models::find_one};
use crate::{
    args::{ModelFileArguments, RecipeArguments},
    failure::{Failure, Hint},
};
use interchange::{Description, FormatError};
use nn::{InstructionSet, Model};
use std::{fs, path::Path};
use study::{
    run::{Laboratory, RunError},
    store::read_at_most,
};

/// A weights file of this many bytes is larger than any network of this program.
const MAXIMUM_FILE_BYTES: u64 = 1 << 29;

/// A weights file that has been read.
pub(super) struct Saved {
    name: String,
    bytes: Vec<u8>,
    pub(super) description: Description,
}

impl Saved {
    /// A file, and what it says of itself, or else what `--architecture` says for images as those of `dataset`.
    pub(super) fn read(arguments: &ModelFileArguments, dataset: &str, quiet: bool) -> Result<Self, Failure> {
        let name = arguments.file.display().to_string();
        let bytes = bytes(&arguments.file)?;
        let Some(architecture) = &arguments.architecture else { return Self::described(name, bytes) };
        let model = find_one(architecture, &RecipeArguments::default())?;
        let corpus = data::load(&datasets::source(dataset, quiet)?)?;
        let images = corpus.training();
        let classes = corpus.class_names().to_vec();
        let description = Description::of(&model.architecture, images.height(), images.width(), classes);
        Ok(Self { name, bytes, description })
    }

    /// A file that says itself what it is of.
    pub(super) fn read_described(path: &Path) -> Result<Self, Failure> {
        Self::described(path.display().to_string(), bytes(path)?)
    }

    fn described(name: String, bytes: Vec<u8>) -> Result<Self, Failure> {
        let description = interchange::describe(&bytes).map_err(|error| wrong(&name, error))?;
        Ok(Self { name, bytes, description })
    }

    /// The model for a laboratory's images and on its threads.
    pub(super) fn model_for(&self, laboratory: &Laboratory, capacity: usize) -> Result<Model<f32>, Failure> {
        let Description { height, width, classes, .. } = &self.description;
        let images = laboratory.corpus().test();
        let expected = [*height, *width, classes.len()];
        let found = [images.height(), images.width(), laboratory.corpus().classes()];
        if expected != found {
            let words = |[height, width, classes]: [usize; 3]| {
                format!("{height}×{width} pixels and {classes} classes")
            };
            let (expected, found) = (words(expected), words(found));
            return Err(Failure::new(
                format!("{}: made for images of {expected}, {} has {found}", self.name, images.name()),
                Hint::Dataset,
            ));
        }
        laboratory.install(|| self.model(laboratory.instruction_set(), capacity))
    }

    /// The model for batches of up to `capacity` images.
    pub(super) fn model(&self, set: InstructionSet, capacity: usize) -> Result<Model<f32>, Failure> {
        let mut model = self.description.model(set, capacity).map_err(RunError::from)?;
        interchange::load(&self.bytes, &self.description, &mut model)
            .map_err(|error| wrong(&self.name, error))?;
        Ok(model)
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = fs::File::open(path).and_then(|file| read_at_most(file, MAXIMUM_FILE_BYTES));
    read.map_err(|error| {
        Failure::new(
            format!("{}: {error}", path.display()),
            "make one with `mnist-study train MODEL --save FILE`",
        )
    })
}

fn wrong(name: &str, error: FormatError) -> Failure {
    let hint = match error {
        FormatError::NoDescription => Hint::Network,
        FormatError::Missing { .. } | FormatError::Surplus(_) | FormatError::Shape { .. } => {
            "the names and shapes are those of the module that `mnist-study export FILE --pytorch MODULE.py` writes".into()
        }
        _ => "pass a file that `mnist-study train MODEL --save FILE` made".into(),
    };
    Failure::new(format!("{name}: {error}"), hint)
}
