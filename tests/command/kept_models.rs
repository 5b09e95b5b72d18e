//! The weights that a study keeps beside its records, and what is done with them without training again.

use crate::common::{Bench, Said, said, start};
use records::{
    kept_models::{KeptModel, kept_models},
    store::Store,
};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
};

/// The weights of a folder; each is whole, and that of its record.
fn kept(bench: &Bench, out: &str) -> Vec<KeptModel> {
    let folder = bench.path().join(out);
    let kept = kept_models(&folder).expect("readable");
    for model in &kept {
        let results = model.path.parent().and_then(|models| models.parent()).expect("in a results folder");
        let record = Store::of(results).read(&model.id).expect("sound").expect("there");
        let bytes = fs::read(&model.path).expect("kept");
        assert_eq!(model.bytes, bytes.len() as u64);
        let description = interchange::describe(&bytes).expect("a model of ours");
        let training = description.training.clone().expect("stated");
        assert_eq!(training.fingerprint, record.fingerprint);
        assert_eq!(training.test_accuracy, record.test.accuracy);
        let mut network = description.model(nn::InstructionSet::detect(), 1).expect("a network");
        interchange::load(&bytes, &description, &[], &mut network).expect("its weights");
        assert_eq!(nn::fingerprint(network.parameters()), record.fingerprint);
    }
    kept
}

fn named(kept: &[KeptModel]) -> Vec<String> {
    kept.iter().map(KeptModel::in_words).collect()
}

fn contents(kept: &[KeptModel]) -> BTreeMap<String, Vec<u8>> {
    kept.iter().map(|model| (model.id.clone(), fs::read(&model.path).expect("kept"))).collect()
}

/// The notes of weights that are missing.
fn missing(said: &Said) -> Vec<&str> {
    said.stderr.lines().filter(|line| line.contains(" has no weights of ")).collect()
}

#[test]
fn a_study_keeps_the_last_run_of_each_model_and_verbs_answer_from_it() {
    let bench = Bench::new();
    let made = said(&mut bench.compare("out", &["mlp", "cnn"]));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(made.stdout.ends_with("Report: out/report.html\nWeights: out/models\n"), "{}", made.stdout);
    let models = kept(&bench, "out");
    assert_eq!(named(&models), ["mlp, seed 1", "cnn, seed 1"]);
    let names = [0, 1].map(|index| {
        let KeptModel { model, seed, id, .. } = &models[index];
        format!("{model}-seed{seed}-{id}.safetensors")
    });
    assert_eq!(bench.files("out/models"), [names[1].clone(), names[0].clone()]);
    let fingerprint = |model: &str| {
        let all = bench.fingerprints("out");
        all.into_iter().find(|(name, seed, _)| name == model && *seed == 1).expect("a run").2
    };
    // The file, or a folder in which it is the only one.
    assert_eq!(said(&mut bench.compare("alone", &["mlp", "--quiet"])).code, Some(0));
    fs::write(bench.path().join("image.pgm"), [&b"P5 12 14 255\n"[..], &[7; 168]].concat()).expect("written");
    for file in [format!("out/models/{}", names[0]), "alone".to_owned()] {
        let evaluated = said(&mut bench.command(&["evaluate", &file, "--dataset", "data", "--json"]));
        assert_eq!(evaluated.code, Some(0), "{}", evaluated.stderr);
        let evaluated: serde_json::Value = serde_json::from_str(&evaluated.stdout).expect("JSON");
        assert_eq!(evaluated["fingerprint"], fingerprint("mlp"));
        let predicted = said(&mut bench.command(&["predict", &file, "image.pgm", "--as-is"]));
        assert_eq!(predicted.code, Some(0), "{}", predicted.stderr);
        assert!(predicted.stdout.starts_with("image.pgm  "), "{}", predicted.stdout);
        let exported = said(&mut bench.command(&["export", &file, "--onnx", "mlp.onnx"]));
        assert_eq!(exported.code, Some(0), "{}", exported.stderr);
        fs::remove_file(bench.path().join("mlp.onnx")).expect("written");
    }
    // Of several the one that is meant has to be named; the hint names one.
    for (verb, more) in [
        ("predict", &["image.pgm", "--as-is"][..]),
        ("evaluate", &["--dataset", "data"]),
        ("export", &["--onnx", "mlp.onnx"]),
    ] {
        let refused = said(bench.command(&[verb, "out"]).args(more));
        assert_eq!(refused.code, Some(2), "{verb}: {}", refused.stderr);
        let rest = if verb == "predict" { "image.pgm".to_owned() } else { more.join(" ") };
        assert_eq!(
            refused.stderr,
            format!(
                "error: out: a results folder with the weights of one model expected, those of 2 found (mlp, seed 1; cnn, seed 1)\n\
                 hint: name the file of one: `mnist-study {verb} out/models/{} {rest}`\n",
                names[0]
            )
        );
    }
    let over = ["export", "alone", "--safetensors", &alone_file(&bench)];
    let refused = said(&mut bench.command(&over));
    assert_eq!(refused.code, Some(2), "a model is not written over: {}", refused.stderr);
    // Nothing that reads the folder touches them.
    let before = contents(&models);
    for verb in [&["report", "out"][..], &["status", "out"], &["verify", "out"]] {
        assert_eq!(said(&mut bench.command(verb)).code, Some(0), "{verb:?}");
    }
    assert_eq!(contents(&kept(&bench, "out")), before);
}

