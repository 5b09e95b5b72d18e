//! What is passed over, converted or joined is told, and what is stated of data and is not so is refused.

use containers::{Asked, Contents, Error, Layout, Reading, Remedy, read, read_image};
use image::{GrayImage, ImageFormat, Luma};
use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/pictures");
    fs::read(folder.join(name)).expect("a file")
}

/// A folder of files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }
    folder
}

fn read_all(folder: &TempDir) -> Result<Contents, Error> {
    read(folder.path(), &Reading::default())
}

/// Without the folder's own path.
fn sentence(folder: &TempDir, error: &Error) -> String {
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

/// An image of 8 columns and 6 rows.
fn plain() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = GrayImage::from_fn(8, 6, |x, y| Luma([(20 * x + y) as u8]));
    image.write_to(&mut bytes, ImageFormat::Png).expect("memory");
    bytes.into_inner()
}

#[test]
fn later_frames_and_pages_are_counted_once_a_folder() {
    let plain = plain();
    let [gif, webp, png, tiff] = ["3.gif", "3.webp", "4.png", "2.tiff"].map(golden);
    let files: [(&str, &[u8]); 5] =
        [("a/0.png", &plain), ("a/3.gif", &gif), ("a/3.webp", &webp), ("b/4.png", &png), ("b/2.tiff", &tiff)];
    let remarks = read_all(&folder(&files)).expect("images").remarks;
    let told = "4 of 5 images have several frames or pages: the first of each is read, 8 others passed over, for example a/3.gif";
    assert!(remarks.contains(&told.to_owned()), "{remarks:?}");
    let one = read_all(&folder(&[("a/0.png", &plain), ("b/1.gif", &golden("1.gif"))])).expect("images");
    assert!(one.remarks.iter().all(|remark| !remark.contains("frames")), "{:?}", one.remarks);
}

#[test]
fn colours_of_print_are_told() {
    let (jpeg, tiff) = (golden("cmyk.jpg"), golden("cmyk.tiff"));
    let remarks = read_all(&folder(&[("a/1.jpg", &jpeg), ("b/1.tiff", &tiff)])).expect("images").remarks;
    let told = "2 of 2 images converted from the colours of print (CMYK) to red, green and blue, for example a/1.jpg";
    assert!(remarks.contains(&told.to_owned()), "{remarks:?}");
}

#[test]
fn one_image_is_told_as_those_of_a_folder_are() {
    let remarks = |name: &str| read_image(name, &golden(name), [6, 8, 3]).expect("an image").1;
    assert_eq!(remarks("3.gif"), ["the first of its 3 frames or pages is read"]);
    assert_eq!(remarks("cmyk.jpg"), ["converted from the colours of print (CMYK) to red, green and blue"]);
    assert_eq!(remarks("1.tiff"), [""; 0]);
}

#[test]
fn images_that_cannot_be_read_are_not_called_damaged() {
    let of = |name: &str| {
        let folder = folder(&[("a/1.png", &plain()), (&format!("b/{name}"), &golden(name))]);
        let error = read_all(&folder).expect_err("it is refused");
        (sentence(&folder, &error), error.remedy())
    };
    assert_eq!(
        of("zstd.tiff"),
        (
            "b/zstd.tiff: a TIFF image of a usual kind expected, one that cannot be read found (compression method ZSTD is unsupported)"
                .to_owned(),
            Remedy::AnotherImage
        )
    );
    assert_eq!(
        of("wide.png"),
        (
            "b/wide.png: an image file of 1 to 16,384 pixels a side expected, 2×20,000 found".to_owned(),
            Remedy::AnotherImage
        )
    );
}

#[test]
fn what_lies_beside_the_parts_is_named() {
    let (train, test) = ("label,a\n0,1\n1,2\n", "label,a\n0,3\n1,4\n");
    let tables = folder(&[
        ("train.csv", train.as_bytes()),
        ("test.csv", test.as_bytes()),
        ("sample_submission.csv", b"id,label\n"),
        ("cat/1.png", &plain()),
        (".DS_Store", b""),
    ]);
    let remarks = read_all(&tables).expect("tables").remarks;
    assert!(
        remarks.contains(&"passed over beside the tables: cat and sample_submission.csv".to_owned()),
        "{remarks:?}"
    );
    let images = folder(&[
        ("train/a/1.png", &plain()),
        ("train/b/1.gif", &golden("1.gif")),
        ("labels.csv", b"file,label\n"),
        ("more/a/1.png", &plain()),
    ]);
    let remarks = read_all(&images).expect("images").remarks;
    assert!(remarks.contains(&"passed over beside the parts: labels.csv and more".to_owned()), "{remarks:?}");
}

