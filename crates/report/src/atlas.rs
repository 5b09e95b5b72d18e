//! The test images that models get wrong.

use std::cmp::Reverse;

use records::record::RunRecord;

use crate::{Model, TestImages, calibration::unit};

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

/// What a model says of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Guess {
    /// The wrong class that most of its runs give, the smallest of several; the label where none is wrong.
    pub(crate) class: u8,
    /// Mean probability of that class over all runs; none without probabilities.
    pub(crate) probability: Option<f64>,
    /// Runs that give another class than the label.
    pub(crate) missed: usize,
    /// All runs.
    pub(crate) runs: usize,
}

/// A test image and what the models say of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Its place in the test file, from 0.
    pub(crate) image: usize,
    /// The class that the file gives it.
    pub(crate) label: u8,
    /// Where people dispute the label: what they prefer, if they agree.
    pub(crate) disputed: Option<Option<u8>>,
    /// By model.
    pub(crate) guesses: Vec<Guess>,
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
pub(crate) struct Atlas {
    /// Every image that some run misses, the hardest first: missed by most runs, then with the least probability of the
    /// label.
    pub(crate) entries: Vec<Entry>,
    /// Whether the images are those of MNIST, whose disputed labels are known.
    pub(crate) is_mnist: bool,
}

impl Atlas {
    /// None where the runs do not share their test images.
    pub(crate) fn of(models: &[Model]) -> Option<Self> {
        let runs: Vec<&RunRecord> = models.iter().flat_map(|model| model.runs.iter().copied()).collect();
        let first = runs.first()?;
        let labels = &first.test.labels;
        let shared = |run: &&RunRecord| {
            run.test.labels == *labels
                && run.test.predictions.len() == labels.len()
                && run.specification.dataset.sha256 == first.specification.dataset.sha256
        };
        if labels.is_empty() || !runs.iter().all(shared) {
            return None;
        }
        let is_mnist = first.specification.dataset.sha256 == MNIST;
        let disputed = |image: usize| {
            DISPUTED.iter().find(|(disputed, _)| is_mnist && *disputed == image).map(|(_, label)| *label)
        };
        let missed = (0..labels.len()).filter(|image| {
            runs.iter().any(|run| run.test.predictions[*image] != labels[*image])
                || disputed(*image).is_some()
        });
        let mut entries: Vec<Entry> = missed
            .map(|image| Entry {
                image,
                label: labels[image],
                disputed: disputed(image),
                guesses: models.iter().map(|model| guess(model, image)).collect(),
                doubt: runs.iter().map(|run| probability(run, image, labels[image]).unwrap_or(0.0)).sum(),
            })
            .collect();
        entries.sort_by(|one, other| {
            let by_misses = other.missed().cmp(&one.missed());
            by_misses.then(one.doubt.total_cmp(&other.doubt)).then(one.image.cmp(&other.image))
        });
        Some(Self { entries, is_mnist })
    }

    /// Images that every run of every model misses.
    pub(crate) fn missed_by_all(&self) -> Vec<&Entry> {
        let all = |entry: &&Entry| entry.guesses.iter().all(|guess| guess.missed == guess.runs);
        self.entries.iter().filter(all).collect()
    }

    /// Images that most runs of one model miss and no run of another.
    pub(crate) fn missed_only_by(&self, model: usize) -> Vec<&Entry> {
        let alone = |entry: &&Entry| {
            entry.guesses.iter().enumerate().all(|(index, guess)| match index == model {
                true => 2 * guess.missed > guess.runs,
                false => guess.missed == 0,
            })
        };
        self.entries.iter().filter(alone).collect()
    }

    /// The images whose label people dispute, by their place.
    pub(crate) fn disputed(&self) -> Vec<&Entry> {
        let mut disputed: Vec<&Entry> =
            self.entries.iter().filter(|entry| entry.disputed.is_some()).collect();
        disputed.sort_by_key(|entry| entry.image);
        disputed
    }
}

/// A run's accuracy where disputed labels are replaced by those that people prefer.
pub(crate) fn corrected_accuracy(run: &RunRecord) -> f64 {
    let right =
        run.test.labels.iter().zip(&run.test.predictions).enumerate().filter(|(image, (label, given))| {
            let disputed = DISPUTED.iter().find(|(disputed, _)| disputed == image);
            *given == &disputed.and_then(|(_, preferred)| *preferred).unwrap_or(**label)
        });
    right.count() as f64 / run.test.labels.len() as f64
}

