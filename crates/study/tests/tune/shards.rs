//! A search divided among processes: whoever makes which trial, it is the search of one.

use crate::{enter, question, search, session, spaces_of};
use ::search::{Halving, Sampler};
use kernels::InstructionSet;
use records::{
    event::{Event, Kind},
    trial::TrialRecord,
    trial_store::TrialStore,
};
use serde_json::json;
use std::{fs, ops::ControlFlow, path::Path, thread, time::Duration};
use study::{
    place::place,
    run::Session,
    shard::Shard,
    study_file::StudyFile,
    tune::{Budget, Candidate, Question, TuneError, Tuned, tune},
};
use tempfile::TempDir;

/// What a process comes to, and how many trials it made itself.
fn share(session: &Session, question: &Question, budget: Budget, folder: &Path) -> (Tuned, usize) {
    let mut made = 0;
    let mut listener = |event: &Event| {
        made += usize::from(matches!(&event.kind, Kind::TrialFinished(end) if !end.reused));
        ControlFlow::Continue(())
    };
    let tuned = tune(session, question, budget, &enter(folder), false, &mut listener);
    (tuned, made)
}

fn assert_same(found: &[Vec<TrialRecord>], expected: &[Vec<TrialRecord>], what: &str) {
    let lengths = |records: &[Vec<TrialRecord>]| records.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(lengths(found), lengths(expected), "{what}");
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!(found.has_result_of(expected), "{what}: {found:?} {expected:?}");
    }
}

