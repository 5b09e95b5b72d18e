//! `datasets inspect`: what a data set holds, before anything is trained on it.

use super::models::print;
use crate::command::output;
use crate::command::{
    failure::Failure,
    options::{ListArguments, ReadingArguments},
    show, targets,
    verbs::source,
};
use clap::{Args, ValueHint};
use data::{Corpus, ImageCopy, InspectedPart, Inspection, Place};
use records::store::write_atomically;
use report::{ContactSheet, SheetImage, SheetRow, contact_sheet, thousands};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use train::Subset;

/// `datasets inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// The data set: a known name, a folder of class folders or IDX files, an npz, CSV or CIFAR file
    #[arg(value_name = "NAME|PATH", value_hint = ValueHint::AnyPath)]
    dataset: String,
    #[command(flatten)]
    reading: ReadingArguments,
    /// Draw some training images of each class as a PNG file, and show it in a terminal that can
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    sheet: Option<PathBuf>,
    #[command(flatten)]
    list: ListArguments,
}

/// Images of a class on a sheet.
const IMAGES_A_CLASS: usize = 10;

/// Classes on a sheet: more would be a picture that no viewer shows.
const MOST_CLASSES: usize = 100;

/// As many images are named in a sentence.
const NAMED: usize = 3;

/// Says what there is, and draws it.
pub(super) fn run(arguments: &InspectArguments) -> Result<(), Failure> {
    let name = arguments.reading.of(&arguments.dataset);
    if let Some(sheet) = &arguments.sheet {
        targets::check(&[("the data set", Path::new(&name))], &[("--sheet", sheet)])?;
    }
    let corpus = data::load(&source::source(&name, false)?)?;
    let inspection = Inspection::of(&corpus);
    let drawn = match &arguments.sheet {
        None => None,
        Some(file) => {
            let png = contact_sheet(&sheet(&corpus, &inspection.parts[0])).to_png();
            write_atomically(file, &png)?;
            Some((file.clone(), png))
        }
    };
    let mut text = text(&corpus, &inspection);
    if let Some((file, _)) = &drawn {
        text.push_str(&format!("{}: the first training images of each class\n", file.display()));
    }
    print(&arguments.list, &text, &described(&corpus, &inspection))?;
    if let (Some(drawn), false) = (drawn, arguments.list.json) {
        show::pictures(&[drawn]);
    }
    Ok(())
}

fn text(corpus: &Corpus, inspection: &Inspection) -> String {
    let shape = corpus.training().shape();
    let colour = if shape.is_colour() { "in colour" } else { "in grey" };
    let images: usize = inspection.parts.iter().map(|part| part.images.len()).sum();
    let mut text = format!(
        "{}: {} of {}×{} pixels {colour}, {} classes\n\n",
        corpus.name(),
        output::counted(images, "image"),
        shape.height,
        shape.width,
        corpus.classes()
    );
    text.push_str(&table(corpus, inspection));
    text.push('\n');
    for part in &inspection.parts {
        text.push_str(&format!("{} values: {} to {}\n", part.name, part.range[0], part.range[1]));
    }
    let (mean, std) = statistics(corpus, &inspection.parts[0]);
    text.push_str(&format!(
        "mean and standard deviation of the training images, for a recipe:\n  `preparation = {{ mean = [{}], std = [{}] }}`\n",
        figures(&mean),
        figures(&std)
    ));
    for line in copy_lines(corpus, inspection).into_iter().chain(constant_lines(corpus, inspection)) {
        text.push_str(&line);
        text.push('\n');
    }
    for remark in corpus.remarks() {
        text.push_str(&format!("{remark}\n"));
    }
    text.push_str(&format!("SHA-256 {}\n", corpus.sha256()));
    text
}

/// A row a class, a column a part; names, which may be long, stand last.
fn table(corpus: &Corpus, inspection: &Inspection) -> String {
    let parts = &inspection.parts;
    let row = |name: &str, cell: &dyn Fn(&InspectedPart) -> String| {
        let cells =
            parts.iter().map(|part| format!("{:>width$}  ", cell(part), width = part.name.len().max(8)));
        format!("{}{}\n", cells.collect::<String>(), output::one_line(name))
    };
    let mut text = row("class", &|part| part.name.to_owned());
    for (class, name) in corpus.class_names().iter().enumerate() {
        text.push_str(&row(name, &|part| thousands(part.by_class[class] as u64)));
    }
    text + &row("all", &|part| thousands(part.images.len() as u64))
}

/// Mean and standard deviation by channel, of values from 0 to 1: what `preparation = "standardise"` takes where no validation
/// images are set apart from these.
fn statistics(corpus: &Corpus, part: &InspectedPart) -> (Vec<f64>, Vec<f64>) {
    let indices: Vec<u32> = part.images.clone().map(|index| index as u32).collect();
    let statistics = Subset { dataset: part.set(corpus), indices: Some(&indices) }.statistics();
    (statistics.mean().to_vec(), statistics.std().to_vec())
}

fn figures(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.4}")).collect::<Vec<_>>().join(", ")
}

