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
use train::Native;

/// Weights at some moment of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The model's name.
    pub model: String,
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

/// So many bytes of weights are remembered; the oldest go first.
const MOST_BYTES: usize = 256 << 20;

/// The newest weights of each run, by its identity. A training leaves them here and goes on at once.
#[derive(Debug, Default)]
pub struct Board(Mutex<Left>);

#[derive(Debug, Default)]
struct Left {
    /// With the number of the moment when they were left.
    weights: BTreeMap<String, (u64, Arc<Weights>)>,
    moments: u64,
}

impl Left {
    fn bytes(&self) -> usize {
        self.weights.values().map(|(_, weights)| weights.values.len() * size_of::<f32>()).sum()
    }
}

impl Board {
    fn left(&self) -> MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a run's weights, in the place of those before.
    pub fn put(&self, id: &str, weights: Weights) {
        let mut left = self.left();
        left.moments += 1;
        let moment = left.moments;
        left.weights.insert(id.to_owned(), (moment, Arc::new(weights)));
        while left.bytes() > MOST_BYTES && left.weights.len() > 1 {
            let oldest = left.weights.iter().min_by_key(|(_, (moment, _))| *moment);
            let Some(oldest) = oldest.map(|(id, _)| id.clone()) else { break };
            left.weights.remove(&oldest);
        }
    }

    /// Forgets what was learnt in a run that came to nothing.
    pub(crate) fn remove(&self, id: &str) {
        self.left().weights.remove(id);
    }

    pub(crate) fn clear(&self) {
        self.left().weights.clear();
    }

    /// Of runs that a study has, with its order: the last that has ended, else the one that learnt last.
    pub(crate) fn ended<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Option<(String, Arc<Weights>)> {
        let left = self.left();
        let there: Vec<(&str, &(u64, Arc<Weights>))> =
            ids.filter_map(|id| Some((id, left.weights.get(id)?))).collect();
        let ended = there.iter().rev().find(|(_, (_, weights))| weights.finished);
        let newest = || there.iter().max_by_key(|(_, (moment, _))| *moment);
        ended.or_else(newest).map(|(id, (_, weights))| ((*id).to_owned(), Arc::clone(weights)))
    }

    /// Of runs that a study has the one that learnt last.
    pub(crate) fn newest<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Option<(String, Arc<Weights>)> {
        let left = self.left();
        let there = ids.filter_map(|id| Some((id, left.weights.get(id)?)));
        let newest = there.max_by_key(|(_, (moment, _))| *moment);
        newest.map(|(id, (_, weights))| (id.to_owned(), Arc::clone(weights)))
    }
}

impl Weights {
    /// What a page is told of them.
    pub(crate) fn message(&self) -> Message {
        let Self { model, seed, epoch, step, finished, .. } = self;
        let (seed, epoch, step, finished) = (*seed, *epoch, *step, *finished);
        Message::Weights { model: model.clone(), seed, epoch, step, finished }
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
        let (model_name, seed) = (run.model.clone(), run.seed);
        let weights =
            Arc::new(Weights { model: model_name, seed, epoch: 0, step: 0, finished: false, values });
        Ok(Self { run: run.clone(), model, weights })
    }

    pub(crate) fn set(&mut self, weights: &Arc<Weights>) -> Result<(), Problem> {
        if Arc::ptr_eq(&self.weights, weights) {
            return Ok(());
        }
        let parameters = self.model.parameters_mut();
        if parameters.len() != weights.values.len() {
            let expected = parameters.len();
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
        Native::new(&mut self.model).classify(1, &|_| image).to_vec()
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
