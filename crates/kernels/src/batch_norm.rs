//! Batch normalisation (Ioffe and Szegedy, 2015) over all axes but the last, with the ReLU that may follow it.
//!
//! For each channel of `[rows, channels]`, μ = mean x and σ² = mean (x − μ)² over the rows, r = 1 / √(σ² + ε) and
//! y = γ · r · (x − μ) + β, with the scale γ and the offset β. The variance is a second pass over the values, and μ is
//! subtracted before the product, so that no large mean cancels. All passes wait for memory, not for arithmetic.
//!
//! Few channels do not fill a vector, so several rows are read as one: the passes go in rows of up to [`width`] columns,
//! a multiple of the channels, with what belongs to a channel repeated. What a channel's columns have summed is added up
//! at the end.

use crate::{
    Element, InstructionSet, check_length, length,
    vector::Vector,
    walk::{Step, Walk},
};

/// Columns from which on a row is wide enough: a pass adds to sums in memory, whose latency eight vectors hide.
const WIDE: usize = 128;

/// Lanes of the widest vector.
const MOST_LANES: usize = 16;

/// Columns of the passes over so many channels: at least `WIDE`, in whole vectors where a row has fewer.
///
/// # Panics
/// When there are no channels.
pub fn width(channels: usize) -> usize {
    assert!(channels > 0, "no channels");
    if channels >= WIDE {
        return channels;
    }
    let mut whole = channels;
    while !whole.is_multiple_of(MOST_LANES) {
        whole += channels;
    }
    whole * WIDE.div_ceil(whole)
}

/// As [`width`], for rows so many that it pays to repeat what belongs to a channel.
fn width_of_rows(channels: usize, rows: usize) -> usize {
    let width = width(channels);
    if rows < 4 * (width / channels) { channels } else { width }
}

/// Elements that [`forward`] and [`backward`] work with.
///
/// # Panics
/// When there are no channels.
pub fn workspace_length(channels: usize) -> usize {
    length::product(&[5, width(channels)])
}

/// Elements that [`fold`] fills.
///
/// # Panics
/// When there are no channels.
pub fn folded_length(channels: usize) -> usize {
    length::product(&[3, width(channels)])
}

/// A normalisation's constants and parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm<'a, E> {
    /// ε.
    pub epsilon: f64,
    /// γ `[channels]`.
    pub scale: &'a [E],
    /// β `[channels]`.
    pub offset: &'a [E],
}

/// μ and σ², `[channels]` each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics<'a, E> {
    /// μ.
    pub mean: &'a [E],
    /// σ².
    pub variance: &'a [E],
}

/// Rows of `values`.
fn rows<E>(values: &[E], channels: usize) -> usize {
    assert!(channels > 0, "no channels");
    assert!(values.len().is_multiple_of(channels), "{} elements in rows of {channels}", values.len());
    values.len() / channels
}

/// The first rows of `width` of a workspace.
fn columns<E, const ROWS: usize>(workspace: &mut [E], width: usize) -> [&mut [E]; ROWS] {
    let mut rows = workspace.chunks_exact_mut(width);
    std::array::from_fn(|_| rows.next().expect("the workspace has so many rows"))
}

/// Copies the first `channels` over all others.
fn repeat<E: Copy>(columns: &mut [E], channels: usize) {
    let (first, rest) = columns.split_at_mut(channels);
    rest.chunks_exact_mut(channels).for_each(|row| row.copy_from_slice(first));
}

/// `to[channel]` = the sum of the channel's columns times `share`.
fn gather<E: Element>(columns: &[E], share: E, to: &mut [E]) {
    to.fill(E::ZERO);
    for row in columns.chunks_exact(to.len()) {
        to.iter_mut().zip(row).for_each(|(to, value)| *to += *value);
    }
    to.iter_mut().for_each(|to| *to *= share);
}

fn walk<E: Element>(set: InstructionSet, length: usize, width: usize, step: impl Step<E>) {
    E::dispatch(set, Walk { length, width, step });
}

