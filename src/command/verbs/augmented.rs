//! `datasets --augmented`: what augmentation makes of images.

use crate::command::{failure::Failure, options::ReadingArguments, output, targets, verbs::source};
use clap::{Args, ValueHint};
use data::{Augmentation, Augmenter, Corpus, Dataset, Target};
use records::store::write_atomically;
use report::{ContactSheet, SheetImage, SheetRow, contact_sheet};
use std::path::{Path, PathBuf};

/// `datasets --augmented`.
#[derive(Debug, Args)]
pub(crate) struct SheetArguments {
    /// Instead of listing, draw some training images and what augmentation makes of them, as a PNG file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "json")]
    pub(crate) augmented: Option<PathBuf>,
    /// Data set of these images [default: mnist]
    #[arg(long, value_name = "NAME|DIR", requires = "augmented", value_hint = ValueHint::DirPath)]
    pub(crate) dataset: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Seed of the augmentation [default: 0]
    #[arg(long, value_name = "N", requires = "augmented")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) augmentation: AugmentationArguments,
}

/// Augmentation for a look at it [default: typical values of every kind].
#[derive(Debug, Args)]
pub(crate) struct AugmentationArguments {
    /// Zeros around the image in pixels, of which a crop of its size is taken
    #[arg(long, value_name = "N", requires = "augmented")]
    crop: Option<usize>,
    /// Probability that left and right are exchanged
    #[arg(long, value_name = "X", requires = "augmented")]
    flip: Option<f64>,
    /// Maximum shift in pixels
    #[arg(long, value_name = "X", requires = "augmented")]
    shift: Option<f64>,
    /// Maximum rotation in degrees
    #[arg(long, value_name = "X", requires = "augmented")]
    rotation: Option<f64>,
    /// Maximum change of scale, a fraction
    #[arg(long, value_name = "X", requires = "augmented")]
    scale: Option<f64>,
    /// Maximum shear in degrees
    #[arg(long, value_name = "X", requires = "augmented")]
    shear: Option<f64>,
    /// Strength of elastic distortion, in pixels before smoothing
    #[arg(long, value_name = "X", requires = "augmented")]
    elastic: Option<f64>,
    /// Standard deviation of that smoothing in pixels
    #[arg(long, value_name = "X", requires = "elastic")]
    smoothness: Option<f64>,
    /// Maximum change of brightness, a fraction
    #[arg(long, value_name = "X", requires = "augmented")]
    brightness: Option<f64>,
    /// Maximum change of contrast, a fraction
    #[arg(long, value_name = "X", requires = "augmented")]
    contrast: Option<f64>,
    /// Maximum change of saturation, a fraction, of colour images
    #[arg(long, value_name = "X", requires = "augmented")]
    saturation: Option<f64>,
    /// Probability that a colour image becomes grey
    #[arg(long, value_name = "X", requires = "augmented")]
    random_grey: Option<f64>,
    /// Probability that a rectangle is covered with noise
    #[arg(long, value_name = "X", requires = "augmented")]
    erasing: Option<f64>,
    /// Two images mixed, their weight from Beta(X, X)
    #[arg(long, value_name = "X", requires = "augmented")]
    mixup: Option<f64>,
    /// A rectangle from a second image, its share from Beta(X, X)
    #[arg(long, value_name = "X", requires = "augmented")]
    cutmix: Option<f64>,
}

impl AugmentationArguments {
    /// None without any value.
    pub(crate) fn augmentation(&self) -> Option<Augmentation> {
        let moves = [self.flip, self.shift, self.rotation, self.scale, self.shear, self.elastic];
        let colours = [self.brightness, self.contrast, self.saturation, self.random_grey];
        let given = moves.into_iter().chain(colours).chain([self.erasing, self.mixup, self.cutmix]);
        if self.crop.is_none() && given.flatten().next().is_none() {
            return None;
        }
        Some(Augmentation {
            crop: self.crop.unwrap_or(0),
            flip: self.flip.unwrap_or(0.0),
            shift: self.shift.unwrap_or(0.0),
            rotation: self.rotation.unwrap_or(0.0),
            scale: self.scale.unwrap_or(0.0),
            shear: self.shear.unwrap_or(0.0),
            elastic: self.elastic.unwrap_or(0.0),
            smoothness: self.smoothness.unwrap_or(Augmentation::default().smoothness),
            brightness: self.brightness.unwrap_or(0.0),
            contrast: self.contrast.unwrap_or(0.0),
            saturation: self.saturation.unwrap_or(0.0),
            grey: self.random_grey.unwrap_or(0.0),
            erasing: self.erasing.unwrap_or(0.0),
            mixup: self.mixup.unwrap_or(0.0),
            cutmix: self.cutmix.unwrap_or(0.0),
        })
    }
}

/// Versions of each image beside the original: those of as many epochs.
const EPOCHS: usize = 9;

/// Classes shown of a set with more.
const MOST_CLASSES: usize = 16;

/// What a sheet of grey images shows where nothing is asked for: as papers about digits have it.
const TYPICAL: Augmentation = Augmentation {
    crop: 0,
    flip: 0.0,
    shift: 2.0,
    rotation: 10.0,
    scale: 0.1,
    shear: 10.0,
    elastic: 34.0,
    smoothness: 4.0,
    brightness: 0.0,
    contrast: 0.0,
    saturation: 0.0,
    grey: 0.0,
    erasing: 0.5,
    mixup: 0.4,
    cutmix: 1.0,
};

