//! Which images a run learns from, is validated on and is tested on.

use data::{Corpus, Dataset, Error, SPLIT_SEED, Split, bounded, default_validation_images, generator};
use records::record::{Fold, Protocol, Resample, RunSpec};
use std::{borrow::Cow, collections::BTreeSet, sync::OnceLock};
use train::{Sets, Subset};

/// Where the random numbers of a bootstrap begin among those of a seed.
const BOOTSTRAP_STREAM: u64 = 1 << 40;

/// A corpus with the divisions that many runs share.
pub(crate) struct Divided {
    corpus: Corpus,
    /// Of the training images, as the sound protocol has it.
    sound: Split,
    /// And as the one of the writers has it.
    writers: Split,
    /// What a cross-validation deals out, where test images that were set apart are among it.
    dealt: OnceLock<Dataset>,
}

/// A run's images.
pub(crate) struct Division<'a> {
    training: Part<'a>,
    validation: Part<'a>,
    test: Part<'a>,
}

/// Some images of a data set; none of the indices means all.
struct Part<'a> {
    dataset: &'a Dataset,
    indices: Option<Cow<'a, [u32]>>,
}

impl<'a> Part<'a> {
    fn all(dataset: &'a Dataset) -> Self {
        Self { dataset, indices: None }
    }

    fn some(dataset: &'a Dataset, indices: impl Into<Cow<'a, [u32]>>) -> Self {
        Self { dataset, indices: Some(indices.into()) }
    }

    fn subset(&self) -> Subset<'_> {
        Subset { dataset: self.dataset, indices: self.indices.as_deref() }
    }
}

impl Division<'_> {
    /// What a training is given; `audited`, whether the test images are measured after every epoch.
    pub(crate) fn sets(&self, audited: bool) -> Sets<'_> {
        Sets {
            training: self.training.subset(),
            validation: self.validation.subset(),
            measure: None,
            audit: audited.then(|| self.test.subset()),
        }
    }

    /// The images to test on.
    pub(crate) fn test(&self) -> Subset<'_> {
        self.test.subset()
    }

    /// Which images of a cross-validation those are; none where they are all of the test part.
    pub(crate) fn test_indices(&self) -> &[u32] {
        self.test.indices.as_deref().unwrap_or_default()
    }
}

impl Divided {
    /// # Errors
    /// When the training images cannot be divided.
    pub(crate) fn new(corpus: Corpus) -> Result<Self, Error> {
        let (sound, writers) = (corpus.split()?, corpus.last_split()?);
        Ok(Self { corpus, sound, writers, dealt: OnceLock::new() })
    }

    pub(crate) fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    pub(crate) fn into_corpus(self) -> Corpus {
        self.corpus
    }

    /// What a run does with validation images that the data states, where it is not what they are for.
    pub(crate) fn note(&self, specification: &RunSpec) -> Option<String> {
        let stated = self.corpus.validation_in_words()?;
        let RunSpec { fold, protocol, resample, .. } = specification;
        let learns = match (fold, protocol, resample) {
            (Some(_), ..) => "cross-validation deals them out with the training images",
            (None, Protocol::Original, _) => "the protocol original learns from them",
            (None, _, Resample::Split) => "runs draw their split of them and the training images",
            (None, _, Resample::None | Resample::Bootstrap) => return None,
        };
        Some(format!("{stated}: {learns}"))
    }

    /// Whether the data can be divided as a run of a new study asks for.
    ///
    /// # Errors
    /// When it cannot, and when the run would draw anew what the data states: records of before have such runs.
    pub(crate) fn check(&self, specification: &RunSpec) -> Result<(), Error> {
        let RunSpec { fold, protocol, resample, .. } = specification;
        if let (None, Protocol::Sound | Protocol::Writers, Resample::Split, Some(images)) =
            (fold, protocol, resample, self.corpus.validation_images())
        {
            return Err(Error::ValidationStated { name: self.corpus.name().to_owned(), images });
        }
        self.of(specification).map(drop)
    }

