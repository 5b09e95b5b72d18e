//! What people hand over by mistake: each is refused, or read, with a sentence that names it.

use containers::{Error, Kind, Reading, Remedy, read, recognise};
use image::{DynamicImage, GrayImage, ImageFormat, Rgb, RgbImage};
use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A folder that is filled in a line.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, bytes).expect("written");
        path
    }

    /// Grey images that differ.
    fn images(self, names: &[&str]) -> Self {
        for (index, name) in names.iter().enumerate() {
            self.put(name, grey(4, 3, index as u8));
        }
        self
    }

    fn read(&self) -> Result<containers::Contents, Error> {
        read(self.path(), &Reading::default())
    }

    fn error(&self) -> Error {
        self.read().expect_err("it is refused")
    }

    /// The folder's own path is left out of the sentence.
    fn sentence(&self) -> String {
        self.error()
            .to_string()
            .replace(&format!("{}/", self.path().display()), "")
            .replace(&self.path().display().to_string(), "FOLDER")
    }

    fn remarks(&self) -> Vec<String> {
        self.read().expect("it is read").remarks
    }
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).expect("memory");
    bytes.into_inner()
}

fn grey(height: u32, width: u32, shade: u8) -> Vec<u8> {
    encoded(
        GrayImage::from_fn(width, height, |x, y| image::Luma([(40 * y + x) as u8 ^ shade])),
        ImageFormat::Png,
    )
}

fn colour(height: u32, width: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([10 * x as u8, 200, y as u8]))
}

#[test]
fn numbers_are_in_order_and_names_with_accents_are_one_class() {
    let folder = Folder::new().images(&["10/a.png", "9/b.png", "2/c.png", "0/d.png", "2/a.png"]);
    let contents = folder.read().expect("images");
    assert_eq!(contents.class_names, ["0", "2", "9", "10"]);
    assert_eq!(
        contents.training.names.expect("names"),
        ["0/d.png", "10/a.png", "2/a.png", "2/c.png", "9/b.png"]
    );
    assert_eq!(contents.training.labels, [0, 3, 1, 1, 2]);
    // Shades tell which image is where.
    assert_eq!([0, 1, 2].map(|image| contents.training.images.pixels[12 * image]), [3, 0, 4]);
    let folder = Folder::new().images(&[
        "train/caf\u{e9}/1.png",
        "train/x/1.png",
        "test/cafe\u{301}/2.png",
        "test/x/3.png",
    ]);
    let contents = folder.read().expect("images");
    assert_eq!(contents.class_names, ["caf\u{e9}", "x"]);
    assert_eq!(
        contents.test.expect("a test part").names.expect("names"),
        ["test/caf\u{e9}/2.png", "test/x/3.png"]
    );
    // Both spellings side by side.
    let folder = Folder::new().images(&["caf\u{e9}/1.png", "x/1.png", "cafe\u{301}/2.png"]);
    let contents = folder.read().expect("images");
    assert_eq!((contents.class_names.len(), contents.training.labels), (2, vec![0, 0, 1]));
}

#[test]
fn parts_have_their_usual_names() {
    for (validation, test) in [("val", "test"), ("validation", "testing"), ("Valid", "Test")] {
        let names = ["Train/a/1.png", "Train/b/2.png"].map(str::to_owned);
        let others = [validation, test].map(|part| format!("{part}/b/3.png"));
        let names: Vec<&str> = names.iter().chain(&others).map(String::as_str).collect();
        let contents = Folder::new().images(&names).read().expect("images");
        assert_eq!(contents.validation.expect("a validation part").labels, [1]);
        assert_eq!(contents.test.expect("a test part").labels, [1]);
    }
    // These are classes.
    let contents = Folder::new().images(&["valid/1.png", "invalid/2.png"]).read().expect("images");
    assert_eq!((contents.class_names, contents.test), (vec!["invalid".to_owned(), "valid".to_owned()], None));
    let folder = Folder::new().images(&["train/a/1.png", "train/b/1.png", "val/a/1.png", "valid/a/1.png"]);
    assert_eq!(folder.sentence(), "FOLDER: one folder of a part expected, val and valid found");
    assert_eq!(folder.error().remedy(), Remedy::OneOf("val".to_owned(), "valid".to_owned()));
    let folder = Folder::new().images(&["test/a/1.png", "test/b/1.png"]);
    assert_eq!(folder.sentence(), "FOLDER: a folder train expected beside test, not found");
    let folder = Folder::new().images(&["train/a/1.png", "train/b/1.png", "test/a/1.png", "extra/a/1.png"]);
    assert_eq!(folder.remarks(), ["passed over beside the parts: extra"]);
}

