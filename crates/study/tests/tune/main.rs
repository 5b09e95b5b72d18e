//! Searches: what they vary, that they can be stopped at any moment, and that they see no test image.

mod shards;

use kernels::InstructionSet;
use records::{
    event::{Event, Kind},
    question::Measure,
    record::Protocol,
    search_folder::SearchFolder,
    trial::{Outcome, TrialRecord},
    trial_store::TrialStore,
};
use search::{Halving, History, Sampler};
use serde_json::{Map, json};
use std::{fs, ops::ControlFlow, path::Path};
use study::{
    place::place,
    plan::identify,
    run::Session,
    study_file::{ModelTemplate, Setting, StudyFile, StudyFileError, built_in_templates},
    tune::{Budget, Candidate, Question, SettingSpace, TuneError, Tuned, Tuning, tune},
};
use tempfile::TempDir;

const STUDY: &str = r#"
[model.dense]
layers = ["flatten", "dense {units}", "relu", "dense classes"]
variables = { units = 16 }
recipe = { epochs = 4, batch_size = 16 }

[model.plain]
layers = ["flatten", "dense classes"]

[recipe]
epochs = 4

[search]
learning_rate = { log = [1e-4, 1e-1] }
batch_size = [8, 16, 32]
units = { log = [4, 32] }
"#;

fn session(folder: &Path) -> Session {
    let corpus = data::synthetic(5, 240, 60, 10, 9, 3);
    data::write_directory(&corpus, folder).expect("the set is written");
    let source = data::Source::parse(&folder.display().to_string()).expect("a folder");
    Session::open(&source, InstructionSet::detect(), 2).expect("the set is sound")
}

fn spaces_of(
    study: &StudyFile,
    shared: &[Setting],
    fixed: &[Setting],
) -> Result<Vec<SettingSpace>, StudyFileError> {
    let space =
        |template| SettingSpace::of_file(template, &study.templates, shared, &study.search, fixed, "a.toml");
    study.templates.iter().map(space).collect()
}

fn question(session: &Session, sampler: Sampler) -> Question {
    let study = StudyFile::parse(STUDY, "a.toml").expect("a study");
    let spaces = spaces_of(&study, &study.recipe, &[]);
    let candidates = study
        .templates
        .into_iter()
        .zip(spaces.expect("spaces"))
        .map(|(template, space)| Candidate { template, shared: study.recipe.clone(), space });
    Question {
        candidates: candidates.collect(),
        dataset: identify(session.corpus()),
        protocol: Protocol::Sound,
        decide_by: Measure::Accuracy,
        sampler,
        halving: Some(Halving::default()),
        round: 1,
        seed: 3,
        kernels: session.environment().kernels,
    }
}

/// The records of a search, without their clocks.
fn search(
    session: &Session,
    question: &Question,
    trials: usize,
    folder: &Path,
    break_after: usize,
) -> (Result<(), TuneError>, Vec<Vec<TrialRecord>>, usize) {
    let (mut events, mut made) = (0, 0);
    let mut listener = |event: &Event| {
        events += usize::from(matches!(event.kind, Kind::Step(_) | Kind::Epoch(_)));
        made += usize::from(matches!(&event.kind, Kind::TrialFinished(end) if !end.reused));
        if events > break_after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let Tuned { records, is_complete, ended } =
        tune(session, question, Budget::Trials(trials), &enter(folder), false, &mut listener);
    assert_eq!(is_complete, ended.is_ok());
    (ended, records, made)
}

fn enter(folder: &Path) -> SearchFolder {
    SearchFolder::of(folder, &place())
}

fn timeless(records: &[Vec<TrialRecord>]) -> Vec<TrialRecord> {
    let mut records: Vec<TrialRecord> = records.iter().flatten().cloned().collect();
    for record in &mut records {
        (record.train_seconds, record.total_seconds, record.warnings) = (0.0, 0.0, Vec::new());
        record.epochs.iter_mut().for_each(|epoch| epoch.train_seconds = 0.0);
    }
    records
}

#[test]
fn a_search_stopped_anywhere_goes_on_as_if_it_had_not_been() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let question = question(&session, Sampler::Tpe);
    let whole = search(&session, &question, 14, &folder.path().join("whole"), usize::MAX);
    whole.0.expect("the search ends");
    assert_eq!(whole.1.iter().map(Vec::len).collect::<Vec<_>>(), [15, 15], "as it stands, and 14 trials");
    let outcomes: Vec<&Outcome> = whole.1.iter().flatten().map(|record| &record.outcome).collect();
    assert!(outcomes.contains(&&Outcome::Stopped) && outcomes.contains(&&Outcome::Finished));

    let broken = folder.path().join("broken");
    let mut interruptions = 0;
    let last = loop {
        let (ended, records, made) = search(&session, &question, 14, &broken, 300);
        match ended {
            Ok(()) => break records,
            Err(TuneError::Run(error)) if error.is_interruption() => interruptions += 1,
            Err(error) => panic!("{error}"),
        }
        assert!(made > 0, "each attempt gets further");
    };
    assert!(interruptions >= 2, "{interruptions} interruptions");
    assert_eq!(timeless(&last), timeless(&whole.1));

    // Once more changes nothing, and a longer search begins with the same trials.
    let (_, again, made) = search(&session, &question, 14, &broken, usize::MAX);
    assert_eq!((again, made), (last.clone(), 0));
    let (_, longer, made) = search(&session, &question, 15, &broken, usize::MAX);
    assert_eq!((&longer[0][..15], made), (&last[0][..], 2));
}

