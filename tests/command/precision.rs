//! What the products of a training are computed in: asked for, recorded, told, refused.

use crate::common::{Bench, said};
use nn::{InstructionSet, Precision, check_precision};
use serde_json::Value;
use std::fs;

/// One network in both precisions.
const STUDY: &str = r#"
models = ["cnn", "cnn-bf16"]
dataset = "data"
seeds = 1

[model.cnn-bf16]
like = "cnn"
recipe = { precision = "bf16" }
"#;

fn bench_with(study: &str) -> Bench {
    let bench = Bench::new();
    fs::write(bench.path().join("study.toml"), study).expect("the file is written");
    bench
}

/// The recipe of each record by its model's name.
fn recipes(bench: &Bench, folder: &str) -> Vec<(String, Value)> {
    let records = bench.files(&format!("{folder}/records"));
    let recipe = |file: &String| {
        let specification = &bench.json(&format!("{folder}/records/{file}"))["specification"];
        (specification["model"].as_str().expect("a name").to_owned(), specification["recipe"].clone())
    };
    let mut recipes: Vec<_> = records.iter().map(recipe).collect();
    recipes.sort_by(|one, other| one.0.cmp(&other.0));
    recipes
}

/// The portable kernels compute the same products on any processor.
#[test]
fn a_network_is_compared_with_itself_in_another_precision() {
    let bench = bench_with(STUDY);
    let options = ["run", "study.toml", "--epochs", "1", "--batch-size", "32", "--out", "out"];
    let ran = said(bench.command(&options).env("MNIST_STUDY_KERNELS", "portable"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let recipes = recipes(&bench, "out");
    assert_eq!((recipes[0].0.as_str(), recipes[1].0.as_str()), ("cnn", "cnn-bf16"));
    assert!(recipes[0].1.get("precision").is_none(), "a record in float32 is as it was before precisions");
    assert_eq!(recipes[1].1["precision"], "bf16");
    let report = bench.read("out/report.md");
    assert!(report.contains("| cnn-bf16 |"), "a row of its own: {report}");
    assert!(report.contains("learning rate 0.001, precision bf16."), "{report}");
    assert!(
        report.contains("Precision bf16 of cnn-bf16: ") && report.contains("validation and test figures"),
        "{report}"
    );
    // A record is verified with the kernels that it was made with.
    let verified = said(&mut bench.command(&["verify", "out", "--all", "--quiet"]));
    assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);
}

#[test]
fn the_option_stands_in_the_place_of_every_recipe() {
    let bench = bench_with(STUDY);
    let run = |more: &[&str]| {
        let mut command =
            bench.command(&["compare", "--dataset", "data", "--epochs", "1", "--batch-size", "32"]);
        said(command.args(["--seeds", "1", "--quiet"]).args(more).env("MNIST_STUDY_KERNELS", "portable"))
    };
    let ran = run(&["mlp", "--precision", "bf16", "--out", "out"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(recipes(&bench, "out")[0].1["precision"], "bf16");
    let report = bench.read("out/report.md");
    assert!(report.contains(" --precision bf16 --seeds 1 "), "the command that makes it again: {report}");
    assert!(report.contains("- Precision bf16: "), "{report}");
    let ran = run(&["study.toml:cnn-bf16", "--precision", "float32", "--out", "full"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(recipes(&bench, "full")[0].1.get("precision").is_none());
}

#[test]
fn a_grid_of_precisions_takes_no_option() {
    let grid = "models = [\"cnn\"]\ndataset = \"data\"\n[grid]\nprecision = [\"float32\", \"bf16\"]\n";
    let bench = bench_with(grid);
    let refused = said(&mut bench.command(&["run", "study.toml", "--precision", "bf16", "--out", "out"]));
    let error = "error: --precision: study.toml varies precision in a grid\n\
                 hint: leave out --precision, or precision in the grid\n";
    assert_eq!((refused.code, refused.stderr.as_str()), (Some(2), error));
}

/// Several models of a file that differ in precision are not made alike.
#[test]
fn models_that_differ_in_precision_take_no_option() {
    let bench = bench_with(STUDY);
    let error = "error: --precision: the models of study.toml differ in precision\n\
                 hint: leave out --precision, or precision in their recipes\n";
    for verb in ["run", "compare"] {
        let call = [verb, "study.toml", "--precision", "float32", "--out", "out"];
        let refused = said(&mut bench.command(&call));
        assert_eq!((refused.code, refused.stderr.as_str()), (Some(2), error), "{verb}");
    }
}

/// What a file of weights and the command say of how they were trained.
#[test]
fn a_trained_model_says_its_precision() {
    let bench = bench_with("models = [\"few\"]\n\n[model.few]\nlayers = [\"flatten\", \"dense classes\"]\n");
    let train = |name: &str, more: &[&str]| {
        let file = "mlp.safetensors";
        let call =
            ["train", name, "--dataset", "data", "--epochs", "1", "--batch-size", "32", "--save", file];
        let trained = said(bench.command(&call).args(more).env("MNIST_STUDY_KERNELS", "portable"));
        assert_eq!(trained.code, Some(0), "{}", trained.stderr);
        trained
    };
    let bf16 = ["--precision", "bfloat16"];
    assert!(train("mlp", &bf16).stdout.contains(" s, in bf16\nweights: "));
    let json: Value =
        serde_json::from_str(&train("mlp", &[&bf16[..], &["--json"]].concat()).stdout).expect("JSON");
    assert_eq!(json["precision"], "bf16");
    let file = fs::read(bench.path().join("mlp.safetensors")).expect("the file");
    assert!(String::from_utf8_lossy(&file).contains(r#"\"precision\":\"bf16\""#));
    let measured = said(
        bench
            .command(&["bench", "mlp.safetensors", "--dataset", "data", "--seconds", "0.01"])
            .env("MNIST_STUDY_KERNELS", "portable"),
    );
    let note = "note: mlp trains in bf16 and is measured in float32: pass --precision bf16\n";
    assert!(measured.stderr.contains(note), "{}", measured.stderr);
    assert!(!train("mlp", &[]).stdout.contains("bf16"));
    // It has nothing to compute in it.
    let few = train("study.toml:few", &bf16);
    let note =
        "note: precision bf16 changed nothing: no layer has enough channels, units or features for it\n";
    assert!(few.stderr.contains(note), "{}", few.stderr);
    assert!(!train("study.toml:few", &[]).stderr.contains("precision"));
    let mut command = bench.command(&["bench", "study.toml:few", "--dataset", "data", "--seconds", "0.01"]);
    let measured = said(command.args(bf16).env("MNIST_STUDY_KERNELS", "portable"));
    assert!(
        measured.stdout.contains("training in bf16 (no layer is computed in it), "),
        "{}",
        measured.stdout
    );
}

/// Steps are measured in it, and inference in float32.
#[test]
fn bench_measures_in_a_precision() {
    let bench = Bench::new();
    let measured = |more: &[&str]| {
        let mut command =
            bench.command(&["bench", "mlp", "--dataset", "data", "--seconds", "0.01", "--threads", "1"]);
        let measured = said(command.args(more).env("MNIST_STUDY_KERNELS", "portable"));
        assert_eq!(measured.code, Some(0), "{}", measured.stderr);
        measured.stdout
    };
    let json: Value = serde_json::from_str(&measured(&["--precision", "bf16", "--json"])).expect("JSON");
    assert_eq!(json["models"][0]["training"]["precision"], "bf16");
    let table = measured(&["--precision", "bf16"]);
    assert!(
        table.contains("  training in bf16, batch 128: ") && table.contains("% of the float32 peak\n"),
        "{table}"
    );
    let json: Value = serde_json::from_str(&measured(&["--json"])).expect("JSON");
    assert_eq!(json["models"][0]["training"]["precision"], "float32");
}

/// Kernels that lack a precision refuse it before anything is trained or written, and compute in no other one in its place.
#[test]
fn what_a_machine_lacks_is_refused_before_any_work() {
    let bench = bench_with(STUDY);
    fs::write(
        bench.path().join("search.toml"),
        "models = [\"mlp\"]\ndataset = \"data\"\n[search]\nprecision = [\"float32\", \"bf16\"]\n",
    )
    .expect("the file is written");
    // What is planned here runs elsewhere.
    for set in InstructionSet::available() {
        let script = ["script", "slurm", "study.toml", "--shards", "2"];
        let printed = said(bench.command(&script).env("MNIST_STUDY_KERNELS", set.name()));
        assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    }
    let files = bench.files(".");
    // With AMX there is nothing to refuse.
    let lacks = |set: &InstructionSet| check_precision(*set, Precision::Bf16).is_err();
    for set in InstructionSet::available().into_iter().filter(lacks) {
        for call in [
            &["run", "study.toml"][..],
            &["run", "study.toml", "--dry-run"],
            &["run", "study.toml", "--shard", "1/2"],
            &["compare", "mlp", "--dataset", "data", "--precision", "bf16"],
            &["train", "study.toml:cnn-bf16", "--dataset", "data", "--save", "m.safetensors"],
            &["tune", "search.toml"],
            &["bench", "mlp", "--precision", "bf16"],
            &["speedrun", "study.toml:cnn-bf16", "--dataset", "data"],
        ] {
            let refused = said(bench.command(call).env("MNIST_STUDY_KERNELS", set.name()));
            assert_eq!(refused.code, Some(2), "{call:?}: {}", refused.stderr);
            assert!(refused.stderr.contains("error: precision bf16: "), "{call:?}: {}", refused.stderr);
            let float32 = match call[0] {
                "speedrun" => "leave precision out of the model's recipe",
                _ => "pass --precision float32 (where a study varies precision, leave bf16 out there)",
            };
            assert!(
                refused
                    .stderr
                    .contains(&format!("\nhint: {float32}, or set MNIST_STUDY_KERNELS=portable, which ")),
                "{call:?}: {}",
                refused.stderr
            );
            assert_eq!(bench.files("."), files, "{call:?}: nothing is written");
        }
    }
}
