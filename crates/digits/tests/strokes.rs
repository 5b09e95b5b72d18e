//! Whatever a digit's size, place and colours, it is drawn the same way.

mod drawn;

use digits::{Picture, digit};
use drawn::{Strokes, image_of};
use proptest::prelude::*;

/// The mean of the differences between two images, in grey levels.
fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    let sum: u32 = a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / a.len() as f64
}

fn picture(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Picture {
    let pixels = (0..width * height).map(|index| value(index % width, index / width)).collect();
    Picture::new(width, height, pixels).expect("a picture")
}

/// Two to five points, and pens from a twentieth to a seventh of the square.
fn any_strokes() -> impl Strategy<Value = Strokes> {
    let point = [0.2f32..0.8, 0.2f32..0.8];
    let points = prop::collection::vec(point, 2..6).prop_filter("of some length", |points| {
        let length = points.windows(2).map(|ends| (ends[0][0] - ends[1][0]).hypot(ends[0][1] - ends[1][1]));
        length.sum::<f32>() > 0.3
    });
    (points, 0.05f32..0.15).prop_map(|(points, width)| Strokes { points, width })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_negative_gives_the_same_digit(strokes in any_strokes(), side in 28usize..120) {
        let at = |x, y| 0.1 + 0.7 * strokes.coverage(x, y, side as f32, [0.0, 0.0]);
        let light = image_of(&picture(side, side, at));
        let dark = image_of(&picture(side, side, |x, y| 1.0 - at(x, y)));
        prop_assert!(light.iter().zip(&dark).all(|(a, b)| a.abs_diff(*b) <= 2), "{}", mean_difference(&light, &dark));
    }

    /// Of digits of more than 20 pixels: those a little smaller are left as they are, as MNIST's own.
    #[test]
    fn size_makes_little_difference(strokes in any_strokes(), times in 2usize..6) {
        let of = |side: usize| image_of(&picture(side, side, |x, y| strokes.coverage(x, y, side as f32, [0.0, 0.0])));
        let (small, large) = (of(160), of(160 * times));
        prop_assert!(mean_difference(&small, &large) < 6.0, "{}", mean_difference(&small, &large));
    }

    #[test]
    fn the_place_makes_no_difference(strokes in any_strokes(), right in 0u8..60, down in 0u8..40) {
        let of = |shift| image_of(&picture(140, 120, |x, y| strokes.coverage(x, y, 80.0, shift)));
        let (here, there) = (of([0.0, 0.0]), of([f32::from(right), f32::from(down)]));
        prop_assert!(here.iter().zip(&there).all(|(a, b)| a.abs_diff(*b) <= 2), "{}", mean_difference(&here, &there));
    }

    #[test]
    fn light_that_falls_off_makes_little_difference(strokes in any_strokes(), across in -0.3f32..0.3, down in -0.3f32..0.3) {
        let even = image_of(&picture(100, 100, |x, y| 0.8 * (1.0 - 0.8 * strokes.coverage(x, y, 100.0, [0.0, 0.0]))));
        let uneven = image_of(&picture(100, 100, |x, y| {
            let light = 0.6 + across * (x as f32 / 100.0 - 0.5) + down * (y as f32 / 100.0 - 0.5).powi(2);
            light * (1.0 - 0.8 * strokes.coverage(x, y, 100.0, [0.0, 0.0]))
        }));
        prop_assert!(mean_difference(&even, &uneven) < 3.0, "{}", mean_difference(&even, &uneven));
    }

    #[test]
    fn ink_is_white_and_its_centre_of_mass_in_the_middle(strokes in any_strokes(), side in 40usize..300) {
        let image = image_of(&picture(side, side, |x, y| strokes.coverage(x, y, side as f32, [0.0, 0.0])));
        prop_assert_eq!(image.iter().max(), Some(&255));
        let mass: f64 = image.iter().map(|value| f64::from(*value)).sum();
        let centre = |place: &dyn Fn(usize) -> usize| {
            image.iter().enumerate().map(|(index, value)| (place(index) as f64 + 0.5) * f64::from(*value)).sum::<f64>() / mass
        };
        for centre in [centre(&|index| index % 28), centre(&|index| index / 28)] {
            prop_assert!((14.0..=15.0).contains(&centre), "{}", centre);
        }
    }

    #[test]
    fn any_picture_gives_a_digit_or_an_error(width in 1usize..40, height in 1usize..40, seed in any::<u64>(), levels in 1u64..5) {
        let value = |x: usize, y: usize| {
            let word = (seed ^ (y * 40 + x) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            (word % levels) as f32 / 4.0
        };
        if let Ok(digit) = digit(&picture(width, height, value)) {
            prop_assert_eq!(digit.pixels.iter().max(), Some(&255));
        }
    }
}

/// The longer side has 20 pixels, the shorter one as many as its part of the longer one asks for.
#[test]
fn a_digit_keeps_its_shape() {
    for (wide, high) in [(100, 50), (50, 100), (80, 80), (40, 90)] {
        let inside = |x: usize, y: usize| (30..30 + wide).contains(&x) && (20..20 + high).contains(&y);
        let image = image_of(&picture(170, 160, |x, y| if inside(x, y) { 0.0 } else { 1.0 }));
        let columns = (0..28).filter(|x| (0..28).any(|y| image[y * 28 + x] > 127)).count();
        let rows = (0..28).filter(|y| (0..28).any(|x| image[y * 28 + x] > 127)).count();
        let part = 20.0 / wide.max(high) as f64;
        for (found, side) in [(columns, wide), (rows, high)] {
            assert!((found as f64 - part * side as f64).abs() <= 1.0, "{columns}×{rows} of {wide}×{high}");
        }
    }
}

/// A pen a hundredth of the digit wide would leave a grey shadow of a digit.
#[test]
fn thin_strokes_become_as_wide_as_a_pen() {
    let ring = |x: usize, y: usize| ((x as f32 - 250.0).hypot(y as f32 - 250.0) - 150.0).abs() < 1.5;
    let image = image_of(&picture(500, 500, |x, y| if ring(x, y) { 0.2 } else { 0.9 }));
    // Across the ring, from the left to the middle.
    let stroke: f64 = image[14 * 28..14 * 28 + 14].iter().map(|value| f64::from(*value) / 255.0).sum();
    assert!((1.9..2.6).contains(&stroke), "{stroke}");
}

#[test]
fn nothing_is_no_digit() {
    let error = |value: f32| digit(&picture(30, 20, |_, _| value)).expect_err("it is refused").to_string();
    for value in [0.0, 0.3, 1.0] {
        assert_eq!(error(value), "no digit found: the picture is one uniform colour");
    }
}

#[test]
fn the_smallest_and_the_longest_pictures_are_borne() {
    for (width, height) in [(1, 1), (1, 2), (3, 1), (1, 5_000), (5_000, 1), (16_384, 2)] {
        let of = |ink: usize| picture(width, height, |x, y| if x + y == ink { 1.0 } else { 0.0 });
        for ink in [0, (width + height) / 2 - 1, width + height - 2] {
            // An answer of either kind is one.
            let _answer = digit(&of(ink));
        }
    }
}

/// A shadow of half the light, a table's edge and dust: the digit is what it is without them.
#[test]
fn a_table_beside_the_paper_is_not_the_digit() {
    let strokes = Strokes::five();
    let clean =
        image_of(&picture(200, 200, |x, y| 0.8 * (1.0 - 0.8 * strokes.coverage(x, y, 130.0, [50.0, 40.0]))));
    let image = image_of(&picture(200, 200, |x, y| {
        let dust = (x, y) == (20, 180) || (x, y) == (190, 12);
        if x + y / 8 < 30 || dust {
            return 0.15;
        }
        0.8 * (1.0 - 0.8 * strokes.coverage(x, y, 130.0, [50.0, 40.0]))
    }));
    assert!(mean_difference(&clean, &image) < 2.0, "{}", mean_difference(&clean, &image));
}
