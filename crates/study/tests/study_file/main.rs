//! Study files: what they may say, what is made of it, and how what is wrong is told.

mod hostile;
mod mistakes;

use nn::{LayerSpec, Shape};
use records::{record::Protocol, target::Target};
use study::study_file::{StudyFile, StudyFileError, built_in_model, built_in_models};

fn parse(text: &str) -> Result<StudyFile, StudyFileError> {
    StudyFile::parse(text, "a.toml")
}

fn names(study: &StudyFile) -> Vec<&str> {
    study.models.iter().map(|model| model.architecture.name.as_str()).collect()
}

fn layers(study: &StudyFile, model: usize) -> Vec<String> {
    study.models[model].architecture.layers.iter().map(ToString::to_string).collect()
}

#[test]
fn the_built_in_models_fit_mnist_and_have_the_recipes_that_they_need() {
    let models = built_in_models();
    assert!(models.len() >= 2);
    for model in &models {
        let name = &model.architecture.name;
        let described = model.architecture.describe([28, 28], 10).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(described.last().expect("layers").output, Shape::Vector(10), "{name}");
        assert!(!model.architecture.summary.is_empty() && !model.architecture.citation.is_empty(), "{name}");
        assert!(model.expected_accuracy.is_some(), "{name}");
    }
    let cnn = built_in_model("cnn").expect("it is there");
    assert_eq!((cnn.recipe.epochs, cnn.recipe.batch_size, cnn.recipe.learning_rate), (5, 128, 1e-3));
    assert_eq!(built_in_model("lsmt").expect_err("there is none").near.as_deref(), Some("lstm"));
    assert_eq!(built_in_model("something else").expect_err("there is none").near, None);
}

#[test]
fn an_empty_file_says_what_to_write() {
    let error = parse("").expect_err("no model");
    assert_eq!(error.to_string(), "a.toml, line 1: no model");
    assert!(error.hint.contains("[model.NAME]"), "{}", error.hint);
}

#[test]
fn everything_that_a_study_may_say() {
    let study = parse(
        r#"
title = "How wide?"
models = ["cnn", "small"]
datasets = ["mnist", "fashion-mnist"]
protocol = "original"
seeds = 5
seed = 7
audit_selection = true
recipe = { epochs = 2 }
target = { accuracy = 0.99, max_parameters = 50_000 }

[model.small]
like = "cnn"
variables = { filters = 4, more_filters = 8, units = 16 }
recipe = { batch_size = 64, epochs = 9 }
"#,
    )
    .expect("a study");
    assert_eq!(study.title.as_deref(), Some("How wide?"));
    assert_eq!(names(&study), ["cnn", "small"]);
    assert_eq!(study.datasets, ["mnist", "fashion-mnist"]);
    assert_eq!((study.protocol, study.runs, study.first_seed), (Protocol::Original, 5, 7));
    assert!(study.audit_selection);
    let target = study.target.expect("a target");
    assert_eq!((target.accuracy, target.max_parameters, target.max_epochs), (0.99, Some(50_000), None));
    assert_eq!(layers(&study, 1)[0], "conv 4 3x3");
    assert_eq!(layers(&study, 1)[7], "dense 16");
    // What stands for all models comes after what a model says of itself.
    let recipe = &study.models[1].recipe;
    assert_eq!((recipe.epochs, recipe.batch_size), (2, 64));
}

#[test]
fn what_is_not_said_is_the_studys() {
    let study = parse("models = [\"lstm\"]").expect("a study");
    let lstm = built_in_model("lstm").expect("it is there");
    assert_eq!((&study.models[0].architecture, &study.models[0].recipe), (&lstm.architecture, &lstm.recipe));
    assert_eq!(study.models.len(), 1);
    assert_eq!((study.protocol, study.runs, study.first_seed), (Protocol::Sound, 3, 0));
    assert_eq!(study.datasets, ["mnist"]);
    assert!(study.target.is_none() && !study.audit_selection && study.title.is_none());
}

#[test]
fn grids_combine_every_value_the_last_fastest() {
    let study = parse(
        r#"
models = ["lstm", "mlp-like"]
[model.mlp-like]
variables = { width = 8 }
layers = ["flatten", "dense {width}", "relu", "dense classes"]
grid = { width = [8, 16] }
[grid]
learning_rate = [0.001, 0.01]
batch_size = [32, 64]
"#,
    )
    .expect("a study");
    assert_eq!(study.models.len(), 4 + 8);
    assert_eq!(names(&study)[0], "lstm learning_rate=0.001 batch_size=32");
    assert_eq!(names(&study)[1], "lstm learning_rate=0.001 batch_size=64");
    assert_eq!(names(&study)[11], "mlp-like width=16 learning_rate=0.01 batch_size=64");
    assert_eq!(layers(&study, 11)[1], "dense 16");
    let recipe = &study.models[11].recipe;
    assert_eq!((recipe.learning_rate, recipe.batch_size), (0.01, 64));
}

