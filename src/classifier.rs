//! A saved model that answers.

use crate::Error;
use digits::{Bounds, Digit, Doubt, Picture, PictureError, SIDE, digit, digits};
use interchange::{Description, ImageKind, Remark};
use nn::{ImageShape, InstructionSet, Model};
use records::store::{read_at_most, write_atomically};
use std::{fs::File, io, path::Path};
use train::Native;

/// An image or weights file of more bytes is none.
const MAXIMUM_FILE_BYTES: u64 = 1 << 29;

/// What an image is called that was given without a name.
const IMAGE: &str = "image";

/// So many images at once are as fast as more.
const BATCH: usize = 256;

/// A model with its weights.
pub struct Classifier {
    description: Description,
    model: Model<f32>,
    remarks: Vec<Remark>,
}

/// What a classifier says of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The most probable class.
    pub class: usize,
    /// What that class is called.
    pub name: String,
    /// Of each class; they sum to 1.
    pub probabilities: Vec<f32>,
    /// The image as the model saw it, `[row, column, channel]`.
    pub pixels: Vec<u8>,
    /// Where the digit is in the picture; `None` for an image that was prepared already.
    pub bounds: Option<Bounds>,
    /// Why the image may not be what was meant, so that the answer needs a look at the picture.
    pub doubts: Vec<Doubt>,
    /// What was passed over or converted on the way from the file to the model, such as later frames or colours; a sentence each.
    pub remarks: Vec<String>,
}

impl Answer {
    /// The probability of [`Self::class`].
    pub fn probability(&self) -> f32 {
        self.probabilities[self.class]
    }
}

impl Classifier {
    /// The model in a file that [`Self::save`] or `mnist-study train --save` made.
    ///
    /// # Errors
    /// When the file cannot be read, or is no model.
    pub fn load(file: impl AsRef<Path>) -> Result<Self, Error> {
        let file = file.as_ref();
        let bytes = read(file)?;
        let model = |problem| Error::Model { file: file.display().to_string(), problem };
        let description = interchange::describe(&bytes).map_err(model)?;
        let mut network = description.model(InstructionSet::detect(), 1)?;
        let remarks = interchange::load(&bytes, &description, &[], &mut network).map_err(model)?;
        Ok(Self { description, model: network, remarks })
    }

    /// A model that is there already, and what it is.
    ///
    /// # Panics
    /// When `model` is not the one that `description` describes.
    pub fn new(description: Description, model: Model<f32>) -> Self {
        let expected = [description.image().length(), description.classes.len()];
        assert_eq!([model.input_length(), model.classes()], expected, "another model than is described");
        Self { description, model, remarks: Vec::new() }
    }

