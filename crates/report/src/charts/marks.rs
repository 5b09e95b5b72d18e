//! The colour, line and mark by which a model is known in every chart.

use crate::charts::scene::{Colour, Outline, Point, Scene, Stroke};

/// Okabe and Ito's palette ("Color Universal Design", 2008), which readers with any colour vision tell apart,
/// in the order of contrast with white and without the yellow that has none.
pub(crate) const PALETTE: [Colour; 7] = [
    Colour(0x00, 0x72, 0xb2),
    Colour(0xd5, 0x5e, 0x00),
    Colour(0x00, 0x9e, 0x73),
    Colour(0xcc, 0x79, 0xa7),
    Colour(0x33, 0x33, 0x33),
    Colour(0x56, 0xb4, 0xe9),
    Colour(0xe6, 0x9f, 0x00),
];

/// Stands for every model in a legend.
pub(crate) const GREY: Colour = Colour(0x77, 0x77, 0x77);

pub(crate) const WHITE: Colour = Colour(0xff, 0xff, 0xff);

/// How a model is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mark {
    pub(crate) colour: Colour,
    shape: usize,
}

impl Mark {
    /// Stands for the marks of every model in a legend.
    pub(crate) const GREY: Self = Self { colour: GREY, shape: 0 };

    /// That of the model at a position: five shapes and seven colours make 35 models distinct.
    pub(crate) fn of(model: usize) -> Self {
        Self { colour: PALETTE[model % PALETTE.len()], shape: model % 5 }
    }

    pub(crate) fn stroke(self, training: bool) -> Stroke {
        match training {
            true => Stroke { colour: lighter(self.colour), width: 3.5, dash: Some([12.0, 8.0]) },
            false => Stroke { colour: self.colour, width: 5.0, dash: None },
        }
    }

    pub(crate) fn outline(self, (x, y): Point, radius: f64) -> Outline {
        let polygon = |corners: &[Point]| {
            Outline::Polygon(corners.iter().map(|(dx, dy)| (x + dx * radius, y + dy * radius)).collect())
        };
        match self.shape {
            0 => Outline::Circle((x, y), radius),
            1 => polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            2 => polygon(&[(0.0, -1.25), (1.15, 0.85), (-1.15, 0.85)]),
            3 => polygon(&[(0.0, -1.35), (1.35, 0.0), (0.0, 1.35), (-1.35, 0.0)]),
            _ => polygon(&[(0.0, 1.25), (1.15, -0.85), (-1.15, -0.85)]),
        }
    }

    /// Hollow for training, filled for validation.
    pub(crate) fn draw(self, scene: &mut Scene, at: Point, training: bool) {
        let (fill, edge, width) = match training {
            true => (WHITE, self.colour, 3.0),
            false => (self.colour, WHITE, 2.0),
        };
        let stroke = Stroke { colour: edge, width, dash: None };
        scene.shape(self.outline(at, 9.0), Some(fill), Some(stroke), 1.0);
    }
}

/// Halfway towards white, a little less.
pub(crate) fn lighter(colour: Colour) -> Colour {
    let mix = |channel: u8| (f64::from(channel) * 0.7 + 255.0 * 0.3).round() as u8;
    Colour(mix(colour.0), mix(colour.1), mix(colour.2))
}
