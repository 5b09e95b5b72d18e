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
    /// The dark or the light ink of a picture; `None` when nothing stands out.
    pub(crate) fn find(picture: &Picture, dark: bool) -> Option<Self> {
        let (width, height) = (picture.width(), picture.height());
        let background = Surface::background(picture);
        let relative = Picture::from_function(width, height, |x, y| {
            let ground = background.at(x, y).clamp(0.0, 1.0);
            let room = if dark { -ground } else { 1.0 - ground };
            (picture.at(x, y) - ground) / room.abs().max(LEAST_ROOM).copysign(room)
        });
        let relative = without_wide_things(&relative);
        let noise = noise(relative.pixels())?;
        let depth = Picture::from_function(width, height, |x, y| relative.at(x, y).max(0.0));
        Self { depth, level: 0.0, noise }.levelled()
    }

    /// Whether what stands out of a picture's background is darker than it, by its weight; `None` when nothing does.
    pub(crate) fn stands_out_darkly(picture: &Picture) -> Option<bool> {
        let background = Surface::background(picture);
        let deviations = Picture::from_function(picture.width(), picture.height(), |x, y| {
            picture.at(x, y) - background.at(x, y).clamp(0.0, 1.0)
        });
        let even = otsu(deviations.pixels().iter().map(|value| value.abs()))?;
        Some(deviations.pixels().iter().filter(|value| value.abs() > even).sum::<f32>() < 0.0)
    }

    /// This ink without that at some places; `None` when nothing else stands out.
    pub(crate) fn without(&self, left_out: &[bool]) -> Option<Self> {
        let width = self.depth.width();
        let depth = Picture::from_function(width, self.depth.height(), |x, y| {
            if left_out[y * width + x] { 0.0 } else { self.depth.at(x, y) }
        });
        Self { depth, ..*self }.levelled()
    }

    /// With the level of the ink that there is.
    fn levelled(self) -> Option<Self> {
        let floor = (NOISE_DEVIATIONS * self.noise).max(LEAST_DEPTH);
        let level = level(self.depth.pixels(), floor)?;
        Some(Self { level, ..self })
    }

    /// Where there is ink.
    pub(crate) fn mask(&self) -> Vec<bool> {
        let threshold = self.threshold();
        self.depth.pixels().iter().map(|depth| *depth > threshold).collect()
    }

    /// Where depth is above this there is ink: half-way between background and ink.
    fn threshold(&self) -> f32 {
        self.level / 2.0
    }

    /// How many standard deviations of the noise most ink stands out by.
    pub(crate) fn clearness(&self) -> f32 {
        self.level / self.noise
    }
}

/// Depths from what is wide at each place, a shadow or a table, instead of from the surface.
///
/// Where that is w, what is d lies (d − w) / (1 − w) of the way from there to the colour of ink.
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
fn level(depths: &[f32], floor: f32) -> Option<f32> {
    let outstanding = || depths.iter().copied().filter(|depth| *depth > floor);
    let threshold = otsu(outstanding()).unwrap_or(floor);
    let (count, sum) = outstanding()
        .filter(|depth| *depth > threshold)
        .fold((0u32, 0.0f64), |(count, sum), depth| (count + 1, sum + f64::from(depth)));
    (count > 0).then(|| (sum / f64::from(count)) as f32)
}
