//! Whether a JPEG file is whole: its decoder fills what is missing with grey.

/// Whether a JPEG file goes on to the marker of its end (ITU-T T.81, annex B).
///
/// Segments are stepped over by their lengths, so that a preview inside one is not taken for the picture; in coded data
/// a byte of 0xff that is data is followed by 0.
pub fn is_whole_jpeg(bytes: &[u8]) -> bool {
    const END_OF_IMAGE: u8 = 0xd9;
    let mut rest = bytes;
    loop {
        // To the next marker: 0xff, any number of times, then a byte that is neither that nor the 0 of coded data.
        let Some(place) = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))
        else {
            return false;
        };
        let marker = rest[place + 1];
        rest = &rest[place + 2..];
        match marker {
            END_OF_IMAGE => return true,
            // Restarts, the start of the image, and one of no use have no length.
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                let Some(length) = rest.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)))
                else {
                    return false;
                };
                let Some(after) = rest.get(length..) else { return false };
                // A scan's head is a segment as well; the search for the next marker steps over its coded data.
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_whole_jpeg;

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
}
