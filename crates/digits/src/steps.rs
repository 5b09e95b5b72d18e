//! What is done to a picture of a digit before a model sees it, step by step, to look at and to leave out.

use crate::{
    Bounds, Picture, PictureError, SIDE, digit,
    drawing::{BOX, CENTRE, centre_of_mass, resampled},
};

/// Which of the steps are taken. Whoever leaves one out sees what it is for: a model that learnt MNIST's digits is asked about pictures
/// of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// Light ink on a dark ground, as models learnt it, whatever the picture has.
    pub polarity: bool,
    /// What lies around the digit is left out.
    pub crop: bool,
    /// The digit's longer side becomes [`BOX`] pixels; else the picture's becomes [`SIDE`].
    pub scale: bool,
    /// The digit's centre of mass comes to the middle; else the digit stays where it is in the picture.
    pub centre: bool,
}

impl Steps {
    /// All of them.
    pub const ALL: Self = Self { polarity: true, crop: true, scale: true, centre: true };
}

/// A step's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it is called: `picture`, `polarity`, `crop`, `scale` or `centre`.
    pub name: &'static str,
    /// Whether it was taken; the result is that of the step before, where it was not.
    pub applied: bool,
    /// What the picture has become.
    pub picture: Picture,
}

/// A picture's way to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// In the order in which they are taken.
    pub steps: Vec<Step>,
    /// What the model is given: with all steps the pixels of [`digit()`](crate::digit()).
    pub pixels: [u8; SIDE * SIDE],
    /// What a person must know, in words.
    pub notes: Vec<String>,
}

/// Takes the steps that are asked for. Where the digit cannot be found, cropping leaves all of the picture, and a note says why.
///
/// # Errors
/// As [`digit()`](crate::digit()), when all steps are asked for.
pub fn prepare(picture: &Picture, steps: Steps) -> Result<Prepared, PictureError> {
    let found = digit(picture);
    let mut notes: Vec<String> = match &found {
        Ok(found) => found.doubts.iter().map(ToString::to_string).collect(),
        Err(error) if steps == Steps::ALL => return Err(error.clone()),
        Err(error) => vec![error.to_string()],
    };
    let whole = Bounds { left: 0, top: 0, width: picture.width(), height: picture.height() };
    let bounds = found.as_ref().map_or(whole, |found| within(found.bounds, picture));
    let mut taken = vec![Step { name: "picture", applied: true, picture: picture.clone() }];
    let mut take = |name, applied, picture: &Picture| {
        taken.push(Step { name, applied, picture: picture.clone() });
    };
    let mut seen = if steps.polarity { ink(picture) } else { picture.clone() };
    take("polarity", steps.polarity, &seen);
    let ground = ground(&seen);
    if steps.crop {
        seen = seen.only(bounds, ground);
    }
    take("crop", steps.crop, &if steps.crop { cut(&seen, bounds) } else { seen.clone() });
    let longest = match (steps.scale, steps.crop) {
        (true, _) => BOX as f32 / bounds.width.max(bounds.height).max(1) as f32,
        (false, _) => SIDE as f32 / picture.width().max(picture.height()) as f32,
    };
    // The ground is taken off, so that what lies beyond the picture is ground too, and put under it again.
    let lifted = seen.map(|value| value - ground);
    let middle_of_box =
        [bounds.left as f32 + bounds.width as f32 / 2.0, bounds.top as f32 + bounds.height as f32 / 2.0];
    // Where the digit stands in the picture, the picture's longer side laid along the image's.
    let scale_of_whole = SIDE as f32 / picture.width().max(picture.height()) as f32;
    let stays = std::array::from_fn(|axis| {
        let length = [picture.width(), picture.height()][axis] as f32;
        let border = (SIDE as f32 - length * scale_of_whole) / 2.0;
        let side = [bounds.width, bounds.height][axis] as f32 * longest;
        let place = middle_of_box[axis] * scale_of_whole + border;
        // Inside of the image, where it fits.
        let place =
            if side < SIDE as f32 { place.clamp(side / 2.0, SIDE as f32 - side / 2.0) } else { place };
        place - longest * middle_of_box[axis]
    });
    let placed = |shift: [f32; 2]| {
        let values = resampled(&lifted, longest, shift);
        Picture::from_function(SIDE, SIDE, |x, y| (values[y * SIDE + x] + ground).clamp(0.0, 1.0))
    };
    take("scale", steps.scale, &placed(stays));
    let magnitude = lifted.map(f32::abs);
    let shift = match steps.centre && magnitude.pixels().iter().sum::<f32>() > 0.0 {
        true => centre_of_mass(&magnitude).map(|centre| CENTRE - longest * centre),
        false => stays,
    };
    let image = placed(shift);
    let pixels = match found {
        Ok(found) if steps == Steps::ALL => found.pixels,
        _ => std::array::from_fn(|index| (255.0 * image.pixels()[index]).round() as u8),
    };
    let shown = Picture::from_function(SIDE, SIDE, |x, y| f32::from(pixels[y * SIDE + x]) / 255.0);
    take("centre", steps.centre, &shown);
    if steps.polarity && ink_is_uncertain(picture) {
        notes.push("the ground is neither clearly light nor clearly dark".to_owned());
    }
    Ok(Prepared { steps: taken, pixels, notes })
}

/// A box of the file's pixels in those of the picture, which is smaller where the file is large.
fn within(bounds: Bounds, picture: &Picture) -> Bounds {
    let side = picture.reduction();
    let (left, top) = (bounds.left / side, bounds.top / side);
    Bounds {
        left,
        top,
        width: bounds.width.div_ceil(side).min(picture.width() - left),
        height: bounds.height.div_ceil(side).min(picture.height() - top),
    }
}

