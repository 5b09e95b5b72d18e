//! The pictures beside the curves: training times, confusion matrices, the hardest images.

use crate::Study;
use crate::charts::axis::Scale;
use crate::charts::canvas::{AXIS, BODY, Canvas, GRID, INK, MARGIN, MUTED};
use crate::charts::curves::{on_data, run_words};
use crate::charts::font::Font;
use crate::charts::marks::{Mark, WHITE};
use crate::charts::scene::{Anchor, Colour, Element, Outline, Point, Scene, Stroke, Text};
use crate::words::names::ShortNames;
use crate::words::numbers::{Spread, average, counted, listed, shown_seconds};
use crate::words::text::one_line;
use analysis::{confusion::Confusion, hard_images::Entry, machine::MachineKind, model::Model};

/// More models than these would leave each too little room.
const MODELS: usize = 16;

/// A time beyond every clock's: a damaged figure, which would flatten all others.
const LONGEST_SECONDS: f64 = 1e9;

/// Seconds of training of every model: a bar to the mean, a dot a run; none where no run's are known.
pub(crate) fn time_chart(study: &Study, canvas: Canvas) -> Option<Scene> {
    let models = study.models();
    if study.is_imported() && study.analysis.runs.iter().all(|run| run.train_seconds.is_none()) {
        return None;
    }
    let font = Font::embedded();
    let title = format!("Training time of {}{}", subject(models), on_data(study));
    let of_machine = |machine: &MachineKind| match machine.threads {
        Some(threads) => format!("{}, {}", one_line(machine.cpu), counted(threads, "thread")),
        None => format!("machine {}", one_line(machine.cpu)),
    };
    let mut machines: Vec<String> = Vec::new();
    for machine in study.analysis.machines.iter().map(of_machine) {
        if !machines.contains(&machine) {
            machines.push(machine);
        }
    }
    let mut notes = vec![
        "Drawing batches, forward, backward and update of all epochs; a dot is a run, the bar ends at their mean."
            .to_owned(),
    ];
    if !study.analysis.one_machine() {
        notes.push(
            "Several kinds of machine: dots of different ones are not comparable, and there is no mean over them.".to_owned(),
        );
    }
    if models.len() > MODELS {
        notes.push(format!("The first {MODELS} of {} models.", models.len()));
    }
    let ShortNames { names, note } = ShortNames::of(&models[..models.len().min(MODELS)]);
    notes.extend(note);
    let mut scene = canvas.scene(format!("{title}. {}", run_words(study)));
    let (top, bottom) = canvas.captions(&mut scene, &font, &title, &listed(&machines), &notes);
    let models = &models[..models.len().min(MODELS)];
    let seconds = |model: &Model| -> Vec<f64> {
        let seconds = model.figures(|run| run.train_seconds.unwrap_or(f64::NAN)).into_iter();
        seconds.filter(|seconds| (0.0..LONGEST_SECONDS).contains(seconds)).collect()
    };
    let longest = models.iter().flat_map(seconds).fold(1e-3, f64::max);
    let scale = Scale::Linear { lower: 0.0, upper: longest * 1.05 };
    let names: Vec<String> = names.iter().map(|name| font.fitted(name, BODY, 380.0)).collect();
    let widest = names.iter().map(|name| font.width(name, BODY)).fold(0.0, f64::max);
    let (left, right) = (MARGIN + widest + 20.0, MARGIN + canvas.inner_width() - 220.0);
    let (top, bottom) = (top + 20.0, bottom - 110.0);
    let x = |seconds: f64| left + scale.fraction(seconds) * (right - left);
    let label = |scene: &mut Scene, at: Point, anchor: Anchor, colour: Colour, content: String| {
        scene.text(Text { at, size: BODY, anchor, upwards: false, colour, content });
    };
    for tick in scale.ticks(8) {
        scene.line(&[(x(tick.value), top), (x(tick.value), bottom)], thin(GRID));
        label(&mut scene, (x(tick.value), bottom + 42.0), Anchor::Middle, MUTED, tick.label);
    }
    label(&mut scene, ((left + right) / 2.0, bottom + 86.0), Anchor::Middle, INK, "seconds".to_owned());
    scene.line(&[(left, top), (left, bottom)], thin(AXIS));
    let row = ((bottom - top) / models.len().max(1) as f64).min(260.0);
    for (index, (model, name)) in models.iter().zip(names).enumerate() {
        let middle = top + row * (index as f64 + 0.5);
        let (mark, half) = (Mark::of(index), (row * 0.28).min(64.0));
        label(&mut scene, (left - 16.0, middle + BODY * 0.36), Anchor::End, INK, name);
        let seconds = seconds(model);
        if seconds.is_empty() {
            continue;
        }
        // Clocks of several kinds of machine have no mean.
        let mean = Spread::of(&seconds).filter(|_| model.train_seconds.is_some());
        if let Some(spread) = mean {
            let end = x(spread.mean);
            let corners = vec![
                (left, middle - half),
                (end, middle - half),
                (end, middle + half),
                (left, middle + half),
            ];
            scene.shape(Outline::Polygon(corners), Some(mark.colour), None, 0.55);
        }
        for value in &seconds {
            mark.draw(&mut scene, (x(*value), middle), false);
        }
        let furthest = seconds.iter().copied().fold(0.0, f64::max);
        let at = (x(furthest) + 26.0, middle + BODY * 0.36);
        if mean.is_some() {
            label(&mut scene, at, Anchor::Start, INK, format!("{} s", shown_seconds(mean)));
        }
    }
    Some(scene)
}

