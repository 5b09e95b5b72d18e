//! Files of weights, as the verbs read them.

use super::{instruction_set, named::find_one, source};
use crate::command::{
    failure::{Failure, Hint},
    hints,
    options::{ModelFileArguments, RecipeArguments},
    output,
};
use crate::description_of;
use data::Corpus;
use interchange::{Description, FormatError, NameMap, Remark};
use nn::{Architecture, ImageShape, InstructionSet, LayerSpec, Model, NORMALISATION_EPSILON, Preparation};
use records::{kept_models::MAXIMUM_WEIGHTS_BYTES, record::RunRecord, store::read_at_most};
use std::{fs, path::Path};
use study::run::{RunError, Session};

/// ε of PyTorch's normalisation layers, unless they are given another.
const PYTORCH_EPSILON: f64 = 1e-5;

/// A weights file that has been read.
pub(super) struct Saved {
    name: String,
    bytes: Vec<u8>,
    maps: Vec<NameMap>,
    pub(super) description: Description,
    /// What was guessed or converted; it has been told.
    pub(super) notes: Vec<String>,
}

impl Saved {
    /// A file, and what it says of itself, or else what `--architecture` says for images as those of `dataset`. What had to
    /// be guessed is told.
    pub(super) fn read(arguments: &ModelFileArguments, dataset: &str, quiet: bool) -> Result<Self, Failure> {
        let name = arguments.file.display().to_string();
        let bytes = bytes(&arguments.file)?;
        let own = match interchange::describe(&bytes) {
            Ok(description) => Some(description),
            Err(FormatError::NoDescription) => None,
            Err(error) => return Err(wrong(&name, &error)),
        };
        let is_foreign = own.is_none();
        let architecture = arguments.architecture.as_deref();
        let architecture = architecture
            .map(|architecture| find_one(architecture, &RecipeArguments::default()))
            .transpose()?;
        let description = match (own, architecture.map(|model| model.architecture)) {
            (Some(own), None) => own,
            (Some(own), Some(architecture)) if own.layers == architecture.layers => own,
            (Some(own), Some(architecture)) => return Err(other_network(&name, &own, &architecture)),
            (None, None) => return Err(wrong(&name, &FormatError::NoDescription)),
            (None, Some(architecture)) => {
                let corpus = data::load(&source::source(dataset, quiet)?)?;
                let images = corpus.training();
                let classes = corpus.class_names().to_vec();
                Description::of(&architecture, images.shape(), classes)
            }
        };
        let mut saved = Self { name, bytes, maps: arguments.map.clone(), description, notes: Vec::new() };
        let (_, remarks) = saved.load(instruction_set()?, 1)?;
        let stated = (saved.description.preparation, saved.description.normalisation_epsilon());
        saved.prepare(arguments, is_foreign)?;
        saved.normalise(arguments.epsilon, is_foreign, &remarks);
        if stated != (saved.description.preparation, saved.description.normalisation_epsilon()) {
            // What its training gave, it gave with what the file states.
            saved.description.training = None;
        }
        saved.tell(&remarks);
        Ok(saved)
    }

    /// A file that says itself what it is of.
    pub(super) fn read_described(path: &Path) -> Result<Self, Failure> {
        let (name, bytes) = (path.display().to_string(), bytes(path)?);
        let description = interchange::describe(&bytes).map_err(|error| wrong(&name, &error))?;
        let mut saved = Self { name, bytes, maps: Vec::new(), description, notes: Vec::new() };
        let (_, remarks) = saved.load(instruction_set()?, 1)?;
        saved.tell(&remarks);
        Ok(saved)
    }

    fn tell(&mut self, remarks: &[Remark]) {
        self.notes.extend(remarks.iter().map(Remark::to_string));
        for note in &self.notes {
            output::note(&format!("{}: {note}", self.name));
        }
    }

    /// Tells something of the model that the answer has among its notes.
    pub(super) fn tell_note(&mut self, note: String) {
        output::note(&format!("{}: {note}", self.name));
        self.notes.push(note);
    }