/// A search whose trials know of others' results only round by round, and one whose trials know of none.
fn divisible(session: &Session) -> [(&'static str, Question); 3] {
    let rounds = |round| Question { round, ..question(session, Sampler::Tpe) };
    [
        ("at random", Question { halving: None, ..question(session, Sampler::Random) }),
        ("rounds of four", rounds(4)),
        ("one by one", rounds(1)),
    ]
}

#[test]
fn shards_one_after_the_other_come_to_the_search_of_one_process() {
    let root = TempDir::new().expect("a folder");
    let session = session(&root.path().join("data"));
    for (name, question) in divisible(&session) {
        let (ended, whole, _) = search(&session, &question, 13, &root.path().join(name), usize::MAX);
        ended.expect("the search ends");
        let folder = root.path().join(format!("{name} in shards"));
        let (mut made, mut rounds, mut complete) = (0, 0, None);
        while complete.is_none() {
            rounds += 1;
            assert!(rounds < 30, "{name}: it comes to an end");
            for number in 1..=3 {
                let shard = Shard { number, count: 3 };
                let budget = Budget::Shard { trials: 13, shard, patience: Duration::ZERO };
                let (tuned, made_here) = share(&session, &question, budget, &folder);
                made += made_here;
                match tuned.ended {
                    Ok(()) => {}
                    Err(TuneError::OthersMissing { trials, .. }) => {
                        assert!(trials > 0 && !tuned.is_complete);
                    }
                    Err(error) => panic!("{name}: {error}"),
                }
                complete = complete.or(tuned.is_complete.then_some(tuned.records));
            }
        }
        assert_eq!(made, 28, "{name}: each trial once");
        assert_same(&complete.expect("complete"), &whole, name);
        match name {
            "at random" => assert_eq!(rounds, 1, "no trial depends on another"),
            "rounds of four" => assert!(rounds <= 4, "{rounds}: as many as there are rounds"),
            _ => assert!(rounds > 4, "{rounds}"),
        }
        assert!(!folder.join(".mnist-study").exists(), "nothing is left");
    }
}

/// Where settings are all tried, or given up since a hundred in a row make no model, shards find it as one process does.
#[test]
fn shards_know_where_a_search_ends() {
    let root = TempDir::new().expect("a folder");
    let session = session(&root.path().join("data"));
    let of = |search: &str, sampler: Sampler| {
        let text = format!(
            "[model.a]\nvariables = {{ size = 3 }}\nlayers = [\"conv 4 {{size}}x{{size}}\", \"flatten\", \"dense classes\"]\n\
             recipe = {{ epochs = 1 }}\n[search]\n{search}\n"
        );
        let study = StudyFile::parse(&text, "a.toml").expect("a study");
        let space = spaces_of(&study, &[], &[]).expect("spaces").remove(0);
        let candidate = Candidate { template: study.templates[0].clone(), shared: Vec::new(), space };
        Question { candidates: vec![candidate], halving: None, round: 3, ..question(&session, sampler) }
    };
    let few = "size = [3, 25]\nlearning_rate = [1e-3, 10.0]";
    let none = "size = [25, 26]\nlearning_rate = { log = [1e-4, 1e-2] }";
    for (name, question, expected) in [
        ("few", of(few, Sampler::Tpe), 5),
        ("few at random", of(few, Sampler::Random), 5),
        ("none", of(none, Sampler::Tpe), 101),
        ("none at random", of(none, Sampler::Random), 101),
    ] {
        let (_, whole, _) = search(&session, &question, 120, &root.path().join(name), usize::MAX);
        assert_eq!(whole[0].len(), expected, "{name}");
        let folder = root.path().join(format!("{name} in shards"));
        let mut complete = None;
        for turn in 0..200 {
            let shard = Shard { number: turn % 2 + 1, count: 2 };
            let budget = Budget::Shard { trials: 120, shard, patience: Duration::ZERO };
            let (tuned, _) = share(&session, &question, budget, &folder);
            if tuned.is_complete {
                complete = Some(tuned.records);
                break;
            }
        }
        assert_same(&complete.expect("it comes to an end"), &whole, name);
    }
}

#[test]
fn shards_and_whole_processes_at_once_make_each_trial_once() {
    let root = TempDir::new().expect("a folder");
    let session = session(&root.path().join("data"));
    let source = data::Source::parse(&root.path().join("data").display().to_string()).expect("a folder");
    for (name, question) in divisible(&session) {
        let (ended, whole, _) = search(&session, &question, 9, &root.path().join(name), usize::MAX);
        ended.expect("the search ends");
        let patience = Duration::from_secs(60);
        let shard = |number| Budget::Shard { trials: 9, shard: Shard { number, count: 3 }, patience };
        let all = [vec![shard(1), shard(2), shard(3)], vec![Budget::Trials(9), Budget::Trials(9), shard(2)]];
        for (index, budgets) in all.iter().enumerate() {
            let folder = root.path().join(format!("{name} {index}"));
            let ended: Vec<(Tuned, usize)> = thread::scope(|scope| {
                let begun: Vec<_> = budgets
                    .iter()
                    .map(|budget| {
                        let session = Session::open(&source, InstructionSet::detect(), 1).expect("sound");
                        let (question, folder) = (&question, &folder);
                        scope.spawn(move || share(&session, question, *budget, folder))
                    })
                    .collect();
                begun.into_iter().map(|thread| thread.join().expect("no panic")).collect()
            });
            assert_eq!(ended.iter().map(|(_, made)| made).sum::<usize>(), 20, "{name}: each trial once");
            for (tuned, _) in &ended {
                if tuned.is_complete {
                    assert_same(&tuned.records, &whole, name);
                }
                assert!(tuned.ended.is_ok(), "{name}: {:?}", tuned.ended);
            }
            assert!(ended.iter().any(|(tuned, _)| tuned.is_complete), "{name}: whoever ends last reports");
            assert!(!folder.join(".mnist-study").exists(), "nothing is left");
        }
    }
}

#[test]
fn the_trial_of_a_killed_process_is_made_and_that_of_another_machine_is_waited_for() {
    let root = TempDir::new().expect("a folder");
    let session = session(&root.path().join("data"));
    let question = question(&session, Sampler::Random);
    let claims = root.path().join("search/.mnist-study");
    fs::create_dir_all(&claims).expect("made");
    let claim = |host: &str| {
        let text = json!({ "place": { "host": host }, "process": 1 }).to_string();
        fs::write(claims.join("dense-0001.claim"), text).expect("written");
    };
    claim(&place().host);
    let (ended, records, made) = search(&session, &question, 2, &root.path().join("search"), usize::MAX);
    ended.expect("it ends");
    assert_eq!((made, records[0].len()), (6, 3));
    assert!(!claims.exists(), "nothing is left");

    fs::remove_file(TrialStore::of(&root.path().join("search")).path("dense", Some(1))).expect("removed");
    fs::create_dir_all(&claims).expect("made");
    claim("another machine");
    let mut waited = 0;
    let mut listener = |event: &Event| match event.kind {
        Kind::Waiting { runs } => {
            waited += runs;
            if waited > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        _ => ControlFlow::Continue(()),
    };
    let folder = enter(&root.path().join("search"));
    let ended = tune(&session, &question, Budget::Trials(2), &folder, false, &mut listener).ended;
    assert!(matches!(ended, Err(TuneError::Interrupted { trials: 1 })), "{ended:?}");
    drop(folder);
    assert_eq!(fs::read_dir(&claims).expect("there").count(), 1, "the other machine's claim stays");
    let busy = question.declare(&root.path().join("search"), true).expect_err("others are at work");
    assert!(busy.to_string().ends_with("search: another process searches here"), "{busy}");
}

/// A search of rounds of one trial is the one that it always was.
#[test]
fn rounds_are_of_the_question_where_they_are_of_consequence() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let one = question(&session, Sampler::Tpe);
    let four = Question { round: 4, ..one.clone() };
    one.declare(folder.path(), false).expect("a new folder");
    let text = fs::read_to_string(folder.path().join("search.json")).expect("there");
    assert!(!text.contains("round"), "{text}");
    let refused = four.declare(folder.path(), false).expect_err("another search").to_string();
    assert!(refused.contains("it differs in its round from"), "{refused}");
    let at_random = |round| Question { round, halving: None, ..question(&session, Sampler::Random) };
    let identity = |question: Question| question.identity().expect("a search");
    assert_eq!(
        identity(at_random(4)),
        identity(at_random(1)),
        "what is drawn at random depends on no result"
    );
    assert_ne!(
        identity(Question { halving: Some(Halving::default()), ..at_random(4) }),
        identity(at_random(1))
    );
    assert_ne!(identity(four), identity(one));
}
