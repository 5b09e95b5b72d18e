//! Measures what start-up pays for the embedded data: `cargo run --release -p embedded --example measure`.
//! One line a repetition; the first one includes everything that a fresh process pays.
#![allow(clippy::print_stdout)]

use std::time::Instant;

fn main() -> Result<(), embedded::CorruptError> {
    for repetition in 1..=5 {
        let start = Instant::now();
        let files = embedded::files()?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let bytes = files.training_images.len()
            + files.training_labels.len()
            + files.test_images.len()
            + files.test_labels.len();
        println!("{repetition}: {bytes} bytes unpacked and verified in {milliseconds:.1} ms");
    }
    Ok(())
}