fn alone_file(bench: &Bench) -> String {
    format!("alone/models/{}", bench.files("alone/models")[0])
}

#[test]
fn all_or_none_are_kept_and_what_is_missing_is_told_once() {
    let bench = Bench::new();
    let compare = |more: &[&str]| {
        let said = said(bench.compare("out", &["mlp", "lstm"]).args(more));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        said
    };
    let none = compare(&["--keep-models", "none"]);
    assert!(!bench.path().join("out/models").exists() && !none.stdout.contains("Weights: "));
    assert_eq!(missing(&none), [""; 0], "nothing was asked for");
    let refused = said(&mut bench.command(&["evaluate", "out", "--dataset", "data"]));
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("weights of a model expected, none found"), "{}", refused.stderr);
    // Nothing is trained again for it.
    let later = compare(&[]);
    assert_eq!(later.stderr.matches("kept from before").count(), 4, "{}", later.stderr);
    let ids: Vec<String> = ["mlp", "lstm"].map(|model| id(&bench, model, 1)).to_vec();
    assert_eq!(
        missing(&later),
        [format!(
            "note: out/models has no weights of mlp, seed 1 and lstm, seed 1, recorded earlier: to train them again and keep their weights, \
             pass --fresh --only {} --only {}",
            ids[0], ids[1]
        )]
    );
    assert_eq!(missing(&compare(&["--quiet"])), [""; 0]);
    let many = compare(&["--keep-models", "all"]);
    let [told] = missing(&many)[..] else { panic!("{}", many.stderr) };
    assert!(told.contains("no weights of 4 runs") && told.ends_with("pass --fresh"), "{told}");
    // What the note says to type.
    let again = compare(&["--fresh", "--only", &ids[0], "--only", &ids[1]]);
    assert_eq!(again.stderr.matches(": done, test").count(), 2, "{}", again.stderr);
    assert_eq!(named(&kept(&bench, "out")), ["mlp, seed 1", "lstm, seed 1"]);
    assert_eq!(missing(&compare(&[])), [""; 0]);
    // More seeds: what was kept stays, and the new last one is kept too.
    compare(&["--seeds", "3"]);
    let kept_now = named(&kept(&bench, "out"));
    assert_eq!(kept_now, ["mlp, seed 1", "lstm, seed 1", "mlp, seed 2", "lstm, seed 2"]);
    // With --fresh, what is kept is what is asked for.
    compare(&["--fresh", "--keep-models", "all"]);
    let all = kept(&bench, "out");
    assert_eq!(named(&all), ["mlp, seed 0", "lstm, seed 0", "mlp, seed 1", "lstm, seed 1"]);
    let before = contents(&all);
    compare(&["--fresh"]);
    let last = kept(&bench, "out");
    assert_eq!(named(&last), ["mlp, seed 1", "lstm, seed 1"]);
    assert!(last.iter().all(|model| fs::read(&model.path).expect("kept") != before[&model.id]), "new times");
    compare(&["--fresh", "--keep-models", "none"]);
    assert_eq!(kept(&bench, "out"), []);
    // Something else in their place is told before any run.
    fs::remove_dir_all(bench.path().join("out/models")).expect("removed");
    fs::write(bench.path().join("out/models"), "mine").expect("written");
    let refused = said(&mut bench.compare("out", &["mlp", "--seeds", "9"]));
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("error: out/models: "), "{}", refused.stderr);
    assert_eq!(bench.files("out/records").len(), 6);
}