/// What [`apply`] multiplies and adds: μ, γ · r and β, each repeated over [`width`] columns; overwrites `folded`.
///
/// # Panics
/// When a length does not fit; `folded` has [`folded_length`].
pub fn fold<E: Element>(norm: BatchNorm<E>, statistics: Statistics<E>, folded: &mut [E]) {
    let width = width(norm.scale.len());
    check_length!(folded, [3, width]);
    fold_columns(norm, statistics, width, folded);
}

/// The same over `width` columns.
fn fold_columns<E: Element>(norm: BatchNorm<E>, statistics: Statistics<E>, width: usize, folded: &mut [E]) {
    let BatchNorm { epsilon, scale, offset } = norm;
    let Statistics { mean, variance } = statistics;
    let channels = scale.len();
    check_length!(offset, [channels]);
    check_length!(mean, [channels]);
    check_length!(variance, [channels]);
    let epsilon = E::from_f64(epsilon);
    let (means, rest) = folded.split_at_mut(width);
    let (factors, offsets) = rest.split_at_mut(width);
    means[..channels].copy_from_slice(mean);
    offsets[..channels].copy_from_slice(offset);
    for ((factor, scale), variance) in factors.iter_mut().zip(scale).zip(variance) {
        *factor = *scale / (*variance + epsilon).sqrt();
    }
    for columns in [means, factors, offsets] {
        repeat(&mut columns[..width], channels);
    }
}

/// Normalises `input [rows, channels]` by what [`fold`] has prepared, and takes max(y, 0) if `relu`; overwrites `output`.
///
/// # Panics
/// When a length does not fit.
pub fn apply<E: Element>(
    set: InstructionSet,
    channels: usize,
    folded: &[E],
    relu: bool,
    input: &[E],
    output: &mut [E],
) {
    check_length!(folded, [folded_length(channels)]);
    let rows = rows(input, channels);
    apply_columns(set, width_of_rows(channels, rows), folded, relu, input, output);
}

/// The same with rows of `width`, where each third of `folded` has at least so many.
fn apply_columns<E: Element>(
    set: InstructionSet,
    width: usize,
    folded: &[E],
    relu: bool,
    input: &[E],
    output: &mut [E],
) {
    check_length!(output, [input.len()]);
    let third = folded.len() / 3;
    let [means, factors, offsets] = [0, 1, 2].map(|part| &folded[part * third..][..width]);
    // Nothing is below the second: one pass serves both.
    let floor = if relu { E::ZERO } else { -E::ONE / E::ZERO };
    walk(set, input.len(), width, Normalise { input, means, factors, offsets, floor, output });
}

/// Normalises `input [rows, channels]` by its own statistics, which `mean` (μ) and `variance` (σ²) receive, and takes
/// max(y, 0) if `relu`; overwrites all three. Of no rows the statistics are zero.
///
/// # Panics
/// When a length does not fit; `workspace` has at least [`workspace_length`].
#[expect(clippy::too_many_arguments, reason = "the tensors of one equation")]
pub fn forward<E: Element>(
    set: InstructionSet,
    norm: BatchNorm<E>,
    relu: bool,
    input: &[E],
    output: &mut [E],
    mean: &mut [E],
    variance: &mut [E],
    workspace: &mut [E],
) {
    let channels = norm.scale.len();
    let rows = rows(input, channels);
    check_length!(mean, [channels]);
    check_length!(variance, [channels]);
    let width = width_of_rows(channels, rows);
    let share = E::ONE / E::from_f64(rows.max(1) as f64);
    let [means, sums] = columns(workspace, width);
    sums.fill(E::ZERO);
    walk(set, input.len(), width, AddColumns { values: input, sums });
    gather(sums, share, mean);
    means[..channels].copy_from_slice(mean);
    repeat(means, channels);
    sums.fill(E::ZERO);
    walk(set, input.len(), width, AddSquares { values: input, means, sums });
    gather(sums, share, variance);
    let folded = &mut workspace[..3 * width];
    fold_columns(norm, Statistics { mean, variance }, width, folded);
    apply_columns(set, width, folded, relu, input, output);
}