/// And of colour images: as papers about photographs have it.
const TYPICAL_COLOUR: Augmentation = Augmentation {
    crop: 4,
    flip: 0.5,
    elastic: 0.0,
    brightness: 0.4,
    contrast: 0.4,
    saturation: 0.4,
    grey: 0.2,
    ..TYPICAL
};

/// Draws the sheet and writes it.
pub(super) fn draw(file: &Path, arguments: &SheetArguments) -> Result<(), Failure> {
    let asked = arguments.augmentation.augmentation();
    if let Some(asked) = &asked {
        asked.check()?;
    }
    let name = arguments.reading.of(arguments.dataset.as_deref().unwrap_or("mnist"));
    targets::check(&[("--dataset", Path::new(&name))], &[("--augmented", file)])?;
    let corpus = data::load(&source::source(&name, false)?)?;
    source::tell(&corpus);
    let typical = if corpus.training().shape().is_colour() { TYPICAL_COLOUR } else { TYPICAL };
    let augmentation = asked.unwrap_or(typical);
    // Mixed and covered as well, an image of everything at once would hide what moving does.
    let together = match asked {
        Some(asked) => asked,
        None => Augmentation { erasing: 0.0, mixup: 0.0, cutmix: 0.0, ..typical },
    };
    let sheet = sheet(&corpus, &name, &augmentation, &together, arguments.seed.unwrap_or(0))?;
    write_atomically(file, &contact_sheet(&sheet).to_png())?;
    output::result(&format!("{}: {} images augmented\n", file.display(), sheet.rows.len() * EPOCHS))
}

fn sheet(
    corpus: &Corpus,
    name: &str,
    augmentation: &Augmentation,
    together: &Augmentation,
    seed: u64,
) -> Result<ContactSheet, Failure> {
    let training = corpus.training();
    // The first image of each class, which are also each other's partners in mixing.
    let first = |class: u8| training.labels().iter().position(|label| *label == class);
    let classes = (0..=u8::MAX).take(training.classes());
    let batch: Vec<u32> = classes.filter_map(first).take(MOST_CLASSES).map(|index| index as u32).collect();
    let names = |label: u8| corpus.class_names()[usize::from(label)].clone();
    let mut rows = Vec::new();
    let kinds = kinds(augmentation);
    // One kind alone is the same as all together.
    let alone = if kinds.len() > 1 { kinds.as_slice() } else { &[] };
    for (index, kind) in alone.iter().enumerate() {
        let heading = (index == 0).then(|| "each alone".to_owned());
        let augmenter = Augmenter::new(kind, training, seed)?;
        let images = images(&augmenter, training, &batch, index % batch.len(), &names);
        rows.push(SheetRow { heading, label: kind.to_string(), images });
    }
    let augmenter = Augmenter::new(together, training, seed)?;
    for position in 0..batch.len() {
        let heading = (position == 0).then(|| "together".to_owned());
        let label = names(training.labels()[batch[position] as usize]);
        rows.push(SheetRow {
            heading,
            label,
            images: images(&augmenter, training, &batch, position, &names),
        });
    }
    Ok(ContactSheet {
        title: format!("Augmented training images of {name}"),
        subtitle: format!("together: {together}; seed {seed}"),
        columns: ["original".to_owned(), format!("as drawn in epochs 1 to {EPOCHS}")],
        rows,
        shape: training.shape(),
        is_ink: training.is_ink(),
    })
}

/// Each kind that is asked for, without the others.
fn kinds(all: &Augmentation) -> Vec<Augmentation> {
    let none = Augmentation::default();
    let kinds = [
        Augmentation { crop: all.crop, ..none },
        Augmentation { flip: all.flip, ..none },
        Augmentation { shift: all.shift, ..none },
        Augmentation { rotation: all.rotation, ..none },
        Augmentation { scale: all.scale, ..none },
        Augmentation { shear: all.shear, ..none },
        Augmentation { elastic: all.elastic, smoothness: all.smoothness, ..none },
        Augmentation { brightness: all.brightness, ..none },
        Augmentation { contrast: all.contrast, ..none },
        Augmentation { saturation: all.saturation, ..none },
        Augmentation { grey: all.grey, ..none },
        Augmentation { erasing: all.erasing, ..none },
        Augmentation { mixup: all.mixup, ..none },
        Augmentation { cutmix: all.cutmix, ..none },
    ];
    kinds.into_iter().filter(|kind| !kind.is_none()).collect()
}

/// The image at `position` of the batch, and what it is in each epoch.
fn images(
    augmenter: &Augmenter,
    training: &Dataset,
    batch: &[u32],
    position: usize,
    names: &impl Fn(u8) -> String,
) -> Vec<SheetImage> {
    let index = batch[position] as usize;
    let own = training.labels()[index];
    let original = SheetImage { pixels: training.image(index).to_vec(), captions: Vec::new() };
    let mut pixels = vec![0.0; training.image_length()];
    let augmented = (1..=EPOCHS).map(|epoch| {
        let Target { second, weight } = augmenter.draw(epoch, batch, position, &mut pixels);
        let share = |weight: f32, label: u8| format!("{:.0} % {}", 100.0 * weight, names(label));
        let captions =
            if second == own { Vec::new() } else { vec![share(weight, own), share(1.0 - weight, second)] };
        SheetImage { pixels: pixels.iter().map(|pixel| (pixel * 255.0).round() as u8).collect(), captions }
    });
    std::iter::once(original).chain(augmented).collect()
}
