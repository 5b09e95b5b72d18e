//! Where this process computes: on which machine, and as which task of a scheduler.

use records::{
    host,
    record::{Place, Scheduler, Task},
};
use std::env;

/// This machine and, within a scheduler's job, the task.
pub fn place() -> Place {
    Place { host: host::name(), task: task(&|name| env::var(name).ok()) }
}

/// The task that environment variables tell. A scheduler may itself have been started by another one's task: HyperQueue's and Kubernetes's
/// are the inner ones.
pub(crate) fn task(all: &dyn Fn(&str) -> Option<String>) -> Option<Task> {
    /// No scheduler's are longer, and none have control characters: whatever else the environment holds goes into no record.
    const LONGEST: usize = 100;
    let usable = |text: &String| text.len() <= LONGEST && !text.chars().any(char::is_control);
    let variable = |name: &str| all(name).filter(usable);
    let number = |name: &str| variable(name)?.parse::<u64>().ok();
    if let Some(id) = number("HQ_TASK_ID") {
        return Some(Task {
            scheduler: Scheduler::HyperQueue,
            job: variable("HQ_JOB_ID"),
            number: Some(id),
            restarts: number("HQ_INSTANCE_ID").unwrap_or_default(),
        });
    }
    if let Some(index) = number("JOB_COMPLETION_INDEX") {
        return Some(Task { scheduler: Scheduler::Kubernetes, job: None, number: Some(index), restarts: 0 });
    }
    let job = variable("SLURM_JOB_ID")?;
    let restarts = number("SLURM_RESTART_COUNT").unwrap_or_default();
    let number = number("SLURM_ARRAY_TASK_ID");
    let job = variable("SLURM_ARRAY_JOB_ID").filter(|_| number.is_some()).unwrap_or(job);
    Some(Task { scheduler: Scheduler::Slurm, job: Some(job), number, restarts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        task(&variable).map(|task| task.to_string())
    }

    #[test]
    fn a_task_is_known_by_its_scheduler_s_variables() {
        let of_slurm = [("SLURM_JOB_ID", "71"), ("SLURM_ARRAY_JOB_ID", "70"), ("SLURM_ARRAY_TASK_ID", "3")];
        assert_eq!(told(&[]), None);
        assert_eq!(told(&of_slurm).as_deref(), Some("Slurm job 70 task 3"));
        assert_eq!(told(&of_slurm[..1]).as_deref(), Some("Slurm job 71"));
        let again: Vec<_> = of_slurm.into_iter().chain([("SLURM_RESTART_COUNT", "2")]).collect();
        assert_eq!(told(&again).as_deref(), Some("Slurm job 70 task 3, begun again 2 times"));
        let inner: Vec<_> = of_slurm
            .into_iter()
            .chain([("HQ_TASK_ID", "5"), ("HQ_JOB_ID", "1"), ("HQ_INSTANCE_ID", "1")])
            .collect();
        assert_eq!(told(&inner).as_deref(), Some("HyperQueue job 1 task 5, begun again once"));
        assert_eq!(told(&[("JOB_COMPLETION_INDEX", "0")]).as_deref(), Some("Kubernetes task 0"));
        assert_eq!(told(&[("HQ_TASK_ID", "x")]), None);
        for unusable in ["x".repeat(1000), "7\n8".to_owned()] {
            assert_eq!(told(&[("SLURM_JOB_ID", &unusable)]), None);
        }
    }
}
