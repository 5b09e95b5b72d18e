//! Recurrent layers of every cell, output and direction: against differences, against Keras, and against their promises.

use crate::{
    common::{Golden, architecture, assert_close, largest, sets, widen},
    differences::{Sample, assert_right},
};
use nn::{Architecture, Build, InstructionSet, Model, Optimiser, UpdateRule};

const CELLS: [&str; 3] = ["lstm", "gru", "rnn"];
const OPTIONS: [&str; 4] = ["", " sequence", " bidirectional", " bidirectional sequence"];

/// Recurrent layers, and what makes their output classes.
fn network(layers: &[&str]) -> Architecture {
    let classes = ["flatten", "dense classes"];
    architecture(&layers.join(", "), &[layers, &classes].concat())
}

/// Units that are no whole vector of any set; more images than a group holds; a single step.
#[test]
fn every_cell_in_every_form() {
    for cell in CELLS {
        for options in OPTIONS {
            assert_right(&network(&[&format!("{cell} 5{options}")]), [3, 4, 3], 3);
        }
    }
    for cell in CELLS {
        let layer = format!("{cell} 3 bidirectional sequence");
        assert_right(&network(&[&layer]), [18, 3, 2], 2);
        assert_right(&network(&[&layer]), [2, 1, 3], 2);
    }
}

/// The second layer's derivative of its input, and layers behind what is no image.
#[test]
fn one_upon_another() {
    assert_right(&network(&["lstm 4 sequence", "lstm 3 bidirectional"]), [3, 4, 3], 3);
    assert_right(&network(&["gru 3 bidirectional sequence", "gru 4 sequence", "gru 2"]), [2, 4, 3], 3);
    assert_right(
        &network(&["rnn 3 sequence", "lstm 2 sequence", "rnn 4 bidirectional sequence"]),
        [2, 3, 3],
        3,
    );
    assert_right(&network(&["conv 2 2x2", "gru 3"]), [2, 4, 4], 2);
    assert_right(&network(&["columns", "rnn 3 bidirectional"]), [2, 1, 5], 2);
}

/// Images that begin or end dark share their first steps in that direction, unless the derivative of their pixels is asked
/// for: both ways must give the same gradient, and the second is checked by differences.
#[test]
fn dark_steps_that_all_images_share() {
    // The dark rows at the top and at the bottom of each image.
    let images = [vec![[2, 1]; 5], vec![[0, 2], [3, 0], [1, 1]], vec![[4, 4]; 3], vec![[1, 3]; 18]];
    let layers = CELLS.iter().flat_map(|cell| OPTIONS.map(|options| format!("{cell} 3{options}")));
    for (layer, dark) in layers.flat_map(|layer| images.clone().map(|dark| (layer.clone(), dark))) {
        let mut sample = Sample::new(&network(&[&layer]), [dark.len(), 4, 2], 3);
        for (image, [top, bottom]) in sample.model.input_mut().chunks_exact_mut(8).zip(&dark) {
            image[..2 * top].fill(0.0);
            image[8 - 2 * bottom..].fill(0.0);
        }
        let (gradient, d_input) = sample.backward();
        if let Err(problem) = sample.check(&gradient, &d_input) {
            panic!("{layer}, dark rows {dark:?}: {problem}");
        }
        let labels = sample.labels.clone();
        sample.model.differentiate(&labels, None);
        for (index, (shared, own)) in sample.model.gradient().iter().zip(&gradient).enumerate() {
            assert!(
                (shared - own).abs() <= 1e-14,
                "{layer}, dark rows {dark:?}, {index}: {shared} shared, {own} apart"
            );
        }
    }
}

/// The networks of golden/layers/recurrent.py.
const GOLDEN: [(&str, &[&str]); 8] = [
    ("lstm-sequence", &["lstm 5 sequence"]),
    ("lstm-stacked", &["lstm 4 sequence", "lstm 5"]),
    ("lstm-bidirectional", &["lstm 3 bidirectional"]),
    ("lstm-bidirectional-sequence", &["lstm 3 bidirectional sequence"]),
    ("gru", &["gru 5"]),
    ("gru-stacked", &["gru 3 bidirectional sequence", "gru 4 sequence"]),
    ("rnn", &["rnn 5"]),
    ("rnn-stacked", &["rnn 3 bidirectional sequence", "rnn 4 bidirectional"]),
];

