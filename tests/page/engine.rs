//! The engine behind the page: a study from its start to its verdict, asked about on the way.

use crate::server::Server;
use serde_json::{Value, json};
use std::{fs, process::Command};

/// Two small networks, trained in a few seconds.
const STUDY: &str = "models = [\"small\", \"smaller\"]\nseeds = 2\n\n[recipe]\nepochs = 1\nbatch_size = 512\n\n\
    [model.small]\nlayers = [\"conv 8 5x5 stride 2\", \"relu\", \"maxpool 2\", \"flatten\", \"dense classes\"]\n\n\
    [model.smaller]\nlayers = [\"lstm 8\", \"dense classes\"]\n";

fn is_done(state: &Value) -> bool {
    let runs = state["runs"].as_array().expect("runs");
    state["running"] == false && !runs.is_empty() && runs.iter().all(|run| run["state"] == "finished")
}

#[test]
fn a_study_runs_from_its_start_to_its_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    server.ask("start", &json!({ "text": STUDY }));
    let messages = server.messages(|message| {
        message["type"] == "summary" && message["summary"]["comparisons"][0]["runs"] == 2
    });
    assert_eq!(messages[0]["type"], "state");
    let of = |kind: &str| messages.iter().filter(|message| message["type"] == kind).count();
    assert!(of("weights") >= 4 && of("event") >= 8, "{} weights, {} events", of("weights"), of("event"));
    let state = server.wait(is_done);
    assert_eq!(state["runs"].as_array().map(Vec::len), Some(4));
    let summary = server.ask("summary", &json!({}));
    let verdict = &summary["comparisons"][0];
    assert!(verdict["interval"].is_array() && verdict["verdict"].is_string(), "{verdict}");

    // What lies in the folder is what the command's verbs take.
    let report = Command::new(env!("CARGO_BIN_EXE_mnist-study"))
        .args(["report", "--json"])
        .arg(folder.path())
        .output()
        .expect("the program");
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
    let reported: Value = serde_json::from_slice(&report.stdout).expect("JSON");
    assert_eq!(reported["comparisons"], summary["comparisons"]);
    for file in ["report.html", "report.md", "study.toml", "plan.json", "Accuracy_Comparison.png"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    assert_eq!(fs::read_dir(folder.path().join("models")).expect("weights").count(), 2);
    let html = server.ask("report", &json!({}));
    assert!(html["html"].as_str().is_some_and(|html| html.starts_with("<!DOCTYPE html>")));

    // A digit goes through both models.
    let images = server.ask("images", &json!({ "indices": [0, 1] }));
    assert_eq!(
        (images["images"][0]["label"].as_u64(), images["shape"].clone()),
        (Some(7), json!([28, 28, 1]))
    );
    let image = images["images"][0]["pixels"].clone();
    let answers = server.ask("answer", &json!({ "image": image }));
    let answers = answers["models"].as_array().expect("models");
    assert_eq!(answers.len(), 2);
    for answer in answers {
        let sum: f64 =
            answer["probabilities"].as_array().expect("classes").iter().filter_map(Value::as_f64).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{answer}");
        assert_eq!((answer["finished"].as_bool(), answer["seed"].as_u64()), (Some(true), Some(1)));
        // The same weights as those of the record: the same answer.
        let model = answer["name"].as_str().expect("a name");
        let of_runs = server.ask("answers_of", &json!({ "index": 0 }));
        let recorded = of_runs["models"].as_array().expect("models").iter().find(|one| one["name"] == model);
        let recorded = &recorded.expect("the model")["runs"][1]["probabilities"];
        for class in 0..10 {
            let [one, other] = [&answer["probabilities"][class], &recorded[class]]
                .map(|one| one.as_f64().expect("a number"));
            assert!((one - other).abs() < 2e-4, "{model}, class {class}: {one}, {other}");
        }
        let inside = server.ask("inside", &json!({ "model": model, "image": image }));
        assert_eq!(inside["probabilities"], answer["probabilities"]);
        let layers = inside["layers"].as_array().expect("layers");
        match model {
            "small" => {
                let kinds: Vec<&str> = layers.iter().filter_map(|layer| layer["kind"].as_str()).collect();
                assert_eq!(kinds, ["conv", "relu", "maxpool", "flatten", "dense"]);
                assert_eq!(layers[0]["shape"], json!([12, 12, 8]));
                assert_eq!(layers[0]["filters"]["shape"], json!([8, 5, 5, 1]));
                assert_eq!(layers[4]["weights"]["shape"], json!([288, 10]));
            }
            _ => assert_eq!(layers[0]["states"]["shape"], json!([28, 8])),
        }
    }
    let errors = server.ask("errors", &json!({}));
    let counted: u64 = errors["models"][0]["confusion"]
        .as_array()
        .expect("rows")
        .iter()
        .flat_map(|row| row.as_array().expect("columns"))
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(counted, 20_000, "two runs of 10,000 images");
    assert!(errors["missed"].as_array().is_some_and(|missed| missed.len() > 100));

    // Killed and started again, it has the study, its figures and its models.
    server.kill();
    let server = Server::start(folder.path(), &[]);
    let state = server.ask("state", &json!({}));
    assert!(is_done(&state), "{state}");
    assert_eq!(state["text"], STUDY);
    assert_eq!(server.ask("summary", &json!({}))["comparisons"], summary["comparisons"]);
    let again = server.ask("answer", &json!({ "image": image }));
    assert_eq!(again["models"].as_array().map(Vec::len), Some(2));
    assert_eq!(again["models"][0]["probabilities"], answers[0]["probabilities"]);

    // One more run of each, and nothing made twice.
    server.ask("start", &json!({ "text": STUDY.replace("seeds = 2", "seeds = 3") }));
    let state = server.ask("state", &json!({}));
    let finished =
        state["runs"].as_array().expect("runs").iter().filter(|run| run["state"] == "finished").count();
    assert_eq!(finished, 4);
    server.wait(is_done);
    assert_eq!(server.ask("summary", &json!({}))["comparisons"][0]["runs"], 3);
    assert_eq!(server.interrupt(), Some(130));
}

