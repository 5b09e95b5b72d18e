//! C headers, compiled and run.

use crate::common::{MNIST, built_in, classes, every_layer, logits, logits_by, trained};
use data::Dataset;
use interchange::{
    Arithmetic, CFiles, COptions, Description, Example, Footprint, IntegerNetwork, Quantisation, c_files,
};
use nn::{Architecture, InstructionSet, Model};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use study::study_file::{ModelSpec, StudyFile};
use tempfile::TempDir;

/// Test images that each program classifies: under the sanitizers a large network takes a tenth of a second for one.
pub(crate) const IMAGES: usize = 40;

/// A network in C, its self-test on a test image.
pub(crate) fn files(
    description: &Description,
    model: &mut Model<f32>,
    arithmetic: Arithmetic,
    images: &Dataset,
    header_name: Option<&str>,
) -> CFiles {
    let example = Some(Example { image: images.image(7), label: images.labels()[7] });
    c_files(description, model, COptions { arithmetic, example, header_name }).expect("finite logits")
}

/// The network in C as one header, its self-test on a test image of MNIST's.
pub(crate) fn header(description: &Description, model: &mut Model<f32>, arithmetic: Arithmetic) -> String {
    files(description, model, arithmetic, MNIST.test(), None).header
}

/// What becomes of a model in eight bits in C: in whole numbers where there is such a network, else with weights of eight
/// bits. The header's text, and the logits of the first test images by the emulation.
pub(crate) fn in_eight_bits(
    description: &Description,
    model: &mut Model<f32>,
    [training, test]: [&Dataset; 2],
) -> (String, Vec<f32>, bool) {
    let set = InstructionSet::detect();
    if let Ok(network) = IntegerNetwork::calibrate(description, model, training, set) {
        let arithmetic = Arithmetic::Integer(&network);
        let header = files(description, model, arithmetic, test, None).header;
        return (header, network.logits(test, IMAGES), true);
    }
    let quantisation = Quantisation::calibrate(description, model, training);
    let arithmetic = Arithmetic::EightBitWeights(&quantisation);
    let header = files(description, model, arithmetic, test, None).header;
    quantisation.round_weights(description, model);
    let on_grids = |model: &mut Model<f32>, images| quantisation.logits(model, images).to_vec();
    (header, logits_by(model, IMAGES, on_grids), false)
}

/// Compiles a header as strictly as the compiler can, runs it on the first test images; their logits.
pub(crate) fn run(folder: &Path, name: &str, header: &str) -> Vec<f32> {
    run_on(folder, name, header, MNIST.test())
}

/// As [`run`], on the first images of a set.
pub(crate) fn run_on(folder: &Path, name: &str, header: &str, images: &Dataset) -> Vec<f32> {
    let path = |file: &str| folder.join(file);
    fs::write(path("model.h"), header).expect("written");
    run_files(folder, name, &[], &[], images)
}

/// Compiles `model.h` and these sources as strictly as the compiler can, with options of its own, runs them on the first images of a set;
/// their logits.
fn run_files(folder: &Path, name: &str, sources: &[&str], options: &[String], images: &Dataset) -> Vec<f32> {
    let path = |file: &str| folder.join(file);
    fs::write(path("images.u8"), &images.images()[..IMAGES * images.image_length()]).expect("written");
    let symbol = name.replace('-', "_");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interchange/classify.c");
    let compiled = Command::new("gcc")
        .args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O2", "-fsanitize=undefined,address"])
        .arg("-fno-sanitize-recover=all")
        .arg(format!("-DHEADER=\"{}\"", path("model.h").display()))
        .arg(format!("-DWORKSPACE={}_WORKSPACE", symbol.to_ascii_uppercase()))
        .arg(format!("-DCLASSES={}_CLASSES", symbol.to_ascii_uppercase()))
        .arg(format!("-DCLASSIFY={symbol}_classify"))
        .arg(format!("-DSELF_TEST={symbol}_self_test"))
        .arg(format!("-DIMAGE={}", images.image_length()))
        .arg(source)
        .args(sources.iter().map(|source| path(source)))
        .args(options)
        .arg("-o")
        .arg(path("classify"))
        .arg("-lm")
        .output()
        .expect("gcc is needed to test what is exported");
    assert!(compiled.status.success(), "{name}: {}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new(path("classify"))
        .args([path("images.u8"), path("logits.f32")])
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    let bytes = fs::read(path("logits.f32")).expect("logits");
    let (values, _) = bytes.as_chunks::<4>();
    values.iter().map(|value| f32::from_le_bytes(*value)).collect()
}

pub(crate) fn largest_difference(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).fold(0.0, |largest, (one, other)| largest.max((one - other).abs()))
}

