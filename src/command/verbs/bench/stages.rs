//! `bench --stages`: the stages of a training step beside what bounds them, as a table of 80 columns.

use crate::command::output::wrapped;
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
    let read = "Stages forward (fwd) and backward (bwd), and sums of gradients over a batch (sum), one image on one thread. KiB: what 16 \
                images move. fits: the smallest cache that holds what a thread works on at a time: 16 images, or in sums and the update \
                its part of the parameters. calc: time of the MFLOP at the machine's float32 peak. move: time to move the KiB, an image. \
                share: the longer of both, as a share of µs. It can exceed 100 %: minimal filtering and skipped zeros save operations, \
                bf16 has a higher peak, and a smaller cache may still hold what the stage before has written.";
    format!("{}\n\n{}", wrapped(&memory, WIDTH), wrapped(read, WIDTH).replace("\n  ", "\n"))
}

/// Columns of a table.
const WIDTH: usize = 80;

/// A size in the largest unit that leaves at least one.
fn size(bytes: usize) -> String {
    let (value, unit) = match bytes >> 20 {
        0 => (bytes as f64 / 1024.0, "KiB"),
        _ => (bytes as f64 / 1_048_576.0, "MiB"),
    };
    let whole = format!("{value:.1}");
    format!("{} {unit}", whole.strip_suffix(".0").unwrap_or(&whole))
}

/// A name of at most so many characters; the last is an ellipsis where some are left out.
fn cut(name: &str, most: usize) -> String {
    match name.chars().count() > most {
        true => name.chars().take(most - 1).chain(['…']).collect(),
        false => name.to_owned(),
    }
}

/// Characters of a row's name that leave room for the columns.
const LONGEST: usize = 23;

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
        let direction = stage.direction.short();
        (format!("{} {direction}", cut(&stage.stage, LONGEST - 1 - direction.len())), cells)
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
            "  {name:<width$} {time:>8} {flops:>7} {bytes:>7}  {level:<6} {arithmetic:>7} {bandwidth:>7} {share:>5}"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_to_a_tenth() {
        let sizes = [512, 48 << 10, 1_310_720, 2 << 20, 28_835_840].map(size);
        assert_eq!(sizes, ["0.5 KiB", "48 KiB", "1.2 MiB", "2 MiB", "27.5 MiB"]);
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(cut("depthwise12.padding", 19), "depthwise12.padding");
        assert_eq!(cut("depthwise123.padding", 19), "depthwise123.paddi…");
    }
}
