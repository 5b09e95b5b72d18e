//! Handwriting in scenes: on screens, paper, tables, scanners.

use crate::sheet::{Random, Sheet, blur};
use std::f32::consts::TAU;

/// What is drawn: each picture's sizes, tones, places and angles are selected at random within these bounds.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    /// Pixels on a side of the picture.
    side: usize,
    pen: Pen,
    /// How many digits stand in a row, and between them what part of their height.
    digits: usize,
    gap: [f32; 2],
    /// Height of a digit as a part of the sheet's side.
    height: [f32; 2],
    /// Whether the digit lies near the edge of the sheet, or anywhere on it.
    place: Place,
    /// Whether it is on paper as a camera sees it (light, grain, blur, noise), or flat.
    paper: bool,
    ruled: bool,
    inverted: bool,
    noise: f32,
    surroundings: Surroundings,
    shadow: Option<[f32; 2]>,
    jpeg: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Pen {
    /// As MNIST's images show it.
    Own,
    /// A round pen along the middle of the strokes, of a part of the digit's height.
    Round([f32; 2]),
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    NearEdge,
    Anywhere,
}

/// What lies around the sheet.
#[derive(Clone, Copy)]
enum Surroundings {
    Nothing,
    /// Strips of so many pixels along some sides, as scanners leave.
    Strips {
        pixels: [f32; 2],
        tone: [f32; 2],
        skewed: bool,
    },
    /// A table on one side.
    TableBeside {
        tone: [f32; 2],
        texture: Texture,
    },
    /// A table all round: the sheet's side is a part of the picture's.
    Table {
        sheet: [f32; 2],
        tone: [f32; 2],
        texture: Texture,
    },
}

#[derive(Clone, Copy, PartialEq)]
enum Texture {
    Plain,
    Grain,
    Speckles,
    Checks,
}

const PLAIN: Scene = Scene {
    name: "flat",
    side: 400,
    pen: Pen::Own,
    digits: 1,
    gap: [0.2, 0.8],
    height: [0.4, 0.7],
    place: Place::Anywhere,
    paper: false,
    ruled: false,
    inverted: false,
    noise: 0.0,
    surroundings: Surroundings::Nothing,
    shadow: None,
    jpeg: true,
};

const PAPER: Scene = Scene { name: "on paper", paper: true, ..PLAIN };
const SMALL: Scene =
    Scene { name: "digit of 7 to 10 % of the page", side: 1000, height: [0.07, 0.1], ..PAPER };
const THIN: Pen = Pen::Round([0.035, 0.06]);
const DARK: [f32; 2] = [0.02, 0.15];

const fn strips(name: &'static str, pixels: [f32; 2]) -> Scene {
    Scene { name, surroundings: Surroundings::Strips { pixels, tone: DARK, skewed: false }, ..PAPER }
}

const fn table(name: &'static str, tone: [f32; 2], texture: Texture) -> Scene {
    Scene {
        name,
        side: 800,
        surroundings: Surroundings::Table { sheet: [0.4, 0.75], tone, texture },
        ..PAPER
    }
}

