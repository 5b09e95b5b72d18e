//! What stands out of what is wide in a picture, dark or light.

use crate::{
    Picture,
    opening::{closed_inside, medians, opened_inside},
    threshold::otsu,
};

/// What is less than this many standard deviations of the noise is noise.
const NOISE_DEVIATIONS: f32 = 5.0;

/// What stands out by less than two steps of 8-bit values is a rounding.
pub(crate) const LEAST_CONTRAST: f32 = 2.0 / 255.0;

/// A picture's ground is seen in this part of its pixels at least.
const LOW_PART: f32 = 0.3;

/// What stands out by less than this times what three tenths of the picture stand out by is the grain of the ground.
const GRAIN: f32 = 3.0;

/// But what stands out by more than this part of what stands out most is no grain, unless it is hardly seen.
const NO_GRAIN: f32 = 0.25;
const HARDLY_SEEN: f32 = 0.08;

/// Ink cannot be told from a ground that is itself this near to black, or, for light ink, to white.
const LEAST_ROOM: f32 = 0.1;

/// A picture beside the two grounds that its narrow things can lie on: the one without its narrow dark things and the one
/// without its narrow light things. Where nothing narrow is, both are the picture.
pub(crate) struct Relief {
    pub(crate) picture: Picture,
    without_dark: Picture,
    without_light: Picture,
    /// By how much narrow things of either kind stand out at each place.
    contrast: Vec<f32>,
    /// The pixels that are looked at, if not all are.
    mask: Option<Vec<bool>>,
    /// Standard deviation of the noise of a pixel, or of the grain of the ground if that is more.
    pub(crate) noise: f32,
}

impl Relief {
    /// What is wide is what a square of 2 × `half` + 1 pixels fits into. Of a mask only the pixels inside are looked at;
    /// what is outside is as what lies beyond the picture.
    pub(crate) fn new(picture: Picture, half: usize, mask: Option<&[bool]>) -> Self {
        let calm = medians(&picture);
        let without_dark = closed_inside(&calm, half, mask);
        let without_light = opened_inside(&calm, half, mask);
        let is_inside = |place: usize| mask.is_none_or(|mask| mask[place]);
        let grounds = without_dark.pixels().iter().zip(without_light.pixels());
        let contrast: Vec<f32> = picture
            .pixels()
            .iter()
            .zip(grounds)
            .enumerate()
            .map(
                |(place, (value, (light, dark)))| {
                    if is_inside(place) { light.max(*value) - dark.min(*value) } else { 0.0 }
                },
            )
            .collect();
        let noise = noise(&picture, is_inside).max(grain(&contrast, is_inside) / NOISE_DEVIATIONS);
        let mask = mask.map(<[bool]>::to_vec);
        Self { picture, without_dark, without_light, contrast, mask, noise }
    }

    /// By how much narrow things of either kind stand out at a place.
    pub(crate) fn contrast(&self, place: usize) -> f32 {
        self.contrast[place]
    }

    /// Whether a place is in the mask.
    pub(crate) fn is_inside(&self, place: usize) -> bool {
        self.mask.as_ref().is_none_or(|mask| mask[place])
    }

    /// The ground without dark things and the one without light things at a place.
    pub(crate) fn grounds(&self, place: usize) -> [f32; 2] {
        [&self.without_dark, &self.without_light].map(|ground| ground.pixels()[place])
    }

    /// Those grounds or the pixel itself, if it goes further: a line a pixel wide is in neither of them.
    pub(crate) fn extremes(&self, place: usize) -> [f32; 2] {
        let [light, dark] = self.grounds(place);
        let value = self.picture.pixels()[place];
        [light.max(value), dark.min(value)]
    }

    /// The least contrast that is neither noise nor rounding.
    pub(crate) fn floor(&self) -> f32 {
        (NOISE_DEVIATIONS * self.noise).max(LEAST_CONTRAST)
    }

    /// How far a pixel lies on the way from the ground to black, for dark ink, or to white: the same in light and in
    /// shadow, and 0 on the other side of the ground.
    pub(crate) fn depth(&self, dark: bool, place: usize) -> f32 {
        let value = self.picture.pixels()[place];
        let room = self.room(dark, place);
        let distance = match dark {
            true => self.without_dark.pixels()[place] - value,
            false => value - self.without_light.pixels()[place],
        };
        (distance / room).max(0.0)
    }

    /// The standard deviation of the noise of a depth.
    pub(crate) fn noise_of_depth(&self, dark: bool, place: usize) -> f32 {
        self.noise / self.room(dark, place)
    }

    fn room(&self, dark: bool, place: usize) -> f32 {
        let room = match dark {
            true => self.without_dark.pixels()[place],
            false => 1.0 - self.without_light.pixels()[place],
        };
        room.max(LEAST_ROOM)
    }
}