    /// Tells where the model was trained on other data than it is judged by here: by their digests, which hold wherever the
    /// data lies, or of a file that states none by their names.
    pub(super) fn tell_data(&mut self, corpus: &Corpus) {
        let Some(training) = &self.description.training else { return };
        let is_same = match &training.dataset_sha256 {
            Some(digest) => digest == corpus.sha256(),
            None => training.dataset == corpus.name(),
        };
        if is_same {
            return;
        }
        let (theirs, here) = (output::one_line(&training.dataset), output::one_line(corpus.name()));
        let note = match theirs == here {
            true => format!(
                "trained on {theirs} when other images or labels were there: SHA-256 of the data {}, now {}",
                training.dataset_sha256.as_deref().unwrap_or_default(),
                corpus.sha256()
            ),
            false => format!(
                "trained on {theirs}, and judged here by {here}: pass --dataset with the data it was trained on"
            ),
        };
        self.tell_note(note);
    }

    /// Sets how pixels are prepared, as the options say, or the file.
    fn prepare(&mut self, arguments: &ModelFileArguments, is_foreign: bool) -> Result<(), Failure> {
        let stated = self.description.preparation;
        let channels = self.description.image().channels;
        match (&arguments.mean[..], &arguments.std[..]) {
            (mean @ [_, ..], std @ [_, ..]) => {
                let preparation = preparation(mean, std, channels)?;
                let listed = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
                let unprepared = (vec![0.0; channels], vec![1.0; channels]);
                let stated = stated.map_or(unprepared, |it| (it.mean().to_vec(), it.std().to_vec()));
                if !is_foreign && (preparation.mean(), preparation.std()) != (&stated.0, &stated.1) {
                    self.notes.push(format!(
                        "states mean {} and std {} of its pixels; --mean {} --std {} are used instead",
                        listed(&stated.0),
                        listed(&stated.1),
                        listed(mean),
                        listed(std)
                    ));
                }
                self.description.preparation = Some(preparation);
            }
            _ if is_foreign => self.notes.push(
                "states no preparation: pixels of 0 to 1 assumed; pass --mean 0.1307 --std 0.3081 if it was trained on \
                 inputs normalised so"
                    .to_owned(),
            ),
            _ => {}
        }
        Ok(())
    }

    /// Sets ε as the option says, or the file, or else as those who name layers so have it.
    fn normalise(&mut self, given: Option<f64>, is_foreign: bool, remarks: &[Remark]) {
        if !has_normalisation(&self.description.layers) {
            return;
        }
        let stated = self.description.normalisation_epsilon();
        match given {
            Some(epsilon) => {
                if !is_foreign && epsilon != stated {
                    self.notes.push(format!(
                        "states epsilon {stated:?} of its normalisation; --epsilon {epsilon:?} is used instead"
                    ));
                }
                self.description.epsilon = Some(epsilon);
            }
            None if is_foreign => {
                let renamed = |kind| remarks.iter().any(|remark| remark.renames(kind));
                let (epsilon, whose, other) = match renamed("batchnorm") || renamed("layernorm") {
                    true => (PYTORCH_EPSILON, "PyTorch's default", NORMALISATION_EPSILON),
                    false => (NORMALISATION_EPSILON, "that of `export --pytorch`'s modules", PYTORCH_EPSILON),
                };
                self.notes.push(format!(
                    "states no epsilon of its normalisation: {epsilon:?} assumed, {whose}; pass --epsilon {other:?} if it was \
                     trained with that"
                ));
                self.description.epsilon = Some(epsilon);
            }
            None => {}
        }
    }

