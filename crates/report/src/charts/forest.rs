//! A forest plot: each pair's difference of the measure that decides with the interval that decides it, and what counts as no difference.

use analysis::{
    ranking::Rank,
    verdict::{Comparison, Coverage, Outcome},
};
use records::question::Measure;

use crate::{
    Study,
    charts::{
        axis::Scale,
        canvas::{AXIS, BODY, Canvas, GRID, INK, MARGIN, MUTED},
        curves::on_data,
        curves::run_words,
        figures::{subject, thin},
        font::Font,
        marks::{GREY, Mark},
        scene::{Anchor, Colour, Outline, Point, Scene, Stroke, Text},
    },
    words::{
        names::ShortNames,
        numbers::{confidence, counted, margin_of, signed_of},
        text::{capitalised, one_line},
    },
};

/// More pairs than these would leave each too little room.
const PAIRS: usize = 16;

/// From a pair to the next on a page.
const ROW: f64 = 80.0;

/// A pair's line of words where the plot has no room beside it.
const WORDS: f64 = 44.0;

/// The part of the width that figures may take: as much as signed ones with four decimals need.
const FIGURES: f64 = 0.3;

/// The axis with its labels.
const BELOW: f64 = 120.0;

/// The region of practical equivalence is seen on any scale.
const NARROWEST_REGION: f64 = 9.0;

/// What a reader of the plot must know.
pub(crate) fn notes(study: &Study) -> Vec<String> {
    let pairs = pairs(study);
    let mut notes = vec![format!(
        "A dot is the difference of the models' mean {}, a line the interval {} that decides.",
        study.analysis.decided_by.in_words(),
        levels(pairs.iter().map(|pair| pair.comparison.confidence))
    )];
    notes.push(format!(
        "An interval without 0 tells the models apart. One inside the shaded region, ±{}, makes them practically equal.",
        margin_of(study.analysis.decided_by, study.analysis.thresholds.equivalence_margin)
    ));
    if study.analysis.comparisons.iter().any(|comparison| comparison.interval_covers == Coverage::Images) {
        notes.push("One run of each model: other seeds may give other differences.".to_owned());
    }
    let undrawn = pairs.iter().filter(|pair| Row::of(pair, study, &[]).is_none()).count();
    if undrawn > 0 {
        notes.push(format!("{} without finite figures not drawn.", counted(undrawn, "pair")));
    }
    let all = study.analysis.comparisons.len();
    if let Some(best) = study.analysis.ranking.first().filter(|_| all > PAIRS) {
        notes.push(format!(
            "{} of {all} pairs: {}, which has the {}, and each other model.",
            pairs.len(),
            one_line(&best.model),
            match study.analysis.decided_by {
                Measure::Accuracy => "highest mean accuracy".to_owned(),
                measure if measure.larger_is_better() => format!("highest mean {}", measure.in_words()),
                measure => format!("lowest mean {}", measure.in_words()),
            }
        ));
        notes.extend(ShortNames::of(study.models()).note);
    }
    notes
}

/// At which confidence the intervals are.
fn levels(levels: impl Iterator<Item = f64> + Clone) -> String {
    let (lowest, highest) = (levels.clone().fold(1.0, f64::min), levels.fold(0.0, f64::max));
    match confidence(lowest) == confidence(highest) {
        true => format!("at {}", confidence(lowest)),
        false => format!(
            "at the level at which Holm's method tests its pair ({} to {})",
            confidence(lowest),
            confidence(highest)
        ),
    }
}

/// A comparison, and whether its second model stands first.
struct Pair<'a> {
    comparison: &'a Comparison,
    is_reversed: bool,
}

/// All pairs, or where they are too many the best model and each other, which stand in the order of the ranking.
fn pairs<'a>(study: &'a Study) -> Vec<Pair<'a>> {
    let analysis = &study.analysis;
    let all = &analysis.comparisons;
    match analysis.ranking.split_first().filter(|_| all.len() > PAIRS) {
        None => all.iter().map(|comparison| Pair { comparison, is_reversed: false }).collect(),
        Some((best, others)) => {
            let with_best = |other: &Rank| analysis.comparison_of(&best.model, &other.model);
            let pair =
                |comparison: &'a Comparison| Pair { comparison, is_reversed: comparison.a != best.model };
            others.iter().filter_map(with_best).map(pair).take(PAIRS).collect()
        }
    }
}

