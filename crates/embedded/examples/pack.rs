//! Packs the four raw MNIST files of a folder into `files/`: `cargo run --release -p embedded --example pack FOLDER`.
//! `src/lib.rs` states the length of each file it makes.
#![allow(clippy::print_stdout)]

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).ok_or("the folder with the four raw files is missing")?;
    let files = [
        &embedded::TRAINING_IMAGES,
        &embedded::TRAINING_LABELS,
        &embedded::TEST_IMAGES,
        &embedded::TEST_LABELS,
    ];
    for file in files {
        let parts = embedded::pack(file, &fs::read(Path::new(&folder).join(file.name))?);
        for (index, part) in parts.iter().enumerate() {
            let number = if parts.len() > 1 { format!(".{index}") } else { String::new() };
            let name = format!("{}{number}.packed", file.name);
            fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("files").join(&name), part)?;
            println!("{name}: {} bytes", part.len());
        }
    }
    Ok(())
}
