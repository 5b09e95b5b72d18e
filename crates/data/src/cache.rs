//! Where downloaded data sets are kept.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::Error;

/// The environment variable that names the folder of the downloaded data sets.
pub const CACHE_VARIABLE: &str = "MNIST_STUDY_DATA";

/// The folder of the downloaded data sets, a folder a set; it need not be there.
///
/// The one that [`CACHE_VARIABLE`] names, or else `mnist-study` in the user's cache folder: `$XDG_CACHE_HOME` or
/// `~/.cache` by the XDG base directory specification, `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows.
///
/// # Errors
/// [`Error::NoCacheFolder`] when the environment says nothing of a user.
pub fn cache_folder() -> Result<PathBuf, Error> {
    cache_folder_by(|name| env::var_os(name)).ok_or(Error::NoCacheFolder)
}

fn cache_folder_by(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = path(CACHE_VARIABLE) {
        return Some(folder);
    }
    let user = if cfg!(windows) {
        path("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        path("HOME").map(|home| home.join("Library/Caches"))
    } else {
        // The specification has relative paths ignored.
        path("XDG_CACHE_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| path("HOME").map(|home| home.join(".cache")))
    };
    user.map(|folder| folder.join("mnist-study"))
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    fn folder(variables: &[(&str, &str)]) -> Option<String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        cache_folder_by(variable).map(|folder| folder.display().to_string())
    }

    #[test]
    fn the_environment_says_where() {
        let home = ("HOME", "/home/ada");
        for (variables, expected) in [
            (vec![], None),
            (vec![("HOME", "")], None),
            (vec![home], Some("/home/ada/.cache/mnist-study")),
            (vec![home, ("XDG_CACHE_HOME", "/fast")], Some("/fast/mnist-study")),
            (vec![home, ("XDG_CACHE_HOME", "relative")], Some("/home/ada/.cache/mnist-study")),
            (vec![home, (CACHE_VARIABLE, "données")], Some("données")),
            (vec![(CACHE_VARIABLE, "/data")], Some("/data")),
            (vec![home, (CACHE_VARIABLE, "")], Some("/home/ada/.cache/mnist-study")),
        ] {
            assert_eq!(folder(&variables).as_deref(), expected, "{variables:?}");
        }
    }
}
