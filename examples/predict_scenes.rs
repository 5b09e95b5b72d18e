//! Accuracy of `predict`, scene by scene:
//!
//!     cargo run --release --example predict_scenes -- MODEL.safetensors... [--images N] [--seed N] [--scene WORD] [--pictures FOLDER]
//!
//! prints a table in Markdown. A picture counts as right if all of its digits are told, in their order, and nothing else; one
//! without a digit, if it is refused.
//! With `--pictures` those that are not are written into a folder, each beside what the model saw.
#![expect(clippy::print_stdout, reason = "an example prints")]

#[path = "../tests/command/rendered.rs"]
mod rendered;
#[path = "../tests/command/scenes.rs"]
mod scenes;
#[path = "../tests/command/sheet.rs"]
mod sheet;

use mnist_study::{
    Classifier, data,
    digits::{self, Digit, Picture, PictureError},
};
use rendered::{Drawing, TYPEFACES};
use scenes::SCENES;
use sheet::Sheet;
use std::{env, fs, num::NonZero, path::PathBuf, thread, time::Instant};

/// A picture's file and the digits that it shows.
struct Example {
    file: Vec<u8>,
    digits: Vec<u8>,
    /// What they were drawn after.
    source: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut models, mut images, mut seed, mut word, mut folder) = (Vec::new(), 200, 1, String::new(), None);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} takes a value"));
        match argument.as_str() {
            "--images" => images = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--scene" => word = value()?,
            "--pictures" => folder = Some(PathBuf::from(value()?)),
            _ => models.push(argument),
        }
    }
    let mut classifiers = models.iter().map(Classifier::load).collect::<Result<Vec<_>, _>>()?;
    println!("| scene | pictures | {} | refused | other count | doubted | ms |", models.join(" | "));
    println!("|---|---|{}---|---|---|---|", "---|".repeat(models.len()));
    let corpus = data::load(&data::Source::Mnist)?;
    for (index, scene) in SCENES.iter().enumerate().filter(|(_, scene)| scene.name.contains(&word)) {
        let example = |image: usize| {
            // Other test images in each scene, spread over the set.
            let chosen: Vec<usize> = (0..scene.digits())
                .map(|place| (image * 7_919 + index * 131 + place * 3_571 + seed as usize * 1_009) % 10_000)
                .collect();
            let pixels: Vec<&[u8]> = chosen.iter().map(|image| corpus.test().image(*image)).collect();
            let digits = chosen.iter().map(|image| corpus.test().labels()[*image]).collect();
            let drawn = scene.drawn(&pixels, seed * 1_000_003 + index as u64 * 10_007 + image as u64);
            Example { file: drawn, digits, source: format!("test images {chosen:?}") }
        };
        let name = if scene.has_table() { format!("{} (table)", scene.name) } else { scene.name.to_owned() };
        measure(&name, images, example, &mut classifiers, folder.as_deref())?;
    }
    type Draw = fn(&Drawing, u64) -> Sheet;
    let typefaces: [(&str, usize, f32, Draw); 12] = [
        ("typefaces: 28 pixels", 28, 0.0, |drawing, _| drawing.flat([0; 3], [255; 3])),
        ("48 pixels", 48, 0.0, |drawing, _| drawing.flat([0; 3], [255; 3])),
        ("200 pixels", 200, 0.0, |drawing, _| drawing.flat([0; 3], [255; 3])),
        ("1,000 pixels, blue on yellow", 1_000, 0.0, |drawing, _| {
            drawing.flat([20, 40, 120], [240, 230, 120])
        }),
        ("grey on grey, inverted", 200, 0.0, |drawing, _| drawing.flat([110; 3], [140; 3]).inverted()),
        ("turned by −10 degrees", 200, -10.0, |drawing, _| drawing.flat([0; 3], [255; 3])),
        ("turned by 10 degrees", 200, 10.0, |drawing, _| drawing.flat([0; 3], [255; 3])),
        ("noise 0.1", 200, 0.0, |drawing, seed| drawing.flat([0; 3], [255; 3]).with_noise(0.1, seed)),
        ("noise 0.2", 200, 0.0, |drawing, seed| drawing.flat([0; 3], [255; 3]).with_noise(0.2, seed)),
        ("noise 0.4", 200, 0.0, |drawing, seed| drawing.flat([0; 3], [255; 3]).with_noise(0.4, seed)),
        ("on paper", 400, 0.0, |drawing, seed| drawing.on_paper(seed, false)),
        ("on ruled paper, 1,000 pixels", 1_000, 0.0, |drawing, seed| drawing.on_paper(seed, true)),
    ];
    for (name, side, degrees, draw) in typefaces.into_iter().filter(|(name, ..)| name.contains(&word)) {
        let faces: Vec<_> = TYPEFACES
            .iter()
            .flat_map(|face| (0..10u8).map(move |digit| (*face, digit)))
            .take(images)
            .collect();
        let example = |index: usize| {
            let (face, digit) = faces[index];
            Example {
                file: draw(&Drawing::new(face, digit, side, degrees), seed * 1_000_003 + index as u64).png(),
                digits: vec![digit],
                source: format!("{digit} of {}", face.name),
            }
        };
        measure(name, faces.len(), example, &mut classifiers, folder.as_deref())?;
    }
    Ok(())
}