fn guess(model: &Model, image: usize) -> Guess {
    // Every run has the same label.
    let label = model.runs.first().map_or(0, |run| run.test.labels[image]);
    let given: Vec<u8> = model.runs.iter().map(|run| run.test.predictions[image]).collect();
    let wrong = || given.iter().copied().filter(|class| *class != label);
    let votes = |class: u8| wrong().filter(|given| *given == class).count();
    let class = wrong().max_by_key(|class| (votes(*class), Reverse(*class))).unwrap_or(label);
    let probabilities: Option<Vec<f64>> =
        model.runs.iter().map(|run| probability(run, image, class)).collect();
    Guess {
        class,
        probability: probabilities.map(|all| all.iter().sum::<f64>() / all.len() as f64),
        missed: wrong().count(),
        runs: model.runs.len(),
    }
}

fn probability(run: &RunRecord, image: usize, class: u8) -> Option<f64> {
    let at = image * run.specification.dataset.classes + usize::from(class);
    run.test.probabilities.get(at).map(|probability| unit(*probability))
}

/// The images of a study's test set, where they are at hand and are the ones that the atlas is about.
pub(crate) fn pixels<'a>(images: Option<TestImages<'a>>, atlas: &Atlas) -> Option<TestImages<'a>> {
    let last = atlas.entries.iter().map(|entry| entry.image).max()?;
    images.filter(|images| images.get(last).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::with_predictions;

    #[test]
    fn images_are_sorted_by_who_misses_them() {
        let labels = [0, 1, 2, 3, 4];
        // The last image is missed by half the runs of one model: by some, not by most.
        let runs = [
            with_predictions("a", 1, &labels, &[9, 1, 9, 3, 0]),
            with_predictions("a", 2, &labels, &[9, 1, 8, 3, 4]),
            with_predictions("b", 1, &labels, &[8, 9, 2, 3, 4]),
        ];
        let models =
            [Model { name: "a", runs: vec![&runs[0], &runs[1]] }, Model { name: "b", runs: vec![&runs[2]] }];
        let atlas = Atlas::of(&models).expect("the same images");
        let images = |entries: Vec<&Entry>| entries.iter().map(|entry| entry.image).collect::<Vec<_>>();
        assert_eq!(images(atlas.entries.iter().collect()), [0, 2, 1, 4]);
        assert_eq!(images(atlas.missed_by_all()), [0]);
        assert_eq!((images(atlas.missed_only_by(0)), images(atlas.missed_only_by(1))), (vec![2], vec![1]));
        assert!(atlas.disputed().is_empty());
        let first = &atlas.entries[1].guesses[0];
        assert_eq!((first.class, first.missed, first.runs), (8, 2, 2));
        let other = with_predictions("c", 1, &[1, 1, 2, 3, 4], &labels);
        assert_eq!(Atlas::of(&[Model { name: "a", runs: vec![&runs[0], &other] }]), None);
    }

    #[test]
    fn an_answer_is_the_commonest_wrong_one() {
        let answers = |given: &[u8]| {
            let runs: Vec<RunRecord> =
                given.iter().map(|class| with_predictions("a", 1, &[2, 0], &[*class, 1])).collect();
            let atlas = Atlas::of(&[Model { name: "a", runs: runs.iter().collect() }]).expect("images");
            let entry = atlas.entries.iter().find(|entry| entry.image == 0).expect("a miss");
            (entry.guesses[0].class, entry.guesses[0].missed)
        };
        assert_eq!(answers(&[2, 7, 3]), (3, 2), "not the right answer, though it is the smallest");
        assert_eq!(answers(&[2, 2, 7]), (7, 1), "nor though most runs give it");
        assert_eq!(answers(&[7, 3, 7, 2]), (7, 3));
        let right = with_predictions("b", 1, &[2], &[2]);
        assert_eq!(guess(&Model { name: "b", runs: vec![&right] }, 0).class, 2);
    }

    #[test]
    fn disputed_labels_are_replaced_where_people_agree() {
        let (mut labels, mut given) = (vec![1; 3000], vec![1; 3000]);
        (labels[947], given[947]) = (8, 9);
        (labels[2130], given[2130]) = (4, 9);
        (labels[5], given[5]) = (8, 9);
        // Of the images before 3000 five have a preferred label, one of which is the one given.
        let mut run = with_predictions("a", 1, &labels, &given);
        assert_eq!(run.test.accuracy, 2997.0 / 3000.0);
        assert_eq!(corrected_accuracy(&run), 2994.0 / 3000.0);
        run.specification.dataset.sha256 = MNIST.to_owned();
        let atlas = Atlas::of(&[Model { name: "a", runs: vec![&run] }]).expect("images");
        assert_eq!(atlas.disputed().first().map(|entry| entry.disputed), Some(Some(Some(9))));
    }
}
