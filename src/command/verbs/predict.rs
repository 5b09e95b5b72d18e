//! `predict`: which class an image file shows.

use super::{instruction_set, kept_models, weights::Saved};
use crate::command::{
    failure::{Failure, Hint},
    interrupt,
    options::{ModelFileArguments, OutputArguments, ReadingArguments, values::Show},
    output,
    reproduce::shell_path,
};
use crate::{
    Answer, Classifier, Error,
    digits::{Bounds, Doubt},
};
use clap::{Args, ValueHint};
use nn::ImageShape;
use records::store::read_at_most;
use serde_json::json;
use std::{
    env, fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    time::Duration,
};

/// `predict`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct PredictArguments {
    #[command(flatten)]
    pub(crate) model: ModelFileArguments,
    /// Image files of any usual kind, size, colour and polarity, folders of such files, or - for standard input
    #[arg(value_name = "IMAGE", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) images: Vec<PathBuf>,
    /// Take each image as it is, of the model's size, instead of finding the digit in it or scaling it
    #[arg(long)]
    pub(crate) as_is: bool,
    /// Whether to show what the model saw: auto shows it when at a terminal
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Show::Auto)]
    pub(crate) show: Show,
    /// Data set whose images and classes an --architecture is for
    #[arg(long, value_name = "NAME|DIR", default_value = "mnist", value_hint = ValueHint::DirPath)]
    pub(crate) dataset: String,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// No image file has more bytes.
const MAXIMUM_INPUT_BYTES: u64 = 1 << 29;

/// Where it is asked to end, a file is given up after this, and what was answered before is lost.
const PATIENCE: Duration = Duration::from_millis(800);

/// Classes of a line beside the most probable one.
const RUNNERS_UP: usize = 2;

/// Answers for every image, then tells which had none.
pub(crate) fn run(arguments: &PredictArguments) -> Result<(), Failure> {
    let dataset = arguments.reading.of(&arguments.dataset);
    let image = match arguments.images.first() {
        Some(image) if image.as_os_str() != STANDARD_INPUT => shell_path(image.display()),
        _ => STANDARD_INPUT.to_owned(),
    };
    let model = kept_models::found(&arguments.model, "predict", &format!(" {image}"))?;
    let saved = Saved::read(&model, &dataset, arguments.output.quiet)?;
    let model = saved.model(instruction_set()?, 1)?;
    let mut classifier = Classifier::new(saved.description, model);
    let mut answers: Vec<(String, Vec<Answer>)> = Vec::new();
    let mut failures: Vec<(String, String)> = Vec::new();
    let _finishing = interrupt::finish_within(PATIENCE);
    for name in &arguments.images {
        let files = match files(name) {
            Ok(files) => files,
            Err(problem) => {
                failures.push((name.display().to_string(), problem));
                continue;
            }
        };
        for file in files {
            if interrupt::requested() {
                break;
            }
            let name = file.display().to_string();
            match file_answers(&mut classifier, &file, arguments.as_is) {
                Ok(found) => answers.push((name, found)),
                Err(problem) => failures.push((name, problem)),
            }
        }
    }
    warn(&answers);
    tell_remarks(&answers);
    let description = classifier.description();
    if arguments.output.json {
        let images = answers.iter().flat_map(|(file, found)| {
            found.iter().enumerate().map(move |(place, answer)| {
                let bounds = answer.bounds.map(|Bounds { left, top, width, height }| {
                    json!({ "left": left, "top": top, "width": width, "height": height })
                });
                json!({
                    "file": file,
                    "class": answer.name,
                    "probability": answer.probability(),
                    "probabilities": answer.probabilities,
                    "digit": place + 1,
                    "digits": found.len(),
                    "bounds": bounds,
                    "warnings": answer.doubts.iter().map(Doubt::to_string).collect::<Vec<_>>(),
                    "notes": answer.remarks,
                })
            })
        });
        let failed = failures.iter().map(|(file, problem)| json!({ "file": file, "error": problem }));
        let result = json!({
            "model": description.architecture,
            "classes": description.classes,
            "images": images.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
            "notes": saved.notes,
        });
        output::json(&format!("{result:#}\n"))?;
    } else {
        let shown = arguments.show == Show::Auto && io::stdout().is_terminal() && has_greys();
        let table = table(&answers, &description.classes, shown.then_some(description.image()));
        output::graphics(&table)?;
    }
    if interrupt::requested() {
        return Err(Failure::interrupted(
            format!("interrupted after {} answers", answers.len()),
            Hint::Again,
        ));
    }
    match &failures[..] {
        [] => Ok(()),
        [(file, problem)] => Err(Failure::new(
            format!("{file}: {problem}"),
            hint(arguments, classifier.finds_digits(), &answers),
        )),
        several => {
            let list: Vec<String> =
                several.iter().map(|(file, problem)| format!("{file}: {problem}")).collect();
            let message = format!("{} files were not classified: {}", list.len(), list.join("; "));
            Err(Failure::new(message, hint(arguments, classifier.finds_digits(), &answers)))
        }
    }
}

