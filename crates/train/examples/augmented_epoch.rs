//! What augmentation adds to an epoch of the study's CNN on 32×32×3: `cargo run --release -p mnist-study-train --example augmented_epoch`.

#![expect(clippy::print_stdout, reason = "an example prints")]

use data::{Augmentation, Dataset};
use nn::{Architecture, InstructionSet, Model};
use rand_chacha::rand_core::Rng;
use std::{ops::ControlFlow, time::Instant};
use train::{Clock, Event, Native, Recipe, Seeds, Sets, Subset, Validation, fit};

/// The study's.
const CNN: &str =
    "conv 32 3x3, relu, maxpool 2, conv 64 3x3, relu, maxpool 2, flatten, dense 128, relu, dense classes";
const IMAGES: usize = 12_800;
/// Epochs of each kind, in turn.
const ROUNDS: usize = 25;

struct Wall(Instant);

impl Clock for Wall {
    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Lit everywhere, as photographs are.
    let mut bytes = vec![0; IMAGES * 32 * 32 * 3];
    data::generator(1, 0).fill_bytes(&mut bytes);
    let labels = (0..IMAGES).map(|image| (image % 10) as u8).collect();
    let training = Dataset::new("noise", bytes, labels, [32, 32, 3], 10)?;
    let few: Vec<u32> = (0..16).collect();
    let layers = CNN.split(", ").map(str::parse).collect::<Result<Vec<_>, _>>()?;
    let network =
        Architecture { name: "cnn".into(), summary: String::new(), citation: String::new(), layers };
    let none = Augmentation::default();
    let placed = Augmentation { crop: 4, flip: 0.5, ..none };
    let coloured = Augmentation { brightness: 0.4, contrast: 0.4, saturation: 0.4, grey: 0.2, ..placed };
    let affine = Augmentation { shift: 2.0, rotation: 10.0, scale: 0.1, shear: 10.0, ..none };
    let kinds = [
        ("none", none),
        ("crop, flip", placed),
        ("and colours", coloured),
        ("affine", affine),
        ("elastic", Augmentation { elastic: 34.0, ..none }),
        ("all", Augmentation { elastic: 34.0, erasing: 0.5, mixup: 0.2, cutmix: 1.0, ..affine }),
    ];
    let mut seconds = vec![Vec::new(); kinds.len()];
    for round in 0..ROUNDS {
        for (kind, (_, augmentation)) in kinds.iter().enumerate() {
            let mut model = Model::new(InstructionSet::detect(), &network, [32, 32, 3], 10, 128)?;
            let mut engine = Native::new(&mut model);
            let seeds = Seeds::of_run(round as u64);
            seeds.initialise(&mut engine);
            let recipe = Recipe { epochs: 1, augmentation: *augmentation, ..Recipe::default() };
            let sets = Sets {
                training: Subset::all(&training),
                validation: Subset { dataset: &training, indices: Some(&few) },
                audit: None,
                measure: None,
            };
            let recipe = recipe.checked_for(Validation::HeldOut)?;
            let clock = Wall(Instant::now());
            let mut listener = |_: Event| ControlFlow::Continue(());
            let fitted = nn::keep_awake(|| fit(&mut engine, &recipe, seeds, sets, &clock, &mut listener))?;
            seconds[kind].push(fitted.epochs[0].train_seconds);
        }
    }
    let mut plain = 0.0;
    for ((name, _), seconds) in kinds.iter().zip(&mut seconds) {
        seconds.sort_by(f64::total_cmp);
        let [least, median, most] = [0, ROUNDS / 2, ROUNDS - 1].map(|at| seconds[at] * 1e6 / IMAGES as f64);
        if *name == "none" {
            plain = median;
        }
        let added = 100.0 * (median / plain - 1.0);
        println!("{name:<14}{median:>7.1} µs an image ({least:.1} to {most:.1}), {added:+.0} %");
    }
    Ok(())
}