/// Logits, loss and every derivative; `tolerance` is of a tensor's largest value.
fn check_golden<E: Build>(set: InstructionSet, tolerance: f64) {
    let golden = Golden::read("layers/recurrent.safetensors");
    let labels: Vec<u8> = golden.values("labels").iter().map(|label| *label as u8).collect();
    for (name, layers) in GOLDEN {
        let mut model = Model::<E>::new(set, &network(layers), [5, 6], 3, labels.len()).expect("it fits");
        for spec in model.specs().to_vec() {
            let values = golden.values(&format!("{name}/initial/{}", spec.name));
            assert_eq!(values.len(), spec.range.len(), "{name}: {}", spec.name);
            let parameters = &mut model.parameters_mut()[spec.range];
            parameters.iter_mut().zip(values).for_each(|(parameter, value)| *parameter = E::from_f64(*value));
        }
        let input = model.input_mut().iter_mut().zip(golden.values("input"));
        input.for_each(|(pixel, value)| *pixel = E::from_f64(*value));
        let mut d_input = vec![E::from_f64(f64::NAN); golden.values("input").len()];
        let loss = model.differentiate(&labels, Some(&mut d_input)).loss();
        let close = |what: &str, ours: &[f64]| {
            let expected = golden.values(&format!("{name}/{what}"));
            let what = format!("{name}, {}: {what}", set.name());
            assert_close(&what, ours, expected, tolerance * largest(expected));
        };
        close("loss", &[loss]);
        close("gradient/input", &widen(&d_input));
        for spec in model.specs() {
            close(&format!("gradient/{}", spec.name), &widen(&model.gradient()[spec.range.clone()]));
        }
        close("logits", &widen(model.forward(labels.len())));
    }
}

#[test]
fn as_keras_computes_them() {
    for set in sets() {
        check_golden::<f32>(set, 5e-6);
    }
    check_golden::<f64>(InstructionSet::PORTABLE, 1e-12);
}

/// A network of all three cells, on images that begin dark, so that steps are shared.
fn all_cells(set: InstructionSet) -> (Model<f32>, Vec<u8>) {
    let layers = ["lstm 9 bidirectional sequence", "gru 20 bidirectional sequence", "rnn 17"];
    let mut model = Model::new(set, &network(&layers), [9, 7], 4, 50).expect("it fits");
    let mut sample = Sample::new(&network(&layers), [50, 9, 7], 4);
    let narrow = |wide: &[f64], to: &mut [f32]| {
        to.iter_mut().zip(wide).for_each(|(to, value)| *to = *value as f32);
    };
    narrow(sample.model.parameters(), model.parameters_mut());
    narrow(sample.model.input_mut(), model.input_mut());
    model.input_mut().chunks_exact_mut(9 * 7).for_each(|image| image[..3 * 7].fill(0.0));
    (model, sample.labels)
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for set in sets() {
        let train = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| {
                let (mut model, labels) = all_cells(set);
                let mut optimiser = Optimiser::new(&UpdateRule::default(), model.specs());
                for _ in 0..3 {
                    model.differentiate(&labels, None);
                    model.update(&mut optimiser, 1e-2);
                }
                model.parameters().to_vec()
            })
        };
        let one = train(1);
        for threads in [2, 3, 7] {
            assert!(train(threads) == one, "{}, {threads} threads", set.name());
        }
    }
}

#[test]
fn a_step_allocates_nothing() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let counted = pool.install(|| {
        let (mut model, labels) = all_cells(sets()[0]);
        model.differentiate(&labels, None);
        allocation_counter::measure(|| {
            model.parameters_mut()[0] += 1.0;
            model.differentiate(&labels, None);
        })
    });
    assert_eq!(counted.count_total, 0, "{} bytes", counted.bytes_total);
}
