//! Which data.

use clap::Args;

/// How the images of a folder lie.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct OrientationArguments {
    /// Exchange rows and columns of every image of the folder, as EMNIST's published files need it
    #[arg(long, requires = "dataset")]
    transpose: bool,
}

impl OrientationArguments {
    /// The name of a data set whose images lie so.
    pub(crate) fn of(self, dataset: &str) -> String {
        if self.transpose { data::transposed_name(dataset) } else { dataset.to_owned() }
    }
}
