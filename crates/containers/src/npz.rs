//! NumPy's archives, and folders of its arrays: which are images and labels, and their elements as pixels and classes.

use crate::{
    Asked, Error, Images, Layout, MAXIMUM_BYTES, MAXIMUM_CLASSES, Reading,
    array::{self, ElementError, ElementKind, Head},
    error::tuple,
    finish::{PARTS, Raw, RawPart, check_size},
    labels::{self, Labels},
    pixels::{interleave, lay_on_white},
    reading::{goes_on, read_exactly},
    words::list,
};
use std::{
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
};
use zip::ZipArchive;

/// Where the arrays are.
enum Holder {
    Archive(ZipArchive<BufReader<File>>),
    Folder(PathBuf),
}

/// What the arrays of a part are called, images and labels, in the order of [`PARTS`]. The first scheme of which there is an array
/// counts.
const SCHEMES: &[[&[(&str, &str)]; 3]] = &[
    [
        &[("train_images", "train_labels")],
        &[
            ("val_images", "val_labels"),
            ("validation_images", "validation_labels"),
            ("valid_images", "valid_labels"),
        ],
        &[("test_images", "test_labels")],
    ],
    [
        &[("x_train", "y_train")],
        &[("x_val", "y_val"), ("x_valid", "y_valid"), ("x_validation", "y_validation")],
        &[("x_test", "y_test")],
    ],
    [
        &[("train_x", "train_y"), ("train_data", "train_labels")],
        &[("val_x", "val_y"), ("valid_x", "valid_y"), ("val_data", "val_labels")],
        &[("test_x", "test_y"), ("test_data", "test_labels")],
    ],
    [
        &[("images", "labels"), ("x", "y"), ("data", "target"), ("data", "labels"), ("images", "target")],
        &[],
        &[],
    ],
];

const KNOWN_NAMES: &str = "train_images and train_labels (with val_… and test_…), x_train and y_train (with x_test and y_test), images and labels, X and y, or data and target";

const SUFFIX: &str = ".npy";

/// Whether a file is an archive of arrays: by its name, or as a zip file whose first member is one.
pub(crate) fn is_file(path: &Path, name: &str) -> bool {
    if name.ends_with(".npz") {
        return true;
    }
    let mut head = [0; 128];
    let read = File::open(path).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
    head.starts_with(b"PK\x03\x04")
        && head[..read].windows(SUFFIX.len()).any(|part| part == SUFFIX.as_bytes())
}

/// Whether arrays lie in a folder as files.
pub(crate) fn is_folder(path: &Path) -> bool {
    !names_in(path).is_empty()
}

/// Whether one of them is called as an array of images is.
pub(crate) fn is_folder_of_images(path: &Path) -> bool {
    scheme_of(&names_in(path)).is_some()
}

/// The names of a folder's arrays.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().to_str()?.strip_suffix(SUFFIX)?.to_owned();
        (!name.starts_with('.') && entry.path().is_file()).then_some(name)
    });
    names.collect()
}

fn find<'a>(names: &'a [String], wanted: &str) -> Option<&'a String> {
    names.iter().find(|name| name.eq_ignore_ascii_case(wanted))
}

fn scheme_of(names: &[String]) -> Option<&'static [&'static [(&'static str, &'static str)]; 3]> {
    SCHEMES.iter().find(|scheme| {
        scheme.iter().flat_map(|part| part.iter()).any(|(images, _)| find(names, images).is_some())
    })
}

/// The archive's arrays, or the folder's.
fn open(path: &Path) -> Result<(Holder, Vec<String>), Error> {
    if path.is_dir() {
        return Ok((Holder::Folder(path.to_owned()), names_in(path)));
    }
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| Error::unreadable(&shown, &error))?;
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        return Err(Error::EmptyFile { file: shown, expected: "an npz archive" });
    }
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| Error::Damaged {
        file: shown.clone(),
        format: "npz (zip)",
        reason: error.to_string(),
    })?;
    let members = archive.file_names().flatten();
    let names = members.filter_map(|name| name.strip_suffix(SUFFIX).map(str::to_owned)).collect();
    Ok((Holder::Archive(archive), names))
}

