//! Bytes from files and compressed data, never more than the bytes that are there.

use crate::Error;
use std::io::{self, Read};

/// Memory begins with this much and doubles as bytes come.
const FIRST_BYTES: usize = 1 << 20;

/// Exactly `expected` bytes. Memory grows with what has come, so that a number in a head allocates nothing.
///
/// Fewer bytes are an error of kind [`io::ErrorKind::UnexpectedEof`] that states how many there were.
pub(crate) fn read_exactly(reader: &mut impl Read, expected: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    while bytes.len() < expected {
        let have = bytes.len();
        let step = (expected - have).min(have.max(FIRST_BYTES));
        bytes.try_reserve_exact(step).map_err(|_| ReadError::Memory)?;
        let read = reader.by_ref().take(step as u64).read_to_end(&mut bytes).map_err(ReadError::Io)?;
        if read < step {
            return Err(ReadError::Ended(bytes.len() as u64));
        }
    }
    Ok(bytes)
}

/// Why bytes could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The data ended after so many bytes.
    Ended(u64),
    /// There is no memory for them.
    Memory,
    /// The system or the decoder refused.
    Io(io::Error),
}

impl ReadError {
    /// The error of the file `file` in a format that promised `expected` bytes.
    pub(crate) fn of(self, file: &str, format: &'static str, expected: u64) -> Error {
        match self {
            Self::Ended(found) => Error::Length { file: file.to_owned(), expected, found: Some(found) },
            Self::Memory => Error::Unreadable {
                file: file.to_owned(),
                reason: format!("no memory for {} bytes", crate::words::thousands(expected)),
            },
            Self::Io(error) => Error::Damaged { file: file.to_owned(), format, reason: error.to_string() },
        }
    }
}

/// Whether more bytes come.
pub(crate) fn goes_on(reader: &mut impl Read) -> io::Result<bool> {
    let mut byte = [0];
    loop {
        match reader.read(&mut byte) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return Ok(read? > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_that_of_the_bytes_that_came() {
        let bytes = vec![7; 3 << 20];
        assert_eq!(read_exactly(&mut &bytes[..], bytes.len()).expect("all of them"), bytes);
        let measured = allocation_counter::measure(|| {
            let result = read_exactly(&mut &bytes[..], usize::MAX / 2);
            assert!(matches!(result, Err(ReadError::Ended(found)) if found == bytes.len() as u64));
        });
        assert!(measured.bytes_max < 4 * bytes.len() as u64, "{measured:?}");
    }
}
