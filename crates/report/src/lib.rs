//! Tables, plots and pages made from records.
//!
//! Pure functions from a [`Study`] to text or bytes: nothing here reads or writes a file, asks for the time or looks at the
//! machine, so the same records always give the same bytes.

mod charts;
mod document;
mod render;
mod tables;
mod tuning;
mod words;

#[cfg(test)]
mod faults;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod levels;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod properties;

use analysis::{Analysis, Run, hard_images::HardImages, model::Model};
use charts::{
    canvas::Canvas,
    chart::Quantity,
    curves,
    figures::{confusion_chart, digits_chart, time_chart},
    forest,
    raster::Raster,
};
use records::{
    question::Question,
    record::{DatasetIdentity, Protocol, RunRecord},
};
use spec::ImageShape;

pub use charts::{
    contact_sheet::{ContactSheet, SheetImage, SheetRow, contact_sheet},
    scene::{self, Scene},
};
pub use render::{
    across::{across_markdown, across_terminal},
    data_files::{epochs_csv, summary_json},
    markdown::markdown,
    page::{BASE_STYLE, notebook, page, tuning_page},
    paper::{Format, PAPER, PaperFile, format_of, paper},
    terminal::terminal,
};
pub use tuning::{TUNING_SCHEMA, search_chart, settings, tuning_json, tuning_markdown, tuning_terminal};
pub use words::numbers::thousands;

/// Everything that a report is made of.
#[derive(Debug, Clone)]
pub struct Study<'a> {
    /// What the study asks.
    pub question: Question,
    /// What its runs tell.
    pub analysis: Analysis<'a>,
    /// The test images that the records are about, where they are at hand: the hard ones are shown.
    pub images: Option<TestImages<'a>>,
    /// What the classes are called, where that is known.
    pub class_names: &'a [String],
    /// How the runs can be made again, where whoever asks for the report knows.
    pub reproduction: Option<Reproduction>,
}

/// How the runs of a study can be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reproduction {
    /// By a line for a shell.
    Command(String),
    /// As this sentence says.
    Words(String),
}

/// Images, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestImages<'a> {
    /// `[image, row, column, channel]`.
    pub pixels: &'a [u8],
    /// Shape of an image.
    pub shape: ImageShape,
    /// Whether they are light ink on a dark ground, which is shown as ink on paper; other images are shown as they are.
    pub is_ink: bool,
}

impl<'a> TestImages<'a> {
    pub(crate) fn get(&self, image: usize) -> Option<&'a [u8]> {
        let length = self.shape.length();
        self.pixels.get(image.checked_mul(length)?..)?.get(..length).filter(|pixels| !pixels.is_empty())
    }

    /// An image as it is shown.
    pub(crate) fn raster(&self, image: usize) -> Option<Raster> {
        Some(Raster::new(self.get(image)?, self.shape, self.is_ink))
    }
}

/// The terms of a report that not everybody knows, each with what it means, in the order of the alphabet.
pub fn glossary() -> impl Iterator<Item = (&'static str, &'static str)> {
    words::glossary::TERMS.iter().map(|term| (term.name, term.meaning))
}

/// A picture of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Its file's name.
    pub file: &'static str,
    /// What it shows, in a few words.
    pub words: String,
    /// The picture.
    pub scene: Scene,
}

/// The files of all pictures that a study can have.
pub const PICTURE_FILES: [&str; 6] = [
    "Differences.png",
    "Accuracy_Comparison.png",
    "Loss_Comparison.png",
    "Training_Time.png",
    "Confusion_Matrices.png",
    "Hardest_Digits.png",
];

/// The pictures that a study has figures for.
pub fn pictures(study: &Study) -> Vec<Picture> {
    pictures_on(study, Canvas::Picture)
}

