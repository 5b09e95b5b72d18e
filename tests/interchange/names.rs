//! Weights under other programs' names and in other number types.

use crate::common::{MNIST, built_in, every_layer, trained};
use interchange::{Description, FormatError, NameMap, Remark, encode, load};
use nn::{Architecture, InstructionSet, Model};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// A model's description, its parameters, and its file.
struct Original {
    description: Description,
    parameters: Vec<f32>,
    bytes: Vec<u8>,
}

impl Original {
    fn of(layers: &[&str]) -> Self {
        let architecture = Architecture {
            name: "original".to_owned(),
            summary: String::new(),
            citation: String::new(),
            layers: layers.iter().map(|layer| layer.parse().expect("a layer")).collect(),
        };
        let description = Description::of(&architecture, [28, 28], MNIST.class_names().to_vec());
        let mut model = description.model(InstructionSet::detect(), 1).expect("it fits");
        // Every value another.
        let values = model.parameters_mut().iter_mut();
        values.enumerate().for_each(|(index, value)| *value = (index as f32 + 1.0) / 4096.0);
        Self::with(description, &model)
    }

    fn with(description: Description, model: &Model<f32>) -> Self {
        let bytes = encode(model, &description).expect("a file");
        Self { description, parameters: model.parameters().to_vec(), bytes }
    }

    /// The file with other names, without metadata.
    fn renamed(&self, name: impl Fn(&str) -> String) -> Vec<u8> {
        let file = SafeTensors::deserialize(&self.bytes).expect("a file");
        let tensors = file.iter().map(|(old, view)| (name(old), view));
        safetensors::serialize(tensors.collect::<Vec<_>>(), None).expect("a file")
    }

    /// The file with its values in another type.
    fn converted(&self, dtype: Dtype, convert: impl Fn(f32) -> Vec<u8>) -> Vec<u8> {
        let file = SafeTensors::deserialize(&self.bytes).expect("a file");
        let values = |view: &TensorView| -> Vec<u8> {
            view.data().as_chunks().0.iter().flat_map(|bytes| convert(f32::from_le_bytes(*bytes))).collect()
        };
        let tensors: Vec<(String, Vec<usize>, Vec<u8>)> =
            file.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec(), values(&view))).collect();
        let views = tensors.iter().map(|(name, shape, data)| {
            (name.clone(), TensorView::new(dtype, shape.clone(), data).expect("it fits"))
        });
        safetensors::serialize(views.collect::<Vec<_>>(), None).expect("a file")
    }

    fn load(&self, bytes: &[u8], maps: &[&str]) -> Result<(Vec<f32>, Vec<Remark>), FormatError> {
        let maps: Vec<NameMap> = maps.iter().map(|map| map.parse().expect("a map")).collect();
        let mut model = self.description.model(InstructionSet::detect(), 1).expect("it fits");
        let remarks = load(bytes, &self.description, &maps, &mut model)?;
        Ok((model.parameters().to_vec(), remarks))
    }

    /// Loads the file with other names, and holds every parameter against the original; what was said.
    fn check(&self, name: impl Fn(&str) -> String, maps: &[&str]) -> Vec<String> {
        let (parameters, remarks) =
            self.load(&self.renamed(name), maps).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(parameters, self.parameters);
        remarks.iter().map(Remark::to_string).collect()
    }
}

#[test]
fn what_all_names_begin_with_is_left_out_of_every_network() {
    for spec in every_layer() {
        let (description, model) = trained(&spec, 1);
        let original = Original::with(description, &model);
        assert_eq!(original.check(str::to_owned, &[]), Vec::<String>::new());
        for prefix in ["module.", "_orig_mod.", "_orig_mod.module.", "model.", "net.0."] {
            let said = original.check(|name| format!("{prefix}{name}"), &[]);
            assert_eq!(said, [format!("removed the prefix `{prefix}` that all tensor names share")]);
        }
    }
}