fn hint(arguments: &PredictArguments, finds_digits: bool, answers: &[(String, Vec<Answer>)]) -> String {
    let what = match arguments.as_is {
        _ if !finds_digits => "pass image files of a usual kind that are whole",
        true => "without --as-is a digit is found in images of any size",
        false => "pass image files that show whole digits with ground on all sides",
    };
    let others = if answers.is_empty() { "" } else { "; the other files are answered" };
    format!("{what}{others}")
}

/// The file itself, or the image files of a folder by name; says what else there is in a folder.
fn files(name: &Path) -> Result<Vec<PathBuf>, String> {
    if !name.is_dir() {
        return Ok(vec![name.to_owned()]);
    }
    let (mut files, mut others) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(name).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if data::is_image_name(&path) && path.is_file() {
            files.push(path);
        } else if let Some(other) = path.file_name().map(|name| name.to_string_lossy().into_owned())
            && !other.starts_with('.')
        {
            others.push(other);
        }
    }
    others.sort();
    if files.is_empty() {
        return Err("a folder with image files expected, none found in it".to_owned());
    }
    files.sort();
    match &others[..] {
        [] => {}
        [other] => output::note(&format!(
            "{}: 1 entry that is no image file is passed over: {other}",
            name.display()
        )),
        [first, ..] => output::note(&format!(
            "{}: {} entries that are no image files are passed over, {first} for example",
            name.display(),
            others.len()
        )),
    }
    Ok(files)
}

/// What the model says of a file: of an image that is prepared one answer, of others one for each digit.
fn file_answers(classifier: &mut Classifier, file: &Path, as_is: bool) -> Result<Vec<Answer>, String> {
    let bytes = bytes(file).map_err(|error| error.to_string())?;
    let answers = match as_is {
        true => classifier.classify_prepared(&bytes).map(|answer| vec![answer]),
        false => classifier.classify_digits(&bytes),
    };
    // The file is named in front already.
    answers.map_err(|error| match error {
        Error::Picture { problem, .. } => problem.to_string(),
        Error::Data(problem) => problem.to_string().trim_start_matches("image: ").to_owned(),
        other => other.to_string(),
    })
}

/// Says what was done to images on the way to the model: each sentence once, with how many it is of, but sizes together.
fn tell_remarks(answers: &[(String, Vec<Answer>)]) {
    let mut told: Vec<(&str, usize, &str)> = Vec::new();
    let is_one = answers.len() == 1;
    for (file, found) in answers {
        // What is said of a picture, each of its digits says.
        for remark in found.iter().take(1).flat_map(|answer| &answer.remarks) {
            // Pictures come in many sizes.
            let kind = if remark.starts_with("resized from") && !is_one {
                "resized to the model's size"
            } else {
                remark
            };
            match told.iter_mut().find(|(known, ..)| *known == kind) {
                Some((_, count, _)) => *count += 1,
                None => told.push((kind, 1, file)),
            }
        }
    }
    for (remark, count, file) in told {
        match answers.len() {
            1 => output::note(&format!("{file}: {remark}")),
            all => output::note(&format!("{count} of {all} images: {remark}, {file} for example")),
        }
    }
}

/// Says of which files there are several answers, and which answers need a look at the picture.
fn warn(answers: &[(String, Vec<Answer>)]) {
    for (file, found) in answers {
        if found.len() > 1 {
            output::note(&format!("{file}: {} digits found, answered in reading order", found.len()));
        }
        for (place, answer) in found.iter().enumerate() {
            let digit = if found.len() > 1 { format!(", digit {}", place + 1) } else { String::new() };
            for doubt in &answer.doubts {
                output::note(&format!("{file}{digit}: {doubt}"));
            }
        }
    }
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    match file.as_os_str() == STANDARD_INPUT {
        true => read_at_most(io::stdin().lock(), MAXIMUM_INPUT_BYTES),
        false => read_at_most(fs::File::open(file)?, MAXIMUM_INPUT_BYTES),
    }
}

/// Whether the terminal has shades of grey, by the variables that terminals set.
fn has_greys() -> bool {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    variable("NO_COLOR").is_empty()
        && (variable("TERM").contains("256color")
            || ["xterm-kitty", "alacritty", "foot"].contains(&variable("TERM").as_str())
            || !variable("COLORTERM").is_empty())
}

