//! Against Keras: logits, loss, every gradient, ten steps of Adam; the full models and small twins of them.

use crate::common::{
    Golden, assert_close, cnn, keras_name, keras_shape, largest, last_dense, lstm, set_parameters, sets,
    study_model, to_our_layout, widen,
};
use crate::optimisers::specs;
use nn::{Architecture, Build, InstructionSet, Model, Optimiser, Role, UpdateRule};

/// How far a float type may be from the golden file of that type; golden/README.md says why.
struct Tolerance {
    /// Of the tensor's largest value.
    logits: f64,
    gradient: f64,
    final_logits: f64,
    /// Absolute.
    loss: f64,
    parameters: f64,
}

const FLOAT32: Tolerance =
    Tolerance { logits: 3e-6, gradient: 5e-6, final_logits: 4e-5, loss: 1e-5, parameters: 2e-6 };
const FLOAT64: Tolerance =
    Tolerance { logits: 1e-9, gradient: 1e-9, final_logits: 1e-9, loss: 1e-9, parameters: 1e-9 };

/// A twin: one batch, everything stored.
fn check_twin<E: Build>(
    set: InstructionSet,
    file: &str,
    architecture: &Architecture,
    [batch, height, width]: [usize; 3],
    classes: usize,
    tolerance: &Tolerance,
) {
    let golden = Golden::read(file);
    let mut model =
        Model::<E>::new(set, architecture, [height, width], classes, batch).expect("the twin fits");
    set_parameters(&mut model, |name| golden.parameter("initial", name));
    for (pixel, value) in model.input_mut().iter_mut().zip(golden.values("input")) {
        *pixel = E::from_f64(*value);
    }
    let labels = golden.labels(classes);
    let mut optimiser = Optimiser::new(&UpdateRule::default(), model.specs());
    let dense = last_dense(&model);
    for step in 0..10 {
        let mut d_input = vec![E::from_f64(f64::NAN); batch * height * width];
        let loss = model.differentiate(&labels, Some(&mut d_input)).loss();
        let context = format!("{file}, {}, step {step}", set.name());
        assert_close(
            &format!("{context}: loss"),
            &[loss],
            &golden.values("losses")[step..=step],
            tolerance.loss,
        );
        if step == 0 {
            let logits = widen(model.forward(batch));
            let expected = golden.values("logits");
            assert_close(
                &format!("{context}: logits"),
                &logits,
                expected,
                tolerance.logits * largest(expected),
            );
            let expected = golden.values("gradient/input");
            let limit = tolerance.gradient * largest(expected);
            assert_close(&format!("{context}: input gradient"), &widen(&d_input), expected, limit);
            for spec in model.specs() {
                let name = spec.name.replace("dense1", dense);
                let expected = golden.parameter("gradient", &name);
                let ours = widen(&model.gradient()[spec.range.clone()]);
                let limit = tolerance.gradient * largest(&expected);
                assert_close(&format!("{context}: gradient of {name}"), &ours, &expected, limit);
            }
        }
        model.update(&mut optimiser, 1.0);
        for spec in model.specs() {
            let name = spec.name.replace("dense1", dense);
            let stored = format!("trajectory/{}", keras_name(&name));
            if !golden.has(&stored) {
                continue;
            }
            let trajectory = golden.values(&stored);
            let length = spec.range.len();
            let shape = keras_shape(&name, &spec.shape);
            let expected = to_our_layout(&name, &shape, &trajectory[step * length..(step + 1) * length]);
            let ours = widen(&model.parameters()[spec.range.clone()]);
            assert_close(&format!("{context}: {name}"), &ours, &expected, tolerance.parameters);
        }
    }
    for spec in model.specs() {
        let name = spec.name.replace("dense1", dense);
        let ours = widen(&model.parameters()[spec.range.clone()]);
        assert_close(
            &format!("{file}: final {name}"),
            &ours,
            &golden.parameter("final", &name),
            tolerance.parameters,
        );
    }
    let logits = widen(model.forward(batch));
    let expected = golden.values("final/logits");
    assert_close(
        &format!("{file}: final logits"),
        &logits,
        expected,
        tolerance.final_logits * largest(expected),
    );
}

#[test]
fn small_cnn_of_odd_sizes() {
    for set in sets() {
        check_twin::<f32>(set, "cnn-small.safetensors", &cnn([5, 7], 9), [6, 12, 11], 4, &FLOAT32);
    }
    let set = InstructionSet::PORTABLE;
    check_twin::<f64>(set, "cnn-small.f64.safetensors", &cnn([5, 7], 9), [6, 12, 11], 4, &FLOAT64);
}

