//! The golden files of Keras, read into the layouts of this engine.

use nn::{Architecture, Element, InstructionSet, Model};
use safetensors::{Dtype, SafeTensors};
use std::{collections::HashMap, path::PathBuf};

/// The tensors of one file, as f64, by name.
pub struct Golden {
    tensors: HashMap<String, (Vec<usize>, Vec<f64>)>,
}

impl Golden {
    pub fn read(file: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../golden").join(file);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = SafeTensors::deserialize(&bytes).expect("a golden file is whole");
        let tensors = file.tensors().into_iter().map(|(name, tensor)| {
            let data = tensor.data();
            let values = match tensor.dtype() {
                Dtype::F32 => {
                    data.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
                }
                Dtype::F64 => data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
                Dtype::U8 => data.iter().map(|b| f64::from(*b)).collect(),
                other => panic!("{name}: no golden tensor is {other:?}"),
            };
            (name, (tensor.shape().to_vec(), values))
        });
        Self { tensors: tensors.collect() }
    }

    pub fn values(&self, name: &str) -> &[f64] {
        &self.tensors.get(name).unwrap_or_else(|| panic!("no tensor {name}")).1
    }

    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// A parameter-shaped tensor of `prefix`, in this engine's layout.
    pub fn parameter(&self, prefix: &str, parameter: &str) -> Vec<f64> {
        let (shape, values) = &self.tensors[&format!("{prefix}/{}", keras_name(parameter))];
        to_our_layout(parameter, shape, values)
    }

    /// The class of each row of the one-hot `targets`.
    pub fn labels(&self, classes: usize) -> Vec<u8> {
        let rows = self.values("targets").chunks_exact(classes);
        rows.map(|row| row.iter().position(|value| *value == 1.0).expect("one-hot") as u8).collect()
    }
}

/// Keras's name of a parameter of ours.
pub fn keras_name(ours: &str) -> String {
    match ours.split_once('.').expect("layer and parameter") {
        (layer, "weight") => format!("{layer}.kernel"),
        ("lstm1", parameter) => format!("lstm.{parameter}"),
        (layer, parameter) => format!("{layer}.{parameter}"),
    }
}

/// `[kernel rows, kernel columns, channels, filters]` becomes `[filters, kernel rows, kernel columns, channels]`, and a
/// dense layer's `[inputs, units]` becomes `[units, inputs]`; the other tensors are laid out alike.
pub fn to_our_layout(parameter: &str, shape: &[usize], values: &[f64]) -> Vec<f64> {
    let last = match shape {
        [_, _, _, filters] => *filters,
        [_, units] if parameter.starts_with("dense") => *units,
        _ => return values.to_vec(),
    };
    let rest = values.len() / last;
    (0..values.len()).map(|index| values[index % rest * last + index / rest]).collect()
}

/// The shape that Keras gives a parameter of ours.
pub fn keras_shape(parameter: &str, ours: &[usize]) -> Vec<usize> {
    match ours {
        [filters, height, width, channels] => vec![*height, *width, *channels, *filters],
        [units, inputs] if parameter.starts_with("dense") => vec![*inputs, *units],
        _ => ours.to_vec(),
    }
}

pub fn cnn(filters: [usize; 2], units: usize) -> Architecture {
    let [first, second] = filters;
    let layers = [
        &format!("conv {first} 3x3"),
        "relu",
        "maxpool 2",
        &format!("conv {second} 3x3"),
        "relu",
        "maxpool 2",
        "flatten",
        &format!("dense {units}"),
        "relu",
        "dense classes",
    ];
    architecture("cnn-like", &layers)
}

pub fn lstm(units: usize) -> Architecture {
    architecture("lstm-like", &[&format!("lstm {units}"), "dense classes"])
}

/// The study's two models.
pub fn study_model(name: &str) -> Architecture {
    match name {
        "cnn" => cnn([32, 64], 128),
        "lstm" => lstm(128),
        other => panic!("no model {other}"),
    }
}

/// Layers as they are spelled.
pub fn architecture(name: &str, layers: &[&str]) -> Architecture {
    let layers = layers.iter().map(|layer| layer.parse().unwrap_or_else(|error| panic!("{error}"))).collect();
    Architecture { name: name.into(), summary: String::new(), citation: String::new(), layers }
}

/// Sets the parameters from the golden file's initial ones.
pub fn set_parameters<E: Element>(model: &mut Model<E>, mut value: impl FnMut(&str) -> Vec<f64>) {
    for spec in model.specs().to_vec() {
        let values = value(&spec.name.replace("dense1", last_dense(model)));
        let parameters = &mut model.parameters_mut()[spec.range.clone()];
        assert_eq!(parameters.len(), values.len(), "{}", spec.name);
        for (parameter, value) in parameters.iter_mut().zip(values) {
            *parameter = E::from_f64(value);
        }
    }
}

/// Keras numbers the dense layers only where there are several.
pub fn last_dense<E: Element>(model: &Model<E>) -> &'static str {
    if model.specs().iter().any(|spec| spec.name.starts_with("dense2")) { "dense1" } else { "dense" }
}

/// Largest |a − b|, and where; panics beyond `tolerance`.
pub fn assert_close(what: &str, ours: &[f64], golden: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), golden.len(), "{what}: lengths");
    for (index, (a, b)) in ours.iter().zip(golden).enumerate() {
        assert!(
            (a - b).abs() <= tolerance,
            "{what}[{index}]: {a} here, {b} in Keras, tolerance {tolerance:e}"
        );
    }
}

pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| f64::max(largest, value.abs()))
}

pub fn widen<E: Element>(values: &[E]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}

/// Every instruction set of this machine.
pub fn sets() -> Vec<InstructionSet> {
    InstructionSet::available()
}
