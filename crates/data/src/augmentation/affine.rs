//! Shift, rotation, scale and shear as one map.

use super::Augmentation;
use crate::random::between;
use rand_chacha::rand_core::Rng;

/// From a pixel of the new image to the place in the old one that it shows:
/// `old column = matrix[0][0] × column + matrix[0][1] × row + offset[0]`,
/// `old row = matrix[1][0] × column + matrix[1][1] × row + offset[1]`; pixels lie at whole numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Affine {
    pub(super) matrix: [[f32; 2]; 2],
    pub(super) offset: [f32; 2],
}

/// What ink goes through, in this order: shear, scale and rotation about the image's centre, then a shift.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Motion {
    /// Pixels to the right and downwards.
    shift: [f64; 2],
    /// Degrees, clockwise as seen.
    rotation: f64,
    /// Larger by this factor, less one.
    scale: f64,
    /// Degrees: x grows by tan(shear) × y, y being downwards.
    shear: f64,
}

impl Affine {
    /// Draws five numbers, whichever of them are used.
    pub(super) fn draw(
        generator: &mut impl Rng,
        augmentation: &Augmentation,
        height: usize,
        width: usize,
    ) -> Self {
        let mut within = |limit: f64| between(generator, -limit, limit);
        let motion = Motion {
            shift: [within(augmentation.shift), within(augmentation.shift)],
            rotation: within(augmentation.rotation),
            scale: within(augmentation.scale),
            shear: within(augmentation.shear),
        };
        Self::inverse(motion, height, width)
    }

    /// With the centre c, the shift t, the rotation R, the factor s and the shear H, ink at p goes to
    /// q = c + t + s R H (p − c); so p = H⁻¹ R⁻¹ (q − c − t) / s + c.
    fn inverse(motion: Motion, height: usize, width: usize) -> Self {
        let (sine, cosine) = libm::sincos(motion.rotation.to_radians());
        let (leaning, upright) = libm::sincos(motion.shear.to_radians());
        let (tangent, factor) = (leaning / upright, 1.0 + motion.scale);
        let matrix = [
            [(cosine + tangent * sine) / factor, (sine - tangent * cosine) / factor],
            [-sine / factor, cosine / factor],
        ];
        let centre = [(width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0];
        let moved = [centre[0] + motion.shift[0], centre[1] + motion.shift[1]];
        let offset = |axis: usize| centre[axis] - matrix[axis][0] * moved[0] - matrix[axis][1] * moved[1];
        Self {
            matrix: matrix.map(|row| row.map(|value| value as f32)),
            offset: [offset(0) as f32, offset(1) as f32],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old_place(motion: Motion, column: f32, row: f32) -> (f32, f32) {
        let Affine { matrix: [a, b], offset } = Affine::inverse(motion, 11, 21);
        (a[0] * column + a[1] * row + offset[0], b[0] * column + b[1] * row + offset[1])
    }

    /// An image of 21 columns and 11 rows has its centre at (10, 5).
    #[test]
    fn each_motion_moves_as_it_says() {
        let near = |(x, y): (f32, f32), expected: (f32, f32)| {
            assert!((x - expected.0).abs() < 1e-5 && (y - expected.1).abs() < 1e-5, "{x} {y}, {expected:?}");
        };
        let none = Motion::default();
        assert_eq!(old_place(none, 3.0, 4.0), (3.0, 4.0));
        assert_eq!(old_place(Motion { shift: [2.0, -1.0], ..none }, 3.0, 4.0), (1.0, 5.0));
        // Clockwise: what is on the right comes from above.
        near(old_place(Motion { rotation: 90.0, ..none }, 14.0, 5.0), (10.0, 1.0));
        near(old_place(Motion { rotation: 180.0, ..none }, 14.0, 6.0), (6.0, 4.0));
        near(old_place(Motion { scale: 1.0, ..none }, 14.0, 7.0), (12.0, 6.0));
        // The tangent of 45° is 1: two rows below the centre, ink has moved by two columns.
        near(old_place(Motion { shear: 45.0, ..none }, 14.0, 7.0), (12.0, 7.0));
        // Ink at (12, 5) goes to twice the distance, is turned to (10, 9), and is moved by (1, 2).
        let all = Motion { shift: [1.0, 2.0], rotation: 90.0, scale: 1.0, shear: 0.0 };
        near(old_place(all, 11.0, 11.0), (12.0, 5.0));
    }

    #[test]
    fn draws_fill_their_ranges_and_nothing_else() {
        let augmentation = Augmentation { shift: 3.0, ..Augmentation::default() };
        let mut generator = crate::generator(1, 0);
        let drawn: Vec<Affine> =
            (0..4000).map(|_| Affine::draw(&mut generator, &augmentation, 28, 28)).collect();
        for axis in [0, 1] {
            let offsets = drawn.iter().map(|affine| affine.offset[axis]);
            assert!(drawn.iter().all(|affine| affine.matrix == [[1.0, 0.0], [0.0, 1.0]]));
            let (least, most) = (offsets.clone().fold(9.0, f32::min), offsets.fold(-9.0, f32::max));
            let filled = (-3.0..-2.98).contains(&least) && (2.98..=3.0).contains(&most);
            assert!(filled, "{least} to {most}");
        }
    }
}
