//! Every optimiser beside Keras's, and what they do with parameters of each role.

use crate::common::{Golden, assert_close, sets, widen};
use crate::model::model;
use nn::{
    AdamConstants, Build, Initialiser, InstructionSet, MovingAverage, MuonConstants, Optimiser,
    OptimiserSpec, ParameterSpec, RmsPropConstants, Role, SgdConstants, UpdateRule,
};

/// Parameters one after the other.
pub fn specs(list: &[(&str, &[usize], Role)]) -> Vec<ParameterSpec> {
    let mut at = 0;
    list.iter()
        .map(|(name, shape, role)| {
            let first = at;
            at += shape.iter().product::<usize>();
            ParameterSpec {
                name: (*name).to_owned(),
                shape: shape.to_vec(),
                range: first..at,
                initialiser: Initialiser::Zeros,
                role: *role,
            }
        })
        .collect()
}

/// Those of golden/layers/optimisers.py.
fn golden_parameters() -> Vec<ParameterSpec> {
    specs(&[
        ("conv1.weight", &[6, 3, 3, 1], Role::Weight),
        ("conv1.bias", &[6], Role::Bias),
        ("dense1.weight", &[9, 6], Role::Weight),
        ("dense1.bias", &[9], Role::Bias),
        ("dense2.weight", &[3, 9], Role::Weight),
        ("dense2.bias", &[3], Role::Bias),
    ])
}

/// The cases of golden/layers/optimisers.py, with their constants.
fn golden_rules() -> [(&'static str, UpdateRule); 6] {
    let rule = |optimiser, learning_rate, weight_decay| UpdateRule {
        optimiser,
        learning_rate,
        weight_decay,
        gradient_clip: None,
    };
    let sgd = |momentum, nesterov| OptimiserSpec::Sgd(SgdConstants { momentum, nesterov });
    let adam = AdamConstants::default();
    let rms_prop = OptimiserSpec::RmsProp(RmsPropConstants::default());
    let muon = OptimiserSpec::Muon(MuonConstants { adam_learning_rate: 0.003, ..MuonConstants::default() });
    [
        ("sgd", rule(sgd(0.9, true), 0.05, 0.01)),
        ("momentum", rule(sgd(0.8, false), 0.05, 0.0)),
        ("adam", rule(OptimiserSpec::Adam(adam), 0.01, 0.01)),
        ("adamw", rule(OptimiserSpec::AdamW(adam), 0.01, 0.1)),
        ("rmsprop", UpdateRule { gradient_clip: Some(2.0), ..rule(rms_prop, 0.01, 0.0) }),
        ("muon", rule(muon, 0.02, 0.1)),
    ]
}

#[test]
fn ten_steps_are_those_of_keras() {
    fn steps<E: Build>(set: InstructionSet, golden: &Golden, tolerance: f64) {
        let convert = |values: &[f64]| values.iter().map(|value| E::from_f64(*value)).collect::<Vec<E>>();
        for (name, rule) in golden_rules() {
            let mut parameters = convert(golden.values("start"));
            let mut optimiser = Optimiser::new(&rule, &golden_parameters());
            let steps = golden.values("gradients").chunks_exact(parameters.len());
            for (step, gradient) in steps.enumerate() {
                optimiser.step(set, 1.0, &mut parameters, &convert(gradient));
                let expected = &golden.values(name)[step * parameters.len()..][..parameters.len()];
                let what = format!("{name}, {}, step {step}", set.name());
                assert_close(&what, &widen(&parameters), expected, tolerance);
            }
        }
    }
    let golden = Golden::read("layers/optimisers.safetensors");
    steps::<f64>(InstructionSet::PORTABLE, &golden, 1e-12);
    // Ten updates of order 0.1, each some ten roundings of 6e-8; Muon's five iterations amplify theirs.
    sets().into_iter().for_each(|set| steps::<f32>(set, &golden, 3e-6));
}

/// Of several pieces each, not divided as the tasks are, and with all roles.
fn large() -> Vec<ParameterSpec> {
    specs(&[
        ("conv1.weight", &[5, 3, 3, 7], Role::Weight),
        ("conv1.bias", &[5], Role::Bias),
        ("norm1.scale", &[33], Role::Scale),
        ("norm1.mean", &[33], Role::Statistic),
        ("dense1.weight", &[70, 601], Role::Weight),
        ("dense1.bias", &[70], Role::Bias),
        ("dense2.weight", &[200, 90], Role::Weight),
        ("dense2.bias", &[200], Role::Bias),
        ("dense3.weight", &[10, 170], Role::Weight),
        ("dense3.bias", &[10], Role::Bias),
    ])
}

/// Values of −1..1 that are a function of their place.
fn values(seed: usize, count: usize) -> Vec<f32> {
    (0..count)
        .map(|index| ((index + 1) * (2 * seed + 1) * 2_654_435_761 % 65_536) as f32 / 32_768.0 - 1.0)
        .collect()
}

/// Every optimiser with decay and a gradient that is clipped.
fn rules() -> Vec<UpdateRule> {
    golden_rules()
        .into_iter()
        .map(|(_, rule)| UpdateRule { weight_decay: 0.1, gradient_clip: Some(3.0), ..rule })
        .collect()
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let specs = large();
    let count = specs.last().expect("parameters").range.end;
    let train = |set, rule: &UpdateRule, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let mut parameters = values(0, count);
            let mut optimiser = Optimiser::new(rule, &specs);
            for step in 1..=3 {
                optimiser.step(set, 0.5, &mut parameters, &values(step, count));
            }
            parameters.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        })
    };
    for set in sets() {
        for rule in rules() {
            let one = train(set, &rule, 1);
            for threads in [2, 3, 5] {
                let name = rule.optimiser.name();
                assert!(train(set, &rule, threads) == one, "{name}, {}, {threads} threads", set.name());
            }
        }
    }
}