    /// Writes the model into a file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<(), Error> {
        let file = file.as_ref();
        let name = || file.display().to_string();
        let bytes = interchange::encode(&self.model, &self.description)
            .map_err(|problem| Error::Model { file: name(), problem })?;
        write_atomically(file, &bytes)
            .map_err(|problem| Error::File { file: name(), problem: io::Error::other(problem) })
    }

    /// What the model is, and how it came about.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// What [`Self::load`] had to guess or convert; nothing of a file that [`Self::save`] made.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The class of an image file of any usual kind and size. For a model of images as MNIST's, of the one digit in it, found and
    /// made into such an image: see [`digits::digit()`]. For any other, of the whole image, scaled to the model's size.
    ///
    /// # Errors
    /// When the file cannot be read, is no image or a damaged one; where a digit is sought, when it shows none, one that is cut
    /// off, or several.
    pub fn classify_file(&mut self, file: impl AsRef<Path>) -> Result<Answer, Error> {
        let file = file.as_ref();
        self.classify_one(&file.display().to_string(), &read(file)?)
    }

    /// As [`Self::classify_file`], of the file's bytes.
    ///
    /// # Errors
    /// As [`Self::classify_file`].
    pub fn classify_bytes(&mut self, bytes: &[u8]) -> Result<Answer, Error> {
        self.classify_one(IMAGE, bytes)
    }

    /// The classes of all digits in an image file, given as its bytes, in reading order; at least one: see
    /// [`digits::digits()`]. A model of other images than MNIST's answers once, for the whole image.
    ///
    /// # Errors
    /// As [`Self::classify_file`], except that there may be several digits.
    pub fn classify_digits(&mut self, bytes: &[u8]) -> Result<Vec<Answer>, Error> {
        if !self.finds_digits() {
            return Ok(vec![self.classify_whole(IMAGE, bytes)?]);
        }
        let (found, remarks) = self.found(IMAGE, bytes, digits)?;
        Ok(found.into_iter().map(|digit| self.answer_of(digit, remarks.clone())).collect())
    }

    /// Whether the model is for images as MNIST's are, so that digits are sought in a picture; else it is asked of whole images.
    pub fn finds_digits(&self) -> bool {
        let image = self.description.image();
        self.description.kind() == ImageKind::Ink && [image.height, image.width] == [SIDE; 2]
    }

    /// The class of a whole image, scaled to the model's size.
    fn classify_whole(&mut self, file: &str, bytes: &[u8]) -> Result<Answer, Error> {
        let ImageShape { height, width, channels } = self.description.image();
        let read = data::read_image(file, bytes, [height, width, channels]);
        let (pixels, remarks) = read.map_err(data::Error::from)?;
        let is_light = self.description.kind() == ImageKind::Ink
            && Picture::decode(bytes).is_ok_and(|picture| picture.is_dark_on_light());
        let doubts = if is_light { vec![Doubt::LightGround] } else { Vec::new() };
        Ok(Answer { remarks, doubts, ..self.answer(&pixels) })
    }

    fn classify_one(&mut self, file: &str, bytes: &[u8]) -> Result<Answer, Error> {
        if !self.finds_digits() {
            return self.classify_whole(file, bytes);
        }
        let (digit, remarks) = self.found(file, bytes, digit)?;
        Ok(self.answer_of(digit, remarks))
    }

    /// What a function finds in the picture of a file.
    fn found<T>(
        &self,
        file: &str,
        bytes: &[u8],
        find: fn(&Picture) -> Result<T, PictureError>,
    ) -> Result<(T, Vec<String>), Error> {
        self.check_size([SIDE, SIDE])?;
        let problem = |problem| Error::Picture { file: file.to_owned(), problem };
        let (picture, remarks) = Picture::read(bytes).map_err(problem)?;
        Ok((find(&picture).map_err(problem)?, remarks))
    }

    fn answer_of(&mut self, digit: Digit, remarks: Vec<String>) -> Answer {
        let Digit { pixels, bounds, doubts, .. } = digit;
        Answer { bounds: Some(bounds), doubts, remarks, ..self.answer(&pixels) }
    }

    /// The class of an image that is prepared as the training images were: grey, light on dark, row by row.
    ///
    /// # Errors
    /// When it has another number of pixels than the model's images.
    pub fn classify_pixels(&mut self, pixels: &[u8]) -> Result<Answer, Error> {
        let expected = self.model.input_length();
        if pixels.len() != expected {
            return Err(Error::Size { expected: expected.to_string(), found: pixels.len().to_string() });
        }
        Ok(self.answer(pixels))
    }

    /// The probabilities `[image, class]` of many images, prepared as [`Self::classify_pixels`] takes them and one after the other.
    ///
    /// # Errors
    /// When the pixels are no whole number of images.
    pub fn classify_many(&mut self, pixels: &[u8]) -> Result<Vec<f32>, Error> {
        let length = self.model.input_length();
        if !pixels.len().is_multiple_of(length) {
            let expected = format!("a multiple of {length}");
            return Err(Error::Size { expected, found: pixels.len().to_string() });
        }
        let images = pixels.len() / length;
        let batch = images.min(BATCH);
        if self.model.capacity() < batch {
            self.model = self.model_of(batch)?;
        }
        let classes = self.description.classes.len();
        let mut probabilities = Vec::with_capacity(images * classes);
        for batch in pixels.chunks(length * batch.max(1)) {
            let count = batch.len() / length;
            let image = |image: usize| &batch[image * length..][..length];
            probabilities.extend_from_slice(Native::new(&mut self.model).classify(count, &image));
        }
        Ok(probabilities)
    }

    /// The same model for so many images at once.
    fn model_of(&self, batch: usize) -> Result<Model<f32>, Error> {
        let model = |problem| Error::Model { file: self.description.architecture.clone(), problem };
        let bytes = interchange::encode(&self.model, &self.description).map_err(model)?;
        let mut network = self.description.model(InstructionSet::detect(), batch)?;
        interchange::load(&bytes, &self.description, &[], &mut network).map_err(model)?;
        Ok(network)
    }

    /// The class of an image file, given as its bytes, that is prepared so: see [`Self::classify_pixels`]. An image that
    /// is dark on light is doubted.
    ///
    /// # Errors
    /// When the bytes are no image, or it has another size than the model's.
    pub fn classify_prepared(&mut self, bytes: &[u8]) -> Result<Answer, Error> {
        let problem = |problem| Error::Picture { file: IMAGE.to_owned(), problem };
        let (picture, remarks) = Picture::read(bytes).map_err(problem)?;
        if self.description.kind() != ImageKind::Ink {
            let image = self.classify_whole(IMAGE, bytes)?;
            self.check_size([picture.height(), picture.width()])?;
            return Ok(image);
        }
        let size = [picture.height(), picture.width()];
        // Large pictures were reduced, so that their size is not the file's.
        if size.into_iter().any(|side| side > data::MAXIMUM_SIDE) {
            let expected = format!("{}×{}", self.description.height, self.description.width);
            let found = format!("more than {} a side", data::MAXIMUM_SIDE);
            return Err(Error::Size { expected, found });
        }
        self.check_size(size)?;
        let pixels: Vec<u8> = picture.pixels().iter().map(|value| (255.0 * value).round() as u8).collect();
        let doubts = if picture.is_dark_on_light() { vec![Doubt::LightGround] } else { Vec::new() };
        Ok(Answer { doubts, remarks, ..self.answer(&pixels) })
    }

    fn check_size(&self, [height, width]: [usize; 2]) -> Result<(), Error> {
        let Description { height: expected_height, width: expected_width, .. } = self.description;
        if [height, width] == [expected_height, expected_width] {
            return Ok(());
        }
        Err(Error::Size {
            expected: format!("{expected_height}×{expected_width}"),
            found: format!("{height}×{width}"),
        })
    }

    fn answer(&mut self, pixels: &[u8]) -> Answer {
        let probabilities = Native::new(&mut self.model).classify(1, &|_| pixels).to_vec();
        let better = |best: usize, class: usize| {
            if probabilities[class] > probabilities[best] { class } else { best }
        };
        let class = (1..probabilities.len()).fold(0, better);
        let name = self.description.classes[class].clone();
        Answer {
            class,
            name,
            probabilities,
            pixels: pixels.to_vec(),
            bounds: None,
            doubts: Vec::new(),
            remarks: Vec::new(),
        }
    }
}

/// A file's bytes, of which there may be [`MAXIMUM_FILE_BYTES`].
fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let read = File::open(file).and_then(|file| read_at_most(file, MAXIMUM_FILE_BYTES));
    read.map_err(|problem| Error::File { file: file.display().to_string(), problem })
}
