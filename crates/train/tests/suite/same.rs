//! The same bits: as ever, on any number of threads, whatever is switched on.

use crate::common::{corpus, fingerprint, model, small, train};
use data::Augmentation;
use nn::{AdamConstants, InstructionSet, MuonConstants, OptimiserSpec};
use train::{Recipe, Schedule, TestTimeAugmentation};

/// Recipes with everything that there is, two of them with few things, so that one cannot hide behind another.
pub fn recipes() -> Vec<Recipe> {
    let everything = Recipe {
        epochs: 2,
        batch_size: 64,
        optimiser: OptimiserSpec::Muon(MuonConstants::default()),
        learning_rate: 0.01,
        schedule: Schedule::OneCycle { warm_up: 0.3, initial_fraction: 0.1, final_fraction: 0.0 },
        weight_decay: 0.01,
        label_smoothing: 0.1,
        gradient_clip: Some(0.5),
        average_decay: Some(0.9),
        early_stopping: Some(1),
        keep_best: true,
        test_time_augmentation: TestTimeAugmentation::FourShifts,
        augmentation: Augmentation { shift: 2.0, rotation: 10.0, mixup: 0.2, ..Augmentation::default() },
    };
    let augmented = Recipe {
        epochs: 2,
        augmentation: Augmentation { cutmix: 1.0, ..Augmentation::default() },
        ..Recipe::default()
    };
    let clipped = Recipe {
        epochs: 2,
        optimiser: OptimiserSpec::AdamW(AdamConstants::default()),
        weight_decay: 0.1,
        gradient_clip: Some(0.1),
        ..Recipe::default()
    };
    vec![everything, augmented, clipped]
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let corpus = corpus();
    let trained = |recipe: &Recipe, set, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let mut model = model(set, &small());
            let fitted = train(&mut model, recipe.clone(), &corpus);
            (fingerprint(model.parameters()), fitted)
        })
    };
    for set in InstructionSet::available() {
        for (number, recipe) in recipes().iter().enumerate() {
            let one = trained(recipe, set, 1);
            for threads in [2, 3] {
                let other = trained(recipe, set, threads);
                assert_eq!(other, one, "recipe {number}, {}, {threads} threads", set.name());
            }
        }
    }
}

/// Allocations of a training do not grow with its steps. On one thread, where the counter sees all of it.
#[test]
fn a_step_allocates_nothing() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        for (number, recipe) in recipes().into_iter().chain([Recipe::default()]).enumerate() {
            let corpora = [60, 60, 300].map(|images| data::synthetic(5, images, 40, 28, 28, 10));
            let counts = corpora.map(|corpus| {
                let recipe = Recipe { epochs: 1, batch_size: 20, ..recipe.clone() };
                let mut model = model(InstructionSet::PORTABLE, &small());
                allocation_counter::measure(|| drop(train(&mut model, recipe, &corpus))).count_total
            });
            assert!(counts[1] > 0, "it counts");
            assert_eq!(counts[2], counts[1], "recipe {number}: fifteen steps against three");
        }
    });
}