/// What a person calls an image: its file, or its place.
fn called(corpus: &Corpus, inspection: &Inspection, place: Place) -> String {
    let part = &inspection.parts[place.part];
    match part.set(corpus).file(part.images.start + place.index) {
        Some(file) => file.to_owned(),
        None => format!("{} image {}", part.name, place.index),
    }
}

/// How many images are copies, by the parts that they and what they repeat are in.
fn copy_lines(corpus: &Corpus, inspection: &Inspection) -> Vec<String> {
    let mut lines = Vec::new();
    let name = |part: usize| inspection.parts[part].name;
    for part in 0..inspection.parts.len() {
        for of in 0..=part {
            let copies: Vec<&ImageCopy> = inspection
                .copies
                .iter()
                .filter(|copy| (copy.image.part, copy.of.part) == (part, of))
                .collect();
            if copies.is_empty() {
                continue;
            }
            let examples: Vec<String> = copies
                .iter()
                .take(NAMED)
                .map(|copy| {
                    format!(
                        "{} = {}",
                        called(corpus, inspection, copy.image),
                        called(corpus, inspection, copy.of)
                    )
                })
                .collect();
            let which = if part == of { "earlier ones" } else { &format!("{} images", name(of)) };
            let leakage = if part == of { "" } else { " (leakage: accuracy on them is overstated)" };
            let relabelled = copies.iter().filter(|copy| copy.is_relabelled).count();
            let relabelled = match relabelled {
                0 => String::new(),
                count => format!(", {} of them with another label", thousands(count as u64)),
            };
            lines.push(format!(
                "{} identical to {which}{leakage}{relabelled}, for example {}",
                output::counted(copies.len(), &format!("{} image", name(part))),
                examples.join(", ")
            ));
        }
    }
    if lines.is_empty() {
        lines.push("no two images are identical".to_owned());
    }
    lines
}

fn constant_lines(corpus: &Corpus, inspection: &Inspection) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, part) in inspection.parts.iter().enumerate() {
        let places = part.constant.iter().map(|index| Place { part: number, index: *index });
        let examples: Vec<String> =
            places.take(NAMED).map(|place| called(corpus, inspection, place)).collect();
        if !examples.is_empty() {
            lines.push(format!(
                "{} of one shade, for example {}",
                output::counted(part.constant.len(), &format!("{} image", part.name)),
                examples.join(", ")
            ));
        }
    }
    lines
}

fn described(corpus: &Corpus, inspection: &Inspection) -> Value {
    let shape = corpus.training().shape();
    let place = |place: Place| {
        let part = &inspection.parts[place.part];
        let file = part.set(corpus).file(part.images.start + place.index);
        json!({ "part": part.name, "index": place.index, "file": file })
    };
    let parts: Vec<Value> = inspection
        .parts
        .iter()
        .enumerate()
        .map(|(number, part)| {
            let (mean, std) = statistics(corpus, part);
            let constant: Vec<Value> =
                part.constant.iter().map(|index| place(Place { part: number, index: *index })).collect();
            json!({
                "name": part.name,
                "images": part.images.len(),
                "by_class": part.by_class,
                "range": part.range,
                "mean": mean,
                "std": std,
                "constant": constant,
            })
        })
        .collect();
    let copies: Vec<Value> = inspection
        .copies
        .iter()
        .map(|copy| json!({ "image": place(copy.image), "of": place(copy.of), "is_relabelled": copy.is_relabelled }))
        .collect();
    json!({
        "name": corpus.name(),
        "sha256": corpus.sha256(),
        "height": shape.height,
        "width": shape.width,
        "channels": shape.channels,
        "class_names": corpus.class_names(),
        "parts": parts,
        "copies": copies,
        "warnings": corpus.warnings(),
        "notes": corpus.notes(),
    })
}

/// The first training images of each class.
fn sheet(corpus: &Corpus, part: &InspectedPart) -> ContactSheet {
    let set = part.set(corpus);
    let mut images: Vec<Vec<SheetImage>> = vec![Vec::new(); corpus.classes()];
    for index in part.images.clone() {
        let of_class = &mut images[usize::from(set.labels()[index])];
        if of_class.len() < IMAGES_A_CLASS {
            of_class.push(SheetImage { pixels: set.image(index).to_vec(), captions: Vec::new() });
        }
    }
    let rows =
        corpus.class_names().iter().zip(images).filter(|(_, images)| !images.is_empty()).take(MOST_CLASSES);
    let rows: Vec<SheetRow> =
        rows.map(|(name, images)| SheetRow { heading: None, label: name.clone(), images }).collect();
    let shape = set.shape();
    let shown = match corpus.classes() - rows.len() {
        0 => format!("{} classes", rows.len()),
        hidden => format!("{} classes, {hidden} not shown", rows.len()),
    };
    ContactSheet {
        title: format!("Training images of {}", corpus.name()),
        subtitle: format!("the first of each class; {}×{} pixels, {shown}", shape.height, shape.width),
        columns: [String::new(), String::new()],
        rows,
        shape,
        is_ink: set.is_ink(),
    }
}
