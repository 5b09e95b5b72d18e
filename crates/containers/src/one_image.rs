//! An image file as an image of a shape that is asked for.

use crate::{
    Error, Images,
    finish::{LUMA, check_size},
    image_file,
    words::thousands,
};

/// The image of a file, given as its bytes, with `channels` (1 or 3) a pixel, scaled to `height` × `width` where it is of another
/// size; and what was done to it, a sentence each. `name` is the file's in errors.
///
/// # Errors
/// [`Error::NotAnImage`], [`Error::DamagedImage`], [`Error::ImageSize`] for a size that is none of 1 to [`crate::MAXIMUM_SIDE`].
///
/// # Panics
/// Unless `channels` is 1 or 3.
pub fn read_image(
    name: &str,
    bytes: &[u8],
    [height, width, channels]: [usize; 3],
) -> Result<(Vec<u8>, Vec<String>), Error> {
    assert!(channels == 1 || channels == 3, "{channels} channels");
    check_size(name, height as u64, width as u64)?;
    if bytes.is_empty() {
        return Err(Error::EmptyFile { file: name.to_owned(), expected: "an image" });
    }
    let head = image_file::head(bytes, name)?;
    // Colour becomes grey by the same formula as that of a whole set.
    let stored = if head.has_colour { 3 } else { channels };
    let (pixels, had_opacity) = image_file::decode(bytes, &head, stored, name)?;
    let (found_height, found_width) = (head.height as usize, head.width as usize);
    let mut remarks = head.stored.remarks();
    if had_opacity {
        remarks.push("what shines through was laid on white".to_owned());
    }
    if head.is_deep {
        remarks.push("its values were rounded to eight bits".to_owned());
    }
    let mut image = Images { pixels, count: 1, height: found_height, width: found_width, channels: stored };
    if stored > channels {
        image.make_grey();
        remarks.push(format!("made {LUMA}"));
    }
    if [found_height, found_width] != [height, width] {
        remarks.push(format!(
            "resized from {}×{} to {height}×{width}",
            thousands(found_height as u64),
            thousands(found_width as u64)
        ));
        image.resize([height, width]);
    }
    Ok((image.pixels, remarks))
}