fn models() -> Vec<ModelSpec> {
    built_in().into_iter().chain(every_layer()).collect()
}

#[test]
fn every_network_gives_the_same_logits_in_c() {
    let folder = TempDir::new().expect("a folder");
    for spec in models() {
        let (description, mut model) = trained(&spec, 20);
        let header = header(&description, &mut model, Arithmetic::Float32);
        let found = run(folder.path(), &spec.architecture.name, &header);
        let expected = logits(&mut model, IMAGES);
        let difference = largest_difference(&found, &expected);
        assert!(difference < 1e-4, "{}: logits {difference} apart", spec.architecture.name);
    }
}

/// Whole numbers are the same in both; where float32 is between, a value on the border of two numbers may go to the other.
#[test]
fn eight_bit_networks_give_what_their_emulation_gives() {
    let folder = TempDir::new().expect("a folder");
    let mut whole = Vec::new();
    for spec in models() {
        let name = &spec.architecture.name;
        let (description, mut model) = trained(&spec, 60);
        let in_float32 = logits(&mut model, IMAGES);
        let sets = [MNIST.training(), MNIST.test()];
        let (header, expected, is_whole) = in_eight_bits(&description, &mut model, sets);
        let found = run(folder.path(), name, &header);
        let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let others = |one: &[f32], other: &[f32]| {
            classes(one, 10).iter().zip(classes(other, 10)).filter(|(one, other)| **one != *other).count()
        };
        if is_whole {
            whole.push(name.clone());
            assert_eq!(found, expected, "{name}");
        } else {
            let difference = largest_difference(&found, &expected);
            assert!(difference < 0.1 * largest, "{name}: logits {difference} apart");
            assert!(others(&found, &expected) <= 1, "{name}: other classes");
        }
        let from_float32 = largest_difference(&found, &in_float32);
        assert!(from_float32 < 0.2 * largest, "{name}: {from_float32} of {largest} from float32");
        // Networks that have learnt little say little.
        let allowed = if largest < 2.0 { IMAGES / 5 } else { 2 };
        assert!(others(&found, &in_float32) <= allowed, "{name}: other classes than in float32");
    }
    let expected = [
        "mlp",
        "cnn",
        "lenet5",
        "deep-cnn",
        "resnet-small",
        "tiny",
        "nano",
        "fast",
        "best",
        "sliding",
        "patches",
    ];
    assert_eq!(whole, expected);
}

/// The functions of CMSIS-NN that headers call, as any processor computes them, with the rounding that headers want; the options that take
/// them in.
fn cmsis_nn(folder: &Path) -> Vec<String> {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interchange/cmsis-nn");
    let sources =
        ["ConvolutionFunctions", "NNSupportFunctions"].map(|part| library.join("Source").join(part));
    let sources = sources.iter().flat_map(|part| fs::read_dir(part).expect("the library"));
    let sources: Vec<PathBuf> = sources.map(|entry| entry.expect("a file").path()).collect();
    let mut options = vec!["-DCMSIS_NN_USE_SINGLE_ROUNDING".to_owned()];
    options.extend(["-isystem".to_owned(), library.join("Include").display().to_string()]);
    let compiled = Command::new("gcc")
        .args(["-O2", "-c"])
        .args(&options)
        .args(&sources)
        .current_dir(folder)
        .output()
        .expect("gcc");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let object = |source: &PathBuf| folder.join(source.file_name().expect("a name")).with_extension("o");
    options.extend(sources.iter().map(|source| object(source).display().to_string()));
    options.push("-DCMSIS_NN".to_owned());
    options
}

/// Of each kind of convolution: padded or not, of one pixel, strided, dilated, in groups, by channels.
#[test]
fn convolutions_by_cmsis_nn_give_the_same_bits() {
    let folder = TempDir::new().expect("a folder");
    let options = cmsis_nn(folder.path());
    let text = r#"
        [model.windows]
        layers = [
          "conv 6 3x3", "relu", "conv 6 1x1", "relu", "conv 4 3x5 pad 2x1", "depthwise 5x5 same", "relu", "maxpool 2",
          "depthwise 3x3 dilation 2", "conv 8 2x2 stride 2 groups 2", "relu", "flatten", "dense 20", "relu", "dense classes",
        ]
    "#;
    let windows = StudyFile::parse(text, "windows.toml").expect("a study file").models.remove(0);
    let names = ["cnn", "lenet5", "resnet-small", "tiny", "nano", "sliding"];
    let chosen = models().into_iter().filter(|spec| names.contains(&spec.architecture.name.as_str()));
    let chosen: Vec<ModelSpec> = chosen.chain([windows]).collect();
    assert_eq!(chosen.len(), names.len() + 1);
    for spec in chosen {
        let name = &spec.architecture.name;
        let (description, mut model) = trained(&spec, 60);
        let set = InstructionSet::detect();
        let network = IntegerNetwork::calibrate(&description, &model, MNIST.training(), set).expect("whole");
        let header = header(&description, &mut model, Arithmetic::Integer(&network));
        fs::write(folder.path().join("model.h"), header).expect("written");
        let found = run_files(folder.path(), name, &[], &options, MNIST.test());
        assert_eq!(found, network.logits(MNIST.test(), IMAGES), "{name}");
    }
}

