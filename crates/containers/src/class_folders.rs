//! A folder of class folders, with or without folders of the parts above them.

use crate::{
    Error, Images, MAXIMUM_BYTES, MAXIMUM_CLASSES, Reading,
    finish::{LUMA, PARTS, Raw, RawPart, check_size, resize_remark},
    image_file::{self, Head},
    labels::Labels,
    pixels,
    words::{counted, list, thousands},
};
use pictures::{FROM_CMYK, TURNED};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
};
use unicode_normalization::UnicodeNormalization;

/// What the folder of each part can be called, in the order of [`PARTS`].
const PART_FOLDERS: [&[&str]; 3] =
    [&["train", "training"], &["val", "valid", "validation"], &["test", "testing"]];

/// Folders inside class folders are followed so far.
const DEEPEST: usize = 16;

/// Whether a folder holds folders of the parts, and these class folders.
pub(crate) fn has_parts(path: &Path) -> bool {
    part_folders(path).is_ok_and(|(folders, _)| folders[0].as_deref().is_some_and(is_folder))
}

/// Whether a folder holds class folders: folders in which there are images.
pub(crate) fn is_folder(path: &Path) -> bool {
    let Ok(entries) = entries(path) else { return false };
    let mut folders = entries.iter().filter(|entry| entry.is_folder && !is_hidden(&entry.name)).peekable();
    folders.peek().is_some() && folders.any(|entry| has_images(&entry.path, 3))
}

/// An entry of a folder.
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    /// As it is stored.
    pub(crate) name: String,
    is_folder: bool,
}