pub(crate) fn read(path: &Path, reading: &Reading) -> Result<Raw, Error> {
    let (arrays, mut names) = open(path)?;
    names.sort();
    let mut source = Source { path: path.display().to_string(), arrays, remarks: Vec::new() };
    let named = |wanted: &str| find(&names, wanted);
    let Some(scheme) = scheme_of(&names) else {
        return Err(Error::Arrays { file: source.path, expected: KNOWN_NAMES, found: names });
    };
    let mut raw = Raw::default();
    let (mut taken, mut found) = (Vec::new(), [None, None, None]);
    for ((pairs, part), name) in scheme.iter().zip(&mut found).zip(PARTS) {
        let pairs = pairs.iter().filter_map(|(images, labels)| Some((named(images)?, named(labels))));
        let pairs: Vec<_> = pairs.collect();
        let pair = pairs.iter().find(|(_, labels)| labels.is_some()).or_else(|| pairs.first());
        match pair {
            None if name == PARTS[0] => {
                return Err(Error::NoTraining {
                    path: source.path,
                    expected: "training images",
                    found: list(&names),
                });
            }
            None => {}
            Some((images, None)) => {
                return Err(Error::MissingLabels { file: source.path, images: format!("array {images}") });
            }
            Some((images, Some(labels))) => {
                *part = Some(source.arrays(images, labels, reading)?);
                taken.extend([*images, *labels]);
            }
        }
    }
    // What the heads say does not fit, and labels that make no classes, are refused before pixels take memory.
    let elements = found.iter().flatten().try_fold(0_u64, |sum, part| sum.checked_add(part.head.elements()?));
    if elements.is_none_or(|elements| elements > MAXIMUM_BYTES) {
        return Err(Error::too_large(source.path, elements));
    }
    let mut labels = [None, None, None];
    for (part, labels) in found.iter().zip(&mut labels) {
        *labels = part.as_ref().map(|part| source.labels(part.labels)).transpose()?;
    }
    labels::number(&source.path, &labels.each_ref().map(Option::as_ref))?;
    for ((arrays, labels), part) in found.iter().zip(labels).zip(&mut raw.parts) {
        if let (Some(arrays), Some(labels)) = (arrays, labels) {
            *part = Some(RawPart { images: source.images(arrays)?, labels, names: None });
        }
    }
    let others: Vec<String> = names.iter().filter(|name| !taken.contains(name)).cloned().collect();
    if !others.is_empty() {
        source.remarks.push(format!("arrays passed over: {}", list(&others)));
    }
    raw.remarks = source.remarks;
    Ok(raw)
}

struct Source {
    path: String,
    arrays: Holder,
    remarks: Vec<String>,
}

/// What an image's dimensions are, in the order of an array's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Places {
    count: u64,
    height: u64,
    width: u64,
    channels: u64,
    /// Whether channels come before rows.
    planar: bool,
}

/// The two arrays of a part.
struct Arrays<'a> {
    images: &'a str,
    labels: &'a str,
    /// Of the images.
    head: Head,
    places: Places,
}

impl Source {
    fn shown(&self, array: &str) -> String {
        format!("{}, array {array}", self.path)
    }

    /// Opens an array: its head, and a reader of its elements.
    fn open(&mut self, array: &str) -> Result<(Head, impl Read), Error> {
        let (shown, name) = (self.shown(array), format!("{array}{SUFFIX}"));
        let mut member: Box<dyn Read> =
            match &mut self.arrays {
                Holder::Archive(archive) => Box::new(archive.by_name(&name).map_err(|error| {
                    Error::Damaged { file: shown.clone(), format: "npz (zip)", reason: error.to_string() }
                })?),
                Holder::Folder(folder) => {
                    let file = File::open(folder.join(&name));
                    Box::new(BufReader::new(file.map_err(|error| Error::unreadable(&shown, &error))?))
                }
            };
        let head = array::read_head(&mut member, &shown)?;
        Ok((head, member))
    }