#[test]
fn a_step_allocates_nothing() {
    let specs = large();
    let count = specs.last().expect("parameters").range.end;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let set = sets()[0];
    for rule in rules() {
        let (mut parameters, gradient) = (values(0, count), values(1, count));
        let mut optimiser = Optimiser::new(&rule, &specs);
        let mut step = || optimiser.step(set, 1.0, &mut parameters, &gradient);
        let counted = pool.install(|| {
            // The thread's own queue of tasks is made by the first.
            step();
            allocation_counter::measure(&mut step)
        });
        assert_eq!(counted.count_total, 0, "{}", rule.optimiser.name());
    }
}

/// Without a gradient only decay moves a parameter, and only weights decay; a statistic goes a tenth of its way.
#[test]
fn decay_is_for_weights_and_statistics_are_averaged() {
    let specs = large();
    let count = specs.last().expect("parameters").range.end;
    for rule in golden_rules().map(|(_, rule)| UpdateRule { weight_decay: 0.5, ..rule }) {
        let mut moved = values(0, count);
        let before = moved.clone();
        Optimiser::new(&rule, &specs).step(InstructionSet::PORTABLE, 1.0, &mut moved, &vec![0.0; count]);
        for spec in &specs {
            let pairs = before[spec.range.clone()].iter().zip(&moved[spec.range.clone()]);
            let what = format!("{} by {}", spec.name, rule.optimiser.name());
            for (before, after) in pairs {
                match spec.role {
                    Role::Weight | Role::TransposedWeight | Role::ChannelWeight if *before != 0.0 => {
                        assert!((after - before) * before < 0.0, "{what}")
                    }
                    Role::Statistic => assert!((after - 0.9 * before).abs() < 1e-6, "{what}"),
                    _ => assert_eq!(after, before, "{what}"),
                }
            }
        }
    }
}

