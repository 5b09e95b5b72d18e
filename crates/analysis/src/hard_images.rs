//! The test images that models get wrong.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeSet};

use crate::Run;

use crate::{calibration::unit, model::Model, partner::first_repeat, spread::Spread};

/// SHA-256 of MNIST as records identify data.
const MNIST: &str = "e9914cff2ade526da2ab1ac60c072f9173cc53e35b9411692de8207cb1b9009d";

/// Test images of MNIST, counted from 0, whose label most of five people rejected, and the one that they preferred where there is one
/// (Northcutt, Athalye and Mueller 2021, "Pervasive label errors in test sets").
const DISPUTED: [(usize, Option<u8>); 15] = [
    (947, Some(9)),
    (1621, Some(6)),
    (1901, Some(4)),
    (2130, None),
    (2462, Some(0)),
    (2597, Some(3)),
    (2654, None),
    (3520, None),
    (3558, Some(0)),
    (5937, Some(3)),
    (6651, Some(6)),
    (6783, Some(6)),
    (8527, None),
    (9679, None),
    (9729, Some(6)),
];

/// Whether people dispute the label of a test image of the data of that digest.
pub fn is_disputed(sha256: &str, image: usize) -> bool {
    sha256 == MNIST && DISPUTED.iter().any(|(disputed, _)| *disputed == image)
}

/// What a model says of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guess {
    /// The wrong class that most of its runs give, the smallest of several; the label where none is wrong.
    pub class: u8,
    /// Mean probability of that class over all runs; none without probabilities.
    pub probability: Option<f64>,
    /// Runs that give another class than the label.
    pub missed: usize,
    /// All runs.
    pub runs: usize,
}

/// A test image and what the models say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place in the test file, of a cross-validation in the whole set, from 0.
    pub image: usize,
    /// The class that the file gives it.
    pub label: u8,
    /// Where people dispute the label: what they prefer, if they agree.
    pub disputed: Option<Option<u8>>,
    /// By model.
    pub guesses: Vec<Guess>,
    /// By model: the wrong classes that its runs give, ascending, each once.
    pub wrong: Vec<Vec<u8>>,
    /// Mean probability of the label over all runs, for the order.
    doubt: f64,
}

impl Entry {
    fn missed(&self) -> usize {
        self.guesses.iter().map(|guess| guess.missed).sum()
    }
}

/// The hard images of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct HardImages {
    /// Every image that some run misses, the hardest first: missed by most runs, then with the least probability of the
    /// label.
    pub entries: Vec<Entry>,
    /// Where the images are those of MNIST, whose disputed labels are known: the accuracy of each model on the labels that people
    /// prefer, as a fraction.
    pub corrected: Option<Vec<Option<Spread>>>,
}

impl HardImages {
    /// None where the runs do not share their test images. Of a cross-validation the folds of the first repetition, in which each image is
    /// tested once, count as one run.
    pub fn of(models: &[Model]) -> Option<Self> {
        let tested: Vec<Vec<Tested>> = models.iter().map(Tested::of_model).collect::<Option<_>>()?;
        let runs: Vec<&Tested> = tested.iter().flatten().collect();
        let first = runs.first()?;
        let labels = &first.labels;
        let shared = |run: &&Tested| {
            run.labels == *labels
                && run.images == first.images
                && run.predictions.len() == labels.len()
                && run.data == first.data
        };
        if labels.is_empty() || !runs.iter().all(shared) {
            return None;
        }
        let is_mnist = first.data == MNIST && first.images.is_empty();
        let disputed = |image: usize| {
            DISPUTED.iter().find(|(disputed, _)| is_mnist && *disputed == image).map(|(_, label)| *label)
        };
        let missed = (0..labels.len()).filter(|image| {
            runs.iter().any(|run| run.predictions[*image] != labels[*image]) || disputed(*image).is_some()
        });
        let mut entries: Vec<Entry> = missed
            .map(|image| Entry {
                image: first.images.get(image).map_or(image, |place| *place as usize),
                label: labels[image],
                disputed: disputed(image),
                guesses: tested.iter().map(|runs| guess(runs, image)).collect(),
                wrong: tested.iter().map(|runs| wrong(runs, image)).collect(),
                doubt: runs.iter().map(|run| run.probability(image, labels[image]).unwrap_or(0.0)).sum(),
            })
            .collect();
        entries.sort_by(|one, other| {
            let by_misses = other.missed().cmp(&one.missed());
            by_misses.then(one.doubt.total_cmp(&other.doubt)).then(one.image.cmp(&other.image))
        });
        let corrected = |model: &Model| Spread::of(&model.figures(corrected_accuracy));
        Some(Self { entries, corrected: is_mnist.then(|| models.iter().map(corrected).collect()) })
    }

    /// Images of a class that some run of a model takes for another, by `[true class, given class]`.
    pub fn taken(&self, model: usize, classes: usize) -> Vec<usize> {
        let mut images = vec![0; classes * classes];
        for entry in &self.entries {
            for given in
                entry.wrong[model].iter().map(|given| usize::from(*given)).filter(|given| *given < classes)
            {
                if let Some(count) = images.get_mut(usize::from(entry.label) * classes + given) {
                    *count += 1;
                }
            }
        }
        images
    }