#[test]
fn nothing_is_allocated_and_little_is_called() {
    let folder = TempDir::new().expect("a folder");
    let spec = built_in().into_iter().find(|spec| spec.architecture.name == "nano").expect("built in");
    let (description, mut model) = trained(&spec, 1);
    let set = InstructionSet::detect();
    let network = IntegerNetwork::calibrate(&description, &model, MNIST.training(), set).expect("no float32");
    for (arithmetic, known) in [
        (Arithmetic::Float32, ["expf", "memset", "memcpy"]),
        (Arithmetic::Integer(&network), ["memset", "memcpy", "memcpy"]),
    ] {
        let header = header(&description, &mut model, arithmetic);
        check_calls(folder.path(), &header, &known);
    }
}

/// Holds that nothing but these functions is called.
fn check_calls(folder: &Path, header: &str, known: &[&str]) {
    fs::write(folder.join("model.h"), header).expect("written");
    let source = "#include \"model.h\"\nint f(const uint8_t *i, float *w, float *l) { return nano_classify(i, w, l); }\n";
    fs::write(folder.join("model.c"), source).expect("written");
    let object = folder.join("model.o");
    let compiled = Command::new("gcc")
        .args(["-std=c99", "-Os", "-ffreestanding", "-c"])
        .arg(folder.join("model.c"))
        .arg("-o")
        .arg(&object)
        .output()
        .expect("gcc");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let symbols = Command::new("nm").arg("--undefined-only").arg(&object).output().expect("nm");
    let symbols = String::from_utf8(symbols.stdout).expect("text");
    let undefined: Vec<&str> = symbols.split_whitespace().filter(|word| word.len() > 1).collect();
    assert!(undefined.iter().all(|symbol| known.contains(symbol)), "{undefined:?}");
}

#[test]
fn a_header_can_have_its_code_in_a_source_of_its_own() {
    let folder = TempDir::new().expect("a folder");
    let spec = built_in().into_iter().find(|spec| spec.architecture.name == "nano").expect("built in");
    let (description, mut model) = trained(&spec, 20);
    let set = InstructionSet::detect();
    let network = IntegerNetwork::calibrate(&description, &model, MNIST.training(), set).expect("no float32");
    for arithmetic in [Arithmetic::Float32, Arithmetic::Integer(&network)] {
        let whole = header(&description, &mut model, arithmetic);
        let expected = run(folder.path(), "nano", &whole);
        let parts = files(&description, &mut model, arithmetic, MNIST.test(), Some("model.h"));
        assert!(
            !parts.header.contains("static inline") && !parts.header.contains("weight"),
            "{}",
            parts.header
        );
        // C++ calls it by its name in C.
        assert!(parts.header.contains("#ifdef __cplusplus\nextern \"C\" {\n#endif\n"), "{}", parts.header);
        fs::write(folder.path().join("model.h"), parts.header).expect("written");
        fs::write(folder.path().join("model.c"), parts.source.expect("there is one")).expect("written");
        assert_eq!(run_files(folder.path(), "nano", &["model.c"], &[], MNIST.test()), expected);
    }
}

/// A network of these layers for images of `side`×`side` pixels and two classes.
fn of_two_classes(layers: &[&str], side: usize) -> (Description, Model<f32>) {
    let architecture = Architecture {
        name: "m".to_owned(),
        summary: String::new(),
        citation: String::new(),
        layers: layers.iter().map(|layer| layer.parse().expect("a layer")).collect(),
    };
    let classes = vec!["one".to_owned(), "two".to_owned()];
    let description = Description::of(&architecture, [side, side], classes);
    let model = description.model(InstructionSet::detect(), IMAGES).expect("it fits");
    (description, model)
}

/// So many white images.
fn white(side: usize, count: usize) -> Dataset {
    let images = vec![255; count * side * side];
    Dataset::new("white", images, vec![0; count], [side, side], 2).expect("images")
}

