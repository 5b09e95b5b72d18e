//! How many images a file holds: an animation's frames, a document's pages.

use image::ImageFormat;
use std::collections::HashSet;

/// Images in a file, as far as its structure is whole; decoders read the first.
pub(crate) fn frames(bytes: &[u8], format: ImageFormat) -> usize {
    let found = match format {
        ImageFormat::Png => png(bytes),
        ImageFormat::Gif => gif(bytes),
        ImageFormat::WebP => webp(bytes),
        ImageFormat::Tiff => tiff(bytes),
        _ => None,
    };
    found.unwrap_or(1).max(1)
}

/// By the control chunk of an animation (PNG, third edition, 11.3.6). An image that no frame's control chunk stands before is
/// none of the frames.
fn png(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes.get(8..)?;
    let (mut frames, mut is_frame) = (None, false);
    loop {
        let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        match rest.get(4..8)? {
            b"IDAT" => return Some(frames? + usize::from(!is_frame)),
            b"acTL" => frames = Some(u32::from_be_bytes(*rest.get(8..)?.first_chunk()?) as usize),
            b"fcTL" => is_frame = true,
            _ => {}
        }
        rest = rest.get(length.checked_add(12)?..)?;
    }
}

/// Image descriptors (GIF89a, 20); a file that breaks off has as many as begin in it.
fn gif(bytes: &[u8]) -> Option<usize> {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut rest = bytes.get(13 + table(*bytes.get(10)?)..)?;
    let mut frames = 0;
    while let Some((kind, after)) = rest.split_first() {
        // Behind what comes first, both have blocks that begin with their lengths; an empty one ends them.
        let first = match kind {
            0x2c => {
                frames += 1;
                let Some(flags) = after.get(8) else { break };
                9 + table(*flags) + 1
            }
            0x21 => 1,
            _ => break,
        };
        let Some(mut blocks) = after.get(first..) else { break };
        while let Some((length @ 1.., after)) = blocks.split_first().map(|(length, after)| (*length, after)) {
            blocks = after.get(usize::from(length)..).unwrap_or_default();
        }
        rest = blocks.get(1..).unwrap_or_default();
    }
    Some(frames)
}

/// Frames of an animation (RFC 9649, 2.7.1.1).
fn webp(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes.get(12..)?;
    let mut frames = 0;
    while let Some(head) = rest.first_chunk::<8>() {
        let [a, b, c, d] = [head[4], head[5], head[6], head[7]];
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        frames += usize::from(head.starts_with(b"ANMF"));
        rest = rest.get(length.checked_add(8 + length % 2)?..).unwrap_or_default();
    }
    Some(frames)
}

/// Directories (TIFF 6.0, section 2), but for those of smaller copies and masks.
fn tiff(bytes: &[u8]) -> Option<usize> {
    const ENTRY: usize = 12;
    const NEW_SUBFILE_TYPE: usize = 254;
    let is_little = bytes.starts_with(b"II");
    let number = |place: usize, length: usize| -> Option<usize> {
        let digits = bytes.get(place..place.checked_add(length)?)?.iter();
        let join = |number: usize, digit: &u8| number << 8 | usize::from(*digit);
        Some(if is_little { digits.rev().fold(0, join) } else { digits.fold(0, join) })
    };
    let (mut place, mut pages, mut seen) = (number(4, 4)?, 0, HashSet::new());
    while place > 0 && seen.insert(place) {
        let Some(entries) = number(place, 2) else { break };
        let (first, end) = (place + 2, place + 2 + ENTRY * entries);
        let Some(next) = number(end, 4) else { break };
        let kind = (first..end).step_by(ENTRY).find(|entry| number(*entry, 2) == Some(NEW_SUBFILE_TYPE));
        let kind = kind.and_then(|entry| number(entry + 8, 4)).unwrap_or(0);
        pages += usize::from(kind & 0b101 == 0);
        place = next;
    }
    Some(pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    fn golden(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/pictures");
        fs::read(folder.join(name)).expect("a file")
    }

    #[test]
    fn images_are_counted_as_pillow_wrote_them() {
        for (name, format, count) in [
            ("1.gif", ImageFormat::Gif, 1),
            ("3.gif", ImageFormat::Gif, 3),
            ("1.webp", ImageFormat::WebP, 1),
            ("3.webp", ImageFormat::WebP, 3),
            ("4.png", ImageFormat::Png, 4),
            ("4-and-default.png", ImageFormat::Png, 4),
            ("wide.png", ImageFormat::Png, 1),
            ("1.tiff", ImageFormat::Tiff, 1),
            ("2.tiff", ImageFormat::Tiff, 2),
            ("cmyk.jpg", ImageFormat::Jpeg, 1),
        ] {
            let whole = golden(name);
            assert_eq!(frames(&whole, format), count, "{name}");
            // However a file breaks off, there is an end and no more than it has.
            assert!(
                (0..whole.len()).all(|length| (1..=count).contains(&frames(&whole[..length], format))),
                "{name}"
            );
        }
    }

    /// Directories without entries but the one that says what they are.
    #[test]
    fn smaller_copies_are_no_pages_and_a_circle_of_directories_ends() {
        let directory = |kind: u32, next: u32| {
            let entry = [&254_u16.to_be_bytes()[..], &[0, 4, 0, 0, 0, 1], &kind.to_be_bytes()].concat();
            [&[0, 1], &entry[..], &next.to_be_bytes()].concat()
        };
        // From byte 8 on, 18 bytes each: a page, its smaller copy, a mask, a page, and back to the first.
        let file = [
            &b"MM\0\x2a\0\0\0\x08"[..],
            &directory(2, 26),
            &directory(1, 44),
            &directory(4, 62),
            &directory(0, 8),
        ];
        assert_eq!(frames(&file.concat(), ImageFormat::Tiff), 2);
    }
}
