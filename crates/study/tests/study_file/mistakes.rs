//! What people write who know other programs, or who write their first study: each is told where it is and what to write.

use super::parse;

/// The problem and the hint of a file that is wrong; what does not fit MNIST's images counts.
fn told(text: &str) -> (usize, String, String) {
    let error = match parse(text) {
        Err(error) => error,
        Ok(study) => {
            let unfit = study.models.iter().find_map(|model| {
                let error = model.architecture.describe([28, 28], 10).err()?;
                Some(model.locate(error).unwrap_or_else(|error| panic!("without its line: {error}")))
            });
            unfit.unwrap_or_else(|| panic!("nothing wrong found: {text}"))
        }
    };
    assert_eq!(error.file, "a.toml", "{text}");
    (error.line, error.problem, error.hint)
}

#[test]
fn what_stands_in_the_wrong_place_is_told_its_place() {
    for (text, line, problem, hint) in [
        (
            "models = [\"cnn\"]\nepochs = 3",
            2,
            "a study has no key `epochs`",
            "put it under [recipe], or write `recipe = { epochs = 3 }`",
        ),
        (
            "models = [\"cnn\"]\noptimiser = \"sgd\"",
            2,
            "a study has no key `optimiser`",
            "put it under [recipe], or write `recipe = { optimiser = \"sgd\" }`",
        ),
        (
            "models = [\"cnn\"]\n[augmentation]\nrotation = 10",
            2,
            "a study has no key `augmentation`",
            "write [recipe.augmentation]",
        ),
        ("models = [\"cnn\"]\nrotation = 10", 2, "no key `rotation`", "put it under [recipe.augmentation]"),
        ("models = [\"cnn\"]\naccuracy = 0.99", 2, "no key `accuracy`", "put it under [target]"),
        ("layers = [\"flatten\", \"dense classes\"]", 1, "no key `layers`", "put it under [model.NAME]"),
        (
            "[model.a]\nlike = \"cnn\"\nepochs = 3",
            3,
            "model a has no key `epochs`",
            "put it under [model.a.recipe], or write `recipe = { epochs = 3 }`",
        ),
        (
            "[model.a]\nlike = \"cnn\"\nseeds = 5",
            3,
            "model a has no key `seeds`",
            "it belongs to the study: put it above the first line in brackets",
        ),
        (
            "models = [\"cnn\"]\n[recipe]\nseeds = 5",
            3,
            "unknown field `seeds`",
            "it belongs to the study: put it above the first line in brackets",
        ),
        (
            "models = [\"cnn\"]\n[recipe]\nrotation = 5",
            3,
            "unknown field `rotation`",
            "write `augmentation = { rotation = … }`",
        ),
        (
            "models = [\"cnn\"]\n[recipe]\nmomentum = 0.9",
            3,
            "unknown field `momentum`",
            "write `optimiser = { kind = \"sgd\", momentum = 0.9 }`",
        ),
    ] {
        let found = told(text);
        assert_eq!(found.0, line, "{text}: {found:?}");
        assert!(found.1.contains(problem), "{text}: {}", found.1);
        assert!(found.2.starts_with(hint), "{text}: {}", found.2);
    }
}

