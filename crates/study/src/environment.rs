//! The machine that runs are made on.

use kernels::InstructionSet;
use records::record::{Environment, Place};
use std::fs;

/// The version that records carry.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What computes, as far as it can be known: a record says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// The processor's name, or what is known in its place.
    pub cpu: String,
    /// As [`Environment::operating_system`].
    pub operating_system: String,
    /// On which machine; none where that is nobody's business.
    pub place: Option<Place>,
}

impl Platform {
    /// This machine.
    pub fn here() -> Self {
        Self { cpu: cpu_name(), operating_system: std::env::consts::OS.to_owned(), place: here() }
    }

    /// A browser, which tells of itself by `agent` and of the machine hardly anything.
    pub fn browser(agent: &str) -> Self {
        /// A record holds no longer text than a thousand characters, and none with control characters.
        const LONGEST: usize = 300;
        let words: Vec<&str> = agent.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let cpu: String = words.join(" ").trim().chars().take(LONGEST).collect();
        let cpu = if cpu.is_empty() { "unknown".to_owned() } else { cpu };
        Self { cpu, operating_system: "browser".to_owned(), place: None }
    }

    /// The environment of runs that are made here with these kernels on so many threads.
    pub fn environment(&self, set: InstructionSet, threads: usize) -> Environment {
        Environment {
            cpu: self.cpu.clone(),
            threads,
            kernels: set.name().to_owned(),
            engine_revision: train::ENGINE_REVISION,
            operating_system: self.operating_system.clone(),
            version: VERSION.to_owned(),
            jobs: None,
            place: self.place.clone(),
        }
    }
}

/// Describes this machine.
pub fn environment(set: InstructionSet, threads: usize) -> Environment {
    Platform::here().environment(set, threads)
}

/// What is told of a machine stands beside the records in a folder; where there are none, nothing is.
fn here() -> Option<Place> {
    #[cfg(feature = "store")]
    return Some(crate::place::place());
    #[cfg(not(feature = "store"))]
    None
}

/// The processor's name where the system tells it, else its architecture.
fn cpu_name() -> String {
    fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// Notices whether other programs used the processors meanwhile.
///
/// Reads the kernel's counters where there are any (Linux); elsewhere it never notices anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadMeter {
    start: Option<Ticks>,
    threads: u64,
}

/// Clock ticks since boot.
#[derive(Debug, Clone, Copy)]
struct Ticks {
    /// How many processors there are.
    processors: u64,
    /// Of all processors.
    total: u64,
    /// Spent neither idle nor by this process; what a hypervisor took away counts.
    others: u64,
}

/// Share of its processors' time that others may take from a run before a timing is flagged.
const LOAD_LIMIT: f64 = 0.10;

impl LoadMeter {
    /// For a run on so many threads.
    pub(crate) fn start(threads: usize) -> Self {
        Self { start: Ticks::read(), threads: threads as u64 }
    }

    /// A warning, if others took more than a tenth of what the run could have had.
    pub(crate) fn warning(self) -> Option<String> {
        let share = self.start?.share(&Ticks::read()?, self.threads)?;
        (share > LOAD_LIMIT).then(|| {
            format!(
                "other programs took {:.0} % of the processors' time while this run was timed",
                100.0 * share
            )
        })
    }
}

impl Ticks {
    /// What others took of the time of as many processors as there are threads. They may have all the other processors, as the tasks
    /// beside this one on a machine that a scheduler shares out.
    fn share(&self, end: &Self, threads: u64) -> Option<f64> {
        let total = end.total.saturating_sub(self.total);
        // Below a second the counters are too coarse to accuse anyone.
        if total < 100 {
            return None;
        }
        let processors = end.processors.max(1);
        let own = total as f64 * threads.min(processors) as f64 / processors as f64;
        let others = end.others.saturating_sub(self.others) as f64;
        Some((others - (total as f64 - own)).max(0.0) / own)
    }

    fn read() -> Option<Self> {
        let all = fs::read_to_string("/proc/stat").ok()?;
        let own = fs::read_to_string("/proc/self/stat").ok()?;
        Self::parse(&all, &own)
    }

    /// `all` is /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, …; `own` is /proc/self/stat, whose
    /// fields 14 and 15 are this process's user and system ticks.
    fn parse(all: &str, own: &str) -> Option<Self> {
        let fields: Vec<u64> = all
            .lines()
            .next()?
            .split_whitespace()
            .skip(1)
            .take(8)
            .map_while(|field| field.parse().ok())
            .collect();
        if fields.len() < 8 {
            return None;
        }
        // The command's name, in parentheses, may hold spaces.
        let own: Vec<&str> = own.rsplit_once(')')?.1.split_whitespace().collect();
        let own: u64 = own.get(11)?.parse::<u64>().ok()? + own.get(12)?.parse::<u64>().ok()?;
        let total: u64 = fields.iter().sum();
        let is_one = |line: &&str| {
            line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let processors = all.lines().filter(is_one).count() as u64;
        Some(Self { processors, total, others: (total - fields[3] - fields[4]).saturating_sub(own) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_by_position() {
        let all = "cpu  100 1 20 1000 50 2 3 4 9 9\ncpu0 1 1 1 1\n";
        let own = "42 (a name) with) R 1 1 1 0 -1 0 0 0 0 0 70 5 0 0 20 0 2 0 9 9 9";
        let ticks = Ticks::parse(all, own).expect("both texts are whole");
        assert_eq!((ticks.total, ticks.processors), (1180, 1));
        assert_eq!(ticks.others, 100 + 1 + 20 + 2 + 3 + 4 - 75);
        assert!(Ticks::parse("cpu 1 2 3\n", own).is_none());
        assert!(Ticks::parse(all, "42 (name) R 1").is_none());
    }

    #[test]
    fn others_may_have_the_processors_that_a_run_does_not_use() {
        let start = Ticks { processors: 4, total: 0, others: 0 };
        let share = |others: u64, threads: u64| {
            start.share(&Ticks { processors: 4, total: 400, others }, threads).expect("long enough")
        };
        // On all four processors whatever others take is taken from the run.
        assert_eq!((share(0, 4), share(100, 4), share(400, 4)), (0.0, 0.25, 1.0));
        // On one of them others may have three.
        assert_eq!((share(300, 1), share(350, 1), share(400, 1)), (0.0, 0.5, 1.0));
        assert_eq!(share(100, 9), 0.25);
        assert_eq!(start.share(&Ticks { processors: 4, total: 99, others: 99 }, 4), None);
    }

    #[test]
    fn the_environment_names_the_processor_and_the_kernels() {
        let environment = environment(InstructionSet::PORTABLE, 3);
        assert!(!environment.cpu.is_empty());
        assert_eq!((environment.threads, environment.kernels.as_str()), (3, "portable"));
    }
}
