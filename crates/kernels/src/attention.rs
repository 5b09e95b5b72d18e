//! Scaled dot-product attention of one image, all heads (Vaswani et al., Attention is all you need, 2017, section 3.2).
//!
//! The features are divided among the heads, side by side. With one head's q, k, v and context `[step, feature]`:
//! scores = k qᵀ / √(features of a head), probabilities = softmax over the keys, context = probabilitiesᵀ · v.
//!
//! Scores and probabilities are `[key, query]`: the softmax then runs down columns, and of all operands of the products,
//! forward and backward, only q and the derivative of the context are laid out anew; the others are read in place. Rows
//! are padded to whole vectors, which begin at cache lines then; what stands in the padding is of no query.

use crate::{
    Element, InstructionSet, check_length,
    columns::{softmax_columns, softmax_columns_backward},
    length,
    matmul::{Matrix, MatrixMut, Output, lanes, multiply, multiply_rows, pack, packed_length},
};

/// The shape of an attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Steps of the sequence: queries and keys.
    pub steps: usize,
    /// Features of a step, of all heads together.
    pub features: usize,
    /// Heads; they divide the features.
    pub heads: usize,
}

/// What a step is projected to: query, key and value.
pub const PROJECTIONS: usize = 3;

impl Size {
    /// Features of one head.
    pub fn head_features(self) -> usize {
        self.features / self.heads
    }

    /// The steps, and the padding of a row of probabilities.
    ///
    /// # Panics
    /// As all lengths of this shape: when it is more than a machine can address.
    pub fn padded_steps<E: Element>(self, set: InstructionSet) -> usize {
        length::padded(self.steps, lanes::<E>(set))
    }

    /// Elements of the probabilities, `[head, key, padded query]`.
    pub fn probabilities_length<E: Element>(self, set: InstructionSet) -> usize {
        length::product(&[self.heads, self.steps, self.padded_steps::<E>(set)])
    }

    /// Elements of the projected steps, `[step, 3 · features]`: query, key, value side by side.
    pub fn projected_length(self) -> usize {
        length::product(&[self.steps, PROJECTIONS, self.features])
    }

    /// Elements that [`forward`] and [`backward`] need to work with.
    pub fn scratch_length<E: Element>(self, set: InstructionSet) -> usize {
        let scores = length::product(&[self.steps, self.padded_steps::<E>(set)]);
        length::sum(&[packed_length::<E>(set, self.head_features(), self.steps), scores])
    }

    /// Multiplications and additions of a forward pass, the softmax's left out.
    pub fn forward_flops(self) -> u64 {
        length::operations(&[2, 2, self.steps, self.steps, self.features])
    }

    fn scale<E: Element>(self) -> E {
        E::from_f64(1.0 / (self.head_features() as f64).sqrt())
    }

    /// The part of one head of the projected steps: 0 query, 1 key, 2 value.
    fn part<E: Element>(self, projected: &[E], projection: usize, head: usize) -> Matrix<'_, E> {
        let width = self.head_features();
        Matrix::new(projected, self.steps, PROJECTIONS * self.features)
            .columns(projection * self.features + head * width, width)
    }

    fn check(self) {
        let Self { features, heads, .. } = self;
        assert!(heads > 0 && features.is_multiple_of(heads), "{heads} heads of {features} features");
    }
}

/// `context [step, feature]` and `probabilities [head, key, padded query]` from `projected [step, 3 · features]`; overwrites both.
///
/// # Panics
/// When a length does not fit, or the heads do not divide the features.
pub fn forward<E: Element>(
    set: InstructionSet,
    size: Size,
    projected: &[E],
    probabilities: &mut [E],
    context: &mut [E],
    scratch: &mut [E],
) {
    let Size { steps, features, .. } = size;
    size.check();
    check_length!(projected, [size.projected_length()]);
    check_length!(probabilities, [size.probabilities_length::<E>(set)]);
    check_length!(context, [steps, features]);
    check_length!(scratch, [size.scratch_length::<E>(set)]);
    let (width, padded) = (size.head_features(), size.padded_steps::<E>(set));
    let packed = &mut scratch[..packed_length::<E>(set, width, steps)];
    let mut contexts = MatrixMut::new(context, steps, features);
    for (head, probabilities) in probabilities.chunks_exact_mut(steps * padded).enumerate() {
        let [query, key, value] = [0, 1, 2].map(|projection| size.part(projected, projection, head));
        pack(set, query.transposed(), 0, packed);
        multiply(set, key, packed, padded, probabilities, Output::Overwrite);
        softmax_columns(set, probabilities, padded, size.scale());
        let (context, rest) = contexts.split_columns(width);
        contexts = rest;
        let probabilities = Matrix::new(probabilities, steps, padded).columns(0, steps).transposed();
        multiply_rows(set, probabilities, value, context, Output::Overwrite);
    }
}

