//! Convolutions of bfloat16 tiles against their definition.

use crate::{
    common::{Guarded, Random, assert_exact, assert_same_bits},
    sliding::{shapes, sliding},
};
use kernels::{
    Buffer,
    convolution::{
        Derivatives,
        general::{Geometry, backward_reference, forward_reference},
    },
    matmul::Output,
    pooling::{maximum_backward_reference, maximum_reference},
    sliding::Sliding,
    tiles::{
        ROWS, Tiles,
        convolution::Convolution,
        matrix::{self, Start, Target},
    },
};

/// A convolution with its numbers, and the side of the windows of its output.
struct Problem {
    geometry: Geometry,
    pool: usize,
    input: Vec<f32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
    d_output: Vec<f32>,
    /// What the gradient of the bias is added to.
    before: Vec<f32>,
}

/// Outputs, the windows' winners, and the derivatives with respect to weights, bias and input.
type Results<T> = [T; 5];

const NAMES: Results<&str> = ["output", "winners", "weights", "bias", "input"];

impl Problem {
    fn new(
        geometry: Geometry,
        pool: usize,
        images: usize,
        mut numbers: impl FnMut(usize) -> Vec<f32>,
    ) -> Self {
        let kept = windows(&geometry, pool).output_length();
        Self {
            pool,
            input: numbers(images * geometry.input_length()),
            weights: numbers(geometry.filters() * geometry.filter_length()),
            bias: numbers(geometry.filters()),
            d_output: numbers(images * kept),
            before: numbers(geometry.filters()),
            geometry,
        }
    }

    fn run(&self, tiles: Tiles, mut d_input: Guarded<f32>, into_input: Output) -> Results<Guarded<f32>> {
        let convolution = Convolution::new(tiles, self.geometry.clone(), self.pool);
        // What is not written must not be read: it is NaN.
        let stale = |length: usize| {
            let mut buffer = Buffer::zeros(length);
            buffer.fill(f32::NAN);
            buffer
        };
        let mut packed = stale(convolution.packed_weights_length());
        convolution.pack_weights(&Guarded::input(&self.weights, 1), &mut packed);
        let (input, bias) = (Guarded::input(&self.input, 1), Guarded::input(&self.bias, 3));
        let mut output = Guarded::stale(self.d_output.len(), 1);
        let mut workspace = stale(convolution.workspace_length());
        let mut winners = Guarded::stale(if self.pool > 1 { self.d_output.len() } else { 0 }, 1);
        convolution.forward(&input, &packed, &bias, &mut output, &mut winners, &mut workspace);
        let mut workspace = stale(convolution.workspace_length());
        let (mut d_weights, mut d_bias) =
            (Guarded::stale(self.weights.len(), 1), Guarded::output(&self.before, 3));
        let derivatives = Derivatives {
            weights: &mut d_weights,
            bias: Some(&mut d_bias),
            input: Some(&mut d_input),
            into_input,
        };
        convolution.backward(
            &input,
            &packed,
            &Guarded::input(&self.d_output, 1),
            &winners,
            derivatives,
            &mut workspace,
        );
        [output, winners, d_weights, d_bias, d_input]
    }

    fn reference(&self) -> Results<Vec<f64>> {
        let of = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();
        let windows = windows(&self.geometry, self.pool);
        let images = self.input.len() / self.geometry.input_length();
        let [mut sums, mut d_sums] = [0; 2].map(|_| vec![f64::NAN; images * self.geometry.output_length()]);
        let [mut output, mut winners] = [0; 2].map(|_| vec![f64::NAN; self.d_output.len()]);
        let mut d_input = vec![f64::NAN; self.input.len()];
        let (mut d_weights, mut d_bias) = (vec![0.0; self.weights.len()], of(&self.before));
        let (input, weights) = (of(&self.input), of(&self.weights));
        forward_reference(&self.geometry, &input, &weights, &of(&self.bias), &mut sums);
        maximum_reference(&windows, &sums, &mut output, &mut winners);
        maximum_backward_reference(&windows, &winners, &of(&self.d_output), &mut d_sums);
        let derivatives = Derivatives {
            weights: &mut d_weights,
            bias: Some(&mut d_bias),
            input: Some(&mut d_input),
            into_input: Output::Overwrite,
        };
        backward_reference(&self.geometry, &input, &weights, &d_sums, derivatives);
        if self.pool == 1 {
            winners.clear();
        }
        [output, winners, d_weights, d_bias, d_input]
    }
}

