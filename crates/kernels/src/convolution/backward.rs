//! The backward pass on the way that suits the shape.

use super::{
    Geometry, OutputGradient, backward_input, backward_weights, packed_weights_length, winograd,
    workspace_length,
};
use crate::{Element, InstructionSet, check_length, matmul::Output};

/// The derivatives of a convolution with its activation and pooling.
#[derive(Debug)]
pub struct Derivatives<'a, E> {
    /// With respect to the weights `[filter, kernel row, kernel column, channel]`; added to.
    pub weights: &'a mut [E],
    /// With respect to the bias `[filter]`, where asked for; added to.
    pub bias: Option<&'a mut [E]>,
    /// With respect to the input `[image, row, column, channel]`, where asked for.
    pub input: Option<&'a mut [E]>,
    /// Whether that of the input is added to or overwritten.
    pub into_input: Output,
}

/// The weights of a convolution, as they are and as [`super::pack_weights`] has laid them out.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a, E> {
    /// `[filter, kernel row, kernel column, channel]`.
    pub plain: &'a [E],
    /// In the kernels' own order.
    pub packed: &'a [E],
}

/// All derivatives of as many images as `input` holds, on the way that costs least for the geometry: by
/// [`backward_weights`] and [`backward_input`], or by minimal filtering.
///
/// # Panics
/// When a length does not fit the geometry.
pub fn backward<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    weights: Weights<E>,
    output: OutputGradient<E>,
    derivatives: Derivatives<E>,
    workspace: &mut [E],
) {
    let Derivatives { weights: d_weights, bias: d_bias, input: d_input, into_input } = derivatives;
    if let Some(d_bias) = &d_bias {
        check_length!(d_bias, [geometry.size.filters]);
    }
    check_length!(workspace, [workspace_length::<E>(set, geometry)]);
    if !winograd::applies_backward(geometry) {
        if let Some(d_input) = d_input {
            backward_input(set, geometry, weights.plain, output, d_input, into_input);
        }
        // They come with the weights' at no cost.
        let d_bias = d_bias.unwrap_or(&mut workspace[..geometry.size.filters]);
        return backward_weights(set, geometry, input, output, 0, d_weights, d_bias);
    }
    let images = output.check(geometry);
    let packed_weights = weights.packed;
    check_length!(input, [images, geometry.input_length()]);
    check_length!(packed_weights, [packed_weights_length::<E>(set, geometry)]);
    check_length!(d_weights, [geometry.size.filters, geometry.filter_length()]);
    if let Some(d_input) = &d_input {
        check_length!(d_input, [images, geometry.input_length()]);
    }
    let pass = winograd::Backward {
        set,
        geometry,
        images,
        input,
        packed_weights,
        output,
        d_weights,
        d_bias,
        d_input,
        into_input,
        workspace,
    };
    E::dispatch(set, pass);
}
