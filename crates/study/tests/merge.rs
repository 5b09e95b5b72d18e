//! Results folders of one study made one: in whatever order, the same bytes.

use base16ct::lower::encode_string as hexadecimal;
use kernels::InstructionSet;
use records::{
    folder::{Entry, FolderError, StudyFolder},
    identity::run_id,
    imported::Imports,
    kept_models::{KeptModel, kept_models},
    merge::{MergeError, Merged, merge},
    question::Question,
    record::{Environment, FailedRun, Fold, RECORD_SCHEMA, RunRecord, RunSpec},
    results::{Collection, collect},
    status::{State, status},
    store::{Kept, Store},
};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};
use study::{
    plan::{StudySpec, identify, plan},
    run::Session,
    study_file::StudyFile,
};
use tempfile::TempDir;

/// A study of two models and three seeds, made.
struct Study {
    folder: TempDir,
    session: Session,
    question: Question,
    runs: Vec<RunSpec>,
    records: Vec<RunRecord>,
}

const STUDY: &str = "[model.one]\nlayers = [\"flatten\", \"dense 4\", \"relu\", \"dense classes\"]\n\
                     [model.two]\nlayers = [\"flatten\", \"dense classes\"]\nrecipe = { epochs = 1 }\n";

impl Study {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let data_folder = folder.path().join("data");
        data::write_directory(&data::synthetic(5, 120, 30, 10, 9, 3), &data_folder)
            .expect("the set is written");
        let source = data::Source::parse(&data_folder.display().to_string()).expect("a folder");
        let session = Session::open(&source, InstructionSet::detect(), 2).expect("the set is sound");
        let file = StudyFile::parse(STUDY, "a.toml").expect("a study");
        let study = StudySpec {
            models: file.models,
            protocol: file.protocol,
            audit_selection: false,
            resample: file.resample,
            cross_validation: None,
            first_seed: 0,
            runs: 3,
        };
        let runs = plan(&study, &identify(session.corpus()));
        let made = |run| session.run(run, &mut |_| ControlFlow::Continue(())).expect("it is trained").record;
        let records = runs.iter().map(made).collect();
        let question = Question { title: Some("Merged".to_owned()), ..Question::default() };
        Self { folder, session, question, runs, records }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, name: &str, environment: &Environment) -> Result<StudyFolder, FolderError> {
        let trained = Some((&self.runs[..], environment));
        StudyFolder::open(&self.path(name), &self.question, trained, Imports::default(), Entry::Join)
    }

    /// A folder of the study with some records.
    fn keep(&self, name: &str, records: &[RunRecord]) -> PathBuf {
        let folder = self.open(name, &self.session.environment()).expect("free");
        for record in records {
            folder.store().write(record).expect("written");
        }
        self.path(name)
    }

    fn failed(&self, run: usize) -> FailedRun {
        let environment = self.session.environment();
        FailedRun {
            schema: RECORD_SCHEMA,
            id: run_id(&self.runs[run], &environment),
            specification: self.runs[run].clone(),
            environment,
            epoch: 1,
            problem: "the loss is infinite".to_owned(),
        }
    }
}

/// The same run, made elsewhere.
fn elsewhere(record: &RunRecord, host: &str) -> RunRecord {
    let mut record = record.clone();
    record.environment.threads = 64;
    record.environment.place.as_mut().expect("a place").host = host.to_owned();
    record.total_seconds += 1.0;
    record
}

/// A file of weights as far as records look into one: its header.
fn weights(record: &RunRecord, note: &str) -> Vec<u8> {
    let description = serde_json::json!({ "training": { "fingerprint": record.fingerprint, "note": note } });
    let header = serde_json::json!({ "__metadata__": { "mnist-study": description.to_string() } });
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
}

/// The same run on a machine that computes wrongly.
fn wrong(record: &RunRecord) -> RunRecord {
    RunRecord { fingerprint: "0".repeat(64), ..record.clone() }
}

/// Every file of a folder by its path, but for locks.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn add(all: &mut BTreeMap<PathBuf, Vec<u8>>, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => add(all, root, &path),
                false => {
                    let name = path.strip_prefix(root).expect("within").to_owned();
                    all.insert(name, fs::read(&path).expect("readable"));
                }
            }
        }
    }
    let mut all = BTreeMap::new();
    add(&mut all, folder, folder);
    all
}

