//! Mixup and CutMix: a second image and its share.

use super::{Augmentation, erasing::Rectangle};
use crate::{bounded, random::between, random::unit};
use rand_chacha::rand_core::Rng;

/// What a second image of the batch gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mixing {
    /// Its position in the batch.
    pub(super) partner: usize,
    /// The first image's own share.
    pub(super) weight: f32,
    /// Where it lies in the first; none where all pixels are mixed.
    pub(super) rectangle: Option<Rectangle>,
}

impl Mixing {
    /// None where nothing is mixed, or there is no other image in the batch.
    ///
    /// The partner is any other image of the batch, all equally likely. Zhang, Cisse, Dauphin and Lopez-Paz (2018) and
    /// Yun and others (2019) draw one λ a batch in their code; their equations have one a pair, and so has this.
    pub(super) fn draw(
        generator: &mut impl Rng,
        augmentation: &Augmentation,
        images: usize,
        position: usize,
        height: usize,
        width: usize,
    ) -> Option<Self> {
        if !augmentation.mixes() || images < 2 {
            return None;
        }
        let other = bounded(generator, images as u32 - 1) as usize;
        let partner = other + usize::from(other >= position);
        let pasted = unit(generator) < 0.5;
        let pasted = if augmentation.mixup == 0.0 { true } else { pasted && augmentation.cutmix != 0.0 };
        if !pasted {
            let weight = beta(generator, augmentation.mixup) as f32;
            return Some(Self { partner, weight, rectangle: None });
        }
        let lambda = beta(generator, augmentation.cutmix);
        let rectangle = rectangle(generator, lambda, height, width);
        // A difference of whole numbers first: a rectangle of all pixels leaves exactly 0.
        let own = height * width - rectangle.area();
        let weight = (own as f64 / (height * width) as f64) as f32;
        Some(Self { partner, weight, rectangle: Some(rectangle) })
    }
}

/// The rectangle of 1 − λ of the image, of the image's own aspect, whose centre is any pixel: what lies beyond the edge
/// is cut off (Yun and others 2019, equation 2 and appendix A).
fn rectangle(generator: &mut impl Rng, lambda: f64, height: usize, width: usize) -> Rectangle {
    let side = (1.0 - lambda).sqrt();
    let mut range = |length: usize| {
        let part = (length as f64 * side).round() as usize;
        let centre = bounded(generator, length as u32) as usize;
        let start = centre.saturating_sub(part / 2);
        start..(centre + part - part / 2).clamp(start, length)
    };
    Rectangle { rows: range(height), columns: range(width) }
}

/// A number from Beta(α, α): X / (X + Y) for X and Y from Gamma(α), from their logarithms, since for a small α both are
/// often smaller than any `f64`.
fn beta(generator: &mut impl Rng, alpha: f64) -> f64 {
    let (x, y) = (gamma(generator, alpha + 1.0), gamma(generator, alpha + 1.0));
    // Gamma(α) is Gamma(α + 1) × U^(1/α) (Marsaglia and Tsang 2000, section 6).
    let (u, v) = (libm::log(unit(generator)), libm::log(unit(generator)));
    1.0 / (1.0 + libm::exp(libm::log(y) - libm::log(x) + (v - u) / alpha))
}

