//! Sums of products of bytes, against sums in 64 bits.

use kernels::{InstructionSet, bytes::add_products};

/// Each length around a vector's and a word's, with the ends of the range among the values.
#[test]
fn sums_are_exact() {
    let byte = |index: usize| match index % 7 {
        0 => -128,
        1 => 127,
        _ => (index * 89 % 256) as u8 as i8,
    };
    for length in [0, 1, 3, 4, 5, 15, 16, 17, 31, 63, 64, 65, 200] {
        for rows in [0, 1, 2, 5] {
            let values: Vec<i8> = (0..length).map(byte).collect();
            let weights: Vec<i8> = (0..rows * length).map(|index| byte(index + 3)).collect();
            let expected: Vec<i32> = (0..rows)
                .map(|row| {
                    let products = (0..length)
                        .map(|index| i64::from(weights[row * length + index]) * i64::from(values[index]));
                    i32::try_from(1000 + products.sum::<i64>()).expect("it fits")
                })
                .collect();
            for set in InstructionSet::available() {
                let mut sums = vec![1000; rows];
                add_products(set, &values, &weights, &mut sums);
                assert_eq!(sums, expected, "{} of {rows} rows of {length}", set.name());
            }
        }
    }
}