#[test]
fn cnn_of_whole_vectors() {
    for set in sets() {
        check_twin::<f32>(set, "cnn-mid.safetensors", &cnn([32, 64], 32), [3, 16, 16], 10, &FLOAT32);
    }
    let set = InstructionSet::PORTABLE;
    check_twin::<f64>(set, "cnn-mid.f64.safetensors", &cnn([32, 64], 32), [3, 16, 16], 10, &FLOAT64);
}

#[test]
fn small_lstm() {
    for set in sets() {
        check_twin::<f32>(set, "lstm-small.safetensors", &lstm(8), [6, 5, 6], 4, &FLOAT32);
    }
    check_twin::<f64>(
        InstructionSet::PORTABLE,
        "lstm-small.f64.safetensors",
        &lstm(8),
        [6, 5, 6],
        4,
        &FLOAT64,
    );
}

/// SplitMix64 (Steele, Lea and Flood, 2014) entered at its (tensor, index)-th step, as golden/hashed.py has it.
fn hash(tensor: u64, index: u64) -> u64 {
    let mut z = ((tensor << 32) | index).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The full models' weights by golden/hashed.py: `(tensor number, limit · 1024)` of each parameter.
fn hashed_parameters(
    parameter: &str,
    ours: &[usize],
    tensor: u64,
    limit_1024: u32,
    forget_units: Option<usize>,
) -> Vec<f64> {
    let scale = limit_1024 as f32 * 2f32.powi(-29);
    let length = ours.iter().product::<usize>();
    let values: Vec<f64> = (0..length)
        .map(|index| {
            let k = (hash(tensor, index as u64) >> 44) as i32 - 524_288;
            let forget = forget_units.is_some_and(|units| (units..2 * units).contains(&index));
            f64::from(k as f32 * scale + if forget { 1.0 } else { 0.0 })
        })
        .collect();
    to_our_layout(parameter, &keras_shape(parameter, ours), &values)
}

/// A full model on ten batches of eight hashed images, in float32 on one instruction set.
fn check_full(set: InstructionSet, name: &str, formula: &[(&str, u64, u32)], parameter_tolerance: f64) {
    const BATCH: usize = 8;
    let golden = Golden::read(&format!("{name}.safetensors"));
    let digits = Golden::read("digits.safetensors");
    let architecture = study_model(name);
    let mut model = Model::<f32>::new(set, &architecture, [28, 28], 10, BATCH).expect("it fits");
    let shapes: Vec<(String, Vec<usize>)> =
        model.specs().iter().map(|spec| (spec.name.clone(), spec.shape.clone())).collect();
    set_parameters(&mut model, |parameter| {
        let keras = keras_name(parameter);
        let (_, tensor, limit) = formula.iter().find(|(name, ..)| *name == keras).expect("in the formula");
        let ours = parameter.replace("dense.", "dense1.");
        let shape = &shapes.iter().find(|(name, _)| *name == ours).expect("a parameter").1;
        let forget = (keras == "lstm.bias").then_some(128);
        hashed_parameters(parameter, shape, *tensor, *limit, forget)
    });
    let pixels: Vec<u8> = digits.values("images").iter().map(|pixel| *pixel as u8).collect();
    let labels: Vec<u8> = digits.values("labels").iter().map(|label| *label as u8).collect();
    let image = |step: usize, image: usize| &pixels[(step * BATCH + image) * 784..][..784];
    let mut optimiser = Optimiser::new(&UpdateRule::default(), model.specs());
    let dense = last_dense(&model);
    for step in 0..10 {
        let context = format!("{name}, {}, step {step}", set.name());
        let labels = &labels[step * BATCH..(step + 1) * BATCH];
        model.set_batch(BATCH, |index| image(step, index));
        let mut d_input = vec![f32::NAN; BATCH * 784];
        let loss = model.differentiate(labels, Some(&mut d_input)).loss();
        assert_close(
            &format!("{context}: loss"),
            &[loss],
            &golden.values("float64/losses")[step..=step],
            3e-6,
        );
        if step == 0 {
            let logits = widen(model.forward(BATCH));
            let expected = golden.values("float64/logits");
            assert_close(
                &format!("{context}: logits"),
                &logits,
                expected,
                FLOAT32.logits * largest(expected),
            );
            for spec in model.specs() {
                let parameter = spec.name.replace("dense1", dense);
                let expected = golden.parameter("gradient", &parameter);
                let ours = widen(&model.gradient()[spec.range.clone()]);
                let limit = FLOAT32.gradient * largest(&expected);
                assert_close(&format!("{context}: gradient of {parameter}"), &ours, &expected, limit);
            }
            if golden.has("gradient/input") {
                let expected = golden.values("gradient/input");
                let limit = FLOAT32.gradient * largest(expected);
                assert_close(&format!("{context}: input gradient"), &widen(&d_input), expected, limit);
            }
        }
        model.update(&mut optimiser, 1.0);
    }
    let mut checked = 0;
    for spec in model.specs() {
        let parameter = spec.name.replace("dense1", dense);
        let stored = format!("final/{}", keras_name(&parameter));
        let ours = widen(&model.parameters()[spec.range.clone()]);
        if golden.has(&stored) {
            let expected = golden.parameter("final", &parameter);
            assert_close(&format!("{name}: {stored}"), &ours, &expected, parameter_tolerance);
        } else {
            // Every 17th value in Keras's order: our layout of the numbers of the places.
            let stored = format!("final_every_17th/{}", keras_name(&parameter));
            let places: Vec<f64> = (0..ours.len()).map(|place| place as f64).collect();
            let places = to_our_layout(&parameter, &keras_shape(&parameter, &spec.shape), &places);
            let mut kept: Vec<(f64, f64)> =
                places.into_iter().zip(ours).filter(|(place, _)| place % 17.0 == 0.0).collect();
            kept.sort_by(|a, b| a.0.total_cmp(&b.0));
            let ours: Vec<f64> = kept.into_iter().map(|(_, value)| value).collect();
            assert_close(&format!("{name}: {stored}"), &ours, golden.values(&stored), parameter_tolerance);
        }
        checked += 1;
    }
    assert_eq!(checked, formula.len());
    model.set_batch(BATCH, |index| image(0, index));
    let logits = widen(model.forward(BATCH));
    let expected = golden.values("float64/final/logits");
    assert_close(
        &format!("{name}: final logits"),
        &logits,
        expected,
        FLOAT32.final_logits * largest(expected),
    );
}

#[test]
fn full_cnn() {
    let formula = [
        ("conv1.kernel", 0, 146),
        ("conv1.bias", 1, 64),
        ("conv2.kernel", 2, 85),
        ("conv2.bias", 3, 64),
        ("dense1.kernel", 4, 60),
        ("dense1.bias", 5, 64),
        ("dense2.kernel", 6, 214),
        ("dense2.bias", 7, 64),
    ];
    for set in sets() {
        check_full(set, "cnn", &formula, 5e-5);
    }
}

#[test]
fn full_lstm() {
    let formula = [
        ("lstm.kernel", 16, 108),
        ("lstm.recurrent_kernel", 17, 78),
        ("lstm.bias", 18, 64),
        ("dense.kernel", 19, 214),
        ("dense.bias", 20, 64),
    ];
    for set in sets() {
        check_full(set, "lstm", &formula, 2e-6);
    }
}

/// Weight, both moments and the step size of five Adam steps, against Keras in float32 and the formula in float64.
#[test]
fn adam_alone() {
    let golden = Golden::read("adam.safetensors");
    let gradients = golden.values("gradients");
    fn steps<E: Build>(
        set: InstructionSet,
        golden: &Golden,
        gradients: &[f64],
        prefix: &str,
        tolerance: f64,
    ) {
        let convert = |values: &[f64]| values.iter().map(|value| E::from_f64(*value)).collect::<Vec<E>>();
        let mut parameters = convert(golden.values("start"));
        let mut optimiser = Optimiser::new(&UpdateRule::default(), &specs(&[("w", &[17], Role::Bias)]));
        for step in 0..5 {
            optimiser.step(set, 1.0, &mut parameters, &convert(&gradients[step * 17..(step + 1) * 17]));
            let expected = &golden.values(&format!("{prefix}weight"))[step * 17..(step + 1) * 17];
            let what = format!("{prefix}weight, {}, step {step}", set.name());
            assert_close(&what, &widen(&parameters), expected, tolerance);
        }
    }
    for set in sets() {
        steps::<f32>(set, &golden, gradients, "", 3e-7);
    }
    steps::<f64>(InstructionSet::PORTABLE, &golden, gradients, "float64/", 1e-12);
}
