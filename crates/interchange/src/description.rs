//! What a file says of its model.

use crate::{
    FormatError,
    escape::{is_plain, shown},
    graph::Graph,
};
use data::{MAXIMUM_CLASSES, MAXIMUM_SIDE};
use nn::{
    Architecture, ImageShape, InstructionSet, LayerSpec, MAXIMUM_LAYERS, Model, NORMALISATION_EPSILON,
    Precision, Preparation, ShapeError, fingerprint,
};
use serde::{Deserialize, Serialize};

/// The metadata key under which a safetensors file has it.
pub const METADATA_KEY: &str = "mnist-study";

/// Version of the description and of the tensors' names and layouts.
pub const FORMAT: u32 = 3;

/// The oldest that is read: the same without preparation and ε.
const OLDEST_FORMAT: u32 = 2;

/// Longest name, in characters.
const LONGEST_NAME: usize = 200;

/// What ε of batch and layer normalisation can be.
pub const EPSILONS: std::ops::RangeInclusive<f64> = 1e-12..=0.1;

/// What a network's images show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// Light ink on a dark ground in grey, as MNIST's digits are.
    Ink,
    /// Anything else in grey.
    Grey,
    /// Red, green and blue.
    Colour,
}

impl ImageKind {
    const ALL: [Self; 3] = [Self::Ink, Self::Grey, Self::Colour];

    /// A noun with what belongs to it.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Ink => "Grey images, light ink on a dark ground",
            Self::Grey => "Grey images",
            Self::Colour => "Images in red, green and blue",
        }
    }

    /// How an image becomes what the network reads, as [`Description::preprocessing`] has it.
    pub fn preprocessing(self) -> &'static str {
        match self {
            Self::Ink => {
                "grey images, light ink on a dark ground, each pixel's byte divided by 255, [n, 1, height, width]"
            }
            Self::Grey => "grey images, each pixel's byte divided by 255, [n, 1, height, width]",
            Self::Colour => "images in red, green and blue, each byte divided by 255, [n, 3, height, width]",
        }
    }

    /// The other way round.
    fn of_preprocessing(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.preprocessing() == text)
    }

    fn channels(self) -> usize {
        match self {
            Self::Ink | Self::Grey => 1,
            Self::Colour => 3,
        }
    }
}

/// What a weights file says of its model: enough to build it again and to use it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// The architecture's name.
    pub architecture: String,
    /// Its layers, as a study file has them.
    pub layers: Vec<LayerSpec>,
    /// Rows of its images.
    pub height: usize,
    /// Columns of its images.
    pub width: usize,
    /// The names of the classes, in the order of the logits.
    pub classes: Vec<String>,
    /// How an image becomes what the network reads: [`ImageKind::preprocessing`].
    pub preprocessing: String,
    /// What is made of those pixels before the first layer reads them; nothing where that is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparation: Option<Preparation>,
    /// ε of batch and layer normalisation, [`NORMALISATION_EPSILON`] where that is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// How its weights came about; unknown where another program made them.
    pub training: Option<Training>,
}

fn is_float32(precision: &Precision) -> bool {
    *precision == Precision::Float32
}

/// How a model's weights came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The data that it learnt from.
    pub dataset: String,
    /// SHA-256 of that data; older files do not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_sha256: Option<String>,
    /// The run's seed.
    pub seed: u64,
    /// What the products of training steps were computed in; float32 where that is left out.
    #[serde(default, skip_serializing_if = "is_float32")]
    pub precision: Precision,
    /// Passes over the training images.
    pub epochs: usize,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Fraction of the test images classified correctly.
    pub test_accuracy: f64,
    /// Mean cross-entropy on the test images, in nats.
    pub test_loss: f64,
    /// SHA-256 of the weights.
    pub fingerprint: String,
    /// Version of the program that made it.
    pub version: String,
}

impl Description {
    /// Of an architecture for images of that shape, with weights of unknown origin. Grey images are taken for
    /// [`ImageKind::Ink`]; [`Self::set_kind`] says otherwise.
    pub fn of(architecture: &Architecture, image: impl Into<ImageShape>, classes: Vec<String>) -> Self {
        let ImageShape { height, width, channels } = image.into();
        let kind = if channels == 1 { ImageKind::Ink } else { ImageKind::Colour };
        Self {
            format: FORMAT,
            architecture: architecture.name.clone(),
            layers: architecture.layers.clone(),
            height,
            width,
            classes,
            preprocessing: kind.preprocessing().to_owned(),
            preparation: None,
            epsilon: None,
            training: None,
        }
    }

    /// What its images show.
    pub fn kind(&self) -> ImageKind {
        ImageKind::of_preprocessing(&self.preprocessing).unwrap_or(ImageKind::Ink)
    }

    /// Says what its images show.
    ///
    /// # Panics
    /// When that has another number of channels.
    pub fn set_kind(&mut self, kind: ImageKind) {
        assert_eq!(kind.channels(), self.kind().channels(), "channels of {kind:?}");
        self.preprocessing = kind.preprocessing().to_owned();
    }

    /// Shape of its images.
    pub fn image(&self) -> ImageShape {
        ImageShape { height: self.height, width: self.width, channels: self.kind().channels() }
    }

