//! Sizes whose products wrap: each is refused before a kernel reads or writes anything.
//!
//! The workspace's profile compiles this package without checks of overflow, as a release build has it. Without the
//! checked products of `length.rs` most of these cases pass their checks, and end outside of their slices.

use crate::sliding::{size, sliding};
use kernels::{
    Buffer, InstructionSet,
    attention::{self, PROJECTIONS},
    batch_norm, convolution, dropout, gru, layer_norm,
    lit::Lit,
    lstm,
    matmul::{Matrix, MatrixMut, Output, multiply, multiply_packed_rows, multiply_rows, pack, packed_length},
    pixels,
    sliding::{Border, Sliding},
    softmax,
};

/// Its square wraps to 0.
const ROOT: usize = 1 << (usize::BITS / 2);
/// Twice it wraps to 0.
const HALF: usize = 1 << (usize::BITS - 1);

/// Each body must end with a panic of that message.
macro_rules! refused {
    ($($name:ident: $message:literal, $body:block)*) => {$(
        #[test]
        #[should_panic(expected = $message)]
        fn $name() {
            $body
        }
    )*};
}

#[test]
fn overflow_wraps_here_as_in_a_release_build() {
    assert_eq!(std::hint::black_box(usize::MAX) + std::hint::black_box(1), 0);
}

fn set() -> InstructionSet {
    InstructionSet::detect()
}

