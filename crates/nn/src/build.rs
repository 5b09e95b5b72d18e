//! Where layers, optimisers and their kernels are compiled.

use crate::{
    Optimiser,
    network::{Fusion, Network},
};
use kernels::{Element, InstructionSet};
use spec::Graph;

/// Elements that models are built of.
///
/// What is generic is compiled again in each crate that uses it. `f32`'s functions here are not, so that its kernels are compiled
/// once, in this crate, as it is optimised. `f64`'s are inlined, so that its kernels are compiled only where a model of it is
/// built: in tests.
pub trait Build: Element {
    #[doc(hidden)]
    fn network(set: InstructionSet, graph: &Graph, fusion: Fusion) -> Network<Self>;

    #[doc(hidden)]
    fn step(
        optimiser: &mut Optimiser<Self>,
        set: InstructionSet,
        schedule: f64,
        parameters: &mut [Self],
        gradient: &[Self],
    );
}

impl Build for f32 {
    #[inline(never)]
    fn network(set: InstructionSet, graph: &Graph, fusion: Fusion) -> Network<Self> {
        Network::compile(set, graph, fusion)
    }

    #[inline(never)]
    fn step(
        optimiser: &mut Optimiser<Self>,
        set: InstructionSet,
        schedule: f64,
        parameters: &mut [Self],
        gradient: &[Self],
    ) {
        optimiser.compiled_step(set, schedule, parameters, gradient);
    }
}

impl Build for f64 {
    #[inline]
    fn network(set: InstructionSet, graph: &Graph, fusion: Fusion) -> Network<Self> {
        Network::compile(set, graph, fusion)
    }

    #[inline]
    fn step(
        optimiser: &mut Optimiser<Self>,
        set: InstructionSet,
        schedule: f64,
        parameters: &mut [Self],
        gradient: &[Self],
    ) {
        optimiser.compiled_step(set, schedule, parameters, gradient);
    }
}
