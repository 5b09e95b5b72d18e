//! Whole downloads, and addresses that do not give what is wanted.

use crate::{
    server::{Reply, Server, refused},
    sets::{Sample, fetch_telling, impatient, leak, sample},
};
use data::{Digest, Origin, Published, load_published};
use fetch::{FetchError, Fetched};
use std::{fs, path::Path, sync::Arc};

/// A server of the sample's files that does `first` for the first requests, where that says so.
fn serving(first: impl Fn(usize) -> Option<Reply> + Send + Sync + 'static) -> (Server, Arc<Sample>) {
    let sample = Arc::new(sample(true, &[]));
    let files = Arc::clone(&sample);
    let server = Server::new(move |request, number| {
        first(number).unwrap_or_else(|| Reply::File(files.file(&request.path)))
    });
    (server, sample)
}

fn fetched_from(mirrors: &[String], cache: &Path) -> (Result<Fetched, FetchError>, Vec<String>) {
    fetch_telling(&sample(true, mirrors).set, cache, &impatient())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_set_is_fetched_verified_and_loaded_and_then_left_alone() {
    let (server, original) = serving(|_| None);
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("ein Ort für 数据");
    let toy = sample(true, &[server.url("data/")]).set;
    assert!(!toy.is_here(&cache));
    let (result, told) = fetch_telling(&toy, &cache, &impatient());
    let fetched = result.expect("fetched");
    assert!(toy.is_here(&cache));
    assert_eq!(fetched.folder, cache.join("toy"));
    assert_eq!(fetched.downloaded_bytes, original.files.iter().map(|file| file.len() as u64).sum::<u64>());
    assert_eq!(told[..2], ["train-images.gz from 0", "train-images.gz ready, true"]);
    assert_eq!(server.requests()[0].path, "/data/train-images.gz");
    assert_eq!(
        names(&fetched.folder),
        ["test-images.gz", "test-labels.gz", "train-images.gz", "train-labels.gz"]
    );

    let corpus = load_published(&toy, &cache).expect("loaded");
    assert_eq!(corpus.name(), "toy");
    assert_eq!(corpus.sha256(), original.corpus.sha256());
    assert_eq!(corpus.class_names(), ["bag", "boot", "coat"]);

    let (again, told) = fetch_telling(&toy, &cache, &impatient());
    assert_eq!(again.expect("there").downloaded_bytes, 0);
    assert_eq!(told[0], "train-images.gz ready, false");
    assert_eq!(server.requests().len(), 4, "nothing is asked for again");
}

/// The registry's entry, with a small file in the place of its own.
#[test]
fn a_set_of_medmnist_is_fetched_by_its_md5_and_learnt_from() {
    let archive =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/containers/medmnist.npz"));
    let archive = archive.expect("a golden file");
    let known = data::find_published("bloodmnist-64").expect("a known set");
    let mut file = known.downloads()[0].clone();
    let served = archive.clone();
    let server = Server::new(move |_, _| Reply::File(served.clone()));
    file.mirrors = vec![leak(server.url("records/10519652/files/"))].leak();
    let set = |digest| {
        let origin = Origin::Containers(vec![data::Download { digest, ..file.clone() }].leak());
        let (training_images, validation_images, test_images) = (13, 4, 5);
        let classes = &["a", "b", "c"];
        Published { origin, training_images, validation_images, test_images, classes, ..known.clone() }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let other = fetch_telling(&set(file.digest), folder.path(), &impatient()).0.expect_err("another file");
    let told = format!("MD5 {} expected, b812cf476a17e4c0936b6b0c04ec983a found", file.digest.digits());
    assert!(other.to_string().contains(&told), "{other}");
    let whole = set(Digest::Md5("b812cf476a17e4c0936b6b0c04ec983a"));
    assert!(matches!(load_published(&whole, folder.path()), Err(data::Error::NotFetched { .. })));
    fetch_telling(&whole, folder.path(), &impatient()).0.expect("fetched");
    assert_eq!(server.requests()[0].path, "/records/10519652/files/bloodmnist_64.npz");
    let corpus = load_published(&whole, folder.path()).expect("loaded");
    assert_eq!((corpus.name(), corpus.validation_images()), ("bloodmnist-64", Some(4)));
}

#[test]
fn lengths_need_not_be_known() {
    let original = sample(false, &[]);
    let server = Server::new(move |request, _| Reply::Unmeasured(original.file(&request.path)));
    let folder = tempfile::tempdir().expect("a folder");
    let toy = sample(false, &[server.url("")]).set;
    fetch_telling(&toy, folder.path(), &impatient()).0.expect("fetched");
    load_published(&toy, folder.path()).expect("loaded");
}

#[test]
fn the_next_address_is_asked_when_one_fails() {
    let (good, original) = serving(|_| None);
    let wrong = Server::new(move |request, _| {
        let mut file = original.file(&request.path);
        file[20] ^= 1;
        Reply::Whole(file)
    });
    let absent = Server::new(|_, _| Reply::Status(404));
    let page = Server::new(|_, _| Reply::Whole(b"<html>Sign in to this network</html>".to_vec()));
    let folder = tempfile::tempdir().expect("a folder");
    let mirrors = [refused(), absent.url("a/"), page.url("b/"), wrong.url("c/"), good.url("d/")];
    let (result, told) = fetched_from(&mirrors, folder.path());
    result.expect("fetched");
    let failures: Vec<&String> = told.iter().take_while(|line| !line.contains("ready")).collect();
    let problems: Vec<&str> = failures.iter().filter_map(|line| line.strip_prefix("failed: ")).collect();
    assert!(problems[0].contains("onnection"), "{problems:?}");
    assert_eq!(problems[1], "HTTP status 404 Not Found");
    assert!(problems[2].ends_with(" bytes expected, 36 found"), "{problems:?}");
    assert!(problems[3].starts_with("SHA-256 ") && problems[3].contains(" expected, "), "{problems:?}");
    assert_eq!(problems.len(), 4);
    assert_eq!(wrong.requests()[0].from, None);
    assert_eq!(good.requests()[0].from, None, "the wrong bytes were thrown away");
}

/// What came before a hotel's network asked to sign in is the beginning of the file still.
#[test]
fn an_answer_of_another_length_costs_nothing() {
    let (good, original) = serving(|_| None);
    let page = Server::new(|_, _| Reply::Whole(b"<html>Sign in to this network</html>".to_vec()));
    let folder = tempfile::tempdir().expect("a folder");
    let file = original.file("train-images.gz");
    fs::create_dir_all(folder.path().join("toy")).expect("a folder");
    fs::write(folder.path().join("toy/train-images.gz.part"), &file[..100]).expect("written");
    fetched_from(&[page.url("a/"), good.url("b/")], folder.path()).0.expect("fetched");
    assert_eq!(good.requests()[0].from, Some(100), "the part was kept");
}

#[test]
fn a_passing_fault_is_waited_out_and_a_lasting_one_is_not() {
    let (server, _) = serving(|number| (number < 2).then_some(Reply::Status(503)));
    let folder = tempfile::tempdir().expect("a folder");
    let (result, told) = fetched_from(&[server.url("")], folder.path());
    result.expect("fetched");
    assert_eq!(told.iter().filter(|line| line.contains("503")).count(), 2);

    let (server, _) = serving(|_| Some(Reply::Status(503)));
    let folder = tempfile::tempdir().expect("a folder");
    fetched_from(&[server.url("")], folder.path()).0.expect_err("it never ends");
    assert_eq!(server.requests().len(), 3, "attempts are limited");

    let (server, _) = serving(|_| Some(Reply::Status(403)));
    fetched_from(&[server.url("")], folder.path()).0.expect_err("forbidden");
    assert_eq!(server.requests().len(), 1);
}

/// The name is reserved for hosts that do not exist (RFC 2606).
#[test]
fn a_host_that_nobody_knows_is_asked_for_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (result, told) = fetched_from(&["http://host.invalid/".to_owned()], folder.path());
    result.expect_err("no such host");
    assert_eq!(told.iter().filter(|line| line.starts_with("failed: ")).count(), 1, "{told:?}");
}

#[test]
fn a_silent_server_is_given_up() {
    let (good, _) = serving(|_| None);
    let silent = Server::new(|_, _| Reply::Silence);
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = impatient();
    options.patience.attempts = 1;
    let toy = sample(true, &[silent.url(""), good.url("")]).set;
    let (result, told) = fetch_telling(&toy, folder.path(), &options);
    result.expect("fetched from the other");
    assert_eq!(told[1], "failed: nothing received for 300ms");
}

#[test]
fn without_a_network_the_error_says_what_belongs_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (refused(), refused());
    let toy = sample(true, &[first.clone(), second.clone()]);
    // The second file has been put there by hand.
    fs::create_dir(folder.path().join("toy")).expect("made");
    fs::write(folder.path().join("toy/train-labels.gz"), &toy.files[1]).expect("written");
    let error = fetch_telling(&toy.set, folder.path(), &impatient()).0.expect_err("nobody listens");
    let text = error.to_string();
    assert!(text.starts_with("toy: train-images.gz was not received: "), "{text}");
    assert!(text.contains(&format!("{first}train-images.gz: ")) && text.contains(&second), "{text}");
    let hint = error.hint();
    let lines: Vec<&str> = hint.lines().collect();
    assert!(lines[0].contains(&folder.path().join("toy").display().to_string()), "{hint}");
    let data::Origin::Files(files) = &toy.set.origin else { panic!("files") };
    assert_eq!(
        lines[1],
        format!("  train-images.gz  SHA-256 {}  {first}train-images.gz", files[0].digest.digits())
    );
    assert!(
        lines[2].starts_with("  test-images.gz  ") && lines[3].starts_with("  test-labels.gz  "),
        "{hint}"
    );
    assert_eq!(lines.len(), 5, "{hint}");
    assert_eq!(names(&folder.path().join("toy")), ["train-labels.gz"], "no empty part is left");

    // What the hint says, done.
    for (name, file) in toy.set.file_names().expect("files").iter().zip(&toy.files) {
        fs::write(folder.path().join("toy").join(name), file).expect("written");
    }
    fetch_telling(&toy.set, folder.path(), &impatient()).0.expect("all is there");
    load_published(&toy.set, folder.path()).expect("loaded");
}