/// All scenes of the table.
pub(crate) const SCENES: [Scene; 37] = [
    PLAIN,
    PAPER,
    Scene { name: "thick pen", pen: Pen::Round([0.17, 0.22]), ..PAPER },
    Scene { name: "thin pen", pen: THIN, ..PAPER },
    Scene { name: "ruled paper", ruled: true, ..PAPER },
    Scene { name: "near the border", place: Place::NearEdge, ..PAPER },
    Scene { name: "white on black", inverted: true, ..PLAIN },
    Scene { name: "blackboard", inverted: true, ..PAPER },
    Scene { name: "noise 0.05", noise: 0.05, jpeg: false, ..PLAIN },
    Scene { name: "noise 0.1", noise: 0.1, jpeg: false, ..PLAIN },
    Scene { name: "noise 0.2", noise: 0.2, jpeg: false, ..PLAIN },
    Scene { name: "noise 0.4", noise: 0.4, jpeg: false, ..PLAIN },
    Scene { name: "noise 0.1 on paper", noise: 0.1, ..PAPER },
    Scene { name: "small digit on a large sheet", side: 1000, height: [0.1, 0.15], ..PAPER },
    Scene { name: "small digit, thin pen", side: 1000, height: [0.1, 0.15], pen: THIN, ..PAPER },
    SMALL,
    Scene { name: "7 to 10 % of the page, thin pen", pen: THIN, ..SMALL },
    Scene { name: "7 to 10 % of the page, ruled paper", ruled: true, ..SMALL },
    strips("scanner's edge of 1 to 2 pixels", [1.0, 2.0]),
    strips("scanner's edge of 4 to 6 pixels", [4.0, 6.0]),
    strips("scanner's edge of 8 to 12 pixels", [8.0, 12.0]),
    strips("scanner's edge of 25 to 40 pixels", [25.0, 40.0]),
    Scene {
        name: "slanting scanner's edge of 1 to 30 pixels",
        surroundings: Surroundings::Strips { pixels: [1.0, 30.0], tone: DARK, skewed: true },
        ..PAPER
    },
    Scene {
        name: "light edge of 2 to 30 pixels, dark paper",
        surroundings: Surroundings::Strips { pixels: [2.0, 30.0], tone: DARK, skewed: true },
        inverted: true,
        ..PAPER
    },
    Scene { name: "hard shadow", shadow: Some([0.5, 0.85]), ..PAPER },
    Scene { name: "hard shadow, small digit", shadow: Some([0.5, 0.85]), ..SMALL },
    Scene {
        name: "the edge of a table in view",
        side: 800,
        height: [0.25, 0.45],
        surroundings: Surroundings::TableBeside { tone: [0.1, 0.7], texture: Texture::Plain },
        ..PAPER
    },
    Scene {
        name: "the edge of a textured table in view",
        side: 800,
        height: [0.25, 0.45],
        surroundings: Surroundings::TableBeside { tone: [0.15, 0.6], texture: Texture::Grain },
        ..PAPER
    },
    table("a sheet on a dark table", [0.05, 0.4], Texture::Plain),
    table("a sheet on a middling table", [0.4, 0.8], Texture::Plain),
    table("a sheet on a wooden table", [0.2, 0.6], Texture::Grain),
    table("a sheet on a speckled table", [0.2, 0.6], Texture::Speckles),
    table("a sheet on a chequered cloth", [0.2, 0.6], Texture::Checks),
    Scene { name: "a dark sheet on a light table", inverted: true, ..table("", [0.05, 0.4], Texture::Plain) },
    Scene { name: "blank paper (right: refused)", digits: 0, ..PAPER },
    Scene { name: "two digits", digits: 2, side: 600, height: [0.2, 0.35], ..PAPER },
    Scene { name: "three digits, thin pen", digits: 3, side: 800, height: [0.12, 0.2], pen: THIN, ..PAPER },
];

impl Scene {
    /// How many digits a picture of this scene shows.
    pub(crate) fn digits(&self) -> usize {
        self.digits
    }

    /// Whether the picture shows a sheet on a table, or the edge of one.
    pub(crate) fn has_table(&self) -> bool {
        matches!(self.surroundings, Surroundings::Table { .. } | Surroundings::TableBeside { .. })
    }