#[test]
fn labels_that_become_one_class_are_told() {
    let remarks = |files: &[(&str, &[u8])]| -> Vec<String> {
        let remarks = read_all(&folder(files)).expect("tables").remarks;
        remarks.into_iter().filter(|remark| remark.contains("one class")).collect()
    };
    assert_eq!(
        remarks(&[("train.csv", b"label,a\n0,1\n00,2\n1,3\n1.0,4\n 1,5\ncat,6\n")]),
        [
            "labels that are written in several ways are one class: \"0\" and \"00\" as 0 and \"1\" and \"1.0\" as 1"
        ]
    );
    // Across the tables too.
    assert_eq!(
        remarks(&[("train.csv", b"label,a\n0,1\n1,2\n"), ("test.csv", b"label,a\n0,1\n 1,2\n")]),
        ["labels that are written in several ways are one class: \"1\" and \" 1\" as 1"]
    );
    assert_eq!(remarks(&[("train.csv", b"label,a\n0.0,1\n1.0,2\n1.0,3\n")]), [""; 0]);
}

#[test]
fn values_that_something_else_separates_are_told_by_it() {
    let refused = |text: &str| {
        let folder = folder(&[("train.csv", text.as_bytes())]);
        let error = read_all(&folder).expect_err("it is refused");
        (sentence(&folder, &error), error.remedy())
    };
    for (text, told) in [
        (
            "label|a\n0|1\n1|2\n",
            "line 1: values separated by commas, semicolons or tabs expected, by vertical bars found",
        ),
        (
            "label a\n0 1\n1 2\n",
            "line 1: values separated by commas, semicolons or tabs expected, by spaces found",
        ),
        ("label,a\n0;1\n1;2\n", "line 2: values separated by commas expected, by semicolons found"),
        ("label;a\n0;1\n1\t2\n", "line 3: values separated by semicolons expected, by tabs found"),
    ] {
        assert_eq!(refused(text), (format!("train.csv, {told}"), Remedy::Commas));
    }
    for text in ["label;a\n0;1\n1;2\n", "label\ta\n0\t1\n1\t2\n"] {
        read_all(&folder(&[("train.csv", text.as_bytes())])).expect("a table");
    }
}

#[test]
fn labels_that_are_no_classes_are_shown() {
    let rows: String = (0..300).map(|image| format!("{image}.jpg,{}\n", image % 7)).collect();
    let folder = folder(&[("train.csv", format!("label,a\n{rows}").as_bytes())]);
    let error = read_all(&folder).expect_err("it is refused");
    assert_eq!(
        (sentence(&folder, &error), error.remedy()),
        (
            "train.csv: 2 to 256 classes expected, more, such as \"256.jpg\", found".to_owned(),
            Remedy::Classes
        )
    );
}

fn npy(shape: &str, values: &[u8]) -> Vec<u8> {
    let head = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(head.len() as u16).to_le_bytes()[..], head.as_bytes(), values].concat()
}

/// An archive of arrays.
fn npz(folder: &TempDir, arrays: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.path().join("a.npz");
    let mut archive = ZipWriter::new(fs::File::create(&path).expect("a file"));
    for (name, bytes) in arrays {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        archive.start_file(format!("{name}.npy"), options).expect("started");
        archive.write_all(bytes).expect("written");
    }
    archive.finish().expect("finished");
    path
}