/// The identity of a run.
fn id(bench: &Bench, model: &str, seed: u64) -> String {
    let store = Store::of(&bench.path().join("out"));
    let mut ids = store.identities().expect("records").into_iter();
    let is_it = |id: &String| {
        let run = store.read(id).expect("sound").expect("there").specification;
        (run.model.as_str(), run.seed) == (model, seed)
    };
    ids.find(is_it).expect("a record")
}

#[test]
fn odd_names_folds_data_sets_and_runs_side_by_side_keep_weights_of_their_own() {
    let bench = Bench::new();
    let other = data::synthetic(6, 240, 60, 14, 12, 3);
    data::write_directory(&other, &bench.path().join("other")).expect("the set is written");
    let study = "datasets = [\"data\", \"other\"]\nmodels = [\"-a.b\", \"A.b\"]\nfolds = 3\n[recipe]\nepochs = 1\n\
                 [model.\"-a.b\"]\nlayers = [\"flatten\", \"dense 4\", \"dense classes\"]\n\
                 [model.\"A.b\"]\nlayers = [\"flatten\", \"dense classes\"]\n";
    fs::write(bench.path().join("s.toml"), study).expect("written");
    let made = said(&mut bench.command(&["run", "s.toml", "--out", "out", "--jobs", "2"]));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let models = kept(&bench, "out");
    let last = ["-a.b, fold 3 of repetition 1", "A.b, fold 3 of repetition 1"];
    assert_eq!(named(&models), [last, last].concat());
    assert_eq!(
        models.iter().map(|model| model.dataset.as_str()).collect::<Vec<_>>(),
        ["data", "data", "other", "other"]
    );
    for folder in ["out/data/models", "out/other/models"] {
        let files = bench.files(folder);
        let expected = ["A.b-repeat1-fold3-", "a.b-repeat1-fold3-"];
        assert!(files.iter().zip(expected).all(|(name, start)| name.starts_with(start)), "{files:?}");
        assert_eq!(files.len(), 2);
    }
}

#[test]
fn shards_keep_their_weights_and_merging_unites_them() {
    let bench = Bench::new();
    let study = "title = \"Shards\"\nmodels = [\"mlp\", \"cnn\"]\ndataset = \"data\"\nseeds = 2\nrecipe = { epochs = 1 }\n";
    fs::write(bench.path().join("s.toml"), study).expect("written");
    for (shard, out, keep) in [("1/2", "one", "all"), ("2/2", "two", "last"), ("2/2", "none", "none")] {
        let run = ["run", "s.toml", "--shard", shard, "--out", out, "--keep-models", keep, "--quiet"];
        let made = said(&mut bench.command(&run));
        assert_eq!(made.code, Some(0), "{}", made.stderr);
    }
    let merge = |out: &str, inputs: &[&str]| {
        let merged = said(bench.command(&["merge", out]).args(inputs));
        assert_eq!(merged.code, Some(0), "{}", merged.stderr);
        kept(&bench, out)
    };
    let all = merge("all", &["one", "two", "none"]);
    let expected = [kept(&bench, "one"), kept(&bench, "two")].concat();
    assert_eq!(contents(&all), contents(&expected));
    assert_eq!(named(&all), ["mlp, seed 0", "cnn, seed 0", "mlp, seed 1", "cnn, seed 1"]);
    assert_eq!(contents(&merge("again", &["none", "two", "one"])), contents(&all));
    assert_eq!(contents(&merge("without", &["none"])), BTreeMap::new());
}

/// A run is recorded before it is told, and its weights with it: what a killed process finished is not lost.
#[test]
fn a_study_that_was_killed_goes_on_with_its_weights() {
    let bench = Bench::new();
    let study = ["compare", "lstm", "--dataset", "data", "--epochs", "40", "--seeds", "3", "--out", "out"];
    let mut first = start(&bench, &[&study, &["--keep-models", "all"]]);
    let mut lines = BufReader::new(first.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("run 1/3: lstm, seed 0: done")));
    first.kill().expect("killed");
    first.wait().expect("it ends");
    let before = contents(&kept(&bench, "out"));
    assert!(!before.is_empty() && before.len() < 3, "{}", before.len());
    let then = said(bench.command(&study).args(["--keep-models", "all"]));
    assert_eq!(then.code, Some(0), "{}", then.stderr);
    assert_eq!((missing(&then).len(), then.stderr.matches("kept from before").count()), (0, before.len()));
    let after = kept(&bench, "out");
    assert_eq!(after.len(), 3);
    assert!(before.iter().all(|(id, bytes)| contents(&after)[id] == *bytes), "those of kept records stay");
}