    /// The file of a picture of some digits, given as MNIST's images.
    pub(crate) fn drawn(&self, digits: &[&[u8]], seed: u64) -> Vec<u8> {
        let mut random = Random::new(seed);
        let side = self.side as f32;
        // The sheet: its middle, half its sides, its angle.
        let mut middle = [side / 2.0; 2];
        let mut half = [side / 2.0; 2];
        let mut angle = 0.0;
        let mut table = None;
        if let Surroundings::Table { sheet, tone, texture } = self.surroundings {
            half = [0, 1].map(|_| side / 2.0 * random.between(sheet));
            angle = random.between([-0.25, 0.25]);
            middle =
                [0, 1].map(|axis| side / 2.0 + 0.6 * (side / 2.0 - half[axis]) * random.between([-1.0, 1.0]));
            table = Some((random.between(tone), texture));
        }
        let edge_from = random.unit() * TAU;
        let edge_at = random.between([0.28, 0.42]) * side;
        if let Surroundings::TableBeside { tone, texture } = self.surroundings {
            table = Some((random.between(tone), texture));
        }
        let is_beside = matches!(self.surroundings, Surroundings::TableBeside { .. });
        // The digits: where they are on the sheet, from its middle.
        let strip = match self.surroundings {
            Surroundings::Strips { pixels, .. } => pixels[1] + 0.02 * side,
            _ => 0.0,
        };
        let least_half = half[0].min(half[1]);
        let mut height = 2.0 * least_half * random.between(self.height);
        let gap = random.between(self.gap);
        let inks: Vec<Ink> = digits.iter().map(|pixels| Ink::new(pixels, self.pen, &mut random)).collect();
        // The row's width in heights of a digit.
        let row = inks.iter().map(Ink::width).sum::<f32>() + gap * (inks.len().max(1) - 1) as f32;
        height = height.min(0.9 * (2.0 * half[0] - 2.0 * strip) / row.max(1.0));
        let room = [half[0] - strip - (row / 2.0 + 0.06) * height, half[1] - strip - 0.56 * height]
            .map(|room| room.max(0.0));
        let mut at: [f32; 2] = match self.place {
            Place::Anywhere => room.map(|room| room * random.between([-1.0, 1.0])),
            Place::NearEdge => {
                let ends = room.map(|room| room * if random.unit() < 0.5 { -1.0 } else { 1.0 });
                let along = random.between([-1.0, 1.0]);
                if random.unit() < 0.5 { [ends[0], room[1] * along] } else { [room[0] * along, ends[1]] }
            }
        };
        if is_beside {
            // Anywhere but on the table.
            let towards = |at: [f32; 2]| at[0] * edge_from.cos() + at[1] * edge_from.sin();
            let tries = std::iter::repeat_with(|| room.map(|room| room * random.between([-1.0, 1.0])));
            let reach = (0.55 * height).hypot(0.55 * row * height);
            at = tries.take(1000).find(|at| towards(*at) < edge_at - reach).unwrap_or([0.0; 2]);
        }
        let mut lefts = Vec::new();
        let mut left = at[0] - row * height / 2.0;
        for ink in &inks {
            lefts.push(left);
            left += (ink.width() + gap) * height;
        }
        // Tones.
        let tone_of_paper = if self.paper { random.between([0.75, 0.95]) } else { 1.0 };
        let tone_of_ink = if self.paper { tone_of_paper * random.between([0.1, 0.35]) } else { 0.0 };
        let [light_from, shadow_from] = [random.unit() * TAU, random.unit() * TAU];
        let soft_shadow_at = random.between([0.1, 0.4]);
        let fall = if self.paper { random.between([0.0, 0.3]) } else { 0.0 };
        let hard_shadow = self
            .shadow
            .map(|range| (random.between(range), random.unit() * TAU, random.between([-0.2, 0.2])));
        let line = (side / 200.0).max(1.0);
        let lines = side / 7.0 * random.between([0.8, 1.3]);
        let phase = random.unit() * lines;
        let has_soft_shadow = self.paper && hard_shadow.is_none() && random.unit() < 0.5;
        let mut clouds: Vec<f32> = (0..self.side * self.side).map(|_| 0.1 * random.normal()).collect();
        blur(&mut clouds, self.side, 2);
        let pattern = Pattern::new(&mut random);
        let mut pixels: Vec<f32> = (0..self.side * self.side)
            .map(|index| {
                let (x, y) = ((index % self.side) as f32 + 0.5, (index / self.side) as f32 + 0.5);
                let [u, v] = turned([x - middle[0], y - middle[1]], -angle);
                let grain = if self.paper { 1.0 + clouds[index] } else { 1.0 };
                let on_line = self.ruled && (v + side + phase) % lines < line;
                let paper = tone_of_paper * grain * if on_line { 0.85 } else { 1.0 };
                let covered = inks
                    .iter()
                    .zip(&lefts)
                    .map(|(ink, left)| ink.at((u - left) / height, (v - at[1]) / height + 0.5, height))
                    .fold(0.0, f32::max);
                let mut seen = covered * tone_of_ink + (1.0 - covered) * paper;
                let beyond = match is_beside {
                    true => (x - side / 2.0) * edge_from.cos() + (y - side / 2.0) * edge_from.sin() - edge_at,
                    false => (u.abs() - half[0]).max(v.abs() - half[1]),
                };
                if let Some((tone, texture)) = table
                    && beyond > 0.0
                {
                    // The sheet throws a little shadow on the table.
                    let contact = 1.0 - 0.3 * (-beyond / (0.01 * side)).exp();
                    seen = tone * contact * pattern.at(texture, x / side, y / side) * grain;
                }
                let along = |direction: f32| {
                    ((x - side / 2.0) * direction.cos() + (y - side / 2.0) * direction.sin()) / side
                };
                let mut light = 1.0 - fall * (0.5 + along(light_from));
                if has_soft_shadow {
                    light *= 1.0 - 0.3 / (1.0 + (-(along(shadow_from) - soft_shadow_at) / 0.03).exp());
                }
                if let Some((factor, from, at)) = hard_shadow
                    && along(from) > at
                {
                    light *= factor;
                }
                seen * light
            })
            .collect();
        if self.paper {
            blur(&mut pixels, self.side, (self.side / 400).max(1));
        }
        if let Surroundings::Strips { pixels: width, tone, skewed } = self.surroundings {
            let tone = random.between(tone);
            let all = random.unit() < 0.4;
            let strips: Vec<Option<[f32; 2]>> = (0..4)
                .map(|_| {
                    let has = all || random.unit() < 0.5;
                    let ends = random.between(width).round();
                    let other = if skewed { random.between([0.0, width[1]]) } else { ends };
                    has.then_some([ends, other])
                })
                .collect();
            for (index, pixel) in pixels.iter_mut().enumerate() {
                let (x, y) = ((index % self.side) as f32, (index / self.side) as f32);
                let far = side - 1.0;
                let places = [(x, y), (y, x), (far - x, y), (far - y, x)];
                let in_strip = |((away, along), strip): ((f32, f32), &Option<[f32; 2]>)| {
                    strip.is_some_and(|[from, to]| away < from + (to - from) * along / side)
                };
                if places.into_iter().zip(&strips).any(in_strip) {
                    *pixel = tone;
                }
            }
        }
        let sensor = if self.paper { 0.012 } else { 0.0 };
        let deviation = self.noise.hypot(sensor);
        let pixels = pixels
            .into_iter()
            .map(|value| if self.inverted { 1.0 - value } else { value })
            .map(|value| [(value + deviation * random.normal()).clamp(0.0, 1.0); 3])
            .collect();
        let sheet = Sheet::of(self.side, pixels);
        if self.jpeg { sheet.jpeg() } else { sheet.png() }
    }
}

