//! Networks with the newest weights of their models.

use crate::{Message, Problem};
use nn::Model;
use records::record::RunSpec;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use study::run::Session;

/// Weights at some moment of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The run's seed.
    pub seed: u64,
    /// In which epoch, counted from 1.
    pub epoch: usize,
    /// Steps done in that epoch.
    pub step: usize,
    /// Whether they are those that were tested.
    pub finished: bool,
    /// In the order of the model's parameters.
    pub values: Vec<f32>,
}

/// The newest weights of each model, and the newest that a training ended with. A training leaves them here and goes on at once.
#[derive(Debug, Default)]
pub struct Board(Mutex<BTreeMap<String, Kept>>);

#[derive(Debug)]
struct Kept {
    newest: Arc<Weights>,
    finished: Option<Arc<Weights>>,
}

impl Board {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a model's weights, in the place of those before.
    pub fn put(&self, model: &str, weights: Weights) {
        let newest = Arc::new(weights);
        let mut all = self.all();
        let before = all.get(model).and_then(|kept| kept.finished.clone());
        let finished = if newest.finished { Some(Arc::clone(&newest)) } else { before };
        all.insert(model.to_owned(), Kept { newest, finished });
    }

    /// The newest weights of a model.
    pub fn get(&self, model: &str) -> Option<Arc<Weights>> {
        self.all().get(model).map(|kept| Arc::clone(&kept.newest))
    }

    /// The newest weights that a training of the model ended with, else the newest of all.
    pub(crate) fn best(&self, model: &str) -> Option<Arc<Weights>> {
        self.all().get(model).map(|kept| Arc::clone(kept.finished.as_ref().unwrap_or(&kept.newest)))
    }

    /// When in its training each model's weights are from.
    pub fn all_moments(&self) -> Vec<Message> {
        let told = |(model, kept): (&String, &Kept)| {
            let Weights { seed, epoch, step, finished, .. } = *kept.newest;
            Message::Weights { model: model.clone(), seed, epoch, step, finished }
        };
        self.all().iter().map(told).collect()
    }

    pub(crate) fn models(&self) -> Vec<String> {
        self.all().keys().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.all().clear();
    }

    pub(crate) fn keep(&self, is_kept: impl Fn(&str) -> bool) {
        self.all().retain(|model, _| is_kept(model));
    }
}

/// A network, with the weights that it had last.
pub(crate) struct Network {
    pub(crate) run: RunSpec,
    pub(crate) model: Model<f32>,
    pub(crate) weights: Arc<Weights>,
}

/// What a model says of an image.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    name: String,
    #[serde(flatten)]
    moment: Moment,
    probabilities: Vec<f32>,
}

/// When in its training.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Moment {
    seed: u64,
    epoch: usize,
    step: usize,
    finished: bool,
}

impl Network {
    pub(crate) fn new(session: &Session, run: &RunSpec) -> Result<Self, Problem> {
        let model = session.to_look_into(run)?;
        let values = vec![0.0; model.parameters().len()];
        let weights = Arc::new(Weights { seed: run.seed, epoch: 0, step: 0, finished: false, values });
        Ok(Self { run: run.clone(), model, weights })
    }

    pub(crate) fn set(&mut self, session: &Session, weights: &Arc<Weights>) -> Result<(), Problem> {
        if Arc::ptr_eq(&self.weights, weights) {
            return Ok(());
        }
        let parameters = self.model.parameters_mut();
        if parameters.len() != weights.values.len() {
            // The study has another network of this name now.
            *self = Self::new(session, &self.run)?;
            let expected = self.model.parameters().len();
            return Err(Problem::new(format!(
                "model {}: {expected} weights expected, {} found",
                self.run.model,
                weights.values.len()
            )));
        }
        parameters.copy_from_slice(&weights.values);
        self.weights = Arc::clone(weights);
        Ok(())
    }

    pub(crate) fn moment(&self) -> Moment {
        let Weights { seed, epoch, step, finished, .. } = *self.weights;
        Moment { seed, epoch, step, finished }
    }

    pub(crate) fn answer(&mut self, session: &Session, image: &[u8]) -> Answer {
        let probabilities = session.install(|| self.probabilities(image));
        Answer { name: self.run.model.clone(), moment: self.moment(), probabilities }
    }

    pub(crate) fn probabilities(&mut self, image: &[u8]) -> Vec<f32> {
        self.model.set_batch(1, |_| image);
        self.model.evaluate(&[0]);
        self.model.probabilities()[..self.model.classes()].to_vec()
    }

    /// A parameter's shape and values.
    pub(crate) fn parameter(&self, name: &str) -> Option<(&[usize], &[f32])> {
        let spec = self.model.specs().iter().find(|spec| spec.name == name)?;
        Some((&spec.shape, &self.model.parameters()[spec.range.clone()]))
    }
}

/// A tensor as the protocol has it.
pub(crate) fn tensor(shape: &[usize], values: &[f32]) -> Value {
    json!({ "shape": shape, "values": crate::bytes::of_floats(values) })
}