#[test]
fn any_order_of_any_subsets_gives_the_same_bytes() {
    let study = Study::new();
    let records = &study.records;
    let warned = |record: &RunRecord| RunRecord { warnings: vec!["under load".to_owned()], ..record.clone() };
    let inputs = [
        study.keep("a", &[warned(&records[0]), records[1].clone()]),
        // Made twice, with the same bits.
        study.keep(
            "b",
            &[elsewhere(&records[0], "node1"), elsewhere(&records[1], "node1"), records[2].clone()],
        ),
        // With other bits.
        study.keep("c", &[wrong(&records[2]), records[3].clone()]),
        study.keep("d", &[]),
        study.keep("e", &[elsewhere(&records[2], "node2"), wrong(&records[2])]),
    ];
    let failed = study.failed(4);
    Store::of(&inputs[3]).write_failed(&failed).expect("written");
    Store::of(&inputs[4]).write_failed(&failed).expect("written");
    // Of one run twice; of one whose results differ, both; of one another file than its record's beside the right one.
    for (input, record, bytes) in [
        (0, &records[0], weights(&records[0], "one")),
        (1, &records[0], weights(&records[0], "other")),
        (1, &records[2], weights(&records[2], "right")),
        (2, &records[2], weights(&wrong(&records[2]), "wrong")),
        (0, &records[1], weights(&wrong(&records[1]), "another program's")),
        (1, &records[1], weights(&records[1], "of the record")),
        (3, &records[5], weights(&records[5], "without a record")),
    ] {
        Store::of(&inputs[input]).write_weights(record, &bytes).expect("written");
    }
    let all = study.path("all");
    let merged = merge(&all, &inputs).expect("one study");
    let [left] = &merged.other_weights[..] else { panic!("{merged:?}") };
    assert!(left.contains(&records[1].id) && left.ends_with("found: not taken"), "{left}");
    let kept = kept_models(&all).expect("readable");
    let named = |kept: &[KeptModel]| kept.iter().map(KeptModel::in_words).collect::<Vec<_>>();
    assert_eq!(named(&kept), ["one, seed 0", "two, seed 0"]);
    assert_eq!(fs::read(&kept[1].path).expect("kept"), weights(&records[1], "of the record"));
    assert_eq!(
        (kept[1].id.as_str(), kept[1].bytes),
        (&*records[1].id, weights(&records[1], "of the record").len() as u64)
    );
    assert_eq!((merged.records, merged.conflicts.len(), merged.damaged.len()), (4, 1, 0), "{merged:?}");
    assert!(
        merged.conflicts[0].starts_with("model one, seed 1: two results of the same run: fingerprint "),
        "{merged:?}"
    );
    let expected = contents(&all);
    assert_eq!(expected.len(), 1 + 4 + 1 + 1 + 2, "{:?}", expected.keys());
    let store = Store::of(&all);
    assert_eq!(
        store.read(&records[0].id),
        Ok(Some(elsewhere(&records[0], "node1"))),
        "the one without a warning"
    );
    assert_eq!(store.results(&records[2].id).kept.len(), 2);

    // Every order, each folder by itself.
    let mut orders = vec![vec![]];
    for input in 0..inputs.len() {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |place| {
                    let mut order = order.clone();
                    order.insert(place, input);
                    order
                })
            })
            .collect();
    }
    assert_eq!(orders.len(), 120);
    for (number, order) in orders.iter().enumerate() {
        // Cut into two groups at a place that differs from order to order: (x (y z)).
        let cut = 1 + number % (inputs.len() - 1);
        let group = |name: &str, members: &[usize]| {
            let out = study.path(&format!("{number}-{name}"));
            let folders: Vec<PathBuf> = members.iter().map(|member| inputs[*member].clone()).collect();
            merge(&out, &folders).expect("one study");
            out
        };
        let (one, other) = (group("one", &order[..cut]), group("other", &order[cut..]));
        let out = study.path(&format!("{number}-all"));
        merge(&out, &[one.clone(), other]).expect("one study");
        assert!(contents(&out) == expected, "{order:?} cut at {cut}");
        // And into what is there, of some orders: each merge waits for the disk.
        if number % 8 != 0 {
            for name in ["one", "other", "all"] {
                fs::remove_dir_all(study.path(&format!("{number}-{name}"))).expect("removed");
            }
            continue;
        }
        let rest: Vec<PathBuf> = order.iter().map(|member| inputs[*member].clone()).collect();
        for input in &rest {
            merge(&one, std::slice::from_ref(input)).expect("one study");
        }
        assert!(contents(&one) == expected, "{order:?} one by one");
        for name in ["one", "other", "all"] {
            fs::remove_dir_all(study.path(&format!("{number}-{name}"))).expect("removed");
        }
    }
    // Once more changes nothing.
    merge(&all, &inputs).expect("one study");
    assert!(contents(&all) == expected);
}