/// The middle value along the border.
fn ground(picture: &Picture) -> f32 {
    let (width, height) = (picture.width(), picture.height());
    let mut border: Vec<f32> = (0..width)
        .flat_map(|x| [picture.at(x, 0), picture.at(x, height - 1)])
        .chain((0..height).flat_map(|y| [picture.at(0, y), picture.at(width - 1, y)]))
        .collect();
    border.sort_by(f32::total_cmp);
    border[border.len() / 2]
}

fn ink_is_uncertain(picture: &Picture) -> bool {
    (0.4..0.6).contains(&ground(picture))
}

/// Light ink on a dark ground: the ground becomes 0, what is farthest from it 1.
fn ink(picture: &Picture) -> Picture {
    let ground = ground(picture);
    let sign = if ground > 0.5 { -1.0 } else { 1.0 };
    let lifted = picture.map(|value| (sign * (value - ground)).max(0.0));
    let most = lifted.pixels().iter().copied().fold(0.0, f32::max);
    if most > 0.0 { lifted.map(|value| value / most) } else { lifted }
}

fn cut(picture: &Picture, bounds: Bounds) -> Picture {
    Picture::from_function(bounds.width.max(1), bounds.height.max(1), |x, y| {
        picture.at((bounds.left + x).min(picture.width() - 1), (bounds.top + y).min(picture.height() - 1))
    })
}

impl Picture {
    /// The picture with the ground alone outside of a box.
    fn only(&self, bounds: Bounds, ground: f32) -> Self {
        let inside = |x: usize, y: usize| {
            (bounds.left..bounds.left + bounds.width).contains(&x)
                && (bounds.top..bounds.top + bounds.height).contains(&y)
        };
        Self::from_function(
            self.width(),
            self.height(),
            |x, y| {
                if inside(x, y) { self.at(x, y) } else { ground }
            },
        )
    }

    fn map(&self, change: impl Fn(f32) -> f32) -> Self {
        Self::from_function(self.width(), self.height(), |x, y| change(self.at(x, y)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dark upright stroke on light paper, high up on the left.
    fn one() -> Picture {
        let stroke = |x: usize, y: usize| (20..28).contains(&x) && (15..75).contains(&y);
        Picture::from_function(200, 200, |x, y| if stroke(x, y) { 0.1 } else { 0.95 })
    }

    fn image(steps: Steps) -> [u8; SIDE * SIDE] {
        prepare(&one(), steps).expect("a digit").pixels
    }

    /// Where the ink is, in pixels from the left and from the top.
    fn middle(pixels: &[u8; SIDE * SIDE], ground: u8) -> [f64; 2] {
        let (mut mass, mut sums) = (0.0, [0.0; 2]);
        for (index, value) in pixels.iter().enumerate() {
            let ink = f64::from(value.abs_diff(ground));
            mass += ink;
            sums[0] += ink * ((index % SIDE) as f64 + 0.5);
            sums[1] += ink * ((index / SIDE) as f64 + 0.5);
        }
        sums.map(|sum| sum / mass)
    }

    fn rows_of_ink(pixels: &[u8; SIDE * SIDE]) -> usize {
        pixels.chunks_exact(SIDE).filter(|row| row.iter().any(|value| *value > 60)).count()
    }

    #[test]
    fn all_steps_give_what_predict_gives() {
        assert_eq!(image(Steps::ALL), digit(&one()).expect("a digit").pixels);
    }

    #[test]
    fn a_step_that_is_left_out_is_missed() {
        let all = middle(&image(Steps::ALL), 0);
        assert!(all.iter().all(|place| (place - 14.5).abs() < 0.6), "{all:?}");
        // Without centring the digit stays where it was drawn: above, on the left.
        let off_centre = middle(&image(Steps { centre: false, ..Steps::ALL }), 0);
        assert!(off_centre[0] < 8.0 && off_centre[1] < 12.0, "{off_centre:?}");
        // Without scaling 60 of 200 rows are about 8 of 28.
        let small = image(Steps { scale: false, ..Steps::ALL });
        assert!((7..=11).contains(&rows_of_ink(&small)), "{}", rows_of_ink(&small));
        assert!((19..=22).contains(&rows_of_ink(&image(Steps::ALL))));
        // Without polarity the paper is light.
        let dark_on_light = image(Steps { polarity: false, ..Steps::ALL });
        assert!(dark_on_light[0] > 200, "{}", dark_on_light[0]);
    }

    #[test]
    fn steps_are_told_in_their_order() {
        let prepared = prepare(&one(), Steps { crop: false, ..Steps::ALL }).expect("a digit");
        let told: Vec<_> = prepared.steps.iter().map(|step| (step.name, step.applied)).collect();
        let expected =
            [("picture", true), ("polarity", true), ("crop", false), ("scale", true), ("centre", true)];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_picture_without_a_digit_is_refused_unless_a_step_is_left_out() {
        let even = Picture::from_function(50, 40, |_, _| 0.5);
        assert!(prepare(&even, Steps::ALL).is_err());
        let prepared = prepare(&even, Steps { centre: false, ..Steps::ALL }).expect("looked at as it is");
        assert!(!prepared.notes.is_empty());
        let dot = Picture::from_function(1, 1, |_, _| 0.5);
        for steps in [Steps { crop: false, ..Steps::ALL }, Steps { polarity: false, ..Steps::ALL }] {
            assert!(prepare(&dot, steps).is_ok());
        }
    }
}
