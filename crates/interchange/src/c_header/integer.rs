//! Networks that compute in whole numbers.

use super::code::{Code, number};
use crate::{
    Description, IntegerNetwork,
    integer::{Factor, StageNumbers, zero},
};
use nn::Sliding;
use spec::{Memory, Place, Stage, StageOperation};

/// The functions that a header is made of, each behind a line with its name.
const SUPPORT: &[&str] = &[include_str!("integer.c"), include_str!("moves.c")];

/// A network's code, its functions, and the bytes of its workspace, without CMSIS-NN and with it; none where it has nothing to compute.
pub(super) fn code(
    description: &Description,
    network: &IntegerNetwork,
    name: String,
) -> (Code, String, usize, Option<usize>) {
    let graph = &network.graph;
    let mut own =
        Exporter { network, memory: &graph.memory, with_cmsis_nn: false, code: Code::new(name.clone()) };
    own.network(description);
    let mut code = own.code;
    let is_called = graph.stages.iter().any(|stage| stage.operation.cmsis_nn_buffer_bytes() > 0);
    if is_called {
        let memory = &graph.cmsis_nn_memory;
        // The same constants once more, which are dropped: only the steps differ.
        let mut with_it = Exporter { network, memory, with_cmsis_nn: true, code: Code::new(name) };
        with_it.network(description);
        code.or_with_cmsis_nn(with_it.code);
    }
    let support = code.support(SUPPORT, &[("VALUE", "int8_t")]);
    (code, support, graph.memory.length, is_called.then_some(graph.cmsis_nn_memory.length))
}

struct Exporter<'a> {
    network: &'a IntegerNetwork,
    /// Where values lie.
    memory: &'a Memory,
    /// Whether CMSIS-NN is called for what it computes.
    with_cmsis_nn: bool,
    code: Code,
}

