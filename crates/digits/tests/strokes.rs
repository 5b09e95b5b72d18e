//! Whatever a digit's size, place and colours, it is drawn the same way.

mod drawn;

use digits::{Picture, digit};
use drawn::{Strokes, image_of};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

/// The mean of the differences between two images, in grey levels.
fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    let sum: u32 = a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / a.len() as f64
}

fn picture(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Picture {
    let pixels = (0..width * height).map(|index| value(index % width, index / width)).collect();
    Picture::new(width, height, pixels).expect("a picture")
}

/// The diameter of the largest circle in some strokes, as a part of their longer side.
fn widest(strokes: &Strokes) -> f32 {
    const SIDE: usize = 48;
    let places = (0..SIDE * SIDE).map(|place| (place % SIDE, place / SIDE));
    let (inside, outside): (Vec<_>, Vec<_>) =
        places.partition(|(x, y)| strokes.coverage(*x, *y, SIDE as f32, [0.0, 0.0]) > 0.5);
    let to = |one: &(usize, usize), other: &(usize, usize)| {
        (one.0.abs_diff(other.0).pow(2) + one.1.abs_diff(other.1).pow(2)) as f32
    };
    let depth = |place| outside.iter().map(|other| to(place, other)).fold(f32::MAX, f32::min);
    let most = inside.iter().map(depth).fold(0.0, f32::max).sqrt();
    let extent = |along: &dyn Fn(&(usize, usize)) -> usize| {
        let most = inside.iter().map(along).max().unwrap_or(0);
        most - inside.iter().map(along).min().unwrap_or(0) + 1
    };
    (2.0 * most - 1.0) / extent(&|place| place.0).max(extent(&|place| place.1)) as f32
}

/// Two to five points, and pens from a twentieth to a seventh of the square.
///
/// Strokes that fill a circle of more than 0.38 of their longer side are left out: from 0.45 on they are taken as a blot,
/// and near to that the size of a pixel decides. `blots_are_doubted_or_refused` has one of 0.49.
fn any_strokes() -> impl Strategy<Value = Strokes> {
    let point = [0.2f32..0.8, 0.2f32..0.8];
    let points = prop::collection::vec(point, 2..6).prop_filter("of some length", |points| {
        let length = points.windows(2).map(|ends| (ends[0][0] - ends[1][0]).hypot(ends[0][1] - ends[1][1]));
        length.sum::<f32>() > 0.3
    });
    (points, 0.05f32..0.15)
        .prop_map(|(points, width)| Strokes { points, width })
        .prop_filter("no blot", |strokes| widest(strokes) <= 0.38)
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

/// Of digits of more than 20 pixels: those a little smaller are left as they are, as MNIST's own.
///
/// Where strokes run close together, which view shows them best may depend on the size: a rare digit comes out otherwise. So the
/// digits are the same each time, and none of these does; of the 2,000 that the same seed draws first, none did either (29 November
/// 2026).
#[test]
fn size_makes_little_difference() {
    const DIGITS: usize = 200;
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), random);
    let cases = (any_strokes(), 2usize..6);
    let mut differences: Vec<(f64, Strokes)> = (0..DIGITS)
        .map(|_| {
            let (strokes, times) = cases.new_tree(&mut runner).expect("strokes").current();
            let of = |side: usize| {
                image_of(&picture(side, side, |x, y| strokes.coverage(x, y, side as f32, [0.0, 0.0])))
            };
            (mean_difference(&of(160), &of(160 * times)), strokes)
        })
        .collect();
    differences.retain(|(difference, _)| *difference >= 6.0);
    assert!(differences.is_empty(), "{} of {DIGITS}: {differences:?}", differences.len());
}

/// Strokes that meet at a sharp angle are wider there than the smaller window.
#[test]
fn a_wedge_is_found_whole_at_any_size() {
    let points = vec![[0.469, 0.25], [0.2, 0.787], [0.595, 0.27]];
    let strokes = Strokes { points, width: 0.134 };
    let of =
        |side: usize| image_of(&picture(side, side, |x, y| strokes.coverage(x, y, side as f32, [0.0, 0.0])));
    let small = of(160);
    for side in [320, 480, 640] {
        assert!(mean_difference(&small, &of(side)) < 6.0, "{side}: {}", mean_difference(&small, &of(side)));
    }
}

/// So short a zigzag of so thick a pen is hardly of strokes.
#[test]
fn blots_are_doubted_or_refused() {
    let points = vec![[0.597, 0.485], [0.657, 0.2], [0.434, 0.304], [0.521, 0.309], [0.651, 0.505]];
    let strokes = Strokes { points, width: 0.113 };
    for across in [0.0, 0.08, 0.3] {
        let drawn = picture(100, 100, |x, y| {
            let light = 0.6 + across * (x as f32 / 100.0 - 0.5) - 0.1 * (y as f32 / 100.0 - 0.5).powi(2);
            light * (1.0 - 0.8 * strokes.coverage(x, y, 100.0, [0.0, 0.0]))
        });
        assert!(digit(&drawn).map_or(true, |digit| !digit.doubts.is_empty()), "{across}");
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

/// Of a slope of light alone nothing stands out, so what does is taken as far as it differs: farther than the line is wide.
#[test]
fn a_line_in_light_that_falls_off_is_found() {
    let strokes = Strokes { points: vec![[0.534, 0.2], [0.383, 0.701]], width: 0.05 };
    let drawn = picture(100, 100, |x, y| {
        let light = 0.6 + 0.204 * (x as f32 / 100.0 - 0.5) - 0.257 * (y as f32 / 100.0 - 0.5).powi(2);
        light * (1.0 - 0.8 * strokes.coverage(x, y, 100.0, [0.0, 0.0]))
    });
    assert!(digit(&drawn).is_ok());
}