fn turned([x, y]: [f32; 2], angle: f32) -> [f32; 2] {
    [x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()]
}

/// A table's pattern.
struct Pattern {
    phases: [f32; 6],
    angle: f32,
    seed: u64,
}

impl Pattern {
    fn new(random: &mut Random) -> Self {
        Self {
            phases: std::array::from_fn(|_| random.unit() * TAU),
            angle: random.unit() * TAU,
            seed: random.next(),
        }
    }

    /// A factor of the table's tone, at a place with sides from 0 to 1.
    fn at(&self, texture: Texture, x: f32, y: f32) -> f32 {
        let [u, v] = turned([x, y], self.angle);
        let [a, b, c, d, e, f] = self.phases;
        match texture {
            Texture::Plain => 1.0,
            // Years of a plank: waves along one direction, bent a little along the other.
            Texture::Grain => {
                let bent = v + 0.03 * (5.0 * u + a).sin() + 0.01 * (17.0 * u + b).sin();
                1.0 + 0.12 * (60.0 * bent + c).sin()
                    + 0.1 * (143.0 * bent + d).sin()
                    + 0.06 * (331.0 * bent + e + f).sin()
            }
            // Grains of stone in cells of a fiftieth of the side.
            Texture::Speckles => {
                let cell = |value: f32| (value * 50.0).floor();
                let within = [u * 50.0 - cell(u), v * 50.0 - cell(v)];
                let word = self
                    .seed
                    .wrapping_add((cell(u) as i64 as u64).wrapping_mul(0x9e37_79b9))
                    .wrapping_add((cell(v) as i64 as u64).wrapping_mul(0x85eb_ca6b_0000_0001));
                let mut random = Random::new(word);
                let (x, y, size, tone) =
                    (random.unit(), random.unit(), random.between([0.0, 0.4]), random.between([0.6, 1.4]));
                if (within[0] - x).hypot(within[1] - y) < size { tone } else { 1.0 }
            }
            Texture::Checks => {
                let dark = |value: f32| usize::from((value * 20.0).rem_euclid(2.0) < 1.0);
                [1.0, 0.75, 0.5][dark(u) + dark(v)]
            }
        }
    }
}

/// A digit's ink: its coverage on a grid, with a height of 1.
struct Ink {
    /// Pixels of the grid: what covers them, or, for a round pen, their distance from the middle of a stroke in heights.
    values: Vec<f32>,
    /// From where to where the digit reaches in the grid.
    columns: [f32; 2],
    rows: [f32; 2],
    /// Half the pen's width in heights.
    radius: Option<f32>,
}

/// The grid's pixels to one of MNIST's.
const FINE: usize = 5;
const GRID: usize = 28 * FINE;

