//! What lies around a digit does not change it, and other digits are told apart from it.

mod drawn;

use digits::{Bounds, Doubt, Picture, PictureError, digits};
use drawn::{Strokes, image_of};

const SIDE: usize = 240;

fn picture(value: impl Fn(usize, usize) -> f32) -> Picture {
    Picture::new(SIDE, SIDE, (0..SIDE * SIDE).map(|place| value(place % SIDE, place / SIDE)).collect())
        .expect("a picture")
}

/// A five 110 pixels high on paper of a tone of 0.8, with a little regular grain.
fn five(x: usize, y: usize) -> f32 {
    let grain = if (x * 7 + y * 13).is_multiple_of(5) { 0.01 } else { 0.0 };
    (0.8 - grain) * (1.0 - 0.8 * Strokes::five().coverage(x, y, 140.0, [55.0, 50.0]))
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    let sum: u32 = a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / a.len() as f64
}

/// The five comes out as without its surroundings, alone and without doubt, and its negative does.
fn check(name: &str, drawn: impl Fn(usize, usize) -> f32) {
    let expected = image_of(&picture(five));
    for (polarity, picture) in [("dark", picture(&drawn)), ("light", picture(|x, y| 1.0 - drawn(x, y)))] {
        let found = digits(&picture).unwrap_or_else(|error| panic!("{name}, {polarity}: {error}"));
        assert_eq!((found.len(), &found[0].doubts[..]), (1, &[][..]), "{name}, {polarity}");
        let difference = mean_difference(&expected, &found[0].pixels);
        assert!(difference < 7.0, "{name}, {polarity}: {difference}");
    }
}

#[test]
fn a_scanners_edge_of_any_width_is_left_out() {
    for width in [1, 2, 3, 5, 10, 20, 30] {
        for sides in 1..16usize {
            let in_strip = |x: usize, y: usize| {
                [x, y, SIDE - 1 - x, SIDE - 1 - y]
                    .iter()
                    .enumerate()
                    .any(|(side, away)| sides >> side & 1 == 1 && *away < width)
            };
            check(&format!("{width} pixels, sides {sides:04b}"), |x, y| {
                if in_strip(x, y) { 0.08 } else { five(x, y) }
            });
        }
        let slanting = |x: usize, y: usize| x * 10 < width * 10 + y;
        check(&format!("{width} pixels, slanting"), |x, y| if slanting(x, y) { 0.08 } else { five(x, y) });
    }
}

#[test]
fn a_hard_shadow_is_left_out_wherever_it_falls() {
    for at in (60..420).step_by(20) {
        for light in [0.5, 0.7] {
            check(&format!("a shadow of {light} at {at}"), |x, y| {
                five(x, y) * if x + y < at { 1.0 } else { light }
            });
        }
    }
}

/// Dark, light, and one whose boards are darker and lighter than the paper.
#[test]
fn a_sheet_lies_on_a_table() {
    for turned in [-0.2f32, 0.0, 0.15] {
        let on_sheet = |x: usize, y: usize| {
            let (x, y) = (x as f32 - 120.0, y as f32 - 115.0);
            let (u, v) = (x + turned * y, y - turned * x);
            u.abs() < 85.0 && v.abs() < 95.0
        };
        let boards = |x: usize, y: usize| if (x + y / 9) % 40 < 20 { 0.3 } else { 0.55 };
        type Tone<'a> = &'a dyn Fn(usize, usize) -> f32;
        let tables: [(&str, Tone); 3] = [("dark", &|_, _| 0.2), ("light", &|_, _| 1.0), ("boards", &boards)];
        for (name, table) in tables {
            check(&format!("{name}, turned by {turned}"), |x, y| {
                if on_sheet(x, y) { five(x, y) } else { table(x, y) }
            });
        }
    }
}