/// What counts of images are of: means over the runs, or of a cross-validation the folds of one repetition together.
pub(crate) fn counted_over(study: &Study) -> &'static str {
    match study.analysis.cross_validation {
        Some(_) => "the folds of the first repetition together",
        None => "a mean over the runs",
    }
}

/// Which class each model takes for which, a mean over its runs; none where no model has been tested.
pub(crate) fn confusion_chart(study: &Study, canvas: Canvas) -> Option<Scene> {
    const SHOWN: usize = 6;
    let models = study.models();
    let ShortNames { names, note } = ShortNames::of(models);
    let confusions: Vec<(usize, &String, &Confusion)> = models
        .iter()
        .zip(&names)
        .enumerate()
        .filter_map(|(index, (model, name))| Some((index, name, model.confusion.as_ref()?)))
        .collect();
    if confusions.is_empty() {
        return None;
    }
    let font = Font::embedded();
    let title = format!("Classes taken for others by {}{}", subject(models), on_data(study));
    let mut notes = vec![
        format!("Rows are true classes, columns the classes given; test images, {}.", counted_over(study)),
        "The diagonal, what is right, has no shade.".to_owned(),
    ];
    notes.extend(note);
    if confusions.len() > SHOWN {
        notes.push(format!("The first {SHOWN} of {} models.", confusions.len()));
    }
    let confusions = &confusions[..confusions.len().min(SHOWN)];
    let subtitle = match study.analysis.cross_validation {
        Some(folds) => folds.in_words(),
        None => run_words(study),
    };
    let mut scene = canvas.scene(format!("{title}. {subtitle}"));
    let (top, bottom) = canvas.captions(&mut scene, &font, &title, &subtitle, &notes);
    let columns = match confusions.len() {
        count @ 1..=3 => count,
        4 => 2,
        _ => 3,
    };
    let rows = confusions.len().div_ceil(columns);
    let most = confusions.iter().map(|(.., confusion)| confusion.classes).max().unwrap_or(0);
    let classes: Vec<String> = (0..most).map(|class| study.class(class)).collect();
    let width = canvas.inner_width() / columns as f64;
    let height = (bottom - top) / rows as f64;
    for (place, (index, name, confusion)) in confusions.iter().enumerate() {
        let corner = (MARGIN + width * (place % columns) as f64, top + height * (place / columns) as f64);
        let name = font.fitted(name, BODY, width - 60.0);
        let heading = (name.as_str(), Mark::of(*index).colour);
        draw_confusion(&mut scene, &font, confusion, &classes, heading, corner, [width, height]);
    }
    Some(scene)
}

