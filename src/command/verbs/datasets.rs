//! `datasets`: what there is, fetching what is not here, and a look at what is.

use super::{
    augmented::{self, SheetArguments},
    inspect::{self, InspectArguments},
    models::print,
    source::fetch_set,
};
use crate::command::{
    download::megabytes,
    failure::Failure,
    options::{ListArguments, OutputArguments},
};
use clap::{Args, Subcommand};
use data::{Digest, Origin, Published};
use report::thousands;
use serde_json::{Value, json};
use std::path::Path;

/// `datasets`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = DATASETS_ENVIRONMENT)]
pub(crate) struct DatasetsArguments {
    #[command(subcommand)]
    pub(crate) action: Option<DatasetsAction>,
    #[command(flatten)]
    pub(crate) sheet: SheetArguments,
    #[command(flatten)]
    pub(crate) list: ListArguments,
}

const DATASETS_ENVIRONMENT: &str = "\
Environment:
  MNIST_STUDY_DATA     folder that fetched data sets are kept in, instead of the user's cache folder
  MNIST_STUDY_MIRROR   address to fetch from, instead of the published ones: ADDRESS/NAME/FILE, and
                       ADDRESS/emnist/gzip.zip; the digest must still be the published one
  SSL_CERT_FILE        file of certificates in PEM format to trust, instead of the built-in ones";

/// What `datasets` does beside listing.
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetsAction {
    /// Fetch a data set beforehand, or go on where an earlier fetch ended; verifies what is there
    Fetch(FetchArguments),
    /// Look at a data set before training on it: counts, values, copies, leakage
    Inspect(Box<InspectArguments>),
}

/// `datasets fetch`.
#[derive(Debug, Args)]
pub(crate) struct FetchArguments {
    /// The data set; `mnist-study datasets` lists them
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Lists the data sets, or does what is asked for with one.
pub(crate) fn run(arguments: &DatasetsArguments) -> Result<(), Failure> {
    match (&arguments.action, &arguments.sheet.augmented) {
        (Some(DatasetsAction::Fetch(arguments)), _) => fetch_named(arguments),
        (Some(DatasetsAction::Inspect(arguments)), _) => inspect::run(arguments),
        (None, Some(file)) => augmented::draw(file, &arguments.sheet),
        (None, None) => list(&arguments.list),
    }
}

fn fetch_named(arguments: &FetchArguments) -> Result<(), Failure> {
    let name = &arguments.name;
    let set = data::find_published(name).ok_or_else(|| data::Error::unknown_name(name))?;
    if set.file_names().is_none() {
        let fetched = json!({ "name": name, "folder": null, "files": [], "downloaded_bytes": 0 });
        return said(arguments, &format!("{name}: inside this program, nothing to fetch\n"), &fetched);
    }
    let fetched = fetch_set(set, &data::cache_folder()?, arguments.output.quiet)?;
    let bytes = fetched.files.iter().map(|file| file.bytes).sum();
    let text = format!(
        "{name}: {} file{}, {}, verified, in {}\n",
        fetched.files.len(),
        if fetched.files.len() == 1 { "" } else { "s" },
        megabytes(bytes),
        fetched.folder.display()
    );
    let files: Vec<Value> =
        fetched.files.iter().map(|file| json!({ "name": file.name, "bytes": file.bytes })).collect();
    let fetched = json!({
        "name": name,
        "folder": fetched.folder.display().to_string(),
        "files": files,
        "downloaded_bytes": fetched.downloaded_bytes,
    });
    said(arguments, &text, &fetched)
}

fn said(arguments: &FetchArguments, text: &str, fetched: &Value) -> Result<(), Failure> {
    print(&ListArguments { json: arguments.output.json }, text, fetched)
}

fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let cache = data::cache_folder().ok();
    let mut listed = Vec::new();
    let mut text = String::new();
    for set in data::published() {
        let here = set.file_names().is_none() || cache.as_deref().is_some_and(|cache| set.is_here(cache));
        listed.push(described(set, here, cache.as_deref()));
        let state = state(set, here, cache.as_deref());
        // What is said of the first of several that were published together is not said again.
        let first_of = |is_alike: &dyn Fn(&Published) -> bool| {
            data::published().iter().find(|other| is_alike(other)).map_or(set.name, |other| other.name)
        };
        let first = first_of(&|other| other.citation == set.citation);
        if first_of(&|other| (other.citation, other.title) == (set.citation, set.title)) != set.name {
            text.push_str(&format!("{} ({state})\n  the same, {}\n", set.name, set.shape));
            continue;
        }
        text.push_str(&format!(
            "{} ({state})\n  {} training and {} test images of {}, {}, {} classes\n",
            set.name,
            thousands(set.training_images as u64),
            thousands(set.test_images as u64),
            set.title,
            set.shape,
            set.classes.len()
        ));
        text.push_str(&match first == set.name {
            true => format!("  {}; licence: {}\n  {}\n", set.authors, set.licence, set.citation),
            false => format!("  published with {}; licence: {}\n", first, set.licence),
        });
    }
    text.push_str(&format!(
        "a file or folder\n  images up to {0}×{0}, grey or in colour, 2 to {1} classes: class folders, npz and npy, CSV, CIFAR's and SVHN's files,\n  \
         or four IDX files, raw or .gz: {2}\n  `mnist-study datasets inspect PATH` shows what it holds\n",
        data::MAXIMUM_SIDE,
        data::MAXIMUM_CLASSES,
        data::FILE_NAMES.join(", ")
    ));
    if let Some(cache) = &cache {
        text.push_str(&format!(
            "\n`--dataset NAME` fetches a set that is not here, once; `mnist-study datasets fetch NAME` does so beforehand.\n\
             Fetched sets are kept in {}\n",
            cache.display()
        ));
    }
    print(arguments, &text, &json!(listed))
}

