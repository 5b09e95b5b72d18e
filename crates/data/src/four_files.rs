//! Which files of a folder are the four of a data set, by the names that programs and publishers give them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::paths::{PathKind, path_kind, recognise_file, text, unreadable};
use crate::recognise::{CIFAR_10, CSV, IMAGE_FILES, NUMPY, OTHER_IMAGES, ZIP};
use crate::{Beside, Error, Found};

/// The files of a folder: training images, training labels, test images, test labels.
pub const FILE_NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// No more entries of a folder and the folders below it are looked at. Enough for any data set of files of this kind; a folder
/// of a million images need not be listed to say that it is one.
const MOST_ENTRIES: usize = 10_000;

/// Folders below the folder that are looked into, to say what is there: torchvision keeps `MNIST/raw`.
const DEPTH: usize = 3;

/// Some names, in an error.
const EXAMPLES: usize = 4;

const WHAT: [&str; 4] = ["training images", "training labels", "test images", "test labels"];

/// What the ends of names say of files that are not read.
const KINDS: &[(&[&str], Found)] = &[
    (&["png", "jpg", "jpeg", "bmp", "gif", "tif", "tiff", "webp", "pgm", "ppm", "pnm", "qoi"], IMAGE_FILES),
    (
        &[
            "tga", "heic", "heif", "avif", "jxl", "jp2", "ico", "dds", "exr", "hdr", "psd", "svg", "pcx",
            "xcf", "dng", "cr2", "nef", "arw",
        ],
        OTHER_IMAGES,
    ),
    (&["csv", "tsv"], CSV),
    (&["npz"], NUMPY),
    (&["zip"], ZIP),
];

/// The paths of a data set's files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FourFiles {
    /// Images and labels to learn from.
    pub(crate) training: [PathBuf; 2],
    /// Images and labels to test on, where there are some.
    pub(crate) test: Option<[PathBuf; 2]>,
    /// What their names begin with, before `train` and `test`: empty, or for example `emnist-letters`.
    prefix: String,
    /// Files of other sets that are there as well.
    pub(crate) others: Vec<String>,
}

/// A file that may be one of the four.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    path: PathBuf,
    /// As it stands in the folder.
    name: String,
    /// Without letter case, separators and `.gz`: the same for two forms of one file.
    stem: String,
    compressed: bool,
}

impl FourFiles {
    /// Finds them in a folder.
    ///
    /// # Errors
    /// [`Error::Nothing`], [`Error::MissingFile`], [`Error::SeveralFiles`] where names leave open which are meant, [`Error::Unreadable`] for the folder.
    pub(crate) fn find(directory: &Path) -> Result<Self, Error> {
        let sets = candidates(directory)?;
        let there = |set: &[Vec<Candidate>; 4]| set.each_ref().map(|files| !files.is_empty());
        let of = |wanted: [bool; 4]| sets.iter().filter(move |(_, set)| there(set) == wanted);
        let mut complete: Vec<_> = of([true; 4]).collect();
        if complete.is_empty() {
            // Images to test on are then set apart.
            complete = of([true, true, false, false]).collect();
        }
        // Files with the names of the format come before all others.
        if complete.iter().any(|(prefix, _)| prefix.is_empty()) {
            complete.truncate(1);
        }
        match complete[..] {
            [(prefix, files)] => {
                let pair = |role: usize| -> Result<[PathBuf; 2], Error> {
                    Ok([
                        choose(directory, role, &files[role])?,
                        choose(directory, role + 1, &files[role + 1])?,
                    ])
                };
                let test = if files[2].is_empty() { None } else { Some(pair(2)?) };
                let others = sets.iter().filter(|(other, _)| *other != prefix);
                let others = others.flat_map(|(_, set)| set.iter().flatten()).map(|file| file.name.clone());
                Ok(Self { training: pair(0)?, test, prefix: prefix.clone(), others: others.collect() })
            }
            [(_, one), (_, other), ..] => Err(Error::SeveralFiles {
                directory: text(directory),
                what: WHAT[0],
                one: one[0][0].name.clone(),
                other: other[0][0].name.clone(),
            }),
            [] => Err(missing(directory, &sets)),
        }
    }

    /// Whether any of them is in a folder.
    pub(crate) fn are_in(directory: &Path) -> bool {
        candidates(directory).is_ok_and(|sets| !sets.is_empty())
    }

