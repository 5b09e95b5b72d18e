//! The terms of a report that not everybody knows. The book's glossary has these and more; a test holds the two together.

/// A term, where it is explained on a page, what it means, and by which words a text means it.
pub(crate) struct Term {
    pub(crate) anchor: &'static str,
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    /// The first of them that a text has becomes the link.
    pub(crate) spellings: &'static [&'static str],
}

/// In the order of the alphabet.
pub(crate) const TERMS: [Term; 26] = [
    Term {
        anchor: "balanced-accuracy",
        name: "balanced accuracy",
        meaning: "The mean over the classes of the fraction of their images that are classified correctly: every \
                  class counts alike, however few images it has.",
        spellings: &["balanced accuracy"],
    },
    Term {
        anchor: "bootstrap",
        name: "bootstrap",
        meaning: "An interval from drawing the runs and images of a study again and again, with replacement.",
        spellings: &["two-way bootstrap"],
    },
    Term {
        anchor: "brier-score",
        name: "Brier score",
        meaning: "The mean squared distance between a model's probabilities and the truth: 0 at best, 2 at worst.",
        spellings: &["Brier score"],
    },
    Term {
        anchor: "calibration",
        name: "calibration",
        meaning: "Whether a model's probabilities mean what they say: of the answers of 80 % confidence, 80 % should be right. The \
                  calibration error says how far they are off on average.",
        spellings: &["calibration error"],
    },
    Term {
        anchor: "confidence-interval",
        name: "confidence interval",
        meaning: "A range that holds the true value in 95 of 100 studies such as this one (or at another level, \
                  which is named with it).",
        spellings: &["interval"],
    },
    Term {
        anchor: "ensemble",
        name: "ensemble",
        meaning: "Several runs of a model that answer together, by the mean of their probabilities.",
        spellings: &["ensemble"],
    },
    Term {
        anchor: "epoch",
        name: "epoch",
        meaning: "One pass over all training images.",
        spellings: &["epoch"],
    },
    Term {
        anchor: "equivalence",
        name: "equivalence",
        meaning: "Two models are practically equal when the whole confidence interval of their difference lies within a small region \
                  around zero. That is a finding; “cannot tell” is the lack of one.",
        spellings: &["outcome", "practically equal"],
    },
    Term {
        anchor: "fingerprint",
        name: "fingerprint",
        meaning: "SHA-256 of a model's final weights. The same fingerprint means the same weights, bit for bit.",
        spellings: &["fingerprint"],
    },
    Term {
        anchor: "holm",
        name: "Holm",
        meaning: "Holm's method corrects p-values when a study makes several comparisons, because among many comparisons some look clear \
                  by chance.",
        spellings: &["Holm"],
    },
    Term {
        anchor: "kappa",
        name: "kappa",
        meaning: "Cohen's kappa: by how much answers agree with the truth beyond what chance would, 0 for none, 1 \
                  for all.",
        spellings: &["kappa"],
    },
    Term {
        anchor: "macro-f1",
        name: "macro F1",
        meaning: "The mean over the classes of F1, the harmonic mean of precision and recall: every class counts \
                  alike.",
        spellings: &["macro F1", "F1"],
    },
    Term {
        anchor: "mcnemar",
        name: "McNemar",
        meaning: "McNemar's test compares two trained networks on the same images by those that only one of them gets right. It knows \
                  nothing of other seeds.",
        spellings: &["McNemar's exact test"],
    },
    Term {
        anchor: "multiply-adds",
        name: "multiply-adds",
        meaning: "Multiplications whose results are added up, in one image's pass through a network: a measure of cost that does not \
                  depend on a machine.",
        spellings: &["multiply-adds"],
    },
    Term {
        anchor: "nats",
        name: "nats",
        meaning: "The unit of information with the natural logarithm. A loss of 0.05 nats means that the true class got a probability of \
                  e^−0.05 = 95 %, in the geometric mean.",
        spellings: &["nats"],
    },
    Term {
        anchor: "p-value",
        name: "p-value",
        meaning: "The probability of a difference at least as large as the one found, if there were none in truth. Small means: hardly \
                  chance. At most 0.05 counts as a finding here.",
        spellings: &["p"],
    },
    Term {
        anchor: "paired",
        name: "paired",
        meaning: "Two runs, one of each model, that share the seed, the data and the order of the images, and are tested on the same \
                  images. What is luck for both cancels in their difference.",
        spellings: &["paired runs", "Student's paired test"],
    },
    Term {
        anchor: "parameters",
        name: "parameters",
        meaning: "The numbers in a network that training adjusts: weights and biases.",
        spellings: &["parameters"],
    },
    Term {
        anchor: "pareto-optimal",
        name: "Pareto-optimal",
        meaning: "A model that no other dominates: none is at least as accurate with fewer parameters (or multiply-adds, or seconds), or \
                  more accurate with as many.",
        spellings: &["Pareto-optimal"],
    },
    Term {
        anchor: "power",
        name: "power",
        meaning: "The chance that a study finds a difference that is really there.",
        spellings: &["power"],
    },
    Term {
        anchor: "precision",
        name: "precision",
        meaning: "Of a class: of the images that a model gives it, the fraction that is of it. Of a recipe: what the products of \
                  training are computed in, float32 or bf16.",
        spellings: &["precision"],
    },
    Term {
        anchor: "recall",
        name: "recall",
        meaning: "Of the images of a class, the fraction that a model gives it.",
        spellings: &["recall", "Recall"],
    },
    Term {
        anchor: "roc-auc",
        name: "ROC AUC",
        meaning: "The probability that a random image of a class gets a higher probability of it than a random other \
                  image: 0.5 by chance, 1 at best; here the mean over the classes.",
        spellings: &["ROC AUC"],
    },
    Term {
        anchor: "standard-deviation",
        name: "standard deviation",
        meaning: "How much values differ from their mean. After ± it is over the runs of a model.",
        spellings: &["standard deviation"],
    },
    Term {
        anchor: "standard-error",
        name: "standard error",
        meaning: "How far a mean may be off, as a standard deviation. It shrinks as runs or images grow in number.",
        spellings: &["noise of the seeds", "noise of the test images", "standard error"],
    },
    Term {
        anchor: "validation-images",
        name: "validation images",
        meaning: "Images that are kept away from training and used for choices: when to stop, which settings to take.",
        spellings: &["validation images"],
    },
];

