//! Networks that compute in whole numbers.

use super::code::{Code, number};
use crate::{
    Description, IntegerNetwork,
    integer::{Factor, StageNumbers, zero},
};
use nn::Sliding;
use spec::{Place, Stage, StageOperation};

/// The functions that a header is made of, each behind a line with its name.
const SUPPORT: &[&str] = &[include_str!("integer.c"), include_str!("moves.c")];

/// A network's code, its functions, and the bytes of its workspace.
pub(super) fn code(
    description: &Description,
    network: &IntegerNetwork,
    name: String,
) -> (Code, String, usize) {
    let mut exporter = Exporter { network, code: Code::new(name) };
    exporter.image(description);
    for (index, stage) in network.graph.stages.iter().enumerate() {
        exporter.stage(index, stage);
    }
    if !network.graph.stages.last().is_some_and(Stage::gives_logits) {
        let place = network.graph.stages.len();
        let (from, classes, grid) = (exporter.place(place), description.classes.len(), network.grids[place]);
        let (zero, scale) = (zero(grid), number(grid.scale));
        exporter.code.call("values", &format!("{from}, {classes}, {zero}, {scale}, logits"));
    }
    let code = exporter.code;
    let support = code.support(SUPPORT, &[("VALUE", "int8_t")]);
    (code, support, network.footprint().ram_bytes)
}

struct Exporter<'a> {
    network: &'a IntegerNetwork,
    code: Code,
}

impl Exporter<'_> {
    fn place(&self, place: Place) -> String {
        format!("bytes + {}", self.network.graph.memory.place(place))
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
                let constants = self.products(index);
                let (windows, window) = (windows(&sliding, image), self.network.graph.memory.scratch(index));
                self.code.call(
                    "convolution",
                    &format!(
                        "{input}, {from}, {height}, {width}, {channels}, {constants}, {}, {groups}, {windows}, {to}, \
                         bytes + {window}, {output}",
                        image[2]
                    ),
                );
            }
            StageOperation::Depthwise { from: [height, width, channels], to: image, sliding } => {
                let (constants, windows) = (self.products(index), windows(&sliding, image));
                self.code.call(
                    "depthwise",
                    &format!(
                        "{input}, {from}, {height}, {width}, {channels}, {constants}, {windows}, {to}, {output}"
                    ),
                );
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

    /// The names of a stage's weights, biases and what becomes of its sums, as arguments.
    fn products(&mut self, index: usize) -> String {
        let layer = &self.network.names[index];
        let four_bytes = |values: &mut dyn Iterator<Item = i32>| -> Vec<String> {
            values.map(|value| value.to_string()).collect()
        };
        match &self.network.numbers[index] {
            StageNumbers::Products { weights, biases, factors } => {
                let weight = self.code.bytes(layer, "weight", weights);
                let biases = four_bytes(&mut biases.iter().copied());
                let bias = self.code.constant("int32_t", 4, layer, "bias", &biases);
                let multipliers = four_bytes(&mut factors.iter().map(|factor| factor.multiplier));
                let multiplier = self.code.constant("int32_t", 4, layer, "multiplier", &multipliers);
                let shifts: Vec<String> = factors.iter().map(|factor| factor.shift.to_string()).collect();
                let shift = self.code.constant("uint8_t", 1, layer, "shift", &shifts);
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