/// Windows of the output side by side.
fn windows(geometry: &Geometry, pool: usize) -> Sliding {
    let outputs = geometry.sliding();
    let of = [outputs.output_height(), outputs.output_width(), geometry.filters()];
    sliding(of, [pool; 2], [pool, 1])
}

/// The portable implementation, and the machine's where it has one.
fn units() -> Vec<Tiles> {
    [Tiles::PORTABLE].into_iter().chain(Tiles::detect()).collect()
}

/// Whole numbers, which are bfloat16 numbers, and whose sums are exact in any order.
fn check_exact(sizes: impl IntoIterator<Item = (Geometry, usize)>) {
    check_windows(1, sizes);
}

/// As [`check_exact`], where the largest of windows are kept.
fn check_windows(pool: usize, sizes: impl IntoIterator<Item = (Geometry, usize)>) {
    let mut random = Random::new(1);
    for (geometry, images) in sizes {
        let problem = Problem::new(geometry, pool, images, |length| random.whole(length, 4));
        let expected = problem.reference();
        for tiles in units() {
            let context = format!("{tiles:?}: {images} images of {:?}, windows of {pool}", problem.geometry);
            let onto: Vec<f32> = random.whole(problem.input.len(), 9);
            let found = problem.run(tiles, Guarded::stale(onto.len(), 1), Output::Overwrite);
            for ((found, expected), name) in found.iter().zip(&expected).zip(NAMES) {
                assert_exact(found, expected, format!("{name}, {context}"));
            }
            let [.., found] = problem.run(tiles, Guarded::output(&onto, 1), Output::Accumulate);
            let expected: Vec<f64> =
                onto.iter().zip(&expected[4]).map(|(before, value)| f64::from(*before) + value).collect();
            assert_exact(&found, &expected, format!("input added to, {context}"));
        }
    }
}

#[test]
fn any_kernel_stride_and_dilation_is_exact() {
    check_exact(shapes(5).into_iter().map(|sliding| (Geometry::new(sliding, 7, 1), 3)));
}

#[test]
fn any_border_is_exact() {
    let mut sizes = Vec::new();
    for border in [[0, 1], [1, 0], [1, 1], [2, 3], [3, 2]] {
        for (kernel, steps) in [([3, 3], [1, 1]), ([3, 3], [2, 1]), ([1, 1], [2, 1]), ([2, 3], [1, 2])] {
            let sliding = sliding([8, 9, 6], kernel, steps);
            sizes.push((Geometry::new(sliding, 5, 1).without_border(border), 2));
        }
    }
    check_exact(sizes);
}

/// Around every number of tiles, and every number of images.
#[test]
fn any_number_of_channels_filters_and_images_is_exact() {
    let counts = [1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 65];
    let of = |count: usize| {
        [
            (Geometry::new(sliding([4, 5, count], [3, 2], [1, 1]), 18, 1), 16),
            (Geometry::new(sliding([3, 4, 19], [1, 1], [1, 1]), count, 1), 5),
            (Geometry::new(sliding([3, 3, count], [2, 2], [2, 1]), count, 1), 1 + count % ROWS),
        ]
    };
    check_exact(counts.into_iter().flat_map(of));
}

/// Windows that cover the output, that leave rows and columns over, and that are all of its rows.
#[test]
fn the_largest_of_windows_are_kept_and_filled_again() {
    for (pool, [height, width]) in [(2, [8, 8]), (2, [9, 7]), (3, [7, 10]), (3, [5, 5]), (2, [13, 13])] {
        let of = |border| {
            let sliding = sliding([height, width, 18], [3, 2], [1, 1]);
            Geometry::new(sliding, 17, 1).without_border(border)
        };
        check_windows(pool, [(of([0, 0]), 3), (of([1, 0]), ROWS)]);
    }
    for (pool, border) in [(2, [0, 0]), (2, [1, 1]), (3, [1, 0])] {
        let strided = Geometry::new(sliding([15, 13, 17], [3, 3], [2, 1]), 18, 1).without_border(border);
        check_windows(pool, [(strided, 3)]);
    }
    let wide = Geometry::new(sliding([9, 40, 5], [1, 3], [1, 1]), 40, 1);
    check_windows(2, [(wide.clone(), 2), (wide, 0)]);
}