/// A number from Gamma(`shape`) with scale 1, for a shape of 1 and more: Marsaglia and Tsang (2000), "A simple method for
/// generating gamma variables".
fn gamma(generator: &mut impl Rng, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(generator);
        let root = 1.0 + c * x;
        let v = root * root * root;
        if v > 0.0 && libm::log(unit(generator)) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// A number from the standard normal distribution: one of Marsaglia's polar pair.
fn normal(generator: &mut impl Rng) -> f64 {
    loop {
        let (x, y) = (between(generator, -1.0, 1.0), between(generator, -1.0, 1.0));
        let square = x * x + y * y;
        if square < 1.0 && square > 0.0 {
            return x * (-2.0 * libm::log(square) / square).sqrt();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;

    const DRAWS: usize = 40_000;

    /// Mean, variance and fourth central moment of draws.
    fn moments(mut draw: impl FnMut() -> f64) -> [f64; 3] {
        let draws: Vec<f64> = (0..DRAWS).map(|_| draw()).collect();
        let mean = draws.iter().sum::<f64>() / DRAWS as f64;
        let central = |power| draws.iter().map(|draw| (draw - mean).powi(power)).sum::<f64>() / DRAWS as f64;
        [mean, central(2), central(4)]
    }

    /// Beta(α, α) has mean 1/2, variance 1 / (4 (2α + 1)) and fourth central moment 3 / (16 (2α + 1) (2α + 3)).
    #[test]
    fn betas_have_their_moments() {
        for alpha in [1e-300, 0.01, 0.1, 0.2, 0.4, 1.0, 2.0, 8.0, 100.0] {
            let mut generator = generator(5, 0);
            let [mean, variance, fourth] = moments(|| beta(&mut generator, alpha));
            let expected = 0.25 / (2.0 * alpha + 1.0);
            let expected_fourth = 3.0 / 16.0 / ((2.0 * alpha + 1.0) * (2.0 * alpha + 3.0));
            // Five standard errors: of the mean √(variance / n), of the variance √((fourth − variance²) / n).
            let errors = (DRAWS as f64).sqrt() / 5.0;
            assert!((mean - 0.5).abs() < expected.sqrt() / errors, "α {alpha}: mean {mean}");
            // Draws vary about their own mean, which is off by up to its five errors.
            let tolerance =
                (expected_fourth - expected * expected).sqrt() / errors + expected / (errors * errors);
            assert!((variance - expected).abs() < tolerance, "α {alpha}: variance {variance}, {expected}");
            assert!((fourth / expected_fourth - 1.0).abs() < 0.06, "α {alpha}: {fourth}, {expected_fourth}");
        }
    }

    /// Gamma(k) has mean and variance k, the fourth central moment 3k² + 6k.
    #[test]
    fn gammas_and_normals_have_their_moments() {
        let mut generator = generator(6, 0);
        for shape in [1.0, 1.2, 3.0, 50.0_f64] {
            let [mean, variance, fourth] = moments(|| gamma(&mut generator, shape));
            let errors = (DRAWS as f64).sqrt() / 5.0;
            let expected_fourth = 3.0 * shape * shape + 6.0 * shape;
            assert!((mean - shape).abs() < shape.sqrt() / errors, "{shape}: {mean}");
            let tolerance = (expected_fourth - shape * shape).sqrt() / errors;
            assert!((variance - shape).abs() < tolerance, "{shape}: {variance}");
            assert!((fourth / expected_fourth - 1.0).abs() < 0.25, "{shape}: {fourth}");
        }
        let [mean, variance, fourth] = moments(|| normal(&mut generator));
        assert!(mean.abs() < 0.025 && (variance - 1.0).abs() < 0.036 && (fourth - 3.0).abs() < 0.25);
    }

    #[test]
    fn a_pasted_rectangle_s_share_is_the_second_label_s() {
        let mut generator = generator(7, 0);
        let cutmix = Augmentation { cutmix: 1.0, ..Augmentation::default() };
        let (mut extreme, mut partners) = ([false; 2], [0; 5]);
        for _ in 0..5000 {
            let mixing = Mixing::draw(&mut generator, &cutmix, 5, 2, 28, 20).expect("a partner");
            let rectangle = mixing.rectangle.expect("a rectangle");
            assert!(rectangle.rows.end <= 28 && rectangle.columns.end <= 20);
            assert!((f64::from(mixing.weight) - (1.0 - rectangle.area() as f64 / 560.0)).abs() < 1e-7);
            extreme[0] |= mixing.weight > 0.99;
            extreme[1] |= mixing.weight < 0.05;
            partners[mixing.partner] += 1;
        }
        assert_eq!(extreme, [true; 2]);
        assert_eq!(partners[2], 0);
        // Five standard deviations of a binomial count with n = 5,000 and p = 1/4 are 153.
        assert!(partners.iter().enumerate().all(|(at, count)| at == 2 || 1250_i32.abs_diff(*count) < 153));
    }

    #[test]
    fn both_kinds_take_turns_and_an_image_alone_stays_alone() {
        let mut generator = generator(8, 0);
        let both = Augmentation { mixup: 0.2, cutmix: 1.0, ..Augmentation::default() };
        let mut draw = |augmentation: &Augmentation, images, position| {
            Mixing::draw(&mut generator, augmentation, images, position, 28, 28)
        };
        let pasted = (0..2000).filter_map(|_| draw(&both, 2, 1)).filter(|mixing| mixing.rectangle.is_some());
        // Five standard deviations of a binomial count with n = 2,000 and p = 1/2 are 112.
        assert!(pasted.count().abs_diff(1000) < 112);
        for _ in 0..100 {
            let mixup = draw(&Augmentation { cutmix: 0.0, ..both }, 2, 1).expect("a partner");
            assert_eq!((mixup.rectangle, mixup.partner), (None, 0));
            assert!((0.0..=1.0).contains(&mixup.weight));
        }
        assert_eq!(draw(&both, 1, 0), None);
        assert_eq!(draw(&Augmentation::default(), 2, 0), None);
    }
}
