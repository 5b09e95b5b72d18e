//! Small image classifiers: load one and classify, or train one, in a few lines.
//!
//! A model that `mnist-study train` saved tells which digit an image file shows:
//!
//! ```
//! # fn main() -> Result<(), mnist_study::Error> {
//! # let folder = std::env::temp_dir().join(format!("mnist-study-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).expect("a folder");
//! # let model = folder.join("nano.safetensors");
//! # mnist_study::Training::of("nano")?.epochs(1).run()?.classifier.save(&model)?;
//! # let picture = folder.join("seven.pgm");
//! # let mut file = b"P5 40 60 255\n".to_vec();
//! # file.extend((0..60 * 40).map(|i| {
//! #     let (y, x): (usize, usize) = (i / 40, i % 40);
//! #     let bar = (8..14).contains(&y) && (6..34).contains(&x);
//! #     let leg = (8..54).contains(&y) && (x + y / 3).abs_diff(32) < 4;
//! #     if bar || leg { 20u8 } else { 240 }
//! # }));
//! # std::fs::write(&picture, file).expect("written");
//! let mut classifier = mnist_study::Classifier::load(&model)?;
//! let answer = classifier.classify_file(&picture)?;
//! println!("{} ({:.0} %)", answer.name, 100.0 * answer.probability());
//! # assert_eq!(answer.probabilities.len(), 10);
//! # std::fs::remove_dir_all(&folder).expect("removed");
//! # Ok(())
//! # }
//! ```
//!
//! Training one, with its accuracy on the 10,000 test images, which are read once, at the end:
//!
//! ```
//! # fn main() -> Result<(), mnist_study::Error> {
//! let trained = mnist_study::Training::of("nano")?.epochs(1).seed(7).run()?;
//! println!("{:.2} %", 100.0 * trained.record.test.accuracy);
//! # assert!(trained.record.test.accuracy > 0.6);
//! # let folder = std::env::temp_dir().join(format!("mnist-study-train-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).expect("a folder");
//! # let file = folder.join("nano.safetensors");
//! trained.classifier.save(&file)?;
//! # let again = mnist_study::Classifier::load(&file)?;
//! # assert_eq!(again.description(), trained.classifier.description());
//! # std::fs::remove_dir_all(&folder).expect("removed");
//! # Ok(())
//! # }
//! ```
//!
//! Comparing two on images of one's own, judged as the command judges:
//!
//! ```
//! # fn main() -> Result<(), mnist_study::Error> {
//! # let made = mnist_study::data::synthetic(9, 240, 60, 14, 12, 3);
//! # let of = |set: &mnist_study::data::Dataset| (set.images().to_vec(), set.labels().to_vec());
//! # let (training, test) = (of(made.training()), of(made.test()));
//! let corpus = mnist_study::data::Corpus::from_images("shapes", [14, 12], training, test)?;
//! let compared = mnist_study::Comparison::of(["mlp", "cnn"])?.corpus(corpus).runs(2).epochs(1).run()?;
//! for verdict in compared.verdicts() {
//!     println!("{verdict}");
//! }
//! # assert_eq!((compared.runs.records.len(), compared.verdicts().count()), (4, 1));
//! # let folder = std::env::temp_dir().join(format!("mnist-study-compare-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).expect("a folder");
//! # let file = folder.join("report.html");
//! std::fs::write(&file, compared.page()).expect("a folder that can be written to");
//! # std::fs::remove_dir_all(&folder).expect("removed");
//! # Ok(())
//! # }
//! ```
//!
//! What all of this is made of is here too: [`data`] sets and augmentation, [`spec`]ifications of networks and recipes, [`nn`] layers and
//! optimisers, the [`train`]ing loop, [`study`] files and plans, other programs' [`predictions`], [`records`], their [`analysis`] by [`stats`] and its [`report`],
//! [`digits`] from pictures, and the formats of [`interchange`].

mod classifier;
#[cfg(feature = "command")]
pub mod command;
mod compared;
mod comparison;
mod printable;
mod report_files;
mod training;

/// The programs of the book are compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/how-to/library.md")]
struct HowToUseIt;

pub use classifier::{Answer, Classifier};
pub use compared::{Compared, known_images};
pub use comparison::Comparison;
pub use records::{question::Measure, record::Resample};
pub use report_files::ReportError;
pub use training::{Trained, Training, description_of};
pub use {analysis, data, digits, interchange, nn, predictions, records, report, spec, stats, study, train};

use std::io;

/// Why a classifier could not be had, or could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that cannot be read or written.
    #[error("{file}: {problem}")]
    File {
        /// Its path.
        file: String,
        /// What the system says.
        problem: io::Error,
    },
    /// A file that is no model.
    #[error("{file}: {problem}")]
    Model {
        /// Its path.
        file: String,
        /// What is wrong with it.
        problem: interchange::FormatError,
    },
    /// A network that its images do not fit.
    #[error(transparent)]
    Shape(#[from] nn::ShapeError),
    /// A picture without a digit.
    #[error("{file}: {problem}")]
    Picture {
        /// Its path, or `image` for bytes.
        file: String,
        /// What is wrong with it.
        problem: digits::PictureError,
    },
    /// An image of another size than the model's.
    #[error("images of {expected} pixels expected, one of {found} found")]
    Size {
        /// The model's.
        expected: String,
        /// The image's.
        found: String,
    },
    /// A data set that cannot be had.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// A results folder that cannot be used.
    #[error(transparent)]
    Folder(#[from] records::folder::FolderError),
    /// A results folder that holds no run.
    #[error(transparent)]
    Results(#[from] records::results::CollectError),
    /// Runs that one study does not have.
    #[error("runs of one study expected, those of several engines, or of several models of one name, found")]
    Mixed,
    /// A folder has another result of a run. Both are kept.
    #[error("run {id}: {difference}")]
    Conflict {
        /// The run's identity.
        id: String,
        /// In what the two differ.
        difference: String,
    },
    /// A report that could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A training that came to nothing.
    #[error(transparent)]
    Training(#[from] study::run::RunError),
}
