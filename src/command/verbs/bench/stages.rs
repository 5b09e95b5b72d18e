//! `bench --stages`: the stages of a training step beside what bounds them, as a table of 80 columns.

use study::bench::{MemoryLevel, Roofline};

/// What stands where nothing is known, or nothing has to be done.
const MISSING: &str = "–";

/// What the memory's levels hold and move, and how the tables are read.
pub(super) fn legend(levels: &[MemoryLevel]) -> String {
    let level = |level: &MemoryLevel| {
        let size = level.bytes_per_thread.map_or(String::new(), |bytes| format!(" {}", size(bytes)));
        format!("{}{size} {:.0} GB/s", level.name, level.bytes_per_second() / 1e9)
    };
    let memory = match levels {
        [] => "caches unknown on this system: operations alone bound".to_owned(),
        levels => levels.iter().map(level).collect::<Vec<_>>().join(", ") + " a thread",
    };
    format!(
        "{memory}\n\n\
         Stages, one image on one thread. calc: time of the MFLOP at the machine's peak.\n\
         move: time to move the KiB of 16 images at the bandwidth of the cache that fits\n\
         them, an image. share: the longer of both, as a share of µs. Minimal filtering\n\
         and skipped zeros save operations, so that it can exceed 100 %."
    )
}

/// A size in the largest unit that leaves at least one.
fn size(bytes: usize) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mebibytes => format!("{mebibytes} MiB"),
    }
}

/// The columns behind a row's name: µs, MFLOP, KiB, level, both bounds, share.
type Cells = [String; 7];

/// A row a stage and direction, what else there is of a step, and the whole.
pub(super) fn table(roofline: &Roofline) -> String {
    let mut rows = vec![(
        "stage".to_owned(),
        ["µs", "MFLOP", "KiB", "fits", "calc µs", "move µs", "share"].map(str::to_owned),
    )];
    rows.extend(roofline.stages.iter().map(|stage| {
        let cells = [
            format!("{:.2}", stage.microseconds_per_image),
            operations(stage.flops_per_image),
            kibibytes(stage.bytes_per_group),
            stage.memory_level.clone().unwrap_or(MISSING.to_owned()),
            format!("{:.2}", stage.arithmetic_bound_microseconds_per_image),
            stage
                .bandwidth_bound_microseconds_per_image
                .map_or(MISSING.to_owned(), |time| format!("{time:.2}")),
            percent(stage.share_of_bound),
        ];
        (format!("{} {}", stage.stage, stage.direction.name()), cells)
    }));
    let mut other: Cells = Default::default();
    other[0] = format!("{:.2}", roofline.other_microseconds_per_image);
    rows.push(("other".to_owned(), other));
    let total = &roofline.total;
    let mut whole: Cells = Default::default();
    whole[0] = format!("{:.2}", total.microseconds_per_image);
    whole[1] = operations(total.flops_per_image);
    whole[2] = kibibytes(total.bytes_per_group);
    whole[6] = percent(total.share_of_bound);
    rows.push(("total".to_owned(), whole));
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let row = |(name, cells): &(String, Cells)| {
        let [time, flops, bytes, level, arithmetic, bandwidth, share] = cells;
        let line = format!(
            "  {name:<width$}{time:>9}{flops:>8}{bytes:>8}  {level:<6}{arithmetic:>8}{bandwidth:>8}{share:>6}"
        );
        line.trim_end().to_owned()
    };
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

fn operations(flops: u64) -> String {
    format!("{:.3}", flops as f64 / 1e6)
}

fn kibibytes(bytes: f64) -> String {
    format!("{:.1}", bytes / 1024.0)
}

fn percent(share: Option<f64>) -> String {
    share.map_or(MISSING.to_owned(), |share| format!("{:.0} %", 100.0 * share))
}