#[test]
fn a_network_of_one_layer_keeps_its_name() {
    let original = Original::of(&["flatten", "dense classes"]);
    assert_eq!(original.check(str::to_owned, &[]), Vec::<String>::new());
    let said = original.check(|name| name.replace("dense1", "net.0"), &[]);
    assert!(said[0].contains("`net.`") && said[1].ends_with("0 as dense1"), "{said:?}");
}

#[test]
fn layers_of_other_names_are_taken_by_shape_and_number() {
    let original = Original::of(&[
        "conv 4 3x3",
        "batchnorm",
        "relu",
        "conv 4 3x3",
        "batchnorm",
        "flatten",
        "dense 10",
        "dense 10",
        "dense 10",
        "dense classes",
    ]);
    let renumbered = |name: &str| {
        // The tenth comes after the ninth.
        let name = name.replace("dense1.", "head.fc2.").replace("dense2.", "head.fc9.");
        let name = name.replace("dense3.", "head.fc10.").replace("dense4.", "head.fc11.");
        name.replace("batchnorm", "bn").replace("conv1", "features.0").replace("conv2", "features.3")
    };
    let said = original.check(renumbered, &[]);
    assert_eq!(said.len(), 1);
    for pair in ["features.0 as conv1", "bn1 as batchnorm1", "head.fc9 as dense2", "head.fc10 as dense3"] {
        assert!(said[0].contains(pair), "{said:?}");
    }
}

#[test]
fn layers_that_could_be_either_are_asked_about() {
    let original = Original::of(&["flatten", "dense 10", "dense 10", "dense 10", "dense classes"]);
    let rename = |name: &str| name.replace("dense2.", "query.").replace("dense3.", "output.");
    let error = original.load(&original.renamed(rename), &[]).expect_err("either");
    assert_eq!(
        error.to_string(),
        "the layers dense2, dense3, dense4 could be the file's output, query, dense4 in any order: their tensors are of the same shapes"
    );
    original.check(rename, &["output=dense3", "query=dense2"]);
    // The last could still be the one before it.
    let error = original.load(&original.renamed(rename), &["query=dense2"]).expect_err("either").to_string();
    assert!(
        error.starts_with("the layers dense3, dense4 could be the file's output, dense4 in any"),
        "{error}"
    );
    original.check(rename, &["query=dense2", "output=dense3", "dense4=dense4"]);
}

#[test]
fn layers_counted_from_any_number_keep_their_order() {
    let networks = [
        (&["lstm 28 sequence", "lstm 28", "dense classes"][..], "lstm", 2),
        (&["gru 28 sequence", "gru 28 sequence", "gru 28", "dense classes"], "gru", 3),
        (&["rnn 28 sequence", "rnn 28 sequence", "rnn 28", "dense classes"], "rnn", 3),
        (&["flatten", "dense 784", "dense 784", "dense classes"], "dense", 3),
        // The first is of another shape than the others, one of which has its name.
        (&["flatten", "dense 12", "relu", "dense 12", "relu", "dense 12", "dense classes"], "dense", 4),
        (&["conv 4 3x3", "batchnorm", "conv 4 3x3", "batchnorm", "flatten", "dense classes"], "batchnorm", 2),
    ];
    for (layers, kind, count) in networks {
        let original = Original::of(layers);
        let moved = |name: &str, by: isize| {
            let (layer, rest) = name.split_once('.').expect("a layer");
            let digits = layer.find(|letter: char| letter.is_ascii_digit()).expect("a number");
            let number: isize = layer[digits..].parse().expect("a number");
            format!("{}{}.{rest}", &layer[..digits], number + by)
        };
        for prefix in ["", "module."] {
            let named = |by: isize| move |name: &str| format!("{prefix}{}", moved(name, by));
            assert_eq!(original.check(named(0), &[]).len(), usize::from(!prefix.is_empty()));
            for by in [-1, 1, 2] {
                let said = original.check(named(by), &[]);
                for place in 1..=count {
                    let pair = format!("{kind}{} as {kind}{place}", place + by);
                    assert!(said.last().expect("told").contains(&pair), "{said:?}");
                }
            }
        }
    }
}

