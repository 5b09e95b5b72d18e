//! The engine's speed as the command tells it.

use crate::common::{Bench, said};

#[test]
fn every_model_is_measured_beside_the_machine() {
    let bench = Bench::new();
    let measured =
        said(&mut bench.command(&["bench", "cnn", "lstm", "--seconds", "0.2", "--threads", "2", "--json"]));
    assert_eq!((measured.code, measured.stderr.as_str()), (Some(0), ""));
    let measured: serde_json::Value = serde_json::from_str(&measured.stdout).expect("JSON");
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or_else(|| panic!("{value}: no number"));
    let machine = &measured["machine"];
    let (one, all) = (number(&machine["peak_gflops_one_thread"]), number(&machine["peak_gflops"]));
    assert!(one > 0.1 && all > 0.5 * one, "{one} and {all} GFLOP/s");
    assert!(number(&machine["read_gigabytes_per_second"]) > 0.1);
    assert_eq!(machine["threads"], 2);
    let models = measured["models"].as_array().expect("models");
    let sizes: Vec<_> =
        models.iter().map(|model| (model["name"].as_str(), model["parameters"].as_u64())).collect();
    assert_eq!(sizes, [(Some("cnn"), Some(225_034)), (Some("lstm"), Some(81_674))]);
    for (model, flops) in models.iter().zip([13.07e6, 12.62e6]) {
        let training = &model["training"];
        assert_eq!(number(&training["allocations_per_step"]), 0.0, "{}", model["name"]);
        let stages = training["stages"].as_array().expect("stages");
        let total: f64 = stages.iter().map(|stage| number(&stage["share"])).sum();
        assert!((total - 1.0).abs() < 1e-9, "the stages make up {total} of the step");
        assert!(number(&training["bookkeeping_share"]) < 0.5);
        let rate = number(&training["images_per_second"]);
        assert!((number(&training["epoch_seconds"]) - 60_000.0 / rate).abs() < 1e-6);
        let useful = number(&training["useful_gflops"]);
        assert!((useful * 1e9 / rate / flops - 1.0).abs() < 0.001, "{} FLOP an image", useful * 1e9 / rate);
        assert!((number(&training["share_of_peak"]) - useful / all).abs() < 1e-9);
        let inference = model["inference"].as_array().expect("inference");
        assert_eq!(
            inference.iter().map(|speed| speed["batch"].as_u64()).collect::<Vec<_>>(),
            [Some(1), Some(1000)]
        );
        for speed in inference {
            assert!(number(&speed["p50_us"]) > 0.0 && number(&speed["p99_us"]) >= number(&speed["p50_us"]));
        }
    }
}

#[test]
fn a_file_is_measured_as_its_architecture_and_told_as_a_table() {
    let bench = Bench::new();
    let digits = data::synthetic(5, 64, 16, 28, 28, 10);
    data::write_directory(&digits, &bench.path().join("digits")).expect("the set is written");
    let train =
        ["train", "lstm", "--save", "m.safetensors", "--dataset", "digits", "--epochs", "1", "--quiet"];
    assert_eq!(said(&mut bench.command(&train)).code, Some(0));
    let measured = said(&mut bench.command(&["bench", "m.safetensors", "--seconds", "0.05"]));
    assert_eq!(measured.code, Some(0), "{}", measured.stderr);
    for part in [
        "multiply-add peak",
        "lstm (81674 parameters)",
        "allocations a step: 0;",
        "lstm1 backward",
        "batch 1000:",
    ] {
        assert!(measured.stdout.contains(part), "{part}: {}", measured.stdout);
    }
    let unknown = said(&mut bench.command(&["bench", "cnm"]));
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    let missing = said(&mut bench.command(&["bench", "nowhere.safetensors"]));
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.starts_with("error: nowhere.safetensors: "), "{}", missing.stderr);
}
