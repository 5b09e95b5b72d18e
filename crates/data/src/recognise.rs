//! What a file is that is no IDX file, by its first bytes, its name and its length.
//!
//! Nothing is read by this: it only says what was found and what to do with it.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// First two bytes of a file that gzip has compressed.
pub(crate) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// As many first bytes of a file as tell what it is: a tar archive says so at byte 257.
pub(crate) const HEAD_BYTES: usize = 512;

/// Bytes of a record of CIFAR-10: the label, then 32×32 pixels of red, green and blue.
const CIFAR_10_RECORD: u64 = 1 + 3 * 32 * 32;

/// Bytes of a record of CIFAR-100, which has a coarse label before the fine one.
const CIFAR_100_RECORD: u64 = 1 + CIFAR_10_RECORD;

/// What was found in the place of an IDX file, and what makes it one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    what: &'static str,
    remedy: Remedy,
}

/// What makes data that is read of something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// It is a page that a server sent instead of the file: another download.
    PageDownload,
    /// Another download.
    Download,
    /// Unpacking the archive.
    Unpack,
    /// Unpacking once what was compressed twice.
    UnpackOnce,
    /// Writing the data in a format that is read.
    Convert,
    /// Pass the folder of arrays that are called by what they are.
    ArrayFolder,
    /// Naming the file itself, which is read.
    File,
    /// A folder for each class.
    ClassFolders,
    /// Saving the images as a kind that is read.
    ImageKind,
    /// It is one of the four: the folder that holds all.
    Folder,
    /// It can run code when it is read: writing its arrays elsewhere.
    Pickle,
    /// Fetching the file that Git LFS keeps.
    LargeFile,
    /// It is a format of QMNIST alone.
    LabelRows,
    /// The other byte order.
    ByteOrder,
}

impl Found {
    /// With its article: `a web page (HTML)`.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// What makes it what was expected.
    pub fn remedy(&self) -> Remedy {
        self.remedy
    }
}

/// The remedy for a folder of image files, which is not a file and so is not recognised here.
pub(crate) const IMAGE_FILES: Found = Found { what: "image files", remedy: Remedy::ClassFolders };
/// Its remedy likewise.
pub(crate) const OTHER_IMAGES: Found =
    Found { what: "images of a kind that is not read", remedy: Remedy::ImageKind };
pub(crate) const CSV: Found = Found { what: "a CSV file", remedy: Remedy::File };
pub(crate) const CIFAR_10: Found =
    Found { what: "CIFAR-10's binary format (records of 3073 bytes)", remedy: Remedy::File };
const CIFAR_100: Found =
    Found { what: "CIFAR-100's binary format (records of 3074 bytes)", remedy: Remedy::File };
pub(crate) const NUMPY: Found = Found { what: "a NumPy archive (npz)", remedy: Remedy::File };
pub(crate) const ZIP: Found = Found { what: "a zip archive", remedy: Remedy::Unpack };
const PICTURE: Found = Found { what: "an image file (PNG, JPEG or the like)", remedy: Remedy::ClassFolders };
const ARCHIVE: Found = Found { what: "a compressed archive", remedy: Remedy::Unpack };
const PICKLE: Found = Found { what: "a Python pickle", remedy: Remedy::Pickle };