    /// The model for a session's images and on its threads.
    pub(super) fn model_for(&self, session: &Session, capacity: usize) -> Result<Model<f32>, Failure> {
        let images = session.corpus().test();
        let expected = (self.description.image(), self.description.classes.len());
        let found = (images.shape(), session.corpus().classes());
        if expected != found {
            let words = |(image, classes): (ImageShape, usize)| {
                let colour = if image.is_colour() { " in colour" } else { "" };
                format!("{}×{} pixels{colour} and {classes} classes", image.height, image.width)
            };
            let (expected, found) = (words(expected), words(found));
            return Err(Failure::new(
                format!("{}: made for images of {expected}, {} has {found}", self.name, images.name()),
                Hint::Dataset,
            ));
        }
        session.install(|| self.model(session.instruction_set(), capacity))
    }

    /// The model for batches of up to `capacity` images.
    pub(super) fn model(&self, set: InstructionSet, capacity: usize) -> Result<Model<f32>, Failure> {
        self.load(set, capacity).map(|(model, _)| model)
    }

    fn load(&self, set: InstructionSet, capacity: usize) -> Result<(Model<f32>, Vec<Remark>), Failure> {
        let mut model = self.description.model(set, capacity).map_err(RunError::from)?;
        let remarks = interchange::load(&self.bytes, &self.description, &self.maps, &mut model)
            .map_err(|error| wrong(&self.name, &error))?;
        Ok((model, remarks))
    }
}

/// The bytes of the file of a run's weights: those that `train --save` writes and those that a study keeps are the same.
///
/// # Errors
/// When the weights are not the record's.
pub(super) fn encoded(
    record: &RunRecord,
    model: &Model<f32>,
    corpus: &Corpus,
) -> Result<Vec<u8>, FormatError> {
    interchange::encode(model, &description_of(record, model, corpus))
}

/// Whether ε matters.
fn has_normalisation(layers: &[LayerSpec]) -> bool {
    let all = LayerSpec::all(layers);
    [LayerSpec::BatchNorm, LayerSpec::LayerNorm].iter().any(|layer| all.contains(&layer))
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = fs::File::open(path).and_then(|file| read_at_most(file, MAXIMUM_WEIGHTS_BYTES));
    read.map_err(|error| {
        Failure::new(
            format!("{}: {error}", path.display()),
            "make one with `mnist-study train MODEL --save FILE`",
        )
    })
}

fn wrong(name: &str, error: &FormatError) -> Failure {
    let mut hint = hints::of_model_file(error);
    if let FormatError::NoDescription
    | FormatError::Changed { .. }
    | FormatError::Redescribed { .. }
    | FormatError::Missing { .. }
    | FormatError::Surplus(_)
    | FormatError::Shape { .. }
    | FormatError::Unmatched { .. }
    | FormatError::Ambiguous { .. }
    | FormatError::Map(_) = error
    {
        return Failure::new(format!("{name}: {error}"), Hint::Network(hint));
    }
    // What is typed elsewhere has the file's name in it, unless that would have to be quoted.
    if matches!(error, FormatError::OtherFormat(_)) && !name.contains(['"', '\\', '\n']) {
        hint = hint.replace("FILE", name);
    }
    Failure::new(format!("{name}: {error}"), hint)
}

fn other_network(name: &str, own: &Description, architecture: &Architecture) -> Failure {
    Failure::new(
        format!(
            "{name}: its metadata says that it is of {}, whose layers are not those of {}",
            own.architecture, architecture.name
        ),
        "leave out --architecture",
    )
}

/// A mean and a standard deviation for each channel; one alone is that of all.
fn preparation(mean: &[f64], std: &[f64], channels: usize) -> Result<Preparation, Failure> {
    let for_each = |values: &[f64]| match values {
        [value] => vec![*value; channels],
        values => values.to_vec(),
    };
    let hint = match channels {
        1 => "pass --mean 0.1307 --std 0.3081",
        _ => "pass --mean 0.491,0.482,0.447 --std 0.247,0.243,0.262",
    };
    let (mean, std) = (for_each(mean), for_each(std));
    let preparation = Preparation::new(&mean, &std).map_err(|error| Failure::usage(error, hint))?;
    match mean.len() == channels {
        true => Ok(preparation),
        false => {
            let found = mean.len();
            Err(Failure::usage(format!("--mean and --std: {channels} values expected, {found} found"), hint))
        }
    }
}