    pub(crate) fn is_of_emnist(&self) -> bool {
        self.prefix.starts_with("emnist")
    }
}

/// By prefix, then by role.
type Sets = BTreeMap<String, [Vec<Candidate>; 4]>;

fn candidates(directory: &Path) -> Result<Sets, Error> {
    let mut sets = Sets::new();
    let entries = fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
    for entry in entries.take(MOST_ENTRIES) {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((prefix, role, stem, compressed)) = role_of(&name) else { continue };
        let mut path = entry.path();
        if let PathKind::Directory = path_kind(&path) {
            // Where there is none in it, the folder itself is what cannot be read.
            path = within(&path, role).unwrap_or(path);
        }
        sets.entry(prefix).or_default()[role].push(Candidate { path, name, stem, compressed });
    }
    // The order of a folder's entries is that of the file system.
    for files in sets.values_mut().flatten() {
        files.sort_by(|one, other| one.name.cmp(&other.name));
    }
    Ok(sets)
}

/// The file of that role in a folder of its name.
fn within(folder: &Path, role: usize) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.take(MOST_ENTRIES).flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let name = names.into_iter().find(|name| role_of(name).is_some_and(|(_, found, ..)| found == role))?;
    Some(folder.join(name))
}

/// Which of the four a name stands for: what it begins with, its place in [`FILE_NAMES`], its stem, and whether `.gz` ends it.
fn role_of(name: &str) -> Option<(String, usize, String, bool)> {
    const FORMAT: [&str; 8] = ["idx", "idx1", "idx2", "idx3", "ubyte", "int", "idx1ubyte", "idx3ubyte"];
    let mut stem = name.to_lowercase();
    let mut compressed = false;
    while let Some(shorter) = stem.strip_suffix(".gz") {
        (stem, compressed) = (shorter.to_owned(), true);
    }
    let words: Vec<&str> = stem.split(['-', '_', '.', ' ']).filter(|word| !word.is_empty()).collect();
    let part = |word: &str| match word {
        "train" | "training" => Some(0),
        "t10k" | "test" | "testing" => Some(2),
        _ => None,
    };
    let kind = |word: &str| match word {
        "image" | "images" => Some(0),
        "label" | "labels" => Some(1),
        _ => None,
    };
    let at = |index: usize| Some(part(words[index])? + kind(words[index + 1])?);
    let (index, role) = (0..words.len().saturating_sub(1)).find_map(|index| Some((index, at(index)?)))?;
    // A browser's second download of a file is called `NAME (1)`.
    let is_copy = |word: &str| word.starts_with('(') && word.ends_with(')');
    if !words[index + 2..].iter().all(|word| FORMAT.contains(word) || is_copy(word)) {
        return None;
    }
    Some((words[..index].join("-"), role, words.join("-"), compressed))
}

/// The file that counts: of the format's own name, or else the only one, uncompressed where it is there in both forms.
fn choose(directory: &Path, role: usize, files: &[Candidate]) -> Result<PathBuf, Error> {
    let canonical = |compressed: bool| {
        let name = format!("{}{}", FILE_NAMES[role], if compressed { ".gz" } else { "" });
        files.iter().find(|file| file.name == name)
    };
    if let Some(file) = canonical(false).or_else(|| canonical(true)) {
        return Ok(file.path.clone());
    }
    let first = &files[0];
    if let Some(other) = files.iter().find(|file| file.stem != first.stem) {
        return Err(Error::SeveralFiles {
            directory: text(directory),
            what: WHAT[role],
            one: first.name.clone(),
            other: other.name.clone(),
        });
    }
    Ok(files.iter().find(|file| !file.compressed).unwrap_or(first).path.clone())
}

/// Names the file that is not there, of the set of which most is, and what is there instead.
fn missing(directory: &Path, sets: &Sets) -> Error {
    let present = |files: &[Vec<Candidate>; 4]| files.iter().filter(|files| !files.is_empty()).count();
    let most = sets.iter().rev().max_by_key(|(_, files)| present(files));
    let Some((prefix, files)) = most else {
        return Error::Nothing { directory: text(directory), found: beside(directory) };
    };
    let role = files.iter().position(Vec::is_empty).expect("an incomplete set");
    let name = match prefix.as_str() {
        "" => FILE_NAMES[role].to_owned(),
        prefix => format!("{prefix}-{}", FILE_NAMES[role].replace("t10k", "test")),
    };
    Error::MissingFile { directory: text(directory), name }
}