/// `d_projected` from `d_context`, with what went into [`forward`] and the probabilities that came out; overwritten.
///
/// With P the probabilities `[key, padded query]` of a head: dv = P · d_context, dP = v · d_contextᵀ, ds by the softmax's backward
/// pass, dk = ds · q, dq = dsᵀ · k.
///
/// # Panics
/// As [`forward`].
pub fn backward<E: Element>(
    set: InstructionSet,
    size: Size,
    projected: &[E],
    probabilities: &[E],
    d_context: &[E],
    d_projected: &mut [E],
    scratch: &mut [E],
) {
    let Size { steps, features, .. } = size;
    size.check();
    check_length!(projected, [size.projected_length()]);
    check_length!(probabilities, [size.probabilities_length::<E>(set)]);
    check_length!(d_context, [steps, features]);
    check_length!(d_projected, [size.projected_length()]);
    check_length!(scratch, [size.scratch_length::<E>(set)]);
    let (width, padded) = (size.head_features(), size.padded_steps::<E>(set));
    let (packed, d_scores) = scratch.split_at_mut(packed_length::<E>(set, width, steps));
    let rest = MatrixMut::new(d_projected, steps, PROJECTIONS * features);
    let (mut d_queries, rest) = rest.split_columns(features);
    let (mut d_keys, mut d_values) = rest.split_columns(features);
    for (head, probabilities) in probabilities.chunks_exact(steps * padded).enumerate() {
        let [query, key, value] = [0, 1, 2].map(|projection| size.part(projected, projection, head));
        let (d_query, d_key, d_value);
        (d_query, d_queries) = d_queries.split_columns(width);
        (d_key, d_keys) = d_keys.split_columns(width);
        (d_value, d_values) = d_values.split_columns(width);
        let d_context = Matrix::new(d_context, steps, features).columns(head * width, width);
        pack(set, d_context.transposed(), 0, packed);
        multiply(set, value, packed, padded, d_scores, Output::Overwrite);
        softmax_columns_backward(set, probabilities, d_scores, padded, size.scale());
        let probabilities = Matrix::new(probabilities, steps, padded).columns(0, steps);
        multiply_rows(set, probabilities, d_context, d_value, Output::Overwrite);
        let d_scores = Matrix::new(d_scores, steps, padded).columns(0, steps);
        multiply_rows(set, d_scores, query, d_key, Output::Overwrite);
        multiply_rows(set, d_scores.transposed(), key, d_query, Output::Overwrite);
    }
}

/// [`forward`] by its definition, `probabilities [head, key, query]`: what the kernels are held against.
pub fn forward_reference<E: Element>(
    size: Size,
    projected: &[E],
    probabilities: &mut [E],
    context: &mut [E],
) {
    let Size { steps, features, heads } = size;
    let width = size.head_features();
    let at = |step: usize, projection: usize, feature: usize| {
        projected[(step * PROJECTIONS + projection) * features + feature]
    };
    let own = |head: usize| head * width..(head + 1) * width;
    for (head, query) in (0..heads).flat_map(|head| (0..steps).map(move |query| (head, query))) {
        let place = |key: usize| (head * steps + key) * steps + query;
        let score = |key: usize| -> E {
            own(head).map(|feature| at(query, 0, feature) * at(key, 1, feature)).sum::<E>() * size.scale()
        };
        let total: E = (0..steps).map(|key| score(key).exp()).sum();
        for key in 0..steps {
            probabilities[place(key)] = score(key).exp() / total;
        }
        for feature in own(head) {
            let value = |key: usize| probabilities[place(key)] * at(key, 2, feature);
            context[query * features + feature] = (0..steps).map(value).sum();
        }
    }
}