#[test]
fn the_same_name_beside_others_is_not_taken_alone() {
    let original = Original::of(&["lstm 28 sequence", "lstm 28 sequence", "lstm 28", "dense classes"]);
    // The second module's only layer has our second layer's name, and is the third.
    let rename = |name: &str| match name.split_once('.') {
        Some(("lstm2", rest)) => format!("lstm1.{}", rest.replace("_l0", "_l1")),
        Some(("lstm3", rest)) => format!("lstm2.{rest}"),
        _ => name.to_owned(),
    };
    let said = original.check(rename, &[]);
    assert!(said[0].contains("lstm1 (layer 1) as lstm2, lstm2 as lstm3"), "{said:?}");
    // What comes first is not said.
    let rename =
        |name: &str| name.replace("lstm1.", "first.").replace("lstm2.", "lstm1.").replace("lstm3.", "lstm2.");
    let error = original.load(&original.renamed(rename), &[]).expect_err("either");
    assert!(matches!(error, FormatError::Ambiguous { .. }), "{error}");
    original.check(rename, &["first=lstm1", "lstm1=lstm2", "lstm2=lstm3"]);
}

#[test]
fn maps_rename_layers_groups_of_layers_and_tensors() {
    let original = Original::of(&["patches 7", "dense 8", "position", "global avgpool", "dense classes"]);
    let rename = |name: &str| name.replace("dense", "model.fc").replace("position1.embedding", "model.place");
    for maps in [
        &["fc=dense", "place=position1.embedding"][..],
        &["model.fc=dense", "model.place=position1.embedding"],
        &["fc1=dense1", "fc2=dense2", "place=position1.embedding"],
        &["place=position1.embedding"],
    ] {
        original.check(rename, maps);
    }
    let error =
        |maps: &[&str]| original.load(&original.renamed(rename), maps).expect_err("wrong").to_string();
    assert_eq!(
        error(&["fc=dens"]),
        "fc=dens: a layer of the network expected (dense1, position1, dense2), dens1 found"
    );
    assert_eq!(
        error(&["fd=dense", "place=position1.embedding"]),
        "fd=dense: a layer of the file expected (fc1, fc2, place), fd found"
    );
    let both = error(&["fc1=dense1", "fc2=dense1", "place=position1.embedding"]);
    assert!(both.contains("both become dense1."), "{both}");
    let missing = error(&[]);
    assert!(missing.starts_with("no tensors for dense1 (bias [8], weight [8, 49]), position1"), "{missing}");
    for text in ["fc", "=dense", "fc="] {
        text.parse::<NameMap>().expect_err(text);
    }
}

#[test]
fn the_layers_of_one_recurrent_module_are_told_apart() {
    for layers in [
        &["lstm 6 sequence", "lstm 6 sequence", "lstm 6", "dense classes"][..],
        &["gru 6 bidirectional sequence", "gru 6 bidirectional", "dense classes"],
        &["rnn 5 sequence", "dropout 0.1", "rnn 7", "dense classes"],
    ] {
        let original = Original::of(layers);
        for module in ["lstm", "encoder.rnn"] {
            let rename = |name: &str| {
                let Some((layer, rest)) = name.split_once(".weight_").or_else(|| name.split_once(".bias_"))
                else {
                    return name.to_owned();
                };
                let what = &name[layer.len() + 1..name.len() - rest.len()];
                let level = layer.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
                let level = level.parse::<usize>().expect("a number") - 1;
                format!("{module}.{what}{}", rest.replace("_l0", &format!("_l{level}")))
            };
            let said = original.check(rename, &[]);
            assert!(said[0].contains("(layer 1) as "), "{said:?}");
        }
    }
    // The first layer's name may be ours.
    let original = Original::of(&["lstm 6 sequence", "lstm 6", "dense classes"]);
    let rename = |name: &str| match name.strip_prefix("lstm2.") {
        Some(rest) => format!("lstm1.{}", rest.replace("_l0", "_l1")),
        None => name.to_owned(),
    };
    original.check(rename, &[]);
}