impl Exporter<'_> {
    fn network(&mut self, description: &Description) {
        let graph = &self.network.graph;
        self.image(description);
        for (index, stage) in graph.stages.iter().enumerate() {
            self.stage(index, stage);
        }
        if !graph.stages.last().is_some_and(Stage::gives_logits) {
            let place = graph.stages.len();
            let (from, classes, grid) =
                (self.place(place), description.classes.len(), self.network.grids[place]);
            let (zero, scale) = (zero(grid), number(grid.scale));
            self.code.call("values", &format!("{from}, {classes}, {zero}, {scale}, logits"));
        }
    }

    fn place(&self, place: Place) -> String {
        format!("bytes + {}", self.memory.place(place))
    }

    fn zero(&self, place: Place) -> i8 {
        zero(self.network.grids[place])
    }

    /// From an image's bytes to what the first stage reads.
    fn image(&mut self, description: &Description) {
        let (count, output) = (description.image().length(), self.place(0));
        let tables = &self.network.input_tables;
        if tables.is_empty() {
            return self.code.call("bytes", &format!("image, {count}, {output}"));
        }
        let constant = self.code.bytes("image", "tables", &tables.concat());
        self.code.call("prepared", &format!("image, {count}, {constant}, {}, {output}", tables.len()));
    }

    fn stage(&mut self, index: usize, stage: &Stage) {
        let (input, output) = (self.place(stage.input), self.place(index + 1));
        let [from, to] = [self.zero(stage.input), self.zero(index + 1)];
        match stage.operation {
            StageOperation::Convolution { from: [height, width, channels], to: image, sliding, groups } => {
                let (constants, windows) = (self.products(index), windows(&sliding, image));
                let arguments = format!(
                    "{input}, {from}, {height}, {width}, {channels}, {constants}, {}, {groups}, {windows}, {to}, \
                     {}, {output}",
                    image[2],
                    self.buffer(index, stage),
                );
                match self.with_cmsis_nn {
                    true => self.code.try_call("cmsis_convolution", &arguments),
                    false => self.code.call("convolution", &arguments),
                }
            }
            StageOperation::Depthwise { from: [height, width, channels], to: image, sliding } => {
                let (constants, windows) = (self.products(index), windows(&sliding, image));
                let values = format!("{input}, {from}, {height}, {width}, {channels}, {constants}");
                match self.with_cmsis_nn {
                    true => {
                        let left_shift = self.code.constant_name(&self.network.names[index], "left_shift");
                        let buffer = self.buffer(index, stage);
                        let arguments =
                            format!("{values}, {left_shift}, {windows}, {to}, {buffer}, {output}");
                        self.code.call("cmsis_depthwise", &arguments);
                    }
                    false => self.code.call("depthwise", &format!("{values}, {windows}, {to}, {output}")),
                }
            }
            StageOperation::Dense { inputs, units, logits } => {
                let constants = self.products(index);
                match logits {
                    true => {
                        self.code.call("logits", &format!("{input}, {inputs}, {constants}, {units}, logits"))
                    }
                    false => self.code.call(
                        "products",
                        &format!("{input}, {inputs}, {constants}, {units}, {to}, {output}"),
                    ),
                }
            }
            StageOperation::Table(_) => {
                let StageNumbers::Table(table) = &self.network.numbers[index] else {
                    unreachable!("a table")
                };
                let table = self.code.bytes(&self.network.names[index], "table", &table[..]);
                let count = self.network.graph.lengths[index];
                self.code.call("table", &format!("{input}, {count}, {table}, {output}"));
            }
            StageOperation::Pool { from: [_, width, channels], to: image, window, stride, .. } => {
                let ([rows, columns], [height, out_width, _]) = (window, image);
                match self.network.numbers[index] {
                    StageNumbers::Mean(Factor { multiplier, shift }) => self.code.call(
                        "mean",
                        &format!(
                            "{input}, {from}, {width}, {channels}, {rows}, {columns}, {stride}, {multiplier}, {shift}, \
                             {height}, {out_width}, {to}, {output}"
                        ),
                    ),
                    _ => self.code.call(
                        "largest",
                        &format!(
                            "{input}, {width}, {channels}, {rows}, {columns}, {stride}, {height}, {out_width}, {output}"
                        ),
                    ),
                }
            }
            StageOperation::Sum(place) => {
                let StageNumbers::Sum { multipliers: [one, two], shift } = self.network.numbers[index] else {
                    unreachable!("a sum")
                };
                let (other, other_zero) = (self.place(place), self.zero(place));
                let count = self.network.graph.lengths[index];
                self.code.call(
                    "add",
                    &format!(
                        "{input}, {from}, {one}, {other}, {other_zero}, {two}, {count}, {shift}, {to}, {output}"
                    ),
                );
            }
            StageOperation::Columns([height, width, channels]) => {
                self.code.call("columns", &format!("{input}, {height}, {width}, {channels}, {output}"));
            }
            StageOperation::Patches { from: [height, width, channels], size } => {
                self.code
                    .call("patches", &format!("{input}, {height}, {width}, {channels}, {size}, {output}"));
            }
        }
    }

    /// A stage's own memory, as arguments: CMSIS-NN's with its length.
    fn buffer(&self, index: usize, stage: &Stage) -> String {
        let place = self.memory.scratch(index);
        match self.with_cmsis_nn {
            true => format!("bytes + {place}, {}", stage.operation.cmsis_nn_buffer_bytes()),
            false => format!("bytes + {place}"),
        }
    }

    /// The names of a stage's weights, biases and what becomes of its sums, as arguments.
    fn products(&mut self, index: usize) -> String {
        let layer = &self.network.names[index];
        let four_bytes = |values: &mut dyn Iterator<Item = i32>| -> Vec<String> {
            values.map(|value| value.to_string()).collect()
        };
        match &self.network.numbers[index] {
            StageNumbers::Products { weights, biases, factors } => {
                let weight = self.code.bytes(layer, "weight", weights);
                let multipliers = four_bytes(&mut factors.iter().map(|factor| factor.multiplier));
                let multiplier = self.code.constant("int32_t", 4, layer, "multiplier", &multipliers);
                let biases_here = four_bytes(&mut biases.iter().copied());
                let shifts: Vec<String> = factors.iter().map(|factor| factor.shift.to_string()).collect();
                // (sum · multiplier) / 2^(32 + shift) is there (sum · multiplier) / 2^(31 − left shift).
                let left_shifts = four_bytes(&mut factors.iter().map(|factor| -1 - i32::from(factor.shift)));
                let own = |code: &mut Code| {
                    code.constant("int32_t", 4, layer, "bias", &biases_here);
                    code.constant("uint8_t", 1, layer, "shift", &shifts);
                };
                match self.network.graph.stages[index].operation {
                    StageOperation::Convolution { .. } => {
                        let zero = i32::from(self.zero(self.network.graph.stages[index].input));
                        let sums = weights.chunks_exact(weights.len() / biases.len());
                        let sums = sums.map(|row| row.iter().map(|weight| i32::from(*weight)).sum::<i32>());
                        let without_zero =
                            biases.iter().zip(sums).map(|(bias, sum)| bias.wrapping_add(zero * sum));
                        let without_zero = four_bytes(&mut without_zero.into_iter());
                        self.code.either(
                            |code| {
                                code.constant("int32_t", 4, layer, "bias", &without_zero);
                                code.constant("int32_t", 4, layer, "shift", &left_shifts);
                            },
                            own,
                        );
                    }
                    StageOperation::Depthwise { .. } => {
                        own(&mut self.code);
                        let with_it = |code: &mut Code| {
                            code.constant("int32_t", 4, layer, "left_shift", &left_shifts);
                        };
                        self.code.either(with_it, |_| {});
                    }
                    _ => own(&mut self.code),
                }
                let [bias, shift] = ["bias", "shift"].map(|part| self.code.constant_name(layer, part));
                format!("{weight}, {bias}, {multiplier}, {shift}")
            }
            StageNumbers::Logits { weights, biases, units } => {
                let weight = self.code.bytes(layer, "weight", weights);
                let biases = four_bytes(&mut biases.iter().copied());
                let bias = self.code.constant("int32_t", 4, layer, "bias", &biases);
                format!("{weight}, {bias}, {}", self.code.floats(layer, "unit", units))
            }
            StageNumbers::Table(_)
            | StageNumbers::Mean(_)
            | StageNumbers::Sum { .. }
            | StageNumbers::None => {
                unreachable!("products have weights")
            }
        }
    }
}

/// Where a kernel looks, and how many outputs there are, as arguments.
fn windows(sliding: &Sliding, [height, width, _]: [usize; 3]) -> String {
    let Sliding { kernel: [rows, columns], stride, padding: [above, left], dilation } = sliding;
    format!("{rows}, {columns}, {stride}, {above}, {left}, {dilation}, {height}, {width}")
}
