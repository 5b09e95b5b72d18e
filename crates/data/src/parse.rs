//! The bytes of IDX files to sets.

use crate::classes::renumber;
use crate::{Dataset, Error, idx};

/// What four files hold.
pub(crate) struct Parsed {
    pub(crate) training: Dataset,
    pub(crate) test: Dataset,
    pub(crate) class_names: Vec<String>,
    /// How labels were turned into classes, where that is not plain.
    pub(crate) remark: Option<String>,
}

/// Reads four files, each with its name in errors, in the order of [`crate::FILE_NAMES`].
pub(crate) fn parse_files(
    name: &str,
    files: [(String, Vec<u8>); 4],
    transposed: bool,
) -> Result<Parsed, Error> {
    let [training_images, training_labels, test_images, test_labels] = files;
    let training_name = training_images.0.clone();
    let test_name = test_images.0.clone();
    let (mut training, mut training_labels) = parse_set(training_images, training_labels)?;
    let (mut test, mut test_labels) = parse_set(test_images, test_labels)?;
    // Compared here rather than in `Corpus` alone, so that the error names the files.
    if training.shape != test.shape {
        return Err(Error::SetsDiffer {
            training: training_name,
            test: test_name,
            expected: training.shape,
            found: test.shape,
        });
    }
    if transposed {
        training.transpose();
        test.transpose();
    }
    let classes = renumber(name, &mut training_labels, &mut test_labels)?;
    let dataset = |set: &str, images: idx::Images, labels| {
        let count = classes.names.len();
        Dataset::new(format!("{name} ({set})"), images.pixels, labels, images.shape, count)
    };
    Ok(Parsed {
        training: dataset("training", training, training_labels)?,
        test: dataset("test", test, test_labels)?,
        class_names: classes.names,
        remark: classes.remark,
    })
}

fn parse_set(images: (String, Vec<u8>), labels: (String, Vec<u8>)) -> Result<(idx::Images, Vec<u8>), Error> {
    parse_images_and_labels(images, labels, idx::read_labels)
}

/// A file of images and a file of as many labels, each with its name in errors.
pub(crate) fn parse_images_and_labels<L>(
    images: (String, Vec<u8>),
    labels: (String, Vec<u8>),
    read_labels: impl FnOnce(&str, Vec<u8>) -> Result<Vec<L>, Error>,
) -> Result<(idx::Images, Vec<L>), Error> {
    let parsed_images = idx::read_images(&images.0, images.1)?;
    let parsed_labels = read_labels(&labels.0, labels.1)?;
    if parsed_images.count != parsed_labels.len() {
        return Err(Error::CountsDiffer {
            images_file: images.0,
            labels_file: labels.0,
            images: parsed_images.count as u64,
            labels: parsed_labels.len() as u64,
        });
    }
    Ok((parsed_images, parsed_labels))
}