    /// The images of a run.
    ///
    /// # Errors
    /// When the images cannot be dealt out or divided as the run asks for.
    pub(crate) fn of(&self, specification: &RunSpec) -> Result<Division<'_>, Error> {
        let RunSpec { protocol, resample, fold, seed, recipe, .. } = specification;
        let mut division = match fold {
            Some(fold) => self.of_fold(*fold, *resample, *seed)?,
            None => self.of_protocol(*protocol, *resample, *seed)?,
        };
        if let Some(images) = recipe.training_images {
            let seed = if *resample == Resample::None { SPLIT_SEED } else { drawn_by(*seed) };
            division.training = few_of(division.training, images, seed)?;
        }
        Ok(match resample {
            Resample::Bootstrap => bootstrap(division, *seed),
            Resample::None | Resample::Split => division,
        })
    }

    fn of_protocol(&self, protocol: Protocol, resample: Resample, seed: u64) -> Result<Division<'_>, Error> {
        let (images, test) = (self.corpus.training(), self.corpus.test());
        let divided = |split: Cow<'_, Split>| -> (Vec<u32>, Vec<u32>) {
            let Split { training, validation } = split.into_owned();
            (training, validation)
        };
        let of = |split: &'_ Split| divided(Cow::Borrowed(split));
        let (training, validation) = match (protocol, resample) {
            (Protocol::Original, _) => {
                return Ok(Division {
                    training: Part::all(images),
                    validation: Part::all(test),
                    test: Part::all(test),
                });
            }
            (_, Resample::Split) => divided(Cow::Owned(self.corpus.drawn_split(drawn_by(seed))?)),
            (Protocol::Sound, _) => of(&self.sound),
            (Protocol::Writers, _) => of(&self.writers),
        };
        Ok(Division {
            training: Part::some(images, training),
            validation: Part::some(images, validation),
            test: Part::all(test),
        })
    }

    /// One fold to test on; of the others a twelfth to validate on, as [`data::stratified_split`] or, where there are groups,
    /// [`data::grouped_split`] draws it, and the rest to learn from.
    fn of_fold(&self, fold: Fold, resample: Resample, seed: u64) -> Result<Division<'_>, Error> {
        let images = match self.corpus.is_test_set_apart() {
            true => self.dealt.get_or_init(|| self.corpus.dealt().into_owned()),
            false => self.corpus.training(),
        };
        let groups = self.corpus.dealt_groups();
        let of_folds = |error: Error| error.of_division(self.corpus.name(), data::HeldBack::Folds);
        let dealt = data::deal_folds(
            images.labels(),
            self.corpus.classes(),
            groups.as_deref(),
            fold.folds,
            fold.repeat as u64 - 1,
            SPLIT_SEED,
        )
        .map_err(of_folds)?;
        let is_tested = |image: &u32| dealt[*image as usize] as usize + 1 == fold.fold;
        let (test, rest): (Vec<u32>, Vec<u32>) = (0..images.len() as u32).partition(is_tested);
        let labels: Vec<u8> = rest.iter().map(|image| images.labels()[*image as usize]).collect();
        let (classes, count) = (self.corpus.classes(), default_validation_images(rest.len()));
        let seed = if resample == Resample::Split { drawn_by(seed) } else { SPLIT_SEED };
        let split = match &groups {
            Some(groups) => {
                let groups: Vec<u32> = rest.iter().map(|image| groups[*image as usize]).collect();
                data::grouped_split(&labels, classes, &groups, count, seed)
            }
            None => data::stratified_split(&labels, classes, count, seed),
        };
        let split = split.map_err(of_folds)?;
        let of =
            |places: Vec<u32>| -> Vec<u32> { places.iter().map(|place| rest[*place as usize]).collect() };
        Ok(Division {
            training: Part::some(images, of(split.training)),
            validation: Part::some(images, of(split.validation)),
            test: Part::some(images, test),
        })
    }
}

/// The seed of a split that the run of a seed draws for itself: another than that of all studies.
fn drawn_by(seed: u64) -> u64 {
    SPLIT_SEED.wrapping_add(1).wrapping_add(seed)
}

