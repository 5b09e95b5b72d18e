//! Small trainings.

use data::Corpus;
use nn::{Architecture, InstructionSet, Model};
use std::ops::ControlFlow;
use train::{Clock, Event, Fitted, Native, Recipe, Seeds, Sets, Subset, Validation, fit};

/// A clock that stands still.
pub struct NoClock;

impl Clock for NoClock {
    fn seconds(&self) -> f64 {
        0.0
    }
}

/// 300 images to learn from and 40 to validate on.
pub fn corpus() -> Corpus {
    data::synthetic(5, 300, 40, 28, 28, 10)
}

pub fn sets(corpus: &Corpus) -> Sets<'_> {
    Sets {
        training: Subset::all(corpus.training()),
        validation: Subset::all(corpus.test()),
        measure: None,
        audit: None,
    }
}

pub fn model(set: InstructionSet, architecture: &Architecture) -> Model<f32> {
    Model::new(set, architecture, [28, 28], 10, 128).expect("it fits")
}

/// Layers as they are spelled, between commas.
pub fn network(layers: &str) -> Architecture {
    Architecture {
        name: "network".into(),
        summary: String::new(),
        citation: String::new(),
        layers: layers.split(", ").map(|layer| layer.parse().expect("a layer")).collect(),
    }
}

/// A network that is trained in an instant.
pub fn small() -> Architecture {
    network("conv 4 5x5, relu, maxpool 4, flatten, dense 16, relu, dense classes")
}

/// Trains a model from the run's seed 7.
pub fn train(model: &mut Model<f32>, recipe: Recipe, corpus: &Corpus) -> Fitted {
    let seeds = Seeds::of_run(7);
    let mut engine = Native::new(model);
    seeds.initialise(&mut engine);
    let recipe = recipe.checked_for(Validation::HeldOut).expect("usable");
    let mut listener = |_: Event| ControlFlow::Continue(());
    fit(&mut engine, &recipe, seeds, sets(corpus), &NoClock, &mut listener).expect("trained")
}

/// FNV-1a over the parameters' bits.
pub fn fingerprint(parameters: &[f32]) -> u64 {
    let bytes = parameters.iter().flat_map(|value| value.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