fn state(set: &Published, here: bool, cache: Option<&Path>) -> String {
    match &set.origin {
        Origin::Embedded | Origin::Coloured | Origin::Shifted => "inside this program".to_owned(),
        _ if here => "here".to_owned(),
        Origin::Files(_) | Origin::Containers(_) => {
            match set.downloads().iter().map(|file| file.bytes).sum::<Option<u64>>() {
                Some(bytes) => format!("to fetch: {}", megabytes(bytes)),
                None => "to fetch".to_owned(),
            }
        }
        Origin::Archive { archive, folder, .. } => {
            if cache.is_some_and(|cache| cache.join(folder).join(archive.name).is_file()) {
                return format!("to unpack: {folder}'s archive is here");
            }
            let bytes = archive.bytes.map_or(String::new(), |bytes| format!("{}, ", megabytes(bytes)));
            format!("to fetch: {bytes}the same for all of {folder}")
        }
    }
}

fn described(set: &Published, here: bool, cache: Option<&Path>) -> Value {
    let folder = match &set.origin {
        Origin::Embedded | Origin::Coloured | Origin::Shifted => None,
        Origin::Files(_) | Origin::Containers(_) => Some(set.name),
        Origin::Archive { folder, .. } => Some(*folder),
    };
    let folder = folder.and_then(|folder| Some(cache?.join(folder).display().to_string()));
    let downloads: Vec<Value> = set
        .downloads()
        .iter()
        .map(|file| {
            let urls: Vec<String> =
                file.mirrors.iter().map(|mirror| format!("{mirror}{}", file.name)).collect();
            let mut told = json!({ "name": file.name, "bytes": file.bytes, "urls": urls });
            let algorithm = match file.digest {
                Digest::Sha256(_) => "sha256",
                Digest::Md5(_) => "md5",
            };
            told[algorithm] = json!(file.digest.digits());
            told
        })
        .collect();
    json!({
        "name": set.name,
        "title": set.title,
        "training_images": set.training_images,
        "validation_images": set.validation_images,
        "test_images": set.test_images,
        "height": set.shape.height,
        "width": set.shape.width,
        "channels": set.shape.channels,
        "classes": set.classes.len(),
        "class_names": set.classes,
        "authors": set.authors,
        "licence": set.licence,
        "citation": set.citation,
        "here": here,
        "downloads": downloads,
        "download_folder": folder,
    })
}
