//! Products against their definition, whatever the shape, orientation, alignment and slicing.

use crate::common::{
    Bounded, Guard, Guarded, Number, Random, Sum, around, assert_exact, assert_same_bits, assert_within,
    case, on_every_set,
};
use kernels::{
    InstructionSet,
    matmul::{
        Matrix, MatrixMut, Output, lanes, multiply, multiply_packed_rows, multiply_pieces,
        multiply_reference, multiply_rows, multiply_with_bias, pack, packed_length, panel_columns,
    },
};

/// A matrix of `rows × columns` in one of its three forms, with the storage to read it from.
struct Stored<E: Number + Guard> {
    rows: usize,
    columns: usize,
    form: Form,
    data: Guarded<E>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    RowMajor,
    Transposed,
    /// Some columns of a wider matrix; the others are NaN.
    ColumnsOfWider,
    /// The transpose of some columns of a wider matrix.
    TransposedColumns,
}

const FORMS: [Form; 4] = [Form::RowMajor, Form::Transposed, Form::ColumnsOfWider, Form::TransposedColumns];
/// Columns that a wider matrix has on the left and in all.
const LEFT: usize = 2;
const EXTRA: usize = 5;

impl<E: Number + Guard> Stored<E> {
    fn new(rows: usize, columns: usize, form: Form, values: &[E], offset: usize) -> Self {
        let at = |row: usize, column: usize| values[row * columns + column];
        let (outer, inner) = match form {
            Form::RowMajor | Form::ColumnsOfWider => (rows, columns),
            Form::Transposed | Form::TransposedColumns => (columns, rows),
        };
        let wide = matches!(form, Form::ColumnsOfWider | Form::TransposedColumns);
        let (left, extra) = if wide { (LEFT, EXTRA) } else { (0, 0) };
        let mut data = vec![E::NAN; outer * (inner + extra)];
        for row in 0..rows {
            for column in 0..columns {
                let (outer, place) = match form {
                    Form::RowMajor | Form::ColumnsOfWider => (row, column),
                    Form::Transposed | Form::TransposedColumns => (column, row),
                };
                data[outer * (inner + extra) + left + place] = at(row, column);
            }
        }
        Self { rows, columns, form, data: Guarded::input(&data, offset) }
    }

    fn matrix(&self) -> Matrix<'_, E> {
        let Self { rows, columns, data, .. } = self;
        match self.form {
            Form::RowMajor => Matrix::new(data, *rows, *columns),
            Form::Transposed => Matrix::new(data, *columns, *rows).transposed(),
            Form::ColumnsOfWider => Matrix::new(data, *rows, columns + EXTRA).columns(LEFT, *columns),
            Form::TransposedColumns => {
                Matrix::new(data, *columns, rows + EXTRA).columns(LEFT, *rows).transposed()
            }
        }
    }
}

fn packed<E: Number + Guard>(set: InstructionSet, b: &Stored<E>) -> Guarded<E> {
    let mut packed = Guarded::stale(packed_length::<E>(set, b.rows, b.columns), 1);
    pack(set, b.matrix(), 0, &mut packed);
    packed
}

/// Σ a·b for each element of C.
fn sums<E: Number>(a: &[E], b: &[E], [m, k, n]: [usize; 3]) -> Vec<Sum> {
    let mut sums = vec![Sum::default(); m * n];
    for row in 0..m {
        for inner in 0..k {
            let left = a[row * k + inner].to_f64();
            for column in 0..n {
                sums[row * n + column].add(left * b[inner * n + column].to_f64());
            }
        }
    }
    sums
}

/// Rows around every tile of 12, 6, 4, 2 and 1.
const ROWS: [usize; 15] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 17, 19, 25];

/// Columns around each number of vectors in a panel, and around whole panels.
fn widths<E: Number>(set: InstructionSet) -> Vec<usize> {
    let (lanes, panel) = (lanes::<E>(set), panel_columns::<E>(set));
    let mut widths = around(lanes, panel / lanes);
    widths.extend(around(lanes, panel / lanes).iter().map(|width| width + panel));
    widths.extend([0, 2 * panel, 2 * panel + 1]);
    widths
}