    /// The network that it describes.
    pub fn architecture(&self) -> Architecture {
        Architecture {
            name: self.architecture.clone(),
            summary: String::new(),
            citation: String::new(),
            layers: self.layers.clone(),
        }
    }

    /// The network for batches of up to `capacity` images, its parameters zero.
    ///
    /// # Errors
    /// When the layers do not fit each other or the images.
    ///
    /// # Panics
    /// When `capacity` is zero, or the description did not come from [`crate::describe`] or [`Self::of`] a data set's sizes.
    pub fn model(&self, set: InstructionSet, capacity: usize) -> Result<Model<f32>, ShapeError> {
        let classes = self.classes.len();
        let mut model = Model::new(set, &self.architecture(), self.image(), classes, capacity)?;
        model.set_preparation(self.preparation);
        model.set_epsilon(self.normalisation_epsilon());
        Ok(model)
    }

    /// ε of batch and layer normalisation.
    pub fn normalisation_epsilon(&self) -> f64 {
        self.epsilon.unwrap_or(NORMALISATION_EPSILON)
    }

    /// The operations of `model`, which this describes.
    pub(crate) fn graph(&self, model: &Model<f32>) -> Graph {
        let graph = self.architecture().graph(self.image(), self.classes.len());
        let graph = Graph::of(graph.expect("the model has been built of it"), model.specs());
        graph.assert_complete(model.parameters().len());
        graph
    }

    /// Refuses a model whose weights are not those that the description is of, where it says.
    pub(crate) fn check_fingerprint(&self, model: &Model<f32>) -> Result<(), FormatError> {
        let Some(training) = &self.training else { return Ok(()) };
        let found = fingerprint(model.parameters());
        match training.fingerprint == found {
            true => Ok(()),
            false => Err(FormatError::Changed { stated: training.fingerprint.clone(), found }),
        }
    }

    /// Refuses what cannot be, before anything is allocated by it.
    pub(crate) fn check(&self) -> Result<(), FormatError> {
        self.find_problem().map_or(Ok(()), |problem| Err(FormatError::Description(problem)))
    }

    fn find_problem(&self) -> Option<String> {
        if !(OLDEST_FORMAT..=FORMAT).contains(&self.format) {
            return Some(format!("format {OLDEST_FORMAT} or {FORMAT} expected, {} found", self.format));
        }
        for (what, side) in [("height", self.height), ("width", self.width)] {
            if !(1..=MAXIMUM_SIDE).contains(&side) {
                return Some(format!("a {what} of 1 to {MAXIMUM_SIDE} pixels expected, {side} found"));
            }
        }
        let classes = self.classes.len();
        if !(2..=MAXIMUM_CLASSES).contains(&classes) {
            return Some(format!("2 to {MAXIMUM_CLASSES} classes expected, {classes} found"));
        }
        let name = &self.architecture;
        if !is_name(name) || !is_plain(name) {
            let (expected, found) =
                (format!("a name of 1 to {LONGEST_NAME} printable characters"), shown(name));
            return Some(format!("{expected} expected for the network, `{found}` found"));
        }
        if let Some(name) = self.classes.iter().find(|name| name.chars().count() > LONGEST_NAME) {
            let found = shown(name);
            return Some(format!(
                "class names of at most {LONGEST_NAME} characters expected, `{found}` found"
            ));
        }
        let layers = LayerSpec::all(&self.layers).len();
        if layers > MAXIMUM_LAYERS {
            return Some(format!("at most {MAXIMUM_LAYERS} layers expected, {layers} found"));
        }
        let Some(kind) = ImageKind::of_preprocessing(&self.preprocessing) else {
            let found = shown(&self.preprocessing);
            let known = ImageKind::ALL.map(|kind| format!("`{}`", kind.preprocessing())).join(" or ");
            return Some(format!("images prepared as {known} expected, `{found}` found"));
        };
        if let Some(preparation) = self.preparation.filter(|known| known.mean().len() != kind.channels()) {
            let (expected, found) = (kind.channels(), preparation.mean().len());
            return Some(format!("a preparation of {expected} channels expected, one of {found} found"));
        }
        if let Some(epsilon) = self.epsilon.filter(|epsilon| !EPSILONS.contains(epsilon)) {
            return Some(format!("an epsilon of 1e-12 to 0.1 expected, {epsilon} found"));
        }
        self.training.as_ref().and_then(Training::find_problem)
    }
}

impl Training {
    fn find_problem(&self) -> Option<String> {
        let digest = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        for (what, value, most, expected) in [
            ("train_seconds", self.train_seconds, f64::MAX, "0 or more"),
            ("test_accuracy", self.test_accuracy, 1.0, "0 to 1"),
            ("test_loss", self.test_loss, f64::MAX, "0 or more"),
        ] {
            if !(0.0..=most).contains(&value) {
                return Some(format!("{what}: {expected} expected, {value} found"));
            }
        }
        let digests =
            [("fingerprint", Some(&self.fingerprint)), ("dataset_sha256", self.dataset_sha256.as_ref())];
        digests.into_iter().find_map(|(what, stated)| {
            let wrong = stated.filter(|stated| !digest(stated))?;
            Some(format!("{what}: a SHA-256 expected, `{}` found", shown(wrong)))
        })
    }
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.chars().count())
}
