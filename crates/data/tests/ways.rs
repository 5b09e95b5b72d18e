//! The same images, handed over in every way there is: one data set, by its fingerprint.

use data::{Corpus, Source, load, write_directory};
use flate2::read::GzDecoder;
use std::{fs, io::Read, path::Path};

fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/containers")
}

fn read(path: &Path) -> Corpus {
    let source = Source::parse(&path.display().to_string()).unwrap_or_else(|error| panic!("{error}"));
    load(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files by NumPy, pandas and SciPy (golden/containers), IDX files, and images in memory.
#[test]
fn every_way_has_one_fingerprint() {
    let expected = read(&golden().join("same-nhwc.npz"));
    assert_eq!((expected.training().len(), expected.test().len(), expected.classes()), (32, 8, 10));
    let folder = tempfile::tempdir().expect("a folder");
    let mut ways: Vec<(String, Corpus)> = Vec::new();
    for name in
        ["same-nchw.npz", "same-float.npz", "same-fortran.npz", "same-strings.npz", "same.mat", "same.csv.gz"]
    {
        ways.push((name.to_owned(), read(&golden().join(name))));
    }
    let rows = format!("{}:size=32x32:channels-first", golden().join("same-rows.npz").display());
    ways.push(("rows".to_owned(), load(&Source::parse(&rows).expect("there")).expect("read")));
    for name in ["same-cifar.bin", "same-cifar-100.bin"] {
        let mut records = Vec::new();
        let packed = fs::File::open(golden().join(format!("{name}.gz"))).expect("there");
        GzDecoder::new(packed).read_to_end(&mut records).expect("whole");
        fs::write(folder.path().join(name), records).expect("written");
        ways.push((name.to_owned(), read(&folder.path().join(name))));
    }
    let idx = folder.path().join("idx");
    write_directory(&expected, &idx).expect("written");
    ways.push(("IDX".to_owned(), read(&idx)));
    let part = |set: &data::Dataset| (set.images().to_vec(), set.labels().to_vec());
    let in_memory =
        Corpus::from_images("memory", [32, 32, 3], part(expected.training()), part(expected.test()));
    ways.push(("memory".to_owned(), in_memory.expect("a corpus")));
    assert_eq!(ways.len(), 11);
    for (name, corpus) in ways {
        assert_eq!(corpus.sha256(), expected.sha256(), "{name}");
    }
}
