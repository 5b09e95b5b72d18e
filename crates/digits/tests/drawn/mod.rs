//! Strokes as a pen draws them.

use digits::{Picture, SIDE, digit};

/// The digit's pixels.
pub fn image_of(picture: &Picture) -> [u8; SIDE * SIDE] {
    digit(picture).expect("there is a digit").pixels
}

/// A line through points of the unit square, drawn with a round pen.
#[derive(Debug, Clone)]
pub struct Strokes {
    pub points: Vec<[f32; 2]>,
    pub width: f32,
}

impl Strokes {
    /// Something like a five.
    pub fn five() -> Self {
        let points =
            [[0.7, 0.15], [0.35, 0.15], [0.3, 0.45], [0.6, 0.45], [0.7, 0.65], [0.55, 0.85], [0.3, 0.8]];
        Self { points: points.to_vec(), width: 0.08 }
    }

    /// How much of a pixel is covered when the unit square has `side` pixels a side and is shifted by `shift` pixels.
    pub fn coverage(&self, x: usize, y: usize, side: f32, shift: [f32; 2]) -> f32 {
        let place = [(x as f32 + 0.5 - shift[0]) / side, (y as f32 + 0.5 - shift[1]) / side];
        let distances = self.points.windows(2).map(|ends| distance(place, ends[0], ends[1]));
        let distance = distances.fold(f32::MAX, f32::min);
        ((self.width / 2.0 - distance) * side + 0.5).clamp(0.0, 1.0)
    }
}

/// From a point to a line between two others.
fn distance(point: [f32; 2], from: [f32; 2], to: [f32; 2]) -> f32 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let square = along[0] * along[0] + along[1] * along[1];
    let part =
        ((point[0] - from[0]) * along[0] + (point[1] - from[1]) * along[1]) / square.max(f32::MIN_POSITIVE);
    let part = part.clamp(0.0, 1.0);
    (point[0] - from[0] - part * along[0]).hypot(point[1] - from[1] - part * along[1])
}