#[test]
fn what_is_of_another_kind_is_told_how_it_is_written() {
    for (text, line, problem, hint) in [
        ("models = \"cnn\"", 1, "models: a list expected, \"cnn\" found", "write a list: models = [\"cnn\"]"),
        (
            "[models.a]\nlike = \"cnn\"",
            1,
            "models: a list expected, a table found",
            "describe each model under [model.NAME]",
        ),
        (
            "model = \"cnn\"",
            1,
            "model: tables [model.NAME] expected, \"cnn\" found",
            "write `models = [\"cnn\"]`",
        ),
        (
            "[[model]]\nlike = \"cnn\"",
            1,
            "model: tables [model.NAME] expected, a list found",
            "write [model.NAME] with a name",
        ),
        ("model.a = \"cnn\"", 1, "model a: a table expected", "describe it under [model.a]"),
        (
            "models = [\"cnn\"]\ndataset = [\"mnist\", \"kmnist\"]",
            2,
            "dataset: a text expected, a list found",
            "write several as `datasets = [\"mnist\", …]`",
        ),
        (
            "models = [\"cnn\"]\ndatasets = \"mnist\"",
            2,
            "datasets: a list expected",
            "write one as `dataset = \"mnist\"`",
        ),
        (
            "models = [\"cnn\"]\nseeds = [1, 2, 3]",
            2,
            "seeds: a whole number of 1 to 1000 expected, a list found",
            "`seeds = 5` trains each model five times",
        ),
        ("models = [\"cnn\"]\nseeds = \"5\"", 2, "seeds: a whole number", "`seeds = 5`"),
        (
            "models = [\"cnn\"]\naudit_selection = \"yes\"",
            2,
            "true or false expected",
            "write `audit_selection = true`",
        ),
        ("[model.a]\nlayers = \"dense classes\"", 2, "layers: a list expected", "write a list of layers"),
        (
            "models = [\"cnn\"]\n[grid]\nepochs = 3",
            3,
            "grid, epochs: a list expected, 3 found",
            "write a list: epochs = [3]",
        ),
        (
            "models = [\"cnn\"]\n[grid]\nepochs = [3, 5, 3]",
            3,
            "grid, epochs: 3 stands there twice",
            "name each value once",
        ),
        (
            "models = [\"cnn\"]\n[recipe]\nepochs = \"5\"",
            3,
            "epochs: a whole number expected, \"5\" found",
            "write the number without quotes",
        ),
        (
            "models = [\"cnn\"]\n[recipe]\nlearning_rate = true",
            3,
            "learning_rate: a number expected, true found",
            "",
        ),
        (
            "models = [\"cnn\"]\n[recipe]\nkeep_best = 1",
            3,
            "keep_best: true or false expected, 1 found",
            "write `keep_best = true`",
        ),
        ("models = [\"cnn\"]\n[recipe]\nepochs = -3", 3, "epochs: a whole number expected, -3 found", ""),
        (
            "models = [\"cnn\"]\n[recipe]\noptimiser = \"adagrad\"",
            3,
            "optimiser: unknown choice `adagrad`",
            "",
        ),
        (
            "models = [\"cnn\"]\n[recipe]\nprecision = \"bf17\"",
            3,
            "precision: unknown choice `bf17`",
            "did you mean `bf16`?",
        ),
        (
            "models = [\"cnn\"]\n[recipe]\nschedule = \"step\"",
            3,
            "schedule: the constant `every_epochs` is missing",
            "write `schedule = { kind = \"…\", every_epochs = …",
        ),
        (
            "models = [\"cnn\"]\n[recipe.augmentation]\nshift = 1\nrotation = \"10\"",
            4,
            "augmentation.rotation: a number expected, \"10\" found",
            "write the number without quotes",
        ),
        (
            "models = [\"cnn\"]\n[recipe]\noptimizer = \"sgd\"",
            3,
            "unknown field `optimizer`",
            "did you mean `optimiser`?",
        ),
        ("models = [\"cnn\"]\n[recipe]\nlr = 0.1", 3, "unknown field `lr`", "write `learning_rate`"),
        (
            "models = [\"cnn\"]\n[recipe]\nbatch-size = 8",
            3,
            "unknown field `batch-size`",
            "did you mean `batch_size`?",
        ),
        (
            "models = [\"cnn\"]\n[target]\nacuracy = 0.9",
            3,
            "[target] has no key `acuracy`",
            "did you mean `accuracy`?",
        ),
        (
            "models = [\"a\"]\n[model.a]\nlike = \"cnn\"\ngrid = { epochs = [1, 2] }\n[grid]\nepochs = [3, 4]",
            6,
            "grid, epochs: model a has it in a grid of its own",
            "leave it out of one of the two",
        ),
        (
            "title = \"two\\nlines\"\nmodels = [\"cnn\"]",
            1,
            "title: a text on one line expected, the character U+000A found",
            "leave out line breaks",
        ),
    ] {
        let found = told(text);
        assert_eq!(found.0, line, "{text}: {found:?}");
        assert!(found.1.contains(problem), "{text}: {}", found.1);
        assert!(found.2.starts_with(hint) && !found.2.is_empty(), "{text}: {}", found.2);
    }
}

