//! Scaled dot-product attention of one image, all heads (Vaswani et al., Attention is all you need, 2017, section 3.2).
//!
//! The features are divided among the heads, side by side. With one head's q, k, v and context `[step, feature]`:
//! scores = k qᵀ / √(features of a head), probabilities = softmax over the keys, context = probabilitiesᵀ · v.
//!
//! Scores and probabilities are `[key, query]`: the softmax then runs down columns, and of all operands of the products,
//! forward and backward, only q and the derivative of the context are laid out anew; the others are read in place. Rows
//! are padded to whole vectors, which begin at cache lines then; what stands in the padding is of no query.
//!
//! One head's probabilities fit the first-level cache, those of all heads and images no cache: the way back computes them
//! again (Dao et al., FlashAttention, 2022), which is faster than reading them.

use crate::{
    Element, InstructionSet, check_length,
    columns::{softmax_columns, softmax_columns_backward},
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
    fn padded_steps<E: Element>(self, set: InstructionSet) -> usize {
        self.steps.next_multiple_of(lanes::<E>(set))
    }

    /// Elements of the projected steps, `[step, 3 · features]`: query, key, value side by side.
    pub fn projected_length(self) -> usize {
        self.steps * PROJECTIONS * self.features
    }

    /// Elements that [`forward`] and [`backward`] need to work with.
    pub fn scratch_length<E: Element>(self, set: InstructionSet) -> usize {
        self.scratch_lengths::<E>(set).iter().sum()
    }

    /// Those of a matrix laid out anew, of one head's probabilities, and of their derivatives.
    fn scratch_lengths<E: Element>(self, set: InstructionSet) -> [usize; 3] {
        let square = self.steps * self.padded_steps::<E>(set);
        [packed_length::<E>(set, self.head_features(), self.steps), square, square]
    }

    /// Multiplications and additions of a forward pass, the softmax's left out.
    pub fn forward_flops(self) -> u64 {
        (2 * 2 * self.steps * self.steps * self.features) as u64
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

    /// One head's `probabilities [key, padded query]`.
    fn attend<E: Element>(
        self,
        set: InstructionSet,
        [query, key]: [Matrix<E>; 2],
        packed: &mut [E],
        probabilities: &mut [E],
    ) {
        let padded = self.padded_steps::<E>(set);
        pack(set, query.transposed(), 0, packed);
        multiply(set, key, packed, padded, probabilities, Output::Overwrite);
        softmax_columns(set, probabilities, padded, self.scale());
    }

    /// `[key, query]` of rows that are padded.
    fn square<E: Element>(self, set: InstructionSet, padded: &[E]) -> Matrix<'_, E> {
        Matrix::new(padded, self.steps, self.padded_steps::<E>(set)).columns(0, self.steps)
    }

    fn check(self) {
        let Self { features, heads, .. } = self;
        assert!(heads > 0 && features.is_multiple_of(heads), "{heads} heads of {features} features");
    }
}

/// `context [step, feature]` from `projected [step, 3 · features]`; overwrites.
///
/// # Panics
/// When a length does not fit, or the heads do not divide the features.
pub fn forward<E: Element>(
    set: InstructionSet,
    size: Size,
    projected: &[E],
    context: &mut [E],
    scratch: &mut [E],
) {
    let Size { steps, features, heads } = size;
    size.check();
    check_length!(projected, size.projected_length());
    check_length!(context, steps * features);
    check_length!(scratch, size.scratch_length::<E>(set));
    let [packed, probabilities, _] = divide(scratch, size.scratch_lengths::<E>(set));
    let mut contexts = MatrixMut::new(context, steps, features);
    for head in 0..heads {
        let context;
        (context, contexts) = contexts.split_columns(size.head_features());
        let [query, key, value] = [0, 1, 2].map(|projection| size.part(projected, projection, head));
        size.attend(set, [query, key], packed, probabilities);
        let probabilities = size.square(set, probabilities);
        multiply_rows(set, probabilities.transposed(), value, context, Output::Overwrite);
    }
}

/// `d_projected` from `d_context` and what went into [`forward`]; overwrites.
///
/// With P the probabilities `[key, query]` of a head: dv = P · d_context, dP = v · d_contextᵀ, ds by the softmax's backward
/// pass, dk = ds · q, dq = dsᵀ · k.
///
/// # Panics
/// As [`forward`].
pub fn backward<E: Element>(
    set: InstructionSet,
    size: Size,
    projected: &[E],
    d_context: &[E],
    d_projected: &mut [E],
    scratch: &mut [E],
) {
    let Size { steps, features, heads } = size;
    size.check();
    check_length!(projected, size.projected_length());
    check_length!(d_context, steps * features);
    check_length!(d_projected, size.projected_length());
    check_length!(scratch, size.scratch_length::<E>(set));
    let (width, padded) = (size.head_features(), size.padded_steps::<E>(set));
    let [packed, probabilities, d_scores] = divide(scratch, size.scratch_lengths::<E>(set));
    let rest = MatrixMut::new(d_projected, steps, PROJECTIONS * features);
    let (mut d_queries, rest) = rest.split_columns(features);
    let (mut d_keys, mut d_values) = rest.split_columns(features);
    for head in 0..heads {
        let (d_query, d_key, d_value);
        (d_query, d_queries) = d_queries.split_columns(width);
        (d_key, d_keys) = d_keys.split_columns(width);
        (d_value, d_values) = d_values.split_columns(width);
        let [query, key, value] = [0, 1, 2].map(|projection| size.part(projected, projection, head));
        let d_context = Matrix::new(d_context, steps, features).columns(head * width, width);
        size.attend(set, [query, key], packed, probabilities);
        multiply_rows(set, size.square(set, probabilities), d_context, d_value, Output::Overwrite);
        pack(set, d_context.transposed(), 0, packed);
        multiply(set, value, packed, padded, d_scores, Output::Overwrite);
        softmax_columns_backward(set, probabilities, d_scores, padded, size.scale());
        let d_scores = size.square(set, d_scores);
        multiply_rows(set, d_scores, query, d_key, Output::Overwrite);
        multiply_rows(set, d_scores.transposed(), key, d_query, Output::Overwrite);
    }
}

/// A slice's parts of these lengths.
fn divide<E>(scratch: &mut [E], [first, second, _]: [usize; 3]) -> [&mut [E]; 3] {
    let (one, rest) = scratch.split_at_mut(first);
    let (two, three) = rest.split_at_mut(second);
    [one, two, three]
}

/// [`forward`] by its definition: what the kernels are held against.
pub fn forward_reference<E: Element>(size: Size, projected: &[E], context: &mut [E]) {
    let Size { steps, features, heads } = size;
    let width = size.head_features();
    let at = |step: usize, projection: usize, feature: usize| {
        projected[(step * PROJECTIONS + projection) * features + feature]
    };
    for (head, query) in (0..heads).flat_map(|head| (0..steps).map(move |query| (head, query))) {
        let own = head * width..(head + 1) * width;
        let power = |key: usize| -> E {
            let score: E = own.clone().map(|feature| at(query, 0, feature) * at(key, 1, feature)).sum();
            (score * size.scale()).exp()
        };
        let powers: Vec<E> = (0..steps).map(power).collect();
        let total: E = powers.iter().copied().sum();
        for feature in own.clone() {
            let weighted = powers.iter().enumerate().map(|(key, power)| *power * at(key, 2, feature));
            context[query * features + feature] = weighted.sum::<E>() / total;
        }
    }
}