/// A line a digit: the file's name, the class, its probability and those of the next classes, and which of several it is
/// and where; above it, for images of a shape that is given, what the model saw.
fn table(answers: &[(String, Vec<Answer>)], classes: &[String], shape: Option<ImageShape>) -> String {
    let name = |text: &str| output::one_line(text).into_owned();
    let classes: Vec<String> = classes.iter().map(|class| name(class)).collect();
    let names: Vec<String> = answers.iter().map(|(file, _)| name(file)).collect();
    let widest = names.iter().map(|file| file.chars().count()).max().unwrap_or(0);
    let longest = classes.iter().map(|class| class.chars().count()).max().unwrap_or(0);
    let pad = |word: &str, width: usize| " ".repeat(width - word.chars().count());
    let mut text = String::new();
    for (file, (_, found)) in names.iter().zip(answers) {
        for (place, answer) in found.iter().enumerate() {
            if let Some(shape) = shape {
                text.push_str(&half_blocks(&answer.pixels, shape));
            }
            let mut order: Vec<usize> = (0..classes.len()).collect();
            order.sort_by(|one, other| answer.probabilities[*other].total_cmp(&answer.probabilities[*one]));
            let others: Vec<String> = order[1..]
                .iter()
                .take(RUNNERS_UP)
                .map(|class| format!("{} {:.1} %", classes[*class], 100.0 * answer.probabilities[*class]))
                .collect();
            text.push_str(&format!(
                "{file}{}  {}{}  {:5.1} %  (then {})",
                pad(file, widest),
                classes[answer.class],
                pad(&classes[answer.class], longest),
                100.0 * answer.probability(),
                others.join(", ")
            ));
            if let (2.., Some(Bounds { left, top, width, height })) = (found.len(), answer.bounds) {
                let number = place + 1;
                let count = found.len();
                text.push_str(&format!(
                    "  digit {number} of {count}: {width}×{height} pixels at {left}, {top}"
                ));
            }
            text.push('\n');
        }
    }
    text
}

/// An image in a terminal's 24 shades of grey, or its cube of 216 colours, two rows a line.
fn half_blocks(pixels: &[u8], shape: ImageShape) -> String {
    let shade = |pixel: Option<&[u8]>| match *pixel.unwrap_or(&[]) {
        [red, green, blue] => {
            let level = |value: u8| (u32::from(value) * 5 + 127) / 255;
            16 + 36 * level(red) + 6 * level(green) + level(blue)
        }
        [value] => 232 + u32::from(value) * 23 / 255,
        _ => 232,
    };
    let rows: Vec<&[u8]> = pixels.chunks_exact(shape.width * shape.channels).collect();
    let mut text = String::new();
    for pair in rows.chunks(2) {
        for (column, upper) in pair[0].chunks_exact(shape.channels).enumerate() {
            let lower = pair.get(1).map(|row| &row[column * shape.channels..][..shape.channels]);
            text.push_str(&format!("\x1b[38;5;{};48;5;{}m▀", shade(Some(upper)), shade(lower)));
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_probable_classes_are_told_in_order() {
        let answer = Answer {
            class: 1,
            name: "one".into(),
            probabilities: vec![0.1, 0.6, 0.05, 0.25],
            pixels: vec![0; 4],
            bounds: Some(Bounds { left: 7, top: 8, width: 20, height: 30 }),
            doubts: Vec::new(),
            remarks: Vec::new(),
        };
        let classes = ["nought", "one", "two", "three"].map(String::from);
        let answers = [
            ("a.png".to_owned(), vec![answer.clone()]),
            ("longer.png".to_owned(), vec![answer.clone(), answer]),
        ];
        assert_eq!(
            table(&answers, &classes, None),
            "a.png       one      60.0 %  (then three 25.0 %, nought 10.0 %)\n\
             longer.png  one      60.0 %  (then three 25.0 %, nought 10.0 %)  digit 1 of 2: 20×30 pixels at 7, 8\n\
             longer.png  one      60.0 %  (then three 25.0 %, nought 10.0 %)  digit 2 of 2: 20×30 pixels at 7, 8\n"
        );
    }

    #[test]
    fn shades_go_from_black_to_white_and_an_odd_row_has_black_below() {
        let text = half_blocks(&[0, 255, 128, 10, 255, 0], [3, 2].into());
        assert_eq!(text.matches('▀').count(), 4);
        assert_eq!(text.lines().count(), 2);
        assert!(text.starts_with("\x1b[38;5;232;48;5;243m▀\x1b[38;5;255;48;5;232m▀\x1b[0m\n"), "{text:?}");
        assert!(text.ends_with("\x1b[38;5;255;48;5;232m▀\x1b[38;5;232;48;5;232m▀\x1b[0m\n"), "{text:?}");
    }
}
