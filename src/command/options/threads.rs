//! With how many threads to compute, where it is not said.

use std::{env, thread};

/// So many threads, and the variable that says so, where one does.
///
/// A scheduler that gives a task some of the machine's processors says how many by these variables; what it keeps a process to otherwise, by
/// affinity or a control group's quota, the standard library knows.
pub(crate) fn default() -> (usize, Option<&'static str>) {
    chosen(&|name| env::var(name).ok(), thread::available_parallelism().map_or(1, usize::from))
}

fn chosen(variable: &dyn Fn(&str) -> Option<String>, available: usize) -> (usize, Option<&'static str>) {
    for name in ["OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"] {
        // OpenMP's may be a list, one number a level of nesting.
        let first = variable(name).and_then(|text| text.split(',').next()?.trim().parse::<usize>().ok());
        if let Some(threads) = first.filter(|threads| *threads > 0) {
            return (threads, Some(name));
        }
    }
    (available, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmp_s_variable_comes_before_slurm_s_and_both_before_the_machine_s_processors() {
        let of = |variables: &[(&str, &str)]| {
            let variable = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            chosen(&variable, 16)
        };
        assert_eq!(of(&[]), (16, None));
        assert_eq!(of(&[("SLURM_CPUS_PER_TASK", "4")]), (4, Some("SLURM_CPUS_PER_TASK")));
        assert_eq!(
            of(&[("SLURM_CPUS_PER_TASK", "4"), ("OMP_NUM_THREADS", "2")]),
            (2, Some("OMP_NUM_THREADS"))
        );
        assert_eq!(of(&[("OMP_NUM_THREADS", "3,2")]), (3, Some("OMP_NUM_THREADS")));
        for unusable in ["0", "", "many", "-1"] {
            assert_eq!(of(&[("OMP_NUM_THREADS", unusable)]), (16, None), "{unusable}");
        }
    }
}