/// Images of more rows than are kept in memory, in which the latest are moved to its front, and of fewer; with rows that no tap reads, too.
#[test]
fn rows_are_kept_as_long_as_taps_read_them() {
    let of = |size, kernel, steps, border| {
        (Geometry::new(sliding(size, kernel, steps), 6, 1).without_border(border), 2)
    };
    check_exact([
        of([31, 33, 4], [3, 3], [1, 1], [1, 1]),
        of([40, 35, 3], [5, 2], [1, 1], [2, 0]),
        of([60, 70, 2], [3, 3], [2, 1], [1, 1]),
        of([50, 70, 2], [2, 2], [3, 1], [0, 0]),
        of([50, 390, 2], [2, 2], [3, 1], [0, 0]),
        of([24, 130, 2], [3, 3], [1, 1], [1, 1]),
        of([45, 40, 3], [3, 3], [1, 4], [2, 2]),
        of([90, 4, 5], [4, 2], [2, 1], [1, 0]),
        of([70, 33, 3], [1, 1], [4, 1], [0, 0]),
    ]);
}

/// Two tiles of positions in all: what Miri looks at, too.
#[test]
fn the_smallest_convolution_is_exact() {
    check_exact([(Geometry::new(sliding([1, 2, 1], [1, 1], [1, 1]), 1, 1), 1)]);
}

#[test]
fn no_images_are_no_work() {
    check_exact([(Geometry::new(sliding([4, 5, 3], [3, 2], [1, 1]), 4, 1), 0)]);
}

/// Operands are rounded to the nearest bfloat16 numbers, and nothing else is; both units to the same bits.
#[test]
fn reals_are_rounded_before_they_are_multiplied_alone() {
    let mut random = Random::new(2);
    let geometry = Geometry::new(sliding([9, 8, 40], [3, 3], [1, 1]), 36, 1).without_border([1, 1]);
    let problem = Problem::new(geometry, 1, ROWS, |length| random.reals(length));
    let results: Vec<_> = units()
        .into_iter()
        .map(|tiles| problem.run(tiles, Guarded::stale(problem.input.len(), 1), Output::Overwrite))
        .collect();
    for (portable, machine) in results[0].iter().zip(results.last().expect("one")) {
        assert_same_bits(machine, portable, "both units");
    }
    let rounded = |values: &[f32]| -> Vec<f32> { values.iter().map(|value| nearest(*value)).collect() };
    let [input, weights, d_output] =
        [&problem.input, &problem.weights, &problem.d_output].map(|values| rounded(values));
    let of_rounded = Problem { input, weights, d_output, ..problem };
    let [output, _, d_weights, _, d_input] = of_rounded.reference();
    let [found_output, _, found_weights, _, found_input] = &results[0];
    for (name, found, expected) in [
        ("output", found_output, output),
        ("weights", found_weights, d_weights),
        ("input", found_input, d_input),
    ] {
        let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let error = (f64::from(*found) - expected).abs();
            assert!(error < 3e-6 * largest, "{name}: {found} for {expected}");
        }
    }
}

/// The nearest number of 8 significant bits, found in double precision.
fn nearest(value: f32) -> f32 {
    if value == 0.0 {
        return value;
    }
    let unit = 2.0_f64.powi(f64::from(value).abs().log2().floor() as i32 - 7);
    ((f64::from(value) / unit).round_ties_even() * unit) as f32
}

#[test]
#[should_panic(expected = "17 images at once")]
fn more_images_than_rows() {
    let geometry = Geometry::new(sliding([1, 1, 1], [1, 1], [1, 1]), 1, 1);
    let problem = Problem::new(geometry, 1, ROWS + 1, |length| vec![0.0; length]);
    problem.run(Tiles::PORTABLE, Guarded::stale(ROWS + 1, 1), Output::Overwrite);
}

/// A row-major matrix of whole numbers.
struct Whole {
    columns: usize,
    values: Vec<f32>,
}

impl Whole {
    fn new(random: &mut Random, rows: usize, columns: usize) -> Self {
        Self { columns, values: random.whole(rows * columns, 4) }
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        f64::from(self.row(row)[column])
    }

    fn of(&self, row: usize, from: usize, count: usize) -> &[f32] {
        &self.row(row)[from..self.columns.min(from + count)]
    }
}

