//! The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of a label and three planes of 32×32 pixels.

use crate::{
    Error, Images, MAXIMUM_BYTES,
    finish::{Raw, RawPart},
    labels::Labels,
    pixels::interleave_into,
    reading::read_exactly,
};
use flate2::read::MultiGzDecoder;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

const SIDE: usize = 32;
const AREA: usize = SIDE * SIDE;

/// The two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Cifar10,
    Cifar100,
}

impl Set {
    fn name(self) -> &'static str {
        match self {
            Self::Cifar10 => "CIFAR-10",
            Self::Cifar100 => "CIFAR-100",
        }
    }

    /// The most that each byte before the pixels can be: the last is the class, before it CIFAR-100 has a coarser one.
    fn labels(self) -> &'static [u8] {
        match self {
            Self::Cifar10 => &[9],
            Self::Cifar100 => &[19, 99],
        }
    }

    fn record(self) -> usize {
        self.labels().len() + 3 * AREA
    }
}

/// Which set and part a file is, by its name.
fn of_name(name: &str) -> Option<(Set, usize)> {
    let stem = name.strip_suffix(".bin")?;
    match stem {
        "train" => Some((Set::Cifar100, 0)),
        "test" => Some((Set::Cifar100, 2)),
        "test_batch" => Some((Set::Cifar10, 2)),
        _ if stem.starts_with("data_batch") => Some((Set::Cifar10, 0)),
        _ => None,
    }
}

/// The files of the classes' names.
const NAMES_FILES: [(Set, &str); 2] =
    [(Set::Cifar10, "batches.meta.txt"), (Set::Cifar100, "fine_label_names.txt")];

/// The folders inside the published archives.
const FOLDERS: [&str; 2] = ["cifar-10-batches-bin", "cifar-100-binary"];

/// A file of names is a few hundred bytes.
const LONGEST_NAMES: u64 = 1 << 16;

fn folder_of(path: &Path) -> Option<PathBuf> {
    let holds = |folder: &Path| {
        fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .flatten()
                .any(|entry| of_name(&entry.file_name().to_string_lossy().to_lowercase()).is_some())
        })
    };
    let inside = FOLDERS.iter().map(|folder| path.join(folder));
    std::iter::once(path.to_path_buf()).chain(inside).find(|folder| holds(folder))
}

/// Whether a folder, or the published folder inside, holds batches.
pub(crate) fn is_folder(path: &Path) -> bool {
    folder_of(path).is_some()
}

/// Whether a file is a batch by its name or its length, or an archive of batches.
pub(crate) fn is_file(path: &Path, name: &str) -> bool {
    if [".tar.gz", ".tgz"].iter().any(|suffix| name.ends_with(suffix)) {
        return true;
    }
    let records = |length: u64| {
        [Set::Cifar10, Set::Cifar100].iter().any(|set| length.is_multiple_of(set.record() as u64))
    };
    of_name(name).is_some()
        || (name.ends_with(".bin")
            && path.metadata().is_ok_and(|metadata| metadata.len() > 0 && records(metadata.len())))
}

/// What the files held so far.
#[derive(Default)]
struct Batches {
    set: Option<(Set, String)>,
    parts: [Vec<Batch>; 3],
    names: BTreeMap<&'static str, Vec<String>>,
}

/// The records of a file.
struct Batch {
    file: String,
    bytes: Vec<u8>,
}

pub(crate) fn read(path: &Path) -> Result<Raw, Error> {
    let shown = path.display().to_string();
    let mut batches = Batches::default();
    if path.is_dir() {
        let folder = folder_of(path).unwrap_or_else(|| path.to_path_buf());
        let of = |error: io::Error| Error::unreadable(folder.display().to_string(), &error);
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(&folder).map_err(of)? {
            files.push(entry.map_err(of)?.path());
        }
        files.sort();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            if of_name(&name).is_some() || is_names(&name) {
                batches.add_file(&file, &name, None)?;
            }
        }
    } else {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if name.ends_with("gz") {
            batches.add_archive(path, &shown)?;
        } else {
            let length = path.metadata().map_or(0, |metadata| metadata.len());
            let is = |set: Set| length.is_multiple_of(set.record() as u64);
            let other = (of_name(&name).is_none()).then_some(if is(Set::Cifar10) {
                Set::Cifar10
            } else {
                Set::Cifar100
            });
            // One file alone is what there is to train on, whatever its name.
            let set = other.or_else(|| of_name(&name).map(|(set, _)| set));
            batches.add_file(path, &name, set.map(|set| (set, 0)))?;
        }
    }
    batches.finish(&shown)
}

