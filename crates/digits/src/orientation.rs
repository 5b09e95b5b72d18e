//! How a camera was held.

use crate::Picture;
use image::metadata::Orientation;

/// The picture as it was seen, from the picture as it was stored.
pub(crate) fn upright(picture: Picture, orientation: Orientation) -> Picture {
    let [width, height] = [picture.width(), picture.height()];
    let turned = |value: &dyn Fn(usize, usize) -> f32| Picture::from_function(height, width, value);
    let same = |value: &dyn Fn(usize, usize) -> f32| Picture::from_function(width, height, value);
    let [right, bottom] = [width - 1, height - 1];
    match orientation {
        Orientation::NoTransforms => picture,
        Orientation::FlipHorizontal => same(&|x, y| picture.at(right - x, y)),
        Orientation::FlipVertical => same(&|x, y| picture.at(x, bottom - y)),
        Orientation::Rotate180 => same(&|x, y| picture.at(right - x, bottom - y)),
        // Clockwise, as Exif says how to turn what was stored.
        Orientation::Rotate90 => turned(&|x, y| picture.at(y, bottom - x)),
        Orientation::Rotate270 => turned(&|x, y| picture.at(right - y, x)),
        Orientation::Rotate90FlipH => turned(&|x, y| picture.at(y, x)),
        Orientation::Rotate270FlipH => turned(&|x, y| picture.at(right - y, bottom - x)),
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
