//! A model's file: what it says of itself, its network, its weights, and what is exported of them.
#![no_main]

use data::Dataset;
use interchange::{
    Arithmetic, COptions, Description, FormatError, IntegerNetwork, NameMap, OnnxOptions, Quantisation, c_files,
    describe, encode, load, onnx, pytorch_module,
};
use libfuzzer_sys::fuzz_target;
use nn::{Architecture, InstructionSet, Model};

/// Layers of a network that is built: larger ones only slow the search down.
const MOST_VALUES: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let description = match describe(bytes) {
        Ok(description) => description,
        Err(FormatError::NoDescription) => return foreign(bytes),
        Err(error) => return check_message(&error),
    };
    let (image, classes) = (description.image(), description.classes.len());
    let Ok(layers) = description.architecture().describe(image, classes) else { return };
    if layers.iter().map(|layer| layer.output.length() + layer.parameters).sum::<usize>() > MOST_VALUES {
        return;
    }
    let mut model = description.model(InstructionSet::detect(), 1).expect("its layers fit");
    match load(bytes, &description, &[], &mut model) {
        Ok(remarks) => remarks.iter().for_each(|remark| check_printable(&remark.to_string())),
        Err(error) => return check_message(&error),
    }
    let written = encode(&model, &description).expect("it was read");
    let before = model.parameters().to_vec();
    load(&written, &description, &[], &mut model).expect("what was written is read");
    assert_eq!(before, model.parameters());
    model.forward(1);
    export(&description, &mut model);
});

/// Weights that do not say what they are of, as of a small network with layers that can be taken for each other.
fn foreign(bytes: &[u8]) {
    let layers = ["lstm 2 sequence", "lstm 2", "dense 2", "dense 2", "dense classes"];
    let architecture = Architecture {
        name: "foreign".to_owned(),
        summary: String::new(),
        citation: String::new(),
        layers: layers.iter().map(|layer| layer.parse().expect("a layer")).collect(),
    };
    let description = Description::of(&architecture, [2, 2], vec!["0".to_owned(), "1".to_owned()]);
    let mut model = description.model(InstructionSet::detect(), 1).expect("its layers fit");
    let maps: [NameMap; 1] = ["a=dense".parse().expect("a map")];
    for maps in [&maps[..0], &maps[..]] {
        match load(bytes, &description, maps, &mut model) {
            Ok(remarks) => remarks.iter().for_each(|remark| check_printable(&remark.to_string())),
            Err(error) => check_message(&error),
        }
    }
}

/// Every format, and that the file's names are in it as text alone.
fn export(description: &Description, model: &mut Model<f32>) {
    let plain = Description {
        architecture: "m".to_owned(),
        classes: vec!["c".to_owned(); description.classes.len()],
        ..description.clone()
    };
    onnx(description, model, OnnxOptions::default());
    // The module's first line is a string literal; nothing else depends on the name.
    let (module, expected) = (pytorch_module(description, model), pytorch_module(&plain, model));
    let ((literal, rest), (_, expected)) =
        (module.split_once('\n').expect("lines"), expected.split_once('\n').expect("lines"));
    assert_eq!(rest, expected);
    check_literal(literal);
    // A header has the name as an identifier, and the classes in one line of literals.
    let in_c = |description: &Description, model: &mut Model<f32>, arithmetic| {
        c_files(description, model, COptions { arithmetic, example: None, header_name: None })
            .map(|files| files.header)
    };
    let headers = [description, &plain].map(|description| in_c(description, model, Arithmetic::Float32));
    let [Some(header), Some(expected)] = headers else {
        assert_eq!(headers, [None, None], "whether the answers are numbers depends on no name");
        return;
    };
    assert_eq!(header.lines().count(), expected.lines().count());
    let symbol = header[3..].split(',').next().expect("a name");
    assert!(symbol.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_'));
    let names = header.lines().find(|line| line.contains("_class_names[")).expect("the classes");
    let literals = names.split_once('{').expect("a list").1.strip_suffix("};").expect("a list");
    check_literals(literals, description.classes.len());
    let pixels = vec![7; description.image().length()];
    let classes = description.classes.len();
    let images = Dataset::new("images", pixels, vec![0], description.image(), classes);
    let images = images.expect("an image");
    let quantisation = Quantisation::calibrate(description, model, &images);
    onnx(description, model, OnnxOptions { softmax: true, quantisation: Some(&quantisation) });
    in_c(description, model, Arithmetic::EightBitWeights(&quantisation));
    if let Ok(network) = IntegerNetwork::calibrate(description, model, &images, InstructionSet::detect()) {
        in_c(description, model, Arithmetic::Integer(&network));
    }
}

fn check_literal(text: &str) {
    check_literals(text, 1);
}

/// So many string literals, with commas between them.
fn check_literals(text: &str, count: usize) {
    let (mut within, mut escaped, mut ends) = (false, false, 0);
    for letter in text.chars() {
        assert!(!letter.is_control());
        match (within, letter) {
            _ if escaped => escaped = false,
            (true, '\\') => escaped = true,
            (_, '"') => {
                within = !within;
                ends += 1;
            }
            (true, _) => {}
            (false, _) => assert!([',', ' '].contains(&letter), "{text}"),
        }
    }
    assert!(!within && ends == 2 * count);
}

fn check_message(error: &FormatError) {
    check_printable(&error.to_string());
}

/// Nothing that a terminal would take for a command.
fn check_printable(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
