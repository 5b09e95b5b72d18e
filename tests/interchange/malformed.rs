//! Files that are no models: each is told, and none allocates by a number that it merely claims.

use crate::common::{built_in, every_layer, trained};
use interchange::{Description, FormatError, describe, encode, load};
use nn::InstructionSet;
use serde_json::{Value, json};

/// Far less than any of the files below claims, and enough for the largest that is read.
const MOST_BYTES: u64 = 16 << 20;

/// Reads a file as the command does; what is wrong with it.
fn read(bytes: &[u8]) -> Result<(), String> {
    let mut result = Ok(());
    let read = |result: &mut Result<(), String>| {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let description = describe(bytes).map_err(|error| text(&error));
        *result = description.and_then(|description| {
            let mut model = description.model(InstructionSet::detect(), 1).map_err(|error| text(&error))?;
            load(bytes, &description, &[], &mut model).map(drop).map_err(|error| text(&error))
        });
    };
    let measured = allocation_counter::measure(|| read(&mut result));
    assert!(bytes.is_empty() || measured.count_total > 0, "allocations are counted");
    assert!(measured.bytes_max < MOST_BYTES, "{} bytes for {result:?}", measured.bytes_max);
    result
}

/// The bytes of a file with that header, and what follows it.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// A small model's description, and its file.
fn good() -> (Description, Vec<u8>) {
    let spec = built_in().into_iter().find(|spec| spec.architecture.name == "nano").expect("built in");
    let (description, model) = trained(&spec, 1);
    let bytes = encode(&model, &description).expect("a file");
    (description, bytes)
}

/// A good file's header and data.
fn parts(bytes: &[u8]) -> (Value, Vec<u8>) {
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    let header = serde_json::from_slice(&bytes[8..8 + length]).expect("JSON");
    (header, bytes[8 + length..].to_vec())
}

/// The good file with another header.
fn with_header(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let (mut header, data) = parts(&good().1);
    change(&mut header);
    file(&header.to_string(), &data)
}

/// The good file with another description, as of a version that wrote no digest of it.
fn with_description(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut description = serde_json::to_value(good().0).expect("JSON");
    change(&mut description);
    with_header(|header| header["__metadata__"]["mnist-study"] = description.to_string().into())
}

#[test]
fn a_good_file_is_read() {
    read(&good().1).expect("it is good");
    read(&with_description(|_| {})).expect("it is good, written again");
}

