//! The bytes of IDX files to sets.

use crate::classes::renumber;
use crate::{Dataset, Error, idx};

/// What IDX files hold.
pub(crate) struct Parsed {
    pub(crate) training: Dataset,
    pub(crate) test: Option<Dataset>,
    pub(crate) class_names: Vec<String>,
    /// How labels were turned into classes, where that is not plain.
    pub(crate) remark: Option<String>,
}

/// A file's name in errors, and its bytes.
type NamedFile = (String, Vec<u8>);

/// Reads the images and labels of the training part and of the test part, where there is one.
pub(crate) fn parse_files(
    name: &str,
    training: [NamedFile; 2],
    test: Option<[NamedFile; 2]>,
    transposed: bool,
) -> Result<Parsed, Error> {
    let names = (training[0].0.clone(), test.as_ref().map(|[images, _]| images.0.clone()));
    let (mut training, mut training_labels) = parse_set(training)?;
    let mut test = test.map(parse_set).transpose()?;
    // Compared here rather than in `Corpus` alone, so that the error names the files.
    if let ((training_name, Some(test_name)), Some((test, _))) = (names, &test)
        && training.shape != test.shape
    {
        return Err(Error::SetsDiffer {
            training: training_name,
            test: test_name,
            expected: training.shape,
            found: test.shape,
        });
    }
    if transposed {
        training.transpose();
        test.iter_mut().for_each(|(images, _)| images.transpose());
    }
    let test_labels = test.as_mut().map_or(&mut [][..], |(_, labels)| labels);
    let classes = renumber(name, &mut training_labels, test_labels)?;
    let dataset = |set: &str, images: idx::Images, labels| {
        let count = classes.names.len();
        Dataset::new(format!("{name} ({set})"), images.pixels, labels, images.shape, count)
    };
    Ok(Parsed {
        training: dataset("training", training, training_labels)?,
        test: test.map(|(images, labels)| dataset("test", images, labels)).transpose()?,
        class_names: classes.names,
        remark: classes.remark,
    })
}

fn parse_set([images, labels]: [NamedFile; 2]) -> Result<(idx::Images, Vec<u8>), Error> {
    parse_images_and_labels(images, labels, idx::read_labels)
}

/// A file of images and a file of as many labels, each with its name in errors.
pub(crate) fn parse_images_and_labels<L>(
    images: NamedFile,
    labels: NamedFile,
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
