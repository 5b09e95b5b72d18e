//! The products of GRU and simple layer as those of bfloat16 numbers, on tiles.

use super::product::{Form, Products};
use kernels::{
    Buffer,
    lit::Lit,
    matmul::Output,
    tiles::{
        Tiles,
        matrix::{
            Start, Target, block_of, blocks, columns_length, multiply, multiply_columns, pack_both,
            packed_length, rows_length, sixteen_of,
        },
    },
};

/// Products whose operands are rounded; a step's rows, the images of a group, fill the rows of tiles.
pub(super) struct ProductsOnTiles {
    form: Form,
    tiles: Tiles,
    workspace: usize,
    packed_kernel: Buffer<f32>,
    packed_recurrent: Buffer<f32>,
    packed_kernel_transposed: Buffer<f32>,
    packed_recurrent_transposed: Buffer<f32>,
}

impl ProductsOnTiles {
    /// For at most so many rows of all steps.
    pub(super) fn new(form: Form, tiles: Tiles, rows: usize) -> Self {
        let Form { inputs, units, .. } = form;
        let [gates, _] = form.row_widths();
        let packed = |rows, columns| Buffer::zeros(packed_length(blocks(rows), columns));
        let of_step = [inputs, units, gates].map(|summands| rows_length(blocks(summands)));
        let of_all = [inputs, units].map(|width| columns_length([width, gates], rows));
        Self {
            form,
            tiles,
            workspace: of_step.into_iter().chain(of_all).fold(0, usize::max),
            packed_kernel: packed(inputs, gates),
            packed_recurrent: packed(units, gates),
            packed_kernel_transposed: packed(gates, inputs),
            packed_recurrent_transposed: packed(gates, units),
        }
    }

    /// As many columns of rows of sums as there are gates, from `first` on.
    fn target<'a>(&self, sums: &'a mut [f32], first: usize) -> Target<'a> {
        let [gates, width] = self.form.row_widths();
        let rows = sums.len() / width;
        Target { values: &mut sums[first..], rows, row_stride: width, columns: gates, block: [gates, 0] }
    }

    /// C = start + A · B of a step's rows of A, each so many values of as many as lie between two rows.
    fn multiply(
        &self,
        a: &[f32],
        [width, stride]: [usize; 2],
        packed: &[f32],
        start: Start,
        c: Target,
        workspace: &mut [f32],
    ) {
        let of_row = |row: usize, block: usize| block_of(&a[row * stride..][..width], block);
        multiply(self.tiles, blocks(width), of_row, packed, start, c, workspace);
    }

    /// C = Aᵀ · B: all columns of A with as many of B as there are gates, from `first` on.
    fn multiply_columns(
        &self,
        [a, d_sums]: [&[f32]; 2],
        a_width: usize,
        first: usize,
        c: &mut [f32],
        workspace: &mut [f32],
    ) {
        let [gates, width] = self.form.row_widths();
        let rows = a.len() / a_width;
        if rows == 0 {
            c.fill(0.0);
            return;
        }
        let of_a = |row: usize, block: usize| sixteen_of(&a[row * a_width..][..a_width], block);
        let of_b = |row: usize, block: usize| sixteen_of(&d_sums[row * width + first..][..gates], block);
        let c = Target::whole(c, gates);
        multiply_columns(self.tiles, rows, of_a, of_b, c, workspace);
    }
}

impl Products<f32> for ProductsOnTiles {
    fn workspace(&self) -> usize {
        self.workspace
    }

    fn prepare(&mut self, kernel: &[f32], recurrent: &[f32]) {
        let [gates, _] = self.form.row_widths();
        let tiles = self.tiles;
        let packed_kernel = [&mut self.packed_kernel[..], &mut self.packed_kernel_transposed];
        pack_both(tiles, kernel, gates, packed_kernel);
        let packed_recurrent = [&mut self.packed_recurrent[..], &mut self.packed_recurrent_transposed];
        pack_both(tiles, recurrent, gates, packed_recurrent);
    }

    fn sum(&self, bias: &[f32], x: &[f32], h: Option<&[f32]>, sums: &mut [f32], workspace: &mut [f32]) {
        let Form { inputs, units, .. } = self.form;
        let [gates, width] = self.form.row_widths();
        let start = Start::Row(&bias[..gates]);
        self.multiply(x, [inputs; 2], &self.packed_kernel, start, self.target(sums, 0), workspace);
        // What x does not add to.
        for sums in sums.chunks_exact_mut(width) {
            sums[gates..].copy_from_slice(&bias[gates..]);
        }
        if let Some(h) = h {
            let of_h = self.target(sums, width - gates);
            self.multiply(h, [units; 2], &self.packed_recurrent, Start::Target, of_h, workspace);
        }
    }

    fn differentiate_h(&self, d_sums: &[f32], d_h: &mut [f32], output: Output, workspace: &mut [f32]) {
        let [gates, width] = self.form.row_widths();
        let start = match output {
            Output::Overwrite => Start::Zero,
            Output::Accumulate => Start::Target,
        };
        let packed = &self.packed_recurrent_transposed;
        let d_h = Target::whole(d_h, self.form.units);
        self.multiply(&d_sums[width - gates..], [gates, width], packed, start, d_h, workspace);
    }

    fn differentiate_x(&self, d_sums: &[f32], d_x: &mut [f32], workspace: &mut [f32]) {
        let [gates, width] = self.form.row_widths();
        let packed = &self.packed_kernel_transposed;
        let d_x = Target::whole(d_x, self.form.inputs);
        self.multiply(d_sums, [gates, width], packed, Start::Zero, d_x, workspace);
    }

    /// Between the dark rows: dark columns lie in tiles that are multiplied anyway.
    fn differentiate_kernel(&self, x: &[f32], d_sums: &[f32], d_kernel: &mut [f32], workspace: &mut [f32]) {
        let Form { set, inputs, .. } = self.form;
        let [_, width] = self.form.row_widths();
        let lit = Lit::of(set, x, inputs).rows;
        let x = &x[lit.start * inputs..lit.end * inputs];
        let d_sums = &d_sums[lit.start * width..lit.end * width];
        self.multiply_columns([x, d_sums], inputs, 0, d_kernel, workspace);
    }

    fn differentiate_recurrent(
        &self,
        h: &[f32],
        d_sums: &[f32],
        d_recurrent: &mut [f32],
        workspace: &mut [f32],
    ) {
        let [gates, width] = self.form.row_widths();
        self.multiply_columns([h, d_sums], self.form.units, width - gates, d_recurrent, workspace);
    }
}
