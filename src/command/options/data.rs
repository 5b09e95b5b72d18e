//! Which data, and how it is read.

use clap::{Args, ValueEnum, ValueHint};
use data::{Groups, Layout, Reading, TestShare, parse_size};

/// Which data: MNIST unless said otherwise.
#[derive(Debug, Clone, Args)]
pub(crate) struct DatasetArguments {
    /// Data set: a name that `mnist-study datasets` lists, or a file or folder of images
    #[arg(long, value_name = "NAME|PATH", default_value = "mnist", value_hint = ValueHint::AnyPath)]
    dataset: String,
    #[command(flatten)]
    reading: ReadingArguments,
}

impl DatasetArguments {
    /// The data set's name, with how it is read.
    pub(crate) fn name(&self) -> String {
        self.reading.of(&self.dataset)
    }
}

/// How the images of a file or folder are read: as it stands behind the path in a data set's name.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReadingArguments {
    /// Exchange rows and columns of every image of a folder of IDX files, as EMNIST's published files need it
    #[arg(long, requires = "dataset")]
    transpose: bool,
    /// Make colour images grey
    #[arg(long, requires = "dataset")]
    grey: bool,
    /// Scale every image to so many rows and columns
    #[arg(long, value_name = "HxW", value_parser = size, requires = "dataset")]
    resize: Option<[usize; 2]>,
    /// Rows and columns of images that stand in a list, as in a CSV file, where they are not square
    #[arg(long, value_name = "HxW", value_parser = size, requires = "dataset")]
    size: Option<[usize; 2]>,
    /// Which axis of an array of images holds the channels, where its shape does not tell
    #[arg(long, value_enum, value_name = "AXIS", requires = "dataset")]
    channels: Option<LayoutName>,
    /// Share of the images to set apart for testing where the data has no test part, and the seed that draws them
    /// [default: 0.2@0]
    #[arg(long, value_name = "X[@SEED]", value_parser = test_share, requires = "dataset")]
    test_fraction: Option<TestShare>,
    /// Images that belong together and are never on both sides of a split: a CSV file of image and group, or a pattern for
    /// the paths of image files such as "patient-(\d+)"
    #[arg(long, value_name = "FILE|PATTERN", value_parser = groups, requires = "dataset")]
    groups: Option<Groups>,
}

/// Which axis of an array holds the channels.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum LayoutName {
    First,
    Last,
}

impl ReadingArguments {
    /// The name of a data set that is read so.
    pub(crate) fn of(&self, dataset: &str) -> String {
        let (path, mut reading) = Reading::split(dataset);
        let Self { transpose, grey, resize, size, channels, test_fraction, groups } = self;
        reading.transposed |= transpose;
        reading.grey |= grey;
        reading.resize = resize.or(reading.resize);
        reading.size = size.or(reading.size);
        reading.layout = channels.map(Layout::from).or(reading.layout);
        reading.test = test_fraction.or(reading.test);
        reading.groups = groups.clone().or(reading.groups);
        format!("{path}{reading}")
    }
}

impl From<LayoutName> for Layout {
    fn from(name: LayoutName) -> Self {
        match name {
            LayoutName::First => Layout::ChannelsFirst,
            LayoutName::Last => Layout::ChannelsLast,
        }
    }
}

fn size(text: &str) -> Result<[usize; 2], String> {
    parse_size(text)
        .ok_or_else(|| format!("rows and columns of 1 to {} are expected, such as 32x32", data::MAXIMUM_SIDE))
}

fn test_share(text: &str) -> Result<TestShare, String> {
    TestShare::parse(text).ok_or_else(|| {
        "a fraction above 0 and below 1 is expected, such as 0.2, or 0.2@7 with a seed".to_owned()
    })
}

fn groups(text: &str) -> Result<Groups, String> {
    Groups::parse(text).ok_or_else(|| "the name of a CSV file or a pattern is expected".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_words_behind_a_path_come_together() {
        let grey = ReadingArguments { grey: true, resize: Some([8, 9]), ..ReadingArguments::default() };
        assert_eq!(grey.of("photos"), "photos:grey:resize=8x9");
        assert_eq!(grey.of("photos:resize=4x4:test=0.5"), "photos:grey:resize=8x9:test=0.5");
        assert_eq!(ReadingArguments::default().of("photos:transposed"), "photos:transposed");
    }
}
