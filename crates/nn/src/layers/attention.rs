//! Multi-head self-attention.

use super::{
    Context, GROUP, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose,
    projection::{CHUNK_ROWS, Projection},
};
use kernels::{
    Element, InstructionSet,
    attention::{PROJECTIONS, Size, backward, forward},
};

/// `output = out_projection(attention(in_projection(input)))` (Vaswani et al., Attention is all you need, 2017, section
/// 3.2.2); the attention's equations stand at [`kernels::attention`].
///
/// Parameters: `in_projection.weight [3 · features, features]` and `in_projection.bias [3 · features]`, the rows of the
/// queries, then of the keys, then of the values, each head after head; `out_projection.weight [features, features]` and
/// `out_projection.bias [features]`. Glorot's bounds are those of the whole matrices. A group keeps its gradient.
pub(crate) struct AttentionLayer<E> {
    set: InstructionSet,
    size: Size,
    in_projection: Projection<E>,
    out_projection: Projection<E>,
}

/// What a group's way through the layer leaves, and what the way back works with, some images at a time.
struct Trace<'a, E> {
    /// `[image, step, 3 · features]`.
    projected: &'a mut [E],
    /// `[image, step, feature]`.
    context: &'a mut [E],
    /// Of a chunk of images, as those two.
    d_projected: &'a mut [E],
    d_context: &'a mut [E],
    /// The kernels'.
    workspace: &'a mut [E],
}

impl<E: Element> AttentionLayer<E> {
    pub(crate) fn new(set: InstructionSet, size: Size) -> Self {
        let features = size.features;
        Self {
            set,
            size,
            in_projection: Projection::new(set, features, PROJECTIONS * features, true),
            out_projection: Projection::new(set, features, features, true),
        }
    }

    /// Images that go through the projections together.
    fn chunk(&self) -> usize {
        (CHUNK_ROWS / self.size.steps).clamp(1, GROUP)
    }

    /// Elements of one image's input, and output.
    fn length(&self) -> usize {
        self.size.steps * self.size.features
    }

    /// The lengths of a trace's parts, in their order; each begins at a cache line.
    fn trace_lengths(&self) -> [usize; 5] {
        let (projected, length, chunk) = (self.size.projected_length(), self.length(), self.chunk());
        let workspace = self.size.scratch_length::<E>(self.set);
        [GROUP * projected, GROUP * length, chunk * projected, chunk * length, workspace]
            .map(|length| length.next_multiple_of(LINE))
    }

    fn trace<'a>(&self, scratch: &'a mut Memory<E>) -> Trace<'a, E> {
        let mut rest = &mut scratch.values[..];
        let [projected, context, d_projected, d_context, workspace] = self.trace_lengths().map(|length| {
            let part = std::mem::take(&mut rest).split_at_mut(length);
            rest = part.1;
            part.0
        });
        let workspace = &mut workspace[..self.size.scratch_length::<E>(self.set)];
        Trace { projected, context, d_projected, d_context, workspace }
    }
}

/// Elements of a cache line, at least.
const LINE: usize = 16;

impl<E: Element> Layer<E> for AttentionLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let mut parameters = self.in_projection.parameters("in_projection.");
        parameters.extend(self.out_projection.parameters("out_projection."));
        parameters
    }

    fn forward_flops(&self) -> u64 {
        let projections = self.in_projection.flops() + self.out_projection.flops();
        self.size.steps as u64 * projections + self.size.forward_flops()
    }

    fn input_gradient_flops(&self) -> u64 {
        self.size.steps as u64 * self.in_projection.flops()
    }

    fn scratch(&self) -> MemorySize {
        MemorySize { values: self.trace_lengths().iter().sum(), bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: self.in_projection.length() + self.out_projection.length(), bytes: 0 }
    }

    fn prepare(&mut self, parameters: &[E], _: Purpose) {
        let (inward, outward) = parameters.split_at(self.in_projection.length());
        self.in_projection.prepare(inward);
        self.out_projection.prepare(outward);
    }

    fn forward(&self, _: Context, parameters: &[E], input: &[E], output: &mut [E], scratch: &mut Memory<E>) {
        let (set, size, length, chunk) = (self.set, self.size, self.length(), self.chunk());
        let (inward, outward) = parameters.split_at(self.in_projection.length());
        let trace = self.trace(scratch);
        for (((input, output), projected), context) in input
            .chunks(chunk * length)
            .zip(output.chunks_mut(chunk * length))
            .zip(trace.projected.chunks_mut(chunk * size.projected_length()))
            .zip(trace.context.chunks_mut(chunk * length))
        {
            let images = input.len() / length;
            let projected = &mut projected[..images * size.projected_length()];
            let context = &mut context[..images * length];
            self.in_projection.forward(inward, input, projected);
            let each = projected.chunks_exact(size.projected_length()).zip(context.chunks_exact_mut(length));
            for (projected, context) in each {
                forward(set, size, projected, context, trace.workspace);
            }
            self.out_projection.forward(outward, context, output);
        }
    }

    fn backward(
        &self,
        _: Context,
        parameters: &[E],
        pass: Pass<E>,
        d_input: Option<&mut [E]>,
        scratch: &mut Memory<E>,
        kept: &mut Memory<E>,
    ) {
        let (set, size, length, chunk) = (self.set, self.size, self.length(), self.chunk());
        let (inward, outward) = parameters.split_at(self.in_projection.length());
        let (d_inward, d_outward) = kept.values.split_at_mut(self.in_projection.length());
        d_inward.fill(E::ZERO);
        d_outward.fill(E::ZERO);
        let trace = self.trace(scratch);
        let mut d_inputs = d_input.map(|d_input| d_input.chunks_mut(chunk * length));
        for (((input, d_output), projected), context) in pass
            .input
            .chunks(chunk * length)
            .zip(pass.d_output.chunks(chunk * length))
            .zip(trace.projected.chunks(chunk * size.projected_length()))
            .zip(trace.context.chunks(chunk * length))
        {
            let images = input.len() / length;
            let d_context = &mut trace.d_context[..images * length];
            let d_projected = &mut trace.d_projected[..images * size.projected_length()];
            self.out_projection.input_gradient(outward, d_output, d_context);
            self.out_projection.add_gradient(&context[..images * length], d_output, d_outward);
            for ((projected, d_context), d_projected) in projected
                .chunks_exact(size.projected_length())
                .zip(d_context.chunks_exact(length))
                .zip(d_projected.chunks_exact_mut(size.projected_length()))
            {
                backward(set, size, projected, d_context, d_projected, trace.workspace);
            }
            if let Some(d_input) = d_inputs.as_mut().and_then(Iterator::next) {
                self.in_projection.input_gradient(inward, d_projected, d_input);
            }
            self.in_projection.add_gradient(input, d_projected, d_inward);
        }
    }
}
