//! Multi-head self-attention.

use super::{
    Context, GROUP, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose,
    projection::{AffineMap, Project, Projection},
    projection_on_tiles::ProjectionOnTiles,
};
use kernels::{
    Element, InstructionSet,
    attention::{PROJECTIONS, Size, backward, forward},
    tiles::Tiles,
};

/// `output = out_projection(attention(in_projection(input)))` (Vaswani et al., Attention is all you need, 2017, section
/// 3.2.2); the attention's equations stand at [`kernels::attention`].
///
/// Parameters: `in_projection.weight [3 · features, features]` and `in_projection.bias [3 · features]`, the rows of the
/// queries, then of the keys, then of the values, each head after head; `out_projection.weight [features, features]` and
/// `out_projection.bias [features]`. Glorot's bounds are those of the whole matrices. A group keeps its gradient.
pub(crate) struct AttentionLayer<P> {
    set: InstructionSet,
    size: Size,
    in_projection: P,
    out_projection: P,
}

/// What a group's way through the layer leaves.
struct Trace<'a, E> {
    /// `[1 + image, step, 3 · features]`, the first place empty: an image's derivative goes to the place before its own
    /// values, which are those of the image that is done.
    projected: &'a mut [E],
    /// `[image, head, key, padded query]`.
    probabilities: &'a mut [E],
    /// `[image, step, feature]`, and its derivative once the gradient of the projection behind it is taken.
    context: &'a mut [E],
    /// The kernels', one after the other.
    workspace: &'a mut [E],
}

impl<E: Element> AttentionLayer<Projection<E>> {
    pub(crate) fn new(set: InstructionSet, size: Size) -> Self {
        Self::with(set, size, |map| Projection::new(set, map))
    }
}

impl AttentionLayer<ProjectionOnTiles> {
    /// With the projections' products of bfloat16 numbers, on tiles; the attention between them is computed as ever.
    pub(crate) fn on_tiles(set: InstructionSet, tiles: Tiles, size: Size) -> Self {
        Self::with(set, size, |map| ProjectionOnTiles::new(tiles, map, size.steps))
    }
}

impl<P> AttentionLayer<P> {
    fn with(set: InstructionSet, size: Size, projection: impl Fn(AffineMap) -> P) -> Self {
        let inputs = size.features;
        let to = |outputs: usize| projection(AffineMap { inputs, outputs, bias: true });
        Self { set, size, in_projection: to(PROJECTIONS * inputs), out_projection: to(inputs) }
    }

    /// The lengths of a trace's parts, in their order.
    fn trace_lengths<E: Element>(&self, images: usize) -> [usize; 4]
    where
        P: Project<E>,
    {
        let (set, size) = (self.set, self.size);
        let of_projections = self.in_projection.workspace().max(self.out_projection.workspace());
        let workspace = size.scratch_length::<E>(set).max(of_projections);
        [
            (images + 1) * size.projected_length(),
            images * size.probabilities_length::<E>(set),
            images * size.steps * size.features,
            // Of whole lines, as tiles want it.
            workspace.next_multiple_of(LINE),
        ]
    }

    fn trace<'a, E: Element>(&self, images: usize, scratch: &'a mut Memory<E>) -> Trace<'a, E>
    where
        P: Project<E>,
    {
        let mut rest = &mut scratch.values[..];
        let [projected, probabilities, context, workspace] = self.trace_lengths(images).map(|length| {
            // Each part begins at a cache line.
            let part = std::mem::take(&mut rest).split_at_mut(length.next_multiple_of(LINE));
            rest = part.1;
            &mut part.0[..length]
        });
        Trace { projected, probabilities, context, workspace }
    }
}

/// Elements of a cache line, at least.
const LINE: usize = 16;

impl<E: Element, P: Project<E>> Layer<E> for AttentionLayer<P> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let mut parameters = self.in_projection.map().parameters("in_projection.");
        parameters.extend(self.out_projection.map().parameters("out_projection."));
        parameters
    }

    fn forward_flops(&self) -> u64 {
        let projections = self.in_projection.map().flops() + self.out_projection.map().flops();
        self.size.steps as u64 * projections + self.size.forward_flops()
    }

    fn input_gradient_flops(&self) -> u64 {
        self.size.steps as u64 * self.in_projection.map().flops()
    }

    fn scratch(&self) -> MemorySize {
        let lengths = self.trace_lengths(GROUP).map(|length| length.next_multiple_of(LINE));
        MemorySize { values: lengths.iter().sum(), bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        MemorySize {
            values: self.in_projection.map().length() + self.out_projection.map().length(),
            bytes: 0,
        }
    }

    fn prepare(&mut self, parameters: &[E], _: Purpose) {
        let (inward, outward) = parameters.split_at(self.in_projection.map().length());
        self.in_projection.prepare(inward);
        self.out_projection.prepare(outward);
    }

    fn forward(&self, _: Context, parameters: &[E], input: &[E], output: &mut [E], scratch: &mut Memory<E>) {
        let (set, size) = (self.set, self.size);
        let (inward, outward) = parameters.split_at(self.in_projection.map().length());
        let length = size.steps * size.features;
        let trace = self.trace(input.len() / length, scratch);
        let projected = &mut trace.projected[size.projected_length()..];
        self.in_projection.forward(inward, input, projected, trace.workspace);
        let scratch = &mut trace.workspace[..size.scratch_length::<E>(set)];
        for ((projected, probabilities), context) in projected
            .chunks_exact(size.projected_length())
            .zip(trace.probabilities.chunks_exact_mut(size.probabilities_length::<E>(set)))
            .zip(trace.context.chunks_exact_mut(length))
        {
            forward(set, size, projected, probabilities, context, scratch);
        }
        self.out_projection.forward(outward, trace.context, output, trace.workspace);
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { parameters, d_input, scratch, kept, .. } = pass;
        let (set, size) = (self.set, self.size);
        let (inward, outward) = parameters.split_at(self.in_projection.map().length());
        let (d_inward, d_outward) = kept.values.split_at_mut(self.in_projection.map().length());
        let length = size.steps * size.features;
        let trace = self.trace(pass.input.len() / length, scratch);
        self.out_projection.parameter_gradient(trace.context, pass.d_output, d_outward, trace.workspace);
        self.out_projection.input_gradient(outward, pass.d_output, trace.context, trace.workspace);
        let scratch = &mut trace.workspace[..size.scratch_length::<E>(set)];
        let images = trace.probabilities.chunks_exact(size.probabilities_length::<E>(set));
        for (image, (probabilities, d_context)) in images.zip(trace.context.chunks_exact(length)).enumerate()
        {
            let (before, own) = trace.projected.split_at_mut((image + 1) * size.projected_length());
            let d_projected = &mut before[image * size.projected_length()..];
            let projected = &own[..size.projected_length()];
            backward(set, size, projected, probabilities, d_context, d_projected, scratch);
        }
        let d_projected = &trace.projected[..trace.projected.len() - size.projected_length()];
        if let Some(d_input) = d_input {
            self.in_projection.input_gradient(inward, d_projected, d_input, trace.workspace);
        }
        self.in_projection.parameter_gradient(pass.input, d_projected, d_inward, trace.workspace);
    }
}
