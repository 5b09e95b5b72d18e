//! Which optimiser, with its constants, as a person writes it.

use serde::{Deserialize, Serialize};

/// How parameters are moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UpdateRule {
    /// The optimiser and its constants.
    pub optimiser: OptimiserSpec,
    /// Step size, which a schedule may scale.
    pub learning_rate: f64,
    /// What draws weights, of whatever role, to zero, and no others: it joins the gradient of `sgd`, `adam` and
    /// `rmsprop`, and stands beside the step of `adamw` and `muon`.
    pub weight_decay: f64,
    /// The largest Euclidean norm that the gradient of all learnt parameters together may have: a longer one is
    /// shortened to it (Pascanu, Mikolov and Bengio, 2013).
    pub gradient_clip: Option<f64>,
}

impl Default for UpdateRule {
    /// The study's: Adam with learning rate 0.001.
    fn default() -> Self {
        Self {
            optimiser: OptimiserSpec::default(),
            learning_rate: 1e-3,
            weight_decay: 0.0,
            gradient_clip: None,
        }
    }
}

/// An optimiser with its constants.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum OptimiserSpec {
    /// Stochastic gradient descent.
    Sgd(SgdConstants),
    /// Adam. A weight decay joins its gradient.
    Adam(AdamConstants),
    /// Adam with the weight decay beside the step (Loshchilov and Hutter, 2019).
    AdamW(AdamConstants),
    /// RMSprop.
    RmsProp(RmsPropConstants),
    /// Muon.
    Muon(MuonConstants),
}

impl Default for OptimiserSpec {
    /// The study's: Adam.
    fn default() -> Self {
        Self::Adam(AdamConstants::default())
    }
}

/// The constants of stochastic gradient descent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConstants {
    /// What is left of the velocity after a step, a fraction; 0 is plain descent.
    pub momentum: f64,
    /// Whether the velocity is Nesterov's.
    pub nesterov: bool,
}

impl Default for SgdConstants {
    /// Nesterov's momentum of 0.9.
    fn default() -> Self {
        Self { momentum: 0.9, nesterov: true }
    }
}

/// The constants of Adam and AdamW.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConstants {
    /// Decay of the first moment, a fraction.
    pub beta_1: f64,
    /// Decay of the second moment, a fraction.
    pub beta_2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for AdamConstants {
    /// Keras's: 0.9, 0.999, 1e-7.
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

/// The constants of RMSprop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsPropConstants {
    /// Decay of the mean square, a fraction.
    pub rho: f64,
    /// Added to the mean square, under the root.
    pub epsilon: f64,
}

impl Default for RmsPropConstants {
    /// Keras's: 0.9, 1e-7.
    fn default() -> Self {
        Self { rho: 0.9, epsilon: 1e-7 }
    }
}

/// The constants of Muon (Jordan and others, "Muon: An optimizer for hidden layers in neural networks", 2024).
///
/// Every weight but the last layer's and those of depthwise filters is a matrix, a convolution's `[filters, the rest]`. Its Nesterov momentum is
/// replaced with the nearest matrix whose singular values are all about 1, so that no direction is learnt faster than
/// another, times √max(1, outputs / inputs). The other parameters go by AdamW. A weight decay stands beside the step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MuonConstants {
    /// What is left of the velocity after a step, a fraction.
    pub momentum: f64,
    /// Newton–Schulz iterations.
    pub iterations: usize,
    /// Step size of what goes by AdamW; the recipe's own is the matrices'. A schedule scales both alike.
    pub adam_learning_rate: f64,
    /// AdamW's decay of the first moment, a fraction.
    pub beta_1: f64,
    /// AdamW's decay of the second moment, a fraction.
    pub beta_2: f64,
    /// Added to the root of AdamW's second moment.
    pub epsilon: f64,
}

impl Default for MuonConstants {
    /// The paper's momentum of 0.95 and 5 iterations; AdamW at 0.001 with Keras's constants.
    fn default() -> Self {
        let AdamConstants { beta_1, beta_2, epsilon } = AdamConstants::default();
        Self { momentum: 0.95, iterations: 5, adam_learning_rate: 1e-3, beta_1, beta_2, epsilon }
    }
}

/// A constant that an optimiser cannot use.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{optimiser} {constant}: {expected} expected, {found} found")]
pub struct OptimiserError {
    /// The optimiser's name.
    pub optimiser: &'static str,
    /// The constant's name.
    pub constant: &'static str,
    /// What it may be.
    pub expected: &'static str,
    /// What it is.
    pub found: f64,
}

/// More iterations only cost.
const MAXIMUM_ITERATIONS: usize = 100;

impl OptimiserSpec {
    /// The name that it is written with.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "sgd",
            Self::Adam(_) => "adam",
            Self::AdamW(_) => "adamw",
            Self::RmsProp(_) => "rmsprop",
            Self::Muon(_) => "muon",
        }
    }

    /// Whether every constant can be used.
    ///
    /// # Errors
    /// Names the first constant that cannot.
    pub fn check(&self) -> Result<(), OptimiserError> {
        let error = |constant, expected, found| {
            Err(OptimiserError { optimiser: self.name(), constant, expected, found })
        };
        let (fractions, epsilon) = match *self {
            Self::Sgd(sgd) => (vec![("momentum", sgd.momentum)], None),
            Self::Adam(adam) | Self::AdamW(adam) => {
                (vec![("beta_1", adam.beta_1), ("beta_2", adam.beta_2)], Some(adam.epsilon))
            }
            Self::RmsProp(rms_prop) => (vec![("rho", rms_prop.rho)], Some(rms_prop.epsilon)),
            Self::Muon(muon) => {
                if !(1..=MAXIMUM_ITERATIONS).contains(&muon.iterations) {
                    return error("iterations", "1 to 100", muon.iterations as f64);
                }
                if !(muon.adam_learning_rate > 0.0 && muon.adam_learning_rate <= 10.0) {
                    let expected = "a number above 0 and at most 10";
                    return error("adam_learning_rate", expected, muon.adam_learning_rate);
                }
                let fractions =
                    vec![("momentum", muon.momentum), ("beta_1", muon.beta_1), ("beta_2", muon.beta_2)];
                (fractions, Some(muon.epsilon))
            }
        };
        for (constant, value) in fractions {
            if !(0.0..1.0).contains(&value) {
                return error(constant, "a number from 0 and below 1", value);
            }
        }
        match epsilon {
            // A smaller one would be none in float32.
            Some(epsilon) if !(1e-30..=1.0).contains(&epsilon) => {
                error("epsilon", "a number from 1e-30 to 1", epsilon)
            }
            _ => Ok(()),
        }
    }
}