refused! {
    a_buffer_of_bytes_that_wrap: "too large", {
        Buffer::<f32>::zeros(1 << (usize::BITS - 2));
    }
    a_buffer_of_more_than_half_the_memory: "capacity overflow", {
        Buffer::<f32>::zeros(usize::MAX / 4);
    }

    a_matrix_whose_sides_wrap: "expected, 0 found", {
        Matrix::<f32>::new(&[], ROOT, ROOT);
    }
    a_matrix_to_write_whose_sides_wrap: "expected, 0 found", {
        MatrixMut::<f32>::new(&mut [], ROOT, ROOT);
    }
    columns_that_wrap: "2 columns of 3", {
        let _ = Matrix::<f32>::new(&[], 0, 3).columns(usize::MAX, 2);
    }
    a_packed_length_that_wraps: "too large", {
        packed_length::<f32>(set(), ROOT, ROOT);
    }
    a_packed_row_that_wraps: "too large", {
        packed_length::<f32>(set(), 1, usize::MAX);
    }
    a_first_panel_that_wraps: "too large", {
        let matrix = Matrix::new(&[0.0f32; 4], 2, 2);
        pack(set(), matrix, HALF, &mut [0.0; 32]);
    }
    a_product_whose_output_wraps: "expected, 0 found", {
        multiply::<f32>(set(), Matrix::new(&[], ROOT, 0), &[], ROOT, &mut [], Output::Overwrite);
    }
    a_product_of_packed_rows_that_wraps: "too large", {
        let output = MatrixMut::new(&mut [], 0, usize::MAX);
        multiply_packed_rows::<f32>(set(), Matrix::new(&[], 0, 0), &[], 0..0, output, Output::Overwrite);
    }

    an_image_whose_pixels_wrap: "an image of more than 2^32 elements", {
        convolution_geometry([1 << (usize::BITS / 2 - 1), ROOT, 1], 1, [3, 3], 1, [1, 1]);
    }
    an_image_whose_channels_wrap: "too large", {
        convolution_geometry([ROOT, ROOT, ROOT], 1, [3, 3], 1, [1, 1]);
    }
    filters_whose_weights_wrap: "too large", {
        convolution_geometry([3, 3, 2], HALF, [3, 3], 1, [1, 1]);
    }
    filters_whose_outputs_wrap: "too large", {
        convolution_geometry([3, 2, 1], HALF, [1, 1], 1, [1, 1]);
    }
    a_pool_whose_positions_wrap: "too large", {
        // Three times this is 1, as far as the product is not counted whole.
        let third = usize::MAX / 3 * 2 + 1;
        convolution_geometry([9, 9, 1], 1, [3, 3], 1, [3, third]);
    }
    a_first_filter_that_wraps: "more filters than the geometry has: 2 from ", {
        let geometry = convolution_geometry([3, 3, 1], 2, [3, 3], 1, [1, 1]);
        let output = convolution::OutputGradient { gradient: &[1.0f32; 2], winners: &[0; 2] };
        convolution::backward_weights(
            set(), &geometry, &[1.0; 9], output, usize::MAX, &mut [0.0; 18], &mut [0.0; 2],
        );
    }

    windows_weights_that_wrap: "too large", {
        convolution::general::Geometry::new(sliding([3, 3, 2], [3, 3], [1, 1]), HALF, 1);
    }
    windows_outputs_that_wrap: "too large", {
        convolution::general::Geometry::new(sliding([3, 2, 1], [1, 1], [1, 1]), HALF, 1);
    }
    windows_images_that_wrap: "too large", {
        let geometry = convolution::general::Geometry::new(sliding([4, 4, 1], [1, 1], [1, 1]), 1, 1);
        convolution::general::workspace_length::<f32>(&geometry, HALF);
    }
    a_sliding_image_that_wraps: "too large", {
        Sliding::new(size([ROOT, ROOT, 1], [1, 1], [1, 1]));
    }
    a_border_that_wraps: "too large together", {
        let border = Border { left: usize::MAX, right: 1, ..Border::default() };
        border.pad([1, 1, 1], &[1.0f32], &mut [0.0]);
    }

    lstm_weights_that_wrap: "too large", {
        lstm::Size { inputs: 1, units: HALF + 2 }.packed_length::<f32>(set());
    }
    lstm_inputs_that_wrap: "too large together", {
        lstm::Size { inputs: usize::MAX, units: 16 }.packed_length::<f32>(set());
    }
    an_lstm_step_of_units_that_wrap: "too large", {
        let size = lstm::Size { inputs: 1, units: HALF + 2 };
        let gates = lstm::Blocked { values: &mut [0.0; 64], stride: 64 };
        let output = lstm::StepOutput { h: &mut [0.0; 2], c: &mut [0.0; 2], gates };
        lstm::forward_step(set(), size, &[0.0f32; 1], None, &[0.0; 192], &[0.0; 64], output);
    }
    lstm_gates_so_far_apart_that_they_wrap: "too large", {
        let gates = lstm::Blocked { values: &mut [0.0; 128], stride: HALF };
        let gradient = lstm::StepGradient { h: &[0.0f32; 33], c: &mut [0.0; 33], gates };
        let trace = lstm::StepTrace { c: &[0.0; 33], previous_c: None };
        lstm::backward_step(set(), lstm::Size { inputs: 1, units: 33 }, trace, gradient);
    }
    lstm_rows_that_wrap: "too large", {
        lstm::block_rows::<f32>(set(), lstm::Size { inputs: 1, units: HALF }, &[], 0, &mut []);
    }
    lstm_columns_that_wrap: "too large", {
        lstm::pack_transposed::<f32>(set(), lstm::Size { inputs: 1, units: HALF }, &[], 0, &mut []);
    }
    lstm_sums_that_wrap: "too large", {
        lstm::add_unblocked::<f32>(set(), lstm::Size { inputs: 1, units: HALF }, &[], 0, &mut []);
    }
    gru_values_of_another_length: "values: 8 elements expected, 9 found (shape 1×4×2)", {
        gru::forward_step(set(), 2, &[0.0f32; 2], &mut [0.0; 9], &mut [0.0; 2]);
    }

    attention_steps_that_wrap: "too large", {
        attention::Size { steps: ROOT, features: 1, heads: 1 }.probabilities_length::<f32>(set());
    }
    attention_features_that_wrap: "too large", {
        let size = attention::Size { steps: 1, features: usize::MAX / PROJECTIONS + 1, heads: 1 };
        attention::forward::<f32>(set(), size, &[], &mut [], &mut [], &mut []);
    }
    attention_padding_that_wraps: "too large", {
        attention::Size { steps: usize::MAX, features: 1, heads: 1 }.scratch_length::<f32>(set());
    }

    a_batch_normalisation_that_wraps: "too large", {
        batch_norm::workspace_length(HALF);
    }
    a_folded_batch_normalisation_that_wraps: "too large", {
        batch_norm::folded_length(usize::MAX / 3 + 1);
    }
    a_layer_normalisation_of_another_length: "input: 6 elements expected, 5 found (shape 2×3)", {
        let (mut output, mut rows) = ([0.0f32; 6], [[0.0; 2]; 2]);
        let [means, inverse] = &mut rows;
        layer_norm::forward(set(), 0.0, &[0.0; 5], &[1.0; 3], &[0.0; 3], &mut output, means, inverse);
    }
    classes_that_wrap: "expected, 0 found", {
        softmax::softmax_cross_entropy::<f32>(&[], &[0, 1], HALF, &mut []);
    }

    lit_rows_that_are_not_whole: "5 elements in rows of 3", {
        let _ = Lit::of(set(), &[0.0f32; 5], 3);
    }
    pixels_of_another_length: "output: 3 elements expected, 2 found", {
        pixels::scale_pixels(set(), &[0; 3], &mut [0.0f32; 2]);
    }
    a_dropout_of_another_length: "output: 3 elements expected, 2 found", {
        dropout::dropout(set(), dropout::Key::new(&[1]), 0.5, &[0.0f32; 3], &mut [0.0; 2]);
    }
}