/// 80,000 products of 255 and 127 are more than 32 bits hold; the sanitizers would tell.
#[test]
fn sums_of_eight_bit_weights_never_overflow() {
    let folder = TempDir::new().expect("a folder");
    let (description, mut model) = of_two_classes(&["conv 2 1x1", "relu", "flatten", "dense classes"], 200);
    model.parameters_mut()[..4].copy_from_slice(&[1.0, 1.0, 0.0, 0.0]);
    for (index, parameter) in model.parameters_mut()[4..160_004].iter_mut().enumerate() {
        *parameter = if index < 80_000 { 1e-4 } else { -1e-4 };
    }
    let images = white(200, IMAGES);
    let quantisation = Quantisation::calibrate(&description, &mut model, &images);
    let arithmetic = Arithmetic::EightBitWeights(&quantisation);
    let header = files(&description, &mut model, arithmetic, &images, None).header;
    let found = run_on(folder.path(), "m", &header, &images);
    for logits in found.chunks_exact(2) {
        assert!((logits[0] - 8.0).abs() < 0.1 && (logits[1] + 8.0).abs() < 0.1, "{logits:?}");
    }
}

/// A unit that no image wakes may have any weight; what one of its sums is worth is beyond float32.
#[test]
fn numbers_that_eight_bits_do_not_hold_are_refused() {
    let layers = ["flatten", "dense 2", "relu", "dense classes"];
    let (description, mut model) = of_two_classes(&layers, 28);
    model.parameters_mut()[..784].fill(1e6);
    model.parameters_mut()[784..2 * 784].fill(-1e6);
    model.parameters_mut()[2 * 784 + 2..].copy_from_slice(&[1e-6, f32::MAX, 1e-6, 1e-6, 0.0, 0.0]);
    let images = white(28, 2);
    let refused = IntegerNetwork::calibrate(&description, &model, &images, InstructionSet::detect());
    assert_eq!(refused.err().as_deref(), Some("dense2 has values that are no finite numbers"));
    // A self-test cannot expect logits that are not finite: no header is written then.
    let options = COptions { arithmetic: Arithmetic::Float32, example: None, header_name: None };
    assert!(c_files(&description, &mut model, options).is_some());
    model.parameters_mut()[0] = f32::NAN;
    assert_eq!(c_files(&description, &mut model, options), None);
}

/// A weight that is not what it was: the self-test tells.
#[test]
fn a_self_test_finds_what_is_not_as_it_was() {
    let folder = TempDir::new().expect("a folder");
    let spec = built_in().into_iter().find(|spec| spec.architecture.name == "nano").expect("built in");
    let (description, mut model) = trained(&spec, 20);
    let set = InstructionSet::detect();
    let network = IntegerNetwork::calibrate(&description, &model, MNIST.training(), set).expect("no float32");
    let source = "#include \"model.h\"\nstatic float w[NANO_WORKSPACE];\nint main(void) { return nano_self_test(w); }\n";
    fs::write(folder.path().join("test.c"), source).expect("written");
    for arithmetic in [Arithmetic::Float32, Arithmetic::Integer(&network)] {
        let text = header(&description, &mut model, arithmetic);
        let (before, bias) = text.split_once("nano_dense1_bias[10] = {\n    ").expect("a bias");
        let damaged = format!("{before}nano_dense1_bias[10] = {{\n    9{bias}");
        for (text, code) in [(&text, 0), (&damaged, 1)] {
            fs::write(folder.path().join("model.h"), text).expect("written");
            let program = folder.path().join("test");
            let compiled = Command::new("gcc")
                .args(["-std=c99", "-O1", "-o"])
                .arg(&program)
                .arg(folder.path().join("test.c"))
                .arg("-lm")
                .output()
                .expect("gcc");
            assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
            assert_eq!(Command::new(&program).status().expect("it runs").code(), Some(code));
        }
    }
}

/// What a study's limits are compared with is what the header takes.
#[test]
fn a_plan_of_memory_is_that_of_the_header() {
    for spec in models().into_iter().filter(|spec| spec.architecture.layers.len() < 12) {
        let (description, mut model) = trained(&spec, 1);
        let set = InstructionSet::detect();
        let Ok(network) = IntegerNetwork::calibrate(&description, &model, MNIST.training(), set) else {
            continue;
        };
        let planned =
            Footprint::of(&description.layers, description.image(), description.classes.len(), false);
        let header = header(&description, &mut model, Arithmetic::Integer(&network));
        let kilobytes = |bytes: usize| format!("{:.1} kB", bytes as f64 / 1000.0);
        let Footprint { ram_bytes, flash_bytes } = planned.expect("there is one");
        let said = format!("Constants: {}. Workspace: {}", kilobytes(flash_bytes), kilobytes(ram_bytes));
        assert!(header.contains(&said), "{}: {said}", spec.architecture.name);
        assert!(header.contains(&format!("_WORKSPACE {}\n", ram_bytes / 4)));
    }
}