fn pictures_on(study: &Study, canvas: Canvas) -> Vec<Picture> {
    let validation = match study.protocols().as_slice() {
        [Protocol::Original] => "test",
        _ => "validation",
    };
    let over_epochs = |quantity: &str| format!("Training and {validation} {quantity} over the epochs");
    let curves = |quantity| curves::chart(study, quantity).map(|chart| chart.scene(canvas));
    let [differences, accuracy, loss, time, confusion, digits] = PICTURE_FILES;
    let all = [
        (
            differences,
            format!("Differences of {} with their intervals", study.analysis.decided_by.in_words()),
            forest::scene(study, canvas),
        ),
        (accuracy, over_epochs("accuracy"), curves(Quantity::Accuracy)),
        (loss, over_epochs("loss"), curves(Quantity::Loss)),
        (time, "Seconds of training".to_owned(), time_chart(study, canvas)),
        (confusion, "Classes taken for others".to_owned(), confusion_chart(study, canvas)),
        (digits, "The test images that the most runs miss".to_owned(), digits_chart(study, canvas)),
    ];
    all.into_iter().filter_map(|(file, words, scene)| Some(Picture { file, words, scene: scene? })).collect()
}

impl<'a> Study<'a> {
    /// A class as a reader knows it: by its label or name, or by its number where it has none. Both together would be two
    /// numbers where labels are not counted from 0.
    pub(crate) fn class(&self, class: usize) -> String {
        self.class_names.get(class).map_or_else(|| class.to_string(), |name| words::text::one_line(name))
    }

    /// What a test image is called: its id or file, or its place, counted from 0.
    pub(crate) fn image(&self, place: usize) -> String {
        let name = self.analysis.image_names.get(place);
        name.map_or_else(|| words::numbers::thousands(place as u64), |name| words::text::one_line(name))
    }

    /// In the order of their first record, whose place is also their colour.
    pub(crate) fn models(&self) -> &[Model<'a>] {
        &self.analysis.models
    }

    /// The test images, where they are at hand and are those of the hard ones.
    pub(crate) fn pixels(&self, hard: &HardImages) -> Option<TestImages<'a>> {
        let last = hard.entries.iter().map(|entry| entry.image).max()?;
        self.images.filter(|images| images.get(last).is_some())
    }

    /// The records of the runs that this program made.
    pub(crate) fn trained(&self) -> impl Iterator<Item = &'a RunRecord> {
        self.analysis.runs.iter().filter_map(Run::record)
    }

    /// Whether every run was made by another program, so that what only this one knows is in no table.
    pub(crate) fn is_imported(&self) -> bool {
        !self.analysis.runs.is_empty() && self.trained().next().is_none()
    }

    /// What its data is called; empty where that is not known.
    pub(crate) fn data_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.analysis.runs.iter().filter_map(|run| run.data.name).map(words::text::one_line) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Each value of a record of this program once, in the order of their first record.
    pub(crate) fn distinct<T: PartialEq>(&self, value: impl Fn(&'a RunRecord) -> T) -> Vec<T> {
        let mut distinct = Vec::new();
        for value in self.trained().map(value) {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        distinct
    }

    pub(crate) fn protocols(&self) -> Vec<Protocol> {
        self.distinct(|record| record.specification.protocol)
    }

    pub(crate) fn datasets(&self) -> Vec<&'a DatasetIdentity> {
        self.distinct(|record| &record.specification.dataset)
    }

    pub(crate) fn protocol_words(&self) -> &'static str {
        match self.protocols().as_slice() {
            [] if self.is_imported() => "runs of other programs",
            [] => "no records",
            [Protocol::Sound] => "sound protocol",
            [Protocol::Writers] => "sound protocol, validated on writers of their own",
            [Protocol::Original] => "original protocol: the validation set is the test set",
            protocols if protocols.contains(&Protocol::Original) => {
                "runs of several protocols: under original the validation set is the test set"
            }
            _ => "runs of several protocols",
        }
    }

    /// What a reader must know beside every figure of a run that read the test set after each epoch.
    pub(crate) fn original_sentence(&self) -> Option<&'static str> {
        match self.protocols().as_slice() {
            [Protocol::Original] => Some(
                "Original protocol: the validation set is the test set, so validation figures are test figures.",
            ),
            protocols if protocols.contains(&Protocol::Original) => {
                Some("In runs under the original protocol the validation set is the test set.")
            }
            _ => None,
        }
    }
}

/// How many runs a model has, and how many more diverged: `3`, `2 (1 diverged)`.
pub(crate) fn run_count(finished: usize, diverged: usize) -> String {
    match diverged {
        0 => words::numbers::thousands(finished as u64),
        diverged => format!("{finished} ({diverged} diverged)"),
    }
}