    /// What the heads of a part's arrays say, where it fits together.
    fn arrays<'a>(
        &mut self,
        images: &'a str,
        labels: &'a str,
        reading: &Reading,
    ) -> Result<Arrays<'a>, Error> {
        let shown = self.shown(images);
        let (of_labels, _) = self.open(labels)?;
        let count = labelled(&of_labels, &self.shown(labels))?;
        let (head, _) = self.open(images)?;
        if head.element.is_string() {
            let found = "strings".to_owned();
            return Err(Error::ElementType { array: shown, expected: "pixels as numbers", found });
        }
        let places = places(&head.shape, reading, &shown)?;
        if head.elements() == Some(0) {
            return Err(Error::NoImages { path: shown });
        }
        if reading.resize.is_none() {
            check_size(&shown, places.height, places.width)?;
        }
        if count != places.count {
            let file = self.shown(labels);
            return Err(Error::CountsDiffer { file, images: places.count, labels: count });
        }
        Ok(Arrays { images, labels, head, places })
    }

    fn images(&mut self, Arrays { images: array, head, places, .. }: &Arrays) -> Result<Images, Error> {
        let shown = self.shown(array);
        let elements = head.elements().unwrap_or(0);
        let [count, height, width, channels] =
            [places.count, places.height, places.width, places.channels].map(|side| side as usize);
        let mut pixels = if head.element.is_bytes() && !head.fortran {
            let (_, mut member) = self.open(array)?;
            let mut pixels = read_exactly(&mut member, elements as usize)
                .map_err(|error| error.of(&shown, "npz", elements))?;
            check_end(&mut member, &shown, elements)?;
            drop(member);
            if places.planar && channels > 1 {
                interleave(&mut pixels, channels, height * width);
            }
            pixels
        } else {
            self.converted(array, head, places)?
        };
        if channels == 4 {
            lay_on_white(&mut pixels);
            self.remarks.push(format!("array {array}: images have an opacity and are laid on white"));
        }
        Ok(Images { pixels, count, height, width, channels: channels.min(3) })
    }

    /// Pixels that are no bytes, or in another order: looked through once for their range and number, then each put into its place.
    fn converted(&mut self, array: &str, head: &Head, places: &Places) -> Result<Vec<u8>, Error> {
        let shown = self.shown(array);
        let count = head.elements().unwrap_or(0);
        let bytes = count.saturating_mul(head.element.size as u64);
        let refused = |error: ElementError| of_elements(error, &shown, bytes);
        let (mut least, mut most, mut whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
        let mut no_number = false;
        {
            let (_, mut member) = self.open(array)?;
            array::numbers(&mut member, head.element, count, &mut |values| {
                for value in values {
                    least = if *value < least { *value } else { least };
                    most = if *value > most { *value } else { most };
                    no_number |= value.is_nan();
                    whole &= *value as i64 as f64 == *value;
                }
                Ok(())
            })
            .map_err(refused)?;
            check_end(&mut member, &shown, bytes)?;
        }
        if no_number || least < 0.0 || most > 255.0 {
            let least = if no_number { "NaN".to_owned() } else { least.to_string() };
            return Err(Error::Range { array: shown, least, most: most.to_string() });
        }
        let scale = match head.element.kind {
            ElementKind::Bool => 255.0,
            ElementKind::Float if most <= 1.0 => 255.0,
            _ => 1.0,
        };
        let told = match head.element.kind {
            ElementKind::Bool => Some("booleans are read as 0 and 255"),
            ElementKind::Float if scale > 1.0 => Some("floats from 0 to 1 are multiplied by 255 and rounded"),
            ElementKind::Float if whole => Some("floats are taken as 0 to 255"),
            ElementKind::Float => Some("floats are taken as 0 to 255 and rounded"),
            _ => None,
        };
        self.remarks.extend(told.map(|told| format!("array {array}: {told}")));
        let mut pixels = Vec::new();
        pixels.try_reserve_exact(count as usize).map_err(|_| Error::too_large(&shown, Some(count)))?;
        pixels.resize(count as usize, 0);
        let mut odometer = Odometer::new(head, places);
        let (_, mut member) = self.open(array)?;
        array::numbers(&mut member, head.element, count, &mut |values| {
            odometer.put(values, scale, &mut pixels);
            Ok(())
        })
        .map_err(refused)?;
        Ok(pixels)
    }

    fn labels(&mut self, array: &str) -> Result<Labels, Error> {
        let shown = self.shown(array);
        let path = self.path.clone();
        let (head, mut member) = self.open(array)?;
        let (images, columns) = (labelled(&head, &shown)?, one_hot_columns(&head));
        let elements = head.elements().unwrap_or(0);
        let bytes = elements.saturating_mul(head.element.size as u64);
        let refused = |error: ElementError| of_elements(error, &shown, bytes);
        let mut labels = Labels::default();
        let class_count = || path.clone();
        let no_label = |index: u64, found: String| Error::Label {
            file: shown.clone(),
            expected: "a whole number or a name as a label",
            index,
            found,
        };
        if head.element.is_string() {
            array::strings(&mut member, head.element, elements, &mut |text| match text {
                Some(text) if !text.is_empty() => labels.push(&text, &class_count),
                Some(_) => Err(no_label(labels.len() as u64, "an empty string".to_owned())),
                None => Err(no_label(labels.len() as u64, "a string of no characters".to_owned())),
            })
            .map_err(refused)?;
        } else if let Some(columns) = columns {
            // A bit a class of each image, in whichever order they come.
            let (mut class, mut positives): (Vec<u16>, Vec<u16>) = (Vec::new(), Vec::new());
            let mut index = 0;
            array::each_number(&mut member, head.element, elements, &mut |value| {
                let (image, column) = if head.fortran {
                    (index % images, index / images)
                } else {
                    (index / columns, index % columns)
                };
                index += 1;
                // In either order the first columns of the images come one after another.
                if column == 0 {
                    class.push(0);
                    positives.push(0);
                }
                if value == 1.0 {
                    (class[image as usize], positives[image as usize]) =
                        (column as u16, positives[image as usize] + 1);
                } else if value != 0.0 {
                    return Err(Error::Label {
                        file: shown.clone(),
                        expected: "0 or 1 in each column of a class",
                        index: image,
                        found: value.to_string(),
                    });
                }
                Ok(())
            })
            .map_err(refused)?;
            if let Some(index) = positives.iter().position(|positives| *positives != 1) {
                let positives = usize::from(positives[index]);
                return Err(Error::SeveralLabels { array: shown, index: index as u64, positives });
            }
            for class in class {
                labels.push(&class.to_string(), &class_count)?;
            }
        } else {
            array::each_number(&mut member, head.element, elements, &mut |value| {
                // Beyond this, doubles are not every whole number.
                if value.fract() != 0.0 || value.abs() > 9e15 {
                    return Err(no_label(labels.len() as u64, value.to_string()));
                }
                labels.push(&(value as i64).to_string(), &class_count)
            })
            .map_err(refused)?;
        }
        check_end(&mut member, &shown, bytes)?;
        drop(member);
        if columns.is_some() {
            self.remarks.push(format!("array {array}: one-hot rows are read as the column of their 1"));
        }
        Ok(labels)
    }
}