/// The derivatives behind [`forward`]: dβ = Σ dy and dγ = Σ dy · x̂ over the rows, with x̂ = r (x − μ), and, where `wanted`,
/// dx = γ · r · (dy − dβ / rows − x̂ · dγ / rows), which takes the place of `d_output`. Overwrites the other two. Behind a ReLU dy is
/// `d_output` where y is above zero, and else zero: y is computed again, which costs less than reading it.
///
/// # Panics
/// When a length does not fit; `workspace` has at least [`workspace_length`].
#[expect(clippy::too_many_arguments, reason = "the tensors of one equation")]
pub fn backward<E: Element>(
    set: InstructionSet,
    norm: BatchNorm<E>,
    statistics: Statistics<E>,
    relu: bool,
    input: &[E],
    d_output: &mut [E],
    wanted: bool,
    d_scale: &mut [E],
    d_offset: &mut [E],
    workspace: &mut [E],
) {
    let Statistics { mean, variance } = statistics;
    let channels = norm.scale.len();
    let rows = rows(input, channels);
    check_length!(mean, [channels]);
    check_length!(variance, [channels]);
    check_length!(d_output, [input.len()]);
    check_length!(d_scale, [channels]);
    check_length!(d_offset, [channels]);
    let width = width_of_rows(channels, rows);
    fold_columns(norm, statistics, width, &mut workspace[..3 * width]);
    let [means, factors, offsets, sums, products] = columns(workspace, width);
    sums.fill(E::ZERO);
    products.fill(E::ZERO);
    let normal = Normal { input, means, factors, offsets };
    if relu {
        let step = AddProducts::<_, true> { normal, d_output, sums, products };
        walk(set, input.len(), width, step);
    } else {
        let step = AddProducts::<_, false> { normal, d_output, sums, products };
        walk(set, input.len(), width, step);
    }
    gather(sums, E::ONE, d_offset);
    gather(products, E::ONE, d_scale);
    // dx = factor · dy + slope · (x − μ) + rest; slope and rest take the place of the sums.
    let share = E::ONE / E::from_f64(rows.max(1) as f64);
    for (channel, d_scale) in d_scale.iter_mut().enumerate() {
        let inverse_deviation = E::ONE / (variance[channel] + E::from_f64(norm.epsilon)).sqrt();
        *d_scale *= inverse_deviation;
        let factor = factors[channel];
        products[channel] = -factor * inverse_deviation * *d_scale * share;
        sums[channel] = -factor * d_offset[channel] * share;
    }
    if !wanted {
        return;
    }
    repeat(sums, channels);
    repeat(products, channels);
    let (slopes, rests) = (products, sums);
    let normal = Normal { input, means, factors, offsets };
    if relu {
        let step = Differentiate::<_, true> { normal, slopes, rests, derivative: d_output };
        walk(set, input.len(), width, step);
    } else {
        let step = Differentiate::<_, false> { normal, slopes, rests, derivative: d_output };
        walk(set, input.len(), width, step);
    }
}

/// sums += x, column by column.
struct AddColumns<'a, E> {
    values: &'a [E],
    sums: &'a mut [E],
}

impl<E: Element> Step<E> for AddColumns<'_, E> {
    #[inline(always)]
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, column: usize, count: usize) {
        // SAFETY: the slices are of the walk's length and width, and the caller's promise.
        unsafe {
            let sum = self.sums.as_mut_ptr().add(column);
            let value = V::load_first(self.values.as_ptr().add(at), count);
            V::load_first(sum, count).add(value).store_first(sum, count);
        }
    }
}

/// sums += (x − μ)², column by column.
struct AddSquares<'a, E> {
    values: &'a [E],
    means: &'a [E],
    sums: &'a mut [E],
}

impl<E: Element> Step<E> for AddSquares<'_, E> {
    #[inline(always)]
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, column: usize, count: usize) {
        // SAFETY: the slices are of the walk's length and width, and the caller's promise.
        unsafe {
            let sum = self.sums.as_mut_ptr().add(column);
            let mean = V::load_first(self.means.as_ptr().add(column), count);
            let centred = V::load_first(self.values.as_ptr().add(at), count).sub(mean);
            centred.mul_add(centred, V::load_first(sum, count)).store_first(sum, count);
        }
    }
}