#[test]
fn what_is_no_image_is_counted_and_named() {
    let folder = Folder::new().images(&[
        "a/1.png",
        "b/2.png",
        "loose.png",
        "a/._1.png",
        "__MACOSX/a/1.png",
        ".git/x/y.png",
    ]);
    for name in
        ["a/Thumbs.db", "a/.DS_Store", "b/desktop.ini", "README.md", "a/notes.txt", "b/c.heic", "b/d.svg"]
    {
        folder.put(name, b"text");
    }
    let remarks = folder.remarks();
    assert_eq!(
        remarks,
        [
            "4 files without an image's name are passed over, for example README.md, a/notes.txt and b/c.heic",
            "1 hidden file with an image's name is passed over: a/._1.png",
            "1 image outside of class folders is passed over: loose.png",
        ]
    );
    // Images inside folders of a class are of the class; files without an extension are looked into.
    let folder = Folder::new().images(&["a/deep/1.png", "a/2", "b/3.PNG"]);
    assert_eq!(folder.read().expect("images").training.labels, [0, 0, 1]);
    assert_eq!(Folder::new().images(&["a/1", "b/2"]).read().expect("images").training.labels, [0, 1]);
}

#[test]
fn damaged_images_are_named() {
    let with = |name: &str, bytes: &[u8]| {
        let folder = Folder::new().images(&["a/1.png", "b/2.png"]);
        folder.put(name, bytes);
        folder.sentence()
    };
    let whole = grey(4, 3, 9);
    let jpeg = encoded(colour(4, 3), ImageFormat::Jpeg);
    assert_eq!(with("a/x.png", b""), "a/x.png: an image expected, an empty file (0 bytes) found");
    let images = "a PNG, JPEG, GIF, BMP, WebP, TIFF, PNM or QOI image expected";
    assert_eq!(with("a/x.png", b"<!DOCTYPE html>"), format!("a/x.png: {images}, a web page (HTML) found"));
    assert_eq!(
        with("a/x.jpg", &[0; 99]),
        format!("a/x.jpg: {images}, nothing but zeros, as an interrupted download leaves found")
    );
    assert_eq!(with("b/x.jpg", b"\0\0\0\x18ftypheic"), format!("b/x.jpg: {images}, a HEIC photo found"));
    assert_eq!(
        with("b/x.jpg", &jpeg[..jpeg.len() - 2]),
        "b/x.jpg: a whole JPEG image expected, a damaged one found (the file ends early)"
    );
    assert_eq!(
        with("b/x.png", &whole[..whole.len() / 2]),
        "b/x.png: a whole PNG image expected, a damaged one found (the file ends early)"
    );
    let folder = Folder::new().images(&["a/1.png", "b/2.png"]);
    folder.put("a/x.png", encoded(GrayImage::from_pixel(3, 4, image::Luma([7])), ImageFormat::Jpeg));
    assert_eq!(
        folder.remarks(),
        [
            "1 of 3 images have the name of another format than theirs and are read as what they are, for example a/x.png"
        ]
    );
}

#[test]
fn every_beginning_of_an_image_file_is_refused_or_whole() {
    let shades = GrayImage::from_fn(9, 7, |x, y| image::Luma([(x * 28 + y * 3) as u8]));
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Bmp,
        ImageFormat::Gif,
        ImageFormat::WebP,
        ImageFormat::Tiff,
        ImageFormat::Pnm,
        ImageFormat::Qoi,
    ];
    for format in formats {
        let image = match format {
            ImageFormat::Gif | ImageFormat::Qoi | ImageFormat::Bmp => {
                DynamicImage::from(shades.clone()).to_rgb8().into()
            }
            _ => DynamicImage::from(shades.clone()),
        };
        let whole = encoded(image, format);
        let folder = Folder::new();
        let read = |bytes: &[u8]| {
            folder.put("a/1.png", bytes);
            folder.put("b/1.png", &whole);
            folder.read()
        };
        let expected = read(&whole).expect("whole").training.images.pixels;
        for length in 0..whole.len() {
            if let Ok(contents) = read(&whole[..length]) {
                assert_eq!(contents.training.images.pixels, expected, "{format:?} of {length} bytes");
                assert!(length + 32 > whole.len(), "{format:?} of {length} of {} bytes", whole.len());
            }
        }
    }
}

