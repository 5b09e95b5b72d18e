//! MNIST by its four original files.

use crate::digest::Digest;
use crate::parse::{Parsed, parse_files};
use crate::{Corpus, Error, FILE_NAMES};

/// SHA-256 of the four original files, in the order of [`FILE_NAMES`].
const SHA256: [&str; 4] = [
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
];

/// MNIST, made of its four original files in the order of [`FILE_NAMES`], not compressed. It is the corpus that [`crate::load`]
/// makes of [`crate::Source::Mnist`], by name and SHA-256 too, so that runs on either have one identity.
///
/// # Errors
/// [`Error::WrongDigest`] for a file that is not as it was published.
pub fn mnist(files: [Vec<u8>; 4]) -> Result<Corpus, Error> {
    for ((file, bytes), expected) in FILE_NAMES.iter().zip(&files).zip(SHA256) {
        let digest = Digest::Sha256(expected);
        let mut hasher = digest.hasher();
        hasher.update(bytes);
        let found = hasher.finish();
        if found != expected {
            return Err(Error::WrongDigest {
                name: "mnist".to_owned(),
                file: (*file).to_owned(),
                algorithm: digest.algorithm(),
                expected: expected.to_owned(),
                found,
            });
        }
    }
    of_verified(files)
}

/// The same for files whose digests have been compared: taking them again would double the time of loading.
fn of_verified(files: [Vec<u8>; 4]) -> Result<Corpus, Error> {
    let [a, b, c, d] = FILE_NAMES.map(str::to_owned);
    let [e, f, g, h] = files;
    let Parsed { training, test, class_names, .. } =
        parse_files("mnist", [(a, e), (b, f)], Some([(c, g), (d, h)]), false)?;
    let test = test.expect("its files were given");
    // Its content is known, and examined by a test.
    Corpus::known("mnist".to_owned(), training, test, class_names, &SHA256.map(parse_digest))
}

/// The copy inside the program.
///
/// # Errors
/// [`Error::Embedded`] when it is damaged, [`Error::NoCopy`] in a program that has none.
pub(crate) fn own_copy() -> Result<Corpus, Error> {
    #[cfg(feature = "embedded")]
    {
        let embedded::Files { training_images, training_labels, test_images, test_labels } =
            embedded::files()?;
        of_verified([training_images, training_labels, test_images, test_labels])
    }
    #[cfg(not(feature = "embedded"))]
    Err(Error::NoCopy)
}

/// The test images and labels of that copy, as the files have them; none in a program that has no copy.
///
/// # Errors
/// [`Error::Embedded`] when it is damaged.
pub(crate) fn own_test_files() -> Result<Option<[Vec<u8>; 2]>, Error> {
    #[cfg(feature = "embedded")]
    {
        let unpacked = |file: &embedded::PackedFile| embedded::unpack(file, file.parts);
        Ok(Some([unpacked(&embedded::TEST_IMAGES)?, unpacked(&embedded::TEST_LABELS)?]))
    }
    #[cfg(not(feature = "embedded"))]
    Ok(None)
}

/// The 32 bytes of 64 hexadecimal digits, which are a constant.
fn parse_digest(text: &str) -> [u8; 32] {
    std::array::from_fn(|index| {
        u8::from_str_radix(&text[2 * index..][..2], 16).expect("a constant in hexadecimal")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_from_its_digits() {
        let digest = parse_digest("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff");
        assert_eq!((digest[0], digest[10], digest[31]), (0, 10, 255));
    }

    #[test]
    #[cfg(feature = "embedded")]
    fn the_four_files_are_the_copy_inside_the_program() {
        let files = embedded::files().expect("whole");
        let mut files = [files.training_images, files.training_labels, files.test_images, files.test_labels];
        let (own, given) = (own_copy().expect("whole"), mnist(files.clone()).expect("whole"));
        assert_eq!((own.name(), own.sha256()), (given.name(), given.sha256()));
        assert!(own.training().images() == given.training().images());
        assert_eq!(own.test().labels(), given.test().labels());
        files[2][9_000] ^= 1;
        let error = mnist(files).expect_err("changed").to_string();
        assert!(error.starts_with("t10k-images-idx3-ubyte: SHA-256 0fa7898d50"), "{error}");
    }
}