fn draw_confusion(
    scene: &mut Scene,
    font: &Font,
    confusion: &Confusion,
    classes: &[String],
    (name, colour): (&str, Colour),
    (left, top): Point,
    [width, height]: [f64; 2],
) {
    const HEADING: f64 = 46.0;
    let count = confusion.classes as f64;
    let classes = &classes[..confusion.classes];
    // What is left for the classes' names and for the cells.
    let (across, down) = (width - 30.0, height - HEADING - 16.0);
    let Margins { left: beside, top: above, upwards, size, cell } =
        Margins::of(font, classes, [across, down]);
    let text = |scene: &mut Scene, at: Point, size: f64, anchor: Anchor, colour: Colour, content: String| {
        scene.text(Text { at, size, anchor, upwards: false, colour, content });
    };
    text(scene, (left + beside, top + 32.0), BODY, Anchor::Start, INK, name.to_owned());
    let (x0, y0) = (left + beside, top + HEADING + above);
    let readable = size >= SMALLEST;
    let largest = confusion.largest_error().max(1.0);
    if !readable {
        let edge = cell * count;
        let frame = vec![(x0, y0), (x0 + edge, y0), (x0 + edge, y0 + edge), (x0, y0 + edge)];
        scene.shape(Outline::Polygon(frame), None, Some(thin(AXIS)), 1.0);
    }
    for (label, class) in classes.iter().enumerate() {
        let middle = (label as f64 + 0.5) * cell;
        if readable {
            let [row, column] = [beside, above].map(|room| font.fitted(class, size, room - Margins::GAPS));
            text(scene, (x0 - 14.0, y0 + middle + size * 0.36), size, Anchor::End, MUTED, row);
            let (at, anchor, content) = match upwards {
                true => ((x0 + middle + size * 0.36, y0 - 12.0), Anchor::Start, column),
                false => ((x0 + middle, y0 - 12.0), Anchor::Middle, class.clone()),
            };
            scene.text(Text { at, size, anchor, upwards, colour: MUTED, content });
        }
        for given in 0..confusion.classes {
            let value = confusion.at(label, given);
            let (x, y) = (x0 + given as f64 * cell, y0 + label as f64 * cell);
            let corners = vec![(x, y), (x + cell, y), (x + cell, y + cell), (x, y + cell)];
            let share = if label == given { 0.0 } else { value / largest };
            let shade = 0.9 * share.sqrt();
            let fill = mixed(WHITE, colour, shade);
            // Lines around the smallest cells would be all that is seen of them.
            let border = readable.then(|| thin(GRID));
            if border.is_some() || shade > 0.0 {
                scene.shape(Outline::Polygon(corners), Some(fill), border, 1.0);
            }
            if readable && value > 0.0 {
                let ink = match (label == given, shade > 0.7) {
                    (true, _) => MUTED,
                    (false, true) => WHITE,
                    (false, false) => INK,
                };
                let at = (x + cell / 2.0, y + cell / 2.0 + size * 0.36);
                // A thousand images and a decimal would not fit.
                let shown = if value >= 100.0 { format!("{value:.0}") } else { average(value) };
                text(scene, at, size, Anchor::Middle, ink, shown);
            }
        }
    }
}

/// The smallest text that is written into a matrix and beside it.
const SMALLEST: f64 = 12.0;

/// The room that the names of the classes have beside a matrix and above it.
struct Margins {
    left: f64,
    top: f64,
    /// Whether the names above it run upwards, being wider than a cell.
    upwards: bool,
    /// Of all text but the heading.
    size: f64,
    /// Edge of a cell.
    cell: f64,
}

impl Margins {
    /// What numbers need.
    const LEAST: f64 = 44.0;
    /// Before a name and after it.
    const GAPS: f64 = 18.0;
    /// Text is so much of a cell.
    const TEXT: f64 = 0.36;

    /// Of a matrix with its names in so much room from left to right and from top to bottom: names get what they need, but
    /// neither more than a third of it nor so much that the cells could not be read.
    fn of(font: &Font, classes: &[String], [across, down]: [f64; 2]) -> Self {
        let count = classes.len() as f64;
        let cell = |left: f64, top: f64| ((across - left) / count).min((down - top) / count);
        let size = |cell: f64| (cell * Self::TEXT).min(BODY);
        let (mut left, mut top) = (Self::LEAST, Self::LEAST);
        let largest = size(cell(left, top));
        let mut upwards = false;
        if largest >= SMALLEST {
            let widest = classes.iter().map(|name| font.width(name, largest)).fold(0.0, f64::max);
            let most = |room: f64| (room / 3.0).min(room - count * SMALLEST / Self::TEXT);
            let needed = |room: f64| (widest.ceil() + Self::GAPS).min(most(room)).max(Self::LEAST);
            left = needed(across);
            upwards = widest > cell(left, top) - 8.0;
            if upwards {
                top = needed(down);
            }
        }
        let cell = cell(left, top);
        // Rounding alone could make it smaller where it was not.
        let size = if largest >= SMALLEST { size(cell).max(SMALLEST) } else { size(cell) };
        Self { left, top, upwards, size, cell }
    }
}