fn check_end(member: &mut impl Read, shown: &str, expected: u64) -> Result<(), Error> {
    match goes_on(member) {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::Length { file: shown.to_owned(), expected, found: None }),
        Err(error) => {
            Err(Error::Damaged { file: shown.to_owned(), format: "npz", reason: error.to_string() })
        }
    }
}

fn of_elements(error: ElementError, shown: &str, expected: u64) -> Error {
    match error {
        ElementError::Ended(found) => Error::Length { file: shown.to_owned(), expected, found: Some(found) },
        ElementError::Io(error) => {
            Error::Damaged { file: shown.to_owned(), format: "npz", reason: error.to_string() }
        }
        ElementError::Refused(error) => error,
    }
}

/// How many images an array of labels is for.
fn labelled(head: &Head, shown: &str) -> Result<u64, Error> {
    match head.shape[..] {
        [images] | [images, 1] => Ok(images),
        [images, 2..=256] if !head.element.is_string() => Ok(images),
        _ => Err(Error::Shape {
            array: shown.to_owned(),
            expected: "labels of shape (N,), (N, 1) or one-hot (N, K)",
            found: head.shape.clone(),
        }),
    }
}

/// The columns of one-hot labels.
fn one_hot_columns(head: &Head) -> Option<u64> {
    match head.shape[..] {
        [_, columns] if (2..=MAXIMUM_CLASSES as u64).contains(&columns) => Some(columns),
        _ => None,
    }
}

