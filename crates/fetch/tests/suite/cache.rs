//! A cache that others write to as well: links, pipes, endless files, other processes.
#![cfg(unix)]

use crate::{
    server::{Reply, Server, refused},
    sets::{Sample, fetch_telling, impatient, sample},
};
use data::load_published;
use fetch::{Event, FetchError, fetch};
use std::{
    fs,
    ops::ControlFlow,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};
use tempfile::TempDir;

struct Scene {
    server: Server,
    toy: Sample,
    cache: TempDir,
}

impl Scene {
    fn new() -> Self {
        let files = Arc::new(sample(true, &[]));
        let server = Server::new(move |request, _| Reply::File(files.file(&request.path)));
        let toy = sample(true, &[server.url("")]);
        let cache = tempfile::tempdir().expect("a folder");
        fs::create_dir(cache.path().join("toy")).expect("made");
        Self { server, toy, cache }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.cache.path().join("toy").join(name)
    }

    fn victim(&self) -> PathBuf {
        let path = self.cache.path().join("victim");
        fs::write(&path, "precious").expect("written");
        path
    }

    fn fetched(&self) {
        let (result, told) = fetch_telling(&self.toy.set, self.cache.path(), &impatient());
        result.unwrap_or_else(|error| panic!("{error}: {told:?}"));
        load_published(&self.toy.set, self.cache.path()).expect("loaded");
    }
}

fn assert_precious(victim: &Path) {
    assert_eq!(fs::read_to_string(victim).expect("still there"), "precious");
}

#[test]
fn an_unfinished_download_is_never_written_through_a_link() {
    let scene = Scene::new();
    let victim = scene.victim();
    symlink(&victim, scene.path("train-images.gz.part")).expect("linked");
    symlink("nowhere", scene.path("train-labels.gz.part")).expect("linked");
    fs::hard_link(&victim, scene.path("test-images.gz.part")).expect("linked");
    assert!(
        Command::new("mkfifo").arg(scene.path("test-labels.gz.part")).status().expect("mkfifo").success()
    );
    scene.fetched();
    assert_precious(&victim);
    assert!(!scene.path("nowhere").exists());
    let starts: Vec<_> = scene.server.requests().iter().map(|request| request.from).collect();
    assert_eq!(starts, [None; 4], "nothing of the linked files was taken for a beginning");
}

#[test]
fn a_finished_download_replaces_a_link_and_not_what_it_leads_to() {
    let scene = Scene::new();
    let victim = scene.victim();
    symlink(&victim, scene.path("train-images.gz")).expect("linked");
    scene.fetched();
    assert_precious(&victim);
    assert!(fs::symlink_metadata(scene.path("train-images.gz")).expect("there").is_file());
}

/// A person may keep the files elsewhere: what is read is verified in any case.
#[test]
fn a_link_to_the_file_itself_is_read() {
    let scene = Scene::new();
    let elsewhere = scene.cache.path().join("elsewhere");
    fs::write(&elsewhere, &scene.toy.files[0]).expect("written");
    symlink(&elsewhere, scene.path("train-images.gz")).expect("linked");
    scene.fetched();
    assert_eq!(scene.server.requests().len(), 3);
}

#[test]
fn pipes_and_devices_in_the_place_of_a_file_are_refused() {
    let scene = Scene::new();
    let path = scene.path("train-images.gz");
    let refused = || {
        let error = fetch_telling(&scene.toy.set, scene.cache.path(), &impatient()).0.expect_err("no file");
        assert_eq!(error.to_string(), format!("{}: not a plain file", path.display()));
    };
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    refused();
    fs::remove_file(&path).expect("removed");
    symlink("/dev/zero", &path).expect("linked");
    refused();
}

/// Sparse: of a terabyte nothing is read.
#[test]
fn a_file_of_another_length_is_not_read_to_its_end() {
    let scene = Scene::new();
    fs::File::create(scene.path("train-images.gz")).expect("made").set_len(1 << 40).expect("sparse");
    scene.fetched();
}

/// What another process finishes meanwhile is taken as it is.
#[test]
fn of_two_processes_one_waits_for_the_other() {
    let scene = Scene::new();
    let part = scene.path("train-images.gz.part");
    fs::write(&part, &scene.toy.files[0]).expect("written");
    let held = fs::File::options().write(true).open(&part).expect("there");
    held.lock().expect("locked");
    let (from, to) = (part.clone(), scene.path("train-images.gz"));
    let other = thread::spawn(move || {
        thread::sleep(Duration::from_millis(400));
        fs::rename(from, to).expect("renamed");
        drop(held);
    });
    let (result, told) = fetch_telling(&scene.toy.set, scene.cache.path(), &impatient());
    other.join().expect("it ends");
    result.expect("fetched");
    assert_eq!(told[..2], ["waiting for train-images.gz", "train-images.gz ready, false"]);
    assert!(!part.exists(), "no empty part is left");
    load_published(&scene.toy.set, scene.cache.path()).expect("loaded");
    assert_eq!(scene.server.requests().len(), 3, "the first file came from the other");
}

#[test]
fn many_at_once_all_end_with_the_set() {
    let scene = Scene::new();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut options = impatient();
                options.patience.silence = Duration::from_secs(5);
                let (result, told) = fetch_telling(&scene.toy.set, scene.cache.path(), &options);
                result.unwrap_or_else(|error| panic!("{error}: {told:?}"));
            });
        }
    });
    load_published(&scene.toy.set, scene.cache.path()).expect("loaded");
    let left = fs::read_dir(scene.cache.path().join("toy")).expect("a folder").count();
    assert_eq!(left, 4, "no part is left");
}

#[test]
fn a_wait_for_another_process_can_be_ended() {
    let scene = Scene::new();
    let part = scene.path("train-images.gz.part");
    fs::write(&part, "").expect("written");
    let held = fs::File::options().write(true).open(&part).expect("there");
    held.lock().expect("locked");
    let ended = fetch(&scene.toy.set, scene.cache.path(), &impatient(), &mut |event| match event {
        Event::Waiting { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(ended, Err(FetchError::Interrupted)), "{ended:?}");
}

#[test]
fn a_list_of_digests_without_end_is_none() {
    let cache = tempfile::tempdir().expect("a folder");
    let toy = sample(true, &[refused()]).set;
    let archive =
        data::Download { name: "all.zip", bytes: Some(7), digest: data::Digest::Sha256(""), mirrors: &[] };
    let members = ["a.gz", "b.gz", "c.gz", "d.gz"];
    let toy = data::Published { origin: data::Origin::Archive { folder: "toys", archive, members }, ..toy };
    fs::create_dir(cache.path().join("toy")).expect("made");
    symlink("/dev/zero", cache.path().join("toy/SHA256SUMS")).expect("linked");
    let error = fetch_telling(&toy, cache.path(), &impatient()).0.expect_err("nothing to fetch from");
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}