#[test]
fn a_damaged_trial_is_made_again() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let question = question(&session, Sampler::Random);
    let (_, first, _) = search(&session, &question, 2, folder.path(), usize::MAX);
    let path = TrialStore::of(folder.path()).path("dense", Some(1));
    let text = fs::read_to_string(&path).expect("the trial");
    fs::write(&path, text.replace("\"seed\": 3", "\"seed\": 4")).expect("it is damaged");
    let (_, second, made) = search(&session, &question, 2, folder.path(), usize::MAX);
    assert_eq!((timeless(&second), made), (timeless(&first), 1));
}

#[test]
fn the_folder_of_another_search_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let mut question = question(&session, Sampler::Random);
    question.declare(folder.path(), false).expect("an empty folder");
    question.declare(folder.path(), false).expect("the same search");
    question.seed = 4;
    let error = question.declare(folder.path(), false).expect_err("another seed");
    assert!(
        error.to_string().ends_with("holds another search: it differs in its seed from what is asked for"),
        "{error}"
    );
    question.declare(folder.path(), true).expect("begun anew");
}

/// Files of the names that a search writes, and no search.
#[test]
fn files_that_no_search_left_are_not_replaced() {
    for name in ["search.json", "best.toml", "tuning.json", "tuning.md", "tuning.html", "Search.png"] {
        let folder = TempDir::new().expect("a folder");
        let session = session(&folder.path().join("data"));
        let question = question(&session, Sampler::Random);
        let path = folder.path().join(name);
        std::fs::write(&path, "mine").expect("written");
        let refused = question.declare(folder.path(), false).expect_err("not ours").to_string();
        assert!(refused.ends_with(&format!("holds {name}, and no search of this program")), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "mine");
        question.declare(folder.path(), true).expect("asked for");
    }
}

#[test]
fn what_was_found_is_a_study_that_runs() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let question = question(&session, Sampler::Random);
    let (_, records, _) = search(&session, &question, 6, folder.path(), usize::MAX);
    let tuning = Tuning::of(&question, records.clone()).expect("it is one");
    let study = StudyFile::parse(&tuning.best_study(), "best.toml").expect("a study file");
    assert_eq!((study.first_seed, study.models.len()), (4, 2), "seeds that the search did not see");
    for (outcome, model) in tuning.models.iter().zip(&study.models) {
        assert_eq!(model.architecture.layers, outcome.model.architecture.layers);
        assert_eq!(model.recipe, outcome.model.recipe);
        let best = outcome.best_record();
        let finished = outcome.trials.iter().filter(|trial| trial.outcome == Outcome::Finished);
        let accuracy = |trial: &TrialRecord| trial.last().expect("epochs").validation_accuracy;
        assert!(finished.chain([&outcome.as_it_stands]).all(|trial| accuracy(trial) <= accuracy(best)));
        assert_eq!(best.specification.as_ref().expect("it was trained").recipe, model.recipe);
        assert_eq!(outcome.expected_best.as_ref().map(Vec::len), Some(6));
    }
    session.check(&study.models[0]).expect("it fits");
}

