//! What a recipe's values do to a training.

use crate::common::{NoClock, corpus, fingerprint, model, network, sets, small, train};
use crate::same::recipes;
use data::Augmentation;
use nn::{
    Architecture, InstructionSet, MovingAverage, Optimiser, OptimiserSpec, SgdConstants, Target, UpdateRule,
};
use std::ops::ControlFlow;
use train::{
    BatchOrder, Event, Native, Recipe, Schedule, Seeds, Stopped, Subset, TestTimeAugmentation, Validation,
    evaluate, fit,
};

const SET: InstructionSet = InstructionSet::PORTABLE;

/// A training whose validation loss falls and then rises: half of the validation labels are wrong, which costs the more
/// the surer the model is.
fn rising() -> (Recipe, data::Corpus) {
    let corpus = corpus();
    let test = corpus.test();
    let labels = test.labels().iter().enumerate().map(|(image, label)| (label + (image % 2) as u8) % 10);
    let wrong = data::Dataset::new("wrong", test.images().to_vec(), labels.collect(), [28, 28], 10);
    let corpus = data::Corpus::new("wrong", corpus.training().clone(), wrong.expect("a set"));
    (Recipe { epochs: 12, learning_rate: 0.01, ..Recipe::default() }, corpus.expect("a corpus"))
}

#[test]
fn the_best_epochs_parameters_are_kept() {
    let (recipe, corpus) = rising();
    let mut last = model(SET, &small());
    let plain = train(&mut last, recipe.clone(), &corpus);
    let losses: Vec<f64> = plain.epochs.iter().map(|epoch| epoch.validation.loss()).collect();
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let best = 1 + losses.iter().position(|loss| *loss == lowest).expect("it is one of them");
    assert!((2..12).contains(&best), "the losses must fall and rise: {losses:?}");
    assert_eq!(plain.kept_epoch, 12);
    let mut kept = model(SET, &small());
    let fitted = train(&mut kept, Recipe { keep_best: true, ..recipe }, &corpus);
    assert_eq!((&fitted.epochs, fitted.kept_epoch), (&plain.epochs, best));
    let found = evaluate(&mut Native::new(&mut kept), Subset::all(corpus.test()), TestTimeAugmentation::None);
    assert_eq!(found, plain.epochs[best - 1].validation);
    assert_ne!(fingerprint(kept.parameters()), fingerprint(last.parameters()));
}

/// The labels that are learnt are those that were exchanged, with and without augmentation: nothing of them holds for other images.
#[test]
fn shuffled_labels_can_only_be_memorised() {
    let corpus = corpus();
    let accuracy = |shuffled_labels, augmentation| {
        let recipe =
            Recipe { epochs: 30, learning_rate: 0.01, shuffled_labels, augmentation, ..Recipe::default() };
        let fitted = train(&mut model(SET, &small()), recipe, &corpus);
        fitted.epochs.last().expect("an epoch").validation.accuracy()
    };
    let (plain, shifted) = (Augmentation::default(), Augmentation { shift: 1.0, ..Augmentation::default() });
    for augmentation in [plain, shifted] {
        let (right, shuffled) = (accuracy(0.0, augmentation), accuracy(1.0, augmentation));
        assert!(right > 0.8 && shuffled < 0.4, "{right} {shuffled}");
    }
}

/// The last update overflows after the last loss: no figure of such a model is one.
#[test]
fn a_model_that_ends_beyond_all_numbers_has_diverged() {
    let layers = vec!["dense 64"; 40].join(", ");
    let mut model = model(SET, &network(&format!("flatten, {layers}, dense classes")));
    let recipe = Recipe { epochs: 1, batch_size: 128, learning_rate: 10.0, ..Recipe::default() };
    let corpus = data::synthetic(5, 100, 40, 28, 28, 10);
    let seeds = Seeds::of_run(7);
    let mut engine = Native::new(&mut model);
    seeds.initialise(&mut engine);
    let recipe = recipe.checked_for(Validation::HeldOut).expect("usable");
    let mut steps = 0;
    let mut listener = |event: Event| {
        if let Event::Step { train, .. } = event {
            assert!(train.loss().is_finite());
            steps += 1;
        }
        ControlFlow::Continue(())
    };
    let result = fit(&mut engine, &recipe, seeds, sets(&corpus), &NoClock, &mut listener);
    assert!(matches!(result, Err(Stopped::Diverged { epoch: 1, step: 1 })), "{result:?}");
    assert_eq!(steps, 1);
}

#[test]
fn a_training_ends_when_nothing_gets_better() {
    let (recipe, corpus) = rising();
    let plain = train(&mut model(SET, &small()), recipe.clone(), &corpus);
    let recipe = Recipe { early_stopping: Some(2), ..recipe };
    let stopped = train(&mut model(SET, &small()), recipe, &corpus);
    let count = stopped.epochs.len();
    assert!(count < 12, "{:?}", plain.epochs);
    assert_eq!(stopped.epochs, plain.epochs[..count]);
    assert_eq!(stopped.kept_epoch, count);
    let losses: Vec<f64> = plain.epochs[..count].iter().map(|epoch| epoch.validation.loss()).collect();
    let best = count - 3;
    assert!(
        losses.iter().enumerate().all(|(epoch, loss)| epoch == best || *loss > losses[best]),
        "{losses:?}"
    );
}