/// One network in both precisions is two models, each under its own name.
#[test]
fn a_precision_is_set_for_all_models_for_one_and_in_a_grid() {
    let precisions = |text: &str| {
        let study = parse(text).expect("a study");
        let named =
            study.models.into_iter().map(|model| (model.architecture.name, model.recipe.precision.name()));
        named.collect::<Vec<_>>()
    };
    let of = |name: &str, precision| (name.to_owned(), precision);
    assert_eq!(precisions("models = [\"cnn\"]"), [of("cnn", "float32")]);
    assert_eq!(precisions("models = [\"cnn\"]\n[recipe]\nprecision = \"bf16\""), [of("cnn", "bf16")]);
    assert_eq!(
        precisions(
            "models = [\"cnn\", \"cnn-bf16\"]\n[model.cnn-bf16]\nlike = \"cnn\"\nrecipe = { precision = \"bf16\" }"
        ),
        [of("cnn", "float32"), of("cnn-bf16", "bf16")]
    );
    assert_eq!(
        precisions("models = [\"cnn\"]\n[grid]\nprecision = [\"float32\", \"bf16\"]"),
        [of("cnn precision=float32", "float32"), of("cnn precision=bf16", "bf16")]
    );
}

/// A constant joins the optimiser that was named alone.
#[test]
fn a_dotted_setting_keeps_what_stands_beside_it() {
    let study = parse(
        r#"
models = ["cnn"]
recipe = { optimiser = "sgd" }
[grid]
"optimiser.momentum" = [0.5]
"#,
    )
    .expect("a study");
    let written = serde_json::to_value(study.models[0].recipe.optimiser).expect("plain values");
    assert_eq!((&written["kind"], &written["momentum"]), (&"sgd".into(), &0.5.into()));
}

#[test]
fn layers_nest_and_repeat() {
    let study = parse(
        r#"
[model.deep]
variables = { depth = 2 }
layers = [
  "conv 4 3x3 same",
  { repeat = "{depth}", layers = [{ residual = ["relu", "conv 4 3x3 same"] }, "relu"] },
  { residual = ["conv 8 1x1"], shortcut = ["conv 8 3x3 same"] },
  "flatten", "dense classes",
]
"#,
    )
    .expect("a study");
    let layers = &study.models[0].architecture.layers;
    assert_eq!(layers.len(), 1 + 2 * 2 + 1 + 2);
    assert_eq!(layers[1], layers[3]);
    let LayerSpec::Residual { body, shortcut } = &layers[5] else { panic!("{:?}", layers[5]) };
    assert_eq!((body.len(), shortcut.len()), (1, 1));
}