#[test]
fn a_file_that_was_changed_is_noticed_and_replaced() {
    let (server, _) = serving(|_| None);
    let folder = tempfile::tempdir().expect("a folder");
    let toy = sample(true, &[server.url("")]).set;
    fetch_telling(&toy, folder.path(), &impatient()).0.expect("fetched");
    let path = folder.path().join("toy/test-labels.gz");
    let mut bytes = fs::read(&path).expect("there");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(&path, bytes).expect("written");
    let error = load_published(&toy, folder.path()).expect_err("changed");
    assert!(error.to_string().starts_with(&format!("{}: SHA-256 ", path.display())), "{error}");
    let offline = fetch_telling(&sample(true, &[refused()]).set, folder.path(), &impatient()).0;
    let offline = offline.expect_err("nobody listens").hint();
    assert!(offline.contains("\n  test-labels.gz  ") && offline.lines().count() == 3, "{offline}");
    let (result, told) = fetch_telling(&toy, folder.path(), &impatient());
    result.expect("fetched");
    assert_eq!(told[3..], ["test-labels.gz damaged", "test-labels.gz from 0", "test-labels.gz ready, true"]);
    load_published(&toy, folder.path()).expect("loaded");
}

#[test]
fn one_mirror_can_stand_for_all() {
    let (server, _) = serving(|_| None);
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = impatient();
    options.mirror = Some(server.url("copies/"));
    fetch_telling(&sample(true, &[refused()]).set, folder.path(), &options).0.expect("fetched");
    assert_eq!(server.requests()[3].path, "/copies/toy/test-labels.gz");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("toy"), "a file").expect("written");
    let error = fetched_from(&[refused()], folder.path()).0.expect_err("a file is in the way");
    assert!(matches!(error, FetchError::File { .. }), "{error}");
    assert!(error.to_string().starts_with(&folder.path().join("toy").display().to_string()), "{error}");
    assert!(error.hint().contains("MNIST_STUDY_DATA"), "{}", error.hint());
    if cfg!(target_os = "linux") {
        // Nobody may make a folder there, root included.
        let error = fetched_from(&[refused()], Path::new("/proc/cache")).0.expect_err("not writable");
        assert!(error.to_string().starts_with("/proc/cache/toy: "), "{error}");
    }
}
