//! What is the same for every container: grey, another size, parts that fit together, classes numbered.

use crate::{
    Contents, Error, Images, MAXIMUM_SIDE, Part, Reading,
    labels::{self, Labels},
};
use std::path::Path;

/// What a container held, before its classes are numbered.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    /// The training, validation and test images.
    pub(crate) parts: [Option<RawPart>; 3],
    /// What the labels 0, 1 and so on are called.
    pub(crate) names: Option<Vec<String>>,
    pub(crate) remarks: Vec<String>,
}

/// Images with their labels.
#[derive(Debug)]
pub(crate) struct RawPart {
    pub(crate) images: Images,
    pub(crate) labels: Labels,
    pub(crate) names: Option<Vec<String>>,
}

/// What parts are called, in the order of [`Raw::parts`].
pub(crate) const PARTS: [&str; 3] = ["training", "validation", "test"];

/// How grey is made, as a remark says it.
pub(crate) const LUMA: &str = "grey by the luma of ITU-R BT.601, (19595 R + 38470 G + 7471 B) / 65536";

pub(crate) fn finish(path: &Path, mut raw: Raw, reading: &Reading) -> Result<Contents, Error> {
    let path = path.display().to_string();
    let mut remarks = std::mem::take(&mut raw.remarks);
    if let Some([height, width]) = reading.resize {
        check_size(&path, height as u64, width as u64)?;
    }
    for (name, part) in PARTS.into_iter().zip(&mut raw.parts) {
        let Some(part) = part else { continue };
        let images = &mut part.images;
        remarks.extend(images.convert(name, reading));
        check_size(&path, images.height as u64, images.width as u64)?;
    }
    let shape = |part: &RawPart| [part.images.height, part.images.width, part.images.channels];
    let Some(expected) = raw.parts[0].as_ref().map(shape) else { return Err(Error::NoImages { path }) };
    for (part, name) in raw.parts.iter().zip(PARTS).skip(1) {
        if let Some(found) = part.as_ref().map(shape).filter(|found| *found != expected) {
            return Err(Error::PartsDiffer { path, part: name, expected, found });
        }
    }
    if expected[2] == 3 && raw.parts.iter().flatten().all(|part| is_grey(&part.images)) {
        remarks.push(
            "all images are grey, stored as colour (red, green and blue are equal): grey reading makes one channel of three"
                .to_owned(),
        );
    }
    let labels = raw.parts.each_ref().map(|part| part.as_ref().map(|part| &part.labels));
    let (mut class_names, mut numbered) = labels::number(&path, &labels)?;
    match &raw.names {
        None => remarks.extend(labels::gap_remark(&class_names)),
        Some(names) => {
            for class in &mut class_names {
                if let Some(name) = class.parse().ok().and_then(|index: usize| names.get(index)) {
                    class.clone_from(name);
                }
            }
        }
    }
    let mut parts = raw.parts.into_iter().zip(&mut numbered).map(|(part, labels)| {
        let part = part?;
        Some(Part { images: part.images, labels: labels.take()?, names: part.names })
    });
    let mut next = || parts.next().flatten();
    let (training, validation, test) = (next(), next(), next());
    let training = training.ok_or(Error::NoImages { path })?;
    Ok(Contents { class_names, training, validation, test, remarks })
}

/// Refuses sizes that are not read.
pub(crate) fn check_size(file: &str, height: u64, width: u64) -> Result<(), Error> {
    let read = 1..=MAXIMUM_SIDE as u64;
    if read.contains(&height) && read.contains(&width) {
        return Ok(());
    }
    Err(Error::ImageSize { file: file.to_owned(), height, width })
}

pub(crate) fn resize_remark(what: &str, from: &str, [height, width]: [usize; 2]) -> String {
    format!("{what} are resized from {from} to {height}×{width} by a triangle filter")
}

fn is_grey(images: &Images) -> bool {
    images.pixels.chunks_exact(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2])
}

impl Images {
    /// Makes them grey and another size, as far as `reading` asks for it; says what was done, of images that are called `part`.
    pub fn convert(&mut self, part: &str, reading: &Reading) -> Vec<String> {
        let mut remarks = Vec::new();
        if reading.grey && self.channels == 3 {
            self.make_grey();
            remarks.push(format!("{part} images are made {LUMA}"));
        }
        if let Some(size) = reading.resize.filter(|size| *size != [self.height, self.width]) {
            let from = format!("{}×{}", self.height, self.width);
            remarks.push(resize_remark(&format!("{part} images"), &from, size));
            self.resize(size);
        }
        remarks
    }
}
