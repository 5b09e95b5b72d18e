//! Files to write, which must not be what the command reads.

use crate::command::failure::Failure;
use std::{
    fs,
    path::{Path, PathBuf, absolute},
};

/// Refuses to write over an input, over a file in a folder that is one, or two results to one file. Each path stands beside
/// what it is called in the message: an option's name for a target.
///
/// # Errors
/// When a target is a file that is an input's or an earlier target's.
pub(crate) fn check(inputs: &[(&str, &Path)], targets: &[(&str, &Path)]) -> Result<(), Failure> {
    for (index, &(option, target)) in targets.iter().enumerate() {
        // A device takes what it is given.
        if fs::metadata(target).is_ok_and(|there| !there.is_file()) {
            continue;
        }
        let taken = inputs.iter().chain(&targets[..index]).find(|(_, path)| is_of(target, path));
        if let Some((other, path)) = taken {
            return Err(Failure::usage(
                format!(
                    "{option} {}: a file of its own expected, that of {other} ({}) found",
                    target.display(),
                    path.display()
                ),
                format!("pass another file with {option}"),
            ));
        }
    }
    Ok(())
}

/// Whether a target is a path's file, or one in its folder that is there.
fn is_of(target: &Path, path: &Path) -> bool {
    let target_place = place(target);
    match path.is_dir() {
        true => target.is_file() && target_place.parent() == Some(&place(path)),
        false => target_place == place(path),
    }
}

/// Where a path leads, whether or not there is a file.
fn place(path: &Path) -> PathBuf {
    let in_its_folder = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
    };
    fs::canonicalize(path).ok().or_else(in_its_folder).or_else(|| absolute(path).ok()).unwrap_or_default()
}