/// The entries of a folder, sorted by their names in NFC.
pub(crate) fn entries(path: &Path) -> Result<Vec<Entry>, Error> {
    let of = |error: io::Error| Error::unreadable(path.display().to_string(), &error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(of)? {
        let entry = entry.map_err(of)?;
        let kind = entry.file_type().map_err(of)?;
        let path = entry.path();
        // A link is what it leads to.
        let is_folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
        entries.push(Entry { path, name: entry.file_name().to_string_lossy().into_owned(), is_folder });
    }
    entries.sort_by_cached_key(|entry| (nfc(&entry.name), entry.path.clone()));
    Ok(entries)
}

/// As [`entries`], but each with a name that is text: two that differ in what is none would come out as one.
fn named_entries(path: &Path) -> Result<Vec<Entry>, Error> {
    let entries = entries(path)?;
    let is_text = |entry: &&Entry| entry.path.file_name().is_some_and(|name| name.to_str().is_some());
    match entries.iter().find(|entry| !is_text(entry)) {
        None => Ok(entries),
        Some(entry) => {
            let problem = io::Error::other("a name in UTF-8 expected: rename it");
            Err(Error::unreadable(entry.path.display().to_string(), &problem))
        }
    }
}

fn nfc(name: &str) -> String {
    if name.is_ascii() { name.to_owned() } else { name.nfc().collect() }
}

/// What systems leave in folders.
pub(crate) fn is_hidden(name: &str) -> bool {
    let lower = name.to_lowercase();
    name.starts_with('.')
        || ["thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r"].contains(&lower.as_str())
}

fn has_images(folder: &Path, depth: usize) -> bool {
    let Ok(entries) = entries(folder) else { return false };
    let mut visible = entries.iter().filter(|entry| !is_hidden(&entry.name));
    visible.any(|entry| match entry.is_folder {
        true => depth > 1 && has_images(&entry.path, depth - 1),
        false => {
            image_file::format_of_name(&entry.path).is_some() || image_file::is_unnamed_image(&entry.path)
        }
    })
}

/// An image file of a class.
struct Item {
    path: PathBuf,
    /// Its path within the folder that was handed over, in NFC.
    name: String,
    class: String,
}

/// What was passed over, and how often: the first of it is the example.
#[derive(Default)]
struct Passed {
    others: Vec<String>,
    hidden: Vec<String>,
    outside: Vec<String>,
    /// Classes that several folders spell in other forms of the same letters.
    joined: Vec<String>,
}

/// Where the walk through a folder puts what it finds.
struct Walk {
    passed: Passed,
    items: Vec<Item>,
}

impl Walk {
    /// Takes the images of a class folder.
    fn class(&mut self, folder: &Path, within: &str, class: &str, depth: usize) -> Result<(), Error> {
        for entry in named_entries(folder)? {
            let name = format!("{within}/{}", nfc(&entry.name));
            let named_as_image = !entry.is_folder && image_file::format_of_name(&entry.path).is_some();
            if is_hidden(&entry.name) {
                self.passed.hidden.extend(named_as_image.then_some(name));
            } else if entry.is_folder {
                if depth == DEEPEST {
                    let reason = format!("more than {DEEPEST} folders inside each other");
                    return Err(Error::Unreadable { file: entry.path.display().to_string(), reason });
                }
                self.class(&entry.path, &name, class, depth + 1)?;
            } else if named_as_image || image_file::is_unnamed_image(&entry.path) {
                self.items.push(Item { path: entry.path, name, class: class.to_owned() });
            } else {
                self.passed.others.push(name);
            }
        }
        Ok(())
    }

    /// Takes the class folders of a part. `within` is the part's folder with a `/` behind it, or nothing.
    fn part(&mut self, folder: &Path, within: &str, is_training: bool) -> Result<(), Error> {
        // The same class may be spelt with composed and with decomposed letters.
        let mut classes: BTreeMap<String, (PathBuf, usize)> = BTreeMap::new();
        for entry in named_entries(folder)? {
            let class = nfc(&entry.name);
            let name = format!("{within}{class}");
            if is_hidden(&entry.name) {
                continue;
            }
            if !entry.is_folder {
                let is_image = image_file::format_of_name(&entry.path).is_some();
                if is_image { &mut self.passed.outside } else { &mut self.passed.others }.push(name);
                continue;
            }
            if classes.contains_key(&class) {
                self.passed.joined.push(name.clone());
            }
            if classes.len() == MAXIMUM_CLASSES && !classes.contains_key(&class) {
                let found = format!("more, such as {class:?},");
                return Err(Error::ClassCount { path: folder.display().to_string(), found });
            }
            let before = self.items.len();
            self.class(&entry.path, &name, &class, 1)?;
            let found = classes.entry(class).or_insert((entry.path, 0));
            found.1 += self.items.len() - before;
        }
        if classes.is_empty() && !self.passed.outside.is_empty() {
            let images = counted(self.passed.outside.len(), "image");
            return Err(Error::MissingLabels {
                file: folder.display().to_string(),
                images: images + " (class folders)",
            });
        }
        let empty = classes.into_iter().find(|(_, (_, images))| is_training && *images == 0);
        match empty {
            Some((class, (folder, _))) => {
                Err(Error::EmptyClass { folder: folder.display().to_string(), class })
            }
            None => Ok(()),
        }
    }
}

pub(crate) fn read(path: &Path, reading: &Reading) -> Result<Raw, Error> {
    let shown = path.display().to_string();
    let mut remarks = Vec::new();
    let (folders, beside) = part_folders(path)?;
    let mut walk = Walk { passed: Passed::default(), items: Vec::new() };
    let mut parts: [Option<Vec<Item>>; 3] = [None, None, None];
    if folders.iter().any(Option::is_some) {
        for ((folder, items), name) in folders.iter().zip(&mut parts).zip(PARTS) {
            let Some(folder) = folder else { continue };
            let within = folder.file_name().map(|name| nfc(&name.to_string_lossy())).unwrap_or_default();
            walk.part(folder, &(within + "/"), name == PARTS[0])?;
            if walk.items.is_empty() {
                return Err(Error::NoImages { path: folder.display().to_string() });
            }
            *items = Some(std::mem::take(&mut walk.items));
        }
        if let [Some(training), others @ ..] = &parts {
            check_classes(&folders, training, others)?;
        }
        if !beside.is_empty() {
            remarks.push(format!("passed over beside the parts: {}", list(&beside)));
        }
    } else {
        walk.part(path, "", true)?;
        if let [first, rest @ ..] = &walk.items[..]
            && rest.iter().all(|item| item.class == first.class)
        {
            let inside = path.join(&first.class);
            let inside = is_folder(&inside).then(|| inside.display().to_string());
            return Err(Error::OneClass { path: shown, class: first.class.clone(), inside });
        }
        parts[0] = Some(std::mem::take(&mut walk.items));
    }
    for items in parts.iter_mut().flatten() {
        items.sort_by(|one, other| one.name.cmp(&other.name).then_with(|| one.path.cmp(&other.path)));
    }
    passed_remarks(&walk.passed, &mut remarks);
    if !walk.passed.joined.is_empty() {
        remarks.push(format!(
            "folders whose names spell the same letters in another Unicode form are one class: {}",
            list(&walk.passed.joined)
        ));
    }
    let heads = heads(&parts)?;
    let plan = plan(&shown, &parts, &heads, reading, &mut remarks)?;
    let mut raw = Raw { remarks, ..Raw::default() };
    for ((items, heads), part) in parts.into_iter().zip(&heads).zip(&mut raw.parts) {
        if let Some(items) = items {
            let (decoded, laid) = decode(&shown, items, heads, &plan)?;
            if let [example, ..] = &laid[..] {
                raw.remarks.push(format!(
                    "{} of {} have transparent pixels and are laid on white, for example {example}",
                    thousands(laid.len() as u64),
                    counted(decoded.images.count, "image")
                ));
            }
            *part = Some(decoded);
        }
    }
    Ok(raw)
}

/// The folders of the parts, and the names of what is beside them; no part where the folder holds classes.
fn part_folders(path: &Path) -> Result<([Option<PathBuf>; 3], Vec<String>), Error> {
    let mut folders: [Option<PathBuf>; 3] = [None, None, None];
    let mut beside = Vec::new();
    for entry in entries(path)?.into_iter().filter(|entry| !is_hidden(&entry.name)) {
        let lower = entry.name.to_lowercase();
        let part = PART_FOLDERS.iter().position(|names| entry.is_folder && names.contains(&lower.as_str()));
        match part.map(|part| &mut folders[part]) {
            None => beside.push(entry.name),
            Some(folder @ None) => *folder = Some(entry.path),
            Some(Some(other)) => {
                return Err(Error::Several {
                    path: path.display().to_string(),
                    what: "folder of a part",
                    one: other.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                    other: entry.name,
                });
            }
        }
    }
    let found: Vec<&PathBuf> = folders.iter().flatten().collect();
    let hold_classes = !found.is_empty() && found.iter().all(|folder| is_folder(folder));
    if folders[0].is_none() && !(hold_classes && beside.is_empty()) {
        // Classes may be called so: valid and invalid.
        return Ok(([None, None, None], Vec::new()));
    }
    if folders[0].is_none() {
        let found: Vec<String> = found.iter().map(|folder| folder.display().to_string()).collect();
        return Err(Error::NoTraining {
            path: path.display().to_string(),
            expected: "a folder train",
            found: list(&found),
        });
    }
    Ok((folders, beside))
}

/// Refuses classes that have no training image: most often the folder's name is misspelt.
fn check_classes(
    folders: &[Option<PathBuf>; 3],
    training: &[Item],
    others: &[Option<Vec<Item>>],
) -> Result<(), Error> {
    let known: HashMap<&str, ()> = training.iter().map(|item| (item.class.as_str(), ())).collect();
    for (folder, items) in folders[1..].iter().zip(others) {
        let unknown = items.iter().flatten().find(|item| !known.contains_key(item.class.as_str()));
        if let (Some(item), Some(folder), Some(training)) = (unknown, folder, &folders[0]) {
            return Err(Error::UnknownClass {
                folder: folder.join(&item.class).display().to_string(),
                class: item.class.clone(),
                training: training.display().to_string(),
            });
        }
    }
    Ok(())
}

fn passed_remarks(passed: &Passed, remarks: &mut Vec<String>) {
    const NAMED: usize = 3;
    let mut say = |names: &[String], noun: &str, what: &str| {
        if names.is_empty() {
            return;
        }
        let (is, examples) =
            (if names.len() == 1 { "is" } else { "are" }, list(&names[..names.len().min(NAMED)]));
        let example = if names.len() > NAMED { ", for example " } else { ": " };
        remarks.push(format!("{} {what} {is} passed over{example}{examples}", counted(names.len(), noun)));
    };
    say(&passed.others, "file", "without an image's name");
    say(&passed.hidden, "hidden file", "with an image's name");
    say(&passed.outside, "image", "outside of class folders");
}

/// The first error in the order of the images, or all results.
fn in_order<T: Send>(results: Vec<Result<T, Error>>) -> Result<Vec<T>, Error> {
    results.into_iter().collect()
}

/// What each file says of its image.
fn heads(parts: &[Option<Vec<Item>>; 3]) -> Result<[Vec<Head>; 3], Error> {
    let mut heads = [Vec::new(), Vec::new(), Vec::new()];
    for (items, heads) in parts.iter().zip(&mut heads) {
        let head = |item: &Item| {
            let shown = item.path.display().to_string();
            image_file::head(&image_file::bytes(&item.path, &shown)?, &shown)
        };
        *heads = in_order(items.par_iter().flatten().map(head).collect())?;
    }
    Ok(heads)
}

/// What all images become.
struct Plan {
    height: usize,
    width: usize,
    channels: usize,
}

/// Looks at all heads: one size, or one that is asked for; how many channels; and what there is to say.
fn plan(
    path: &str,
    parts: &[Option<Vec<Item>>; 3],
    heads: &[Vec<Head>; 3],
    reading: &Reading,
    remarks: &mut Vec<String>,
) -> Result<Plan, Error> {
    let all = || parts.iter().zip(heads).flat_map(|(items, heads)| items.iter().flatten().zip(heads));
    let mut sizes: BTreeMap<(u32, u32), (usize, &Item)> = BTreeMap::new();
    for (item, head) in all() {
        sizes.entry((head.height, head.width)).or_insert((0, item)).0 += 1;
    }
    let mut sizes: Vec<_> = sizes.into_iter().collect();
    sizes.sort_by_key(|(size, (count, _))| (std::cmp::Reverse(*count), *size));
    let Some(((height, width), _)) = sizes.first().copied() else {
        return Err(Error::NoImages { path: path.to_owned() });
    };
    let [height, width] = match (reading.resize, &sizes[..]) {
        (Some(size), _) => size,
        (None, [_]) => [height as usize, width as usize],
        (None, [.., (_, (_, item))]) => {
            let sizes = sizes
                .iter()
                .map(|((height, width), (count, _))| (*height as usize, *width as usize, *count))
                .collect();
            return Err(Error::SeveralSizes {
                path: path.to_owned(),
                sizes,
                example: item.path.display().to_string(),
            });
        }
        (None, []) => return Err(Error::NoImages { path: path.to_owned() }),
    };
    check_size(path, height as u64, width as u64)?;
    let count = all().count();
    // How many there are of a kind, and the first of them.
    let those = |is: &dyn Fn(&Item, &Head) -> bool| {
        let mut those = all().filter(|(item, head)| is(item, head)).map(|(item, _)| item);
        those.next().map(|first| (1 + those.count(), first.name.as_str()))
    };
    let mut say = |found: Option<(usize, &str)>, what: &str| {
        if let Some((found, example)) = found {
            remarks.push(format!(
                "{} of {} {what}, for example {example}",
                thousands(found as u64),
                counted(count, "image")
            ));
        }
    };
    let is_named = |item: &Item, head: &Head| {
        image_file::format_of_name(&item.path).is_none_or(|format| format == head.format)
    };
    say(
        those(&|item, head| !is_named(item, head)),
        "have the name of another format than theirs and are read as what they are",
    );
    say(those(&|_, head| head.stored.is_turned), TURNED);
    say(those(&|_, head| head.is_deep), "converted from 16 bits or more a value to 8");
    say(those(&|_, head| head.stored.is_cmyk), FROM_CMYK);
    let others: usize = all().map(|(_, head)| head.stored.frames - 1).sum();
    say(
        those(&|_, head| head.stored.frames > 1),
        &format!(
            "have several frames or pages: the first of each is read, {} passed over",
            counted(others, "other")
        ),
    );
    let colour = those(&|_, head| head.has_colour);
    let channels = match colour {
        Some(_) if reading.grey => {
            say(colour, &format!("made {LUMA}"));
            1
        }
        Some((found, _)) => {
            if found < count {
                say(
                    those(&|_, head| !head.has_colour),
                    "are grey among images in colour and are read as colour",
                );
            }
            3
        }
        None => 1,
    };
    let is_resized = |head: &Head| (head.height as usize, head.width as usize) != (height, width);
    if sizes.len() > 1 || all().any(|(_, head)| is_resized(head)) {
        let from = match &sizes[..] {
            [((height, width), _)] => format!("{height}×{width}"),
            sizes => format!("{} sizes", sizes.len()),
        };
        let resized = all().filter(|(_, head)| is_resized(head)).count();
        let what = format!("{} of {}", thousands(resized as u64), counted(count, "image"));
        remarks.push(resize_remark(&what, &from, [height, width]));
    }
    Ok(Plan { height, width, channels })
}

/// Decodes the images of a part, each into its place; and the names of those that were laid on white.
fn decode(
    path: &str,
    items: Vec<Item>,
    heads: &[Head],
    plan: &Plan,
) -> Result<(RawPart, Vec<String>), Error> {
    let length = plan.height * plan.width * plan.channels;
    let bytes = items.len() as u64 * length as u64;
    if bytes > MAXIMUM_BYTES {
        return Err(Error::too_large(path, Some(bytes)));
    }
    let mut pixels = Vec::new();
    pixels.try_reserve_exact(bytes as usize).map_err(|_| Error::too_large(path, Some(bytes)))?;
    pixels.resize(bytes as usize, 0);
    let results = pixels.par_chunks_exact_mut(length).zip(&items).zip(heads).map(|((image, item), head)| {
        let shown = item.path.display().to_string();
        let (decoded, is_laid) =
            image_file::decode(&image_file::bytes(&item.path, &shown)?, head, plan.channels, &shown)?;
        let from = [head.height as usize, head.width as usize];
        if from == [plan.height, plan.width] {
            image.copy_from_slice(&decoded);
        } else {
            image.copy_from_slice(&pixels::resize(&decoded, from, plan.channels, [plan.height, plan.width]));
        }
        Ok(is_laid)
    });
    let laid = in_order(results.collect())?;
    let laid = items.iter().zip(laid).filter(|(_, laid)| *laid).map(|(item, _)| item.name.clone()).collect();
    let mut labels = Labels::default();
    for item in &items {
        labels.push(&item.class, &|| path.to_owned())?;
    }
    let images = Images {
        pixels,
        count: items.len(),
        height: plan.height,
        width: plan.width,
        channels: plan.channels,
    };
    let names = items.into_iter().map(|item| item.name).collect();
    Ok((RawPart { images, labels, names: Some(names) }, laid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_letters_are_one_name() {
        assert_eq!(nfc("Ju\u{308}rgen"), "J\u{fc}rgen");
        assert_eq!(nfc("plain"), "plain");
    }

    #[test]
    fn what_systems_leave_is_hidden() {
        assert!([".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX", "._a.png"].into_iter().all(is_hidden));
        assert!(!is_hidden("thumbs.db.png"));
    }
}
