//! No field of a comparison contradicts another.

use crate::fixture::{judge, run};
use analysis::verdict::{Comparison, Outcome};
use records::record::RunRecord;

/// Repeatable numbers for the random studies below.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn outcome_p_value_interval_and_sentence_agree_in_random_studies() {
    let mut numbers = Numbers(1);
    let mut seen = [0; 4];
    for _ in 0..400 {
        let images = [500, 3000, 40_000][numbers.below(3) as usize];
        let (models, seeds) = (2 + numbers.below(2), 1 + numbers.below(4));
        let rates: Vec<u64> = (0..models).map(|_| 1 + numbers.below(24)).collect();
        let hard: Vec<usize> = (0..30).map(|_| numbers.below(images) as usize).collect();
        let records: Vec<RunRecord> = (0..seeds)
            .flat_map(|seed| rates.iter().enumerate().map(move |(model, &rate)| (seed, model, rate)))
            .map(|(seed, model, rate)| {
                let mut missed: Vec<usize> =
                    hard.iter().copied().filter(|_| numbers.below(24) < rate).collect();
                missed.push(numbers.below(images) as usize);
                run(["cnn", "lstm", "mlp"][model], seed, images as usize, missed)
            })
            .collect();
        for comparison in judge(&records, &[]).comparisons {
            seen[comparison.outcome as usize] += 1;
            agree(&comparison);
        }
    }
    assert!(seen.iter().all(|&count| count > 20), "{seen:?}");
}

fn agree(comparison: &Comparison) {
    let [lower, upper] = comparison.interval;
    let excludes_zero = lower > 0.0 || upper < 0.0;
    assert_eq!(excludes_zero, comparison.p_value <= 0.05, "{comparison:?}");
    assert!(
        -1.0 <= lower && lower <= comparison.difference && comparison.difference <= upper && upper <= 1.0,
        "{comparison:?}"
    );
    assert!((0.95..0.984).contains(&comparison.confidence), "{comparison:?}");
    assert_ne!(comparison.further_runs, Some(0));
    let (winner, loser) = match comparison.outcome {
        Outcome::BBetter => (&comparison.b, &comparison.a),
        _ => (&comparison.a, &comparison.b),
    };
    let (start, end) = (comparison.verdict.find('[').expect("["), comparison.verdict.find(']').expect("]"));
    let printed: Vec<f64> = comparison.verdict[start + 1..end]
        .split(", ")
        .map(|number| number.parse().expect("a number"))
        .collect();
    let within = printed[0] >= -0.05 && printed[1] <= 0.05;
    let beginning = match comparison.outcome {
        Outcome::PracticallyEqual => {
            assert!(within, "{comparison:?}");
            format!("{winner} and {loser} are practically equal: ")
        }
        Outcome::CannotTell => {
            assert!(!excludes_zero && !within && printed[0] <= 0.0 && printed[1] >= 0.0, "{comparison:?}");
            format!("cannot tell {winner} and {loser} apart: ")
        }
        Outcome::ABetter | Outcome::BBetter => {
            assert!(excludes_zero && !within && printed[0] > 0.0, "{comparison:?}");
            format!("{winner} beats {loser} by ")
        }
    };
    assert!(comparison.verdict.starts_with(&beginning), "{}", comparison.verdict);
    assert!(!["-0.00,", "-0.00]", "-0.00 ", "+0.00 "].iter().any(|zero| comparison.verdict.contains(zero)));
}
