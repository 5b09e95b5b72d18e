//! Writes the four original MNIST files to a folder, gzipped as they are published: `cargo run --release -p mnist-study-embedded --example
//! unpack FOLDER`. The static site fetches them.

use flate2::{Compression, GzBuilder};
use std::{env, error::Error, fs, io::Write, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).ok_or("the folder to write to is missing")?;
    fs::create_dir_all(&folder)?;
    let embedded::Files { training_images, training_labels, test_images, test_labels } = embedded::files()?;
    for (file, bytes) in [
        (&embedded::TRAINING_IMAGES, training_images),
        (&embedded::TRAINING_LABELS, training_labels),
        (&embedded::TEST_IMAGES, test_images),
        (&embedded::TEST_LABELS, test_labels),
    ] {
        // Without a time of day: the same data gives the same bytes.
        let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
        packed.write_all(&bytes)?;
        fs::write(Path::new(&folder).join(format!("{}.gz", file.name)), packed.finish()?)?;
    }
    Ok(())
}