#[test]
fn classes_without_images_are_told() {
    let folder = Folder::new().images(&["train/a/1.png", "train/b/1.png", "test/a/1.png"]);
    fs::create_dir_all(folder.path().join("train/empty")).expect("made");
    assert_eq!(folder.sentence(), "train/empty: at least 1 image of class \"empty\" expected, none found");
    assert!(matches!(folder.error().remedy(), Remedy::ClassFolder(path) if path.ends_with("train/empty")));
    let folder = Folder::new().images(&["train/Cat/1.png", "train/dog/1.png", "test/cat/1.png"]);
    assert_eq!(
        folder.sentence(),
        "test/cat: a class of the training images expected, \"cat\" found, which has none in train"
    );
    let folder = Folder::new().images(&["only/1.png", "only/2.png"]);
    assert_eq!(folder.sentence(), "FOLDER: at least 2 classes expected, all images are of class \"only\"");
    let folder = Folder::new().images(&["set/a/1.png", "set/b/2.png"]);
    assert!(matches!(folder.error().remedy(), Remedy::Folder(path) if path.ends_with("set")));
    let many: Vec<String> = (0..257).map(|class| format!("{class}/1.png")).collect();
    let folder = Folder::new().images(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(folder.sentence(), "FOLDER: 2 to 256 classes expected, more, such as \"99\", found");
    let folder = Folder::new().images(&["train/1.png", "train/2.png", "train/x/3.png"]);
    assert_eq!(folder.sentence(), "FOLDER: at least 2 classes expected, all images are of class \"x\"");
}

#[test]
fn sizes_and_colours_are_counted() {
    let folder = Folder::new().images(&["a/1.png", "a/2.png", "b/3.png"]);
    folder.put("b/tall.png", grey(5, 3, 0));
    assert_eq!(
        folder.sentence(),
        "FOLDER: images of one size expected, 3 of 4×3, 1 of 5×3 found, for example b/tall.png"
    );
    assert_eq!(folder.error().remedy(), Remedy::Resize([4, 3]));
    let contents =
        read(folder.path(), &Reading { resize: Some([8, 8]), ..Reading::default() }).expect("images");
    assert_eq!((contents.training.images.height, contents.training.images.width), (8, 8));
    assert_eq!(contents.remarks, ["4 of 4 images are resized from 2 sizes to 8×8 by a triangle filter"]);
    let folder = Folder::new().images(&["a/1.png", "b/3.png"]);
    folder.put("b/colour.bmp", encoded(colour(4, 3), ImageFormat::Bmp));
    let contents = folder.read().expect("images");
    assert_eq!(contents.training.images.channels, 3);
    assert_eq!(
        contents.remarks,
        ["2 of 3 images are grey among images in colour and are read as colour, for example a/1.png"]
    );
    let contents = read(folder.path(), &Reading { grey: true, ..Reading::default() }).expect("images");
    assert_eq!(contents.training.images.channels, 1);
    assert!(
        contents.remarks[0].starts_with("1 of 3 images made grey by the luma of ITU-R BT.601"),
        "{:?}",
        contents.remarks
    );
    let folder = Folder::new();
    for name in ["a/1.png", "b/2.png"] {
        folder.put(name, encoded(RgbImage::from_fn(3, 3, |x, _| Rgb([x as u8; 3])), ImageFormat::Png));
    }
    assert!(
        folder.remarks()[0].starts_with("all images are grey, stored as colour"),
        "{:?}",
        folder.remarks()
    );
    let folder = Folder::new();
    for name in ["a/1.png", "b/2.png"] {
        folder.put(name, grey(300, 600, 1));
    }
    assert_eq!(folder.sentence(), "FOLDER: images of 1×1 to 256×256 pixels expected, 300×600 found");
    assert_eq!(folder.error().remedy(), Remedy::Resize([128, 256]));
}

#[test]
fn other_paths_are_none_of_ours() {
    let folder = Folder::new();
    folder.put("train-images-idx3-ubyte", b"\0\0\x08\x03");
    folder.put("notes.txt", b"text");
    assert_eq!(recognise(folder.path()), None);
    assert!(matches!(folder.error(), Error::Unrecognised { .. }));
    assert_eq!(recognise(&folder.path().join("notes.txt")), None);
    let missing = read(&folder.path().join("missing.npz"), &Reading::default());
    assert!(matches!(missing, Err(Error::Unreadable { .. })));
    let path = folder.put("x.tar.gz", b"\x1f\x8b");
    assert!(matches!(read(&path, &Reading::default()), Err(Error::Damaged { format: "tar.gz", .. })));
}

fn table(text: impl AsRef<[u8]>) -> Result<containers::Contents, Error> {
    let folder = Folder::new();
    read(&folder.put("t.csv", text), &Reading::default())
}

/// Of a table that is refused, without the path.
fn table_error(text: impl AsRef<[u8]>) -> String {
    let error = table(text).expect_err("it is refused").to_string();
    error
        .split_once("t.csv")
        .map_or(error.clone(), |(_, sentence)| sentence.trim_start_matches([',', ':', ' ']).to_owned())
}

#[test]
fn tables_are_refused_by_line_and_column() {
    let good = "label,a,b,c,d\n1,0,1,2,3\n2,9,9,9,8\n";
    assert_eq!(table(good).expect("a table").training.labels, [0, 1]);
    let whole = "a whole number from 0 to 255 expected";
    for (text, sentence) in [
        (String::new(), "a table expected, an empty file (0 bytes) found".to_owned()),
        ("label,a,b,c,d\n".to_owned(), "at least 1 image expected, 0 found".to_owned()),
        ("\n\n".to_owned(), "at least 1 image expected, 0 found".to_owned()),
        (format!("{good}1,2,3,4,256\n"), format!("line 4, column 5 (d): {whole}, \"256\" found")),
        (format!("{good}\r\n\r\n1,2,-3,4,5\r\n"), format!("line 6, column 3 (b): {whole}, \"-3\" found")),
        (format!("{good}1,2,3,4,5.5\n"), format!("line 4, column 5 (d): {whole}, \"5.5\" found")),
        (format!("{good}1,2,,4,5\n"), format!("line 4, column 3 (b): {whole}, \"\" found")),
        (format!("{good}1,2,\"3\n\",x,5\n"), format!("line 4, column 4 (c): {whole}, \"x\" found")),
        ("1,2,3,4,5\n1,2,x,4,5\n".to_owned(), format!("line 2, column 3: {whole}, \"x\" found")),
        (format!("{good}1,2,3,4\n"), "line 4: 5 values expected, as in the first row, 4 found".to_owned()),
        (
            format!("{good}1,2,3,4,5,6\n"),
            "line 4: 5 values expected, as in the first row, 6 found".to_owned(),
        ),
        (
            format!("{good},2,3,4,6\n"),
            "line 4: a class as a whole number or a name expected, \"\" found at index 2".to_owned(),
        ),
        (
            format!("{good}1.5,2,3,4,6\n"),
            "line 4: a class as a whole number or a name expected, \"1.5\" found at index 2".to_owned(),
        ),
        (
            "label,a,b,c,d\n1,1,2,3,4\n1,1,2,3,5\n".to_owned(),
            "at least 2 classes expected, all images are of class \"1\"".to_owned(),
        ),
        ("a;b\n1;2\n".to_owned(), "at least 2 classes expected, all images are of class \"1\"".to_owned()),
        (
            "label\n1\n2\n".to_owned(),
            "a label and H×W pixels (or 3·H·W) in a row expected, 0 columns of pixels found".to_owned(),
        ),
        ("file,label\na.png,1\n".to_owned(), format!("line 2, column 1 (file): {whole}, \"a.png\" found")),
        (
            "PK\x03\x04....".to_owned(),
            "line 1: text in UTF-8 expected, a zip archive, such as an Excel workbook, found".to_owned(),
        ),
        ("<html>".to_owned(), "line 1: text in UTF-8 expected, a web page (HTML) found".to_owned()),
        ("1,2\0,3\n".to_owned(), "line 1: text in UTF-8 expected, a file of bytes found".to_owned()),
    ] {
        assert_eq!(table_error(&text), sentence, "{text:?}");
    }
    let unlabelled = (0..784).map(|value| (value % 256).to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(table_error(format!("{unlabelled}\n")), "labels of rows of 784 pixels expected, none found");
    let header = (0..784).map(|value| format!("pixel{value}")).collect::<Vec<_>>().join(",");
    assert_eq!(
        table_error(format!("{header}\n{unlabelled}\n")),
        "labels of rows of 784 pixels expected, none found"
    );
}

#[test]
fn tables_say_what_was_guessed() {
    let said = |text: &str| -> Vec<String> {
        let remarks = table(text).expect("a table").remarks;
        remarks
            .into_iter()
            .map(|remark| remark.split_once(": ").map_or(remark.clone(), |(_, told)| told.to_owned()))
            .collect()
    };
    assert_eq!(
        said("x,a,b,c,d\n0,0,1,2,3\n1,9,9,9,8\n"),
        ["no column is called label, class or target: the first one is taken as the label"]
    );
    assert_eq!(
        said(",label,a,b,c,d\n0,0,0,1,2,3\n1,1,9,9,9,8\n"),
        ["the first column has no name, as a table's index, and is passed over"]
    );
    assert_eq!(
        said("0,1,2,3,4\n0,0,1,2,3\n1,9,9,9,8\n"),
        ["the first row counts the columns (0, 1, 2, …) and is passed over"]
    );
    assert_eq!(
        said("label,r,g,b\n0,0,1,2\n1,9,9,8\n"),
        ["3 columns are read as 1×1 pixels in colour, red, green and blue of each pixel together"]
    );
    // Old line ends alone.
    assert_eq!(table("label,a\r0,5\r1,6\r").expect("a table").training.images.pixels, [5, 6]);
    // The last line may have no end.
    assert_eq!(table("cat,5\ndog,6").expect("a table").class_names, ["cat", "dog"]);
}

#[test]
fn a_row_without_an_end_takes_no_memory() {
    let folder = Folder::new();
    for (unit, reason) in [
        ("\"abc", "at most 4,194,304 bytes in a row expected, more found"),
        ("7,", "at most 4,194,304 bytes in a row expected, more found"),
    ] {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut text = "1,2\n".to_owned();
        text.push_str(&unit.repeat(1 << 12).replace('"', if unit.starts_with('"') { "" } else { "\"" }));
        if unit.starts_with('"') {
            text.insert(4, '"');
        }
        encoder.write_all(text.as_bytes()).expect("memory");
        for _ in 0..1 << 10 {
            encoder.write_all(unit.replace('"', "").repeat(1 << 14).as_bytes()).expect("memory");
        }
        let path = folder.put("bomb.csv.gz", encoder.finish().expect("memory"));
        let measured = allocation_counter::measure(|| {
            let error = read(&path, &Reading::default()).expect_err("it is refused").to_string();
            assert!(error.contains(reason), "{error}");
        });
        assert!(measured.bytes_max < 64 << 20, "{measured:?}");
    }
}

#[test]
fn records_of_cifar_are_counted() {
    let folder = Folder::new();
    let mut record = vec![3];
    record.extend((0..3072).map(|place| (place / 1024) as u8));
    let two = [&record[..], &[4], &record[1..]].concat();
    let read_as = |name: &str, bytes: &[u8]| read(&folder.put(name, bytes), &Reading::default());
    let contents = read_as("data_batch_1.bin", &two).expect("two records");
    assert_eq!(
        (contents.class_names, contents.training.images.pixels[..6].to_vec()),
        (vec!["3".to_owned(), "4".to_owned()], vec![0, 1, 2, 0, 1, 2])
    );
    let sentence = |name: &str, bytes: &[u8]| {
        let error = read_as(name, bytes).expect_err("it is refused").to_string();
        error.rsplit('/').next().expect("a name").to_owned()
    };
    assert_eq!(
        sentence("data_batch_1.bin", &two[1..]),
        "data_batch_1.bin: a multiple of 3,073 bytes expected, the records of CIFAR-10, 6,145 found"
    );
    assert_eq!(
        sentence("train.bin", &two),
        "train.bin: a multiple of 3,074 bytes expected, the records of CIFAR-100, 6,146 found"
    );
    assert_eq!(
        sentence("train.bin", b""),
        "train.bin: CIFAR's records expected, an empty file (0 bytes) found"
    );
    let wrong = [&two[..3073], &[10], &record[1..]].concat();
    assert_eq!(
        sentence("data_batch_2.bin", &wrong),
        "data_batch_2.bin: a label from 0 to 9 expected, 10 found at index 1"
    );
    // A folder of test images alone, and names of the classes.
    let folder = Folder::new();
    folder.put("test_batch.bin", &two);
    assert!(
        folder.sentence().starts_with("FOLDER: data_batch_1.bin or train.bin expected beside"),
        "{}",
        folder.sentence()
    );
    folder.put("data_batch_1.bin", &two);
    folder.put("batches.meta.txt", "airplane\nautomobile\nbird\ncat\ndeer\n\n");
    assert_eq!(recognise(folder.path()), Some(Kind::Cifar));
    let contents = folder.read().expect("records");
    assert_eq!(
        (contents.class_names, contents.test.is_some()),
        (vec!["cat".to_owned(), "deer".to_owned()], true)
    );
    folder.put("train.bin", [&[1][..], &two[..3073]].concat());
    assert!(
        folder.sentence().contains("one set of CIFAR's expected, test_batch.bin and train.bin found"),
        "{}",
        folder.sentence()
    );
}

/// An archive of arrays that are given as their files.
fn npz(arrays: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        archive.start_file(format!("{name}.npy"), options).expect("memory");
        archive.write_all(bytes).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

fn npy(kind: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let head = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(head.len() as u16).to_le_bytes()[..], head.as_bytes(), elements].concat()
}

#[test]
fn archives_are_refused_by_array() {
    let folder = Folder::new();
    let pixels: Vec<u8> = (0..12).collect();
    let images = npy("|u1", "(3, 2, 2)", &pixels);
    let labels = npy("|u1", "(3,)", &[0, 1, 0]);
    let read_of = |arrays: &[(&str, &[u8])]| {
        read(&folder.put("a.npz", npz(arrays, zip::CompressionMethod::Deflated)), &Reading::default())
    };
    let contents = read_of(&[("images", &images), ("labels", &labels), ("ids", &labels)]).expect("images");
    assert_eq!(
        (contents.training.labels, contents.remarks),
        (vec![0, 1, 0], vec!["arrays passed over: ids".to_owned()])
    );
    let cases: &[(&[u8], &[u8], &str)] = &[
        (
            &images,
            &npy("|u1", "(4,)", &[0, 1, 0, 1]),
            "array labels: 3 labels expected, one for each image, 4 found",
        ),
        (
            &images,
            &npy("|u1", "()", &[0]),
            "array labels: labels of shape (N,), (N, 1) or one-hot (N, K) expected, shape () found",
        ),
        (
            &images,
            &npy("|u1", "(3, 300)", &[0]),
            "array labels: labels of shape (N,), (N, 1) or one-hot (N, K) expected, shape (3, 300) found",
        ),
        (
            &images,
            &npy("<f4", "(3,)", &0.5_f32.to_le_bytes().repeat(3)),
            "array labels: a whole number or a name as a label expected, 0.5 found at index 0",
        ),
        (
            &images,
            &npy("<f4", "(3, 2)", &0.5_f32.to_le_bytes().repeat(6)),
            "array labels: 0 or 1 in each column of a class expected, 0.5 found at index 0",
        ),
        (&images, &npy("|u1", "(3,)", &[0, 1]), "array labels: 3 bytes expected by its head, 2 found"),
        (
            &images,
            &npy("|u1", "(3,)", &[0, 1, 2, 3]),
            "array labels: 3 bytes expected by its head, more found",
        ),
        (&images, b"", "array labels: the head of a NumPy array expected, one that breaks off found"),
        (
            &images,
            b"not numpy",
            "array labels: the head of a NumPy array expected, a file that begins with not nump found",
        ),
        (
            &npy("|u1", "(3, 2, 2)", &pixels[1..]),
            &labels,
            "array images: 12 bytes expected by its head, 11 found",
        ),
        (
            &npy("|u1", "(3, 2, 1)", &pixels),
            &labels,
            "array images: 6 bytes expected by its head, more found",
        ),
        (&npy("<u2", "(3, 2, 2)", &pixels), &labels, "array images: 24 bytes expected by its head, 12 found"),
        (
            &npy("|u1", "(3, 4000000000, 2)", &pixels),
            &labels,
            "array images: images of 1×1 to 256×256 pixels expected, 4,000,000,000×2 found",
        ),
        (
            &npy("|u1", "(4000000000, 2, 3)", &pixels),
            &npy("|u1", "(4000000000,)", &[0, 1]),
            "at most 4,294,967,296 bytes of pixels expected, 24,000,000,000 found",
        ),
        (
            &npy("|u1", "(10000000000000000000, 2, 3)", &pixels),
            &npy("|u1", "(10000000000000000000,)", &[0, 1]),
            "at most 4,294,967,296 bytes of pixels expected, more found",
        ),
        (
            &npy("|u1", "(0, 2, 2)", &[]),
            &npy("|u1", "(0,)", &[]),
            "array images: at least 1 image expected, 0 found",
        ),
        (
            &npy("|u1", "(3, 2, 2, 2)", &pixels),
            &labels,
            "array images: images of shape (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 or 3 channels expected, shape (3, 2, 2, 2) found",
        ),
        (
            &npy("|u1", "(3, 5)", &pixels),
            &labels,
            "array images: rows of H×W or 3·H·W pixels with a stated size, or of a square of pixels expected, shape (3, 5) found",
        ),
        (
            &npy("<c8", "(3, 2, 2)", &pixels),
            &labels,
            "array images: integers, booleans, floats or strings of fixed length expected, elements of type <c8 found",
        ),
        (
            &npy("<U2", "(3, 2, 2)", &pixels),
            &labels,
            "array images: pixels as numbers expected, elements of type strings found",
        ),
        (
            &npy("<f4", "(3, 1, 1)", &f32::NAN.to_le_bytes().repeat(3)),
            &labels,
            "array images: pixels from 0 to 1 or from 0 to 255 expected, from NaN to -inf found",
        ),
        (
            &npy("<i2", "(3, 1, 1)", &(-1_i16).to_le_bytes().repeat(3)),
            &labels,
            "array images: pixels from 0 to 1 or from 0 to 255 expected, from -1 to -1 found",
        ),
        (
            &npy("|u1", "(3, 1, 1)", &pixels[..3]),
            &npy("|u1", "(3,)", &[7; 3]),
            "at least 2 classes expected, all images are of class \"7\"",
        ),
    ];
    for (images, labels, sentence) in cases {
        let error = read_of(&[("images", images), ("labels", labels)]).expect_err(sentence).to_string();
        let error = error
            .split_once(".npz")
            .map_or(error.as_str(), |(_, told)| told.trim_start_matches([',', ':', ' ']));
        assert_eq!(error, *sentence);
    }
    let missing =
        read_of(&[("x_train", &images), ("y_train", &labels), ("x_test", &images)]).expect_err("no labels");
    assert!(missing.to_string().ends_with("a.npz: labels of array x_test expected, none found"), "{missing}");
    let differ = [
        ("x_train", &images),
        ("y_train", &labels),
        ("x_test", &npy("|u1", "(3, 2, 1, 3)", &[9; 18])),
        ("y_test", &labels),
    ];
    let differ =
        read_of(&differ.map(|(name, bytes)| (name, &bytes[..]))).expect_err("other images").to_string();
    assert!(
        differ.ends_with(
            "test images of 2×2 with 1 channel expected, as the training images, 2×1 with 3 channels found"
        ),
        "{differ}"
    );
}

#[test]
fn heads_that_lie_allocate_nothing() {
    let folder = Folder::new();
    // 4 GiB promised, little there; and a gigabyte of zeros, as a bomb has it, in a place of no use.
    for kind in ["|u1", "<f4"] {
        let images = npy(kind, "(65536, 256, 256)", &[0; 1 << 16]);
        let labels = npy("|u1", "(65536,)", &[0, 1].repeat(32768));
        for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
            let path = folder.put("a.npz", npz(&[("images", &images), ("labels", &labels)], method));
            let measured = allocation_counter::measure(|| {
                let error = read(&path, &Reading::default()).expect_err("it is refused");
                assert!(matches!(error, Error::Length { .. }), "{error}");
            });
            assert!(measured.bytes_max < 8 << 20, "{measured:?}");
        }
    }
    // Four billion labels of a bit a class promised, three there.
    let images = npy("|u1", "(4000000000, 1, 1)", &[0; 9]);
    let labels = npy("|u1", "(4000000000, 2)", &[0, 1, 1, 0, 0, 1]);
    let path =
        folder.put("b.npz", npz(&[("images", &images), ("labels", &labels)], zip::CompressionMethod::Stored));
    let measured = allocation_counter::measure(|| {
        let error = read(&path, &Reading::default()).expect_err("it is refused");
        assert!(matches!(error, Error::Length { .. }), "{error}");
    });
    assert!(measured.bytes_max < 1 << 20, "{measured:?}");
}

/// An element of a MATLAB file, in little-endian byte order.
fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut element = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    element.extend(bytes);
    element.resize(element.len().next_multiple_of(8), 0);
    element
}

