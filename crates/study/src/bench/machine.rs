//! What the machine can do at most: its arithmetic, and its memory level by level.

use crate::run::Session;
use kernels::{InstructionSet, peak};
use nn::keep_awake;
use rayon::prelude::*;
use records::record::Environment;
use serde::Serialize;
use std::{fs, hint::black_box, path::Path};
use web_time::Instant;

/// What the machine can do, measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// Processor, threads, kernels and version.
    #[serde(flatten)]
    pub environment: Environment,
    /// Multiply-adds of one thread, counted as two operations, in 10⁹ a second.
    pub peak_gflops_one_thread: f64,
    /// Those of all threads together.
    pub peak_gflops: f64,
    /// Reading 64 MiB a thread, in 10⁹ bytes a second, all threads together.
    pub read_gigabytes_per_second: f64,
    /// The caches from the smallest on, and what is behind them, where they were asked for; empty where the system does not tell them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_levels: Option<Vec<MemoryLevel>>,
}

/// A cache, or the memory behind all of them, and how fast a thread moves what fits it while all threads do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemoryLevel {
    /// `L1` and so on, or `memory`.
    pub name: String,
    /// What a thread has of it: its size shared out among the threads that may use it. None of the memory.
    pub bytes_per_thread: Option<usize>,
    /// Reading alone, in 10⁹ bytes a second.
    pub read_gigabytes_per_second_per_thread: f64,
    /// Copying, what is read and what is written, in 10⁹ bytes a second.
    pub copy_gigabytes_per_second_per_thread: f64,
}

impl MemoryLevel {
    /// The most bytes a second, whichever way they were moved.
    pub fn bytes_per_second(&self) -> f64 {
        1e9 * self.read_gigabytes_per_second_per_thread.max(self.copy_gigabytes_per_second_per_thread)
    }

    /// Whether a thread's part of it holds so many bytes.
    pub fn holds(&self, bytes: f64) -> bool {
        self.bytes_per_thread.is_none_or(|size| bytes <= size as f64)
    }
}

/// Measures the machine for about half a second and, where that is asked for, its memory `by_level` for as long again.
pub fn machine(session: &Session, by_level: bool) -> Machine {
    let set = session.instruction_set();
    let threads = session.environment().threads;
    let on_all = |rate: &(dyn Fn() -> f64 + Sync)| -> f64 {
        session.install(|| keep_awake(|| (0..threads).into_par_iter().with_max_len(1).map(|_| rate()).sum()))
    };
    let level = |(name, bytes_per_thread): (String, Option<usize>), length: usize| MemoryLevel {
        name,
        bytes_per_thread,
        read_gigabytes_per_second_per_thread: on_all(&|| read_rate(set, length)) / threads as f64,
        copy_gigabytes_per_second_per_thread: on_all(&|| copy_rate(length)) / threads as f64,
    };
    Machine {
        environment: session.environment(),
        peak_gflops_one_thread: multiply_add_rate(set),
        peak_gflops: on_all(&|| multiply_add_rate(set)),
        read_gigabytes_per_second: on_all(&|| read_rate(set, LARGE)),
        memory_levels: by_level.then(|| {
            let measured = measured_lengths(&caches(Path::new(CACHES), threads));
            measured.into_iter().map(|(named, length)| level(named, length)).collect()
        }),
    }
}

/// 10⁹ operations a second, the best of several tries: what disturbs can only slow.
fn multiply_add_rate(set: InstructionSet) -> f64 {
    let rate = |_| {
        let start = Instant::now();
        let operations = peak::multiply_adds(set, 400_000);
        operations as f64 / start.elapsed().as_secs_f64() / 1e9
    };
    (0..40).map(rate).fold(0.0, f64::max)
}

/// What is far larger than a second-level cache: 64 MiB.
const LARGE: usize = 64 << 20;

/// Bytes that a try moves at least, so that reading the clock does not count: some 100 µs in a first-level cache.
const TRY: usize = 16 << 20;

/// 10⁹ bytes a second of so many bytes that are read again and again.
fn read_rate(set: InstructionSet, length: usize) -> f64 {
    let values = vec![1.0f32; length / size_of::<f32>()];
    best_rate(length, |passes| {
        black_box(peak::read(set, black_box(&values), passes));
    })
}

/// 10⁹ bytes a second of so many bytes, one half of which is copied to the other again and again; both halves count.
fn copy_rate(length: usize) -> f64 {
    let from = vec![1.0f32; length / 2 / size_of::<f32>()];
    let mut to = vec![0.0f32; from.len()];
    best_rate(length, |passes| {
        for _ in 0..passes {
            black_box(&mut to).copy_from_slice(black_box(&from));
        }
    })
}

/// The best of several tries of moving so many bytes as often as it is told.
fn best_rate(length: usize, mut pass: impl FnMut(usize)) -> f64 {
    let passes = TRY.div_ceil(length);
    let rate = |_| {
        let start = Instant::now();
        pass(passes);
        (passes * length) as f64 / start.elapsed().as_secs_f64() / 1e9
    };
    (0..10).map(rate).fold(0.0, f64::max)
}

