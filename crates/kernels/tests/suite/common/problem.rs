//! A convolution with its numbers, and what it must give by the definition.

use super::{Guard, Guarded, Number, Random, Sum, case};
use kernels::{
    InstructionSet,
    convolution::{
        self, Activation, Geometry, OutputGradient, Size, Weights, forward, infer, pack_weights,
        packed_weights_length, workspace_length,
    },
    matmul::Output,
};

pub struct Problem<E> {
    pub size: Size,
    pub geometry: Geometry,
    pub images: usize,
    pub input: Vec<E>,
    pub weights: Vec<E>,
    pub bias: Vec<E>,
}

/// A gradient of the output and the winners that it goes to.
pub struct Routed<E> {
    pub gradient: Vec<E>,
    pub winners: Vec<u8>,
}

impl<E> Routed<E> {
    pub fn view(&self) -> OutputGradient<'_, E> {
        OutputGradient { gradient: &self.gradient, winners: &self.winners }
    }
}

/// Derivatives by the definition.
pub struct Derivatives {
    pub weights: Vec<Sum>,
    pub bias: Vec<Sum>,
    pub input: Vec<Sum>,
}

/// `[height, width, channels]` convolved by `filters` of `[kernel height, kernel width]`.
pub fn plain([height, width, channels]: [usize; 3], filters: usize, kernel: [usize; 2]) -> Size {
    Size {
        height,
        width,
        channels,
        filters,
        kernel_height: kernel[0],
        kernel_width: kernel[1],
        stride: 1,
        pool_height: 1,
        pool_width: 1,
        activation: Activation::Relu,
    }
}

/// The same with a pool.
pub fn pooled(size: Size, pool: [usize; 2]) -> Size {
    Size { pool_height: pool[0], pool_width: pool[1], ..size }
}

impl<E: Number + Guard> Problem<E> {
    fn new(size: Size, images: usize, mut numbers: impl FnMut(usize) -> Vec<E>) -> Self {
        let geometry = Geometry::new(size);
        let [input, weights, bias] =
            [images * geometry.input_length(), size.filters * geometry.filter_length(), size.filters]
                .map(&mut numbers);
        Self { size, geometry, images, input, weights, bias }
    }

    /// Whole numbers small enough that every sum is exact, and that equal maxima and sums of zero are frequent.
    pub fn whole(size: Size, images: usize, random: &mut Random) -> Self {
        Self::new(size, images, |length| random.whole(length, 4))
    }

    pub fn reals(size: Size, images: usize, random: &mut Random) -> Self {
        Self::new(size, images, |length| random.reals(length))
    }

    /// Gives every image margins of zeros, of any width and now and then over all of it.
    pub fn darken(&mut self, random: &mut Random) {
        let Size { height, width, channels, .. } = *self.geometry.size();
        for image in self.input.chunks_exact_mut(height * width * channels) {
            let mut range = |length: usize| {
                let (first, end) = (random.below(length), random.below(length + 1));
                first..end
            };
            let (rows, columns) = (range(height), range(width));
            for (at, value) in image.iter_mut().enumerate() {
                let (row, column) = (at / channels / width, at / channels % width);
                if !rows.contains(&row) || !columns.contains(&column) {
                    *value = E::ZERO;
                }
            }
        }
    }

    /// Weights, bias and input, one after the other.
    pub fn variables(&self) -> Vec<E> {
        [&self.weights[..], &self.bias, &self.input].concat()
    }

    /// The same problem of other [`Self::variables`].
    pub fn with_variables(&self, variables: &[E]) -> Self {
        let (weights, rest) = variables.split_at(self.weights.len());
        let (bias, input) = rest.split_at(self.bias.len());
        let [weights, bias, input] = [weights, bias, input].map(<[E]>::to_vec);
        Self { geometry: Geometry::new(self.size), weights, bias, input, ..*self }
    }

    pub fn case(&self, set: InstructionSet) -> String {
        case::<E>(set, format!("{} images of {:?}", self.images, self.size))
    }

    pub fn outputs(&self) -> usize {
        self.images * self.geometry.output_length()
    }

    /// Image, window and filter of an output.
    fn place(&self, output: usize) -> [usize; 3] {
        let (filters, windows) = (self.size.filters, self.geometry.windows());
        [output / filters / windows, output / filters % windows, output % filters]
    }