/// What begins with which bytes. The first that fits counts.
const SIGNATURES: &[(&[u8], Found)] = &[
    (b"\x93NUMPY", Found { what: "a NumPy array (npy)", remedy: Remedy::ArrayFolder }),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\x89PNG", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"GIF8", PICTURE),
    (b"BM", PICTURE),
    (b"RIFF", PICTURE),
    (b"\xfd7zXZ\x00", ARCHIVE),
    (b"BZh", ARCHIVE),
    (b"\x28\xb5\x2f\xfd", ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (b"Rar!", ARCHIVE),
    (b"\x89HDF\r\n", Found { what: "an HDF5 file", remedy: Remedy::Convert }),
    (b"MATLAB 5.0", Found { what: "a MATLAB file", remedy: Remedy::Convert }),
    (b"PAR1", Found { what: "a Parquet file", remedy: Remedy::Convert }),
    (b"\x80\x02", PICKLE),
    (b"\x80\x03", PICKLE),
    (b"\x80\x04", PICKLE),
    (b"\x80\x05", PICKLE),
    (
        b"version https://git-lfs",
        Found { what: "a Git LFS pointer instead of the file itself", remedy: Remedy::LargeFile },
    ),
    (b"\x00\x00\x08\x03", Found { what: "an IDX file of images", remedy: Remedy::Folder }),
    (b"\x00\x00\x08\x01", Found { what: "an IDX file of labels", remedy: Remedy::Folder }),
    (
        b"\x00\x00\x0c\x02",
        Found { what: "an IDX file of QMNIST's rows of labels", remedy: Remedy::LabelRows },
    ),
    (b"\x03\x08\x00\x00", SWAPPED),
    (b"\x01\x08\x00\x00", SWAPPED),
];

const ZEROS: Found =
    Found { what: "nothing but zeros, as an interrupted download leaves", remedy: Remedy::Download };
const SWAPPED: Found = Found { what: "an IDX file in little-endian byte order", remedy: Remedy::ByteOrder };

/// What `head`, the first bytes of the file `name` of `length` bytes, begins; none for what is not known.
///
/// `length` is that of the file on disk, or 0 where it is not known.
pub(crate) fn recognise(name: &str, head: &[u8], length: u64) -> Option<Found> {
    let name = name.to_lowercase();
    if head.starts_with(&GZIP_MAGIC) {
        return recognise_compressed(&name, head);
    }
    if let Some((_, found)) = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)) {
        return Some(match *found {
            // An npz file is a zip file; its members are arrays.
            ZIP if name.ends_with(".npz") || holds(head, b".npy") => NUMPY,
            found => found,
        });
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(Found { what: "a tar archive", remedy: Remedy::Unpack });
    }
    let is_zero = head.len() >= 16 && head.iter().all(|byte| *byte == 0);
    recognise_text(&name, head)
        .or_else(|| recognise_cifar(&name, length))
        .or_else(|| is_zero.then_some(ZEROS))
}

/// What is inside a gzip file. No more than [`HEAD_BYTES`] are unpacked.
fn recognise_compressed(name: &str, head: &[u8]) -> Option<Found> {
    let mut inner = Vec::new();
    // The head ends within the compressed data, so an error comes after what could be unpacked.
    let _ = MultiGzDecoder::new(head).take(HEAD_BYTES as u64).read_to_end(&mut inner);
    if inner.starts_with(&GZIP_MAGIC) {
        return Some(GZIP_TWICE);
    }
    recognise(name.strip_suffix(".gz").unwrap_or(name), &inner, 0)
}

pub(crate) const GZIP_TWICE: Found =
    Found { what: "a file compressed by gzip twice", remedy: Remedy::UnpackOnce };

fn recognise_text(name: &str, head: &[u8]) -> Option<Found> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let lower = head.to_ascii_lowercase();
    let begins = |text: &str| lower.starts_with(text.as_bytes());
    if ["<!doctype html", "<html", "<head", "<body", "<script", "<title", "<meta"].into_iter().any(begins)
        || (begins("<!--") && holds(&lower, b"<html"))
    {
        return Some(Found { what: "a web page (HTML)", remedy: Remedy::PageDownload });
    }
    if begins("<?xml") || begins("<error") {
        let html = holds(&lower, b"<html") || holds(&lower, b"<!doctype html");
        let what = if html { "a web page (XHTML)" } else { "an XML page" };
        return Some(Found { what, remedy: Remedy::PageDownload });
    }
    let printable = |byte: &u8| byte.is_ascii_graphic() || b" \t\r\n".contains(byte) || *byte >= 0x80;
    if head.is_empty() || !head.iter().all(printable) {
        return None;
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let separators = line.iter().filter(|byte| b",;\t".contains(byte)).count();
    if name.ends_with(".csv") || name.ends_with(".tsv") || separators >= 2 {
        return Some(CSV);
    }
    // Bytes of an encoding alone are no sign of text.
    head.is_ascii().then_some(Found { what: "a text file", remedy: Remedy::Download })
}