/// A pair as it is drawn.
struct Row {
    words: String,
    figures: String,
    outcome: String,
    /// In the measure's unit.
    difference: f64,
    interval: [f64; 2],
    colour: Colour,
}

impl Row {
    /// None of figures that are not numbers. `names` are what the models are called.
    fn of(pair: &Pair, study: &Study, names: &[String]) -> Option<Self> {
        let Pair { comparison, is_reversed } = pair;
        let place = |name: &str| study.models().iter().position(|model| model.name == name).unwrap_or(0);
        let name = |place: usize| names.get(place).cloned().unwrap_or_default();
        let (a, b) = (place(&comparison.a), place(&comparison.b));
        let (first, second) = if *is_reversed { (b, a) } else { (a, b) };
        let [lower, upper] = comparison.interval;
        let (difference, interval) = match is_reversed {
            true => (-comparison.difference, [-upper, -lower]),
            false => (comparison.difference, comparison.interval),
        };
        let (colour, outcome) = match comparison.outcome {
            Outcome::ABetter => (Mark::of(a).colour, format!("{} is better", name(a))),
            Outcome::BBetter => (Mark::of(b).colour, format!("{} is better", name(b))),
            Outcome::PracticallyEqual => (GREY, "practically equal".to_owned()),
            Outcome::CannotTell => (GREY, "not told apart".to_owned()),
        };
        let measure = comparison.measure;
        let shown = |value: f64| signed_of(measure, value, comparison.decimals());
        let row = Self {
            words: format!("{} − {}", name(first), name(second)),
            figures: format!("{} [{}, {}]", shown(difference), shown(interval[0]), shown(interval[1])),
            outcome,
            difference: measure.scale() * difference,
            interval: interval.map(|end| measure.scale() * end),
            colour,
        };
        let drawn =
            [row.difference, row.interval[0], row.interval[1]].iter().all(|value| value.abs() <= 100.0);
        drawn.then_some(row)
    }
}

