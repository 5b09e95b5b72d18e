//! Sets that are members of an archive, as EMNIST's are.

use crate::{
    server::{Reply, Server, refused},
    sets::{download, fetch_telling, impatient, sample},
};
use data::{Dataset, LabelLayout, Origin, Published, idx, load_published};
use std::{fs, io::Write, path::Path};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const MEMBERS: [&str; 4] =
    ["toy-train-images.gz", "toy-train-labels.gz", "toy-test-images.gz", "toy-test-labels.gz"];

/// Images of 6×5 pixels with rows and columns exchanged, labels from 1.
fn members() -> Vec<Vec<u8>> {
    let corpus = sample(true, &[]).corpus;
    [corpus.training(), corpus.test()].into_iter().flat_map(|set| [images(set), labels(set)]).collect()
}

fn images(set: &Dataset) -> Vec<u8> {
    let mut pixels = Vec::new();
    for index in 0..set.len() {
        let image = set.image(index);
        for column in 0..5 {
            pixels.extend((0..6).map(|row| image[row * 5 + column]));
        }
    }
    idx::compress(&idx::write_images(&pixels, set.len(), [5, 6]))
}

fn labels(set: &Dataset) -> Vec<u8> {
    let labels: Vec<u8> = set.labels().iter().map(|label| label + 1).collect();
    idx::compress(&idx::write_labels(&labels))
}

fn archive(members: &[(String, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in members {
        zip.start_file(name.as_str(), options).expect("a member");
        zip.write_all(content).expect("written");
    }
    zip.finish().expect("a zip file").into_inner()
}

fn whole_archive(method: CompressionMethod) -> Vec<u8> {
    let mut all = vec![("gzip/other-train-images.gz".to_owned(), vec![1; 5000])];
    all.extend(MEMBERS.iter().zip(members()).map(|(name, content)| (format!("gzip/{name}"), content)));
    archive(&all, method)
}

fn set(archive: &[u8], mirrors: &[String]) -> Published {
    Published {
        name: "toy-letters",
        origin: Origin::Archive {
            folder: "toys",
            archive: download("all.zip", archive, true, mirrors),
            members: MEMBERS,
        },
        transposed: true,
        first_label: 1,
        labels: LabelLayout::Bytes,
        ..sample(true, &[]).set
    }
}

fn assert_loads(set: &Published, cache: &Path) {
    let corpus = load_published(set, cache).expect("loaded");
    let expected = sample(true, &[]).corpus;
    assert_eq!(corpus.sha256(), expected.sha256(), "upright, and labels from 0");
    assert_eq!((corpus.training().height(), corpus.training().width()), (6, 5));
    assert_eq!(corpus.class_names(), ["bag", "boot", "coat"]);
}

#[test]
fn the_members_of_a_set_are_unpacked_turned_and_counted_from_0() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let zip = whole_archive(method);
        let served = zip.clone();
        let server = Server::new(move |_, _| Reply::File(served.clone()));
        let folder = tempfile::tempdir().expect("a folder");
        let toy = set(&zip, &[server.url("")]);
        let (fetched, _) = fetch_telling(&toy, folder.path(), &impatient());
        assert_eq!(fetched.expect("fetched").downloaded_bytes, zip.len() as u64);
        assert!(toy.is_here(folder.path()));
        assert_loads(&toy, folder.path());
        assert!(folder.path().join("toys/all.zip").is_file(), "kept for the other sets");
        assert!(!folder.path().join("toy-letters/other-train-images.gz").exists());

        // The archive may go; the set's files are its own.
        fs::remove_file(folder.path().join("toys/all.zip")).expect("removed");
        fetch_telling(&toy, folder.path(), &impatient()).0.expect("still there");
        assert_eq!(server.requests().len(), 1);
        assert_loads(&toy, folder.path());
    }
}

#[test]
fn an_archive_that_was_put_there_by_hand_needs_no_network() {
    let zip = whole_archive(CompressionMethod::Deflated);
    let folder = tempfile::tempdir().expect("a folder");
    let toy = set(&zip, &[refused()]);
    let error = fetch_telling(&toy, folder.path(), &impatient()).0.expect_err("nobody listens");
    let shared = folder.path().join("toys");
    assert!(
        error.hint().contains(&format!("put into {} by hand:\n  all.zip  SHA-256 ", shared.display())),
        "{}",
        error.hint()
    );
    fs::write(shared.join("all.zip"), &zip).expect("written");
    let (fetched, told) = fetch_telling(&toy, folder.path(), &impatient());
    assert_eq!(fetched.expect("unpacked").downloaded_bytes, 0);
    assert_eq!(told[0], "all.zip ready, false");
    assert_loads(&toy, folder.path());
}

#[test]
fn a_member_that_was_changed_is_noticed_and_unpacked_again() {
    let zip = whole_archive(CompressionMethod::Deflated);
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("toys")).expect("made");
    fs::write(folder.path().join("toys/all.zip"), &zip).expect("written");
    let toy = set(&zip, &[refused()]);
    fetch_telling(&toy, folder.path(), &impatient()).0.expect("unpacked");
    let path = folder.path().join("toy-letters").join(MEMBERS[1]);
    let other = idx::compress(&idx::write_labels(&[1; 30]));
    fs::write(&path, other).expect("written");
    let error = load_published(&toy, folder.path()).expect_err("changed");
    assert!(matches!(error, data::Error::WrongDigest { .. }), "{error}");
    fetch_telling(&toy, folder.path(), &impatient()).0.expect("unpacked again");
    assert_loads(&toy, folder.path());
}

#[test]
fn archives_that_are_not_what_they_should_be_are_named() {
    let members = members();
    let lacking = archive(&[(MEMBERS[0].to_owned(), members[0].clone())], CompressionMethod::Stored);
    let mut damaged = whole_archive(CompressionMethod::Stored);
    // Stored bytes of the first member of the set: only its CRC-32 tells.
    let place = damaged.windows(8).position(|bytes| bytes == &members[0][..8]).expect("stored as it is");
    damaged[place + 100] ^= 1;
    for (zip, expected) in [
        (lacking, "a member toy-train-labels.gz expected, none found"),
        (damaged, "toy-train-images.gz: "),
        (b"not a zip file".to_vec(), ""),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("toys")).expect("made");
        fs::write(folder.path().join("toys/all.zip"), &zip).expect("written");
        let toy = set(&zip, &[refused()]);
        let error = fetch_telling(&toy, folder.path(), &impatient()).0.expect_err("unusable");
        let path = folder.path().join("toys/all.zip");
        assert!(error.to_string().starts_with(&format!("{}: {expected}", path.display())), "{error}");
        assert!(!toy.is_here(folder.path()));
        let left = fs::read_dir(folder.path().join("toy-letters")).into_iter().flatten().flatten();
        let parts = left.filter(|entry| entry.file_name().to_string_lossy().ends_with(".part")).count();
        assert_eq!(parts, 0, "nothing half-unpacked is left");
    }
}