    /// Images that every run of every model misses.
    pub fn missed_by_all(&self) -> Vec<&Entry> {
        let all = |entry: &&Entry| entry.guesses.iter().all(|guess| guess.missed == guess.runs);
        self.entries.iter().filter(all).collect()
    }

    /// Their places in the test file, counted from 0, in ascending order.
    pub fn missed_by_every_run(&self) -> Vec<usize> {
        let mut images: Vec<usize> = self.missed_by_all().iter().map(|entry| entry.image).collect();
        images.sort_unstable();
        images
    }

    /// Images that most runs of one model miss and no run of another.
    pub fn missed_only_by(&self, model: usize) -> Vec<&Entry> {
        let alone = |entry: &&Entry| {
            entry.guesses.iter().enumerate().all(|(index, guess)| match index == model {
                true => 2 * guess.missed > guess.runs,
                false => guess.missed == 0,
            })
        };
        self.entries.iter().filter(alone).collect()
    }

    /// The images whose label people dispute, by their place.
    pub fn disputed(&self) -> Vec<&Entry> {
        let mut disputed: Vec<&Entry> =
            self.entries.iter().filter(|entry| entry.disputed.is_some()).collect();
        disputed.sort_by_key(|entry| entry.image);
        disputed
    }
}

/// A run's accuracy where disputed labels are replaced by those that people prefer.
fn corrected_accuracy(run: &Run) -> f64 {
    let right =
        run.test.labels.iter().zip(&run.test.predictions).enumerate().filter(|(image, (label, given))| {
            let disputed = DISPUTED.iter().find(|(disputed, _)| disputed == image);
            *given == &disputed.and_then(|(_, preferred)| *preferred).unwrap_or(**label)
        });
    right.count() as f64 / run.test.labels.len() as f64
}

/// What a run, or all folds of a division together, answered to each image.
struct Tested<'a> {
    /// SHA-256 of the data.
    data: &'a str,
    classes: usize,
    /// The place of each image; empty where it is that in the lists.
    images: Vec<u32>,
    labels: Cow<'a, [u8]>,
    predictions: Cow<'a, [u8]>,
    /// `[images, classes]`; too few where they are not known.
    probabilities: Cow<'a, [u16]>,
}

impl<'a> Tested<'a> {
    /// A model's runs; none where folds do not fit together.
    fn of_model(model: &Model<'a>) -> Option<Vec<Self>> {
        let folds = model.runs.iter().filter(|run| run.fold().is_some()).count();
        match folds {
            0 => Some(model.runs.iter().map(Self::of).collect()),
            all if all == model.runs.len() => Some(vec![Self::of_folds(&model.runs)?]),
            _ => None,
        }
    }

    fn of(run: &Run<'a>) -> Self {
        Self {
            data: run.data.sha256,
            classes: run.data.classes,
            images: Vec::new(),
            labels: Cow::Borrowed(&run.test.labels),
            predictions: Cow::Borrowed(&run.test.predictions),
            probabilities: Cow::Borrowed(&run.test.probabilities),
        }
    }

    fn of_folds(runs: &[Run<'a>]) -> Option<Self> {
        let runs = first_repeat(runs);
        let first = runs.first()?;
        let classes = first.data.classes;
        let mut places: Vec<(u32, &Run, usize)> = Vec::new();
        for run in &runs {
            let complete = run.test.images.len() == run.test.labels.len()
                && run.test.predictions.len() == run.test.labels.len()
                && run.test.probabilities.len() == run.test.labels.len() * classes;
            if !complete {
                return None;
            }
            places.extend(run.test.images.iter().enumerate().map(|(at, place)| (*place, run, at)));
        }
        places.sort_by_key(|(place, ..)| *place);
        if places.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let rows = places.iter().flat_map(|(_, run, at)| &run.test.probabilities[at * classes..][..classes]);
        Some(Self {
            data: first.data.sha256,
            classes,
            images: places.iter().map(|(place, ..)| *place).collect(),
            labels: places.iter().map(|(_, run, at)| run.test.labels[*at]).collect(),
            predictions: places.iter().map(|(_, run, at)| run.test.predictions[*at]).collect(),
            probabilities: rows.copied().collect(),
        })
    }

    fn probability(&self, image: usize, class: u8) -> Option<f64> {
        let at = image * self.classes + usize::from(class);
        self.probabilities.get(at).map(|probability| unit(*probability))
    }
}

fn wrong(runs: &[Tested], image: usize) -> Vec<u8> {
    let given: BTreeSet<u8> = runs.iter().map(|run| run.predictions[image]).collect();
    given.into_iter().filter(|class| runs.first().is_some_and(|run| run.labels[image] != *class)).collect()
}

fn guess(runs: &[Tested], image: usize) -> Guess {
    // Every run has the same label.
    let label = runs.first().map_or(0, |run| run.labels[image]);
    let given: Vec<u8> = runs.iter().map(|run| run.predictions[image]).collect();
    let wrong = || given.iter().copied().filter(|class| *class != label);
    let votes = |class: u8| wrong().filter(|given| *given == class).count();
    let class = wrong().max_by_key(|class| (votes(*class), Reverse(*class))).unwrap_or(label);
    let probabilities: Option<Vec<f64>> = runs.iter().map(|run| run.probability(image, class)).collect();
    Guess {
        class,
        probability: probabilities.map(|all| all.iter().sum::<f64>() / all.len() as f64),
        missed: wrong().count(),
        runs: runs.len(),
    }
}
