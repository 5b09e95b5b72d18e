//! The rectangle of an image that is not dark.

use crate::common::{Guard, Guarded, Number, Random, on_every_set};
use kernels::{InstructionSet, lit::Lit};
use std::ops::Range;

/// From the first to the last index that is lit, by definition.
fn range(count: usize, lit: impl Fn(usize) -> bool) -> Range<usize> {
    let mut indices = (0..count).filter(|index| lit(*index));
    let Some(first) = indices.next() else { return 0..0 };
    first..indices.last().unwrap_or(first) + 1
}

fn expected<E: Number>(values: &[E], columns: usize) -> Lit {
    let rows = values.len() / columns;
    let lit = |row: usize, column: usize| values[row * columns + column].bits() != E::ZERO.bits();
    Lit {
        rows: range(rows, |row| (0..columns).any(|column| lit(row, column))),
        columns: range(columns, |column| (0..rows).any(|row| lit(row, column))),
    }
}

/// The guards around the values are lit: whatever reads one of them finds too much.
#[test]
fn the_rectangle_is_the_smallest() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(3);
        for columns in (1..=36).chain([63, 64, 65, 100]) {
            for rows in [0, 1, 2, 5] {
                for lit in 0..4 {
                    let mut values = vec![E::ZERO; rows * columns];
                    for _ in 0..lit.min(values.len()) {
                        let at = random.below(values.len());
                        values[at] = [E::from_f64(1e-30), E::from_f64(-0.0), E::from_f64(f64::NAN)][at % 3];
                    }
                    let values = Guarded::input(&values, lit);
                    let found = Lit::of::<E>(set, &values, columns);
                    assert_eq!(
                        found,
                        expected(&values, columns),
                        "{rows} × {columns}, {lit} lit, {}",
                        set.name()
                    );
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn every_single_value_is_found() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for columns in [1, 3, 7, 15, 16, 17, 28, 33] {
            for at in 0..3 * columns {
                let mut values = vec![E::ZERO; 3 * columns];
                values[at] = E::from_f64(1.0);
                let (row, column) = (at / columns, at % columns);
                let found = Lit::of::<E>(set, &values, columns);
                assert_eq!(found, Lit { rows: row..row + 1, columns: column..column + 1 }, "{}", set.name());
            }
        }
    }
    on_every_set!(check);
}
