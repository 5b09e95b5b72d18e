//! A corpus as a folder of four files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use containers::{Contents, Images, Part};
use spec::ImageShape;

use crate::classes::list;
use crate::four_files::{FILE_NAMES, FourFiles};
use crate::load_path::load_path;
use crate::means::are_transposed_digits;
use crate::parse::parse_files;
use crate::paths::{read_file, text};
use crate::{Corpus, Dataset, Error, Reading, Remark, idx};

/// Loads the four files of a folder, each as it is or compressed by gzip.
///
/// Files of the names that other programs write are taken as well: `train-images.idx3-ubyte`, `test-` for `t10k-`,
/// `emnist-letters-train-images-idx3-ubyte`, upper case, a folder of the file's name that holds it. Where a file is present in
/// two forms, the one that is named as [`FILE_NAMES`] counts, and the uncompressed one of both. The corpus is named as the
/// folder was.
///
/// Where both files of the test part are missing, images are set apart as one.
///
/// Classes are the labels that occur, numbered from 0 in their order and called by the labels
/// ([`Corpus::class_names`]); what is odd about that, and about the data, is in [`Corpus::remarks`].
///
/// # Errors
/// Every [`Error`] of files and sets: missing, ambiguous, unreadable, malformed, of different counts, sizes or classes, of one
/// class, of images that are all alike.
pub fn load_directory(directory: &Path) -> Result<Corpus, Error> {
    load_path(directory, &Reading::default())
}

/// The four files of a folder, for the corpus of that name.
pub(crate) fn read_four(
    directory: &Path,
    name: &str,
    reading: &Reading,
) -> Result<(Contents, Option<Remark>), Error> {
    let found = FourFiles::find(directory)?;
    let read = |[images, labels]: &[PathBuf; 2]| -> Result<_, Error> {
        Ok([(text(images), read_file(images)?), (text(labels), read_file(labels)?)])
    };
    let test = found.test.as_ref().map(read).transpose()?;
    let parsed = parse_files(name, read(&found.training)?, test, reading.transposed)?;
    let sideways = sideways_remark(&parsed.training, &parsed.class_names, &found, reading.transposed)?;
    let mut remarks: Vec<String> = parsed.remark.into_iter().collect();
    if !found.others.is_empty() {
        remarks.push(format!("files of other sets passed over: {}", list(&found.others, "and")));
    }
    let mut part = |set: Dataset, part: &str| {
        let (shape, count) = (set.shape(), set.len());
        let labels = set.labels().iter().map(|label| u16::from(*label)).collect();
        let ImageShape { height, width, channels } = shape;
        let mut images = Images { pixels: set.into_images(), count, height, width, channels };
        remarks.extend(images.convert(part, &reading.of_images()));
        Part { images, labels, names: None }
    };
    let training = part(parsed.training, "training");
    let test = parsed.test.map(|test| part(test, "test"));
    let contents = Contents { class_names: parsed.class_names, training, validation: None, test, remarks };
    Ok((contents, sideways.map(Remark::Warning)))
}

/// Told of images that lie on their side: digits are seen to, others by their files' names or by how many images there are.
fn sideways_remark(
    training: &crate::Dataset,
    class_names: &[String],
    found: &FourFiles,
    transposed: bool,
) -> Result<Option<String>, Error> {
    let published = crate::published().iter().filter(|set| set.transposed);
    let as_many = || {
        let mut same = published.filter(|set| set.training_images == training.len());
        same.find(|set| set.training_images != 60_000).map(|set| format!("as many images as {}", set.name))
    };
    Ok(match (are_transposed_digits(training, class_names)?, transposed) {
        (Some(true), false) => Some(
            "the images are digits that lie on their side, rows and columns exchanged, as EMNIST's published files \
             hold them: --transpose turns them upright"
                .to_owned(),
        ),
        (Some(true), true) => {
            Some("--transpose lays upright digits on their side: leave it out".to_owned())
        }
        (None, false) => {
            let named = found.is_of_emnist().then(|| "files named as EMNIST's".to_owned());
            named.or_else(as_many).map(|what| {
                format!(
                    "{what}: EMNIST's published files hold every image transposed, rows and columns exchanged; \
                     --transpose turns them upright"
                )
            })
        }
        (Some(false), _) | (None, true) => None,
    })
}

/// Writes a corpus as four uncompressed files, making the folder if there is none.
///
/// Each file is complete before it takes its name: four temporary files are written first and then renamed.
///
/// # Errors
/// [`Error::Unwritable`] with the path and what the system said.
pub fn write_directory(corpus: &Corpus, directory: &Path) -> Result<(), Error> {
    let unwritable =
        |path: &Path, error: io::Error| Error::Unwritable { file: text(path), reason: error.to_string() };
    fs::create_dir_all(directory).map_err(|error| unwritable(directory, error))?;
    let (training, test) = (corpus.training(), corpus.test());
    let contents = [
        (idx::images_header(training), training.images()),
        (idx::labels_header(training), training.labels()),
        (idx::images_header(test), test.images()),
        (idx::labels_header(test), test.labels()),
    ];
    let mut written = Vec::new();
    for (name, (header, body)) in FILE_NAMES.iter().zip(contents) {
        let path = directory.join(name);
        let temporary = Temporary::write(&path, &header, body).map_err(|error| unwritable(&path, error))?;
        written.push((temporary, path));
    }
    for (temporary, path) in written {
        temporary.rename(&path).map_err(|error| unwritable(&path, error))?;
    }
    Ok(())
}

/// A complete file beside the place it is meant for; removed unless it is renamed. An empty path is none.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn write(target: &Path, header: &[u8], body: &[u8]) -> io::Result<Self> {
        let (mut file, temporary) = Self::create(target)?;
        file.write_all(header)?;
        file.write_all(body)?;
        file.sync_all()?;
        Ok(temporary)
    }

    /// Takes the first free name, so that two programs that write the same folder never share a file.
    fn create(target: &Path) -> io::Result<(File, Self)> {
        let mut number = 0_u32;
        loop {
            let path = target.with_extension(format!("{number}.tmp"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, Self { path })),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1_000 => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        // From here on another program's file may bear the temporary name.
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // A failure to tidy up would hide the error that led here.
            let _ = fs::remove_file(&self.path);
        }
    }
}