#[test]
fn what_is_stated_and_is_not_so_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, last) = (Some(Layout::ChannelsFirst), Some(Layout::ChannelsLast));
    let of = |shape: &str, pixels: usize, layout, size| {
        let images = npy(shape, &(0..2 * pixels).map(|value| value as u8).collect::<Vec<_>>());
        let path = npz(&folder, &[("images", &images), ("labels", &npy("(2,)", &[0, 1]))]);
        read(&path, &Reading { layout, size, ..Reading::default() })
    };
    for (shape, pixels, layout, size, told) in [
        (
            "(2, 3, 5, 5)",
            75,
            last,
            None,
            "images with their channels last expected, as asked for, shape (2, 3, 5, 5) found",
        ),
        (
            "(2, 5, 5, 3)",
            75,
            first,
            None,
            "images with their channels first expected, as asked for, shape (2, 5, 5, 3) found",
        ),
        (
            "(2, 5, 5)",
            25,
            last,
            None,
            "images with their channels last expected, as asked for, shape (2, 5, 5) found",
        ),
        (
            "(2, 25)",
            25,
            first,
            None,
            "images with their channels first expected, as asked for, shape (2, 25) found",
        ),
        ("(2, 4, 6)", 24, None, Some([6, 4]), "images of 6×4 expected, as asked for, shape (2, 4, 6) found"),
        (
            "(2, 3, 4, 6)",
            72,
            None,
            Some([6, 4]),
            "images of 6×4 expected, as asked for, shape (2, 3, 4, 6) found",
        ),
    ] {
        let error = of(shape, pixels, layout, size).expect_err(told);
        assert!(error.to_string().ends_with(&format!("a.npz, array images: {told}")), "{error}");
        assert!(matches!(error.remedy(), Remedy::LeaveOut(_)), "{error}");
    }
    for (shape, pixels, layout, size) in [
        ("(2, 3, 5, 5)", 75, first, None),
        ("(2, 5, 5, 3)", 75, last, None),
        ("(2, 3, 5, 3)", 45, first, None),
        ("(2, 4, 6)", 24, None, Some([4, 6])),
        ("(2, 72)", 72, last, Some([4, 6])),
    ] {
        of(shape, pixels, layout, size).unwrap_or_else(|error| panic!("{shape}: {error}"));
    }
    let table = folder.path().join("a.csv");
    fs::write(&table, "label,a,b,c,d\n0,1,2,3,4\n1,5,6,7,8\n").expect("written");
    let error = read(&table, &Reading { layout: first, ..Reading::default() }).expect_err("no channels");
    assert!(
        error.to_string().ends_with(
            "images with their channels first expected, as asked for, rows of 2×2 grey pixels found"
        ),
        "{error}"
    );
    assert_eq!(error.remedy(), Remedy::LeaveOut(Asked::Layout(Layout::ChannelsFirst)));
}

/// A hundred million pixels in a hundred kilobytes take no memory where the archive's heads or labels do not fit.
#[test]
fn what_does_not_fit_is_refused_before_pixels_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let zeros = npy("(100000, 32, 32)", &vec![0; 100_000 << 10]);
    let labels = |count: usize, class: u8| npy(&format!("({count},)"), &vec![class; count]);
    let whole = [0, 1].repeat(50_000);
    let sides = npy("(100000, 1, 1024)", &zeros[zeros.len() - (100_000 << 10)..]);
    for (images, labels, told) in [
        (&zeros, labels(99_999, 0), "100,000 labels expected"),
        (&zeros, labels(100_000, 3), "at least 2 classes expected"),
        (&sides, npy("(100000,)", &whole), "images of 1×1 to 256×256 pixels expected"),
    ] {
        let path = npz(&folder, &[("images", images), ("labels", &labels)]);
        let measured = allocation_counter::measure(|| {
            let error = read(&path, &Reading::default()).expect_err(told);
            assert!(error.to_string().contains(told), "{error}");
        });
        assert!(measured.bytes_max < 2 << 20, "{told}: {measured:?}");
    }
    // All parts together are limited, by what their heads say.
    let part = |count: u64| npy(&format!("({count}, 256, 256)"), &[]);
    let arrays = [
        ("x_train", part(40_000)),
        ("y_train", npy("(40000,)", &[])),
        ("x_test", part(40_000)),
        ("y_test", npy("(40000,)", &[])),
    ];
    let path = npz(&folder, &arrays.each_ref().map(|(name, bytes)| (*name, &bytes[..])));
    let error = read(&path, &Reading::default()).expect_err("too large");
    assert!(
        error.to_string().ends_with("at most 4,294,967,296 bytes of pixels expected, 5,242,880,000 found"),
        "{error}"
    );
}
