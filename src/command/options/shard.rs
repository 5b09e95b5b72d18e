//! Which shard of a plan a process makes.

use crate::command::failure::Failure;
use std::{env, str::FromStr};
use study::shard::Shard;

/// `--shard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShardChoice {
    /// As the scheduler's variables say.
    Auto,
    /// This one.
    Given(Shard),
}

impl FromStr for ShardChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Given) }
    }
}

/// The variable that says how many shards there are, where a scheduler does not.
pub(crate) const SHARDS: &str = "MNIST_STUDY_SHARDS";

impl ShardChoice {
    /// The shard, and the variables that it was read from, where it was.
    ///
    /// # Errors
    /// When the variables do not tell it.
    pub(crate) fn resolve(self) -> Result<(Shard, Option<&'static str>), Failure> {
        match self {
            Self::Given(shard) => Ok((shard, None)),
            Self::Auto => automatic(&|name| env::var(name).ok()).map(|(shard, from)| (shard, Some(from))),
        }
    }
}

/// The shard that a scheduler's variables tell. Where one scheduler was started by another's task, the inner one's count.
fn automatic(variable: &dyn Fn(&str) -> Option<String>) -> Result<(Shard, &'static str), Failure> {
    let number = |name: &str| -> Result<Option<usize>, Failure> {
        let Some(text) = variable(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            Failure::usage(
                format!("--shard auto: {name}: a whole number expected, \"{text}\" found"),
                "pass --shard I/N instead",
            )
        })
    };
    let counted = |from: &'static str, number: usize, example: &str| {
        let Some(text) = variable(SHARDS) else {
            return Err(Failure::usage(
                format!("--shard auto: {from} says which task this is, and nothing says of how many"),
                format!("pass --shard {example}, or set {SHARDS} to the number of shards"),
            ));
        };
        let shard = format!("{number}/{text}").parse::<Shard>().map_err(|_| {
            Failure::usage(
                format!("--shard auto: shard {number} of {SHARDS}={text} found, a number from 1 to {text} expected"),
                format!("count the tasks from 1 to the number of shards, or pass --shard {example}"),
            )
        });
        shard.map(|shard| (shard, from))
    };
    if let Some(id) = number("HQ_TASK_ID")? {
        return counted("HQ_TASK_ID", id, "\"$HQ_TASK_ID/8\"");
    }
    if let Some(index) = number("JOB_COMPLETION_INDEX")? {
        return counted("JOB_COMPLETION_INDEX", index.saturating_add(1), "I/N");
    }
    let Some(id) = number("SLURM_ARRAY_TASK_ID")? else {
        return Err(Failure::usage(
            "--shard auto: the variables of a task of Slurm, HyperQueue or Kubernetes expected (SLURM_ARRAY_TASK_ID, HQ_TASK_ID, \
             JOB_COMPLETION_INDEX), none found",
            "pass --shard I/N, such as --shard 3/8",
        ));
    };
    let of_array = |name: &str| {
        number(name)?.ok_or_else(|| {
            Failure::usage(
                format!("--shard auto: SLURM_ARRAY_TASK_ID is set, and {name} is not"),
                "pass --shard I/N, such as --shard \"$SLURM_ARRAY_TASK_ID/8\"",
            )
        })
    };
    let [count, least, most] =
        ["SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX"].map(of_array);
    let (count, least, most) = (count?, least?, most?);
    // Some tasks of an array that are begun again are another array: which shards they are, only their script can say.
    let width = most.checked_sub(least).and_then(|width| width.checked_add(1));
    if !(least..=most).contains(&id) || width != Some(count) || least > 1 {
        return Err(Failure::usage(
            format!(
                "--shard auto: an array of consecutive numbers from 0 or 1 on expected, {count} tasks from {least} to {most} found"
            ),
            "pass --shard with the number of all shards, such as --shard \"$SLURM_ARRAY_TASK_ID/8\"",
        ));
    }
    let shard = format!("{}/{count}", id - least + 1).parse().map_err(|problem: String| {
        Failure::usage(format!("--shard auto: {problem}"), "pass --shard I/N, such as --shard 3/8")
    });
    Ok((shard?, "SLURM_ARRAY_TASK_ID"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        automatic(&variable)
            .map(|(shard, from)| format!("{shard} by {from}"))
            .map_err(|failure| failure.message().to_owned())
    }

    fn of_slurm(
        id: &'static str,
        count: &'static str,
        least: &'static str,
        most: &'static str,
    ) -> Vec<(&'static str, &'static str)> {
        vec![
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_COUNT", count),
            ("SLURM_ARRAY_TASK_MIN", least),
            ("SLURM_ARRAY_TASK_MAX", most),
        ]
    }

    #[test]
    fn a_shard_is_known_by_the_scheduler_s_variables() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(told(&of_slurm("3", "8", "1", "8")), ok("3/8 by SLURM_ARRAY_TASK_ID"));
        assert_eq!(told(&of_slurm("0", "4", "0", "3")), ok("1/4 by SLURM_ARRAY_TASK_ID"));
        assert_eq!(told(&[("HQ_TASK_ID", "2"), (SHARDS, "8")]), ok("2/8 by HQ_TASK_ID"));
        assert_eq!(told(&[("JOB_COMPLETION_INDEX", "0"), (SHARDS, "8")]), ok("1/8 by JOB_COMPLETION_INDEX"));
        // The inner scheduler's.
        let both: Vec<_> =
            of_slurm("3", "8", "1", "8").into_iter().chain([("HQ_TASK_ID", "2"), (SHARDS, "9")]).collect();
        assert_eq!(told(&both), ok("2/9 by HQ_TASK_ID"));
    }

    #[test]
    fn variables_that_do_not_tell_are_refused() {
        for (variables, expected) in [
            (vec![], "none found"),
            (of_slurm("3", "2", "3", "5"), "from 0 or 1 on expected, 2 tasks from 3 to 5 found"),
            (of_slurm("9", "8", "1", "8"), "consecutive numbers from 0 or 1"),
            // Some tasks begun again: which shards they are is not known here.
            (of_slurm("5", "1", "5", "5"), "1 tasks from 5 to 5 found"),
            (of_slurm("0", "0", "0", "18446744073709551615"), "consecutive numbers"),
            (vec![("SLURM_ARRAY_TASK_ID", "3")], "SLURM_ARRAY_TASK_COUNT is not"),
            (vec![("SLURM_ARRAY_TASK_ID", "x")], "a whole number expected, \"x\" found"),
            (vec![("HQ_TASK_ID", "2")], "nothing says of how many"),
            (vec![("HQ_TASK_ID", "0"), (SHARDS, "8")], "a number from 1 to 8 expected"),
            (vec![("JOB_COMPLETION_INDEX", "8"), (SHARDS, "8")], "shard 9 of"),
            (vec![("JOB_COMPLETION_INDEX", "1"), (SHARDS, "many")], "MNIST_STUDY_SHARDS=many"),
        ] {
            let told = told(&variables).expect_err(expected);
            assert!(told.contains(expected), "{told}");
        }
    }
}
