//! How a camera was held.

use crate::Picture;
use image::metadata::Orientation;

/// The picture as it was seen, from the picture as it was stored.
pub(crate) fn upright(picture: Picture, orientation: Orientation) -> Picture {
    let [right, bottom] = [picture.width() - 1, picture.height() - 1];
    match orientation {
        Orientation::NoTransforms => picture,
        Orientation::FlipHorizontal => picture.rearranged(false, |x, y| (right - x, y)),
        Orientation::FlipVertical => picture.rearranged(false, |x, y| (x, bottom - y)),
        Orientation::Rotate180 => picture.rearranged(false, |x, y| (right - x, bottom - y)),
        // Clockwise, as Exif says how to turn what was stored.
        Orientation::Rotate90 => picture.rearranged(true, |x, y| (y, bottom - x)),
        Orientation::Rotate270 => picture.rearranged(true, |x, y| (right - y, x)),
        Orientation::Rotate90FlipH => picture.rearranged(true, |x, y| (y, x)),
        Orientation::Rotate270FlipH => picture.rearranged(true, |x, y| (right - y, bottom - x)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, GrayImage};

    /// The crate `image` turns its own pictures; ours, which are of another type, go the same way.
    #[test]
    fn every_orientation_is_as_the_decoder_has_it() {
        let stored = GrayImage::from_fn(3, 2, |x, y| image::Luma([(50 * y + 10 * x) as u8]));
        for number in 1..=8 {
            let orientation = Orientation::from_exif(number).expect("one of the eight");
            let mut expected = DynamicImage::ImageLuma8(stored.clone());
            expected.apply_orientation(orientation);
            let picture =
                Picture::from_function(3, 2, |x, y| f32::from(stored.get_pixel(x as u32, y as u32).0[0]));
            let found = upright(picture, orientation);
            let size = (expected.width() as usize, expected.height() as usize);
            assert_eq!((found.width(), found.height()), size, "{orientation:?}");
            let expected: Vec<f32> = expected.to_luma8().iter().map(|value| f32::from(*value)).collect();
            assert_eq!(found.pixels(), expected, "{orientation:?}");
        }
    }
}