#[test]
fn a_run_that_is_stopped_is_given_up_and_a_pause_finishes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let long = STUDY.replace("epochs = 1", "epochs = 50");
    server.ask("start", &json!({ "text": long }));
    let training =
        |state: &Value| state["runs"][0]["state"] == "training" && state["runs"][0]["epochs"][0].is_object();
    server.wait(training);
    // Weights are there before the run is done.
    let image = server.ask("images", &json!({ "indices": [3] }))["images"][0]["pixels"].clone();
    let answer = server.ask("answer", &json!({ "image": image }))["models"][0].clone();
    assert_eq!(answer["finished"], false);
    server.ask("stop", &json!({}));
    let state = server.wait(|state| state["running"] == false);
    assert!(state["runs"].as_array().expect("runs").iter().all(|run| run["state"] == "waiting"), "{state}");

    server.ask("start", &json!({ "text": STUDY }));
    server.wait(|state| state["runs"][0]["state"] == "training" || state["runs"][0]["state"] == "finished");
    server.ask("pause", &json!({}));
    let state = server.wait(|state| state["running"] == false);
    let finished =
        state["runs"].as_array().expect("runs").iter().filter(|run| run["state"] == "finished").count();
    assert!((1..4).contains(&finished), "{state}");
    server.ask("resume", &json!({}));
    server.wait(is_done);
}

#[test]
fn a_study_is_described_and_its_mistakes_are_mended() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let study = server.ask("study", &json!({ "text": STUDY }));
    let layers = study["models"][0]["layers"].as_array().expect("layers");
    assert_eq!((layers[0]["line"].as_u64(), layers[0]["output"].clone()), (Some(9), json!([12, 12, 8])));
    assert_eq!(study["models"][0]["parameters"], 8 * 26 + 288 * 10 + 10);
    let catalogue = server.ask("catalogue", &json!({}));
    assert!(catalogue["models"].as_array().is_some_and(|models| models.len() >= 10));
    // Each built-in model's text is a study file's section.
    for model in catalogue["models"].as_array().expect("models") {
        let name = model["name"].as_str().expect("a name");
        let text = format!("models = [\"own\"]\n{}", model["text"].as_str().expect("a text"));
        let text = text.replacen(&format!("[model.{name}]"), "[model.own]", 1);
        let read = server.ask("study", &json!({ "text": text }));
        assert_eq!(read["models"][0]["parameters"], model["parameters"], "{name}");
    }
    for (wrong, right) in [
        ("conf 8 5x5 stride 2", "conv 8 5x5 stride 2"),
        ("relo", "relu"),
        ("maxpol 2", "maxpool 2"),
        ("linear 8", "dense 128"),
        ("bn", "batchnorm"),
    ] {
        let text = format!(
            "models = [\"own\"]\n\n[model.own]\nlayers = [\n  \"{wrong}\",\n  \"flatten\", \"dense classes\",\n]\n"
        );
        let problem = server.call("study", &json!({ "text": text })).expect_err(wrong);
        assert_eq!(problem["line"], 5, "{problem}");
        if wrong != "linear 8" {
            assert_eq!(problem["mend"]["text"], json!(format!("  \"{right}\",")), "{problem}");
        }
    }
    for (wrong, right) in [
        ("models = [\"cnm\"]\n", "models = [\"cnn\"]"),
        ("modles = [\"cnn\"]\n", "models = [\"cnn\"]"),
        ("models = [\"cnn\"]\n[recipe]\nlr = 0.1\n", "learning_rate = 0.1"),
    ] {
        let problem = server.call("study", &json!({ "text": wrong })).expect_err(wrong);
        assert_eq!(problem["mend"]["text"], right, "{problem}");
    }
    // A mend that would not help is not offered.
    let text = "models = [\"own\"]\n[model.own]\nlayers = [\"dense 5\", \"softmax\"]\n";
    let problem = server.call("study", &json!({ "text": text })).expect_err("softmax");
    assert!(
        problem.get("mend").is_none() || problem["mend"]["text"] == "layers = [\"dense 5\"]",
        "{problem}"
    );
}