/// Three in one line and one below, at places and of sizes of their own.
#[test]
fn digits_are_answered_in_reading_order_with_their_places() {
    let places = [(20, 22, 70.0), (90, 14, 80.0), (170, 30, 60.0), (60, 130, 90.0)];
    let strokes = Strokes::five();
    let found = digits(&picture(|x, y| {
        let covered = |(left, top, side): &(usize, usize, f32)| {
            strokes.coverage(x, y, *side, [*left as f32, *top as f32])
        };
        0.9 - 0.8 * places.iter().map(covered).fold(0.0, f32::max)
    }))
    .expect("four digits");
    assert_eq!(found.len(), places.len());
    for (Bounds { left, top, width, height }, (x, y, side)) in
        found.iter().map(|digit| digit.bounds).zip(places)
    {
        // The strokes' box is from 0.26 to 0.74 and from 0.11 to 0.89 of the square.
        let expected = [x as f32 + 0.26 * side, y as f32 + 0.11 * side, 0.48 * side, 0.78 * side];
        for (found, expected) in [left, top, width, height].into_iter().zip(expected) {
            assert!((found as f32 - expected).abs() <= 2.5, "{found} for {expected}, at {x}, {y}");
        }
    }
    let error = digits::digit(&picture(|x, y| five(x, y).min(five(x.wrapping_sub(75).min(SIDE - 1), y))));
    assert!(matches!(error, Err(PictureError::Several { count: 2 })), "{error:?}");
}

/// A stroke that runs into the border goes on beyond it.
#[test]
fn what_the_border_cuts_is_refused() {
    let at = |left: f32, top: f32| {
        digits(&picture(|x, y| 0.9 - 0.8 * Strokes::five().coverage(x, y, 140.0, [left, top])))
    };
    assert!(at(50.0, 50.0).is_ok());
    for (left, top) in [(-60.0, 50.0), (50.0, -85.0), (170.0, 50.0), (50.0, 170.0)] {
        let found = at(left, top);
        assert!(matches!(found, Err(PictureError::CutOff { .. })), "{left}, {top}: {found:?}");
    }
    // One that is whole beside it is answered, with a word.
    let both = picture(|x, y| {
        let covered = |left| Strokes::five().coverage(x, y, 100.0, [left, 60.0]);
        0.9 - 0.8 * covered(20.0).max(covered(190.0))
    });
    let found = digits(&both).expect("one is whole");
    assert!(matches!((found.len(), &found[0].doubts[..]), (1, [Doubt::CutOff { .. }])), "{found:?}");
}

#[test]
fn what_is_unsure_is_doubted() {
    let doubts =
        |value: &dyn Fn(usize, usize) -> f32| digits(&picture(value)).expect("a digit")[0].doubts.clone();
    let strokes = Strokes::five();
    let covered = |x, y| strokes.coverage(x, y, 140.0, [50.0, 50.0]);
    assert_eq!(doubts(&|x, y| 0.9 - 0.8 * covered(x, y)), []);
    assert_eq!(doubts(&|x, y| 0.9 - 0.05 * covered(x, y)), [Doubt::Faint]);
    let spot = |x: usize, y: usize| (20..50).contains(&x) && (20..50).contains(&y);
    assert_eq!(
        doubts(&|x, y| if spot(x, y) { 0.1 } else { 0.9 - 0.8 * covered(x, y) }),
        [Doubt::LeftOut { count: 1 }]
    );
    let two = |x, y| strokes.coverage(x, y, 90.0, [10.0, 90.0]) - strokes.coverage(x, y, 90.0, [140.0, 90.0]);
    assert!(matches!(doubts(&|x, y| 0.5 - 0.4 * two(x, y))[..], [Doubt::Polarity { .. }]));
    assert_eq!(
        doubts(&|x, y| if (60..180).contains(&x) && (60..180).contains(&y) { 0.1 } else { 0.9 }),
        [Doubt::NoStrokes]
    );
    let wide = |x: usize, y: usize| {
        (40..200).contains(&x)
            && (100..170).contains(&y)
            && !((50..190).contains(&x) && (110..160).contains(&y))
    };
    assert_eq!(doubts(&|x, y| if wide(x, y) { 0.1 } else { 0.9 }), [Doubt::Wide]);
}

/// A box that was drawn for the digit, as in forms.
#[test]
fn a_frame_is_not_the_digit() {
    let frame = |x: usize, y: usize| {
        let away = x.abs_diff(125).max(y.abs_diff(120));
        (90..94).contains(&away)
    };
    check("a frame", |x, y| if frame(x, y) { 0.2 } else { five(x, y) });
}
