//! How what is measured in training differs from what is measured after it.

use records::record::RunSpec;
use spec::{Augmentation, LayerSpec, Precision, Recipe, TestTimeAugmentation};

/// What the training loss is measured against, where that is not the true label of each image: smoothed or mixed labels, in
/// words. It is then not comparable with a validation loss.
pub fn other_labels(recipe: &Recipe) -> Option<String> {
    let mut labels = Vec::new();
    if recipe.label_smoothing > 0.0 {
        labels.push(format!("smoothed labels (label smoothing {})", recipe.label_smoothing));
    }
    labels.extend(mixing(recipe).map(|mixing| format!("mixed labels ({mixing})")));
    (!labels.is_empty()).then(|| labels.join(" and "))
}

fn mixing(recipe: &Recipe) -> Option<String> {
    let augmentation = &recipe.augmentation;
    let kinds: Vec<String> = [("mixup", augmentation.mixup), ("CutMix", augmentation.cutmix)]
        .into_iter()
        .filter(|(_, alpha)| *alpha > 0.0)
        .map(|(kind, alpha)| format!("{kind} {alpha}"))
        .collect();
    (!kinds.is_empty()).then(|| kinds.join(" and "))
}

/// Why accuracy on training images, as it is measured, may be below that on validation images: every reason that there is in
/// this run, in words.
pub fn reasons_for_a_gap(specification: &RunSpec) -> Vec<String> {
    let RunSpec { layers, recipe, .. } = specification;
    let mut reasons =
        vec!["training accuracy is an average over the epoch, while the weights still change".to_owned()];
    let all = LayerSpec::all(layers);
    let rates = all
        .iter()
        .filter_map(|layer| if let LayerSpec::Dropout { rate } = layer { Some(*rate) } else { None });
    if let Some(most) = rates.reduce(f64::max) {
        reasons.push(format!("dropout (rate {most}) is on in training only"));
    }
    if all.contains(&&LayerSpec::BatchNorm) {
        reasons
            .push("batch normalisation uses the statistics of small groups of images in training".to_owned());
    }
    let unmixed = Augmentation { mixup: 0.0, cutmix: 0.0, ..recipe.augmentation };
    if !unmixed.is_none() {
        reasons.push(format!("the training images are augmented ({unmixed})"));
    }
    if let Some(mixing) = mixing(recipe) {
        reasons.push(format!("the training images are mixed ({mixing})"));
    }
    if recipe.precision == Precision::Bf16 {
        reasons.push("training computes what products it can in bf16, validation in float32".to_owned());
    }
    if recipe.average_decay.is_some() {
        reasons.push("validation uses the moving average of the weights".to_owned());
    }
    if recipe.test_time_augmentation != TestTimeAugmentation::None {
        reasons.push("validation averages the answers to shifted versions of each image".to_owned());
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::record::{DatasetIdentity, Protocol};

    fn specification() -> RunSpec {
        RunSpec {
            model: "a".to_owned(),
            layers: Vec::new(),
            dataset: DatasetIdentity {
                name: "mnist".to_owned(),
                sha256: String::new(),
                training_images: 1,
                test_images: 1,
                height: 1,
                width: 1,
                channels: 1,
                classes: 2,
            },
            protocol: Protocol::Sound,
            recipe: Recipe::default(),
            seed: 1,
            audit_selection: false,
            resample: records::record::Resample::None,
            fold: None,
        }
    }

    #[test]
    fn every_reason_for_a_gap_is_given_and_no_other() {
        let mut run = specification();
        assert_eq!(reasons_for_a_gap(&run).len(), 1);
        let dropout = |rate| LayerSpec::Dropout { rate };
        let body = vec![dropout(0.5), LayerSpec::BatchNorm];
        run.layers = vec![dropout(0.2), LayerSpec::Residual { body, shortcut: Vec::new() }];
        run.recipe.augmentation.shift = 2.0;
        run.recipe.augmentation.mixup = 0.3;
        run.recipe.precision = Precision::Bf16;
        run.recipe.average_decay = Some(0.99);
        run.recipe.test_time_augmentation = TestTimeAugmentation::FourShifts;
        assert_eq!(
            reasons_for_a_gap(&run)[1..],
            [
                "dropout (rate 0.5) is on in training only",
                "batch normalisation uses the statistics of small groups of images in training",
                "the training images are augmented (shift 2)",
                "the training images are mixed (mixup 0.3)",
                "training computes what products it can in bf16, validation in float32",
                "validation uses the moving average of the weights",
                "validation averages the answers to shifted versions of each image",
            ]
        );
    }

    #[test]
    fn labels_that_are_not_the_true_ones_are_told() {
        let mut recipe = Recipe::default();
        assert_eq!(other_labels(&recipe), None);
        recipe.label_smoothing = 0.3;
        recipe.augmentation.cutmix = 1.0;
        assert_eq!(
            other_labels(&recipe).as_deref(),
            Some("smoothed labels (label smoothing 0.3) and mixed labels (CutMix 1)")
        );
    }
}
