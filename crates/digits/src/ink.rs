//! What stands out of the background.

use crate::{
    Picture,
    lighting::Surface,
    opening::{opened, smoothed},
    threshold::otsu,
};

/// What is less than this many standard deviations of the noise is noise.
const NOISE_DEVIATIONS: f32 = 4.0;

/// What stands out by less than one and a half steps of 8-bit values is a rounding.
const LEAST_DEPTH: f32 = 1.5 / 255.0;

/// Ink cannot be told from a background that is itself this near to black, or, for light ink, to white.
const LEAST_ROOM: f32 = 0.1;

/// Nothing wider than this part of the picture's shorter side is a stroke: it is background of another light.
const WIDEST_STROKE: f32 = 1.0 / 3.0;

/// Before the background is looked for, noise is smoothed over this part of the longer side on both sides of a pixel.
const SMOOTHED: f32 = 1.0 / 100.0;

/// A picture's ink.
pub(crate) struct Ink {
    /// How far each pixel stands out of the background, as a part of the way to black for dark ink and to white for
    /// light: the same in light and in shadow, 0 on the other side of the background.
    pub(crate) depth: Picture,
    /// Depth of most ink.
    pub(crate) level: f32,
    /// Standard deviation of the background's depth.
    pub(crate) noise: f32,
}

impl Ink {
    /// Divides a picture; `None` when nothing stands out.
    pub(crate) fn find(picture: &Picture) -> Option<Self> {
        let (width, height) = (picture.width(), picture.height());
        let background = Surface::background(picture);
        let ground = |x, y| background.at(x, y).clamp(0.0, 1.0);
        let deviation = Picture::from_function(width, height, |x, y| picture.at(x, y) - ground(x, y));
        let even = otsu(deviation.pixels().iter().map(|value| value.abs()))?;
        let outstanding = deviation.pixels().iter().filter(|value| value.abs() > even);
        let dark = outstanding.sum::<f32>() < 0.0;
        let relative = Picture::from_function(width, height, |x, y| {
            let room = if dark { -ground(x, y) } else { 1.0 - ground(x, y) };
            deviation.at(x, y) / room.abs().max(LEAST_ROOM).copysign(room)
        });
        let relative = without_wide_things(&relative);
        let noise = noise(relative.pixels())?;
        let level = level(&relative, (NOISE_DEVIATIONS * noise).max(LEAST_DEPTH))?;
        let depth = Picture::from_function(width, height, |x, y| relative.at(x, y).max(0.0));
        Some(Self { depth, level, noise })
    }

    /// Where depth is above this there is ink: half-way between background and ink.
    pub(crate) fn threshold(&self) -> f32 {
        self.level / 2.0
    }

    /// How many standard deviations of the noise most ink stands out by.
    pub(crate) fn clearness(&self) -> f32 {
        self.level / self.noise
    }
}

/// Depths from what is wide at each place, a shadow or a table, instead of from the surface.
///
/// Where the background of depth w was taken for 0, what is of depth d is in truth of (d − w) / (1 − w): the part of the
/// way from there to black.
fn without_wide_things(relative: &Picture) -> Picture {
    let (width, height) = (relative.width(), relative.height());
    let half_smoothed = ((width.max(height) as f32 * SMOOTHED) as usize).max(1);
    let half_stroke = (width.min(height) as f32 * WIDEST_STROKE / 2.0).ceil() as usize;
    let wide = opened(&smoothed(relative, half_smoothed), half_stroke);
    Picture::from_function(width, height, |x, y| {
        let wide = wide.at(x, y);
        (relative.at(x, y) - wide) / (1.0 - wide).max(LEAST_ROOM)
    })
}

/// The background's standard deviation, from the median of its absolute deviations; for normal noise the standard
/// deviation is 1.4826 times that. Background is what Otsu's threshold leaves below; `None` if nothing stands out of it.
fn noise(relative: &[f32]) -> Option<f32> {
    let sizes = relative.iter().map(|depth| depth.abs());
    let even = otsu(sizes.clone())?;
    let mut sizes: Vec<f32> = sizes.filter(|size| *size <= even).collect();
    let middle = sizes.len() / 2;
    Some(1.4826 * *sizes.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// The mean depth of ink: of what is above Otsu's threshold among all that stands out of the noise.
///
/// Noise is left out, as ink can be so little of a picture that Otsu's threshold would fall into the noise. Shadows are
/// not, and fall below the threshold.
fn level(relative: &Picture, floor: f32) -> Option<f32> {
    let outstanding = || relative.pixels().iter().copied().filter(|depth| *depth > floor);
    let threshold = otsu(outstanding()).unwrap_or(floor);
    let (count, sum) = outstanding()
        .filter(|depth| *depth > threshold)
        .fold((0u32, 0.0f64), |(count, sum), depth| (count + 1, sum + f64::from(depth)));
    (count > 0).then(|| (sum / f64::from(count)) as f32)
}