/// The same training images with other test images lead to the same trials.
#[test]
fn the_test_images_change_nothing() {
    let folder = TempDir::new().expect("a folder");
    let one = session(&folder.path().join("one"));
    let corpus = data::synthetic(5, 240, 60, 10, 9, 3);
    let other_test = data::synthetic(77, 240, 60, 10, 9, 3);
    let path = folder.path().join("other");
    data::write_directory(&corpus, &path).expect("the set is written");
    let swapped = folder.path().join("swapped");
    data::write_directory(&other_test, &swapped).expect("the set is written");
    for entry in fs::read_dir(&swapped).expect("files") {
        let file = entry.expect("a file").file_name();
        if file.to_string_lossy().starts_with("t10k") {
            fs::copy(swapped.join(&file), path.join(&file)).expect("copied");
        }
    }
    let source = data::Source::parse(&path.display().to_string()).expect("a folder");
    let other = Session::open(&source, InstructionSet::detect(), 1).expect("the set is sound");
    assert_ne!(one.corpus().sha256(), other.corpus().sha256());
    let epochs = |session: &Session, name: &str| {
        let question = question(session, Sampler::Random);
        let (_, records, _) = search(session, &question, 3, &folder.path().join(name), usize::MAX);
        timeless(&records).into_iter().map(|record| (record.settings, record.epochs)).collect::<Vec<_>>()
    };
    assert_eq!(epochs(&one, "a"), epochs(&other, "b"));
}

#[test]
fn a_model_that_cannot_be_is_a_trial_that_came_to_nothing() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let text = "[model.a]\nvariables = { size = 3 }\nlayers = [\"conv 4 {size}x{size}\", \"flatten\", \"dense classes\"]\n\
                recipe = { epochs = 1 }\n[search]\nsize = [3, 25]\nlearning_rate = [1e-3, 10.0]\n";
    let study = StudyFile::parse(text, "a.toml").expect("a study");
    let spaces = spaces_of(&study, &[], &[]).expect("spaces");
    let candidate =
        Candidate { template: study.templates[0].clone(), shared: Vec::new(), space: spaces[0].clone() };
    let question = Question {
        candidates: vec![candidate],
        dataset: identify(session.corpus()),
        protocol: Protocol::Sound,
        decide_by: Measure::Accuracy,
        sampler: Sampler::Tpe,
        halving: None,
        round: 1,
        seed: 0,
        kernels: session.environment().kernels,
    };
    let (ended, records, _) = search(&session, &question, 10, folder.path(), usize::MAX);
    ended.expect("the search ends");
    assert_eq!(records[0].len(), 5, "as it stands, and each of four combinations once");
    let unusable =
        |record: &&TrialRecord| matches!(&record.outcome, Outcome::Unusable(why) if why.contains("conv"));
    assert_eq!(records[0].iter().filter(unusable).count(), 2);
    assert!(Tuning::of(&question, records).expect("it is one").models[0].best_so_far[3].is_some());
}

/// The same settings, and other images that validate.
#[test]
fn the_protocol_is_of_the_question() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let sound = question(&session, Sampler::Random);
    let writers = Question { protocol: Protocol::Writers, ..sound.clone() };
    assert_ne!(sound.identity().expect("a search"), writers.identity().expect("another"));
    let made = |question: &Question, name: &str| {
        let (ended, records, _) = search(&session, question, 1, &folder.path().join(name), usize::MAX);
        ended.expect("the search ends");
        records
    };
    let [at_random, by_writers] = [made(&sound, "sound"), made(&writers, "writers")];
    let loss = |records: &[Vec<TrialRecord>]| records[0][0].last().expect("trained").validation_loss;
    assert_ne!(loss(&at_random), loss(&by_writers));
    let best = Tuning::of(&writers, by_writers).expect("it is one").best_study();
    assert!(best.contains("protocol = \"writers\""), "{best}");
}

/// The trainings are the same to the bit; which of them is best is another question.
#[test]
fn a_search_goes_by_the_measure_that_decides() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let by = |decide_by: Measure| {
        let question = Question { decide_by, halving: None, ..question(&session, Sampler::Random) };
        let (ended, records, _) =
            search(&session, &question, 4, &folder.path().join(decide_by.name()), usize::MAX);
        ended.expect("the search ends");
        (question, records)
    };
    let (by_accuracy, plain) = by(Measure::Accuracy);
    for measure in [Measure::BalancedAccuracy, Measure::MacroF1, Measure::LogLoss] {
        let (question, records) = by(measure);
        assert_ne!(question.identity().expect("a search"), by_accuracy.identity().expect("another"));
        let mut values = Vec::new();
        for (plain, record) in plain.iter().flatten().zip(records.iter().flatten()) {
            for (plain, epoch) in plain.epochs.iter().zip(&record.epochs) {
                assert_eq!(
                    (plain.validation_loss, plain.validation_accuracy, plain.validation_measure),
                    (epoch.validation_loss, epoch.validation_accuracy, None)
                );
                assert_eq!(epoch.validation_measure.is_some(), measure != Measure::LogLoss);
                let value = epoch.validation(measure).expect("it was taken");
                assert!((0.0..=1.0).contains(&value) || measure == Measure::LogLoss, "{value}");
                values.push(value - epoch.validation_accuracy);
            }
        }
        assert!(values.iter().any(|difference| *difference != 0.0), "{measure:?} is not accuracy");
        let tuning = Tuning::of(&question, records).expect("it is one");
        let outcome = &tuning.models[0];
        let sign = if measure.larger_is_better() { 1.0 } else { -1.0 };
        let value = |record: &TrialRecord| record.last().and_then(|epoch| epoch.validation(measure));
        let all = outcome.trials.iter().filter_map(value).map(|value| sign * value);
        let best = sign * all.fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(outcome.best_so_far.last(), Some(&Some(best)), "{measure:?}");
        let expected = outcome.expected_best.as_ref().and_then(|all| all.last()).expect("at random");
        assert!((expected - best).abs() < 1e-12, "the best of all: {expected} {best}");
        let line = format!("decide_by = \"{}\"", measure.name());
        assert!(tuning.best_study().contains(&line), "{}", tuning.best_study());
    }
}