/// What a folder without any of the files holds.
fn beside(directory: &Path) -> Option<Beside> {
    let listed = Listing::of(directory);
    if let Some(folder) = listed.folders.iter().find(|folder| {
        candidates(folder)
            .is_ok_and(|sets| sets.values().any(|files| files.iter().all(|files| !files.is_empty())))
    }) {
        return Some(Beside::Folder(text(folder)));
    }
    let shown = |path: &Path| path.strip_prefix(directory).unwrap_or(path).display().to_string();
    let mut kinds: Vec<(Found, usize, &PathBuf)> = Vec::new();
    for path in &listed.files {
        let Some(kind) = kind_of(path) else { continue };
        match kinds.iter_mut().find(|(known, ..)| *known == kind) {
            Some((_, count, _)) => *count += 1,
            None => kinds.push((kind, 1, path)),
        }
    }
    if let Some((kind, count, example)) = kinds.into_iter().rev().max_by_key(|(_, count, _)| *count) {
        return Some(Beside::Kind { kind, count, example: shown(example) });
    }
    let examples: Vec<String> = listed.files.iter().take(EXAMPLES).map(|path| shown(path)).collect();
    (!examples.is_empty()).then_some(Beside::Files { examples, count: listed.files.len() })
}

/// By the end of its name, or its beginning. Not all of them are opened.
fn kind_of(path: &Path) -> Option<Found> {
    let extension = path.extension()?.to_string_lossy().to_lowercase();
    let known = KINDS.iter().find(|(extensions, _)| extensions.contains(&extension.as_str()));
    known.map(|(_, kind)| *kind).or_else(|| {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        if name.starts_with("data_batch") || name.starts_with("test_batch") {
            return recognise_file(path).or(Some(CIFAR_10));
        }
        ["bin", "npy", "tar", "gz", "tgz", "xz", "7z", "parquet", "pkl", "pickle", "mat", "h5", "pt"]
            .contains(&extension.as_str())
            .then(|| recognise_file(path))?
    })
}

/// Files and folders below a folder, sorted, hidden ones left out.
#[derive(Default)]
struct Listing {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Listing {
    fn of(directory: &Path) -> Self {
        let mut listing = Self::default();
        listing.add(directory, DEPTH);
        listing
    }

    fn add(&mut self, folder: &Path, depth: usize) {
        let left = MOST_ENTRIES.saturating_sub(self.files.len() + self.folders.len());
        let Ok(entries) = fs::read_dir(folder) else { return };
        let mut paths: Vec<PathBuf> = entries.take(left).flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let is_hidden =
            |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        for path in paths.into_iter().filter(|path| !is_hidden(path)) {
            match path_kind(&path) {
                PathKind::File => self.files.push(path),
                PathKind::Directory => {
                    self.folders.push(path.clone());
                    if depth > 0 {
                        self.add(&path, depth - 1);
                    }
                }
                PathKind::Other | PathKind::Nothing => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_programs_are_known() {
        for (name, expected) in [
            ("train-images-idx3-ubyte", Some(("", 0, false))),
            ("train-images-idx3-ubyte.gz", Some(("", 0, true))),
            ("t10k-labels-idx1-ubyte.gz.gz", Some(("", 3, true))),
            ("train-labels.idx1-ubyte", Some(("", 1, false))),
            ("train_images.idx", Some(("", 0, false))),
            ("TRAIN-IMAGES-IDX3-UBYTE.GZ", Some(("", 0, true))),
            ("train-images-idx3-ubyte (1).gz", Some(("", 0, true))),
            ("test-images-idx3-ubyte", Some(("", 2, false))),
            ("emnist-letters-test-labels-idx1-ubyte", Some(("emnist-letters", 3, false))),
            ("emnist-letters-train-images-idx3-ubyte.gz", Some(("emnist-letters", 0, true))),
            ("qmnist-train-labels-idx2-int.gz", Some(("qmnist", 1, true))),
            ("train-images", Some(("", 0, false))),
            ("train-images.zip", None),
            ("train-images.png", None),
            ("train.csv", None),
            ("images-train", None),
            ("", None),
        ] {
            let found = role_of(name);
            let found =
                found.as_ref().map(|(prefix, role, _, compressed)| (prefix.as_str(), *role, *compressed));
            assert_eq!(found, expected, "{name}");
        }
    }
}
