//! How the images of a file or folder are to be read, as it stands behind the path in a data set's name.

use std::fmt;

use containers::Layout;

use crate::MAXIMUM_SIDE;

/// The share of the images that become the test part where the data has none.
pub const TEST_FRACTION: f64 = 0.2;

/// The seed by which they are drawn where none is stated.
pub const TEST_SEED: u64 = 0;

/// What is to be made of the images of a file or folder on the way in. All of it is in the data set's name, so that a study
/// file, a record and a report mean the same data: `flowers:grey:resize=32x32:test=0.3`.
///
/// ```
/// let reading = data::Reading::parse("grey:resize=28x32:test=0.3@7").expect("known words");
/// assert_eq!((reading.grey, reading.resize), (true, Some([28, 32])));
/// assert_eq!(reading.to_string(), ":grey:resize=28x32:test=0.3@7");
/// assert_eq!(data::Reading::parse("gray"), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// `transposed`: rows and columns of every image are exchanged, as EMNIST's published files need it.
    pub transposed: bool,
    /// `grey`: colour becomes grey.
    pub grey: bool,
    /// `resize=HxW`: every image is scaled to so many rows and columns.
    pub resize: Option<[usize; 2]>,
    /// `size=HxW`: rows and columns of an image whose pixels are one list, as in a CSV file.
    pub size: Option<[usize; 2]>,
    /// `channels-first`, `channels-last`: which axis of an array holds the channels, where its shape does not tell.
    pub layout: Option<Layout>,
    /// `test=FRACTION` or `test=FRACTION@SEED`: the share of the images that is set apart as the test part, where the data has
    /// none, and the seed that they are drawn by.
    pub test: Option<TestShare>,
    /// `groups=FILE.csv` or `groups=PATTERN`, which comes last: which images belong together, so that none of a group is on
    /// both sides of a split.
    pub groups: Option<Groups>,
}

/// How many images are set apart to test on, and which.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestShare {
    /// Above 0 and below 1.
    pub fraction: f64,
    /// What they are drawn by.
    pub seed: u64,
}

impl Default for TestShare {
    fn default() -> Self {
        Self { fraction: TEST_FRACTION, seed: TEST_SEED }
    }
}

/// What says which images belong together: those of one patient, one writer, one camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// A CSV file of two columns: an image's path within the folder, or its number from 0, and its group.
    File(String),
    /// A regular expression for an image's path within the folder: what its first bracket holds, or all that it matches, is
    /// the group.
    Pattern(String),
}

impl Reading {
    /// Reads what stands behind a path, without the first colon; none where a word is not known.
    pub fn parse(text: &str) -> Option<Self> {
        let mut reading = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(groups) = rest.strip_prefix("groups=") {
                reading.groups = Some(Groups::parse(groups)?);
                break;
            }
            let (word, behind) = rest.split_once(':').unwrap_or((rest, ""));
            reading.add(word)?;
            rest = behind;
        }
        (!text.is_empty()).then_some(reading)
    }

    /// The part of it that images are read by.
    pub(crate) fn of_images(&self) -> containers::Reading {
        let Self { grey, resize, size, layout, .. } = *self;
        containers::Reading { grey, resize, size, layout }
    }

    fn add(&mut self, word: &str) -> Option<()> {
        match word.split_once('=').unwrap_or((word, "")) {
            ("transposed", "") => self.transposed = true,
            ("grey", "") => self.grey = true,
            ("channels-first", "") => self.layout = Some(Layout::ChannelsFirst),
            ("channels-last", "") => self.layout = Some(Layout::ChannelsLast),
            ("resize", size) => self.resize = Some(parse_size(size)?),
            ("size", size) => self.size = Some(parse_size(size)?),
            ("test", share) => self.test = Some(TestShare::parse(share)?),
            _ => return None,
        }
        Some(())
    }

    /// The path and the reading of a data set's name; the reading is empty where nothing known stands behind a path.
    pub fn split(name: &str) -> (&str, Self) {
        let colons = name.match_indices(':').map(|(index, _)| index);
        let found = colons.filter(|index| *index > 0).find_map(|index| {
            let reading = Self::parse(&name[index + 1..])?;
            Some((&name[..index], reading))
        });
        found.unwrap_or((name, Self::default()))
    }
}

