//! A group's way through the steps.

use kernels::Element;

/// Elements of a cache line, at least.
const LINE: usize = 16;

/// Where each step's rows lie among the rows of all steps, one step after the other.
///
/// Before an image's first pixel that is not zero its state is the same whatever the image. As long as that holds for
/// the whole group a step computes one row for all; there are `shared` such steps, at most all but one.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) images: usize,
    pub(super) steps: usize,
    pub(super) shared: usize,
}

impl Rows {
    /// Every image by itself from the first step on.
    pub(super) fn apart(images: usize, steps: usize) -> Self {
        Self { images, steps, shared: 0 }
    }

    /// As many shared steps as the images `[image, step, input]` begin dark, or end where they are read `backward`.
    pub(super) fn of_images<E: Element>(input: &[E], inputs: usize, steps: usize, backward: bool) -> Self {
        let is_dark = |pixel: &&E| **pixel == E::ZERO;
        let images = input.chunks_exact(steps * inputs);
        let shared = images.clone().map(|image| {
            let pixels = if backward {
                image.iter().rev().take_while(is_dark).count()
            } else {
                image.iter().take_while(is_dark).count()
            };
            pixels / inputs
        });
        Self { images: images.len(), steps, shared: shared.min().unwrap_or(0).min(steps - 1) }
    }

    /// The rows before a step, which is one of the steps or the end.
    pub(super) fn before(self, step: usize) -> usize {
        if step < self.shared { step } else { self.shared + (step - self.shared) * self.images }
    }

    /// The rows of a step, or of what is behind the last.
    pub(super) fn of(self, step: usize) -> usize {
        if step < self.shared { 1 } else { self.images }
    }

    pub(super) fn all(self) -> usize {
        self.before(self.steps)
    }
}

/// Elements of a cell's rows.
#[derive(Clone, Copy)]
pub(super) struct Widths {
    pub(super) inputs: usize,
    pub(super) units: usize,
    /// Of c: as many as units, or none where the cell's state is h alone.
    pub(super) c: usize,
    pub(super) gates: usize,
    /// Of the workspace, however many rows there are.
    pub(super) workspace: usize,
}

impl Widths {
    /// The lengths of a trace's parts, in their order.
    fn lengths(self, rows: Rows) -> [usize; 8] {
        let Self { inputs, units, c, gates, workspace } = self;
        let (all, images) = (rows.all(), rows.images);
        let states = all + images;
        let [d_h, d_c, d_x] = [units, c, inputs].map(|width| images * width);
        [all * inputs, states * units, states * c, all * gates, d_h, d_c, d_x, workspace]
    }

    /// Elements of a trace.
    pub(super) fn trace_length(self, rows: Rows) -> usize {
        self.lengths(rows).map(|length| length.next_multiple_of(LINE)).iter().sum()
    }
}

/// What a group's way through the steps leaves, and what the way back writes. Rows are those of [`Rows`].
pub(super) struct Trace<'a, E> {
    /// `[row, input]`.
    pub(super) x: &'a mut [E],
    /// h and c before each row's step, `[row, unit]`; then those after the last step.
    pub(super) h: &'a mut [E],
    pub(super) c: &'a mut [E],
    /// The gates of each row, as the cell lays them out, and the derivatives of their sums once the way back has passed.
    pub(super) gates: &'a mut [E],
    /// One step's gradients: h and c `[image, unit]`, x `[image, input]`.
    pub(super) d_h: &'a mut [E],
    pub(super) d_c: &'a mut [E],
    pub(super) d_x: &'a mut [E],
    /// What a cell's products need beside; nothing in it outlives a call.
    pub(super) workspace: &'a mut [E],
}

impl<'a, E> Trace<'a, E> {
    /// Divides a direction's memory.
    pub(super) fn new(widths: Widths, rows: Rows, mut memory: &'a mut [E]) -> Self {
        let [x, h, c, gates, d_h, d_c, d_x, workspace] = widths.lengths(rows).map(|length| {
            // Each part begins at a cache line.
            let (part, rest) = std::mem::take(&mut memory).split_at_mut(length.next_multiple_of(LINE));
            memory = rest;
            &mut part[..length]
        });
        Self { x, h, c, gates, d_h, d_c, d_x, workspace }
    }
}