#[test]
fn layers_of_other_programs_are_told_their_name_here() {
    for (layers, hint) in [
        (
            &["flatten", "dense classes", "softmax"][..],
            "leave it out: the loss and the report apply the softmax",
        ),
        (&["flatten", "dense classes", "LogSoftmax"], "leave it out"),
        (&["conv2d 32 3x3"], "did you mean `conv`?"),
        (&["flatten", "Dense(128)"], "did you mean `dense`?"),
        (&["flatten", "linear 128"], "write `dense 128`"),
        (&["conv 32 3x3", "max_pool2d 2"], "did you mean `maxpool`?"),
        (&["GlobalAveragePooling2D"], "write `global avgpool`"),
        (&["conv 32 3x3", "LeakyReLU"], "did you mean `leaky relu`?"),
        (&["BatchNormalization"], "did you mean `batchnorm`?"),
        (&["swish"], "write `silu`"),
        (&["reshape 28 28"], "write `rows`"),
        (&["Input(28,28,1)"], "leave it out"),
        (&["residual"], "write a table: { residual ="),
        (&["repeat 3"], "write a table: { repeat = 3"),
        (&["conv 32, 3x3"], "write spaces between the words"),
        (&["conv 32 3x3 relu"], "write \"relu\" as a layer of its own"),
        (&["conv 32 3x3 padding=same"], "write `same`, or `pad 1`"),
        (&["conv 32 3x3 valid"], "leave out `valid`"),
        (&["maxpool 2x2"], "windows are square: write `maxpool 2`"),
        (&["lstm 64 return_sequences"], "write `sequence`"),
        (&["conv 32 3"], "`mnist-study models --layers` lists how every layer is spelled"),
        (&["lstm 64", "lstm 64", "dense classes"], "write `lstm 64 sequence` as layer 1"),
        (&["conv 8 3x3", "dense classes"], "put `flatten` or `global avgpool` before it"),
        (&["flatten", "dense 64"], "write `dense classes` in the place of `dense 64`"),
        (&["lstm 64 sequence", "dense classes"], "write the last recurrent layer as `lstm 64`"),
        (
            &["conv 8 29x29", "flatten", "dense classes"],
            "`mnist-study models --describe a.toml` shows the shapes",
        ),
    ] {
        let quoted: Vec<String> = layers.iter().map(|layer| format!("  \"{layer}\",\n")).collect();
        let (line, problem, found) = told(&format!("[model.a]\nlayers = [\n{}]\n", quoted.concat()));
        assert!((3..3 + layers.len()).contains(&line), "{layers:?}: line {line}");
        assert!(problem.contains("layer"), "{layers:?}: {problem}");
        assert!(found.starts_with(hint), "{layers:?}: {problem}: {found}");
    }
}

/// A built-in model has no line that its user could change: the file's own does.
#[test]
fn what_is_wrong_with_a_built_in_model_is_told_of_the_file_that_names_it() {
    for (text, said) in [
        (
            "models = [\"mlp\"]\n[recipe]\nlearning_rate = 99",
            "a.toml, line 3: model mlp: learning rate: a number above 0 and at most 10 expected, 99 found",
        ),
        (
            "models = [\"cnn\"]\n\n[grid]\nfilters = [8, 0]",
            "a.toml, line 4: model cnn: layer `conv 0 3x3`: a number of filters of 1 to 65536 expected, `0` found",
        ),
        (
            "models = [\"x\"]\n\n[model.x]\nlike = \"cnn\"\nvariables = { filters = 0 }",
            "a.toml, line 3: model x: layer `conv 0 3x3`: a number of filters of 1 to 65536 expected, `0` found",
        ),
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert!(error.starts_with(said), "{error}");
    }
    let study = parse("models = [\n  \"lstm\",\n  \"cnn\",\n]").expect("a study");
    let error = study.models[1].architecture.describe([4, 4], 10).expect_err("it does not fit");
    let told = study.models[1].locate(error).expect("the file names it").to_string();
    assert!(
        told.starts_with("a.toml, line 3: model cnn, layer 3 (maxpool 2)")
            || told.starts_with("a.toml, line 3: model cnn, layer 4"),
        "{told}"
    );
    let study = parse("[model.x]\nlike = \"cnn\"").expect("a study");
    let error = study.models[0].architecture.describe([4, 4], 10).expect_err("it does not fit");
    let told = study.models[0].locate(error).expect("from a file").to_string();
    assert!(told.starts_with("a.toml, line 1: model x, layer "), "{told}");
}