/// The clipped gradient's norm over what is learnt, from what plain descent with rate 1 moves.
#[test]
fn a_clipped_gradient_has_the_norm_that_was_asked_for() {
    let specs = large();
    let count = specs.last().expect("parameters").range.end;
    let gradient = values(3, count);
    let learnt =
        |index: usize| specs.iter().any(|spec| spec.role != Role::Statistic && spec.range.contains(&index));
    let norm = |values: &[f32]| -> f64 {
        let learnt = values.iter().enumerate().filter(|(index, _)| learnt(*index));
        learnt.map(|(_, value)| f64::from(*value).powi(2)).sum::<f64>().sqrt()
    };
    let moved = |clip| {
        let rule = UpdateRule {
            optimiser: OptimiserSpec::Sgd(SgdConstants { momentum: 0.0, nesterov: false }),
            learning_rate: 1.0,
            weight_decay: 0.0,
            gradient_clip: clip,
        };
        let mut parameters = vec![0.0; count];
        Optimiser::new(&rule, &specs).step(InstructionSet::PORTABLE, 1.0, &mut parameters, &gradient);
        parameters
    };
    assert!((norm(&moved(Some(2.5))) - 2.5).abs() < 1e-5);
    let whole = norm(&gradient);
    assert_eq!(moved(Some(whole * 1.001)), moved(None), "a shorter one stays");
    assert!((norm(&moved(Some(whole * 0.999))) / whole - 0.999).abs() < 1e-6);
}

#[test]
fn an_average_is_the_plain_loop() {
    let mut model = model(InstructionSet::PORTABLE, "cnn", 1);
    let mut average = MovingAverage::new(0.5, model.parameters());
    let mut expected: Vec<f64> = widen(model.parameters());
    for step in 1..=12 {
        let new = values(step, model.parameters().len());
        model.parameters_mut().copy_from_slice(&new);
        model.add_to(&mut average);
        let decay = f64::min(0.5, (1 + step) as f64 / (10 + step) as f64);
        for (average, new) in expected.iter_mut().zip(&new) {
            *average = decay * *average + (1.0 - decay) * f64::from(*new);
        }
        assert_close(&format!("step {step}"), &widen(average.values()), &expected, 1e-6);
    }
}

/// However a weight is stored, it learns as fast.
#[test]
fn muon_scales_by_outputs_and_inputs() {
    let muon = OptimiserSpec::Muon(MuonConstants::default());
    let rule = UpdateRule { optimiser: muon, learning_rate: 1.0, weight_decay: 0.0, gradient_clip: None };
    let (outputs, inputs) = (64, 4);
    let gradient = |row: usize, column: usize| ((row * 7 + column * 13) % 11) as f64 - 5.0;
    let moved = |shape: [usize; 2], role: Role| -> Vec<f64> {
        let specs = specs(&[("first", &shape, role), ("last", &[3, 3], Role::Weight)]);
        let mut optimiser = Optimiser::<f64>::new(&rule, &specs);
        let mut parameters = vec![0.0; outputs * inputs + 9];
        let mut slopes = vec![0.0; parameters.len()];
        for row in 0..outputs {
            for column in 0..inputs {
                let at = if role == Role::Weight { row * inputs + column } else { column * outputs + row };
                slopes[at] = gradient(row, column);
            }
        }
        optimiser.step(InstructionSet::PORTABLE, 1.0, &mut parameters, &slopes);
        (0..outputs * inputs)
            .map(|at| {
                let (row, column) = (at / inputs, at % inputs);
                parameters[if role == Role::Weight { at } else { column * outputs + row }]
            })
            .collect()
    };
    let plain = moved([outputs, inputs], Role::Weight);
    let transposed = moved([inputs, outputs], Role::TransposedWeight);
    assert_close("transposed", &transposed, &plain, 1e-12);
    // Four singular values of about 1, times √(64 / 4).
    let norm = plain.iter().map(|value| value * value).sum::<f64>().sqrt();
    assert!((5.5..10.0).contains(&norm), "{norm}");
}

