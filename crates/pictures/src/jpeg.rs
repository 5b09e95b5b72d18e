//! What a JPEG file says beside what its decoder tells (ITU-T T.81, annex B).

const END_OF_IMAGE: u8 = 0xd9;

/// Whether a JPEG file goes on to the marker of its end: its decoder fills what is missing with grey.
pub fn is_whole_jpeg(bytes: &[u8]) -> bool {
    segments(bytes).any(|(marker, _)| marker == END_OF_IMAGE)
}

/// Values of a pixel: 1 for grey, 3 for colour, 4 for the colours of print (CMYK, or YCCK).
pub(crate) fn components(bytes: &[u8]) -> Option<u8> {
    let is_frame = |marker: u8| matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
    let (_, frame) = segments(bytes).find(|(marker, _)| is_frame(*marker))?;
    frame.get(7).copied()
}

/// Markers, each with its segment, the segment's length included; none more where the file breaks off.
///
/// Segments are stepped over by their lengths, so that a preview inside one is not taken for the picture; in coded data
/// a byte of 0xff that is data is followed by 0.
fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        // To the next marker: 0xff, any number of times, then a byte that is neither that nor the 0 of coded data.
        let place = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
        let marker = rest[place + 1];
        rest = &rest[place + 2..];
        let length = match marker {
            // Restarts, the start and the end of the image, and one of no use have no length.
            0x01 | 0xd0..=0xd9 => 0,
            // A scan's head is a segment as well; the search for the next marker steps over its coded data.
            _ => usize::from(u16::from_be_bytes(*rest.first_chunk()?)),
        };
        let (segment, after) = rest.split_at_checked(length)?;
        rest = after;
        Some((marker, segment))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_that_of_the_picture() {
        let head = b"\xff\xd8\xff\xe1\x00\x06\xff\xd9..";
        let scan = b"\xff\xda\x00\x02abc\xff\x00\xd9\xff\xd0def";
        let whole = [&head[..], scan, b"\xff\xff\xd9"].concat();
        assert!(is_whole_jpeg(&whole));
        assert!(is_whole_jpeg(&[&whole[..], b"a camera's own data"].concat()));
        for length in 0..whole.len() {
            assert!(!is_whole_jpeg(&whole[..length]), "{length}");
        }
    }

    #[test]
    fn components_are_those_of_the_picture() {
        // A preview of one component in a segment, a table whose marker is among those of frames, then a frame of four.
        let preview = b"\xff\xd8\xff\xe1\x00\x0c\xff\xc0\x00\x08\x08\x00\x01\x00\x01\x01";
        let file = [&preview[..], b"\xff\xc4\x00\x03.", b"\xff\xc2\x00\x08\x08\x00\x06\x00\x08\x04"].concat();
        assert_eq!(components(&file), Some(4));
        assert_eq!(components(&preview[..]), None);
    }
}
