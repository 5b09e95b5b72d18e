//! A file or folder of images, of whatever kind, as a corpus.

use std::path::Path;

use containers::{Contents, Images, Kind, Part};
use spec::ImageShape;

use crate::directory::read_four;
use crate::error::thousands;
use crate::four_files::FourFiles;
use crate::groups::Grouping;
use crate::means::are_transposed_digits;
use crate::split::{grouped_split, stratified_split};
use crate::{Corpus, Dataset, Error, HeldBack, Reading, Remark, TestShare};

/// Loads a file or folder of images: four IDX files, or anything that `containers` reads.
///
/// A validation part that is stated becomes the last training images ([`Corpus::validation_images`]). Where there is no test
/// part, images are set apart as one, as [`Reading::test`] says. What was guessed, converted or left out stands in
/// [`Corpus::remarks`].
///
/// # Errors
/// Every [`Error`] of files and sets.
pub fn load_path(path: &Path, reading: &Reading) -> Result<Corpus, Error> {
    let name = format!("{}{reading}", path.display());
    let is_four = path.is_dir() && FourFiles::are_in(path) || containers::recognise(path).is_none();
    check(&name, reading, if is_four { None } else { containers::recognise(path) })?;
    let (mut contents, sideways) = match is_four {
        true => read_four(path, &name, reading)?,
        false => (containers::read(path, &reading.of_images())?, None),
    };
    let mut groups = match &reading.groups {
        Some(asked) => Some(Grouping::of(asked, &name, &contents)?),
        None => None,
    };
    let read = std::mem::take(&mut contents.remarks).into_iter().map(Remark::Note);
    let mut remarks: Vec<Remark> = sideways.into_iter().chain(read).collect();
    let is_set_apart = contents.test.is_none();
    if is_set_apart {
        let share = reading.test.unwrap_or_default();
        remarks.push(Remark::Note(set_apart(&name, &mut contents, &mut groups, share)?));
    } else if reading.test.is_some() {
        return Err(Error::TestStated { name });
    }
    let mut corpus = assemble(name, contents, &mut remarks)?;
    if let Some(groups) = groups {
        remarks.extend(groups.remarks());
        if is_set_apart {
            corpus = corpus.with_test_set_apart(Some(groups.test().to_vec()));
        }
        corpus = corpus.with_groups(groups.into_training());
    } else if is_set_apart {
        corpus = corpus.with_test_set_apart(None);
    }
    if !is_four && are_transposed_digits(corpus.training(), corpus.class_names())? != Some(false) {
        corpus = corpus.prepared_otherwise();
    }
    Ok(corpus.with_remarks(remarks))
}

/// A corpus of contents with a test part, whose validation images become the last of the training images; adds to what there is to say.
pub(crate) fn assemble(name: String, contents: Contents, remarks: &mut Vec<Remark>) -> Result<Corpus, Error> {
    let Contents { class_names, mut training, validation, test, .. } = contents;
    let validation_images = validation.as_ref().map(|part| part.images.count);
    if let Some(validation) = validation {
        append(&mut training, validation);
    }
    let classes = class_names.len();
    let training = dataset(format!("{name} (training)"), training, classes)?;
    let test = dataset(format!("{name} (test)"), test.expect("a test part"), classes)?;
    let corpus = Corpus::examined_in_parts(name, training, validation_images, test, class_names)?;
    if validation_images.is_some() {
        remarks.extend(corpus.validation_in_words().map(|stated| Remark::Note(stated + ", used as such")));
    }
    Ok(corpus)
}

/// Refuses words that mean nothing for a kind of data; no kind stands for IDX files.
fn check(name: &str, reading: &Reading, kind: Option<Kind>) -> Result<(), Error> {
    let in_rows = matches!(kind, Some(Kind::Npz | Kind::Csv));
    let arrays = "a CSV or an npz file";
    for (asked, applies, word, expected) in [
        (reading.transposed, kind.is_none(), "transposed", "IDX files"),
        (reading.size.is_some(), in_rows, "size", arrays),
        (reading.layout.is_some(), in_rows, "channels", arrays),
    ] {
        if asked && !applies {
            return Err(Error::NotForThis { name: name.to_owned(), word, expected });
        }
    }
    Ok(())
}

/// Moves some of the training images into a test part; says which.
fn set_apart(
    name: &str,
    contents: &mut Contents,
    groups: &mut Option<Grouping>,
    TestShare { fraction, seed }: TestShare,
) -> Result<String, Error> {
    let part = &contents.training;
    let (images, classes) = (part.images.count, contents.class_names.len());
    let labels: Vec<u8> = part.labels.iter().map(|label| *label as u8).collect();
    let asked = ((images as f64 * fraction).round() as usize).max(1);
    let split = match groups {
        Some(groups) => grouped_split(&labels, classes, groups.training(), asked, seed),
        None => stratified_split(&labels, classes, asked, seed),
    };
    let split = split.map_err(|error| error.of_division(name, HeldBack::Test))?;
    let (training, test) = (select(part, &split.training), select(part, &split.validation));
    let whose = match groups {
        Some(groups) => {
            groups.set_apart(&split);
            "whole groups of them"
        }
        None => "of each class in its proportion",
    };
    let told = format!(
        "there is no test part: {} of {} images, {whose}, are set apart to test on, drawn by seed {seed} (folds are dealt out of all images); `test={}@{}` behind the path \
         draws others",
        thousands(test.images.count as u64),
        thousands(images as u64),
        fraction,
        seed + 1
    );
    (contents.training, contents.test) = (training, Some(test));
    Ok(told)
}

/// Those images of a part, in their order.
fn select(part: &Part, indices: &[u32]) -> Part {
    let length = part.images.height * part.images.width * part.images.channels;
    let indices = || indices.iter().map(|index| *index as usize);
    let mut pixels = Vec::with_capacity(indices().count() * length);
    indices().for_each(|index| pixels.extend_from_slice(&part.images.pixels[index * length..][..length]));
    Part {
        images: Images { pixels, count: indices().count(), ..part.images },
        labels: indices().map(|index| part.labels[index]).collect(),
        names: part.names.as_ref().map(|names| indices().map(|index| names[index].clone()).collect()),
    }
}

fn append(part: &mut Part, more: Part) {
    part.images.count += more.images.count;
    part.images.pixels.extend_from_slice(&more.images.pixels);
    part.labels.extend(more.labels);
    if let (Some(names), Some(more)) = (&mut part.names, more.names) {
        names.extend(more);
    }
}

fn dataset(name: String, part: Part, classes: usize) -> Result<Dataset, Error> {
    let Images { pixels, height, width, channels, .. } = part.images;
    // `containers` tells no more classes apart than a byte does.
    let labels = part.labels.into_iter().map(|label| label as u8).collect();
    let set = Dataset::new(name, pixels, labels, ImageShape { height, width, channels }, classes)?;
    Ok(match part.names {
        Some(names) => set.with_names(names),
        None => set,
    })
}