fn is_names(name: &str) -> bool {
    NAMES_FILES.iter().any(|(_, file)| *file == name)
}

impl Batches {
    fn add_file(&mut self, path: &Path, name: &str, known: Option<(Set, usize)>) -> Result<(), Error> {
        let shown = path.display().to_string();
        let of = |error: io::Error| Error::unreadable(&shown, &error);
        let file = File::open(path).map_err(of)?;
        let length = file.metadata().map_err(of)?.len();
        self.add(&mut BufReader::new(file), length, shown, name, known)
    }

    /// The members of an archive of which the names are known.
    fn add_archive(&mut self, path: &Path, shown: &str) -> Result<(), Error> {
        let damaged = |error: io::Error| Error::Damaged {
            file: shown.to_owned(),
            format: "tar.gz",
            reason: error.to_string(),
        };
        let file = File::open(path).map_err(|error| Error::unreadable(shown, &error))?;
        let mut archive = MultiGzDecoder::new(BufReader::new(file));
        while let Some(Member { name, length, is_file }) = next_member(&mut archive).map_err(damaged)? {
            let mut member = archive.by_ref().take(length);
            if is_file && (of_name(&name).is_some() || is_names(&name)) {
                self.add(&mut member, length, format!("{shown}, {name}"), &name, None)?;
            }
            // Members fill whole blocks.
            let rest = member.limit() + length.next_multiple_of(BLOCK as u64) - length;
            if io::copy(&mut archive.by_ref().take(rest), &mut io::sink()).map_err(damaged)? < rest {
                return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        Ok(())
    }

    /// Takes a file of `length` bytes: a batch, or the classes' names.
    fn add(
        &mut self,
        reader: &mut impl Read,
        length: u64,
        shown: String,
        name: &str,
        known: Option<(Set, usize)>,
    ) -> Result<(), Error> {
        if let Some((_, file)) = NAMES_FILES.iter().find(|(_, file)| *file == name) {
            let mut text = Vec::new();
            let read = reader.take(LONGEST_NAMES).read_to_end(&mut text);
            read.map_err(|error| Error::unreadable(&shown, &error))?;
            let text = String::from_utf8_lossy(&text);
            let names = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
            self.names.insert(file, names.collect());
            return Ok(());
        }
        let Some((set, part)) = known.or_else(|| of_name(name)) else { return Ok(()) };
        if let Some((other, file)) = &self.set
            && *other != set
        {
            return Err(Error::Several {
                path: shown.clone(),
                what: "set of CIFAR's",
                one: file.clone(),
                other: name.to_owned(),
            });
        }
        self.set = Some((set, name.to_owned()));
        let record = set.record() as u64;
        if length == 0 {
            return Err(Error::EmptyFile { file: shown, expected: "CIFAR's records" });
        }
        if !length.is_multiple_of(record) {
            return Err(Error::RecordLength { file: shown, set: set.name(), record, found: length });
        }
        let before: u64 = self.parts.iter().flatten().map(|batch| batch.bytes.len() as u64).sum();
        if before.saturating_add(length) > MAXIMUM_BYTES {
            return Err(Error::too_large(shown, Some(before.saturating_add(length))));
        }
        let bytes =
            read_exactly(reader, length as usize).map_err(|error| error.of(&shown, "CIFAR", length))?;
        self.parts[part].push(Batch { file: shown, bytes });
        Ok(())
    }

    fn finish(self, path: &str) -> Result<Raw, Error> {
        let Some((set, _)) = self.set else { return Err(Error::Archive { file: path.to_owned() }) };
        if self.parts[0].is_empty() {
            let expected = "data_batch_1.bin or train.bin";
            let found =
                self.parts.iter().flatten().map(|batch| batch.file.clone()).collect::<Vec<_>>().join(", ");
            return Err(Error::NoTraining { path: path.to_owned(), expected, found });
        }
        let mut raw = Raw::default();
        raw.remarks.extend(missing_batches(&self.parts[0]));
        for (batches, part) in self.parts.into_iter().zip(&mut raw.parts) {
            if !batches.is_empty() {
                *part = Some(decode(set, batches)?);
            }
        }
        let file = NAMES_FILES.iter().find(|(of, _)| *of == set).map(|(_, file)| *file);
        raw.names = file.and_then(|file| self.names.get(file).cloned());
        if set == Set::Cifar100 {
            raw.remarks.push("of CIFAR-100's two labels the fine one (100 classes) is read".to_owned());
        }
        Ok(raw)
    }
}

/// Which of the numbered batches are not there, between the first and the last that are; one alone is what was asked for.
fn missing_batches(batches: &[Batch]) -> Option<String> {
    let number = |batch: &Batch| -> Option<u32> {
        let stem = batch.file.rsplit(['/', '\\']).next()?.strip_suffix(".bin")?;
        stem.rsplit('_').next()?.parse().ok()
    };
    let there: Vec<u32> = batches.iter().filter_map(number).collect();
    let last = there.iter().max().filter(|_| there.len() > 1)?;
    let missing: Vec<String> = (1..=*last)
        .filter(|number| !there.contains(number))
        .map(|number| format!("data_batch_{number}.bin"))
        .collect();
    (!missing.is_empty()).then(|| format!("not there: {}", missing.join(", ")))
}

/// Members of a tar archive begin with a block of this many bytes.
const BLOCK: usize = 512;

/// A member of a tar archive.
struct Member {
    /// Without its folders, in small letters.
    name: String,
    length: u64,
    is_file: bool,
}

/// The next member of a tar archive (POSIX ustar); none at its end. Long names, which have a member of their own, are none of ours.
fn next_member(archive: &mut impl Read) -> io::Result<Option<Member>> {
    let mut block = [0; BLOCK];
    archive.read_exact(&mut block)?;
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let text = |from: usize, length: usize| {
        let field = &block[from..from + length];
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
        String::from_utf8_lossy(&field[..end]).trim().to_lowercase()
    };
    let no_archive = || io::Error::new(io::ErrorKind::InvalidData, "no tar archive");
    if &block[257..262] != b"ustar" {
        return Err(no_archive());
    }
    let length = u64::from_str_radix(&text(124, 12), 8).map_err(|_| no_archive())?;
    if length > 1 << 40 {
        return Err(no_archive());
    }
    let name = text(0, 100).rsplit('/').next().unwrap_or_default().to_owned();
    Ok(Some(Member { name, length, is_file: matches!(block[156], 0 | b'0') }))
}

/// Records to images, in the memory of the records.
fn decode(set: Set, batches: Vec<Batch>) -> Result<RawPart, Error> {
    let most = set.labels();
    let mut labels = Labels::default();
    let mut pixels: Vec<u8> = Vec::new();
    for Batch { file, mut bytes } in batches {
        let count = bytes.len() / set.record();
        let mut planes = [0; 3 * AREA];
        for image in 0..count {
            let (head, body) = bytes[image * set.record()..][..set.record()].split_at(most.len());
            let wrong = head.iter().zip(most).find(|(label, most)| label > most);
            if let Some((label, _)) = wrong {
                let expected = match set {
                    Set::Cifar10 => "a label from 0 to 9",
                    Set::Cifar100 => "a coarse label from 0 to 19 and a fine one from 0 to 99",
                };
                return Err(Error::Label { file, expected, index: image as u64, found: label.to_string() });
            }
            labels.push(&head[head.len() - 1].to_string(), &|| file.clone())?;
            planes.copy_from_slice(body);
            // An image is shorter than its record, so it lies before what is still to be read.
            interleave_into(&mut bytes[image * 3 * AREA..][..3 * AREA], &planes, 3, AREA);
        }
        bytes.truncate(count * 3 * AREA);
        if pixels.is_empty() {
            pixels = bytes;
        } else {
            pixels.reserve_exact(bytes.len());
            pixels.append(&mut bytes);
        }
    }
    pixels.shrink_to_fit();
    let images = Images { count: labels.len(), pixels, height: SIDE, width: SIDE, channels: 3 };
    Ok(RawPart { images, labels, names: None })
}
