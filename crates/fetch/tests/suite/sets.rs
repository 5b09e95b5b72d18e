//! Small sets like the published ones.

use data::{Corpus, Download, LabelLayout, Origin, Published, idx};
use fetch::{Event, FetchError, Fetched, Options, Patience, fetch};
use sha2::{Digest, Sha256};
use std::{ops::ControlFlow, path::Path, time::Duration};

/// Names of classes.
const CLASSES: &[&str] = &["bag", "boot", "coat"];

/// A set and the files that a server has of it.
pub(crate) struct Sample {
    pub(crate) set: Published,
    pub(crate) corpus: Corpus,
    /// In the order of the set.
    pub(crate) files: Vec<Vec<u8>>,
}

pub(crate) fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file as the registry describes it.
pub(crate) fn download(name: &'static str, content: &[u8], measured: bool, mirrors: &[String]) -> Download {
    let mirrors: Vec<&'static str> = mirrors.iter().map(|mirror| leak(mirror.clone())).collect();
    Download {
        name,
        bytes: measured.then_some(content.len() as u64),
        digest: data::Digest::Sha256(leak(sha256(content))),
        mirrors: Box::leak(mirrors.into_boxed_slice()),
    }
}

/// Four files of 30 training and 12 test images of 6×5 pixels in three classes.
pub(crate) fn sample(measured: bool, mirrors: &[String]) -> Sample {
    let corpus = data::synthetic(7, 30, 12, 6, 5, 3);
    let files: Vec<Vec<u8>> = [corpus.training(), corpus.test()]
        .into_iter()
        .flat_map(|set| [idx::write_images(set.images(), set.len(), [6, 5]), idx::write_labels(set.labels())])
        .map(|file| idx::compress(&file))
        .collect();
    let names = ["train-images.gz", "train-labels.gz", "test-images.gz", "test-labels.gz"];
    let set = Published {
        name: "toy",
        title: "toys",
        authors: "nobody",
        licence: "none",
        citation: "none",
        shape: corpus.training().shape(),
        training_images: 30,
        validation_images: 0,
        test_images: 12,
        classes: CLASSES,
        origin: Origin::Files(std::array::from_fn(|index| {
            download(names[index], &files[index], measured, mirrors)
        })),
        transposed: false,
        first_label: 0,
        labels: LabelLayout::Bytes,
    };
    Sample { set, corpus, files }
}

impl Sample {
    /// The file of a path that ends in its name.
    pub(crate) fn file(&self, path: &str) -> Vec<u8> {
        let names = self.set.file_names().expect("files");
        let index = names.iter().position(|name| path.ends_with(name)).expect("a file of the set");
        self.files[index].clone()
    }
}

/// Waits that a test can wait for.
pub(crate) fn impatient() -> Options {
    Options {
        mirror: None,
        certificates: None,
        patience: Patience {
            connect: Duration::from_secs(2),
            answer: Duration::from_secs(2),
            silence: Duration::from_millis(300),
            pause: Duration::from_millis(5),
            attempts: 3,
        },
    }
}

/// Fetches, with a line for each event that is not only progress.
pub(crate) fn fetch_telling(
    set: &Published,
    cache: &Path,
    options: &Options,
) -> (Result<Fetched, FetchError>, Vec<String>) {
    let mut told = Vec::new();
    let result = fetch(set, cache, options, &mut |event| {
        match event {
            Event::Requested { file, received_bytes, .. } => {
                told.push(format!("{file} from {received_bytes}"))
            }
            Event::Failed { problem, .. } => told.push(format!("failed: {problem}")),
            Event::Damaged { file } => told.push(format!("{file} damaged")),
            Event::Ready { file, downloaded, .. } => told.push(format!("{file} ready, {downloaded}")),
            Event::Waiting { file } => {
                if told.last() != Some(&format!("waiting for {file}")) {
                    told.push(format!("waiting for {file}"));
                }
            }
            Event::Received { .. } | Event::Verifying { .. } | Event::Unpacking { .. } => {}
        }
        ControlFlow::Continue(())
    });
    (result, told)
}