#[test]
fn products_of_whole_numbers_are_exact() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(1);
        for n in widths::<E>(set) {
            for k in [0, 1, 2, 3, 17, 33] {
                let b = random.whole::<E>(k * n, 8);
                let b_form = FORMS[random.below(FORMS.len())];
                let stored_b = Stored::new(k, n, b_form, &b, 1);
                let packed = packed(set, &stored_b);
                for m in ROWS {
                    let a = random.whole::<E>(m * k, 8);
                    let before = random.whole::<E>(m * n, 8);
                    let bias = random.whole::<E>(n, 8);
                    let sums = sums(&a, &b, [m, k, n]);
                    for (index, a_form) in FORMS.into_iter().enumerate() {
                        let what = format!("[{m}, {k}] {a_form:?} · [{k}, {n}] {b_form:?}");
                        let stored_a = Stored::new(m, k, a_form, &a, index % 3);
                        let product: Vec<f64> = sums.iter().map(|sum| sum.value).collect();
                        let mut c = Guarded::stale(m * n, index % 2);
                        multiply(set, stored_a.matrix(), &packed, n, &mut c, Output::Overwrite);
                        assert_exact(&c, &product, case::<E>(set, &what));

                        let total: Vec<f64> =
                            product.iter().zip(&before).map(|(sum, before)| sum + before.to_f64()).collect();
                        let mut c = Guarded::output(&before, index % 2);
                        multiply(set, stored_a.matrix(), &packed, n, &mut c, Output::Accumulate);
                        assert_exact(&c, &total, case::<E>(set, format!("accumulated {what}")));

                        let bias = Guarded::input(&bias, index % 3);
                        let total: Vec<f64> =
                            product.iter().enumerate().map(|(at, sum)| sum + bias[at % n].to_f64()).collect();
                        let mut c = Guarded::stale(m * n, index % 2);
                        multiply_with_bias(set, stored_a.matrix(), &packed, &bias, &mut c);
                        assert_exact(&c, &total, case::<E>(set, format!("with a bias {what}")));
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

/// Some rows of a packed B, into some columns of a matrix: as if the other rows met zeros.
#[test]
fn products_with_some_packed_rows() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(5);
        for n in widths::<E>(set).into_iter().filter(|n| *n > 0) {
            for (k, rows) in [(0, 0..0), (3, 0..3), (7, 2..7), (7, 3..3), (200, 1..199), (200, 150..160)] {
                let b = random.whole::<E>(k * n, 8);
                let stored_b = Stored::new(k, n, Form::RowMajor, &b, 1);
                let packed = packed(set, &stored_b);
                for (m, output) in [(0, Output::Overwrite), (7, Output::Overwrite), (16, Output::Accumulate)]
                {
                    let a = random.whole::<E>(m * rows.len(), 8);
                    let stored_a = Stored::new(m, rows.len(), Form::ColumnsOfWider, &a, 2);
                    let before = random.whole::<E>(m * (n + 5), 8);
                    let mut c = Guarded::output(&before, 1);
                    let right = MatrixMut::new(&mut c, m, n + 5).split_columns(2).1.split_columns(n).0;
                    multiply_packed_rows(set, stored_a.matrix(), &packed, rows.clone(), right, output);
                    let used = &b[rows.start * n..rows.end * n];
                    let sums = sums(&a, used, [m, rows.len(), n]);
                    let mut expected: Vec<f64> = before.iter().map(|value| value.to_f64()).collect();
                    for (row, sums) in sums.chunks_exact(n).enumerate() {
                        for (column, sum) in sums.iter().enumerate() {
                            let c = &mut expected[row * (n + 5) + 2 + column];
                            *c = sum.value + if output == Output::Accumulate { *c } else { 0.0 };
                        }
                    }
                    assert_exact(&c, &expected, case::<E>(set, format!("rows {rows:?} of [{k}, {n}]")));
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn the_reference_is_the_definition() {
    let mut random = Random::new(2);
    for [m, k, n] in [[0, 3, 2], [3, 0, 2], [4, 5, 6], [1, 1, 1], [7, 2, 9]] {
        let (a, b) = (random.whole::<f64>(m * k, 9), random.whole::<f64>(k * n, 9));
        let before = random.whole::<f64>(m * n, 9);
        let product: Vec<f64> = sums(&a, &b, [m, k, n]).iter().map(|sum| sum.value).collect();
        let total: Vec<f64> = product.iter().zip(&before).map(|(sum, before)| sum + before).collect();
        for a_form in FORMS {
            for b_form in FORMS {
                let (a, b) = (Stored::new(m, k, a_form, &a, 0), Stored::new(k, n, b_form, &b, 0));
                let mut c = Guarded::stale(m * n, 0);
                multiply_reference(a.matrix(), b.matrix(), &mut c, Output::Overwrite);
                assert_exact(&c, &product, format!("{a_form:?} · {b_form:?}"));
                let mut c = Guarded::output(&before, 0);
                multiply_reference(a.matrix(), b.matrix(), &mut c, Output::Accumulate);
                assert_exact(&c, &total, format!("accumulated {a_form:?} · {b_form:?}"));
            }
        }
    }
}

#[test]
fn products_of_reals_err_by_their_roundings_only() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(3);
        for [m, k, n] in [[13, 128, 70], [7, 1000, 33], [29, 513, 10], [2, 4096, 5]] {
            let (a, b) = (random.reals::<E>(m * k), random.reals::<E>(k * n));
            let expected: Vec<Bounded> = sums(&a, &b, [m, k, n]).into_iter().map(Sum::bounded::<E>).collect();
            let packed = packed(set, &Stored::new(k, n, Form::RowMajor, &b, 0));
            for form in FORMS {
                let mut c = Guarded::stale(m * n, 1);
                multiply(set, Stored::new(m, k, form, &a, 1).matrix(), &packed, n, &mut c, Output::Overwrite);
                assert_within(&c, &expected, case::<E>(set, format!("[{m}, {k}] {form:?} · [{k}, {n}]")));
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn rows_in_place_multiply_as_packed_ones() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(4);
        for n in widths::<E>(set) {
            for (k, b_form) in [0, 1, 2, 5, 18, 33].into_iter().zip(FORMS.into_iter().cycle()) {
                let b_form = if b_form == Form::Transposed { Form::RowMajor } else { Form::ColumnsOfWider };
                let b = random.whole::<E>(k * n, 8);
                let stored_b = Stored::new(k, n, b_form, &b, 1);
                for m in ROWS {
                    let a = random.whole::<E>(m * k, 8);
                    let before = random.whole::<E>(m * n, 8);
                    let sums = sums(&a, &b, [m, k, n]);
                    for form in FORMS {
                        let what = case::<E>(set, format!("[{m}, {k}] {form:?} · [{k}, {n}] {b_form:?}"));
                        let a = Stored::new(m, k, form, &a, 1);
                        let product: Vec<f64> = sums.iter().map(|sum| sum.value).collect();
                        let mut c = Guarded::stale(m * n, 1);
                        let c_matrix = MatrixMut::new(&mut c, m, n);
                        multiply_rows(set, a.matrix(), stored_b.matrix(), c_matrix, Output::Overwrite);
                        assert_exact(&c, &product, &what);

                        let total: Vec<f64> =
                            product.iter().zip(&before).map(|(sum, before)| sum + before.to_f64()).collect();
                        let mut c = Guarded::output(&before, 0);
                        let c_matrix = MatrixMut::new(&mut c, m, n);
                        multiply_rows(set, a.matrix(), stored_b.matrix(), c_matrix, Output::Accumulate);
                        assert_exact(&c, &total, format!("accumulated {what}"));
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

/// Longer than a chunk of any panel, at lengths around its end.
#[test]
fn products_of_many_chunks() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(14);
        let (lanes, panel) = (lanes::<E>(set), panel_columns::<E>(set));
        for n in [1, lanes, panel - 1, panel] {
            let chunk = (24 << 10) / (n.next_multiple_of(lanes) * size_of::<E>());
            for k in [chunk - 1, chunk, chunk + 1, 2 * chunk + 5] {
                let (a, b) = (random.whole::<E>(7 * k, 4), random.whole::<E>(k * n, 4));
                let product: Vec<f64> = sums(&a, &b, [7, k, n]).iter().map(|sum| sum.value).collect();
                let what = case::<E>(set, format!("[7, {k}] · [{k}, {n}]"));
                let b = Stored::new(k, n, Form::ColumnsOfWider, &b, 0);
                for form in [Form::RowMajor, Form::Transposed] {
                    let a = Stored::new(7, k, form, &a, 1);
                    let mut c = Guarded::stale(7 * n, 0);
                    multiply(set, a.matrix(), &packed(set, &b), n, &mut c, Output::Overwrite);
                    assert_exact(&c, &product, &what);
                    let mut c = Guarded::stale(7 * n, 0);
                    multiply_rows(
                        set,
                        a.matrix(),
                        b.matrix(),
                        MatrixMut::new(&mut c, 7, n),
                        Output::Overwrite,
                    );
                    assert_exact(&c, &product, &what);
                }
            }
        }
    }
    on_every_set!(check);
}

/// Pieces of every length, among them none, into some of the columns of C.
#[test]
fn pieces_add_up_to_the_product_of_the_whole() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(15);
        let panel = panel_columns::<E>(set);
        // More pieces than one pass takes, and pieces longer than a chunk.
        let lengths: [&[usize]; 5] = [&[], &[3], &[16, 0, 5], &[1; 37], &[7, 900, 1500, 2]];
        for (n, lengths) in [1, panel - 1, panel, 2 * panel + 3].into_iter().zip(lengths.into_iter().cycle())
        {
            for lengths in [lengths, &[4, 4]] {
                let (m, k) = (9, lengths.iter().sum());
                let (a, b) = (random.whole::<E>(m * k, 4), random.whole::<E>(k * n, 4));
                // A is [m, k] here; its pieces are rows of the transpose.
                let product: Vec<f64> = sums(&a, &b, [m, k, n]).iter().map(|sum| sum.value).collect();
                let transposed: Vec<E> = (0..k * m).map(|at| a[at % m * k + at / m]).collect();
                let piece = |piece: usize| {
                    let first: usize = lengths[..piece].iter().sum();
                    let length = lengths[piece];
                    let a = Matrix::new(&transposed[first * m..][..length * m], length, m);
                    (a, Matrix::new(&b[first * n..][..length * n], length, n))
                };
                for (output, before) in [(Output::Overwrite, 0.0), (Output::Accumulate, 77.0)] {
                    // Between two columns that must not change.
                    let mut c = Guarded::output(&vec![E::from_f64(77.0); m * (n + 2)], 1);
                    let (_, rest) = MatrixMut::new(&mut c, m, n + 2).split_columns(1);
                    let (middle, right) = rest.split_columns(n);
                    assert_eq!(right.columns(), 1);
                    multiply_pieces(set, piece, lengths.len(), middle, output);
                    for (row, found) in c.chunks_exact(n + 2).enumerate() {
                        let what = format!("pieces {lengths:?}, {n} columns, row {row}, {output:?}");
                        let what = case::<E>(set, what);
                        let expected: Vec<f64> =
                            product[row * n..][..n].iter().map(|value| before + value).collect();
                        assert_exact(&found[1..=n], &expected, &what);
                        assert_exact(&[found[0], found[n + 1]], &[77.0, 77.0], &what);
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn packing_lays_out_panels_and_pads_with_zeros() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(5);
        let (lanes, width) = (lanes::<E>(set), panel_columns::<E>(set));
        for n in widths::<E>(set) {
            for k in [0, 1, 15, 16, 17, 33] {
                let values = random.whole::<E>(k * n, 100);
                let mut expected = Vec::new();
                for first in (0..n).step_by(width) {
                    let padded = width.min(n - first).next_multiple_of(lanes);
                    for row in 0..k {
                        expected.extend(
                            (first..first + padded).map(|column| {
                                if column < n { values[row * n + column].to_f64() } else { 0.0 }
                            }),
                        );
                    }
                }
                assert_eq!(expected.len(), packed_length::<E>(set, k, n));
                for form in FORMS {
                    let b = Stored::new(k, n, form, &values, 1);
                    let what = case::<E>(set, format!("[{k}, {n}] {form:?}"));
                    assert_exact(&packed(set, &b), &expected, &what);
                    let panel_length = (k * width).max(1);
                    for (panel, expected) in expected.chunks(panel_length).enumerate() {
                        let mut part = Guarded::stale(expected.len(), 1);
                        pack(set, b.matrix(), panel, &mut part);
                        assert_exact(&part, expected, format!("panel {panel} of {what}"));
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn no_slicing_orientation_or_neighbour_changes_a_bit() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(6);
        let (m, k, n) = (29, 71, 9 * lanes::<E>(set));
        let (a, b) = (random.reals::<E>(m * k), random.reals::<E>(k * n));
        let before = random.reals::<E>(m * n);
        let b_stored = Stored::new(k, n, Form::RowMajor, &b, 0);
        let packed_b = packed(set, &b_stored);
        let a_transposed = Stored::new(m, k, Form::Transposed, &a, 0);
        for output in [Output::Overwrite, Output::Accumulate] {
            let mut whole = before.clone();
            multiply(set, Matrix::new(&a, m, k), &packed_b, n, &mut whole, output);
            for size in 1..=m {
                let what = case::<E>(set, format!("{size} rows at once, {output:?}"));
                let (mut c, mut c_transposed, mut c_rows) = (before.clone(), before.clone(), before.clone());
                let b_rows = Matrix::new(&b, k, n);
                for first in (0..m).step_by(size) {
                    let count = size.min(m - first);
                    let part = first * n..(first + count) * n;
                    let rows = Matrix::new(&a[first * k..][..count * k], count, k);
                    multiply(set, rows, &packed_b, n, &mut c[part.clone()], output);
                    let rows = Matrix::new(&a_transposed.data, k, m).columns(first, count).transposed();
                    multiply(set, rows, &packed_b, n, &mut c_transposed[part.clone()], output);
                    let c_rows = MatrixMut::new(&mut c_rows[part], count, n);
                    multiply_rows(set, rows, b_rows, c_rows, output);
                }
                assert_same_bits(&c, &whole, &what);
                assert_same_bits(&c_transposed, &whole, format!("{what}, transposed"));
                assert_same_bits(&c_rows, &whole, format!("{what}, B in place"));
            }
            for count in around(lanes::<E>(set), 5) {
                let first = 3;
                let columns = b_stored.matrix().columns(first, count);
                let mut part = vec![E::NAN; packed_length::<E>(set, k, count)];
                pack(set, columns, 0, &mut part);
                let column_slice = |c: &[E]| -> Vec<E> {
                    c.chunks_exact(n).flat_map(|row| &row[first..first + count]).copied().collect()
                };
                let mut c = column_slice(&before);
                multiply(set, Matrix::new(&a, m, k), &part, count, &mut c, output);
                assert_same_bits(&c, &column_slice(&whole), case::<E>(set, format!("{count} columns")));
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn what_is_not_finite_reaches_its_row_or_column_and_no_other() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let (m, k, n) = (13, 9, panel_columns::<E>(set) + 3);
        for (row, inner, column) in [(0, 0, 0), (6, 4, n / 2), (12, 8, n - 1)] {
            for value in [E::NAN, E::INFINITY, -E::INFINITY] {
                // Against zeros: what a kernel might skip, but 0 · ∞ and 0 · NaN are not 0.
                let (mut a, zeros) = (vec![E::ZERO; m * k], vec![E::ZERO; k * n]);
                a[row * k + inner] = value;
                let mut c = vec![E::ZERO; m * n];
                let b = packed(set, &Stored::new(k, n, Form::RowMajor, &zeros, 0));
                multiply(set, Matrix::new(&a, m, k), &b, n, &mut c, Output::Overwrite);
                for (at, c) in c.iter().enumerate() {
                    assert_eq!(c.to_f64().is_nan(), at / n == row, "{}", case::<E>(set, format!("A {at}")));
                }
                let (zeros, mut b) = (vec![E::ZERO; m * k], vec![E::ZERO; k * n]);
                b[inner * n + column] = value;
                let b = packed(set, &Stored::new(k, n, Form::Transposed, &b, 0));
                multiply(set, Matrix::new(&zeros, m, k), &b, n, &mut c, Output::Overwrite);
                for (at, c) in c.iter().enumerate() {
                    assert_eq!(
                        c.to_f64().is_nan(),
                        at % n == column,
                        "{}",
                        case::<E>(set, format!("B {at}"))
                    );
                }
            }
        }
    }
    on_every_set!(check);
}

const SET: InstructionSet = InstructionSet::PORTABLE;

#[test]
#[should_panic(expected = "data: 6 elements expected, 5 found")]
fn a_matrix_has_the_length_of_its_shape() {
    Matrix::new(&[0.0f32; 5], 2, 3);
}

#[test]
#[should_panic(expected = "2 + 2 columns of 3")]
fn there_are_no_columns_beyond_the_last() {
    Matrix::new(&[0.0f32; 6], 2, 3).columns(2, 2);
}

#[test]
#[should_panic(expected = "columns are taken before transposing")]
fn a_transpose_has_no_column_slices() {
    Matrix::new(&[0.0f32; 6], 2, 3).transposed().columns(0, 1);
}

#[test]
#[should_panic(expected = "more panels than 3 columns have")]
fn packing_beyond_the_last_panel() {
    pack(SET, Matrix::new(&[0.0f32; 6], 2, 3), 1, &mut [0.0; 8]);
}

#[test]
#[should_panic(expected = "part of a panel of 4 columns and 2 rows")]
fn packing_part_of_a_panel() {
    pack(SET, Matrix::new(&[0.0f32; 6], 2, 3), 0, &mut [0.0; 7]);
}

#[test]
#[should_panic(expected = "packed: 8 elements expected, 12 found")]
fn a_product_with_panels_of_another_shape() {
    multiply(SET, Matrix::new(&[0.0f32; 4], 2, 2), &[0.0; 12], 3, &mut [0.0; 6], Output::Overwrite);
}

#[test]
#[should_panic(expected = "c: 6 elements expected, 5 found")]
fn a_product_into_too_few_elements() {
    multiply(SET, Matrix::new(&[0.0f32; 4], 2, 2), &[0.0; 8], 3, &mut [0.0; 5], Output::Overwrite);
}

fn rows_in_place(a: Matrix<f32>, b: Matrix<f32>, [rows, columns]: [usize; 2]) {
    let mut c = vec![0.0; rows * columns];
    multiply_rows(SET, a, b, MatrixMut::new(&mut c, rows, columns), Output::Overwrite);
}

#[test]
#[should_panic(expected = "B is read by rows")]
fn rows_in_place_of_a_transpose() {
    rows_in_place(Matrix::new(&[0.0; 4], 2, 2), Matrix::new(&[0.0; 4], 2, 2).transposed(), [2, 2]);
}

#[test]
#[should_panic(expected = "rows of B and columns of C, against A and B")]
fn rows_in_place_that_are_too_few() {
    rows_in_place(Matrix::new(&[0.0; 4], 2, 2), Matrix::new(&[0.0; 2], 1, 2), [2, 2]);
}

#[test]
#[should_panic(expected = "rows of A, against C")]
fn rows_in_place_into_too_many_rows() {
    rows_in_place(Matrix::new(&[0.0; 4], 2, 2), Matrix::new(&[0.0; 4], 2, 2), [3, 2]);
}

#[test]
#[should_panic(expected = "columns of the pieces, against C")]
fn pieces_of_another_width_than_the_output() {
    let pieces = |_| (Matrix::new(&[0.0f32; 4], 2, 2), Matrix::new(&[0.0; 4], 2, 2));
    multiply_pieces(SET, pieces, 1, MatrixMut::new(&mut [0.0; 6], 2, 3), Output::Overwrite);
}

#[test]
#[should_panic(expected = "rows of a piece of A, against B")]
fn pieces_of_different_lengths() {
    let pieces = |_| (Matrix::new(&[0.0f32; 4], 2, 2), Matrix::new(&[0.0; 2], 1, 2));
    multiply_pieces(SET, pieces, 1, MatrixMut::new(&mut [0.0; 4], 2, 2), Output::Overwrite);
}

#[test]
#[should_panic(expected = "column 4 of 3")]
fn a_matrix_is_split_within_its_columns() {
    MatrixMut::new(&mut [0.0f32; 3], 1, 3).split_columns(4);
}