#[test]
fn a_product_of_few_rows_is_exact_however_it_is_packed() {
    let mut random = Random::new(3);
    for (rows, k, columns) in
        [(1, 1, 1), (3, 31, 15), (16, 32, 16), (5, 33, 17), (16, 70, 48), (9, 64, 33), (0, 5, 5)]
    {
        let (a, b) = (Whole::new(&mut random, rows, k), Whole::new(&mut random, k, columns));
        let turned = Whole { columns: k, values: (0..columns * k).map(|at| b.row(at % k)[at / k]).collect() };
        let (bias, before): (Vec<f32>, Vec<f32>) =
            (random.whole(columns, 9), random.whole(rows * columns, 9));
        let blocks = matrix::blocks(k);
        let packing = Tiles::detect().unwrap_or(Tiles::PORTABLE);
        let mut packed = [0; 2].map(|_| Buffer::zeros(matrix::packed_length(blocks, columns)));
        let of_row = |block: usize, index: usize| match block * 32 + index < k {
            true => b.row(block * 32 + index),
            false => &[],
        };
        matrix::pack(packing, [blocks, columns], of_row, &mut packed[0]);
        matrix::pack_columns(
            packing,
            [blocks, columns],
            |column, block| matrix::block_of(turned.row(column), block),
            &mut packed[1],
        );
        assert_same_bits(&packed[0], &packed[1], format!("{k} by {columns}"));
        for tiles in units() {
            for start in [Start::Zero, Start::Target, Start::Row(&bias)] {
                let mut c = Guarded::output(&before, 1);
                let mut workspace = Buffer::zeros(matrix::rows_length(blocks));
                workspace.fill(f32::NAN);
                let target =
                    Target { values: &mut c, rows, row_stride: columns, columns, block: [columns, 0] };
                let of = |row: usize, block: usize| matrix::block_of(a.row(row), block);
                matrix::multiply(tiles, blocks, of, &packed[0], start, target, &mut workspace);
                let expected: Vec<f64> = (0..rows * columns)
                    .map(|at| {
                        let (row, column) = (at / columns, at % columns);
                        let begin = match start {
                            Start::Zero => 0.0,
                            Start::Target => before[at],
                            Start::Row(bias) => bias[column],
                        };
                        f64::from(begin) + (0..k).map(|k| a.at(row, k) * b.at(k, column)).sum::<f64>()
                    })
                    .collect();
                assert_exact(&c, &expected, format!("{tiles:?}, {start:?}: {rows} by {k} by {columns}"));
            }
        }
    }
}

/// Columns in blocks, each apart from the one before, and what lies between them left as it is.
#[test]
fn a_product_of_columns_is_exact_wherever_its_blocks_lie() {
    let none = Target { values: &mut [], rows: 0, row_stride: 16, columns: 16, block: [16, 0] };
    let mut workspace = Buffer::zeros(matrix::columns_length([0, 16], 3));
    matrix::multiply_columns(Tiles::PORTABLE, 3, |_, _| &[], |_, _| &[1.0; 16], none, &mut workspace);
    let mut random = Random::new(4);
    for (summands, rows, columns, block) in
        [(1, 1, 1, 16), (31, 15, 32, 16), (33, 17, 96, 32), (64, 40, 64, 64), (70, 33, 20, 20)]
    {
        let (a, b) = (Whole::new(&mut random, summands, rows), Whole::new(&mut random, summands, columns));
        let width = block.min(columns);
        let stride = (rows + 1) * width;
        let blocks = columns.div_ceil(block);
        for tiles in units() {
            let mut c = Guarded::output(&vec![-1.0; blocks * stride], 1);
            let mut workspace = Buffer::zeros(matrix::columns_length([rows, columns], summands));
            workspace.fill(f32::NAN);
            let target = Target { values: &mut c, rows, row_stride: width, columns, block: [block, stride] };
            matrix::multiply_columns(
                tiles,
                summands,
                |row, block| a.of(row, block * 16, 16),
                |row, block| b.of(row, block * 16, 16),
                target,
                &mut workspace,
            );
            let expected: Vec<f64> = (0..blocks * stride)
                .map(|at| {
                    let (of_block, row, column) = (at / stride, at % stride / width, at % width);
                    let column = of_block * block + column;
                    match row < rows && column < columns {
                        true => (0..summands).map(|k| a.at(k, row) * b.at(k, column)).sum(),
                        false => -1.0,
                    }
                })
                .collect();
            assert_exact(
                &c,
                &expected,
                format!("{tiles:?}: {summands} rows, {rows} by {columns} in {block}"),
            );
        }
    }
}

#[test]
#[should_panic(expected = "element 31 of 31")]
fn a_target_with_too_little_room() {
    let mut values = vec![0.0; 31];
    let target = Target { values: &mut values, rows: 2, row_stride: 16, columns: 16, block: [16, 0] };
    let packed = Buffer::zeros(matrix::packed_length(1, 16));
    let mut workspace = Buffer::zeros(matrix::rows_length(1));
    matrix::multiply(Tiles::PORTABLE, 1, |_, _| &[1.0], &packed, Start::Zero, target, &mut workspace);
}
