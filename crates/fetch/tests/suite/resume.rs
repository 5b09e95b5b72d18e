//! Downloads that go on from where an earlier one ended.

use crate::{
    server::{Reply, Server},
    sets::{Sample, fetch_telling, impatient, sample},
};
use fetch::{Event, FetchError, fetch};
use std::{fs, ops::ControlFlow, path::PathBuf, sync::Arc};
use tempfile::TempDir;

const HALF: usize = 200;

struct Scene {
    server: Server,
    original: Arc<Sample>,
    toy: Sample,
    folder: TempDir,
}

impl Scene {
    /// The first requests are answered by `first`, where it has an answer.
    fn new(measured: bool, first: impl Fn(usize, Vec<u8>) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let original = Arc::new(sample(measured, &[]));
        let files = Arc::clone(&original);
        let server = Server::new(move |request, number| {
            let file = files.file(&request.path);
            first(number, file.clone()).unwrap_or(Reply::File(file))
        });
        let toy = sample(measured, &[server.url("")]);
        Self { server, original, toy, folder: tempfile::tempdir().expect("a folder") }
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("toy/train-images.gz.part")
    }

    fn leave(&self, bytes: &[u8]) {
        fs::create_dir_all(self.folder.path().join("toy")).expect("made");
        fs::write(self.part(), bytes).expect("written");
    }

    /// Fetches all and says from which bytes the first file was asked for.
    fn starts(&self) -> Vec<Option<usize>> {
        let before = self.server.requests().len();
        let (result, told) = fetch_telling(&self.toy.set, self.folder.path(), &impatient());
        result.unwrap_or_else(|error| panic!("{error}: {told:?}"));
        assert!(!self.part().exists());
        data::load_published(&self.toy.set, self.folder.path()).expect("loaded");
        let requests = self.server.requests();
        let first = requests[before..].iter().filter(|request| request.path == "/train-images.gz");
        let starts: Vec<Option<usize>> = first.map(|request| request.from).collect();
        let ready = format!("train-images.gz ready, {}", !starts.is_empty());
        assert!(told.contains(&ready), "{told:?}");
        starts
    }
}

#[test]
fn a_cut_connection_is_taken_up_again() {
    for measured in [true, false] {
        let scene = Scene::new(measured, |number, file| (number == 0).then_some(Reply::Cut(file, HALF)));
        assert_eq!(scene.starts(), [None, Some(HALF)]);
    }
}

#[test]
fn what_an_earlier_process_received_is_kept() {
    let scene = Scene::new(true, |_, _| None);
    scene.leave(&scene.original.files[0][..HALF]);
    assert_eq!(scene.starts(), [Some(HALF)]);
    let whole = Scene::new(true, |_, _| None);
    whole.leave(&whole.original.files[0]);
    assert_eq!(whole.starts(), [], "all of it was here");
}

#[test]
fn a_server_that_knows_no_ranges_is_obeyed() {
    let scene = Scene::new(true, |_, file| Some(Reply::Whole(file)));
    scene.leave(&scene.original.files[0][..HALF]);
    assert_eq!(scene.starts(), [Some(HALF)]);
}

#[test]
fn another_range_than_was_asked_for_begins_anew() {
    let scene = Scene::new(true, |number, file| (number == 0).then_some(Reply::WrongRange(file)));
    scene.leave(&scene.original.files[0][..HALF]);
    assert_eq!(scene.starts(), [Some(HALF), None]);
}

#[test]
fn a_part_of_something_else_is_thrown_away_once() {
    for measured in [true, false] {
        let scene = Scene::new(measured, |_, _| None);
        scene.leave(&[7; HALF]);
        assert_eq!(scene.starts(), [Some(HALF), None]);
    }
    let longer = Scene::new(true, |_, _| None);
    longer.leave(&[7; 100_000]);
    assert_eq!(longer.starts(), [None]);
    let unmeasured = Scene::new(false, |_, _| None);
    unmeasured.leave(&[7; 100_000]);
    assert_eq!(unmeasured.starts(), [Some(100_000), None], "the server has no such rest");
}

#[test]
fn a_connection_that_always_breaks_is_given_up_and_its_bytes_are_kept() {
    let scene = Scene::new(true, |_, file| Some(Reply::Cut(file, 10)));
    let (result, told) = fetch_telling(&scene.toy.set, scene.folder.path(), &impatient());
    let error = result.expect_err("it never ends");
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    let total = scene.original.files[0].len();
    assert_eq!(told[1], format!("failed: {total} bytes expected, the connection ended after 10"));
    let kept = fs::read(scene.part()).expect("kept");
    assert_eq!(kept, scene.original.files[0][..30]);
}

#[test]
fn an_interruption_keeps_what_was_received() {
    let scene = Scene::new(true, |_, _| None);
    let error = fetch(&scene.toy.set, scene.folder.path(), &impatient(), &mut |event| match event {
        Event::Received { received_bytes, .. } if received_bytes > 0 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .expect_err("interrupted");
    assert!(matches!(error, FetchError::Interrupted));
    let kept = fs::read(scene.part()).expect("kept");
    assert!(!kept.is_empty());
    assert_eq!(kept, scene.original.files[0][..kept.len()]);
    scene.starts();
}

#[test]
fn two_processes_do_not_write_one_part() {
    let scene = Scene::new(true, |_, _| None);
    scene.leave(&[]);
    let held = fs::File::options().write(true).open(scene.part()).expect("there");
    held.lock().expect("locked");
    let (result, told) = fetch_telling(&scene.toy.set, scene.folder.path(), &impatient());
    let error = result.expect_err("held by a process that does not go on");
    assert!(matches!(error, FetchError::Busy { .. }), "{error}");
    assert_eq!(told, ["waiting for train-images.gz"]);
    drop(held);
    scene.starts();
}
