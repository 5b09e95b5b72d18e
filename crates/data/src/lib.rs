//! Datasets, IDX files, splits and augmentation.
//!
//! A [`Corpus`] is a training [`Dataset`] and a test [`Dataset`] of one image size and one set of classes. It comes
//! from the MNIST copy inside the binary, or from its four files ([`mnist()`]), from a published set that was downloaded ([`published()`] says which there
//! are, the crate `fetch` gets them), from a folder of four IDX files, or from [`synthetic()`]:
//!
//! ```
//! # #[cfg(feature = "embedded")] {
//! let source = data::Source::parse("mnist")?;
//! let corpus = data::load(&source)?;
//! assert_eq!(corpus.training().len(), 60_000);
//! assert_eq!((corpus.test().height(), corpus.test().width()), (28, 28));
//! assert_eq!(corpus.test().labels()[0], 7);
//!
//! let labels = corpus.training().labels();
//! let validation_images = data::default_validation_images(labels.len());
//! let split = data::stratified_split(labels, corpus.classes(), validation_images, data::SPLIT_SEED)?;
//! assert_eq!((split.training.len(), split.validation.len()), (55_000, 5_000));
//! # }
//! # Ok::<(), data::Error>(())
//! ```
//!
//! Data that cannot be right is refused, or says so: [`Corpus::remarks`].
//!
//! Pixels stay bytes in memory. Parsing works on byte slices, and only `directory.rs`, `four_files.rs`, `paths.rs` and `published.rs` touch
//! the file system, so everything else works where there is none.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod augmentation;
mod cache;
mod classes;
mod coloured;
mod corpus;
mod dataset;
mod digest;
mod directory;
mod error;
mod four_files;
mod groups;
pub mod idx;
mod inspection;
mod load_path;
mod means;
mod mnist;
mod names;
mod parse;
mod paths;
mod published;
mod random;
mod reading;
mod recognise;
mod registry;
mod remark;
mod sanity;
mod shifted;
mod source;
mod split;
mod synthetic;

pub use augmentation::{Augmentation, AugmentationError, Augmenter, Target};
pub use cache::{CACHE_VARIABLE, cache_folder};
pub use containers::{
    Asked, Error as ContainerError, Layout, Remedy as ContainerRemedy, is_image_name, read_image,
};
pub use corpus::Corpus;
pub use dataset::{Dataset, MAXIMUM_CLASSES, MAXIMUM_SIDE};
pub use digest::{Digest, Hasher};
pub use directory::{load_directory, write_directory};
pub use error::{Beside, Error, HeldBack};
pub use four_files::FILE_NAMES;
pub use inspection::{ImageCopy, InspectedPart, Inspection, Place};
pub use load_path::load_path;
pub use mnist::mnist;
pub use names::near;
pub use paths::open_plain;
pub use published::{CHECKSUMS_FILE, Checksums, load_published};
pub use random::{bounded, generator, shuffle};
pub use reading::{Groups, Reading, TEST_FRACTION, TEST_SEED, TestShare, parse_size};
pub use recognise::{Found, Remedy};
pub use registry::{Download, LabelLayout, Origin, Published, find_published, published};
pub use remark::Remark;
pub use source::{MADE_OF_MNIST, Source, load, made_of_mnist};
pub use split::{
    SPLIT_SEED, Split, deal_folds, default_validation_images, grouped_split, last_split, stratified_split,
};
pub use synthetic::synthetic;
