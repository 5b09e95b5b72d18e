//! IDX files: what is written is read, and what is malformed is named.

use data::{Error, Remedy, idx};
use proptest::prelude::*;

const IMAGES: &str = "data/train-images-idx3-ubyte";
const LABELS: &str = "data/train-labels-idx1-ubyte";

/// A file of images whose header says `header` whatever follows it.
fn images_file(header: [u32; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.extend_from_slice(body);
    bytes
}

fn images_error(bytes: Vec<u8>) -> Error {
    idx::read_images(IMAGES, bytes).unwrap_err()
}

fn labels_error(bytes: Vec<u8>) -> Error {
    idx::read_labels(LABELS, bytes).unwrap_err()
}

fn images() -> impl Strategy<Value = (usize, usize, usize, Vec<u8>)> {
    (1_usize..6, 1_usize..9, 1_usize..9).prop_flat_map(|(count, height, width)| {
        let pixels = proptest::collection::vec(any::<u8>(), count * height * width);
        (Just(count), Just(height), Just(width), pixels)
    })
}

proptest! {
    #[test]
    fn images_survive_the_round_trip((count, height, width, pixels) in images(), compressed in any::<bool>()) {
        let raw = idx::write_images(&pixels, count, [height, width]);
        let file = if compressed { idx::compress(&raw) } else { raw };
        let read = idx::read_images(IMAGES, file).unwrap();
        prop_assert_eq!(read, idx::Images { pixels, count, shape: [height, width].into() });
    }

    #[test]
    fn labels_survive_the_round_trip(labels in proptest::collection::vec(any::<u8>(), 1..40), compressed in any::<bool>()) {
        let raw = idx::write_labels(&labels);
        let file = if compressed { idx::compress(&raw) } else { raw };
        prop_assert_eq!(idx::read_labels(LABELS, file).unwrap(), labels);
    }

    /// Any shortening and any lengthening of a file is seen, compressed or not.
    #[test]
    fn a_file_of_another_length_is_an_error((count, height, width, pixels) in images(), compressed in any::<bool>(), change in -30_isize..30) {
        prop_assume!(change != 0);
        let mut raw = idx::write_images(&pixels, count, [height, width]);
        let expected = raw.len() as u64;
        raw.resize(raw.len().saturating_add_signed(change), 7);
        let found = raw.len() as u64;
        let error = images_error(if compressed { idx::compress(&raw) } else { raw });
        let file = IMAGES.to_owned();
        if found < 16 {
            prop_assert_eq!(error, Error::Truncated { file, expected: 16, found });
        } else if change < 0 {
            prop_assert_eq!(error, Error::Truncated { file, expected, found });
        } else {
            prop_assert_eq!(error, Error::TrailingBytes { file, expected, found: (!compressed).then_some(found) });
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = idx::read_images(IMAGES, bytes.clone());
        let _ = idx::read_labels(LABELS, bytes.clone());
        let _ = idx::read_images(IMAGES, idx::compress(&bytes));
        let _ = idx::read_labels(LABELS, idx::compress(&bytes));
    }

    /// Random bytes seldom get past the magic number; these have a header that is nearly right.
    #[test]
    fn arbitrary_headers_never_panic(words in proptest::collection::vec(prop_oneof![0_u32..4, any::<u32>()], 3), body in proptest::collection::vec(any::<u8>(), 0..64)) {
        let file = images_file([idx::IMAGES_MAGIC, words[0], words[1], words[2]], &body);
        let by_header = u64::from(words[0]).saturating_mul(u64::from(words[1])).saturating_mul(u64::from(words[2]));
        let valid = words.iter().all(|&word| word > 0) && words[1] <= 256 && words[2] <= 256;
        prop_assert_eq!(idx::read_images(IMAGES, file.clone()).is_ok(), valid && by_header == body.len() as u64);
        let _ = idx::read_images(IMAGES, idx::compress(&file));
    }

    /// A flipped bit in a compressed file is seen by gzip's own checksum, or falls on a field that means nothing.
    #[test]
    fn a_damaged_gzip_file_never_yields_other_labels(labels in proptest::collection::vec(any::<u8>(), 1..60), place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut file = idx::compress(&idx::write_labels(&labels));
        let place = place.index(file.len());
        file[place] ^= 1 << bit;
        if let Ok(read) = idx::read_labels(LABELS, file) {
            prop_assert_eq!(read, labels);
        }
    }
}

#[test]
fn the_bytes_are_the_formats() {
    assert_eq!(
        idx::write_images(&[9, 8, 7, 6, 5, 4], 1, [3, 2]),
        [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 2, 9, 8, 7, 6, 5, 4]
    );
    assert_eq!(idx::write_labels(&[5, 0, 255]), [0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 255]);
    assert_eq!(idx::compress(b"")[..2], [0x1f, 0x8b]);
    let read = idx::read_images(IMAGES, images_file([0x803, 1, 256, 256], &[1; 65_536])).unwrap();
    assert_eq!((read.count, read.shape), (1, [256, 256].into()));
}

#[test]
fn every_malformed_images_file_is_named() {
    let cases: [(Vec<u8>, &str); 14] = [
        (vec![], "16 bytes expected, 0 found"),
        (vec![0, 0, 8], "16 bytes expected, 3 found"),
        (vec![0, 0, 8, 3, 0, 0, 0, 1], "16 bytes expected, 8 found"),
        (vec![0, 0, 8, 2, 0], "magic number 0x00000803 expected, 0x00000802 found"),
        (images_file([0x801, 1, 2, 2], &[0; 4]), "magic number 0x00000803 expected, 0x00000801 found"),
        (
            images_file([0x0308_0000, 1, 2, 2], &[0; 4]),
            "an IDX file of images expected, an IDX file in little-endian byte order found",
        ),
        (images_file([0x803, 0, 28, 28], &[]), "at least 1 image expected, 0 found"),
        (images_file([0x803, 1, 0, 28], &[]), "images of 1×1 to 256×256 pixels expected, 0×28 found"),
        (images_file([0x803, 1, 28, 0], &[]), "images of 1×1 to 256×256 pixels expected, 28×0 found"),
        (images_file([0x803, 1, 257, 1], &[0; 257]), "images of 1×1 to 256×256 pixels expected, 257×1 found"),
        (images_file([0x803, 1, 1, 257], &[0; 257]), "images of 1×1 to 256×256 pixels expected, 1×257 found"),
        (images_file([0x803, 60_000, 28, 28], &[0; 1_008]), "47,040,016 bytes expected, 1,024 found"),
        (images_file([0x803, 1, 2, 2], &[0; 5]), "20 bytes expected, 21 found"),
        (images_file([0x803, u32::MAX, 256, 256], &[0; 9]), "281,474,976,645,136 bytes expected, 25 found"),
    ];
    for (bytes, message) in cases {
        assert_eq!(images_error(bytes).to_string(), format!("{IMAGES}: {message}"));
    }
}

#[test]
fn every_malformed_labels_file_is_named() {
    let cases: [(Vec<u8>, &str); 6] = [
        (vec![0, 0, 8, 1, 0, 0, 0], "8 bytes expected, 7 found"),
        (vec![0, 0, 8, 3, 0, 0, 0, 1, 5], "magic number 0x00000801 expected, 0x00000803 found"),
        (vec![0, 0, 8, 1, 0, 0, 0, 0], "at least 1 image expected, 0 found"),
        (vec![0, 0, 8, 1, 0, 0, 0x27, 0x10, 1, 2], "10,008 bytes expected, 10 found"),
        (vec![0, 0, 8, 1, 0, 0, 0, 1, 5, 6], "9 bytes expected, 10 found"),
        (vec![0, 0, 8, 1, 255, 255, 255, 255, 5], "4,294,967,303 bytes expected, 9 found"),
    ];
    for (bytes, message) in cases {
        assert_eq!(labels_error(bytes).to_string(), format!("{LABELS}: {message}"));
    }
}

#[test]
fn a_compressed_file_is_read_no_further_than_its_header_says() {
    let mut bomb = images_file([0x803, 1, 2, 2], &[]);
    bomb.resize(20_000_000, 0);
    let mut bomb = idx::compress(&bomb);
    // Whoever unpacks all of it meets a wrong checksum and reports that instead.
    let checksum = bomb.len() - 8;
    bomb[checksum] ^= 1;
    assert_eq!(images_error(bomb).to_string(), format!("{IMAGES}: 20 bytes expected, more found"));

    let claim = images_file([0x803, u32::MAX, 256, 256], &[0; 9]);
    assert_eq!(
        images_error(idx::compress(&claim)).to_string(),
        format!("{IMAGES}: at most 1,073,741,824 bytes expected, 281,474,976,645,136 found")
    );

    let claim = images_file([0x803, 1_000_000, 28, 28], &[0; 9]);
    assert_eq!(
        images_error(idx::compress(&claim)).to_string(),
        format!("{IMAGES}: 784,000,016 bytes expected, 25 found")
    );

    let short_labels = idx::write_labels(&[1, 2, 3]);
    let joined = [short_labels.clone(), short_labels].concat();
    assert_eq!(
        labels_error(idx::compress(&joined)).to_string(),
        format!("{LABELS}: 11 bytes expected, more found")
    );
}

#[test]
fn a_damaged_compressed_file_says_so() {
    let whole = idx::compress(&idx::write_labels(&[3; 1_000]));
    let damaged = |bytes: Vec<u8>| {
        let error = labels_error(bytes);
        assert!(matches!(error, Error::Compression { .. }), "{error}");
        error.to_string()
    };
    let text = damaged(whole[..whole.len() - 9].to_vec());
    assert!(text.starts_with(&format!("{LABELS}: gzip data expected, damaged data found (")), "{text}");
    let mut wrong_checksum = whole.clone();
    let checksum = whole.len() - 8;
    wrong_checksum[checksum] ^= 1;
    damaged(wrong_checksum);
    damaged([whole, b"garbage".to_vec()].concat());
    damaged(vec![0x1f, 0x8b]);
}

#[test]
fn what_stands_in_the_place_of_images_is_named() {
    let exchanged = images_error(idx::write_labels(&[1; 20]));
    assert!(matches!(exchanged, Error::WrongMagic { found: idx::LABELS_MAGIC, .. }), "{exchanged}");
    let cut_off = images_error(images_file([0x803, 60_000, 28, 28], &[]));
    assert!(matches!(cut_off, Error::Truncated { .. }), "{cut_off}");
    let foreign = images_error(b"\x89PNG\r\n\x1a\n".to_vec());
    assert_eq!(
        foreign.to_string(),
        format!("{IMAGES}: an IDX file of images expected, an image file (PNG, JPEG or the like) found")
    );
    assert_eq!(remedy(&foreign), Remedy::ClassFolders);
    let foreign = labels_error(images_file([0x0d01, 1, 2, 3], &[]));
    assert!(matches!(foreign, Error::WrongMagic { expected: idx::LABELS_MAGIC, .. }), "{foreign}");
}

fn remedy(error: &Error) -> Remedy {
    let Error::NotIdx { found, .. } = error else { panic!("{error}") };
    found.remedy()
}

/// What a server sends in the place of a file is named, compressed or not.
#[test]
fn a_web_page_is_called_so() {
    for (page, found) in [
        ("<!DOCTYPE html><html><body>404</body></html>", "a web page (HTML)"),
        ("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "an XML page"),
    ] {
        for bytes in [page.as_bytes().to_vec(), idx::compress(page.as_bytes())] {
            let error = images_error(bytes.clone());
            assert_eq!(error.to_string(), format!("{IMAGES}: an IDX file of images expected, {found} found"));
            assert_eq!(remedy(&error), Remedy::PageDownload);
            let error = labels_error(bytes);
            assert_eq!(error.to_string(), format!("{LABELS}: an IDX file of labels expected, {found} found"));
        }
    }
    let twice = idx::compress(&idx::compress(&idx::write_labels(&[1, 2, 3])));
    let error = labels_error(twice);
    assert!(error.to_string().ends_with(", a file compressed by gzip twice found"), "{error}");
    assert_eq!(remedy(&error), Remedy::UnpackOnce);
}
