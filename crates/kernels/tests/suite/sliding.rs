//! Positions of a sliding kernel, by hand; borders of zeros.

use crate::common::{Guard, Guarded, Number, Random, assert_same_bits, case, on_every_set};
use kernels::{
    InstructionSet,
    sliding::{Border, Size, Sliding},
};

/// Rows, columns and channels of an image; rows, columns, stride and dilation of a kernel.
pub fn size(
    [height, width, channels]: [usize; 3],
    kernel: [usize; 2],
    [stride, dilation]: [usize; 2],
) -> Size {
    Size { height, width, channels, kernel_height: kernel[0], kernel_width: kernel[1], stride, dilation }
}

pub fn sliding(image: [usize; 3], kernel: [usize; 2], steps: [usize; 2]) -> Sliding {
    Sliding::new(size(image, kernel, steps))
}

/// Kernels, strides and dilations on an image that is not square, where some rows and columns are cut off.
pub fn shapes(channels: usize) -> Vec<Sliding> {
    let mut shapes = Vec::new();
    for kernel in [[1, 1], [2, 3], [3, 3], [4, 1], [1, 5], [5, 5]] {
        for stride in 1..=4 {
            for dilation in 1..=3 {
                shapes.push(sliding([13, 15, channels], kernel, [stride, dilation]));
            }
        }
    }
    shapes.push(sliding([3, 4, channels], [3, 4], [1, 1]));
    shapes.push(sliding([9, 2, channels], [3, 1], [5, 4]));
    shapes
}

#[test]
fn positions_are_counted_where_all_taps_lie_within() {
    // Nine rows: taps 0, 2, 4 reach to 4, so that positions begin at 0, 3; and of eight columns taps 0, 2 leave 0, 3.
    let strided = sliding([9, 8, 5], [3, 2], [3, 2]);
    assert_eq!((strided.output_height(), strided.output_width()), (2, 2));
    assert_eq!((strided.positions(), strided.taps()), (4, 6));
    assert_eq!((strided.input_length(), strided.output_length()), (360, 20));
    let whole = sliding([7, 3, 1], [7, 3], [1, 1]);
    assert_eq!((whole.output_height(), whole.output_width()), (1, 1));
    assert_eq!(*whole.size(), size([7, 3, 1], [7, 3], [1, 1]));
}

macro_rules! no_sliding {
    ($($name:ident: $size:expr, $message:literal;)*) => {$(
        #[test]
        #[should_panic(expected = $message)]
        fn $name() {
            Sliding::new($size);
        }
    )*};
}
no_sliding! {
    no_channels: size([3, 3, 0], [1, 1], [1, 1]), "a size of zero";
    no_stride: size([3, 3, 1], [1, 1], [0, 1]), "a size of zero";
    no_dilation: size([3, 3, 1], [1, 1], [1, 0]), "a size of zero";
    no_taps: size([3, 3, 1], [0, 1], [1, 1]), "a kernel without taps";
    no_rows: size([0, 3, 1], [1, 1], [1, 1]), "reaches beyond the image";
    a_kernel_too_high: size([3, 5, 1], [4, 1], [1, 1]), "reaches beyond the image";
    taps_too_far_apart: size([9, 4, 1], [1, 3], [1, 2]), "reaches beyond the image";
    a_span_beyond_counting: size([9, 4, 1], [1, 3], [1, usize::MAX]), "reaches beyond the image";
    an_image_too_large: size([1 << 16, 1 << 16, 1], [1, 1], [1, 1]), "more than 2^32 elements";
}

#[test]
fn a_border_surrounds_and_is_cropped() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(1);
        for (image, border) in [
            ([1, 1, 1], Border { top: 1, bottom: 1, left: 1, right: 1 }),
            ([3, 4, 5], Border { top: 2, bottom: 0, left: 1, right: 3 }),
            ([2, 3, 17], Border { top: 0, bottom: 1, left: 0, right: 2 }),
            ([4, 2, 3], Border::default()),
        ] {
            for images in [0, 1, 3] {
                let [height, width, channels] = image;
                let input = random.reals::<E>(images * height * width * channels);
                let (rows, columns) =
                    (border.top + height + border.bottom, border.left + width + border.right);
                let mut padded = Guarded::stale(images * rows * columns * channels, 1);
                border.pad(image, &Guarded::input(&input, 1), &mut padded);
                let what = case::<E>(set, format!("{border:?} around {images} of {image:?}"));
                let mut expected = vec![E::ZERO; padded.len()];
                for (at, value) in input.iter().enumerate() {
                    let (pixel, channel) = (at / channels, at % channels);
                    let (row, column) = (pixel / width, pixel % width);
                    let row = row / height * rows + border.top + row % height;
                    expected[(row * columns + border.left + column) * channels + channel] = *value;
                }
                assert_same_bits(&padded, &expected, &what);
                // What lies in the border is no business of the image's.
                let marked: Vec<E> =
                    padded.iter().map(|value| if *value == E::ZERO { E::NAN } else { *value }).collect();
                let mut cropped = Guarded::stale(input.len(), 1);
                border.crop(image, &Guarded::input(&marked, 1), &mut cropped);
                assert_same_bits(&cropped, &input, &what);
            }
        }
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "output: 9 elements expected, 8 found")]
fn a_border_with_too_little_room() {
    Border { top: 1, bottom: 1, left: 1, right: 1 }.pad([1, 1, 1], &[1.0f32], &mut [0.0; 8]);
}

#[test]
#[should_panic(expected = "input: 9 elements expected, 8 found")]
fn a_border_that_is_not_there() {
    Border { top: 1, bottom: 1, left: 1, right: 1 }.crop([1, 1, 1], &[0.0f32; 8], &mut [0.0]);
}

#[test]
#[should_panic(expected = "an image without pixels")]
fn a_border_around_nothing() {
    Border::default().pad::<f32>([0, 1, 1], &[], &mut []);
}