/// The average of the parameters, its schedule and its clipped steps, by a loop of the library's parts.
#[test]
fn a_training_is_its_parts() {
    let corpus = corpus();
    let images = corpus.training();
    let recipe = Recipe {
        epochs: 2,
        learning_rate: 0.05,
        optimiser: OptimiserSpec::Sgd(SgdConstants::default()),
        schedule: Schedule::Cosine { warm_up: 0.3, final_fraction: 0.1 },
        label_smoothing: 0.2,
        weight_decay: 1e-3,
        gradient_clip: Some(0.3),
        average_decay: Some(0.8),
        ..Recipe::default()
    };
    let mut fitted = model(SET, &small());
    let figures = train(&mut fitted, recipe.clone(), &corpus);

    let mut model = model(SET, &small());
    Seeds::of_run(7).initialise(&mut Native::new(&mut model));
    model.set_label_smoothing(0.2);
    let Recipe { optimiser, learning_rate, weight_decay, gradient_clip, schedule, .. } = recipe;
    let rule = UpdateRule { optimiser, learning_rate, weight_decay, gradient_clip };
    let mut optimiser = Optimiser::new(&rule, model.specs());
    let mut average = MovingAverage::new(0.8, model.parameters());
    let mut step = 0;
    for epoch in 1..=2 {
        let mut order: Vec<u32> = (0..300).collect();
        data::shuffle(&mut order, &mut data::generator(7, 2 * epoch + 1));
        for batch in order.chunks_mut(128) {
            BatchOrder::new(images).sort(batch);
            model.differentiate_drawn(batch.len(), |image, pixels| {
                let index = batch[image] as usize;
                let bytes = images.image(index).iter();
                pixels.iter_mut().zip(bytes).for_each(|(pixel, byte)| *pixel = f32::from(*byte) / 255.0);
                Target::of(images.labels()[index])
            });
            model.update(&mut optimiser, schedule.rate(step, 3, 2));
            model.add_to(&mut average);
            step += 1;
        }
    }
    assert_eq!(fitted.parameters(), average.values());
    model.parameters_mut().copy_from_slice(average.values());
    let validation =
        evaluate(&mut Native::new(&mut model), Subset::all(corpus.test()), TestTimeAugmentation::None);
    assert_eq!(figures.epochs[1].validation, validation);
}

/// The reported loss is the one that is minimised; smoothed answers cost at least their entropy.
#[test]
fn the_training_loss_is_the_objective() {
    let corpus = corpus();
    let loss = |label_smoothing| {
        let recipe = Recipe { epochs: 15, label_smoothing, learning_rate: 0.01, ..Recipe::default() };
        train(&mut model(SET, &small()), recipe, &corpus).epochs[14].train
    };
    let entropy = -(0.91 * 0.91f64.ln() + 0.09 * 0.01f64.ln());
    assert!(loss(0.0).loss() < entropy, "{:?}", loss(0.0));
    assert!(loss(0.1).loss() > entropy, "{:?}", loss(0.1));
    assert!(loss(0.1).accuracy() > 0.9, "{:?}", loss(0.1));
}

#[test]
fn augmentation_changes_what_is_learnt_but_not_the_initial_parameters() {
    let corpus = corpus();
    let trained = |augmentation| {
        let recipe = Recipe { epochs: 1, augmentation, ..Recipe::default() };
        let mut model = model(SET, &small());
        let fitted = train(&mut model, recipe, &corpus);
        (fingerprint(model.parameters()), fitted.epochs[0].train.images)
    };
    let plain = trained(Augmentation::default());
    let shifted = trained(Augmentation { shift: 2.0, ..Augmentation::default() });
    let mixed = trained(Augmentation { mixup: 1.0, ..Augmentation::default() });
    assert!(plain.0 != shifted.0 && plain.0 != mixed.0 && shifted.0 != mixed.0);
    assert_eq!([plain.1, shifted.1, mixed.1], [300; 3]);
}

#[test]
fn a_training_that_is_interrupted_or_diverges_says_where() {
    let corpus = corpus();
    let run = |layers: &Architecture, recipe: Recipe, listener: &mut dyn FnMut(Event) -> ControlFlow<()>| {
        let mut model = model(SET, layers);
        let mut engine = Native::new(&mut model);
        Seeds::of_run(7).initialise(&mut engine);
        let recipe = recipe.checked_for(Validation::HeldOut).expect("usable");
        let mut listener = |event: Event| listener(event);
        fit(&mut engine, &recipe, Seeds::of_run(7), sets(&corpus), &NoClock, &mut listener)
    };
    for recipe in recipes() {
        let result = run(&small(), recipe, &mut |event| match event {
            Event::Epoch(_) => ControlFlow::Break(()),
            Event::Step { .. } => ControlFlow::Continue(()),
        });
        assert_eq!(result, Err(Stopped::Interrupted { epoch: 2 }));
    }
    // Two linear layers: the gradient of each grows with the other.
    let linear = network("flatten, dense 16, dense classes");
    let optimiser = OptimiserSpec::Sgd(SgdConstants::default());
    let recipe = Recipe { learning_rate: 10.0, epochs: 200, optimiser, ..Recipe::default() };
    let result = run(&linear, recipe, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(result, Err(Stopped::Diverged { .. })), "{result:?}");
}
