//! Where a network's values lie in one piece of memory.

use crate::Place;

/// How a step's output comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is the input as it lies in memory.
    Alias,
    /// The input is overwritten.
    InPlace,
    /// The input is copied, and the copy overwritten.
    Copied,
    /// Written apart from the input.
    Apart,
}

/// What is computed of places that were filled before, into the next one.
#[derive(Debug, Clone)]
pub struct MemoryStep {
    /// What it reads and may write its output over.
    pub input: Place,
    /// What it reads beside that.
    pub other: Option<Place>,
    /// How it would go about it were its input read by nothing else.
    pub way: Way,
    /// The output's length.
    pub length: usize,
    /// What it needs for itself, used by nothing else meanwhile.
    pub scratch: usize,
}

/// One stretch of the memory.
#[derive(Debug, Clone, PartialEq)]
struct Stretch {
    length: usize,
    /// The first step that uses it, and the last.
    steps: [usize; 2],
    offset: usize,
}

/// The layout of a network's memory, in the units that the lengths are in.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// By step.
    pub ways: Vec<Way>,
    stretches: Vec<Stretch>,
    /// Each place's stretch.
    places: Vec<usize>,
    /// Each step's stretch of its own.
    scratch: Vec<usize>,
    /// In all.
    pub length: usize,
}

impl Memory {
    /// Lays out the memory of `steps`, of which the one of number n fills the place n + 1; place 0, the images, is `first` long.
    pub fn of(first: usize, steps: &[MemoryStep]) -> Self {
        let last = steps.len();
        let mut last_use = vec![0; last + 1];
        for (index, step) in steps.iter().enumerate() {
            last_use[step.input] = index;
            if let Some(other) = step.other {
                last_use[other] = index;
            }
        }
        last_use[last] = last;
        let mut memory = Self {
            ways: Vec::new(),
            stretches: Vec::new(),
            places: Vec::new(),
            scratch: Vec::new(),
            length: 0,
        };
        memory.new_place(first, 0, last_use[0]);
        for (index, step) in steps.iter().enumerate() {
            let stretch = memory.places[step.input];
            let free = memory.stretches[stretch].steps[1] <= index;
            let way = match step.way {
                Way::InPlace if !free => Way::Copied,
                way => way,
            };
            memory.ways.push(way);
            let after = last_use[index + 1];
            match way {
                Way::Alias | Way::InPlace => {
                    memory.places.push(stretch);
                    let end = &mut memory.stretches[stretch].steps[1];
                    *end = after.max(*end);
                }
                Way::Copied | Way::Apart => memory.new_place(step.length, index, after),
            }
            memory.scratch.push(memory.stretches.len());
            memory.stretches.push(Stretch { length: step.scratch, steps: [index; 2], offset: 0 });
        }
        memory.lay_out();
        memory
    }

    fn new_place(&mut self, length: usize, first: usize, last: usize) {
        self.places.push(self.stretches.len());
        self.stretches.push(Stretch { length, steps: [first, last], offset: 0 });
    }

    /// Each stretch, in the order of their beginnings, in the first gap between those that are in use with it.
    fn lay_out(&mut self) {
        for index in 0..self.stretches.len() {
            let (before, from) = self.stretches.split_at_mut(index);
            let stretch = &mut from[0];
            let [first, last] = stretch.steps;
            let meets =
                |other: &&Stretch| other.steps[0] <= last && first <= other.steps[1] && other.length > 0;
            let mut others: Vec<&Stretch> = before.iter().filter(meets).collect();
            others.sort_unstable_by_key(|other| other.offset);
            for other in others {
                if stretch.offset + stretch.length <= other.offset {
                    break;
                }
                stretch.offset = stretch.offset.max(other.offset + other.length);
            }
            self.length = self.length.max(stretch.offset + stretch.length);
        }
    }

    /// The offset of a place's values.
    pub fn place(&self, place: Place) -> usize {
        self.stretches[self.places[place]].offset
    }

    /// The offset of what a step has for itself.
    pub fn scratch(&self, step: usize) -> usize {
        self.stretches[self.scratch[step]].offset
    }
}
