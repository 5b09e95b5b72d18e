//! IDX files, plain and compressed, of images and of labels, and sets that are made of them: what is odd about one is said.
#![no_main]

use data::{Corpus, Dataset, idx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for bytes in [bytes.to_vec(), idx::compress(bytes)] {
        if let Ok(images) = idx::read_images("images", bytes.clone()) {
            let written = idx::write_images(&images.pixels, images.count, images.shape);
            assert_eq!(
                idx::read_images("again", written).expect("what was written is read").pixels,
                images.pixels
            );
            examine(images);
        }
        let _ = idx::read_labels("labels", bytes.clone());
        let _ = idx::read_label_rows("labels", bytes);
    }
});

/// The first pixel of an image is its label, the second half of the images the test set.
fn examine(images: idx::Images) {
    let (pixels, half) = (images.shape.length(), images.count / 2);
    let labels: Vec<u8> = images.pixels.chunks_exact(pixels).map(|image| image[0]).collect();
    let set = |name: &str, from: usize, to: usize| {
        let part = images.pixels[from * pixels..to * pixels].to_vec();
        Dataset::new(name, part, labels[from..to].to_vec(), images.shape, 256)
    };
    if let (Ok(training), Ok(test)) = (set("training", 0, half), set("test", half, images.count)) {
        if let Ok(corpus) = Corpus::new("set", training, test) {
            assert!(corpus.remarks().len() < 20);
        }
    }
}
