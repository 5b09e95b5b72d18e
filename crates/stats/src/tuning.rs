use crate::error::{StatsError, check_count, check_finite};

/// The expected best of k trials for every k from 1 to n, given n trials' validation scores (higher is better), in the scores' unit.
///
/// The mean of the maximum over all subsets of size k, without replacement: with x₍₁₎ ≤ … ≤ x₍ₙ₎,
/// `E_k = Σᵢ x₍ᵢ₎ C(i-1, k-1) / C(n, k)`. Element k - 1 of the result belongs to k trials; the last is the maximum itself.
///
/// Unbiased for n independent trials, where drawing with replacement (Dodge et al. 2019, "Show your work", EMNLP) is too low.
/// Source: Tang et al. 2020, "Showing your work doesn't always work", ACL.
///
/// # Errors
/// No score, or one that is not finite.
pub fn expected_best(scores: &[f64]) -> Result<Vec<f64>, StatsError> {
    check_count("trials", 1, scores.len())?;
    check_finite("scores", scores)?;
    let mut descending = scores.to_vec();
    descending.sort_by(|a, b| b.total_cmp(a));
    let n = descending.len();
    Ok((1..=n)
        .map(|k| {
            // The best of all n is in a subset with probability k/n; each next one leads with (i-k)/(i-1) of that before.
            let mut weight = k as f64 / n as f64;
            let mut expected = 0.0;
            for (rank, score) in descending.iter().enumerate() {
                expected += weight * score;
                let i = n - rank;
                if i <= k {
                    break;
                }
                weight *= (i - k) as f64 / (i - 1) as f64;
            }
            expected
        })
        .collect())
}
