//! The passes over a normalisation's values, some columns at a time down some rows, so that what belongs to a column stays in registers.

use crate::{Element, InstructionSet, dispatch::Kernel, vector::Vector};

/// What is done down a vector of columns.
pub(super) trait Pass<E: Element> {
    /// Constants and sums of the columns.
    type Held<V: Vector<Element = E>>: Copy;

    /// Reads what belongs to the `count` columns from `column` on.
    ///
    /// # Safety
    /// The vector's instructions exist; `column + count` is at most the width.
    unsafe fn begin<V: Vector<Element = E>>(&self, column: usize, count: usize) -> Self::Held<V>;

    /// Works on the `count` elements from `at` on, which are those columns of a row.
    ///
    /// # Safety
    /// As [`Self::begin`]; `at + count` is at most the length.
    unsafe fn row<V: Vector<Element = E>>(&mut self, at: usize, count: usize, held: &mut Self::Held<V>);

    /// Writes back what has been summed.
    ///
    /// # Safety
    /// As [`Self::begin`].
    unsafe fn end<V: Vector<Element = E>>(&mut self, _column: usize, _count: usize, _held: Self::Held<V>) {}
}

/// In which order a pass takes the rows. One that ends where another begins finds its last rows in the cache.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    FirstToLast,
    LastToFirst,
}

/// Rows between two readings of what belongs to a column: so few that those of all columns stay in the first-level cache.
const ROWS: usize = 16;

/// Takes `pass` through `length` elements in rows of `width`; the last row may be shorter.
pub(super) fn sweep<E: Element>(
    set: InstructionSet,
    length: usize,
    width: usize,
    order: Order,
    pass: impl Pass<E>,
) {
    E::dispatch(set, Sweep { length, width, order, pass });
}

struct Sweep<P> {
    length: usize,
    width: usize,
    order: Order,
    pass: P,
}

impl<E: Element, P: Pass<E>> Kernel<E> for Sweep<P> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(mut self) {
        let Self { length, width, order, .. } = self;
        let (rows, rest) = (length / width, length % width);
        // SAFETY: the caller vouches for the instructions; the rows are whole, and behind them lie `rest` elements.
        unsafe {
            if order == Order::LastToFirst {
                self.columns::<V>(rows, 1, rest);
            }
            for block in 0..rows.div_ceil(ROWS) {
                match order {
                    Order::FirstToLast => {
                        let first = block * ROWS;
                        self.columns::<V>(first, ROWS.min(rows - first), width);
                    }
                    Order::LastToFirst => {
                        let end = rows - block * ROWS;
                        self.columns::<V>(end - ROWS.min(end), ROWS.min(end), width);
                    }
                }
            }
            if order == Order::FirstToLast {
                self.columns::<V>(rows, 1, rest);
            }
        }
    }
}

impl<P> Sweep<P> {
    /// The first `columns` of some rows.
    ///
    /// # Safety
    /// The vector's instructions exist; these columns of these rows lie within the length.
    #[inline(always)]
    unsafe fn columns<V: Vector>(&mut self, first: usize, rows: usize, columns: usize)
    where
        P: Pass<V::Element>,
    {
        let mut column = 0;
        // SAFETY: the caller's promise. The counts are constants but in the last call, so that what reads or writes is one plain instruction.
        unsafe {
            if const { V::REGISTERS >= 32 } {
                while columns - column >= 4 * V::LANES {
                    self.block::<V, 4>(first, rows, column, V::LANES);
                    column += 4 * V::LANES;
                }
            }
            while columns - column >= 2 * V::LANES {
                self.block::<V, 2>(first, rows, column, V::LANES);
                column += 2 * V::LANES;
            }
            if columns - column >= V::LANES {
                self.block::<V, 1>(first, rows, column, V::LANES);
                column += V::LANES;
            }
            if columns > column {
                self.block::<V, 1>(first, rows, column, columns - column);
            }
        }
    }