/// The standard deviation of the noise of a picture's pixels, from the differences of each from its neighbours that slopes
/// and straight edges leave at 0 (Immerkær, "Fast noise variance estimation", 1996).
///
/// Not their mean is taken but the size that three tenths of them are below, so that what is drawn, and a rough ground
/// beside a smooth one, count little; noise at black or white, of which half is cut off, keeps a part of itself.
fn noise(picture: &Picture, is_inside: impl Fn(usize) -> bool) -> f32 {
    /// The size that a part of 0.3 of normal values of standard deviation 1 is below.
    const SIZE: f32 = 0.3853;
    let (width, height) = (picture.width(), picture.height());
    let pixels = picture.pixels();
    let mut sizes = Vec::with_capacity(pixels.len());
    for y in 1..height.max(2) - 1 {
        for x in 1..width.max(2) - 1 {
            let place = y * width + x;
            if !is_inside(place) {
                continue;
            }
            let row = |place: usize| [pixels[place - 1], pixels[place], pixels[place + 1]];
            let ([a, b, c], [d, e, f], [g, h, i]) = (row(place - width), row(place), row(place + width));
            sizes.push((a + c + g + i - 2.0 * (b + d + f + h) + 4.0 * e).abs());
        }
    }
    if sizes.is_empty() {
        return 0.0;
    }
    let place = (LOW_PART * sizes.len() as f32) as usize;
    // The weights' squares sum to 36.
    *sizes.select_nth_unstable_by(place, f32::total_cmp).1 / SIZE / 6.0
}

/// How much contrast the grain of the ground has.
fn grain(contrast: &[f32], is_inside: impl Fn(usize) -> bool) -> f32 {
    let mut inside: Vec<f32> = contrast
        .iter()
        .enumerate()
        .filter(|(place, _)| is_inside(*place))
        .map(|(_, contrast)| *contrast)
        .collect();
    let most = inside.iter().copied().fold(0.0, f32::max);
    if inside.is_empty() {
        return 0.0;
    }
    let place = (LOW_PART * inside.len() as f32) as usize;
    let low = *inside.select_nth_unstable_by(place, f32::total_cmp).1;
    (GRAIN * low).min((NO_GRAIN * most).max(HARDLY_SEEN))
}

/// The mean depth of ink: of what is above Otsu's threshold among all that stands out by more than a floor.
///
/// Noise is left out, as ink can be so little of a picture that Otsu's threshold would fall into the noise.
pub(crate) fn level(depths: impl Iterator<Item = f32> + Clone, floor: f32) -> Option<f32> {
    let outstanding = || depths.clone().filter(|depth| *depth > floor);
    let threshold = otsu(outstanding()).unwrap_or(floor);
    let (count, sum) = outstanding()
        .filter(|depth| *depth > threshold)
        .fold((0u32, 0.0f64), |(count, sum), depth| (count + 1, sum + f64::from(depth)));
    (count > 0).then(|| (sum / f64::from(count)) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uniform numbers from −1 to 1 of a linear congruential generator (Knuth's MMIX).
    fn random() -> impl FnMut() -> f32 {
        let mut state = 7u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        }
    }

    #[test]
    fn noise_is_found_beside_slopes_edges_and_strokes() {
        let mut random = random();
        // Sums of twelve uniform numbers are nearly normal; their standard deviation is 2.
        let noise: Vec<f32> =
            (0..100 * 80).map(|_| 0.05 * (0..12).map(|_| random()).sum::<f32>() / 2.0).collect();
        let drawn = |x: usize, y: usize| match (x, y) {
            (70.., _) => 0.2,
            (30..34, _) => 0.1,
            _ => 0.4 + 0.002 * x as f32 + 0.001 * y as f32,
        };
        let picture = Picture::from_function(100, 80, |x, y| drawn(x, y) + noise[y * 100 + x]);
        let found = super::noise(&picture, |_| true);
        assert!((found / 0.05 - 1.0).abs() < 0.2, "{found}");
        assert!(super::noise(&Picture::from_function(100, 80, drawn), |_| true) < 1e-5);
        assert_eq!(super::noise(&Picture::from_function(2, 2, drawn), |_| true), 0.0);
    }

    /// Under half of the light, ink has half of the contrast and the same depth.
    #[test]
    fn depth_is_the_same_in_light_and_in_shadow() {
        let ink = |x: usize, y: usize| (10..50).contains(&x) && (18..21).contains(&y);
        let light = |x: usize| if x < 30 { 0.8 } else { 0.4 };
        let drawn = |x, y| light(x) * if ink(x, y) { 0.25 } else { 1.0 };
        let relief = Relief::new(Picture::from_function(60, 40, drawn), 5, None);
        for (x, y) in [(15, 19), (45, 19), (28, 18), (31, 20)] {
            let depth = relief.depth(true, y * 60 + x);
            assert!((depth - 0.75).abs() < 0.01, "{depth} at {x}, {y}");
        }
        let elsewhere = (0..60 * 40).filter(|place| !ink(place % 60, place / 60));
        for place in elsewhere {
            assert!(relief.depth(true, place) < 0.01, "{} at {place}", relief.depth(true, place));
        }
    }
}
