//! How the learning rate goes over a training.

use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// What the learning rate is multiplied by, step by step.
///
/// With T steps in all, steps count from 0. A warm-up of a fraction of all steps takes the first W of them, rounded to
/// the nearest and at most T − 1, so that step W has the whole learning rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// 1.
    #[default]
    Constant,
    /// Multiplied by `factor` after every so many epochs.
    Step {
        /// Epochs of one rate.
        every_epochs: usize,
        /// What the next rate is multiplied by.
        factor: f64,
    },
    /// Half a cosine from 1, at step W, down to `final_fraction`, in the last step (Loshchilov and Hutter, "SGDR", 2017,
    /// equation 5, without restarts). The warm-up rises evenly: step s < W has (s + 1) / (W + 1).
    Cosine {
        /// Fraction of all steps.
        #[serde(default)]
        warm_up: f64,
        /// What is left in the last step.
        #[serde(default)]
        final_fraction: f64,
    },
    /// Evenly from `initial_fraction` in the first step up to 1 at step W, evenly down to `final_fraction` in the last
    /// (Smith, "A disciplined approach to neural network hyper-parameters", 2018, section 5).
    OneCycle {
        /// Fraction of all steps.
        #[serde(default = "third")]
        warm_up: f64,
        /// What the first step has.
        #[serde(default = "twenty_fifth")]
        initial_fraction: f64,
        /// What is left in the last step.
        #[serde(default)]
        final_fraction: f64,
    },
}

fn third() -> f64 {
    0.3
}

fn twenty_fifth() -> f64 {
    0.04
}

impl Schedule {
    /// The multiplier in a step, counted from 0 over all epochs.
    ///
    /// # Panics
    /// When the step is not one of `steps_per_epoch` · `epochs`.
    pub fn rate(&self, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
        let total = steps_per_epoch * epochs;
        assert!(step < total, "step {step} of {total}");
        // How far from one step to another, as a fraction; whole where there is no way to go.
        let way =
            |from: usize, to: usize| if from == to { 1.0 } else { (step - from) as f64 / (to - from) as f64 };
        let warm_steps = |warm_up: f64| ((warm_up * total as f64).round() as usize).min(total - 1);
        match *self {
            Self::Constant => 1.0,
            Self::Step { every_epochs, factor } => {
                libm::pow(factor, (step / steps_per_epoch / every_epochs) as f64)
            }
            Self::Cosine { warm_up, final_fraction } => {
                let warm = warm_steps(warm_up);
                if step < warm {
                    return (step + 1) as f64 / (warm + 1) as f64;
                }
                let down = if step == warm { 0.0 } else { way(warm, total - 1) };
                final_fraction + (1.0 - final_fraction) * 0.5 * (1.0 + libm::cos(PI * down))
            }
            Self::OneCycle { warm_up, initial_fraction, final_fraction } => {
                let warm = warm_steps(warm_up);
                if step <= warm {
                    initial_fraction + (1.0 - initial_fraction) * way(0, warm)
                } else {
                    1.0 + (final_fraction - 1.0) * way(warm, total - 1)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: Schedule, steps_per_epoch: usize, epochs: usize) -> Vec<f64> {
        (0..steps_per_epoch * epochs).map(|step| schedule.rate(step, steps_per_epoch, epochs)).collect()
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-15, "step {step}: {found}, {expected} expected");
        }
    }

    #[test]
    fn steps_go_by_whole_epochs() {
        assert_eq!(rates(Schedule::Constant, 2, 2), [1.0; 4]);
        let schedule = Schedule::Step { every_epochs: 2, factor: 0.5 };
        assert_eq!(rates(schedule, 2, 5), [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]);
    }

    /// By hand: 2 of 10 steps up, then cos 0, cos π/7 … cos π.
    #[test]
    fn a_cosine_begins_and_ends_where_it_says() {
        let schedule = Schedule::Cosine { warm_up: 0.2, final_fraction: 0.1 };
        let down = |part: f64| 0.1 + 0.45 * (1.0 + (PI * part).cos());
        let mut expected = vec![1.0 / 3.0, 2.0 / 3.0, 1.0];
        expected.extend((1..=7).map(|step| down(f64::from(step) / 7.0)));
        close(&rates(schedule, 5, 2), &expected);
        assert_eq!(expected.last(), Some(&0.1));
        let plain = Schedule::Cosine { warm_up: 0.0, final_fraction: 0.0 };
        close(&rates(plain, 3, 1), &[1.0, 0.5, 0.0]);
        assert_eq!(rates(plain, 1, 1), [1.0], "a single step is taken whole");
        let all_warm = Schedule::Cosine { warm_up: 1.0, final_fraction: 0.0 };
        close(&rates(all_warm, 4, 1), &[0.25, 0.5, 0.75, 1.0]);
    }

    #[test]
    fn one_cycle_has_straight_sides() {
        let schedule = Schedule::OneCycle { warm_up: 0.4, initial_fraction: 0.2, final_fraction: 0.01 };
        let mut expected = vec![0.2, 0.4, 0.6, 0.8, 1.0];
        expected.extend((1..=5).map(|step| 1.0 - 0.99 * f64::from(step) / 5.0));
        close(&rates(schedule, 10, 1), &expected);
        let down = Schedule::OneCycle { warm_up: 0.0, initial_fraction: 0.2, final_fraction: 0.0 };
        close(&rates(down, 3, 1), &[1.0, 0.5, 0.0]);
        assert_eq!(rates(down, 1, 1), [1.0]);
        let up = Schedule::OneCycle { warm_up: 1.0, initial_fraction: 0.0, final_fraction: 0.0 };
        close(&rates(up, 3, 1), &[0.0, 0.5, 1.0]);
    }

    #[test]
    #[should_panic(expected = "step 6 of 6")]
    fn there_is_no_step_beyond_the_last() {
        Schedule::Constant.rate(6, 3, 2);
    }
}