    /// # Safety
    /// As [`Self::columns`], for `VECTORS` vectors of `count` columns.
    #[inline(always)]
    unsafe fn block<V: Vector, const VECTORS: usize>(
        &mut self,
        first: usize,
        rows: usize,
        column: usize,
        count: usize,
    ) where
        P: Pass<V::Element>,
    {
        // SAFETY: the caller's promise.
        unsafe {
            let mut held = [self.pass.begin::<V>(column, count); VECTORS];
            for (v, held) in held.iter_mut().enumerate().skip(1) {
                *held = self.pass.begin::<V>(column + v * V::LANES, count);
            }
            for index in 0..rows {
                let row = match self.order {
                    Order::FirstToLast => first + index,
                    Order::LastToFirst => first + rows - 1 - index,
                };
                for (v, held) in held.iter_mut().enumerate() {
                    self.pass.row(row * self.width + column + v * V::LANES, count, held);
                }
            }
            for (v, held) in held.into_iter().enumerate() {
                self.pass.end(column + v * V::LANES, count, held);
            }
        }
    }
}

/// sums += x − p and squares += (x − p)², of pivots p.
pub(super) struct AddMoments<'a, E> {
    pub(super) values: &'a [E],
    pub(super) pivots: &'a [E],
    pub(super) sums: &'a mut [E],
    pub(super) squares: &'a mut [E],
}

impl<E: Element> Pass<E> for AddMoments<'_, E> {
    type Held<V: Vector<Element = E>> = (V, V, V);

    #[inline(always)]
    unsafe fn begin<V: Vector<Element = E>>(&self, column: usize, count: usize) -> (V, V, V) {
        // SAFETY: the slices are of the sweep's width, and the caller's promise.
        unsafe {
            let pivot = V::load_first(self.pivots.as_ptr().add(column), count);
            let sum = V::load_first(self.sums.as_ptr().add(column), count);
            (pivot, sum, V::load_first(self.squares.as_ptr().add(column), count))
        }
    }

    #[inline(always)]
    unsafe fn row<V: Vector<Element = E>>(&mut self, at: usize, count: usize, held: &mut (V, V, V)) {
        let (pivot, sum, square) = held;
        // SAFETY: the slice is of the sweep's length, and the caller's promise.
        let value = unsafe { V::load_first(self.values.as_ptr().add(at), count) }.sub(*pivot);
        *sum = sum.add(value);
        *square = value.mul_add(value, *square);
    }

    #[inline(always)]
    unsafe fn end<V: Vector<Element = E>>(&mut self, column: usize, count: usize, held: (V, V, V)) {
        let (_, sum, square) = held;
        // SAFETY: as above.
        unsafe {
            sum.store_first(self.sums.as_mut_ptr().add(column), count);
            square.store_first(self.squares.as_mut_ptr().add(column), count);
        }
    }
}

/// What normalises a column, of what [`super::fold`] has prepared: μ, γ · r and β.
#[derive(Clone, Copy)]
pub(super) struct Folded<'a, E> {
    pub(super) means: &'a [E],
    pub(super) factors: &'a [E],
    pub(super) offsets: &'a [E],
}

/// The same of a vector of columns.
#[derive(Clone, Copy)]
pub(super) struct Normal<V> {
    mean: V,
    factor: V,
    offset: V,
}

impl<E: Element> Folded<'_, E> {
    /// # Safety
    /// As [`Pass::begin`].
    #[inline(always)]
    unsafe fn load<V: Vector<Element = E>>(&self, column: usize, count: usize) -> Normal<V> {
        // SAFETY: the slices are of the sweep's width, and the caller's promise.
        unsafe {
            Normal {
                mean: V::load_first(self.means.as_ptr().add(column), count),
                factor: V::load_first(self.factors.as_ptr().add(column), count),
                offset: V::load_first(self.offsets.as_ptr().add(column), count),
            }
        }
    }
}

impl<V: Vector> Normal<V> {
    /// x − μ, and what `dy` is behind a ReLU, if there is one: zero where y is not above zero.
    ///
    /// # Safety
    /// The vector's instructions exist.
    #[inline(always)]
    unsafe fn centred<const RELU: bool>(&self, x: V, dy: V) -> (V, V) {
        let centred = x.sub(self.mean);
        if !RELU {
            return (centred, dy);
        }
        let y = centred.mul_add(self.factor, self.offset);
        // SAFETY: the caller's promise.
        let zero = unsafe { V::zero() };
        (centred, zero.select_less_equal(dy, y, zero))
    }
}

/// y = max((x − μ) · factor + offset, floor).
pub(super) struct Normalise<'a, E> {
    pub(super) folded: Folded<'a, E>,
    pub(super) floor: E,
    pub(super) input: &'a [E],
    pub(super) output: &'a mut [E],
}