/// The test images that the most runs miss, with what the models that miss them take them for; none where there are none to show.
pub(crate) fn digits_chart(study: &Study, canvas: Canvas) -> Option<Scene> {
    const ROWS: usize = 3;
    const MODELS: usize = 3;
    const LARGEST_EDGE: f64 = 140.0;
    const LINE: f64 = 28.0;
    let models = study.models();
    let hard = study.analysis.hard_images.as_ref()?;
    let images = study.pixels(hard)?;
    let font = Font::embedded();
    let class = |class: u8| study.class(usize::from(class));
    // Words need more room than numbers.
    let labels = hard.entries.iter().map(|entry| font.width(&class(entry.label), ANSWER));
    let columns = if labels.fold(0.0, f64::max) > 40.0 { 5 } else { 8 };
    let missed = |entry: &&Entry| entry.guesses.iter().any(|guess| guess.missed > 0);
    let hardest: Vec<&Entry> = hard.entries.iter().filter(missed).take(columns * ROWS).collect();
    if hardest.is_empty() {
        return None;
    }
    let names = study.data_names();
    let of_data = if names.is_empty() { String::new() } else { format!(" of {}", listed(&names)) };
    let title = format!("Test images{of_data} that are hardest for {}", subject(models));
    let subtitle = format!(
        "missed by the most runs (of {}); below each its label and what the models that miss it take it for",
        hard.entries.first().map_or(0, |entry| entry.guesses.iter().map(|guess| guess.runs).sum::<usize>())
    );
    let mut notes = Vec::new();
    // Models that miss an image, by their places.
    let missing = |entry: &Entry| -> Vec<usize> {
        (0..models.len()).filter(|model| entry.guesses[*model].missed > 0).collect()
    };
    let divided = |entry: &&Entry| entry.guesses.iter().any(|guess| (1..guess.runs).contains(&guess.missed));
    if hardest.iter().any(divided) {
        notes.push("(k/n): k of the model's n runs are wrong; without it, all are wrong.".to_owned());
    }
    if hardest.iter().any(|entry| missing(entry).len() > MODELS) {
        notes.push(format!(
            "Of more than {MODELS} models that miss an image, those of which the most runs do."
        ));
    }
    if hardest.iter().any(|entry| entry.disputed.is_some()) {
        notes.push("*: most people asked reject the label (Northcutt, Athalye and Mueller 2021).".to_owned());
    }
    let mut scene = canvas.scene(format!("{title}. {subtitle}."));
    let (top, bottom) = canvas.captions(&mut scene, &font, &title, &subtitle, &notes);
    let width = canvas.inner_width() / columns as f64;
    let height = (bottom - top) / ROWS as f64;
    // As large as the lines below leave room for: the label, and an answer a model.
    let lines = 1 + models.len().min(MODELS);
    let edge = (height - 8.0 - LINE * lines as f64 - 12.0).min(LARGEST_EDGE);
    let pixel = edge / images.shape.width.max(images.shape.height) as f64;
    for (place, entry) in hardest.iter().enumerate() {
        let (x, y) =
            (MARGIN + width * (place % columns) as f64, top + height * (place / columns) as f64 + 8.0);
        let Some(raster) = images.raster(entry.image) else { continue };
        let [right, bottom] = [x + raster.columns as f64 * pixel, y + raster.rows() as f64 * pixel];
        scene.elements.push(Element::Image { at: (x.round(), y.round()), pixel, raster });
        let frame = vec![(x, y), (right, y), (right, bottom), (x, bottom)];
        scene.shape(Outline::Polygon(frame), None, Some(thin(AXIS)), 1.0);
        let star = if entry.disputed.is_some() { "*" } else { "" };
        let room = width - 8.0;
        let mut lines = vec![(INK, answer(&font, "label", &class(entry.label), star, room))];
        let mut missing = missing(entry);
        // The largest shares of runs first, by whole numbers.
        missing.sort_by(|one, other| {
            let [one, other] = [one, other].map(|model| entry.guesses[*model]);
            (other.missed * one.runs).cmp(&(one.missed * other.runs))
        });
        missing.truncate(MODELS);
        missing.sort_unstable();
        for index in missing {
            let (model, guess) = (&models[index], entry.guesses[index]);
            let runs = if guess.missed < guess.runs {
                format!(" ({}/{})", guess.missed, guess.runs)
            } else {
                String::new()
            };
            let content = answer(&font, &one_line(model.name), &class(guess.class), &runs, room);
            lines.push((Mark::of(index).colour, content));
        }
        for (line, (colour, content)) in lines.into_iter().enumerate() {
            let at = (x, y + edge + LINE * (line + 1) as f64);
            scene.text(Text { at, size: ANSWER, anchor: Anchor::Start, upwards: false, colour, content });
        }
    }
    Some(scene)
}

/// Font size of what stands below an image.
const ANSWER: f64 = 24.0;

/// Whose answer, the class, and what stands behind it: a word is cut where it leaves too little for the name, then the name, but
/// no number.
fn answer(font: &Font, name: &str, class: &str, behind: &str, room: f64) -> String {
    let class = font.fitted(class, ANSWER, (room - 72.0 - font.width(behind, ANSWER)).max(60.0));
    let rest = format!(" {class}{behind}");
    font.fitted(name, ANSWER, room - font.width(&rest, ANSWER)) + &rest
}

pub(crate) fn thin(colour: Colour) -> Stroke {
    Stroke { colour, width: 2.0, dash: None }
}

fn mixed(from: Colour, to: Colour, share: f64) -> Colour {
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8;
    Colour(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

pub(crate) fn subject(models: &[Model]) -> String {
    let names: Vec<String> = models.iter().map(|model| one_line(model.name)).collect();
    match names.len() {
        0..=3 => listed(&names),
        several => format!("{several} models"),
    }
}