/// y = max((x − μ) · factor + offset, floor).
struct Normalise<'a, E> {
    input: &'a [E],
    means: &'a [E],
    factors: &'a [E],
    offsets: &'a [E],
    floor: E,
    output: &'a mut [E],
}

impl<E: Element> Step<E> for Normalise<'_, E> {
    #[inline(always)]
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, column: usize, count: usize) {
        // SAFETY: the slices are of the walk's length and width, and the caller's promise.
        unsafe {
            let mean = V::load_first(self.means.as_ptr().add(column), count);
            let factor = V::load_first(self.factors.as_ptr().add(column), count);
            let offset = V::load_first(self.offsets.as_ptr().add(column), count);
            let centred = V::load_first(self.input.as_ptr().add(at), count).sub(mean);
            let y = centred.mul_add(factor, offset).maximum(V::splat(self.floor));
            y.store_first(self.output.as_mut_ptr().add(at), count);
        }
    }
}

/// x, and what [`fold`] makes of the statistics.
#[derive(Clone, Copy)]
struct Normal<'a, E> {
    input: &'a [E],
    means: &'a [E],
    factors: &'a [E],
    offsets: &'a [E],
}

impl<E: Element> Normal<'_, E> {
    /// x − μ, and with `RELU` what `dy` is behind it: zero where y is not above zero.
    ///
    /// # Safety
    /// As [`Step::step`].
    #[inline(always)]
    unsafe fn centred<V: Vector<Element = E>, const RELU: bool>(
        &self,
        at: usize,
        column: usize,
        count: usize,
        dy: V,
    ) -> (V, V) {
        // SAFETY: the slices are of the walk's length and width, and the caller's promise.
        unsafe {
            let mean = V::load_first(self.means.as_ptr().add(column), count);
            let centred = V::load_first(self.input.as_ptr().add(at), count).sub(mean);
            if !RELU {
                return (centred, dy);
            }
            let factor = V::load_first(self.factors.as_ptr().add(column), count);
            let y = centred.mul_add(factor, V::load_first(self.offsets.as_ptr().add(column), count));
            (centred, V::zero().select_less_equal(dy, y, V::zero()))
        }
    }
}

/// sums += dy and products += dy · (x − μ), column by column.
struct AddProducts<'a, E, const RELU: bool> {
    normal: Normal<'a, E>,
    d_output: &'a [E],
    sums: &'a mut [E],
    products: &'a mut [E],
}

impl<E: Element, const RELU: bool> Step<E> for AddProducts<'_, E, RELU> {
    #[inline(always)]
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, column: usize, count: usize) {
        // SAFETY: the slices are of the walk's length and width, and the caller's promise.
        unsafe {
            let sum = self.sums.as_mut_ptr().add(column);
            let product = self.products.as_mut_ptr().add(column);
            let dy = V::load_first(self.d_output.as_ptr().add(at), count);
            let (centred, dy) = self.normal.centred::<V, RELU>(at, column, count, dy);
            V::load_first(sum, count).add(dy).store_first(sum, count);
            dy.mul_add(centred, V::load_first(product, count)).store_first(product, count);
        }
    }
}

/// dx = factor · dy + slope · (x − μ) + rest, in the place of dy.
struct Differentiate<'a, E, const RELU: bool> {
    normal: Normal<'a, E>,
    slopes: &'a [E],
    rests: &'a [E],
    derivative: &'a mut [E],
}

impl<E: Element, const RELU: bool> Step<E> for Differentiate<'_, E, RELU> {
    #[inline(always)]
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, column: usize, count: usize) {
        // SAFETY: the slices are of the walk's length and width, and the caller's promise.
        unsafe {
            let derivative = self.derivative.as_mut_ptr().add(at);
            let dy = V::load_first(derivative, count);
            let (centred, dy) = self.normal.centred::<V, RELU>(at, column, count, dy);
            let factor = V::load_first(self.normal.factors.as_ptr().add(column), count);
            let slope = V::load_first(self.slopes.as_ptr().add(column), count);
            let rest = centred.mul_add(slope, V::load_first(self.rests.as_ptr().add(column), count));
            dy.mul_add(factor, rest).store_first(derivative, count);
        }
    }
}
