/// Sets of items among which no pair is told apart, such that two items share a set if and only if their pair is not.
///
/// The compact letter display by insert, absorb and sweep: it begins with one set of all items; each pair that is told apart splits
/// every set that holds both into one without the first and one without the second; a set whose every pair stands in other sets too
/// is dropped, so that no set is within another and there are at most as many sets as pairs. A set need not be a run of neighbours:
/// of three ordered items the outer two may be alike while the middle one, measured more sharply, differs from both.
///
/// Items are numbered from 0 to `items` - 1; each set ascends, and the sets ascend by their members. The order of a pair's members
/// and a repeated pair change nothing; a pair of an item with itself or beyond the items is passed over.
///
/// Sources: Piepho 2004, "An algorithm for a letter-based representation of all-pairwise comparisons", Journal of Computational and
/// Graphical Statistics 13; for what an ideal display is, Gramm, Guo, Hüffner, Niedermeier, Piepho and Schmid 2007, "Algorithms for
/// compact letter displays", Computational Statistics & Data Analysis 52.
pub fn compact_letters(items: usize, told_apart: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut display = Display { items, shared: vec![0; items * items], sets: Vec::new() };
    if items > 0 {
        display.add(vec![true; items]);
    }
    for &(one, other) in told_apart {
        if one < items && other < items && one != other {
            display.insert(one, other);
        }
    }
    let members = |set: &Vec<bool>| -> Vec<usize> { (0..items).filter(|&item| set[item]).collect() };
    let mut sets: Vec<Vec<usize>> = display.sets.iter().map(members).collect();
    sets.sort();
    sets
}

struct Display {
    items: usize,
    /// `[items, items]`: how many sets hold both; on the diagonal, how many hold the item.
    shared: Vec<u32>,
    sets: Vec<Vec<bool>>,
}

impl Display {
    fn insert(&mut self, one: usize, other: usize) {
        if self.shared[one * self.items + other] == 0 {
            return;
        }
        let (mut split, kept) =
            std::mem::take(&mut self.sets).into_iter().partition(|set| set[one] && set[other]);
        self.sets = kept;
        let first = self.sets.len();
        for set in &mut split {
            self.count(set, false);
            for without in [one, other] {
                let mut part = set.clone();
                part[without] = false;
                self.add(part);
            }
        }
        // Backwards, so that what is swapped into a dropped set's place has been looked at.
        for index in (first..self.sets.len()).rev() {
            if self.is_redundant(index) {
                let set = self.sets.swap_remove(index);
                self.count(&set, false);
            }
        }
    }

    fn add(&mut self, set: Vec<bool>) {
        self.count(&set, true);
        self.sets.push(set);
    }

    fn count(&mut self, set: &[bool], add: bool) {
        for one in (0..self.items).filter(|&item| set[item]) {
            for other in (0..self.items).filter(|&item| set[item]) {
                let count = &mut self.shared[one * self.items + other];
                *count = if add { *count + 1 } else { *count - 1 };
            }
        }
    }

    /// Whether each of its pairs, or its only item, is in another set as well.
    fn is_redundant(&self, index: usize) -> bool {
        let set = &self.sets[index];
        let members = || (0..self.items).filter(|&item| set[item]);
        members().all(|one| members().all(|other| self.shared[one * self.items + other] > 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The examples in the manual of R's package multcompView: B and C differ, A is like both: "ab", "a", "b".
    #[test]
    fn the_published_example_comes_out() {
        assert_eq!(compact_letters(3, &[(1, 2)]), [vec![0, 1], vec![0, 2]]);
    }

    #[test]
    fn the_ends_of_the_scale() {
        assert_eq!(compact_letters(0, &[]), Vec::<Vec<usize>>::new());
        assert_eq!(compact_letters(3, &[]), [vec![0, 1, 2]]);
        assert_eq!(compact_letters(3, &[(0, 1), (2, 0), (1, 2)]), [vec![0], vec![1], vec![2]]);
        assert_eq!(compact_letters(2, &[(0, 0), (0, 9), (1, 0), (0, 1)]), [vec![0], vec![1]]);
    }

    /// A chain where only neighbours are alike, and one whose middle differs from both ends: by hand.
    #[test]
    fn sets_overlap_and_have_gaps() {
        assert_eq!(compact_letters(4, &[(0, 2), (0, 3), (1, 3)]), [vec![0, 1], vec![1, 2], vec![2, 3]]);
        assert_eq!(compact_letters(3, &[(0, 1), (1, 2)]), [vec![0, 2], vec![1]]);
    }

    /// Forty pairs of which each is told apart alone have 2⁴⁰ largest sets: few of them say it all.
    #[test]
    fn many_separate_pairs_need_few_sets() {
        let pairs: Vec<(usize, usize)> = (0..40).map(|pair| (2 * pair, 2 * pair + 1)).collect();
        let sets = compact_letters(80, &pairs);
        assert!(sets.len() < 60, "{}", sets.len());
        holds(80, &pairs, &sets);
    }

    fn holds(items: usize, told_apart: &[(usize, usize)], sets: &[Vec<usize>]) {
        let apart = |one, other| told_apart.contains(&(one, other)) || told_apart.contains(&(other, one));
        for one in 0..items {
            assert!(sets.iter().any(|set| set.contains(&one)), "{one} has no letter: {sets:?}");
            for other in one + 1..items {
                let share = sets.iter().any(|set| set.contains(&one) && set.contains(&other));
                assert_eq!(share, !apart(one, other), "{one} {other}: {sets:?}");
            }
        }
        for (index, set) in sets.iter().enumerate() {
            let within = |other: &Vec<usize>| set.iter().all(|item| other.contains(item));
            assert!(
                !sets.iter().enumerate().any(|(place, other)| place != index && within(other)),
                "{sets:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn two_share_a_letter_exactly_where_they_are_not_told_apart(
            items in 1..14usize,
            pairs in prop::collection::vec((0..14usize, 0..14usize), 0..60),
        ) {
            let pairs: Vec<(usize, usize)> =
                pairs.into_iter().map(|(a, b)| (a % items, b % items)).filter(|(a, b)| a != b).collect();
            holds(items, &pairs, &compact_letters(items, &pairs));
        }
    }
}
