//! Transposes, against single elements.

use crate::common::{Guard, Guarded, Number, Random, assert_same_bits, case, on_every_set};
use kernels::{InstructionSet, transpose::transpose};

/// Sides around a vector's, with slices that begin anywhere.
#[test]
fn every_element_is_where_it_belongs() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let sides = [0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 49];
        let mut random = Random::new(1);
        for (rows, columns) in sides.into_iter().flat_map(|rows| sides.map(|columns| (rows, columns))) {
            let values: Vec<E> = random.reals(rows * columns);
            let expected: Vec<E> = (0..columns)
                .flat_map(|column| (0..rows).map(move |row| row * columns + column))
                .map(|index| values[index])
                .collect();
            let mut output = Guarded::stale(rows * columns, columns % 4);
            transpose(set, [rows, columns], &Guarded::input(&values, rows % 4), &mut output);
            assert_same_bits(&output, &expected, case::<E>(set, format!("{rows} rows of {columns}")));
        }
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "output: 6 elements expected, 5 found")]
fn an_output_has_the_length_of_the_input() {
    transpose(InstructionSet::PORTABLE, [2, 3], &[0.0f32; 6], &mut [0.0; 5]);
}