/// Such trials take no time, so that a budget of minutes would never be spent.
#[test]
fn settings_that_make_no_model_come_to_an_end_and_can_be_stopped() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let text = "[model.a]\nvariables = { size = 3 }\nlayers = [\"conv 4 {size}x{size}\", \"flatten\", \"dense classes\"]\n\
                recipe = { epochs = 1 }\n[search]\nsize = [25, 26]\nlearning_rate = { log = [1e-4, 1e-2] }\n";
    let study = StudyFile::parse(text, "a.toml").expect("a study");
    let space = spaces_of(&study, &[], &[]).expect("spaces").remove(0);
    let question = Question {
        candidates: vec![Candidate { template: study.templates[0].clone(), shared: Vec::new(), space }],
        dataset: identify(session.corpus()),
        protocol: Protocol::Sound,
        decide_by: Measure::Accuracy,
        sampler: Sampler::Random,
        halving: None,
        round: 1,
        seed: 0,
        kernels: session.environment().kernels,
    };
    let (mut finished, mut notes) = (0, Vec::new());
    let mut listener = |event: &Event| {
        match &event.kind {
            Kind::TrialFinished(_) => finished += 1,
            Kind::Note { text } => notes.push(text.to_owned()),
            _ => {}
        }
        ControlFlow::Continue(())
    };
    let store = enter(folder.path());
    tune(&session, &question, Budget::Seconds(1e6), &store, false, &mut listener).ended.expect("it ends");
    assert_eq!((finished, notes.len()), (101, 1), "as it stands, and a hundred");
    assert!(notes[0].starts_with("a: 100 settings in a row make no model"), "{notes:?}");

    let mut listener = |event: &Event| match (&event.kind, event.trial()) {
        (Kind::TrialFinished(_), Some(trial)) if trial.number == Some(4) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let stopped = tune(&session, &question, Budget::Trials(50), &store, false, &mut listener).ended;
    assert!(matches!(stopped, Err(TuneError::Run(error)) if error.is_interruption()));
}

/// Other instructions, other roundings: trials of both in one folder would be neither the one search nor the other.
#[test]
fn trials_of_other_kernels_are_another_search() {
    let folder = TempDir::new().expect("a folder");
    let one = session(&folder.path().join("data"));
    if one.environment().kernels == InstructionSet::PORTABLE.name() {
        return;
    }
    let asked = question(&one, Sampler::Random);
    asked.declare(folder.path(), false).expect("a new folder");
    let (_, _, made) = search(&one, &asked, 2, folder.path(), usize::MAX);
    assert_eq!(made, 6);
    let (_, _, made) = search(&one, &asked, 2, folder.path(), usize::MAX);
    assert_eq!(made, 0);
    let source = data::Source::parse(&folder.path().join("data").display().to_string()).expect("a folder");
    let portable = Session::open(&source, InstructionSet::PORTABLE, 2).expect("the set is sound");
    let other = question(&portable, Sampler::Random);
    assert_ne!(asked.identity().expect("a search"), other.identity().expect("another"));
    let refused = other.declare(folder.path(), false).expect_err("the folder holds a search").to_string();
    assert!(refused.contains("differs in its kernels"), "{refused}");
    asked.declare(folder.path(), false).expect("the folder is as it was");
}

