//! Images of data sets as they are shown.

use spec::ImageShape;
use tiny_skia::{IntSize, Pixmap};

/// An image as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    /// Pixels from left to right.
    pub columns: usize,
    /// `[row, column]`: red, green and blue.
    pub colours: Vec<[u8; 3]>,
}

impl Raster {
    /// Of an image's values, `[row, column, channel]`; ink is shown dark.
    pub(crate) fn new(values: &[u8], shape: ImageShape, is_ink: bool) -> Self {
        let pixels = values.chunks_exact(shape.channels);
        let colour = |pixel: &[u8]| match *pixel {
            [red, green, blue] => [red, green, blue],
            [value, ..] if is_ink => [255 - value; 3],
            [value, ..] => [value; 3],
            [] => [0; 3],
        };
        Self { columns: shape.width, colours: pixels.map(colour).collect() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.colours.len() / self.columns
    }

    /// A PNG file of as many pixels.
    fn png(&self) -> Option<Vec<u8>> {
        let rgba = self.colours.iter().flat_map(|[red, green, blue]| [*red, *green, *blue, 255]).collect();
        let size = IntSize::from_wh(self.columns as u32, self.rows() as u32)?;
        Pixmap::from_vec(rgba, size)?.encode_png().ok()
    }

    /// An address that holds all of it.
    pub(crate) fn address(&self) -> Option<String> {
        Some(format!("data:image/png;base64,{}", records::encoding::base64(&self.png()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_is_dark_and_colours_are_as_they_are() {
        let shown = |values: &[u8], shape: ImageShape, is_ink| Raster::new(values, shape, is_ink).colours;
        assert_eq!(shown(&[0, 200], [1, 2].into(), true), [[255; 3], [55; 3]]);
        assert_eq!(shown(&[0, 200], [1, 2].into(), false), [[0; 3], [200; 3]]);
        let colour = [1, 2, 3, 4, 5, 6];
        assert_eq!(shown(&colour, [2, 1, 3].into(), true), [[1, 2, 3], [4, 5, 6]]);
        assert_eq!(Raster::new(&colour, [2, 1, 3].into(), false).rows(), 2);
    }
}