/// What the dimensions of an array of images are.
fn places(shape: &[u64], reading: &Reading, shown: &str) -> Result<Places, Error> {
    let refused = |expected| Error::Shape { array: shown.to_owned(), expected, found: shape.to_vec() };
    let planar = reading.layout == Some(Layout::ChannelsFirst);
    let contradicted = |asked: Asked| {
        let found = format!("shape {}", tuple(shape));
        Error::Contradicted { file: shown.to_owned(), asked, found }
    };
    let check = |planar: Option<bool>, size: [u64; 2]| match (reading.layout, reading.size) {
        (Some(layout), _) if planar != Some(layout == Layout::ChannelsFirst) => {
            Err(contradicted(Asked::Layout(layout)))
        }
        (_, Some(asked)) if asked.map(|side| side as u64) != size => Err(contradicted(Asked::Size(asked))),
        _ => Ok(()),
    };
    match *shape {
        [count, height, width] => {
            check(None, [height, width])?;
            Ok(Places { count, height, width, channels: 1, planar: false })
        }
        [count, first, middle, last] => {
            let is_first = matches!(first, 1 | 3);
            let is_last = matches!(last, 1 | 3 | 4);
            let planar = match (is_first, is_last, reading.layout) {
                (false, false, _) => {
                    return Err(refused(
                        "images of shape (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 or 3 channels",
                    ));
                }
                (true, true, None) => {
                    return Err(Error::Ambiguous { array: shown.to_owned(), found: shape.to_vec() });
                }
                (true, true, Some(layout)) => layout == Layout::ChannelsFirst,
                (is_first, _, _) => is_first,
            };
            check(Some(planar), if planar { [middle, last] } else { [first, middle] })?;
            Ok(match planar {
                true => Places { count, height: middle, width: last, channels: first, planar },
                false => Places { count, height: first, width: middle, channels: last, planar },
            })
        }
        [count, length] => {
            let rows = "rows of H×W or 3·H·W pixels with a stated size, or of a square of pixels";
            let of = |area: u64| match reading.size {
                Some([height, width]) => {
                    ((height * width) as u64 == area).then_some([height as u64, width as u64])
                }
                None => {
                    Some(area.isqrt()).filter(|side| *side > 0 && side * side == area).map(|side| [side; 2])
                }
            };
            if let Some([height, width]) = of(length) {
                check(None, [height, width])?;
                return Ok(Places { count, height, width, channels: 1, planar: false });
            }
            let thirds = length.is_multiple_of(3).then(|| of(length / 3)).flatten();
            match (thirds, reading.layout) {
                (None, _) => Err(refused(rows)),
                (Some(_), None) => Err(Error::Ambiguous { array: shown.to_owned(), found: shape.to_vec() }),
                (Some([height, width]), Some(_)) => Ok(Places { count, height, width, channels: 3, planar }),
            }
        }
        _ => Err(refused("images of shape (N, H, W), (N, H, W, C), (N, C, H, W) or (N, pixels)")),
    }
}

/// The place of an array's next element among pixels `[image, row, column, channel]`.
struct Odometer {
    place: usize,
    /// Position, length and stride of each dimension, the fastest first.
    wheels: Vec<(usize, usize, usize)>,
}

impl Odometer {
    fn new(head: &Head, places: &Places) -> Self {
        let Places { height, width, channels, .. } = *places;
        let [height, width, channels] = [height, width, channels].map(|side| side as usize);
        let (image, row) = (height * width * channels, width * channels);
        let strides: Vec<usize> = match (head.shape.len(), places.planar) {
            (3, _) => vec![image, row, channels],
            (4, false) => vec![image, row, channels, 1],
            (4, true) => vec![image, 1, row, channels],
            (_, false) => vec![image, 1],
            // A row of planes has three dimensions in one.
            (_, true) => vec![image, 1, channels],
        };
        let mut sides: Vec<usize> = head.shape.iter().map(|side| *side as usize).collect();
        if strides.len() > sides.len() {
            sides = vec![sides[0], channels, height * width];
        }
        let mut wheels: Vec<_> =
            sides.into_iter().zip(strides).map(|(side, stride)| (0, side, stride)).collect();
        match head.fortran {
            false => wheels.reverse(),
            // The last two of a row of planes are one dimension of the array, which runs as it does in C.
            true if head.shape.len() == 2 && wheels.len() == 3 => wheels.swap(1, 2),
            true => {}
        }
        Self { place: 0, wheels }
    }

    /// Puts the next values, times `scale` and rounded, into their places: along the fastest dimension in one loop.
    fn put(&mut self, mut values: &[f64], scale: f64, pixels: &mut [u8]) {
        while let [(position, side, stride), ..] = self.wheels[..]
            && !values.is_empty()
        {
            let (run, rest) = values.split_at(values.len().min(side - position));
            let places = pixels.iter_mut().skip(self.place).step_by(stride);
            // No value is negative.
            places.zip(run).for_each(|(pixel, value)| *pixel = (value * scale + 0.5) as u8);
            self.advance(run.len());
            values = rest;
        }
    }

    /// Goes on by so many elements, no further than to the end of the fastest dimension.
    fn advance(&mut self, mut elements: usize) {
        for (position, side, stride) in &mut self.wheels {
            *position += elements;
            self.place += elements * *stride;
            if *position < *side {
                return;
            }
            self.place -= *side * *stride;
            (*position, elements) = (0, 1);
        }
    }
}