#[test]
fn what_no_figure_has_is_named() {
    let study = Study::new();
    let records = &study.records;
    let folder =
        study.keep("a", &[records[0].clone(), records[1].clone(), records[2].clone(), wrong(&records[2])]);
    Store::of(&folder).write_failed(&study.failed(3)).expect("written");
    let Collection { records: used, failed, left_out, losses, .. } = collect(&folder).expect("records");
    assert_eq!((used.len(), failed.len()), (2, 1));
    let missing: Vec<(&str, u64)> =
        left_out.missing.iter().map(|run| (run.model.as_str(), run.seed)).collect();
    assert_eq!(missing, [("one", 2), ("two", 2)]);
    let [conflict] = &left_out.conflicts[..] else { panic!("{left_out:?}") };
    assert_eq!((conflict.id.as_str(), conflict.seed, conflict.files.len()), (&*records[2].id, 1, 2));
    assert!(
        conflict.files[0].starts_with("records/") && conflict.files[1].starts_with("conflicts/"),
        "{conflict:?}"
    );
    assert_eq!(losses.len(), 2, "{losses:?}");
    let told = status(&folder).expect("a plan");
    let states: Vec<&State> = told.runs.iter().map(|run| &run.state).collect();
    assert_eq!(states[..3], [&State::Done, &State::Done, &State::Conflict]);
    assert!(matches!(states[3..], [State::Failed { .. }, State::Missing, State::Missing]), "{states:?}");
    // The user removes what is wrong: the other one counts, wherever it is.
    fs::remove_file(Store::of(&folder).path(&records[2].id)).expect("there");
    let again = collect(&folder).expect("records");
    assert_eq!((again.records.len(), again.left_out.conflicts.len()), (3, 0));
    assert_eq!(Store::of(&folder).write(&wrong(&records[2])).expect("written"), Kept::AsBefore);
}

#[test]
fn damaged_records_are_named_and_not_taken() {
    let study = Study::new();
    let inputs = [study.keep("a", &study.records[..2]), study.keep("b", &study.records[2..])];
    let path = Store::of(&inputs[0]).path(&study.records[0].id);
    let text = fs::read_to_string(&path).expect("a record");
    fs::write(&path, text.replacen("\"threads\": ", "\"threads\": 1", 1)).expect("written");
    let merged = merge(&study.path("all"), &inputs).expect("one study");
    let Merged { records, damaged, .. } = &merged;
    assert_eq!((*records, damaged.len()), (5, 1));
    assert!(damaged[0].contains("changed since it was written"), "{damaged:?}");
    assert_eq!(collect(&study.path("all")).expect("records").left_out.missing.len(), 1);
}