#[test]
fn a_setting_of_one_model_is_varied_in_that_model_alone() {
    let study = StudyFile::parse(STUDY, "a.toml").expect("a study");
    let fixed = [Setting { name: "batch_size".into(), value: json!(8), line: 0 }];
    let names = |space: &SettingSpace| space.spelled().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let spaces = spaces_of(&study, &[], &[]).expect("spaces");
    assert_eq!(names(&spaces[0]), ["learning_rate", "batch_size", "units"]);
    assert_eq!(names(&spaces[1]), ["learning_rate", "batch_size"]);
    let spaces = spaces_of(&study, &[], &fixed).expect("spaces");
    assert_eq!(names(&spaces[0]), ["learning_rate", "units"], "what is fixed is not varied");
}

#[test]
fn points_and_settings_are_the_same_thing() {
    let study = StudyFile::parse(STUDY, "a.toml").expect("a study");
    let spaces = spaces_of(&study, &[], &[]).expect("spaces");
    for seed in 0..50 {
        let point = History::of(spaces[0].space(), []).suggest(Sampler::Random, seed).expect("a point");
        let text = serde_json::to_string(&spaces[0].settings(&point)).expect("JSON");
        let read: Map<_, _> = serde_json::from_str(&text).expect("JSON");
        assert_eq!(spaces[0].point(&read), Some(point));
    }
    assert_eq!(spaces[0].point(&Map::new()), None);
}

#[test]
fn the_usual_search_of_the_built_in_models() {
    for template in built_in_templates() {
        let space = SettingSpace::usual(&template, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
        let names: Vec<String> = space.spelled().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[..2], ["learning_rate", "batch_size"], "{}", template.name);
        for seed in 0..20 {
            let point = History::of(space.space(), []).suggest(Sampler::Random, seed).expect("a point");
            let candidate =
                Candidate { template: template.clone(), shared: Vec::new(), space: space.clone() };
            let model = candidate.make(&space.settings(&point)).unwrap_or_else(|error| panic!("{error}"));
            model.architecture.describe([28, 28], 10).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let cnn: ModelTemplate =
        built_in_templates().into_iter().find(|one| one.name == "cnn").expect("it is there");
    let space = SettingSpace::usual(&cnn, &[], &[]).expect("a space").spelled();
    assert_eq!(space[0], ("learning_rate".into(), json!({ "log": [1e-4, 1e-2] })));
    assert_eq!(space[1], ("batch_size".into(), json!({ "choice": [64, 128, 256] })));
    assert_eq!(space[2], ("filters".into(), json!({ "choice": [16, 32, 64] })));
}

/// Whoever makes the trials asks before the first whether the machine has them.
#[test]
fn a_search_says_which_precisions_it_may_ask_for() {
    let precisions = |search: &str| {
        let study =
            StudyFile::parse(&format!("models = [\"mlp\"]\n[search]\n{search}"), "a.toml").expect("a study");
        spaces_of(&study, &study.recipe, &[]).expect("a space")[0].precisions()
    };
    assert_eq!(precisions("batch_size = [8, 16]"), []);
    assert_eq!(
        precisions("precision = [\"float32\", \"bf16\"]"),
        [train::Precision::Float32, train::Precision::Bf16]
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let wrong = |search: &str| {
        let text = format!(
            "[model.a]\nvariables = {{ units = 4 }}\nlayers = [\"flatten\", \"dense {{units}}\", \"dense classes\"]\n[search]\n{search}\n"
        );
        let study = StudyFile::parse(&text, "a.toml").expect("a study");
        spaces_of(&study, &study.recipe, &[]).expect_err("it is wrong").to_string()
    };
    for (search, said) in [
        (
            "learning_rate = 3",
            "a.toml, line 5: search, learning_rate: a list or a table expected, a number found",
        ),
        ("learning_rate = { log = [0.0, 1.0] }", "search, learning_rate: two numbers above 0"),
        ("learning_rate = { log = [1e-4, 99.0] }", "search, learning_rate: model a: learning rate: "),
        (
            "learning_rate = { range = [1e-4] }",
            "search, learning_rate: range of two numbers expected, 1 found",
        ),
        ("learning_rate = { log = [1e-4, 1e-2], choice = [1] }", "one of range, log and choice expected"),
        ("batch_size = [8, 8]", "search, batch_size: each choice once expected, 8 found twice"),
        ("batch_size = []", "search, batch_size: at least one choice expected, none found"),
        ("batchsize = [8, 16]", "search, batchsize: model a: unknown field"),
        ("units = [\"four\", 4]", "search, units: model a: "),
    ] {
        let found = wrong(search);
        assert!(found.contains(said) && found.starts_with("a.toml, line 5: "), "{search}: {found}");
    }
}
