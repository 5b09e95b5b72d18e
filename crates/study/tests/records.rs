//! Records on disk: what is written is read again, and nothing else is believed.

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use kernels::InstructionSet;
use records::{
    identity::run_id,
    record::{Protocol, RunRecord},
    store::{Kept, Store},
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{Read, Write},
    ops::ControlFlow,
    path::Path,
};
use study::{run::Session, study_file::StudyFile};
use tempfile::TempDir;

/// A record of a run that was made.
fn record(folder: &Path) -> RunRecord {
    let corpus = data::synthetic(5, 240, 60, 10, 9, 3);
    data::write_directory(&corpus, folder).expect("the set is written");
    let source = data::Source::parse(&folder.display().to_string()).expect("a folder");
    let session = Session::open(&source, InstructionSet::detect(), 2).expect("the set is sound");
    let text = "[model.plain]\nlayers = [\"flatten\", \"dense 8\", \"batchnorm\", \"relu\", \"dense classes\"]\nrecipe = { epochs = 3 }\n";
    let study = StudyFile::parse(text, "a.toml").expect("a study");
    let specification = session.specification(&study.models[0], Protocol::Sound, 1);
    session.run(&specification, &mut |_| ControlFlow::Continue(())).expect("it is trained").record
}

fn in_store() -> (TempDir, Store, RunRecord) {
    let folder = TempDir::new().expect("a temporary folder");
    let record = record(&folder.path().join("data"));
    let store = Store::of(&folder.path().join("Results"));
    store.write(&record).expect("written");
    (folder, store, record)
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let (_folder, store, record) = in_store();
    assert_eq!(store.read(&record.id), Ok(Some(record.clone())));
    assert_eq!(store.read("0123456789abcdef"), Ok(None));
    assert_eq!(record.check(), Ok(()));
}

/// The identity is of what the bits depend on, and of nothing else.
#[test]
fn another_machine_has_the_same_identity_and_another_engine_has_not() {
    let folder = TempDir::new().expect("a temporary folder");
    let record = record(folder.path());
    let of = |change: &dyn Fn(&mut RunRecord)| {
        let mut changed = record.clone();
        change(&mut changed);
        run_id(&changed.specification, &changed.environment)
    };
    for same in [
        of(&|record| record.environment.threads = 64),
        of(&|record| record.environment.cpu = "another".into()),
        of(&|record| record.environment.operating_system = "windows".into()),
        of(&|record| record.environment.version = "9.9.9".into()),
        of(&|record| record.specification.dataset.name = "elsewhere".into()),
    ] {
        assert_eq!(same, record.id);
    }
    for other in [
        of(&|record| record.environment.engine_revision += 1),
        of(&|record| record.environment.kernels = "mmx".into()),
        of(&|record| record.specification.seed += 1),
        of(&|record| record.specification.model.push('x')),
        of(&|record| record.specification.recipe.epochs += 1),
        of(&|record| record.specification.recipe.precision = train::Precision::Bf16),
        of(&|record| record.specification.dataset.sha256 = "0".repeat(64)),
        of(&|record| record.specification.protocol = Protocol::Writers),
        of(&|record| drop(record.specification.layers.remove(2))),
    ] {
        assert_ne!(other, record.id);
    }
}

/// A record with an impossible figure is refused although its seal is right.
#[test]
fn impossible_figures_are_refused() {
    let (_folder, store, record) = in_store();
    type Change = fn(&mut RunRecord);
    let cases: &[(&str, Change)] = &[
        ("impossible test accuracy", |record| record.test.accuracy = 5.5),
        ("impossible test accuracy", |record| {
            record.test.accuracy = f64::midpoint(record.test.accuracy, 1.0)
        }),
        ("impossible test loss", |record| record.test.loss = -1.0),
        ("impossible training seconds", |record| record.train_seconds = -0.5),
        ("impossible total seconds", |record| record.total_seconds = -1.0),
        ("impossible number of epochs", |record| record.epochs.clear()),
        ("impossible number of epochs", |record| record.epochs = vec![record.epochs[0]; 200_000]),
        ("impossible number of an epoch", |record| record.epochs[1].epoch = 7),
        ("impossible training accuracy", |record| record.epochs[0].train_accuracy = 1.01),
        ("impossible validation accuracy", |record| record.epochs[2].validation_accuracy = -0.01),
        ("impossible kept epoch", |record| record.kept_epoch = Some(4)),
        ("impossible kept epoch", |record| record.kept_epoch = Some(0)),
        ("impossible number of parameters", |record| record.parameters += 1),
        ("impossible number of multiply-adds", |record| record.multiply_adds = u64::MAX),
        ("impossible number of classes", |record| record.specification.dataset.classes = 0),
        ("impossible number of classes", |record| record.specification.dataset.classes = 1 << 63),
        ("impossible number of classes", |record| record.specification.dataset.classes = 1_000_000),
        ("impossible height of an image", |record| record.specification.dataset.height = usize::MAX),
        ("impossible number of test images", |record| record.specification.dataset.test_images = usize::MAX),
        ("impossible number of test labels", |record| record.specification.dataset.test_images = 61),
        ("impossible class of a test image", |record| record.test.predictions[3] = 3),
        ("impossible number of test probabilities", |record| record.test.probabilities.truncate(179)),
        ("impossible length of the model's name", |record| {
            record.specification.model = "x".repeat(5_000_000)
        }),
        ("impossible recipe", |record| record.specification.recipe.learning_rate = -1.0),
        ("impossible reads of the test images", |record| record.test_reads = 3),
        ("impossible number of names of classes", |record| record.class_names = vec!["one".into()]),
        ("impossible length of a class's name", |record| record.class_names = vec![String::new(); 3]),
        ("impossible number of different names of classes", |record| {
            record.class_names = vec!["one".into(), "two".into(), "one".into()];
        }),
        ("impossible training seconds beside those of the epochs", |record| record.train_seconds += 1e9),
        ("impossible total seconds, less than", |record| record.total_seconds = 0.0),
        ("impossible prediction, not the most probable class, of test image: 0", |record| {
            let of_image: &mut [u16] = &mut record.test.probabilities[..3];
            of_image.sort_unstable();
            if record.test.predictions[0] == 2 {
                of_image.reverse();
            }
        }),
        ("impossible sum of the probabilities of test image: 0", |record| {
            record.test.probabilities[..3].fill(0)
        }),
        ("impossible test loss", |record| record.test.loss = 1e300),
        ("impossible fingerprint", |record| record.fingerprint = "\u{1b}[2J".into()),
    ];
    for &(expected, change) in cases {
        let mut changed = record.clone();
        change(&mut changed);
        changed.id = run_id(&changed.specification, &changed.environment);
        store.replace(&changed).expect("written");
        let problem = store.read(&changed.id).expect_err(expected);
        assert!(problem.contains(expected), "{expected}: {problem}");
    }
    assert_eq!(store.read(&record.id).map_err(|problem| problem.contains("impossible")), Err(true));
}

