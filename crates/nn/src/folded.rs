//! The network of inference, where batch normalisation has become constants of the layers before it.

use crate::{
    NORMALISATION_EPSILON, ParameterSpec, Role,
    layers::Purpose,
    network::{Network, Stage, show},
    workspace::Workspace,
};
use kernels::{Buffer, Element};
use spec::Folded;
use std::{ops::Range, sync::Mutex};

/// A network without the batch normalisation that [`spec::Graph::folded`] leaves out, and its parameters, made of those that are learnt.
///
/// With f = γ / √(σ² + ε) the weights of a channel become f · w and its constant f · (b − μ) + β. So a layer computes its
/// normalisation, and with it the ReLU and the pool that follow, in its own pass. Results differ from the plain network's by roundings.
pub(crate) struct FoldedNetwork<E> {
    pub(crate) stages: Vec<Stage<E>>,
    pub(crate) workspaces: Vec<Mutex<Workspace<E>>>,
    pub(crate) parameters: Buffer<E>,
    sources: Vec<Source>,
    epsilon: f64,
    is_prepared: bool,
}

/// Where parameters of the folded network come from.
enum Source {
    Copy { from: Range<usize>, to: Range<usize> },
    Fold(Fold),
}

/// A layer's parameters and those of the normalisation behind it.
struct Fold {
    weight: Range<usize>,
    /// None where the layer adds nothing itself.
    bias: Option<Range<usize>>,
    scale: Range<usize>,
    offset: Range<usize>,
    mean: Range<usize>,
    variance: Range<usize>,
    /// Whether weights are `[…, channel]`, and not `[channel, …]`.
    channels_last: bool,
    to_weight: Range<usize>,
    to_bias: Range<usize>,
}

impl<E: Element> FoldedNetwork<E> {
    /// Of a network whose plain form has the parameters `plain`; `folded` is what was left out.
    pub(crate) fn new(
        network: Network<E>,
        folded: &[Folded],
        plain: &[ParameterSpec],
        input_length: usize,
    ) -> Self {
        let range = |name: &str| {
            let spec = plain.iter().find(|spec| spec.name == name);
            spec.map(|spec| spec.range.clone())
        };
        let mut sources = Vec::new();
        for spec in &network.specs {
            let (layer, parameter) = spec.name.split_once('.').expect("a layer and a parameter");
            let Some(Folded { norm, .. }) = folded.iter().find(|folded| folded.layer == layer) else {
                let from = range(&spec.name).expect("the plain network has it, too");
                sources.push(Source::Copy { from, to: spec.range.clone() });
                continue;
            };
            // The weight's turn is the bias's, too.
            if parameter == "bias" {
                continue;
            }
            let to_bias = network.specs.iter().find(|other| other.name == format!("{layer}.bias"));
            let of_norm =
                |parameter| range(&format!("{norm}.{parameter}")).expect("a normalisation has all four");
            sources.push(Source::Fold(Fold {
                weight: range(&spec.name).expect("the plain network has it, too"),
                bias: range(&format!("{layer}.bias")),
                scale: of_norm("scale"),
                offset: of_norm("offset"),
                mean: of_norm("mean"),
                variance: of_norm("variance"),
                channels_last: spec.role == Role::ChannelWeight,
                to_weight: spec.range.clone(),
                to_bias: to_bias.expect("a folded layer has a bias").range.clone(),
            }));
        }
        let Network { parameters, stages, .. } = network;
        let workspace = |_| Mutex::new(Workspace::new(&stages, input_length, Purpose::Inference));
        Self {
            workspaces: (0..rayon::current_num_threads()).map(workspace).collect(),
            parameters: Buffer::zeros(parameters),
            stages,
            sources,
            epsilon: NORMALISATION_EPSILON,
            is_prepared: false,
        }
    }

    /// Sets ε of every normalisation.
    pub(crate) fn set_epsilon(&mut self, epsilon: f64) {
        self.epsilon = epsilon;
        self.stages.iter_mut().filter_map(Stage::layer_mut).for_each(|layer| layer.set_epsilon(epsilon));
        self.is_prepared = false;
    }

    /// The learnt parameters have changed.
    pub(crate) fn forget(&mut self) {
        self.is_prepared = false;
    }

    /// Takes note of the learnt parameters, where they have changed.
    pub(crate) fn prepare(&mut self, learnt: &[E]) {
        if std::mem::replace(&mut self.is_prepared, true) {
            return;
        }
        for source in &self.sources {
            match source {
                Source::Copy { from, to } => {
                    self.parameters[to.clone()].copy_from_slice(&learnt[from.clone()]);
                }
                Source::Fold(fold) => fold.fill(learnt, self.epsilon, &mut self.parameters),
            }
        }
        show(&mut self.stages, &self.parameters, Purpose::Inference);
    }
}

impl Fold {
    /// Overwrites the folded layer's parameters.
    fn fill<E: Element>(&self, learnt: &[E], epsilon: f64, parameters: &mut [E]) {
        let [scale, offset, mean, variance] =
            [&self.scale, &self.offset, &self.mean, &self.variance].map(|range| &learnt[range.clone()]);
        let channels = scale.len();
        let epsilon = E::from_f64(epsilon);
        let bias = self.bias.clone().map(|range| &learnt[range]);
        let weights = &learnt[self.weight.clone()];
        let of_channel = weights.len() / channels;
        // From one weight of a channel to the next, and from one channel to the next.
        let [step, between] = if self.channels_last { [channels, 1] } else { [1, of_channel] };
        for channel in 0..channels {
            let factor = scale[channel] / (variance[channel] + epsilon).sqrt();
            let constant = bias.map_or(E::ZERO, |bias| bias[channel]);
            parameters[self.to_bias.clone()][channel] = factor * (constant - mean[channel]) + offset[channel];
            let to = parameters[self.to_weight.clone()][channel * between..].iter_mut();
            let from = weights[channel * between..].iter();
            for (to, weight) in to.step_by(step).zip(from.step_by(step)).take(of_channel) {
                *to = factor * *weight;
            }
        }
    }
}