/// So many of the images to learn from, each class in its proportion: those that [`data::stratified_split`] leaves.
fn few_of(part: Part<'_>, images: usize, seed: u64) -> Result<Part<'_>, Error> {
    let labels = part.subset().labels();
    let (least, most) = (labels.iter().collect::<BTreeSet<_>>().len(), labels.len());
    if !(least..=most).contains(&images) {
        let name = part.dataset.name().to_owned();
        return Err(Error::TrainingImages { name, least, most, found: images });
    }
    if images == most {
        return Ok(part);
    }
    let split = data::stratified_split(&labels, part.dataset.classes(), most - images, seed)?;
    let of = |place: u32| part.indices.as_ref().map_or(place, |indices| indices[place as usize]);
    Ok(Part::some(part.dataset, split.training.into_iter().map(of).collect::<Vec<u32>>()))
}

/// The same with as many training images drawn from them with replacement.
fn bootstrap(division: Division<'_>, seed: u64) -> Division<'_> {
    let Part { dataset, indices } = &division.training;
    let count = indices.as_ref().map_or(dataset.len(), |indices| indices.len());
    let generator = &mut generator(drawn_by(seed), BOOTSTRAP_STREAM);
    let drawn = (0..count).map(|_| {
        let place = bounded(generator, count as u32);
        indices.as_ref().map_or(place, |indices| indices[place as usize])
    });
    let mut drawn: Vec<u32> = drawn.collect();
    drawn.sort_unstable();
    let training = Part::some(division.training.dataset, drawn);
    Division { training, ..division }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided() -> Divided {
        Divided::new(data::synthetic(1, 240, 60, 4, 4, 3)).expect("divisible")
    }

    fn of(division: &Division) -> [Vec<u32>; 3] {
        [&division.training, &division.validation, &division.test]
            .map(|part| part.indices.as_deref().unwrap_or_default().to_vec())
    }

    #[test]
    fn every_image_is_tested_once_a_repeat_and_never_learnt_from_then() {
        let divided = divided();
        for repeat in 0..2 {
            let mut tested = Vec::new();
            for fold in 1..=5 {
                let fold = Fold { repeat: repeat + 1, fold, folds: 5 };
                let [training, validation, test] =
                    of(&divided.of_fold(fold, Resample::None, 3).expect("divisible"));
                let all: BTreeSet<u32> = [&training[..], &validation, &test].concat().into_iter().collect();
                assert_eq!((all.len(), training.len() + validation.len() + test.len()), (240, 240));
                assert_eq!((test.len(), validation.len()), (48, 16));
                tested.extend(test);
            }
            tested.sort_unstable();
            assert_eq!(tested, (0..240).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn splits_and_bootstraps_are_drawn_by_the_seed() {
        let divided = divided();
        let of = |resample, seed| {
            let division = divided.of_protocol(Protocol::Sound, resample, seed).expect("divisible");
            of(&if resample == Resample::Bootstrap { bootstrap(division, seed) } else { division })
        };
        let plain = of(Resample::None, 1);
        assert_eq!(plain, of(Resample::None, 2));
        let [one, other] = [1, 2].map(|seed| of(Resample::Split, seed));
        assert!(one != other && one != plain && one == of(Resample::Split, 1));
        assert_eq!(one.each_ref().map(Vec::len), plain.each_ref().map(Vec::len));
        let [one, other] = [1, 2].map(|seed| of(Resample::Bootstrap, seed));
        assert!(one != other && one == of(Resample::Bootstrap, 1));
        assert_eq!((one[0].len(), &one[1]), (plain[0].len(), &plain[1]));
        let (drawn, known): (BTreeSet<_>, BTreeSet<_>) = (one[0].iter().collect(), plain[0].iter().collect());
        assert!(drawn.is_subset(&known));
        // Of n images a bootstrap has 1 − 1/e on average: 139 of 220.
        assert!((120..160).contains(&drawn.len()), "{}", drawn.len());
    }

    #[test]
    fn a_run_learns_from_so_many_images_of_each_class() {
        let divided = divided();
        let few = |images, seed| {
            let all = divided.of_protocol(Protocol::Sound, Resample::None, 1).expect("divisible").training;
            few_of(all, images, seed).map(|part| part.indices.expect("some of them").into_owned())
        };
        let [ten, forty] = [10, 40].map(|images| few(images, SPLIT_SEED).expect("there are more"));
        assert_eq!((ten.len(), forty.len()), (10, 40));
        assert!(ten.iter().all(|image| forty.contains(image)), "the fewer are among the more");
        assert!(forty.is_sorted() && forty != few(40, drawn_by(1)).expect("there are more"));
        let labels = divided.corpus.training().labels();
        let classes: BTreeSet<u8> =
            few(3, SPLIT_SEED).expect("one of each").iter().map(|image| labels[*image as usize]).collect();
        assert_eq!(classes.len(), 3);
        assert_eq!(few(220, SPLIT_SEED).expect("all of them").len(), 220);
        for images in [2, 221] {
            assert_eq!(
                few(images, SPLIT_SEED)
                    .expect_err("not one of each class, or more than there are")
                    .to_string(),
                format!("synthetic (training): training_images: 3 to 220 expected, {images} found")
            );
        }
    }
}
