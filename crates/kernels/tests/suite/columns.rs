//! Sums and softmax of columns against their definitions, around lanes and panels of every instruction set.

use crate::common::{
    Bounded, Guard, Guarded, Number, Random, Sum, assert_exact, assert_same_bits, assert_within, case,
    on_every_set,
};
use kernels::{
    InstructionSet,
    columns::{add_column_sums, softmax_columns, softmax_columns_backward, sum_columns},
};

/// Around the lanes of every set (4, 8, 16), and panels of 8, 16 and 64 columns.
const COLUMNS: [usize; 16] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 49, 63, 64, 65];

#[test]
fn sums_are_exact() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (rows, columns) in
            [0, 1, 2, 7].into_iter().flat_map(|rows| COLUMNS.map(|columns| (rows, columns)))
        {
            let values = Random::new((rows + columns) as u64).whole::<E>(rows * columns, 50);
            let mut sums = Guarded::stale(columns, 1);
            sum_columns(set, &Guarded::input(&values, 2), &mut sums);
            let expected: Vec<f64> = (0..columns)
                .map(|column| values.iter().skip(column).step_by(columns).map(|value| value.to_f64()).sum())
                .collect();
            assert_exact(&sums, &expected, case::<E>(set, format!("{rows} × {columns}")));
            let before = Random::new(columns as u64).whole::<E>(columns, 50);
            let mut sums = Guarded::output(&before, 1);
            add_column_sums(set, &Guarded::input(&values, 2), &mut sums);
            let expected: Vec<f64> =
                before.iter().zip(&expected).map(|(before, sum)| before.to_f64() + sum).collect();
            assert_exact(&sums, &expected, case::<E>(set, format!("{rows} × {columns}, added")));
        }
    }
    on_every_set!(check);
}

#[test]
fn column_sums_err_by_their_roundings_and_go_row_after_row() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let (rows, columns) = (1000, 19);
        let values = Random::new(5).reals::<E>(rows * columns);
        let mut expected = vec![Sum::default(); columns];
        for (at, value) in values.iter().enumerate() {
            expected[at % columns].add(value.to_f64());
        }
        let expected: Vec<_> = expected.into_iter().map(Sum::bounded::<E>).collect();
        let mut whole = vec![E::ZERO; columns];
        add_column_sums(set, &values, &mut whole);
        assert_within(&whole, &expected, case::<E>(set, "column sums"));
        for size in [1, 7, 300] {
            let mut sums = vec![E::ZERO; columns];
            values.chunks(size * columns).for_each(|rows| add_column_sums(set, rows, &mut sums));
            assert_same_bits(&sums, &whole, case::<E>(set, format!("{size} rows at once")));
        }
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "5 elements in rows of 2")]
fn column_sums_are_of_whole_rows() {
    add_column_sums(InstructionSet::PORTABLE, &[0.0f32; 5], &mut [0.0; 2]);
}

/// Columns of scores whose exponentials alone would overflow, or all vanish; rows and columns around vectors and panels.
#[test]
fn columns_of_any_scores_become_probabilities() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (rows, columns) in
            [1, 2, 3, 50].into_iter().flat_map(|rows| COLUMNS.map(|columns| (rows, columns)))
        {
            let what = case::<E>(set, format!("{rows} × {columns}"));
            let mut random = Random::new((rows * columns) as u64);
            let scale = E::from_f64(0.25);
            for [centre, spread] in [[0.0, 8.0], [1000.0, 40.0], [-1e6, 2000.0]] {
                let scores: Vec<E> = random.reals::<E>(rows * columns);
                let scores: Vec<E> =
                    scores.iter().map(|value| E::from_f64(centre + spread * value.to_f64())).collect();
                let mut found = Guarded::output(&scores, 1);
                softmax_columns(set, &mut found, columns, scale);
                for column in 0..columns {
                    let score = |row: usize| 0.25 * scores[row * columns + column].to_f64();
                    let largest = (0..rows).map(score).fold(f64::NEG_INFINITY, f64::max);
                    let power = |row: usize| (score(row) - largest).max(-E::EXPONENTIAL_LIMIT.to_f64()).exp();
                    let total: f64 = (0..rows).map(power).sum();
                    for row in 0..rows {
                        let expected = power(row) / total;
                        // The argument is rounded once more than the scores are, and is at most the spread.
                        let error = expected * E::EPSILON * (0.5 * rows as f64 + 8.0 + 0.5 * spread);
                        let found = found[row * columns + column];
                        assert_within(&[found], &[Bounded { value: expected, error }], &what);
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn what_is_no_number_stays_in_its_column() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (bad, columns) in [E::NAN, E::INFINITY].into_iter().flat_map(|bad| [3, 16, 21].map(|n| (bad, n)))
        {
            let scores = Random::new(3).reals::<E>(4 * columns);
            let mut clean = scores.clone();
            softmax_columns(set, &mut clean, columns, E::ONE);
            for at in 0..scores.len() {
                let mut found = scores.clone();
                found[at] = bad;
                softmax_columns(set, &mut found, columns, E::ONE);
                for (index, (found, clean)) in found.iter().zip(&clean).enumerate() {
                    if index % columns == at % columns {
                        assert!(found.is_nan(), "{} {bad} at {at}: [{index}] is {found}", set.name());
                    } else {
                        assert_same_bits(&[*found], &[*clean], format!("{} {bad} at {at}", set.name()));
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn the_softmax_of_columns_backward_follows_its_equation() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (rows, columns) in [1, 2, 7].into_iter().flat_map(|rows| COLUMNS.map(|columns| (rows, columns))) {
            let mut random = Random::new((rows + columns) as u64);
            let (p, dp) = (random.reals::<E>(rows * columns), random.reals::<E>(rows * columns));
            let mut found = Guarded::output(&dp, 2);
            softmax_columns_backward(set, &Guarded::input(&p, 1), &mut found, columns, E::from_f64(0.5));
            let product = |at: usize| p[at].to_f64() * dp[at].to_f64();
            let expected: Vec<Bounded> = (0..rows * columns)
                .map(|at| {
                    let sum: f64 = (0..rows).map(|row| product(row * columns + at % columns)).sum();
                    let value = 0.5 * p[at].to_f64() * (dp[at].to_f64() - sum);
                    Bounded { value, error: E::EPSILON * (rows * rows + 4) as f64 }
                })
                .collect();
            assert_within(&found, &expected, case::<E>(set, format!("{rows} × {columns}")));
        }
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "7 elements in rows of 3")]
fn scores_that_are_not_whole_rows() {
    softmax_columns(InstructionSet::PORTABLE, &mut [0f32; 7], 3, 1.0);
}
