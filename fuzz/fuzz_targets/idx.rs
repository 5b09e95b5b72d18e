//! IDX files, plain and compressed, of images and of labels.
#![no_main]

use data::idx;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for bytes in [bytes.to_vec(), idx::compress(bytes)] {
        if let Ok(images) = idx::read_images("images", bytes.clone()) {
            let written = idx::write_images(&images.pixels, images.count, images.height, images.width);
            assert_eq!(idx::read_images("again", written).expect("what was written is read").pixels, images.pixels);
        }
        let _ = idx::read_labels("labels", bytes.clone());
        let _ = idx::read_label_rows("labels", bytes);
    }
});