    /// The pairs (weight, pixel) that are multiplied at a position of a window, as indices into weights and input.
    fn pairs(&self, output: usize, position: usize) -> impl Iterator<Item = (usize, usize)> {
        let [image, window, filter] = self.place(output);
        let Size {
            height,
            width,
            channels,
            kernel_height,
            kernel_width,
            stride,
            pool_height,
            pool_width,
            ..
        } = self.size;
        let columns = ((width - kernel_width) / stride + 1) / pool_width;
        let top = (window / columns * pool_height + position / pool_width) * stride;
        let left = (window % columns * pool_width + position % pool_width) * stride;
        (0..kernel_height * kernel_width * channels).map(move |weight| {
            let (channel, x, y) =
                (weight % channels, weight / channels % kernel_width, weight / channels / kernel_width);
            let pixel = ((image * height + top + y) * width + left + x) * channels + channel;
            (filter * kernel_height * kernel_width * channels + weight, pixel)
        })
    }

    /// The sum at each position of an output's window.
    pub fn candidates(&self, output: usize) -> Vec<Sum> {
        let sum = |position| {
            let mut sum = Sum::default();
            sum.add(self.bias[output % self.size.filters].to_f64());
            for (weight, pixel) in self.pairs(output, position) {
                sum.add(self.weights[weight].to_f64() * self.input[pixel].to_f64());
            }
            sum
        };
        (0..self.size.pool_height * self.size.pool_width).map(sum).collect()
    }

    /// Output and winner of exact candidates: the first of the largest, and none unless it is above zero after a ReLU.
    pub fn winner(&self, candidates: &[Sum]) -> (f64, u8) {
        let none = (0.0, candidates.len() as u8);
        let mut best = match self.size.activation {
            Activation::Relu => none,
            Activation::Linear => (f64::NEG_INFINITY, 0),
        };
        for (position, sum) in candidates.iter().enumerate() {
            if sum.value > best.0 {
                best = (sum.value, position as u8);
            }
        }
        best
    }

    pub fn packed(&self, set: InstructionSet) -> Guarded<E> {
        let mut packed = Guarded::stale(packed_weights_length::<E>(set, &self.geometry), 1);
        pack_weights(set, &self.geometry, &self.weights, &mut packed);
        packed
    }

    /// Runs the kernel on slices at an odd place, into stale outputs.
    pub fn forward(&self, set: InstructionSet) -> (Guarded<E>, Guarded<u8>) {
        let (input, bias) = (Guarded::input(&self.input, 1), Guarded::input(&self.bias, 3));
        let mut output = Guarded::stale(self.outputs(), 1);
        let mut winners = Guarded::stale(self.outputs(), 1);
        let packed = self.packed(set);
        let mut workspace = self.workspace(set);
        forward(set, &self.geometry, &input, &packed, &bias, &mut output, &mut winners, &mut workspace);
        (output, winners)
    }

    /// As [`Self::forward`], for inference, by so many threads.
    pub fn infer(&self, set: InstructionSet, threads: usize) -> Guarded<E> {
        let (input, bias) = (Guarded::input(&self.input, 1), Guarded::input(&self.bias, 3));
        let mut output = Guarded::stale(self.outputs(), 1);
        let mut winners = Guarded::stale(self.outputs(), 1);
        let packed = self.packed(set);
        let mut workspace = self.workspace(set);
        let geometry = &self.geometry;
        infer(set, geometry, &input, &packed, &bias, &mut output, &mut winners, &mut workspace, threads);
        output
    }

    pub fn workspace(&self, set: InstructionSet) -> Guarded<E> {
        Guarded::stale(workspace_length::<E>(set, &self.geometry), 1)
    }

    /// Derivatives with respect to weights, bias and, stale before, input, added to what is given of the first two.
    pub fn backward(
        &self,
        set: InstructionSet,
        routed: &Routed<E>,
        weights_before: &[E],
        bias_before: &[E],
    ) -> [Guarded<E>; 3] {
        let (mut d_weights, mut d_bias) =
            (Guarded::output(weights_before, 1), Guarded::output(bias_before, 3));
        let mut d_input = Guarded::stale(self.input.len(), 1);
        let (input, plain) = (Guarded::input(&self.input, 1), Guarded::input(&self.weights, 3));
        let (gradient, winners) = (Guarded::input(&routed.gradient, 1), Guarded::input(&routed.winners, 1));
        convolution::backward(
            set,
            &self.geometry,
            &input,
            Weights { plain: &plain, packed: &self.packed(set) },
            OutputGradient { gradient: &gradient, winners: &winners },
            convolution::Derivatives {
                weights: &mut d_weights,
                bias: Some(&mut d_bias),
                input: Some(&mut d_input),
                into_input: Output::Overwrite,
            },
            &mut self.workspace(set),
        );
        [d_weights, d_bias, d_input]
    }

