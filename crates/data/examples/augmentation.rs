//! What augmentation costs on one thread: `cargo run --release -p mnist-study-data --example augmentation`.

#![expect(clippy::print_stdout, reason = "an example prints")]

use data::{Augmentation, Augmenter, Dataset};
use rand_chacha::rand_core::Rng;
use std::{hint::black_box, time::Instant};

/// Images of a batch, and batches of an epoch: the batches are all different, as in a training.
const BATCH: usize = 128;
const BATCHES: usize = 12;
/// The quickest of so many epochs is told: the others waited for something else.
const EPOCHS: usize = 101;
/// As many colour images as CIFAR-10 has.
const COLOUR_IMAGES: usize = 50_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let none = Augmentation::default();
    let affine = Augmentation { shift: 2.0, rotation: 10.0, scale: 0.1, shear: 10.0, ..none };
    let all = Augmentation { elastic: 34.0, erasing: 0.5, mixup: 0.2, cutmix: 1.0, ..affine };
    let corpus = data::load(&data::Source::Mnist)?;
    println!("MNIST");
    measure(
        corpus.training(),
        &[
            ("none", none),
            ("shift", Augmentation { shift: 2.0, ..none }),
            ("rotation", Augmentation { rotation: 10.0, ..none }),
            ("scale", Augmentation { scale: 0.1, ..none }),
            ("shear", Augmentation { shear: 10.0, ..none }),
            ("these four", affine),
            ("elastic", Augmentation { elastic: 34.0, ..none }),
            ("all five", Augmentation { elastic: 34.0, ..affine }),
            ("erasing", Augmentation { erasing: 0.5, ..none }),
            ("mixup", Augmentation { mixup: 0.2, ..none }),
            ("cutmix", Augmentation { cutmix: 1.0, ..none }),
            ("affine, mixup", Augmentation { mixup: 0.2, ..affine }),
            ("all", all),
        ],
    )?;
    let placed = |others| Augmentation { crop: 4, flip: 0.5, ..others };
    let coloured =
        |others| Augmentation { brightness: 0.4, contrast: 0.4, saturation: 0.4, grey: 0.2, ..others };
    // Lit everywhere, as photographs are.
    let mut images = vec![0; COLOUR_IMAGES * 32 * 32 * 3];
    data::generator(1, 0).fill_bytes(&mut images);
    let labels = (0..COLOUR_IMAGES).map(|image| (image % 10) as u8).collect();
    println!("32×32×3");
    measure(
        &Dataset::new("noise", images, labels, [32, 32, 3], 10)?,
        &[
            ("none", none),
            ("crop", Augmentation { crop: 4, ..none }),
            ("crop, flip", placed(none)),
            ("brightness", Augmentation { brightness: 0.4, ..none }),
            ("contrast", Augmentation { contrast: 0.4, ..none }),
            ("saturation", Augmentation { saturation: 0.4, ..none }),
            ("and grey", coloured(none)),
            ("all of these", coloured(placed(none))),
            ("affine", affine),
            ("elastic", Augmentation { elastic: 34.0, ..none }),
            ("mixup", Augmentation { mixup: 0.2, ..none }),
            ("all", coloured(placed(all))),
        ],
    )
}

fn measure(training: &Dataset, rows: &[(&str, Augmentation)]) -> Result<(), Box<dyn std::error::Error>> {
    let mut order: Vec<u32> = (0..training.len() as u32).collect();
    data::shuffle(&mut order, &mut data::generator(1, 0));
    let mut pixels = vec![0.0; training.image_length()];
    for (name, augmentation) in rows {
        let augmenter = Augmenter::new(augmentation, training, 1)?;
        let mut nanoseconds: Vec<f64> = (1..=EPOCHS)
            .map(|epoch| {
                let start = Instant::now();
                for batch in order.chunks_exact(BATCH).take(BATCHES) {
                    for position in 0..BATCH {
                        black_box(augmenter.draw(epoch, batch, position, &mut pixels));
                        black_box(&mut pixels);
                    }
                }
                start.elapsed().as_nanos() as f64 / (BATCH * BATCHES) as f64
            })
            .collect();
        nanoseconds.sort_by(f64::total_cmp);
        println!("{name:<14}{:>7.0} ns an image", nanoseconds[0]);
    }
    Ok(())
}
