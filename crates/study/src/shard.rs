//! A plan divided among machines: which runs are whose follows from the plan and from how many shards there are, and from nothing else.
//!
//! Runs of one seed are compared with each other, so they stay together: a lost shard loses whole pairs. Such blocks are dealt out by what
//! they cost, the most expensive first, each to the shard that has least so far (Graham 1969, "Bounds on multiprocessing timing
//! anomalies"). What a run costs is counted and not measured, since machines must agree on it: the multiply-adds of an image's forward
//! pass × (3 × images learnt from + images tested on), as a backward pass takes twice as many as a forward pass.

use crate::forecast::Work;
use nn::ShapeError;
use records::{identity::seedless, record::RunSpec};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    fmt,
    str::FromStr,
};

/// One of several shards of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, counted from 1.
    pub number: usize,
    /// How many there are.
    pub count: usize,
}

/// More shards than any plan has runs.
pub const MAXIMUM_SHARDS: usize = 1_000_000;

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!("I/N expected, such as 3/8: a number from 1 to the number of shards, \"{text}\" found")
        };
        let (number, count) = text.split_once('/').ok_or_else(expected)?;
        let parse = |text: &str| text.trim().parse::<usize>().ok();
        let (Some(number), Some(count)) = (parse(number), parse(count)) else { return Err(expected()) };
        match (1..=count).contains(&number) && count <= MAXIMUM_SHARDS {
            true => Ok(Self { number, count }),
            false => Err(expected()),
        }
    }
}

/// A plan divided into shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// For each plan and each of its runs, the shard that makes it, counted from 1.
    pub shards: Vec<Vec<usize>>,
    /// What each shard costs, in multiply-adds.
    pub costs: Vec<u128>,
    /// Runs that stay together are so many blocks: more shards than these have nothing to do.
    pub blocks: usize,
}

impl Division {
    /// Divides the runs of a study, one plan for each of its data sets, into so many shards.
    ///
    /// # Errors
    /// When a model does not fit its images.
    pub fn of(plans: &[&[RunSpec]], count: usize) -> Result<Self, ShapeError> {
        let mut known: HashMap<String, u128> = HashMap::new();
        let mut blocks: Vec<(u128, Vec<(usize, usize)>)> = Vec::new();
        for (part, plan) in plans.iter().enumerate() {
            let mut places: HashMap<u64, usize> = HashMap::new();
            for (index, run) in plan.iter().enumerate() {
                let cost = cost(run, &mut known)?;
                let place = *places.entry(run.seed).or_insert_with(|| {
                    blocks.push((0, Vec::new()));
                    blocks.len() - 1
                });
                blocks[place].0 += cost;
                blocks[place].1.push((part, index));
            }
        }
        let mut shards: Vec<Vec<usize>> = plans.iter().map(|plan| vec![0; plan.len()]).collect();
        let mut costs = vec![0; count];
        let mut least: BinaryHeap<Reverse<(u128, usize)>> =
            (0..count).map(|shard| Reverse((0, shard))).collect();
        let number = blocks.len();
        // Of equal ones those that come first in the plan: a stable order.
        blocks.sort_by_key(|(cost, _)| Reverse(*cost));
        for (cost, runs) in blocks {
            let Some(Reverse((before, shard))) = least.pop() else { break };
            costs[shard] = before + cost;
            least.push(Reverse((before + cost, shard)));
            for (part, run) in runs {
                shards[part][run] = shard + 1;
            }
        }
        Ok(Self { shards, costs, blocks: number })
    }

    /// By how much the most expensive shard costs more than the cheapest, as a fraction of that; none where a shard has nothing.
    pub fn imbalance(&self) -> Option<f64> {
        let (most, least) = (self.costs.iter().max()?, self.costs.iter().min()?);
        (*least > 0).then(|| *most as f64 / *least as f64 - 1.0)
    }
}

/// What a run costs, in multiply-adds.
fn cost(run: &RunSpec, known: &mut HashMap<String, u128>) -> Result<u128, ShapeError> {
    let alike = serde_json::to_string(&seedless(run)).expect("a specification has only plain values");
    if let Some(cost) = known.get(&alike) {
        return Ok(*cost);
    }
    let nodes = run.architecture().graph(run.dataset.shape(), run.dataset.classes)?.nodes;
    let image: u64 = nodes.iter().map(|node| node.multiply_adds).sum();
    let work = Work::of(run);
    // Whole numbers below 2^53.
    let images = 3 * work.trained as u128 + work.evaluated as u128;
    // A model of no product takes time too.
    let cost = u128::from(image.max(1)) * images.max(1);
    known.insert(alike, cost);
    Ok(cost)
}
