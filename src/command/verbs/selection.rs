//! Which runs of a plan a process makes.

use crate::command::{failure::Failure, options::RunOptions, output};
use records::{
    identity::run_id,
    record::{Environment, RunSpec},
};
use report::thousands;
use study::{
    run::RunError,
    shard::{Division, Shard},
};

/// Beyond this a shard that has most costs notably more than the one that has least.
pub(super) const NOTABLE_IMBALANCE: f64 = 0.10;

/// The runs that the options ask for, by their places in each of the plans of a study, one plan for each of its data sets; none where that is
/// all of them. What there is to say of the division is said, unless `quiet`.
///
/// # Errors
/// When a scheduler's variables do not tell the shard, or no run has an identity that was asked for.
pub(super) fn select(
    options: &RunOptions,
    plans: &[&[RunSpec]],
    environment: &Environment,
    quiet: bool,
) -> Result<Option<Vec<Vec<usize>>>, Failure> {
    if let Some(choice) = options.shard {
        let (shard, from) = choice.resolve()?;
        let division = Division::of(plans, shard.count).map_err(RunError::from)?;
        if !quiet {
            tell(shard, from, &division);
        }
        let of_shard =
            |shards: &Vec<usize>| (0..shards.len()).filter(|run| shards[*run] == shard.number).collect();
        return Ok(Some(division.shards.iter().map(of_shard).collect()));
    }
    if options.only.is_empty() {
        return Ok(None);
    }
    let ids: Vec<Vec<String>> =
        plans.iter().map(|plan| plan.iter().map(|run| run_id(run, environment)).collect()).collect();
    let mut chosen: Vec<Vec<usize>> = vec![Vec::new(); plans.len()];
    for asked in &options.only {
        let mut found = Vec::new();
        for (part, ids) in ids.iter().enumerate() {
            found.extend(
                ids.iter().enumerate().filter(|(_, id)| id.starts_with(asked)).map(|(run, _)| (part, run)),
            );
        }
        match found[..] {
            [(part, run)] => chosen[part].push(run),
            [] => {
                return Err(Failure::usage(
                    format!("--only {asked}: the identity of a run of this study expected"),
                    "--dry-run lists the runs with their identities; they depend on the options and on the machine's instruction set",
                ));
            }
            _ => {
                return Err(Failure::usage(
                    format!("--only {asked}: {} runs begin so", found.len()),
                    "pass more of the identity; --dry-run lists them",
                ));
            }
        }
    }
    for runs in &mut chosen {
        runs.sort_unstable();
        runs.dedup();
    }
    Ok(Some(chosen))
}

fn tell(shard: Shard, from: Option<&str>, division: &Division) {
    let all: usize = division.shards.iter().map(Vec::len).sum();
    let own = division.shards.iter().flatten().filter(|number| **number == shard.number).count();
    let from = from.map_or_else(String::new, |name| format!(" (by {name})"));
    output::note(&format!(
        "shard {shard}{from}: {} of {} runs",
        thousands(own as u64),
        thousands(all as u64)
    ));
    match division.imbalance() {
        None => output::note(&without_work(division)),
        Some(more) if more > NOTABLE_IMBALANCE => output::note(&imbalanced(more)),
        Some(_) => {}
    }
}

/// That shards differ by this fraction.
pub(super) fn imbalanced(more: f64) -> String {
    format!(
        "the largest shard has {:.0} % more work than the smallest; a number of shards that divides the number of seeds evenly finishes sooner",
        100.0 * more
    )
}

/// That some shards have nothing to do.
pub(super) fn without_work(division: &Division) -> String {
    format!(
        "runs with the same seed stay in one shard, so only {} of {} shards have work",
        thousands(division.blocks as u64),
        thousands(division.costs.len() as u64)
    )
}