impl fmt::Display for Reading {
    /// As [`Reading::parse`] reads it, with a colon before each word; nothing where all is as it is.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transposed, grey, resize, size, layout, test, groups } = self;
        for (word, asked) in [("transposed", transposed), ("grey", grey)] {
            if *asked {
                write!(formatter, ":{word}")?;
            }
        }
        for (word, size) in [("resize", resize), ("size", size)] {
            if let Some([height, width]) = size {
                write!(formatter, ":{word}={height}x{width}")?;
            }
        }
        match layout {
            Some(Layout::ChannelsFirst) => formatter.write_str(":channels-first")?,
            Some(Layout::ChannelsLast) => formatter.write_str(":channels-last")?,
            None => {}
        }
        if let Some(TestShare { fraction, seed }) = test {
            write!(formatter, ":test={fraction}")?;
            if *seed != TEST_SEED {
                write!(formatter, "@{seed}")?;
            }
        }
        match groups {
            Some(Groups::File(text) | Groups::Pattern(text)) => write!(formatter, ":groups={text}"),
            None => Ok(()),
        }
    }
}

impl TestShare {
    /// Reads `0.3` or `0.3@7`; none unless the fraction is above 0 and below 1.
    pub fn parse(text: &str) -> Option<Self> {
        let (fraction, seed) = match text.split_once('@') {
            Some((fraction, seed)) => (fraction, seed.parse().ok()?),
            None => (text, TEST_SEED),
        };
        let fraction: f64 = fraction.parse().ok()?;
        (fraction > 0.0 && fraction < 1.0).then_some(Self { fraction, seed })
    }
}

impl Groups {
    /// Reads a file's name that ends in `.csv`, or else a pattern; none of an empty text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" => None,
            _ if text.to_ascii_lowercase().ends_with(".csv") => Some(Self::File(text.to_owned())),
            _ => Some(Self::Pattern(text.to_owned())),
        }
    }
}

/// Reads `28x32` or `28`, rows and columns of 1 to [`MAXIMUM_SIDE`].
pub fn parse_size(text: &str) -> Option<[usize; 2]> {
    let (height, width) = text.split_once(['x', '×']).unwrap_or((text, text));
    let side = |text: &str| text.parse().ok().filter(|side| (1..=MAXIMUM_SIDE).contains(side));
    Some([side(height)?, side(width)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_written_as_it_is_read() {
        for text in [
            ":transposed",
            ":grey:resize=28x32",
            ":size=8x8:channels-first",
            ":channels-last:test=0.25",
            ":test=0.1@12:groups=people.csv",
            ":grey:groups=patient-(\\d+):x",
        ] {
            let reading = Reading::parse(&text[1..]).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(reading.to_string(), text);
        }
        for text in
            ["", "gray", "resize", "resize=0x3", "resize=300x3", "test=0", "test=1", "test=x", "groups="]
        {
            assert_eq!(Reading::parse(text), None, "{text}");
        }
        assert_eq!(Reading::parse("resize=28").and_then(|reading| reading.resize), Some([28, 28]));
    }

    #[test]
    fn only_known_words_are_taken_from_a_path() {
        let split = |name: &'static str| {
            let (path, reading) = Reading::split(name);
            (path, reading.to_string())
        };
        assert_eq!(split("flowers"), ("flowers", String::new()));
        assert_eq!(split("flowers:grey:resize=8x8"), ("flowers", ":grey:resize=8x8".to_owned()));
        assert_eq!(split("C:\\flowers"), ("C:\\flowers", String::new()));
        assert_eq!(split("C:\\flowers:grey"), ("C:\\flowers", ":grey".to_owned()));
        assert_eq!(split("a:b:grey"), ("a:b", ":grey".to_owned()));
        assert_eq!(split(":grey"), (":grey", String::new()));
        assert_eq!(split("a:groups=(x:grey)"), ("a", ":groups=(x:grey)".to_owned()));
    }
}