    /// The derivatives with respect to weights and input where no bias is learnt, each added to what is given.
    pub fn backward_onto(
        &self,
        set: InstructionSet,
        routed: &Routed<E>,
        weights_before: &[E],
        input_before: &[E],
    ) -> [Guarded<E>; 2] {
        let (mut d_weights, mut d_input) =
            (Guarded::output(weights_before, 1), Guarded::output(input_before, 1));
        convolution::backward(
            set,
            &self.geometry,
            &self.input,
            Weights { plain: &self.weights, packed: &self.packed(set) },
            OutputGradient { gradient: &routed.gradient, winners: &routed.winners },
            convolution::Derivatives {
                weights: &mut d_weights,
                bias: None,
                input: Some(&mut d_input),
                into_input: Output::Accumulate,
            },
            &mut self.workspace(set),
        );
        [d_weights, d_input]
    }

    /// A gradient of whole numbers to winners drawn evenly, "none" among them.
    pub fn routed_whole(&self, random: &mut Random) -> Routed<E> {
        let gradient = random.whole(self.outputs(), 4);
        Routed { gradient, winners: self.drawn_winners(random) }
    }

    pub fn routed_reals(&self, random: &mut Random) -> Routed<E> {
        let gradient = random.reals(self.outputs());
        Routed { gradient, winners: self.drawn_winners(random) }
    }

    fn drawn_winners(&self, random: &mut Random) -> Vec<u8> {
        let positions = self.size.pool_height * self.size.pool_width;
        // Without a ReLU some position always wins.
        let none = usize::from(self.size.activation == Activation::Relu);
        (0..self.outputs()).map(|_| random.below(positions + none) as u8).collect()
    }

    /// The derivatives by the definition, but for what accumulates onto them.
    pub fn derivatives(&self, routed: &Routed<E>) -> Derivatives {
        let zeros = |length: usize| vec![Sum::default(); length];
        let mut derivatives = Derivatives {
            weights: zeros(self.weights.len()),
            bias: zeros(self.bias.len()),
            input: zeros(self.input.len()),
        };
        for (output, (gradient, winner)) in routed.gradient.iter().zip(&routed.winners).enumerate() {
            let (gradient, winner) = (gradient.to_f64(), usize::from(*winner));
            if winner >= self.size.pool_height * self.size.pool_width {
                continue;
            }
            derivatives.bias[output % self.size.filters].add(gradient);
            for (weight, pixel) in self.pairs(output, winner) {
                derivatives.weights[weight].add(gradient * self.input[pixel].to_f64());
                derivatives.input[pixel].add(gradient * self.weights[weight].to_f64());
            }
        }
        derivatives
    }
}

/// Kernels, strides and pools on an image that is not square, where some rows and columns are cut off.
pub fn shapes() -> Vec<(Size, usize)> {
    let mut shapes = Vec::new();
    for kernel in [[1, 1], [2, 3], [3, 3], [4, 1], [1, 4], [5, 5]] {
        for pool in [[1, 1], [2, 2], [3, 3], [1, 2], [2, 1]] {
            for stride in 1..=3 {
                for activation in [Activation::Relu, Activation::Linear] {
                    let size = Size { stride, activation, ..plain([14, 17, 3], 5, kernel) };
                    shapes.push((pooled(size, pool), 2));
                }
            }
        }
    }
    shapes
}

/// Every number of filters up to more than the widest panel, and around two of them.
pub fn filters() -> Vec<(Size, usize)> {
    let counts = (1..=70).chain([127, 128, 129, 145]);
    counts.map(|filters| (pooled(plain([5, 7, 2], filters, [3, 2]), [2, 2]), 1)).collect()
}

/// Kernel rows of every length around every number of vectors, in kernels of 1 to 5 rows.
pub fn runs() -> Vec<(Size, usize)> {
    let mut runs: Vec<(Size, usize)> = Vec::new();
    let lengths = (1..=33).chain((3..=20).flat_map(|n| n * 16 - 1..=n * 16 + 1)).chain([100, 117, 300]);
    for length in lengths {
        for rows in 1..=5 {
            runs.push((pooled(plain([rows + 1, 3, length], 2, [rows, 1]), [2, 1]), 1));
        }
    }
    for (kernel, channels) in [([5, 5], 24), ([3, 3], 32), ([5, 5], 1), ([2, 3], 43), ([4, 5], 8)] {
        runs.push((pooled(plain([kernel[0] + 3, kernel[1] + 4, channels], 3, kernel), [2, 2]), 2));
    }
    runs
}

/// Filters whose weights fit the first-level cache by all, some and one of their kernel rows.
pub fn weights() -> Vec<(Size, usize)> {
    let filters = [8, 12, 13, 16, 25, 26, 51, 60];
    filters.map(|filters| (pooled(plain([7, 8, 24], filters, [5, 5]), [1, 2]), 2)).to_vec()
}