fn recognise_cifar(name: &str, length: u64) -> Option<Found> {
    if !name.ends_with(".bin") || length == 0 {
        return None;
    }
    match (length % CIFAR_10_RECORD, length % CIFAR_100_RECORD) {
        (0, _) => Some(CIFAR_10),
        (_, 0) => Some(CIFAR_100),
        _ => None,
    }
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idx::compress;

    fn what(name: &str, head: &[u8], length: u64) -> Option<&'static str> {
        recognise(name, head, length).map(|found| found.what())
    }

    #[test]
    fn files_are_told_by_their_beginnings() {
        let mut tar = vec![b'a'; 512];
        tar[100..157].fill(0);
        tar[257..262].copy_from_slice(b"ustar");
        let cases: [(&str, &[u8], Option<&str>); 18] = [
            ("a.gz", b"<!DOCTYPE html><html><body>404</body></html>", Some("a web page (HTML)")),
            ("a", b"\n\n  <HTML lang=\"en\">sign in</html>", Some("a web page (HTML)")),
            ("a", b"\xef\xbb\xbf<html>", Some("a web page (HTML)")),
            ("a", b"<!-- saved --><html>", Some("a web page (HTML)")),
            ("a", b"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", Some("an XML page")),
            ("a", b"<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"\"><html>", Some("a web page (XHTML)")),
            ("a", b"PK\x03\x04 something", Some("a zip archive")),
            ("a.npz", b"PK\x03\x04 something", Some("a NumPy archive (npz)")),
            ("a", b"PK\x03\x04\x14\x00 x_train.npy", Some("a NumPy archive (npz)")),
            ("a", b"\x80\x04\x95", Some("a Python pickle")),
            ("a.tar", &tar, Some("a tar archive")),
            ("a.csv", b"label", Some("a CSV file")),
            ("a", b"3,0,0,0,0\n5,0,0,0,0\n", Some("a CSV file")),
            (
                "a",
                b"version https://git-lfs.github.com/spec/v1",
                Some("a Git LFS pointer instead of the file itself"),
            ),
            ("a", b"Not found", Some("a text file")),
            ("a", &[0; 64], Some("nothing but zeros, as an interrupted download leaves")),
            ("a", b"\x03\x08\x00\x00\x60\xea\x00\x00", Some("an IDX file in little-endian byte order")),
            ("a", b"\x00\x00\x08\x02\x00", None),
        ];
        for (name, head, expected) in cases {
            assert_eq!(
                what(name, head, head.len() as u64),
                expected,
                "{name} {:?}",
                head.escape_ascii().to_string()
            );
            assert_eq!(what(&format!("{name}.gz"), &compress(head), 0), expected, "{name} compressed");
        }
    }

    #[test]
    fn records_of_cifar_are_told_by_their_length() {
        for (name, length, expected) in [
            ("data_batch_1.bin", 3073 * 20, Some(CIFAR_10.what)),
            ("TRAIN.BIN", 3074 * 20, Some(CIFAR_100.what)),
            ("train.bin", 3073 * 20 + 1, None),
            ("train.dat", 3073 * 20, None),
        ] {
            assert_eq!(what(name, &[3, 0, 200, 1], length), expected, "{name}");
        }
    }

    #[test]
    fn gzip_twice_is_said() {
        let twice = compress(&compress(b"\x00\x00\x08\x01\x00\x00\x00\x01\x05"));
        assert_eq!(what("a.gz.gz", &twice, 0), Some("a file compressed by gzip twice"));
        // A head that is cut off within the compressed data.
        let noise: Vec<u8> = (0..4000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let twice = compress(&compress(&noise));
        assert_eq!(what("a", &twice[..HEAD_BYTES], 0), Some("a file compressed by gzip twice"));
    }
}