#[test]
fn headers_that_lie_are_refused() {
    let wrong = "not a safetensors file";
    let nested = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let huge = json!({ "conv1.weight": { "dtype": "F32", "shape": [1u64 << 40, 1u64 << 40], "data_offsets": [0, 4] } });
    for (bytes, expected) in [
        (Vec::new(), wrong),
        (vec![0; 7], wrong),
        (vec![0xff; 8], wrong),
        (file("", &[]), wrong),
        (file("{}", &[]), "no `mnist-study` entry"),
        (file("nonsense", &[]), wrong),
        (file(&nested, &[]), wrong),
        (file(&huge.to_string(), &[0; 4]), wrong),
        ([&(1u64 << 40).to_le_bytes()[..], b"{}"].concat(), wrong),
        (file(&" ".repeat((8 << 20) + 1), &[]), "a header of at most 8388608 bytes expected"),
        (with_header(|header| header["conv1.weight"]["dtype"] = json!("\u{1b}[2J")), "\\u{1b}[2J"),
        (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "this is a Git LFS pointer"),
        (b"<!doctype html>".to_vec(), "this is an HTML page"),
        (with_header(|header| header["conv1.weight"]["data_offsets"] = json!([0, u64::MAX])), wrong),
        (with_header(|header| header["conv1.weight"]["data_offsets"] = json!([8, 4])), wrong),
        (with_header(|header| header["conv1.weight"]["dtype"] = json!("F99")), wrong),
        (with_header(|header| header["conv1.weight"]["shape"] = json!([1])), wrong),
        (with_header(|header| header["conv1.weight"] = header["conv1.bias"].clone()), wrong),
        (with_header(|header| header["more"] = header["conv1.bias"].clone()), wrong),
    ] {
        let error = read(&bytes).expect_err("it lies");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn tensors_that_are_not_the_network_s_are_named() {
    let rename = |header: &mut Value, from: &str, to: &str| {
        let tensor = header.as_object_mut().expect("an object").remove(from).expect("it is there");
        header[to] = tensor;
    };
    let error = read(&with_header(|header| rename(header, "conv1.bias", "conv1.base"))).expect_err("renamed");
    assert!(error.starts_with("tensor conv1.bias of shape ["), "{error}");
    let (header, data) = parts(&good().1);
    let end = data.len();
    let mut longer = header.clone();
    longer["more.weight"] = json!({ "dtype": "F32", "shape": [1], "data_offsets": [end, end + 4] });
    let error = read(&file(&longer.to_string(), &[&data[..], &[0; 4]].concat())).expect_err("one more");
    assert_eq!(error, "tensor more.weight is not one of the network's");
    let mut halves = header.clone();
    let shape = halves["conv1.bias"]["shape"][0].as_u64().expect("a length");
    halves["conv1.bias"]["dtype"] = json!("F16");
    halves["conv1.bias"]["shape"] = json!([shape, 2]);
    let error = read(&file(&halves.to_string(), &data)).expect_err("halves");
    assert_eq!(error, format!("tensor conv1.bias: float32 [{shape}] expected, F16 [{shape}, 2] found"));
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut data = data.clone();
        data[..4].copy_from_slice(&value.to_le_bytes());
        let error = read(&file(&header.to_string(), &data)).expect_err("not a number");
        assert!(error.ends_with("holds a value that is not a finite number"), "{error}");
    }
}

#[test]
fn descriptions_of_what_cannot_be_are_refused() {
    let classes = |count: usize| Value::from(vec!["x"; count]);
    let training = |field: &str, value: Value| {
        let mut training = json!({
            "dataset": "mnist", "seed": 1, "epochs": 1, "train_seconds": 1.0, "test_accuracy": 0.9, "test_loss": 0.1,
            "fingerprint": "0".repeat(64), "version": "0",
        });
        training[field] = value;
        training
    };
    let deep = |depth: usize| {
        let mut layer = json!("relu");
        for _ in 0..depth {
            layer = json!({ "residual": [layer] });
        }
        json!([layer])
    };
    type Change<'a> = Box<dyn FnOnce(&mut Value) + 'a>;
    let changes: Vec<(Change, &str)> = vec![
        (Box::new(|d| d["format"] = json!(1)), "format 2 or 3 expected, 1 found"),
        (Box::new(|d| d["format"] = json!(4)), "format 2 or 3 expected, 4 found"),
        (Box::new(|d| d["architecture"] = json!("")), "1 to 200 printable characters expected"),
        (
            Box::new(|d| d["architecture"] = json!("a\nb")),
            "printable characters expected for the network, `a\\nb`",
        ),
        (Box::new(|d| d["architecture"] = json!("x".repeat(201))), "1 to 200 printable characters expected"),
        (
            Box::new(|d| d["classes"][3] = json!("x".repeat(201))),
            "class names of at most 200 characters expected",
        ),
        (Box::new(|d| d["classes"][3] = json!("x".repeat(2 << 20))), "1048576 bytes at most expected"),
        (Box::new(|d| d["layers"] = json!(vec!["relu"; 2001])), "at most 2000 layers expected, 2001 found"),
        (
            Box::new(|d| {
                d["layers"] = json!([{ "residual": vec!["relu"; 1000], "shortcut": vec!["relu"; 1000] }])
            }),
            "at most 2000 layers expected, 2001 found",
        ),
        (Box::new(|d| d["preprocessing"] = json!("dark ink")), "expected, `dark ink` found"),
        (
            Box::new(|d| d["preparation"] = json!({ "mean": [0.1], "std": [0] })),
            "a standard deviation of 0.00001 to 1",
        ),
        (Box::new(|d| d["preparation"] = json!({ "mean": [33.3], "std": [0.3] })), "33.3 and 0.3 found"),
        (Box::new(|d| d["preparation"] = json!({ "mean": [0, 0, 0], "std": [1, 1, 1] })), "not understood"),
        (Box::new(|d| d["epsilon"] = json!(-1e-3)), "an epsilon of 1e-12 to 0.1 expected, -0.001 found"),
        (Box::new(|d| d["epsilon"] = json!(1e300)), "an epsilon of 1e-12 to 0.1 expected"),
        (
            Box::new(|d| d["training"] = training("test_accuracy", json!(5.5))),
            "test_accuracy: 0 to 1 expected, 5.5 found",
        ),
        (
            Box::new(|d| d["training"] = training("train_seconds", json!(-1))),
            "train_seconds: 0 or more expected",
        ),
        (
            Box::new(|d| d["training"] = training("fingerprint", json!("\u{1b}[2J"))),
            "SHA-256 expected, `\\u{1b}[2J` found",
        ),
        (
            Box::new(|d| d["training"] = training("epochs", json!(5))),
            "its weights were changed: the SHA-256 in its metadata is 0000",
        ),
        (Box::new(|d| d["height"] = json!(0)), "a height of 1 to 256 pixels expected, 0 found"),
        (Box::new(|d| d["width"] = json!(1u64 << 40)), "a width of 1 to 256 pixels expected"),
        (Box::new(|d| d["width"] = json!(-1)), "not understood"),
        (Box::new(|d| d["classes"] = classes(0)), "2 to 256 classes expected, 0 found"),
        (Box::new(|d| d["classes"] = classes(257)), "2 to 256 classes expected, 257 found"),
        (Box::new(|d| d["layers"] = json!(["convolve 3"])), "not understood"),
        (Box::new(|d| d["layers"] = json!([])), "no layer"),
        (
            Box::new(|d| d["layers"] = json!(["flatten", "dense 65536", "dense 65536", "dense classes"])),
            "parameters so far",
        ),
        (
            Box::new(|d| d["layers"] = json!(["conv 65536 1x1", "flatten", "dense classes"])),
            "values of one image",
        ),
        (
            Box::new(|d| d["layers"] = json!(["conv 4 9999x9999 pad 9998", "flatten", "dense classes"])),
            "values of one image",
        ),
        (Box::new(|d| d["layers"] = deep(17)), "not understood"),
        (Box::new(|d| d["layers"] = json!(["flatten", "dense 9"])), "the output must be 10 values"),
        (Box::new(|d| d["layers"] = json!("flatten")), "not understood"),
    ];
    for (change, expected) in changes {
        let error = read(&with_description(change)).expect_err("it cannot be");
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let deeper = format!("{}{}", "{\"residual\":[".repeat(5000), "]}".repeat(5000));
    let bytes = with_header(|header| {
        let text = header["__metadata__"]["mnist-study"].as_str().expect("text").to_owned();
        let layers = text.find("\"layers\":").expect("layers");
        header["__metadata__"]["mnist-study"] = format!("{}\"layers\":[{deeper}]}}", &text[..layers]).into();
    });
    assert!(read(&bytes).expect_err("too deep").contains("not understood"));
}

#[test]
fn descriptions_that_were_changed_are_told_by_their_digest() {
    let changed = |change: &dyn Fn(&mut Value)| {
        read(&with_header(|header| {
            let text = header["__metadata__"]["mnist-study"].as_str().expect("text");
            let mut description: Value = serde_json::from_str(text).expect("JSON");
            change(&mut description);
            header["__metadata__"]["mnist-study"] = format!("{description:#}").into();
        }))
    };
    changed(&|_| {}).expect("only its spaces and the order of its names are others");
    let activation = |d: &mut Value| {
        let layers = d["layers"].as_array_mut().expect("layers");
        *layers.iter_mut().find(|layer| *layer == "silu").expect("one") = "tanh".into();
    };
    for change in [
        &activation as &dyn Fn(&mut Value),
        &|d| d["classes"].as_array_mut().expect("classes").reverse(),
        &|d| d["preparation"] = json!({ "mean": [0.1307], "std": [0.3081] }),
        &|d| d["epsilon"] = json!(1e-2),
        &|d| d["architecture"] = json!("other"),
        &|d| d["description_sha256"] = json!("0".repeat(64)),
        &|d| d["description_sha256"] = json!(null),
        &|d| d["description_sha256"] = json!("\u{1b}[2J"),
    ] {
        let error = changed(change).expect_err("it was changed");
        assert!(error.starts_with("its description of the network was changed: the SHA-256"), "{error}");
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}

#[test]
fn no_variance_is_negative() {
    let spec =
        every_layer().into_iter().find(|spec| spec.architecture.layers.contains(&nn::LayerSpec::BatchNorm));
    let (description, model) = trained(&spec.expect("one has a batch normalisation"), 1);
    let (header, mut data) = parts(&encode(&model, &description).expect("a file"));
    let start = header["batchnorm1.running_var"]["data_offsets"][0].as_u64().expect("an offset") as usize;
    for (value, is_refused) in [(-1.0f32, true), (-1e-30, true), (0.0, false), (-0.0, false)] {
        data[start..start + 4].copy_from_slice(&value.to_le_bytes());
        let mut model = description.model(InstructionSet::detect(), 1).expect("it fits");
        let loaded = load(&file(&header.to_string(), &data), &description, &[], &mut model);
        let told = format!("tensor batchnorm1.running_var: variances of 0 or more expected, {value} found");
        assert_eq!(loaded.err().map(|error| error.to_string()), is_refused.then_some(told));
    }
}

#[test]
fn no_file_that_was_cut_or_changed_brings_it_down() {
    let (_, bytes) = good();
    for length in 0..bytes.len() {
        read(&bytes[..length]).expect_err("it was cut");
    }
    let mut refused = 0;
    for place in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[place] ^= change;
            refused += usize::from(read(&bytes).is_err());
        }
    }
    // Most of a file is weights, and one weight is as good as another.
    assert!(refused > bytes.len() / 10, "{refused}");
}

#[test]
fn eighty_thousand_tensors_take_no_time() {
    let tensors: String = (0..80_000)
        .map(|index| format!(r#","a.{index}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#))
        .collect();
    let bytes = with_header(|header| header["__metadata__"] = json!({}));
    let (header, data) = parts(&bytes);
    let header = header.to_string();
    let header = format!("{}{tensors}}}", header.strip_suffix('}').expect("an object"));
    let (description, _) = good();
    let mut model = description.model(InstructionSet::detect(), 1).expect("it fits");
    let start = std::time::Instant::now();
    let error = load(&file(&header, &data), &description, &[], &mut model).expect_err("too many");
    assert!(matches!(error, FormatError::Surplus(_)), "{error}");
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn a_file_without_a_description_says_what_it_lacks() {
    let bytes = with_header(|header| {
        header.as_object_mut().expect("an object").remove("__metadata__");
    });
    assert_eq!(describe(&bytes), Err(FormatError::NoDescription));
}