/// Where Linux tells the first processor's caches.
const CACHES: &str = "/sys/devices/system/cpu/cpu0/cache";

/// The caches that hold data, from the smallest on: their names, and the bytes that each of so many threads has of them. None where
/// the system tells none.
fn caches(folder: &Path, threads: usize) -> Vec<(String, usize)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut caches: Vec<_> = entries
        .filter_map(|entry| {
            let cache = entry.ok()?.path();
            let text = |name| Some(fs::read_to_string(cache.join(name)).ok()?.trim().to_owned());
            let level: usize = text("level")?.parse().ok()?;
            let sharers = processors(&text("shared_cpu_list")?)?.min(threads).max(1);
            (text("type")? != "Instruction").then_some((level, bytes(&text("size")?)? / sharers))
        })
        .filter(|(_, bytes)| *bytes > 0)
        .collect();
    caches.sort_unstable();
    caches.into_iter().map(|(level, bytes)| (format!("L{level}"), bytes)).collect()
}

/// A size such as `48K`.
fn bytes(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[end..] {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    text[..end].parse::<usize>().ok()?.checked_mul(unit)
}

/// How many processors a list such as `0-3,8` names.
fn processors(list: &str) -> Option<usize> {
    let count = |part: &str| match part.split_once('-') {
        None => part.parse::<usize>().ok().map(|_| 1),
        Some((first, last)) => (last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)?).checked_add(1),
    };
    list.split(',').map(count).sum()
}

/// Each level, and how many bytes it is measured with: half of what a thread has of a cache, and for the memory twice what it has of
/// the last one. Of very large caches no more is used than is surely not in the one before; where the memory could only be
/// measured beside one of those, the last cache stands for it, too, as no group of images comes near its size.
fn measured_lengths(caches: &[(String, usize)]) -> Vec<((String, Option<usize>), usize)> {
    let level = |(name, bytes): &(String, usize)| ((name.clone(), Some(*bytes)), (bytes / 2).min(LARGE / 2));
    let mut levels: Vec<_> = caches.iter().map(level).collect();
    if let Some((_, last)) = caches.last().filter(|(_, last)| *last <= LARGE) {
        levels.push((("memory".to_owned(), None), (2 * last).max(LARGE)));
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(caches: &[(&str, usize)]) -> Vec<(String, usize)> {
        caches.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
    }

    #[test]
    fn caches_are_shared_out_among_the_threads() {
        let folder = tempfile::tempdir().expect("a folder");
        let told = [
            ["2", "Unified", "2048K", "0,4"],
            ["1", "Instruction", "32K", "0,4"],
            ["1", "Data", "48K", "0,4"],
            ["3", "Unified", "32M", "0-7"],
        ];
        for (index, values) in told.iter().enumerate() {
            let cache = folder.path().join(format!("index{index}"));
            fs::create_dir(&cache).expect("a folder");
            for (name, value) in ["level", "type", "size", "shared_cpu_list"].iter().zip(values) {
                fs::write(cache.join(name), format!("{value}\n")).expect("written");
            }
        }
        fs::write(folder.path().join("uevent"), "").expect("written");
        let of_one = [("L1", 48 << 10), ("L2", 2 << 20), ("L3", 32 << 20)];
        assert_eq!(caches(folder.path(), 1), named(&of_one));
        let of_many = [("L1", 24 << 10), ("L2", 1 << 20), ("L3", 4 << 20)];
        assert_eq!(caches(folder.path(), 99), named(&of_many));
        fs::write(folder.path().join("index3/size"), "much").expect("written");
        assert_eq!(caches(folder.path(), 1), named(&of_one[..2]));
        assert_eq!(caches(&folder.path().join("nowhere"), 1), []);
    }

    #[test]
    fn sizes_and_lists_of_processors_are_read_or_unknown() {
        assert_eq!(
            ["48K", "2M", "512", "48k", "K", ""].map(bytes),
            [Some(49_152), Some(2 << 20), Some(512), None, None, None]
        );
        assert_eq!(
            ["0", "0-3", "0,4", "0-1,8-11", "", "3-1", "a-b"].map(processors),
            [Some(1), Some(4), Some(2), Some(6), None, None, None]
        );
    }

    #[test]
    fn a_level_is_measured_with_what_fits_it_and_not_the_one_before() {
        let lengths = |caches: &[(&str, usize)]| -> Vec<(String, usize)> {
            let measured = measured_lengths(&named(caches));
            measured.into_iter().map(|((name, _), length)| (name, length)).collect()
        };
        let usual = lengths(&[("L1", 32 << 10), ("L2", 1 << 20), ("L3", 48 << 20)]);
        assert_eq!(
            usual,
            named(&[("L1", 16 << 10), ("L2", 512 << 10), ("L3", 24 << 20), ("memory", 96 << 20)])
        );
        let large = lengths(&[("L2", 1 << 20), ("L3", 256 << 20)]);
        assert_eq!(large, named(&[("L2", 512 << 10), ("L3", 32 << 20)]));
        assert_eq!(lengths(&[]), []);
    }
}