impl Ink {
    fn new(image: &[u8], pen: Pen, random: &mut Random) -> Self {
        let values: Vec<f32> = (0..GRID * GRID)
            .map(|index| {
                let place = |at: usize| (at as f32 + 0.5) / FINE as f32 - 0.5;
                bilinear(
                    |x, y| f32::from(image[y * 28 + x]) / 255.0,
                    28,
                    place(index % GRID),
                    place(index / GRID),
                )
            })
            .collect();
        let mut mask: Vec<bool> = values.iter().map(|value| *value > 0.5).collect();
        let inside = |axis: fn(usize) -> usize| {
            let places = || (0..mask.len()).filter(|place| mask[*place]).map(axis);
            [places().min().unwrap_or(0) as f32, places().max().unwrap_or(GRID - 1) as f32 + 1.0]
        };
        let (mut columns, mut rows) = (inside(|place| place % GRID), inside(|place| place / GRID));
        let height = rows[1] - rows[0];
        let Pen::Round(width) = pen else { return Self { values, columns, rows, radius: None } };
        thinned(&mut mask);
        let inside: Vec<[f32; 2]> = (0..mask.len())
            .filter(|place| mask[*place])
            .map(|place| [(place % GRID) as f32, (place / GRID) as f32])
            .collect();
        let distance = |x: usize, y: usize| {
            let squares = inside.iter().map(|[a, b]| (a - x as f32).powi(2) + (b - y as f32).powi(2));
            squares.fold(f32::MAX, f32::min).sqrt() / height
        };
        let values = (0..GRID * GRID).map(|index| distance(index % GRID, index / GRID)).collect();
        let radius = random.between(width) / 2.0;
        for range in [&mut columns, &mut rows] {
            // The skeleton is half the old pen inside of the outline; the box need not be exact.
            *range = [range[0] + 5.0 - radius * height, range[1] - 5.0 + radius * height];
        }
        Self { values, columns, rows, radius: Some(radius) }
    }

    /// Width of the box in heights.
    fn width(&self) -> f32 {
        (self.columns[1] - self.columns[0]) / (self.rows[1] - self.rows[0])
    }

    /// What covers a place of the digit's box, of which the height is 1, drawn so many pixels high.
    fn at(&self, x: f32, y: f32, height: f32) -> f32 {
        let scale = self.rows[1] - self.rows[0];
        let (x, y) = (x * scale + self.columns[0] - 0.5, y * scale + self.rows[0] - 0.5);
        let end = (GRID - 1) as f32;
        if !(0.0..=end).contains(&x) || !(0.0..=end).contains(&y) {
            return 0.0;
        }
        let value = bilinear(|x, y| self.values[y * GRID + x], GRID, x, y);
        match self.radius {
            // MNIST's images are a few pixels wide: their edges are made as sharp as a pen's.
            None => (0.5 + (value - 0.5) * height / 16.0).clamp(0.0, 1.0),
            Some(radius) => ((radius - value) * height + 0.5).clamp(0.0, 1.0),
        }
    }
}

fn bilinear(value: impl Fn(usize, usize) -> f32, side: usize, x: f32, y: f32) -> f32 {
    let (x, y) = (x.clamp(0.0, (side - 1) as f32), y.clamp(0.0, (side - 1) as f32));
    let (left, top) = ((x as usize).min(side - 2), (y as usize).min(side - 2));
    let (right, down) = (x - left as f32, y - top as f32);
    let row = |y: usize| value(left, y) * (1.0 - right) + value(left + 1, y) * right;
    row(top) * (1.0 - down) + row(top + 1) * down
}

/// Takes pixels off until lines one pixel wide are left (Zhang and Suen, "A fast parallel algorithm for thinning digital
/// patterns", 1984).
fn thinned(mask: &mut [bool]) {
    loop {
        let mut changed = false;
        for first in [true, false] {
            let taken: Vec<usize> = (0..mask.len())
                .filter(|place| mask[*place])
                .filter(|place| {
                    let (x, y) = (place % GRID, place / GRID);
                    if x == 0 || y == 0 || x + 1 == GRID || y + 1 == GRID {
                        return false;
                    }
                    // Clockwise from above.
                    let around = [(0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1)].map(
                        |(right, down)| {
                            mask[(y as isize + down) as usize * GRID + (x as isize + right) as usize]
                        },
                    );
                    let count = around.iter().filter(|inside| **inside).count();
                    let begins = (0..8).filter(|index| !around[*index] && around[(index + 1) % 8]).count();
                    let [above, right, below, left] = [around[0], around[2], around[4], around[6]];
                    let ends = match first {
                        true => !(right && below && (above || left)),
                        false => !(above && left && (right || below)),
                    };
                    (2..=6).contains(&count) && begins == 1 && ends
                })
                .collect();
            changed |= !taken.is_empty();
            taken.into_iter().for_each(|place| mask[place] = false);
        }
        if !changed {
            return;
        }
    }
}