/// What is found in a picture, and after how many milliseconds.
type Found = (Result<Vec<Digit>, PictureError>, f64);

/// The pictures, drawn and searched on all threads.
fn searched(count: usize, example: impl Fn(usize) -> Example + Sync) -> Vec<(Example, Found)> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let searched = |number| {
        let example = example(number);
        let begin = Instant::now();
        let found = Picture::decode(&example.file).and_then(|picture| digits::digits(&picture));
        (number, (example, (found, 1e3 * begin.elapsed().as_secs_f64())))
    };
    let searched = &searched;
    let mut all: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn(move || (first..count).step_by(threads).map(searched).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no thread panics")).collect()
    });
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, searched)| searched).collect()
}

/// A line of the table.
fn measure(
    name: &str,
    count: usize,
    example: impl Fn(usize) -> Example + Sync,
    classifiers: &mut [Classifier],
    folder: Option<&std::path::Path>,
) -> Result<(), Box<dyn std::error::Error>> {
    let (mut refused, mut other_count, mut doubted) = (0usize, 0usize, 0usize);
    let mut right = vec![0usize; classifiers.len()];
    let mut milliseconds = Vec::new();
    for (number, (Example { file, digits: expected, source }, (found, duration))) in
        searched(count, example).into_iter().enumerate()
    {
        milliseconds.push(duration);
        let mut told = Vec::new();
        match &found {
            Err(problem) => {
                refused += 1;
                if expected.is_empty() {
                    right.iter_mut().for_each(|right| *right += 1);
                } else {
                    told.push(problem.to_string());
                }
            }
            Ok(found) => {
                other_count += usize::from(found.len() != expected.len());
                doubted += usize::from(found.iter().any(|digit| !digit.doubts.is_empty()));
                for (classifier, right) in classifiers.iter_mut().zip(&mut right) {
                    let mut classes = Vec::with_capacity(found.len());
                    for digit in found {
                        classes.push(classifier.classify_pixels(&digit.pixels)?.class as u8);
                    }
                    match classes == expected {
                        true => *right += 1,
                        false => told.push(format!("{classes:?} for {expected:?}")),
                    }
                }
            }
        }
        if let Some(folder) = folder
            && !told.is_empty()
        {
            fs::create_dir_all(folder)?;
            let file_name =
                |more: &str| folder.join(format!("{} {number}{more}", name.replace([' ', ','], "_")));
            let ending = if file.starts_with(b"\x89PNG") { "png" } else { "jpg" };
            fs::write(file_name(&format!(".{ending}")), &file)?;
            let found = found.unwrap_or_default();
            for (place, digit) in found.iter().enumerate().take(9) {
                let seen = image::GrayImage::from_raw(28, 28, digit.pixels.to_vec()).expect("28×28 pixels");
                let seen = image::imageops::resize(&seen, 224, 224, image::imageops::FilterType::Nearest);
                seen.save(file_name(&format!("_{place}.seen.png")))?;
                told.push(format!("{:?} {:?}", digit.bounds, digit.doubts));
            }
            fs::write(file_name(".txt"), format!("{source}\n{}", told.join("\n")))?;
        }
    }
    milliseconds.sort_by(f64::total_cmp);
    let percent = |number: usize| format!("{:.1}", 100.0 * number as f64 / count as f64);
    let accuracies: Vec<String> = right.into_iter().map(percent).collect();
    println!(
        "| {name} | {count} | {} | {} | {} | {} | {:.1} |",
        accuracies.join(" | "),
        percent(refused),
        percent(other_count),
        percent(doubted),
        milliseconds.get(milliseconds.len() / 2).unwrap_or(&0.0)
    );
    Ok(())
}