#[test]
fn another_engine_s_records_stand_apart() {
    let study = Study::new();
    let here = study.session.environment();
    let later = Environment { engine_revision: here.engine_revision + 1, ..here.clone() };
    let by_later = |record: &RunRecord| {
        let mut record = record.clone();
        record.environment = later.clone();
        record.id = run_id(&record.specification, &later);
        record
    };
    let a = study.keep("a", &study.records);
    let b = study.open("b", &later).expect("free");
    b.store().write(&by_later(&study.records[0])).expect("written");
    b.store().write(&by_later(&study.records[1])).expect("written");
    drop(b);
    let b = study.path("b");
    let [ab, ba] = ["ab", "ba"].map(|name| study.path(name));
    let merged = merge(&ab, &[a.clone(), b.clone()]).expect("one study");
    assert_eq!(merged.engines.len(), 1, "which has the figures is told");
    merge(&ba, &[b.clone(), a.clone()]).expect("one study");
    assert!(contents(&ab) == contents(&ba));
    let Collection { records, left_out, notes, .. } = collect(&ab).expect("records");
    assert_eq!((records.len(), left_out.missing.len()), (6, 0), "those of the engine that has most");
    let [apart] = &left_out.apart[..] else { panic!("{left_out:?}") };
    assert_eq!((apart.engine_revision, apart.records), (later.engine_revision, 2));
    assert!(
        notes
            .iter()
            .any(|note| note.contains("2 records of this study's runs") && note.contains("stand apart")),
        "{notes:?}"
    );
    // What is damaged does not count, since it is not merged.
    let path = Store::of(&a).path(&study.records[5].id);
    let sound = fs::read(&path).expect("a record");
    for record in &study.records[1..] {
        fs::write(Store::of(&a).path(&record.id), "{").expect("written");
    }
    let damaged = merge(&study.path("damaged"), &[a.clone(), b.clone()]).expect("one study");
    assert_eq!(damaged.damaged.len(), 5);
    let used = collect(&study.path("damaged")).expect("records").records;
    assert_eq!((used.len(), used[0].environment.engine_revision), (2, later.engine_revision));
    for record in &study.records {
        Store::of(&a).replace(record).expect("written");
    }
    assert_eq!(fs::read(&path).expect("a record"), sound);
    // Whatever was merged first: with all of its records the later engine has as many, and is the greater one.
    let c = study.open("c", &later).expect("free");
    for record in &study.records[2..] {
        c.store().write(&by_later(record)).expect("written");
    }
    drop(c);
    let c = study.path("c");
    let [abc, bc, cab] = ["abc", "bc", "cab"].map(|name| study.path(name));
    merge(&abc, &[ab, c.clone()]).expect("one study");
    merge(&bc, &[b, c.clone()]).expect("one study");
    merge(&cab, &[a, bc]).expect("one study");
    assert!(contents(&abc) == contents(&cab));
    let Collection { records, left_out, .. } = collect(&abc).expect("records");
    assert_eq!(
        (records[0].environment.engine_revision, left_out.apart[0].records),
        (later.engine_revision, 6)
    );
    // A process with another engine does not join.
    let refused = study.open("a", &later).expect_err("another engine");
    assert!(matches!(refused, FolderError::OtherEngine { .. }), "{refused}");
    let told = refused.to_string();
    assert!(
        told.contains("the study \"Merged\" is made here with")
            && told.contains("this process computes with"),
        "{told}"
    );
}

#[test]
fn folders_of_different_studies_are_refused_before_anything_is_written() {
    let study = Study::new();
    let a = study.keep("a", &study.records[..1]);
    let other = Question { title: Some("Another".to_owned()), ..Question::default() };
    let environment = study.session.environment();
    let open = |name: &str, question: &Question, entry| {
        StudyFolder::open(
            &study.path(name),
            question,
            Some((&study.runs[..], &environment)),
            Imports::default(),
            entry,
        )
    };
    drop(open("b", &other, Entry::ReplaceUntitled).expect("free"));
    let out = study.path("all");
    let refused = merge(&out, &[a.clone(), study.path("b")]).expect_err("two studies");
    assert!(matches!(refused, MergeError::OtherStudy { .. }));
    let told = refused.to_string();
    assert!(told.contains("\"Another\"") && told.contains("\"Merged\""), "{told}");
    fs::create_dir(study.path("empty")).expect("made");
    fs::write(study.path("file"), "x").expect("written");
    for (input, expected) in
        [("nowhere", "nothing found"), ("empty", "a folder without a plan found"), ("file", "found")]
    {
        let told = merge(&out, &[a.clone(), study.path(input)]).expect_err("no results").to_string();
        assert!(told.contains(expected), "{told}");
    }
    assert!(!out.exists(), "nothing is written");
    fs::create_dir(study.path("search")).expect("made");
    fs::write(study.path("search/search.json"), "{\"models\": []}").expect("written");
    let told = merge(&study.path("search"), std::slice::from_ref(&a)).expect_err("a search").to_string();
    assert!(told.ends_with("the folder of a search found"), "{told}");
    // Nor does a shard of another study join, titled or not; outside of shards an untitled one gives way.
    for question in [&other, &Question::default()] {
        let refused = open("a", question, Entry::Join).expect_err("another study");
        assert!(matches!(refused, FolderError::OtherStudy { .. }), "{refused}");
    }
}