/// Every pair of models, as high as they need; none where nothing is compared. A picture has its own title and notes; a page has them beside it.
pub(crate) fn scene(study: &Study, canvas: Canvas) -> Option<Scene> {
    let models = study.models();
    let measure = study.analysis.decided_by;
    let margin = measure.scale() * study.analysis.thresholds.equivalence_margin;
    let ShortNames { names, .. } = ShortNames::of(models);
    let rows: Vec<Row> = pairs(study).iter().filter_map(|pair| Row::of(pair, study, &names)).collect();
    if rows.is_empty() {
        return None;
    }
    let font = Font::embedded();
    let title =
        format!("{} compared: {}{}", capitalised(measure.in_words()), subject(models), on_data(study));
    let stacked = canvas == Canvas::Narrow;
    let needed = if stacked { ROW + WORDS } else { ROW };
    let notes = notes(study);
    let words = if canvas.is_on_a_page() { 40.0 } else { canvas.caption_height(&font, &notes) };
    let height = words + needed * rows.len() as f64 + BELOW + 44.0;
    let mut scene = canvas.scene_of_height(format!("{title}. {}", run_words(study)), height);
    let (top, bottom) = canvas.captions(&mut scene, &font, &title, &run_words(study), &notes);
    let (top, bottom) = (top + 20.0, bottom - BELOW);
    let row_height = ((bottom - top) / rows.len() as f64).min(needed * 1.5);
    let bottom = top + row_height * rows.len() as f64;

    // Words stand beside the plot, or above each interval where the canvas is narrow.
    let widest = |texts: &mut dyn Iterator<Item = String>, most: f64| {
        texts.map(|text| font.width(&text, BODY)).fold(0.0, f64::max).min(most * canvas.inner_width())
    };
    let (left, right) = match stacked {
        true => (MARGIN + 30.0, MARGIN + canvas.inner_width() - 30.0),
        false => (
            MARGIN + widest(&mut rows.iter().map(|row| row.words.clone()), 0.25) + 30.0,
            MARGIN + canvas.inner_width()
                - widest(
                    &mut rows.iter().flat_map(|row| [row.figures.clone(), row.outcome.clone()]),
                    FIGURES,
                )
                - 30.0,
        ),
    };
    let ends = rows.iter().flat_map(|row| row.interval);
    let values: Vec<f64> = ends.chain([-margin, margin]).collect();
    let scale = Scale::linear(&values, None, None);
    let x = |points: f64| left + scale.fraction(points) * (right - left);
    let label = |scene: &mut Scene, at: Point, anchor: Anchor, colour: Colour, content: String| {
        scene.text(Text { at, size: BODY, anchor, upwards: false, colour, content });
    };

    let [lower, upper] = [x(-margin), x(margin)];
    let half = ((upper - lower) / 2.0).max(NARROWEST_REGION / 2.0);
    let middle = (lower + upper) / 2.0;
    // From top to bottom, but not behind the words where those stand in the plot.
    let strips: Vec<[f64; 2]> = match stacked {
        true => (0..rows.len())
            .map(|index| top + row_height * index as f64)
            .map(|top| [top + WORDS, top + row_height])
            .collect(),
        false => vec![[top, bottom]],
    };
    let ticks = scale.ticks(if stacked { 4 } else { 7 });
    for [top, bottom] in strips {
        let corners =
            [(middle - half, top), (middle + half, top), (middle + half, bottom), (middle - half, bottom)];
        scene.shape(Outline::Polygon(corners.to_vec()), Some(GREY), None, 0.22);
        for tick in &ticks {
            scene.line(&[(x(tick.value), top), (x(tick.value), bottom)], thin(GRID));
        }
        scene.line(&[(x(0.0), top), (x(0.0), bottom)], Stroke { colour: AXIS, width: 3.0, dash: None });
    }
    for tick in ticks {
        label(&mut scene, (x(tick.value), bottom + 40.0), Anchor::Middle, MUTED, tick.label);
    }
    scene.line(&[(left, bottom), (right, bottom)], thin(AXIS));
    let (unit, side) = (measure.unit(), if measure.larger_is_better() { "right" } else { "left" });
    let axis = match stacked {
        true => format!("{unit}; {side} of 0 the first is better"),
        false => {
            format!("{unit} of {}; to the {side} of 0 the first of a pair is better", measure.in_words())
        }
    };
    label(&mut scene, (MARGIN + canvas.inner_width() / 2.0, bottom + 88.0), Anchor::Middle, INK, axis);

    for (index, row) in rows.iter().enumerate() {
        let top = top + row_height * index as f64;
        let y = match stacked {
            true => top + WORDS + (row_height - WORDS) * 0.4,
            false => top + row_height / 2.0,
        };
        let [lower, upper] = row.interval.map(x);
        let line = Stroke { colour: row.colour, width: 5.0, dash: None };
        scene.line(&[(lower, y), (upper, y)], line);
        for end in [lower, upper] {
            scene.line(&[(end, y - 9.0), (end, y + 9.0)], line);
        }
        scene.shape(Outline::Circle((x(row.difference), y), 10.0), Some(row.colour), None, 1.0);
        let baseline = y + BODY * 0.36;
        let end = MARGIN + canvas.inner_width();
        if stacked {
            let figures = row.figures.clone();
            let room = canvas.inner_width() - font.width(&figures, BODY) - 20.0;
            let words = font.fitted(&row.words, BODY, room);
            label(&mut scene, (MARGIN, top + 32.0), Anchor::Start, INK, words);
            label(&mut scene, (end, top + 32.0), Anchor::End, INK, figures);
            continue;
        }
        let words = font.fitted(&row.words, BODY, left - 30.0 - MARGIN);
        label(&mut scene, (left - 30.0, baseline), Anchor::End, INK, words);
        let room = end - right - 30.0;
        let [figures, outcome] = [&row.figures, &row.outcome].map(|text| font.fitted(text, BODY, room));
        // Two lines where there is room for them.
        match row_height >= 2.0 * BODY + 10.0 {
            true => {
                label(&mut scene, (right + 30.0, y - 6.0), Anchor::Start, INK, figures);
                label(&mut scene, (right + 30.0, y + BODY), Anchor::Start, MUTED, outcome);
            }
            false => label(&mut scene, (right + 30.0, baseline), Anchor::Start, INK, figures),
        }
    }
    Some(scene)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::scene::Element;
    use crate::fixture::{Given, comparison, difference_chart, records};
    use records::question::Question;

    fn texts(scene: &Scene) -> Vec<&str> {
        let mut texts = Vec::new();
        for element in &scene.elements {
            if let Element::Text(text) = element {
                texts.push(text.content.as_str());
            }
        }
        texts
    }

    #[test]
    fn a_pair_is_drawn_where_its_figures_are() {
        let records = records(&[("cnn", 0.05), ("lstm", 0.12)], 3, 1);
        let mut comparisons = [comparison("cnn", "lstm", 0.0083)];
        let drawn = |comparisons: &[Comparison]| {
            let study = Given { records: &records, comparisons, ..Given::default() }.study();
            difference_chart(&study).expect("a pair")
        };
        let scene = drawn(&comparisons);
        let said = texts(&scene);
        for expected in ["cnn − lstm", "+0.83 [+0.63, +1.03]", "cnn is better"] {
            assert!(said.contains(&expected), "{said:?}");
        }
        let circle = |scene: &Scene| {
            scene.elements.iter().find_map(|element| match element {
                Element::Shape { outline: Outline::Circle((x, _), _), fill, .. } => Some((*x, *fill)),
                _ => None,
            })
        };
        let (better, colour) = circle(&scene).expect("a dot");
        assert_eq!(colour, Some(Mark::of(0).colour));
        comparisons[0].outcome = Outcome::BBetter;
        assert_eq!(circle(&drawn(&comparisons)), Some((better, Some(Mark::of(1).colour))));
        // What decides nothing has no model's colour.
        comparisons[0].outcome = Outcome::CannotTell;
        assert_eq!(circle(&drawn(&comparisons)), Some((better, Some(GREY))));
        comparisons[0].difference = f64::NAN;
        let study = Given { records: &records, comparisons: &comparisons, ..Given::default() }.study();
        assert!(difference_chart(&study).is_none());
        assert!(notes(&study).contains(&"1 pair without finite figures not drawn.".to_owned()));
    }

    /// Four decimals are the most that a log-loss has as a rule.
    #[test]
    fn figures_of_log_loss_are_whole() {
        let records = records(&[("cnn", 0.05), ("lstm", 0.12)], 3, 1);
        let mut pair = comparison("cnn", "lstm", -0.771);
        (pair.measure, pair.interval, pair.outcome) =
            (Measure::LogLoss, [-0.8476, -0.6944], Outcome::ABetter);
        let question = Question { decide_by: Measure::LogLoss, ..Default::default() };
        let study = Given {
            records: &records,
            comparisons: std::slice::from_ref(&pair),
            question,
            ..Given::default()
        }
        .study();
        let scene = difference_chart(&study).expect("a pair");
        let said = texts(&scene);
        assert!(said.contains(&"−0.7710 [−0.8476, −0.6944]"), "{said:?}");
        assert!(
            said.contains(&"nats of log-loss; to the left of 0 the first of a pair is better"),
            "{said:?}"
        );
    }

    #[test]
    fn of_many_models_each_is_set_against_the_most_accurate() {
        let names = ["g", "f", "e", "d", "c", "b", "a"];
        let errors = [0.30, 0.25, 0.20, 0.15, 0.10, 0.08, 0.04];
        let models: Vec<(&str, f64)> = names.into_iter().zip(errors).collect();
        let records = records(&models, 3, 2);
        let mut comparisons = Vec::new();
        for (index, (worse, one)) in models.iter().enumerate() {
            for (better, other) in &models[index + 1..] {
                let mut pair = comparison(worse, better, other - one);
                pair.outcome = Outcome::BBetter;
                comparisons.push(pair);
            }
        }
        let study = Given { records: &records, comparisons: &comparisons, ..Given::default() }.study();
        let scene = difference_chart(&study).expect("pairs");
        let said = texts(&scene);
        let drawn: Vec<&str> = said.iter().copied().filter(|text| text.contains(" − ")).collect();
        assert_eq!(drawn, ["a − b", "a − c", "a − d", "a − e", "a − f", "a − g"]);
        assert!(said.contains(&"+4.00 [+3.80, +4.20]") && said.contains(&"a is better"), "{said:?}");
        let told = "6 of 21 pairs: a, which has the highest mean accuracy, and each other model.";
        assert!(notes(&study).contains(&told.to_owned()), "{:?}", notes(&study));
    }

    #[test]
    fn levels_are_told_where_they_differ() {
        let mut comparisons = [comparison("a", "b", 0.01), comparison("a", "c", 0.01)];
        let told = |comparisons: &[Comparison]| levels(comparisons.iter().map(|one| one.confidence));
        assert_eq!(told(&comparisons), "at 95 %");
        comparisons[1].confidence = 0.975;
        assert_eq!(told(&comparisons), "at the level at which Holm's method tests its pair (95 % to 97.5 %)");
    }
}