/// Two networks that are trained in a second.
fn quick(seeds: usize, title: &str, activation: &str) -> String {
    format!(
        "{title}models = [\"own\", \"plain\"]\nseeds = {seeds}\n\n[recipe]\nepochs = 1\ntraining_images = 500\n\n[model.own]\n\
         layers = [\"flatten\", \"dense 16\", \"{activation}\", \"dense classes\"]\n\n[model.plain]\n\
         layers = [\"flatten\", \"dense classes\"]\n"
    )
}

fn records(folder: &std::path::Path) -> usize {
    fs::read_dir(folder.join("records")).map_or(0, Iterator::count)
}

#[test]
fn runs_that_are_used_again_lie_in_the_folder_of_their_study() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    server.ask("start", &json!({ "text": quick(2, "", "relu") }));
    server.wait(is_done);
    server.ask("start", &json!({ "text": quick(2, "title = \"records\"\n", "relu") }));
    let state = server.wait(is_done);
    let other = std::path::PathBuf::from(state["folder"].as_str().expect("a folder"));
    assert_ne!(other, folder.path().join("records"), "not where records are");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !other.join("report.html").is_file() && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!((records(folder.path()), records(&other)), (4, 4));
    let written: Value =
        serde_json::from_str(&fs::read_to_string(other.join("summary.json")).expect("a summary"))
            .expect("JSON");
    assert_eq!(written["comparisons"], server.ask("summary", &json!({}))["comparisons"]);
    // What the page had last is what it begins with.
    server.kill();
    let server = Server::start(folder.path(), &[]);
    let state = server.ask("state", &json!({}));
    assert!(state["title"] == "records" && is_done(&state), "{state}");
}

#[test]
fn weights_answer_for_their_own_run_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let image = server.ask("images", &json!({ "indices": [3] }))["images"][0]["pixels"].clone();
    let asked =
        || server.ask("answer", &json!({ "image": image }))["models"].as_array().expect("models").clone();
    server.ask("start", &json!({ "text": quick(2, "", "relu") }));
    server.wait(is_done);
    assert!(asked().iter().all(|answer| answer["seed"] == 1), "the last run of each");
    // Fewer runs: the last that the study has.
    server.ask("start", &json!({ "text": quick(1, "", "relu") }));
    server.wait(is_done);
    let answers = asked();
    assert!(answers.len() == 2 && answers.iter().all(|answer| answer["seed"] == 0), "{answers:?}");
    server.ask("inside", &json!({ "model": "own", "image": image }));
    // Another network of the same name and size has learnt nothing yet.
    let slow = quick(1, "", "tanh").replace("epochs = 1", "epochs = 10000");
    server.ask("start", &json!({ "text": slow }));
    server.wait(|state| state["runs"][0]["epochs"].as_array().is_some_and(|epochs| epochs.len() >= 20));
    // Its weights are copied some times a second, and say of which epoch they are.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let own = loop {
        let own = asked().into_iter().find(|answer| answer["name"] == "own");
        match own {
            Some(own) if own["epoch"].as_u64().is_some_and(|epoch| epoch >= 20) => break own,
            own => assert!(std::time::Instant::now() < end, "it has learnt for a while: {own:?}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert_eq!(own["finished"], json!(false));
    // An epoch has four steps of the 500 images.
    assert!(own["step"].as_u64().is_some_and(|step| (1..=4).contains(&step)), "{own}");
    // A run that is given up answers no more; begun again at once, it is made.
    for _ in 0..3 {
        server.ask("stop", &json!({}));
        server.ask("start", &json!({ "text": slow }));
        server.wait(|state| state["runs"][0]["state"] == "training");
    }
    server.ask("stop", &json!({}));
    server.wait(|state| state["running"] == false);
    assert!(asked().iter().all(|answer| answer["name"] != "own"));
}

#[test]
fn a_folder_that_was_left_with_another_study_does_not_keep_the_page_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    for text in
        ["dataset = \"photos\"\nmodels = [\"mlp\"]\n", "no study", "datasets = [\"mnist\", \"usps\"]\n"]
    {
        fs::write(folder.path().join("study.toml"), text).expect("written");
        let server = Server::start(folder.path(), &[]);
        assert!(server.ask("state", &json!({}))["text"].as_str().is_some_and(|text| text.contains("lstm")));
    }
}

#[test]
fn folds_share_no_images() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let text = quick(1, "folds = 2\n", "relu").replace("seeds = 1\n", "");
    server.ask("start", &json!({ "text": text }));
    server.wait(is_done);
    assert!(server.call("answers_of", &json!({ "index": 20 })).is_err());
    assert!(server.ask("errors", &json!({}))["missed"].as_array().is_some_and(Vec::is_empty));
}