#[test]
fn a_run_that_finished_and_diverged_is_in_conflict() {
    let study = Study::new();
    let a = study.keep("a", &study.records);
    let b = study.keep("b", &[]);
    Store::of(&b).write_failed(&study.failed(1)).expect("written");
    let merged = merge(&study.path("all"), &[a, b]).expect("one study");
    assert_eq!(merged.conflicts.len(), 1, "{merged:?}");
    let Collection { records, failed, left_out, .. } = collect(&study.path("all")).expect("records");
    assert_eq!((records.len(), failed.len(), left_out.conflicts.len()), (5, 0, 1));
    assert_eq!(left_out.conflicts[0].files.len(), 2);
    assert_eq!(status(&study.path("all")).expect("a plan").count(|state| *state == State::Conflict), 1);
}

#[test]
fn a_folder_is_merged_with_itself_and_loses_nothing() {
    let study = Study::new();
    let folder = study.keep("a", &[study.records[0].clone(), wrong(&study.records[0])]);
    let [conflict] = &Store::of(&folder).results(&study.records[0].id).kept[1..] else {
        panic!("two results")
    };
    // A trace of a third result, which nobody can read.
    let trace = conflict.path.with_file_name(format!("{}-0123456789abcdef.json", study.records[0].id));
    fs::write(&trace, "{").expect("written");
    let merged = merge(&folder, &[folder.clone(), folder.join("../a")]).expect("one study");
    assert_eq!((merged.damaged.len(), merged.conflicts.len()), (1, 1), "each is told once: {merged:?}");
    assert!(trace.exists(), "what nobody can read is left");
    // Which of the two stands in `records/` follows from them now.
    let once = contents(&folder);
    merge(&folder, std::slice::from_ref(&folder)).expect("one study");
    assert!(contents(&folder) == once, "merged again it is the same");
    assert_eq!(Store::of(&folder).results(&study.records[0].id).kept.len(), 2);
}

/// A plan is a file of somebody else's: what it says becomes names of files.
#[test]
fn identities_that_are_none_are_refused() {
    let study = Study::new();
    let folder = study.keep("a", &study.records[..1]);
    let text = fs::read_to_string(folder.join("plan.json")).expect("a plan");
    let mut plan: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let fields = plan.as_object_mut().expect("an object");
    for (field, value) in [("study", "../../../x"), ("design", "ABCDEF0123456789")] {
        let mut changed = fields.clone();
        changed.insert(field.to_owned(), value.into());
        changed.remove("digest");
        // Sealed again, by the content without white space in the order of its fields.
        let order = ["schema", "study", "engine", "design", "name", "question", "runs"];
        let parts = order.map(|name| format!("{name:?}:{}", changed[name]));
        let digest = hexadecimal(&Sha256::digest(format!("{{{}}}", parts.join(","))));
        changed.insert("digest".to_owned(), digest.into());
        fs::write(folder.join("plan.json"), serde_json::Value::from(changed).to_string()).expect("written");
        let told = merge(&study.path("all"), std::slice::from_ref(&folder)).expect_err("refused").to_string();
        assert!(told.contains("an identity of 16 hexadecimal digits expected"), "{told}");
    }
}

#[test]
fn a_run_that_is_made_again_takes_the_place_of_every_other_result() {
    let study = Study::new();
    let folder = study.keep("a", &[study.records[1].clone(), wrong(&study.records[1])]);
    let store = Store::of(&folder);
    let failed = study.failed(1);
    store.write_failed(&failed).expect("written");
    assert!(store.results(&failed.id).conflict().is_some());
    let record = &study.records[1];
    store.write_weights(record, &weights(record, "of two results")).expect("written");
    assert_eq!(kept_models(&folder).expect("readable"), [], "of which the weights are is not known");
    store.replace(record).expect("written");
    let results = store.results(&failed.id);
    assert_eq!((results.kept.len(), &results.failed, results.conflict()), (1, &None, None));
    assert!(!store.weights_path(&record.specification, &record.id).exists(), "nor any weights");
    store.write_weights(record, &weights(record, "of the new one")).expect("written");
    assert_eq!(kept_models(&folder).expect("readable").len(), 1);
    assert!(matches!(store.write(&wrong(record)).expect("written"), Kept::InConflict(_)));
    assert!(!store.weights_path(&record.specification, &record.id).exists(), "of either result");
    store.write_weights(record, &weights(record, "of a run that fails")).expect("written");
    store.replace_by_failure(&failed).expect("written");
    let results = store.results(&failed.id);
    assert_eq!((results.kept.len(), results.failed), (0, Some(failed)));
}

