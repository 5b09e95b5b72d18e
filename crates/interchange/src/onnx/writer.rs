//! A graph as it grows.

use super::proto::{Attribute, FLOAT, INT8, INT32, INT64, Node, Tensor, UINT8};
use crate::quantisation::{Grid, Rows};

/// Nodes and constants in the order in which they are added.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) nodes: Vec<Node>,
    pub(super) constants: Vec<Tensor>,
}

/// An attribute with a whole number.
pub(super) fn whole(name: &str, value: i64) -> Attribute {
    Attribute { name: name.to_owned(), i: Some(value), kind: 2, ..Attribute::default() }
}

/// An attribute with whole numbers.
pub(super) fn list(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|value| *value as i64).collect();
    Attribute { name: name.to_owned(), ints, kind: 7, ..Attribute::default() }
}

/// An attribute with a number.
pub(super) fn number(name: &str, value: f32) -> Attribute {
    Attribute { name: name.to_owned(), f: Some(value), kind: 1, ..Attribute::default() }
}

/// An attribute with a text.
pub(super) fn text(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), s: Some(value.as_bytes().to_vec()), kind: 3, ..Attribute::default() }
}

impl Writer {
    /// Adds a node with one output, which it is named after.
    pub(super) fn add(
        &mut self,
        kind: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<Attribute>,
    ) -> String {
        self.add_with(kind, inputs, output, &[output], attributes);
        output.to_owned()
    }

    /// Adds a node with several outputs, empty where none is wanted.
    pub(super) fn add_with(
        &mut self,
        kind: &str,
        inputs: &[&str],
        name: &str,
        outputs: &[&str],
        attributes: Vec<Attribute>,
    ) {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        self.nodes.push(Node {
            input: owned(inputs),
            output: owned(outputs),
            name: name.to_owned(),
            op_type: kind.to_owned(),
            attribute: attributes,
        });
    }

    fn constant(&mut self, name: &str, data_type: i32, shape: &[usize], raw_data: Vec<u8>) -> String {
        let dims = shape.iter().map(|length| *length as i64).collect();
        self.constants.push(Tensor { dims, data_type, name: name.to_owned(), raw_data });
        name.to_owned()
    }

    /// A constant of float32.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.constant(name, FLOAT, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A list of int64.
    pub(super) fn integers(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, INT64, &[values.len()], bytes)
    }

    /// Another shape: 0 keeps the axis as it is.
    pub(super) fn reshape(&mut self, input: &str, output: &str, shape: &[usize]) -> String {
        let shape: Vec<i64> = shape.iter().map(|length| *length as i64).collect();
        let shape = self.integers(&format!("{output}.shape"), &shape);
        self.add("Reshape", &[input, &shape], output, Vec::new())
    }

    /// Axes in another order.
    pub(super) fn transpose(&mut self, input: &str, output: &str, axes: &[usize]) -> String {
        self.add("Transpose", &[input], output, vec![list("perm", axes)])
    }

    /// Weights of one scale for each index of `axis`, as eight-bit numbers and what turns them back; `rows` are their
    /// values, `shape` their shape.
    pub(super) fn quantised_weight(
        &mut self,
        name: &str,
        shape: &[usize],
        axis: usize,
        rows: &Rows,
    ) -> String {
        let bytes = rows.values.iter().map(|value| value.cast_unsigned()).collect();
        let values = self.constant(&format!("{name}.int8"), INT8, shape, bytes);
        let count = rows.scales.len();
        let scales = self.floats(&format!("{name}.scales"), &[count], &rows.scales);
        let zeros = self.constant(&format!("{name}.zeros"), INT8, &[count], vec![0; count]);
        self.add("DequantizeLinear", &[&values, &scales, &zeros], name, vec![whole("axis", axis as i64)])
    }

    /// A bias in units of the sums that it is added to.
    pub(super) fn quantised_bias(&mut self, name: &str, values: &[f32], scales: &[f32]) -> String {
        let units = values.iter().zip(scales).map(|(value, scale)| (value / scale).round() as i32);
        let bytes = units.flat_map(i32::to_le_bytes).collect();
        let count = values.len();
        let integers = self.constant(&format!("{name}.int32"), INT32, &[count], bytes);
        let scales = self.floats(&format!("{name}.scales"), &[count], scales);
        let zeros = self.constant(&format!("{name}.zeros"), INT32, &[count], vec![0; 4 * count]);
        self.add("DequantizeLinear", &[&integers, &scales, &zeros], name, vec![whole("axis", 0)])
    }

    /// `input` rounded to a grid.
    pub(super) fn on_grid(&mut self, input: &str, output: &str, grid: Grid) -> String {
        let scale = self.floats(&format!("{output}.scale"), &[], &[grid.scale]);
        let zero = self.constant(&format!("{output}.zero"), UINT8, &[], vec![grid.zero_point]);
        let rounded =
            self.add("QuantizeLinear", &[input, &scale, &zero], &format!("{output}.uint8"), Vec::new());
        self.add("DequantizeLinear", &[&rounded, &scale, &zero], output, Vec::new())
    }
}