/// A layer that does not fit is found in the file, wherever it is nested.
#[test]
fn a_shape_that_does_not_fit_is_told_with_its_line() {
    let study = parse(
        r#"
[model.deep]
layers = [
  "conv 4 3x3",
  { residual = [
      "relu",
      "conv 5 9x9",
  ] },
  "flatten", "dense classes",
]
"#,
    )
    .expect("it is spelled correctly");
    let model = &study.models[0];
    let error = model.architecture.describe([8, 8], 10).expect_err("it does not fit");
    assert_eq!(
        model.locate(error).expect("from a file").to_string(),
        "a.toml, line 7: model deep, layer 2.2 (conv 5 9x9): a kernel of 9x9 does not fit an image of 6×6×4"
    );
    let error = model.architecture.describe([28, 28], 10).expect_err("the sum does not fit");
    let told = model.locate(error).expect("from a file").to_string();
    assert!(told.starts_with("a.toml, line 5: model deep, layer 2 (residual ["), "{told}");
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_the_near_name() {
    for (text, line, problem, hint) in [
        ("model", 1, "", ""),
        ("modells = [\"cnn\"]", 1, "a study has no key `modells`", "did you mean `models`?"),
        ("models = [\"cnn\", \"ltsm\"]", 1, "model ltsm: no such model", "did you mean `lstm`?"),
        ("models = [\"cnn\", \"cnn\"]", 1, "models: cnn is named twice", ""),
        ("models = [1]", 1, "models: a text expected, 1 found", ""),
        ("models = []", 1, "models: a list of at least one expected", ""),
        ("models = [\"cnn\"]\nseeds = 0", 2, "seeds: a whole number of 1 to 1000 expected, 0 found", ""),
        (
            "models = [\"cnn\"]\nseeds = \"3\"",
            2,
            "seeds: a whole number of 1 to 1000 expected, \"3\" found",
            "",
        ),
        (
            "models = [\"cnn\"]\nprotocol = \"fair\"",
            2,
            "protocol: \"sound\", \"writers\" or \"original\" expected",
            "",
        ),
        ("models = [\"cnn\"]\ndatasets = []", 2, "datasets: a list of at least one expected", ""),
        ("models = [\"cnn\"]\n\n[recipe]\nepochz = 3", 4, "unknown field `epochz`", "did you mean `epochs`?"),
        ("models = [\"cnn\"]\n[recipe]\nepochs = 0", 3, "epochs: 1 to 10000 expected, 0 found", ""),
        ("models = [\"cnn\"]\n[recipe]\nepochs = 1.5", 3, "epochs: a whole number expected, 1.5 found", ""),
        ("models = [\"cnn\"]\n[grid]\nwidth = [1]", 3, "unknown field `width`", ""),
        ("models = [\"cnn\"]\n[grid]\nepochs = 3", 3, "grid, epochs: a list expected, 3 found", ""),
        ("models = [\"cnn\"]\n[target]\naccuracy = 99", 2, "target: accuracy: a fraction", ""),
        ("[model.a]\nlayers = [\"rellu\"]", 2, "layer `rellu`: unknown layer", "did you mean `relu`?"),
        ("[model.a]\nlayers = [\n\"relu\",\n\"conv 3\"]", 4, "a kernel such as 3x3 expected", ""),
        ("[model.a]\nlayers = [3]", 2, "a layer: a text such as \"relu\", or a table expected, 3 found", ""),
        (
            "[model.a]\nlayers = [{ residul = [] }]",
            2,
            "a table among layers has no key `residul`",
            "`residual`",
        ),
        (
            "[model.a]\nlayers = [{ repeat = 2 }]",
            2,
            "residual and perhaps shortcut, or repeat and layers",
            "",
        ),
        (
            "[model.a]\nlayers = [{ repeat = \"x\", layers = [\"relu\"] }]",
            2,
            "repeat: 0 to 2000 expected",
            "",
        ),
        (
            "[model.a]\nlayers = [{ repeat = 2000, layers = [\"relu\", \"relu\"] }]",
            2,
            "more than 2000 layers",
            "",
        ),
        ("[model.a]\nlayers = [\"dense {n}\"]", 2, "`dense {n}`: no variable n", "variables = { n = … }"),
        ("[model.a]\nlayers = [\"dense {n\"]", 2, "a closing brace expected", ""),
        (
            "[model.a]\nvariables = { n = 1 }\nlayers = [\"relu\"]",
            2,
            "variable n: no layer of model a has {n}",
            "",
        ),
        (
            "[model.a]\nvariables = { epochs = 1 }\nlayers = [\"dense {epochs}\"]",
            2,
            "variable epochs: a field of the recipe has that name",
            "",
        ),
        ("[model.a]\nlike = \"cn\"", 2, "model a: like cn: no such model", "did you mean `cnn`?"),
        ("[model.a]\nsummary = \"nothing\"", 1, "model a: no layers", ""),
        ("[model.\"a b\"]\nlayers = []", 1, "a name of 1 to 60 letters", ""),
        ("[model.a]\nlike = \"cnn\"\nlayer = []", 3, "model a has no key `layer`", "did you mean `layers`?"),
        ("models = [\"cnn\"]\nseed = 1979-05-27", 2, "no date is expected", ""),
        ("models = [\"cnn\"]\nseed = 99999999999999999999", 2, "too large", ""),
        ("models = [\"cnn\"]\n[recipe]\nlearning_rate = nan", 3, "a finite number expected", ""),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.problem.contains(problem), "{text}: {error}");
        assert!(error.hint.contains(hint) && !error.hint.is_empty(), "{text}: {}", error.hint);
    }
}

#[test]
fn a_grid_without_end_is_refused_before_it_is_made() {
    let values: Vec<String> = (1..=100).map(|value| value.to_string()).collect();
    let values = values.join(", ");
    let text = format!("models = [\"cnn\"]\n[grid]\nepochs = [{values}]\nbatch_size = [{values}]");
    assert_eq!(parse(&text).expect_err("too many").problem, "more than 1000 models");
}

#[test]
fn targets_are_checked() {
    let target = Target {
        accuracy: 0.99,
        max_parameters: None,
        max_multiply_adds: None,
        max_ram_bytes: None,
        max_flash_bytes: None,
        max_epochs: None,
        max_train_seconds: None,
    };
    assert_eq!(target.check(), Ok(target));
    for accuracy in [0.0, 1.5, f64::NAN] {
        assert!(Target { accuracy, ..target }.check().is_err());
    }
    assert!(Target { max_train_seconds: Some(0.0), ..target }.check().is_err());
}