/// A text in parts: before a term, the term as the text spells it, after it. The first term of the list that the text has, as whole
/// words.
pub(crate) fn first_term(text: &str) -> Option<(&str, &str, &'static Term, &str)> {
    TERMS.iter().find_map(|term| {
        let spelling = term.spellings.iter().find_map(|spelling| {
            text.match_indices(spelling).map(|(at, found)| (at, at + found.len())).find(|(start, end)| {
                let alone = |character: Option<char>| !character.is_some_and(char::is_alphanumeric);
                alone(text[..*start].chars().next_back()) && alone(text[*end..].chars().next())
            })
        });
        let (start, end) = spelling?;
        Some((&text[..start], &text[start..end], term, &text[end..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_found_as_whole_words() {
        let found = |text| first_term(text).map(|(before, term, of, after)| (before, term, of.anchor, after));
        assert_eq!(found("test loss (nats)"), Some(("test loss (", "nats", "nats", ")")));
        assert_eq!(found("p (Holm)"), Some(("p (", "Holm", "holm", ")")));
        assert_eq!(found("p"), Some(("", "p", "p-value", "")));
        assert_eq!((found("training (s)"), found("intervals"), found("")), (None, None, None));
    }

    #[test]
    fn terms_stand_in_the_order_of_the_alphabet_once() {
        let names: Vec<String> = TERMS.iter().map(|term| term.name.to_lowercase()).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    }
}