/// A depthwise filter is no matrix: AdamW moves each value by about its own rate.
#[test]
fn muon_leaves_depthwise_filters_to_adam() {
    let muon = OptimiserSpec::Muon(MuonConstants { adam_learning_rate: 1e-3, ..MuonConstants::default() });
    let rule = UpdateRule { optimiser: muon, learning_rate: 1.0, weight_decay: 0.0, gradient_clip: None };
    let specs = specs(&[("filters", &[3, 3, 2], Role::ChannelWeight), ("last", &[3, 3], Role::Weight)]);
    let mut parameters = vec![0.0; 27];
    let mut optimiser = Optimiser::<f64>::new(&rule, &specs);
    optimiser.step(InstructionSet::PORTABLE, 1.0, &mut parameters, &[0.5; 27]);
    assert!(parameters.iter().all(|value| (value + 1e-3).abs() < 1e-8), "{parameters:?}");
}

#[test]
fn unusable_constants_are_named() {
    let error = |optimiser: OptimiserSpec| optimiser.check().expect_err("unusable").to_string();
    let sgd = OptimiserSpec::Sgd(SgdConstants { momentum: 1.0, nesterov: true });
    assert_eq!(error(sgd), "sgd momentum: a number from 0 and below 1 expected, 1 found");
    let adam = AdamConstants { beta_2: -0.1, ..AdamConstants::default() };
    assert_eq!(
        error(OptimiserSpec::AdamW(adam)),
        "adamw beta_2: a number from 0 and below 1 expected, -0.1 found"
    );
    let adam = AdamConstants { epsilon: 0.0, ..AdamConstants::default() };
    assert_eq!(error(OptimiserSpec::Adam(adam)), "adam epsilon: a number from 1e-30 to 1 expected, 0 found");
    let adam = AdamConstants { epsilon: 1e-50, ..AdamConstants::default() };
    assert!(OptimiserSpec::Adam(adam).check().is_err(), "none in float32");
    let rms_prop = RmsPropConstants { rho: f64::NAN, ..RmsPropConstants::default() };
    assert_eq!(
        error(OptimiserSpec::RmsProp(rms_prop)),
        "rmsprop rho: a number from 0 and below 1 expected, NaN found"
    );
    let muon = MuonConstants { iterations: 0, ..MuonConstants::default() };
    assert_eq!(error(OptimiserSpec::Muon(muon)), "muon iterations: 1 to 100 expected, 0 found");
    let muon = MuonConstants { adam_learning_rate: 0.0, ..MuonConstants::default() };
    assert_eq!(
        error(OptimiserSpec::Muon(muon)),
        "muon adam_learning_rate: a number above 0 and at most 10 expected, 0 found"
    );
    assert!(golden_rules().iter().all(|(_, rule)| rule.optimiser.check().is_ok()));
}

#[test]
fn optimisers_are_written_by_name() {
    for (name, rule) in golden_rules() {
        let text = serde_json::to_string(&rule.optimiser).expect("plain values");
        assert_eq!(serde_json::from_str::<OptimiserSpec>(&text).expect("what was written"), rule.optimiser);
        assert!(text.contains(&format!(r#""kind":"{}""#, rule.optimiser.name())), "{name}: {text}");
    }
    let short: OptimiserSpec = serde_json::from_str(r#"{"kind": "sgd", "momentum": 0.5}"#).expect("usable");
    assert_eq!(short, OptimiserSpec::Sgd(SgdConstants { momentum: 0.5, nesterov: true }));
    let error =
        serde_json::from_str::<OptimiserSpec>(r#"{"kind": "adam", "beta": 0.5}"#).expect_err("unknown");
    assert!(error.to_string().starts_with("unknown field `beta`"), "{error}");
}
