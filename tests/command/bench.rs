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
    assert!(machine.get("memory_levels").is_none(), "nobody asked for it");
    let models = measured["models"].as_array().expect("models");
    let sizes: Vec<_> =
        models.iter().map(|model| (model["name"].as_str(), model["parameters"].as_u64())).collect();
    assert_eq!(sizes, [(Some("cnn"), Some(225_034)), (Some("lstm"), Some(81_674))]);
    for (model, flops) in models.iter().zip([13.07e6, 12.62e6]) {
        let training = &model["training"];
        assert!(training.get("roofline").is_none());
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

/// The shares are of real times, on a machine that may be busy: a stage takes no less than a twentieth of its bound, which skipped zeros and
/// minimal filtering come nowhere near.
#[test]
fn stages_are_told_beside_what_bounds_them() {
    let bench = Bench::new();
    let asked = ["bench", "cnn", "lstm", "--stages", "--seconds", "0.1", "--threads", "2"];
    let told = said(bench.command(&asked).arg("--json"));
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""));
    let told: serde_json::Value = serde_json::from_str(&told.stdout).expect("JSON");
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or_else(|| panic!("{value}: no number"));
    let levels = told["machine"]["memory_levels"].as_array().expect("asked for");
    for level in levels {
        assert!(number(&level["read_gigabytes_per_second_per_thread"]) > 0.1, "{level}");
        assert!(number(&level["copy_gigabytes_per_second_per_thread"]) > 0.1, "{level}");
    }
    let table = said(&mut bench.command(&asked));
    assert_eq!(table.code, Some(0), "{}", table.stderr);
    let of = |name: &str| {
        let models = told["models"].as_array().expect("models");
        &models.iter().find(|model| model["name"] == name).expect("it was asked for")["training"]
    };
    let name = |stage: &serde_json::Value| {
        format!(
            "{} {}",
            stage["stage"].as_str().expect("a name"),
            stage["direction"].as_str().expect("a way")
        )
    };
    let row_name = |stage: &serde_json::Value| {
        let name = name(stage);
        name.replace(" forward", " fwd").replace(" backward", " bwd")
    };
    let stages = |name: &str| of(name)["roofline"]["stages"].as_array().expect("stages").clone();
    let order = [
        "lstm1 forward",
        "dense1 forward",
        "dense1 backward",
        "lstm1 backward",
        "dense1 sum",
        "lstm1 sum",
        "optimiser update",
    ];
    assert_eq!(stages("lstm").iter().map(name).collect::<Vec<_>>(), order);
    for (model, flops) in [("cnn", 13.07e6), ("lstm", 12.62e6)] {
        let total = &of(model)["roofline"]["total"];
        assert!((number(&total["flops_per_image"]) / flops - 1.0).abs() < 0.001, "{total}");
        let (mut time, mut bound) = (number(&of(model)["roofline"]["other_microseconds_per_image"]), 0.0);
        for stage in &stages(model) {
            let calc = number(&stage["arithmetic_bound_microseconds_per_image"]);
            let moving = stage["bandwidth_bound_microseconds_per_image"].as_f64();
            assert_eq!(moving.is_some(), !levels.is_empty(), "{stage}");
            let longer = number(&stage["bound_microseconds_per_image"]);
            assert_eq!(longer, calc.max(moving.unwrap_or(0.0)));
            if let Some(share) = stage["share_of_bound"].as_f64() {
                assert!((share - longer / number(&stage["microseconds_per_image"])).abs() < 1e-9);
                assert!(share > 0.0 && share < 20.0, "{stage}");
            }
            time += number(&stage["microseconds_per_image"]);
            bound += longer;
            // Everything but the times is the same in the table, which another measurement made.
            let row = table
                .stdout
                .split(&format!("\n{model} ("))
                .nth(1)
                .and_then(|section| section.lines().find(|line| line.trim().starts_with(&row_name(stage))))
                .unwrap_or_else(|| panic!("{}: {}", name(stage), table.stdout));
            let cells: Vec<&str> = row.split_whitespace().collect();
            let counted = [
                format!("{:.3}", number(&stage["flops_per_image"]) / 1e6),
                format!("{:.1}", number(&stage["bytes_per_group"]) / 1024.0),
                stage["memory_level"].as_str().unwrap_or("–").to_owned(),
            ];
            assert_eq!(cells[3..6], counted, "{row}");
        }
        assert!((time / number(&total["microseconds_per_image"]) - 1.0).abs() < 1e-9);
        assert!((bound / number(&total["bound_microseconds_per_image"]) - 1.0).abs() < 1e-9);
    }
    let (legend, first) = table.stdout.split_once("\ncnn (").expect("a table");
    assert!(legend.contains("exceed 100 %"), "{legend}");
    for line in legend.lines().skip(1).chain(first.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_table_of_stages_with_long_names_has_80_columns() {
    let bench = Bench::new();
    let layers: String = (0..12).map(|_| "\"depthwise 3x3 same\", ").collect();
    let study = format!("[model.long]\nlayers = [{layers}\"flatten\", \"dense classes\"]\n");
    std::fs::write(bench.path().join("long.toml"), study).expect("written");
    let asked = ["bench", "long.toml:long", "--stages", "--threads", "1", "--seconds", "0.05"];
    let table = said(&mut bench.command(&asked));
    assert_eq!(table.code, Some(0), "{}", table.stderr);
    assert!(table.stdout.contains(", 1 thread, kernels "), "{}", table.stdout);
    let (_, rows) = table.stdout.split_once("\nlong (").expect("a table");
    assert!(rows.contains("depthwise12.padding bwd"), "{rows}");
    for line in rows.lines() {
        assert!(line.chars().count() <= 80, "{line}");
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
        "lstm (81,674 parameters)",
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

/// Images of so few pixels that most of the built-in models do not fit them.
fn put_squares(bench: &Bench) {
    let row = |index: usize| match index % 2 {
        0 => format!("bright,{},240,250,230\n", 200 + index),
        _ => format!("dark,{},20,30,40\n", index),
    };
    let text: String = (0..40).map(row).collect();
    std::fs::write(bench.path().join("squares.csv"), format!("label,a,b,c,d\n{text}")).expect("written");
}

#[test]
fn models_are_measured_on_other_data_and_what_does_not_fit_is_left_out() {
    let bench = Bench::new();
    put_squares(&bench);
    let measured = said(&mut bench.command(&["bench", "--dataset", "squares.csv", "--seconds", "0.01"]));
    assert_eq!(measured.code, Some(0), "{}", measured.stderr);
    assert!(
        measured.stderr.contains("note: cnn is left out: model cnn, layer 1 (conv 32 3x3): "),
        "{}",
        measured.stderr
    );
    assert!(
        !measured.stdout.contains("\ncnn (") && measured.stdout.contains("\nmlp ("),
        "{}",
        measured.stdout
    );
    // A fifth of the forty is set apart.
    assert!(measured.stdout.contains(" s an epoch of 32;\n"), "{}", measured.stdout);
    let named = said(&mut bench.command(&["bench", "cnn", "--dataset", "squares.csv"]));
    assert_eq!(named.code, Some(1), "{}", named.stderr);
    assert!(named.stderr.contains("error: model cnn, layer 1 (conv 32 3x3): "), "{}", named.stderr);
}

#[test]
fn a_speedrun_has_the_target_and_the_data_that_are_asked_for() {
    let bench = Bench::new();
    put_squares(&bench);
    let speedrun = |target: &str| {
        let mut command = bench.command(&["speedrun", "mlp", "--dataset", "squares.csv", "--seeds", "2"]);
        let said = said(command.args(["--target", target, "--json", "--quiet"]));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        serde_json::from_str::<serde_json::Value>(&said.stdout).expect("JSON")
    };
    let reached = speedrun("0.125");
    assert_eq!(
        (&reached["target"], &reached["reached"]),
        (&serde_json::json!(0.125), &serde_json::json!(true))
    );
    let mut command = bench.command(&["speedrun", "mlp", "--dataset", "data", "--seeds", "1", "--quiet"]);
    let told = said(command.args(["--target", "0.999"]));
    assert!(told.stdout.contains("): 99.9 % "), "{}", told.stdout);
    assert!(said(&mut bench.command(&["speedrun", "--target", "99"])).stderr.contains("a fraction above 0"));
}

#[test]
fn models_are_counted_for_the_images_that_they_are_asked_about() {
    let bench = Bench::new();
    let models = said(&mut bench.command(&["models", "--dataset", "data"]));
    assert_eq!(models.code, Some(0), "{}", models.stderr);
    // 14·12 pixels to 256, to 128, to 3 classes, and a bias each.
    let parameters = (168 * 256 + 256) + (256 * 128 + 128) + (128 * 3 + 3);
    assert_eq!(parameters, 76_547);
    assert!(
        models.stdout.contains("\n  76,547 parameters, 0.1 million multiply-adds an image; "),
        "{}",
        models.stdout
    );
    let misfit =
        "  does not fit: model vit, layer 1 (patches 7): patches of 7×7 do not divide an image of 14×12×1\n";
    assert!(models.stdout.contains(misfit), "{}", models.stdout);
    let json = said(&mut bench.command(&["models", "--dataset", "data", "--json"])).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let of =
        |name: &str| json.as_array().expect("a list").iter().find(|model| model["name"] == name).expect("it");
    assert_eq!(
        (&of("mlp")["parameters"], &of("mlp")["does_not_fit"]),
        (&76_547.into(), &serde_json::Value::Null)
    );
    assert!(of("vit")["parameters"].is_null() && of("vit")["does_not_fit"].is_string());
    // What a known set holds is known before it is fetched.
    let described =
        said(&mut bench.command(&["models", "--describe", "mlp", "--dataset", "pathmnist-64"])).stdout;
    assert!(described.contains("input           64×64×3\n"), "{described}");
    assert!(described.contains("dense classes   9 "), "{described}");
    let resized = ["models", "--describe", "vit", "--dataset", "cifar-10", "--grey", "--resize", "28x28"];
    assert!(said(&mut bench.command(&resized)).stdout.contains("28×28×1\n"), "a size that fits");
    let resized = ["models", "--describe", "vit", "--dataset", "data", "--resize", "14x14"];
    let resized = said(&mut bench.command(&resized));
    assert!(resized.stdout.contains("14×14×1\n"), "{}{}", resized.stdout, resized.stderr);
}