impl<E: Element> Pass<E> for Normalise<'_, E> {
    type Held<V: Vector<Element = E>> = Normal<V>;

    #[inline(always)]
    unsafe fn begin<V: Vector<Element = E>>(&self, column: usize, count: usize) -> Normal<V> {
        // SAFETY: the caller's promise.
        unsafe { self.folded.load(column, count) }
    }

    #[inline(always)]
    unsafe fn row<V: Vector<Element = E>>(&mut self, at: usize, count: usize, held: &mut Normal<V>) {
        // SAFETY: the slices are of the sweep's length, and the caller's promise.
        unsafe {
            let centred = V::load_first(self.input.as_ptr().add(at), count).sub(held.mean);
            let y = centred.mul_add(held.factor, held.offset).maximum(V::splat(self.floor));
            y.store_first(self.output.as_mut_ptr().add(at), count);
        }
    }
}

/// sums += dy and products += dy · (x − μ).
pub(super) struct AddProducts<'a, E, const RELU: bool> {
    pub(super) folded: Folded<'a, E>,
    pub(super) input: &'a [E],
    pub(super) d_output: &'a [E],
    pub(super) sums: &'a mut [E],
    pub(super) products: &'a mut [E],
}

impl<E: Element, const RELU: bool> Pass<E> for AddProducts<'_, E, RELU> {
    type Held<V: Vector<Element = E>> = (Normal<V>, V, V);

    #[inline(always)]
    unsafe fn begin<V: Vector<Element = E>>(&self, column: usize, count: usize) -> (Normal<V>, V, V) {
        // SAFETY: the slices are of the sweep's width, and the caller's promise.
        unsafe {
            let sum = V::load_first(self.sums.as_ptr().add(column), count);
            let product = V::load_first(self.products.as_ptr().add(column), count);
            (self.folded.load(column, count), sum, product)
        }
    }

    #[inline(always)]
    unsafe fn row<V: Vector<Element = E>>(&mut self, at: usize, count: usize, held: &mut (Normal<V>, V, V)) {
        let (normal, sum, product) = held;
        // SAFETY: the slices are of the sweep's length, and the caller's promise.
        unsafe {
            let x = V::load_first(self.input.as_ptr().add(at), count);
            let dy = V::load_first(self.d_output.as_ptr().add(at), count);
            let (centred, dy) = normal.centred::<RELU>(x, dy);
            *sum = sum.add(dy);
            *product = dy.mul_add(centred, *product);
        }
    }

    #[inline(always)]
    unsafe fn end<V: Vector<Element = E>>(&mut self, column: usize, count: usize, held: (Normal<V>, V, V)) {
        let (_, sum, product) = held;
        // SAFETY: the slices are of the sweep's width, and the caller's promise.
        unsafe {
            sum.store_first(self.sums.as_mut_ptr().add(column), count);
            product.store_first(self.products.as_mut_ptr().add(column), count);
        }
    }
}

/// dx = factor · dy + slope · (x − μ) + rest, in the place of dy.
pub(super) struct Differentiate<'a, E, const RELU: bool> {
    pub(super) folded: Folded<'a, E>,
    pub(super) slopes: &'a [E],
    pub(super) rests: &'a [E],
    pub(super) input: &'a [E],
    pub(super) derivative: &'a mut [E],
}

impl<E: Element, const RELU: bool> Pass<E> for Differentiate<'_, E, RELU> {
    type Held<V: Vector<Element = E>> = (Normal<V>, V, V);

    #[inline(always)]
    unsafe fn begin<V: Vector<Element = E>>(&self, column: usize, count: usize) -> (Normal<V>, V, V) {
        // SAFETY: the slices are of the sweep's width, and the caller's promise.
        unsafe {
            let slope = V::load_first(self.slopes.as_ptr().add(column), count);
            let rest = V::load_first(self.rests.as_ptr().add(column), count);
            (self.folded.load(column, count), slope, rest)
        }
    }

    #[inline(always)]
    unsafe fn row<V: Vector<Element = E>>(&mut self, at: usize, count: usize, held: &mut (Normal<V>, V, V)) {
        let (normal, slope, rest) = held;
        // SAFETY: the slices are of the sweep's length, and the caller's promise.
        unsafe {
            let derivative = self.derivative.as_mut_ptr().add(at);
            let x = V::load_first(self.input.as_ptr().add(at), count);
            let (centred, dy) = normal.centred::<RELU>(x, V::load_first(derivative, count));
            dy.mul_add(normal.factor, centred.mul_add(*slope, *rest)).store_first(derivative, count);
        }
    }
}