/// Every number of windows around the tiles, in several images of one call; and around what backward gathers at once.
pub fn windows() -> Vec<(Size, usize)> {
    let mut windows = Vec::new();
    for filters in [1, 20, 40, 60] {
        for (width, most) in [(1, 26), (2, 13), (3, 9), (5, 5), (7, 4)] {
            windows.extend((0..=most).map(|images| (plain([1, width, 2], filters, [1, 1]), images)));
        }
    }
    for width in [511, 512, 513, 2047, 2048, 2049, 4097] {
        windows.push((plain([1, width, 1], 2, [1, 1]), 2));
        windows.push((plain([1, width, 17], 1, [1, 1]), 1));
    }
    for filters in [511, 512, 513, 2047, 2048, 2049, 4097] {
        windows.push((pooled(plain([2, 3, 1], filters, [1, 2]), [2, 1]), 2));
    }
    for filters in [33, 60, 300, 1000, 1500] {
        windows.push((pooled(plain([10, 8, 2], filters, [2, 2]), [2, 2]), 2));
    }
    windows
}

/// 3×3 kernels that go by minimal filtering, of channels, filters, tiles and images around what it takes at once.
pub fn minimal_filtering() -> Vec<(Size, usize)> {
    let mut sizes = Vec::new();
    let pools = [[1, 1], [2, 2], [1, 2], [2, 1], [1, 5], [3, 3]];
    for (index, channels) in [8, 9, 15, 16, 17, 31, 32, 33, 48, 100, 129].into_iter().enumerate() {
        sizes.push((pooled(plain([9, 7, channels], 19, [3, 3]), pools[index % 3]), 2));
    }
    for filters in [8, 15, 16, 17, 32, 33, 48, 64, 65, 130] {
        for activation in [Activation::Relu, Activation::Linear] {
            let size = Size { activation, ..plain([6, 7, 8], filters, [3, 3]) };
            sizes.extend([(size, 3), (pooled(size, [2, 2]), 3)]);
        }
    }
    for images in [0, 1, 2, 3, 5, 6, 7, 13, 16, 17, 33, 40] {
        sizes.extend([[1, 1], [2, 2]].map(|pool| (pooled(plain([7, 13, 10], 20, [3, 3]), pool), images)));
    }
    for (extent, pool) in (7..=12).flat_map(|extent| pools.map(|pool| (extent, pool))) {
        sizes.push((pooled(plain([extent, 19 - extent, 8], 8, [3, 3]), pool), 2));
    }
    sizes.push((plain([38, 37, 8], 9, [3, 3]), 2));
    // A single tile an image, and six outputs in two.
    for images in [1, 40] {
        sizes.push((plain([5, 5, 17], 130, [3, 3]), images));
        sizes.push((Size { activation: Activation::Linear, ..plain([8, 5, 9], 20, [3, 3]) }, images));
    }
    sizes
}

/// Single images that are worth several threads: filtered, with and without a pool, of one panel of filters and of two; of one tile; direct,
/// of several panels, and of one, whose windows are shared.
pub fn shared() -> Vec<(Size, usize)> {
    let linear = Size { activation: Activation::Linear, ..plain([17, 16, 24], 40, [3, 3]) };
    vec![
        (plain([16, 16, 32], 33, [3, 3]), 1),
        (linear, 1),
        (pooled(plain([19, 15, 20], 70, [3, 3]), [2, 2]), 1),
        (pooled(plain([24, 23, 16], 36, [3, 3]), [3, 3]), 1),
        (pooled(plain([17, 17, 24], 40, [3, 3]), [3, 3]), 1),
        (pooled(plain([33, 12, 17], 40, [3, 3]), [1, 2]), 1),
        // More than there are parts.
        (plain([42, 22, 40], 64, [3, 3]), 1),
        (pooled(plain([42, 22, 40], 64, [3, 3]), [2, 2]), 1),
        (plain([7, 7, 80], 130, [3, 3]), 1),
        (plain([12, 11, 20], 140, [5, 5]), 1),
        (plain([16, 15, 20], 30, [5, 5]), 1),
    ]
}

/// Windows of so many positions that a byte just holds them.
pub fn large_pools() -> Vec<(Size, usize)> {
    let mut pools = Vec::new();
    for (pool, extent) in
        [([2, 127], [5, 255]), ([127, 2], [128, 5]), ([14, 18], [14, 18]), ([1, 129], [3, 129])]
    {
        for activation in [Activation::Relu, Activation::Linear] {
            let size = Size { activation, ..plain([extent[0], extent[1], 1], 21, [1, 1]) };
            pools.push((pooled(size, pool), 3));
        }
    }
    pools
}