fn matlab(arrays: &[(&str, u32, &[u32], &[u8])]) -> Vec<u8> {
    let mut file = b"MATLAB 5.0 MAT-file".to_vec();
    file.resize(124, b' ');
    file.extend(b"\0\x01IM");
    for (name, kind, sides, values) in arrays {
        let sides: Vec<u8> = sides.iter().flat_map(|side| side.to_le_bytes()).collect();
        let parts = [
            element(6, &[9, 0, 0, 0, 0, 0, 0, 0]),
            element(5, &sides),
            element(1, name.as_bytes()),
            element(*kind, values),
        ];
        file.extend(element(14, &parts.concat()));
    }
    file
}

#[test]
fn matlab_files_are_refused_by_array() {
    let folder = Folder::new();
    let read_of = |bytes: &[u8]| read(&folder.put("a.mat", bytes), &Reading::default());
    let pixels: Vec<u8> = (0..12).collect();
    let whole =
        matlab(&[("X", 2, &[2, 3, 2], &pixels), ("y", 2, &[2, 1], &[10, 1]), ("z", 9, &[1, 1], &[0; 8])]);
    let contents = read_of(&whole).expect("images");
    // Columns become rows.
    assert_eq!(contents.training.images.pixels, [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
    assert_eq!(
        (contents.class_names, contents.training.labels),
        (vec!["0".to_owned(), "1".to_owned()], vec![0, 1])
    );
    assert!(
        contents.remarks[0].ends_with("label 10 is read as the digit 0, as in SVHN"),
        "{:?}",
        contents.remarks
    );
    assert!(contents.remarks[1].ends_with("arrays passed over: z"), "{:?}", contents.remarks);
    // Other labels than SVHN's that reach 10 stay what they are.
    for (labels, names) in [([10, 11], ["10", "11"]), ([0, 10], ["0", "10"])] {
        let other = matlab(&[("X", 2, &[2, 3, 2], &pixels), ("y", 2, &[2, 1], &labels)]);
        assert_eq!(read_of(&other).expect("images").class_names, names);
    }
    for length in 0..whole.len() - 72 {
        assert!(read_of(&whole[..length]).is_err(), "{length} bytes");
    }
    let (x, y) = (("X", 2, &[2_u32, 3, 2][..], &pixels[..]), ("y", 2, &[2_u32, 1][..], &[3_u8, 4][..]));
    for (bytes, sentence) in [
        (matlab(&[x]), "labels of array X expected, none found"),
        (matlab(&[y]), "arrays X and y expected, no arrays found"),
        (
            matlab(&[x, ("y", 2, &[3, 1], &[1, 2, 3])]),
            "array y: 2 labels expected, one for each image, 3 found",
        ),
        (
            matlab(&[x, ("y", 2, &[2, 2], &[1, 2, 3, 4])]),
            "array y: labels of shape (N, 1) expected, shape (2, 2) found",
        ),
        (
            matlab(&[x, ("y", 7, &[2, 1], &0.5_f32.to_le_bytes().repeat(2))]),
            "array y: a whole number expected, 0.5 found at index 0",
        ),
        (
            matlab(&[("X", 2, &[4, 3], &pixels), y]),
            "array X: images of shape (H, W, N) or (H, W, C, N) with 1 or 3 channels expected, shape (4, 3) found",
        ),
        (
            matlab(&[("X", 3, &[1, 3, 2], &pixels), y]),
            "array X: pixels of type uint8 expected, elements of type signed of 2 bytes found",
        ),
        (matlab(&[("X", 2, &[2, 3, 3], &pixels), y]), "array X: 18 bytes expected by its head, 12 found"),
        (matlab(&[("X", 2, &[u32::MAX, u32::MAX, u32::MAX], &pixels), y]), "found"),
        (
            b"\x89HDF\r\n".repeat(40),
            "a MATLAB file of version 5 to 7 (save with -v7) expected, one of version 7.3 (HDF5) found",
        ),
        (
            b"other".repeat(40),
            "a MATLAB file of version 5 to 7 (save with -v7) expected, a file that begins with otheroth found",
        ),
        (Vec::new(), "a MATLAB file expected, an empty file (0 bytes) found"),
    ] {
        let error = read_of(&bytes).expect_err(sentence).to_string();
        assert!(error.ends_with(sentence), "{error}");
    }
    folder.put("test_32x32.mat", &whole);
    assert!(
        folder.sentence().starts_with("FOLDER: train_32x32.mat expected beside"),
        "{}",
        folder.sentence()
    );
    folder.put("train_32x32.mat", &whole);
    assert_eq!(recognise(folder.path()), Some(Kind::Mat));
    assert!(folder.read().expect("two parts").test.is_some());
}