/// Names of models come from files, and become names of files.
#[test]
fn weights_are_named_as_any_file_system_takes_it() {
    let study = Study::new();
    let folder = study.keep("a", &[]);
    let store = Store::of(&folder);
    let run = &study.runs[0];
    let id = "0123456789abcdef";
    for (model, expected) in [
        ("cnn", "cnn-seed0-0123456789abcdef.safetensors"),
        ("../a b/ö\\c:*", "_a_b___c__-seed0-0123456789abcdef.safetensors"),
        ("-rf", "rf-seed0-0123456789abcdef.safetensors"),
        ("..", "-seed0-0123456789abcdef.safetensors"),
        (&"é".repeat(200), &format!("{}-seed0-0123456789abcdef.safetensors", "_".repeat(64))),
    ] {
        let path = store.weights_path(&RunSpec { model: model.to_owned(), ..run.clone() }, id);
        assert_eq!(path, folder.join("models").join(expected), "{model}");
    }
    let fold = Some(Fold { repeat: 2, fold: 3, folds: 5 });
    let path = store.weights_path(&RunSpec { fold, ..run.clone() }, id);
    assert_eq!(path, folder.join("models/one-repeat2-fold3-0123456789abcdef.safetensors"));
}

/// What stands in the folder of the weights and is none is passed over.
#[test]
fn weights_are_listed_with_their_records_alone() {
    let study = Study::new();
    let (record, other) = (&study.records[0], &study.records[1]);
    let folder = study.keep("a", &[record.clone(), other.clone()]);
    let store = Store::of(&folder);
    assert_eq!(kept_models(&folder).expect("readable"), []);
    assert_eq!(kept_models(&study.path("nowhere")).expect("nothing is there"), []);
    store.write_weights(record, &weights(record, "")).expect("written");
    // Cut, of another run's weights, of no record, and nobody's.
    let whole = weights(other, "");
    store.write_weights(other, &whole[..whole.len() - 1]).expect("written");
    store.write_weights(&study.records[2], &weights(&study.records[2], "")).expect("written");
    for name in ["notes.txt", "mine.safetensors", "x-0123456789abcdeg.safetensors"] {
        fs::write(folder.join("models").join(name), "mine").expect("written");
    }
    let [kept] = &kept_models(&folder).expect("readable")[..] else { panic!("one") };
    assert_eq!((&kept.id, &*kept.model, kept.seed, kept.fold), (&record.id, "one", 0, None));
    assert_eq!(kept.dataset, record.specification.dataset.name);
    store.write_weights(other, &weights(record, "")).expect("written");
    assert_eq!(kept_models(&folder).expect("readable").len(), 1, "another fingerprint than the record's");
    // By a plan's order, by names without one.
    store.write_weights(other, &whole).expect("written");
    let models =
        || kept_models(&folder).expect("readable").into_iter().map(|kept| kept.model).collect::<Vec<_>>();
    assert_eq!(models(), ["one", "two"]);
    fs::remove_file(folder.join("plan.json")).expect("there");
    assert_eq!(models(), ["one", "two"]);
}

/// Two processes that made the same run come to keep it at the same moment.
#[test]
fn of_many_that_keep_one_run_nobody_takes_the_place_of_another() {
    let study = Study::new();
    let folder = study.keep("a", &[]);
    let (store, record) = (Store::of(&folder), &study.records[0]);
    let results: Vec<Kept> = std::thread::scope(|scope| {
        let keep = |number: usize| {
            let store = &store;
            scope.spawn(move || {
                let fingerprint = format!("{:064}", number % 4);
                store.write(&RunRecord { fingerprint, ..record.clone() }).expect("written")
            })
        };
        let all: Vec<_> = (0..16).map(keep).collect();
        all.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    assert_eq!(results.iter().filter(|kept| **kept == Kept::New).count(), 1, "{results:?}");
    assert_eq!(store.results(&record.id).kept.len(), 4, "every outcome is kept");
}