fn convolution_geometry(
    [height, width, channels]: [usize; 3],
    filters: usize,
    [kernel_height, kernel_width]: [usize; 2],
    stride: usize,
    [pool_height, pool_width]: [usize; 2],
) -> convolution::Geometry {
    convolution::Geometry::new(convolution::Size {
        height,
        width,
        channels,
        filters,
        kernel_height,
        kernel_width,
        stride,
        pool_height,
        pool_width,
        activation: convolution::Activation::Linear,
    })
}

/// What is empty is no work, however large its other side is said to be.
#[test]
fn nothing_times_anything_is_nothing() {
    let set = set();
    let wide = || Matrix::<f32>::new(&[], 0, usize::MAX);
    let to = MatrixMut::new(&mut [], 0, usize::MAX);
    multiply_rows::<f32>(set, Matrix::new(&[], 0, 0), wide(), to, Output::Overwrite);
    kernels::columns::softmax_columns::<f32>(set, &mut [], usize::MAX, 1.0);
    assert!(Lit::of::<f32>(set, &[], usize::MAX).rows.is_empty());
}

/// A stride beyond the image leaves one position, whatever it is.
#[test]
fn the_farthest_strides_are_one_position() {
    let set = set();
    for far in [5, ROOT, HALF, usize::MAX] {
        let one = sliding([4, 3, 2], [2, 3], [far, 1]);
        assert_eq!((one.positions(), one.size().stride), (1, 4));
        assert_eq!(sliding([4, 3, 2], [1, 1], [1, far]).positions(), 12);
        let geometry = convolution_geometry([4, 4, 1], 1, [3, 3], far, [1, 1]);
        let mut packed = vec![0.0f32; convolution::packed_weights_length::<f32>(set, &geometry)];
        convolution::pack_weights(set, &geometry, &[1.0; 9], &mut packed);
        let (mut output, mut winners) = ([0.0], [9]);
        convolution::forward(
            set,
            &geometry,
            &[1.0; 16],
            &packed,
            &[0.5],
            &mut output,
            &mut winners,
            &mut [0.0],
        );
        assert_eq!((output, winners), ([9.5], [0]), "{far}");
        let depthwise = kernels::depthwise::Geometry::new(sliding([4, 4, 1], [3, 3], [far, 1]));
        let mut d_input = [0.0f32; 16];
        kernels::depthwise::backward_input(set, &depthwise, &[1.0; 9], &[2.0], &mut d_input);
        assert_eq!(d_input.iter().sum::<f32>(), 18.0, "{far}");
    }
}
