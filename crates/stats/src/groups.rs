use crate::error::{StatsError, check_count, check_finite};
use crate::special::chi_squared_upper;

/// The result of [`kruskal_wallis`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KruskalWallis {
    /// H, corrected for ties.
    pub statistic: f64,
    /// Upper tail of χ² with one degree of freedom less than there are groups.
    pub p_value: f64,
    /// ε², the share of the ranks' variance that the groups explain, less what as many groups drawn at random would explain
    /// on average: 1 where each group has its ranks to itself, 0 or a little below where the groups say nothing.
    pub effect: f64,
}

/// The Kruskal–Wallis test: do k groups of scores differ, n scores in all?
///
/// All scores are ranked together, equal ones sharing their mean rank. With Rᵢ the rank sum of the nᵢ scores of group i
/// and t the sizes of groups of equal scores: `H = (12 / (n(n+1)) Σ Rᵢ²/nᵢ - 3(n+1)) / (1 - Σ(t³-t) / (n³-n))`, and
/// `ε² = (H - k + 1) / (n - k)`. Where all scores are equal, H = 0. The χ² approximation wants five scores a group.
///
/// Sources: Kruskal and Wallis 1952, JASA 47; the effect size, which is the adjusted R² of an analysis of variance of
/// the ranks, in Tomczak and Tomczak 2014, "The need to report effect size estimates revisited", Trends in Sport Sciences 1.
///
/// # Errors
/// Fewer than two groups, an empty group, no more scores than groups, or a score that is not finite.
pub fn kruskal_wallis<G: AsRef<[f64]>>(groups: &[G]) -> Result<KruskalWallis, StatsError> {
    check_count("groups", 2, groups.len())?;
    let mut scores = Vec::new();
    for group in groups {
        check_count("scores of a group", 1, group.as_ref().len())?;
        check_finite("scores", group.as_ref())?;
        scores.extend_from_slice(group.as_ref());
    }
    check_count("scores", groups.len() + 1, scores.len())?;
    scores.sort_by(f64::total_cmp);
    let (n, k) = (scores.len() as f64, groups.len() as f64);
    let mut between = 0.0;
    let mut tied = 0.0;
    for group in groups {
        let mut rank_sum = 0.0;
        for score in group.as_ref() {
            let below = scores.partition_point(|other| other < score) as f64;
            let equal = scores.partition_point(|other| other <= score) as f64 - below;
            rank_sum += below + 0.5 * (equal + 1.0);
            // Summed over the t members of a group of equal scores this is t³ - t.
            tied += equal * equal - 1.0;
        }
        between += rank_sum * rank_sum / group.as_ref().len() as f64;
    }
    let untied = 1.0 - tied / (n * n * n - n);
    let statistic =
        if untied > 0.0 { (12.0 / (n * (n + 1.0)) * between - 3.0 * (n + 1.0)) / untied } else { 0.0 };
    Ok(KruskalWallis {
        statistic,
        p_value: chi_squared_upper(statistic, k - 1.0),
        effect: (statistic - k + 1.0) / (n - k),
    })
}

#[cfg(test)]
mod tests {
    use super::kruskal_wallis;

    /// Ranks 1 2 against 3 4: H = 12/20 (9/2 + 49/2) - 15 = 2.4, ε² = (2.4 - 1) / 2 = 0.7.
    #[test]
    fn a_case_by_hand() {
        let result = kruskal_wallis(&[[0.1, 0.2], [0.3, 0.4]]).unwrap();
        assert!((result.statistic - 2.4).abs() < 1e-12 && (result.effect - 0.7).abs() < 1e-12, "{result:?}");
    }

    #[test]
    fn equal_scores_say_nothing() {
        let result = kruskal_wallis(&[[0.5, 0.5], [0.5, 0.5]]).unwrap();
        assert_eq!((result.statistic, result.p_value), (0.0, 1.0));
    }

    #[test]
    fn too_little_is_refused() {
        assert!(kruskal_wallis(&[[1.0, 2.0]]).is_err());
        assert!(kruskal_wallis(&[vec![1.0, 2.0], vec![]]).is_err());
        assert!(kruskal_wallis(&[[1.0], [2.0]]).is_err());
        assert!(kruskal_wallis(&[[1.0, f64::NAN], [2.0, 3.0]]).is_err());
    }
}