#[test]
fn a_result_of_the_same_run_with_other_bits_is_kept_beside_it() {
    let (_folder, store, record) = in_store();
    let mut slower = record.clone();
    slower.train_seconds += 1.0;
    slower.epochs[0].train_seconds += 1.0;
    slower.total_seconds += 1.0;
    slower.environment.threads = 7;
    assert_eq!(store.write(&slower).expect("written"), Kept::AsBefore, "the bits are the same");
    let mut other = record.clone();
    other.fingerprint = "0".repeat(64);
    let Ok(Kept::InConflict(difference)) = store.write(&other) else { panic!("other bits") };
    assert!(difference.starts_with("two results of the same run: fingerprint "), "{difference}");
    assert_eq!(store.read(&record.id), Ok(Some(record.clone())), "the first one stays");
    assert_eq!(store.results(&record.id).kept.len(), 2);
    store.replace(&other).expect("asked for");
    assert_eq!(store.read(&record.id), Ok(Some(other)));
}

/// The test images' bytes deflated by another library are the same content: with the digest that was there, and with one of
/// the text as it is now.
#[test]
fn the_seal_is_over_the_content_whatever_deflated_it() {
    let (_folder, store, record) = in_store();
    let path = store.path(&record.id);
    let text = fs::read_to_string(&path).expect("a record");
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut changed = text.clone();
    for field in ["labels", "predictions", "probabilities"] {
        let packed = value["test"][field].as_str().expect("text").to_owned();
        let mut bytes = Vec::new();
        let deflated = STANDARD.decode(&packed).expect("base64");
        DeflateDecoder::new(deflated.as_slice()).read_to_end(&mut bytes).expect("deflated");
        // Stored, not compressed at all.
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(&bytes).expect("in memory");
        let again = STANDARD.encode(encoder.finish().expect("in memory"));
        changed = changed.replacen(&packed, &again, 1);
        value["test"][field] = again.into();
    }
    assert_ne!(changed, text);
    fs::write(&path, &changed).expect("written");
    assert_eq!(store.read(&record.id), Ok(Some(record.clone())), "the digest that was there");

    // Fields in the order of the file, without white space: the one place with spaces in a value is the processor's name.
    let stated = value["digest"].as_str().expect("a digest").to_owned();
    let compact: String = {
        let mut within = false;
        let kept = |character: &char| {
            within ^= *character == '"';
            within || !character.is_whitespace()
        };
        changed.chars().filter(kept).collect()
    };
    let compact = compact.replacen(&format!(",\"digest\":\"{stated}\""), "", 1);
    let digest: String = Sha256::digest(&compact).iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(&path, changed.replacen(&stated, &digest, 1)).expect("written");
    assert_eq!(store.read(&record.id), Ok(Some(record.clone())), "a digest of the text");

    fs::write(&path, changed.replacen(&stated, &"0".repeat(64), 1)).expect("written");
    assert!(store.read(&record.id).expect_err("no digest of it").contains("changed since it was written"));
}

/// A record cut at any of many places, or with a byte changed, is never taken for a sound one.
#[test]
fn damage_is_always_seen() {
    let (_folder, store, record) = in_store();
    let path = store.path(&record.id);
    let bytes = fs::read(&path).expect("a record");
    for cut in (0..bytes.len() - 1).step_by(97) {
        fs::write(&path, &bytes[..cut]).expect("written");
        assert!(store.read(&record.id).is_err(), "cut at {cut}");
    }
    for place in (0..bytes.len()).step_by(61) {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 7);
        fs::write(&path, &changed).expect("written");
        match store.read(&record.id) {
            Err(_) => {}
            // White space between fields is no content.
            Ok(found) => assert_eq!(found, Some(record.clone()), "byte {place}"),
        }
    }
}

#[cfg(unix)]
#[test]
fn only_plain_files_are_read() {
    let (_folder, store, record) = in_store();
    let path = store.path(&record.id);
    fs::remove_file(&path).expect("there");
    std::os::unix::fs::symlink("/dev/zero", &path).expect("a link");
    assert!(store.read(&record.id).expect_err("a device").contains("a plain file is expected"));
    fs::remove_file(&path).expect("there");
    fs::create_dir(&path).expect("a folder");
    assert!(store.read(&record.id).expect_err("a folder").contains("a plain file is expected"));
}
