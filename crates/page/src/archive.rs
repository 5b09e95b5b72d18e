//! A results folder as one file.

use std::io::{self, Cursor, Write};
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// A title as a folder may be called.
pub fn folder_name(title: &str) -> String {
    let plain = |one: char| if one.is_alphanumeric() { one } else { '-' };
    let name: String = title.chars().map(plain).take(60).collect();
    let words: Vec<&str> = name.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "study".to_owned() } else { words.join("-") }
}

/// Files by their names within a folder.
pub(crate) fn zip(folder: &str, files: &[(String, String)]) -> io::Result<Vec<u8>> {
    let other = |error: ZipError| io::Error::other(error);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // The same files give the same bytes: no time stands in it.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    for (name, text) in files {
        archive.start_file(format!("{folder}/{name}"), options).map_err(other)?;
        archive.write_all(text.as_bytes())?;
    }
    Ok(archive.finish().map_err(other)?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_a_plain_name() {
        for (title, expected) in [
            ("Results", "Results"),
            ("99 % with 20,000 parameters", "99-with-20-000-parameters"),
            ("../../etc/passwd", "etc-passwd"),
            ("..", "study"),
            ("Größe?", "Größe"),
            ("", "study"),
        ] {
            assert_eq!(folder_name(title), expected);
        }
    }
}