#[test]
fn what_is_left_over_is_named() {
    let original = Original::of(&["conv 2 5x5", "flatten", "dense classes"]);
    let smaller = Original::of(&["conv 2 5x5", "flatten", "dense 9", "dense classes"]);
    let error =
        original.load(&smaller.renamed(|name| name.replace("dense", "fc")), &[]).expect_err("too many");
    assert!(matches!(&error, FormatError::Unmatched { .. }), "{error}");
    let error = original
        .load(&original.renamed(|name| name.replace("dense1", "a\x1b[31m.b\u{202e}")), &["a=dense"])
        .expect_err("hostile");
    let text = error.to_string();
    assert!(!text.contains(['\x1b', '\u{202e}']), "{text:?}");
}

#[test]
fn other_floating_point_numbers_become_float32() {
    let original = Original::of(&["conv 2 5x5 stride 5", "flatten", "dense classes"]);
    // Powers of two are the same in every type.
    let mut model = original.description.model(InstructionSet::detect(), 1).expect("it fits");
    let values = model.parameters_mut().iter_mut();
    values.enumerate().for_each(|(index, value)| *value = f32::powi(-2.0, index as i32 % 20 - 10));
    let original = Original::with(original.description, &model);
    let half = |value: f32| {
        // Of a power of two the exponent alone.
        let bits = value.to_bits();
        ((bits >> 16 & 0x8000 | ((bits >> 23 & 0xff) + 15 - 127) << 10) as u16).to_le_bytes().to_vec()
    };
    for (bytes, said) in [
        (original.converted(Dtype::F16, half), "widened weights of F16 to float32"),
        (
            original.converted(Dtype::BF16, |value| value.to_le_bytes()[2..].to_vec()),
            "widened weights of BF16 to float32",
        ),
        (
            original.converted(Dtype::F64, |value| f64::from(value).to_le_bytes().to_vec()),
            "rounded weights of float64 to float32",
        ),
    ] {
        let (parameters, remarks) = original.load(&bytes, &[]).expect("it is read");
        assert_eq!(parameters, original.parameters, "{said}");
        assert_eq!(remarks.iter().map(Remark::to_string).collect::<Vec<_>>(), [said]);
    }
    let huge = original.converted(Dtype::F64, |_| 1e300f64.to_le_bytes().to_vec());
    assert!(matches!(original.load(&huge, &[]), Err(FormatError::NotFinite(_))));
    let whole = original.converted(Dtype::I32, |value| (value as i32).to_le_bytes().to_vec());
    let error = original.load(&whole, &[]).expect_err("whole numbers").to_string();
    assert!(error.contains("float32 [") && error.contains(" expected, I32 ["), "{error}");
}

#[test]
fn weights_that_were_changed_are_told_by_their_digest() {
    let spec = built_in().into_iter().find(|spec| spec.architecture.name == "nano").expect("built in");
    let (mut description, mut model) = trained(&spec, 1);
    let fingerprint = nn::fingerprint(model.parameters());
    description.training = Some(interchange::Training {
        dataset: "mnist".to_owned(),
        dataset_sha256: None,
        seed: 1,
        precision: nn::Precision::Bf16,
        epochs: 1,
        train_seconds: 1.0,
        test_accuracy: 0.9,
        test_loss: 0.3,
        fingerprint: fingerprint.clone(),
        version: "0".to_owned(),
    });
    let bytes = encode(&model, &description).expect("a file");
    load(&bytes, &description, &[], &mut model).expect("as it was written");
    let mut changed = bytes.clone();
    *changed.last_mut().expect("weights") ^= 1;
    let error = load(&changed, &description, &[], &mut model).expect_err("changed");
    let found = nn::fingerprint(model.parameters());
    assert_eq!(error, FormatError::Changed { stated: fingerprint, found });
    // What was changed after the training is not written as its result.
    assert!(matches!(encode(&model, &description), Err(FormatError::Changed { .. })));
}
