//! TEMP
use nn::{InstructionSet, Model, built_in};
use std::ops::ControlFlow;
use train::{Clock, Event, Recipe, Seeds, Sets, Subset, fit};

struct NoClock;
impl Clock for NoClock {
    fn seconds(&self) -> f64 {
        0.0
    }
}

#[test]
fn bits() {
    let corpus = data::synthetic(5, 300, 40, 28, 28, 10);
    for set in InstructionSet::available() {
        for name in ["cnn", "lstm"] {
            let mut model =
                Model::new(set, &built_in(name).expect("built in"), 28, 28, 10, 128).expect("it fits");
            let seeds = Seeds::of_run(7);
            seeds.initialise(&mut model);
            let recipe = Recipe { epochs: 2, ..Recipe::default() }.check().expect("usable");
            let sets = Sets {
                training: Subset::all(corpus.training()),
                validation: Subset::all(corpus.test()),
                audit: None,
            };
            let epochs = fit(&mut model, &recipe, seeds, sets, &NoClock, &mut |_: Event| ControlFlow::Continue(()))
                .expect("trained");
            let hash = model.parameters().iter().flat_map(|value| value.to_bits().to_le_bytes()).fold(
                0xcbf2_9ce4_8422_2325_u64,
                |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3),
            );
            println!("BITS {name} {} {hash:#x} {} {}", set.name(), epochs[1].train.loss_sum, epochs[1].validation.loss_sum);
        }
    }
}
