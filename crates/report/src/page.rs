//! The report as one HTML page that needs nothing beside it.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use study::verdict::{Comparison, Coverage, Outcome, ranking};

use crate::atlas::{self, Atlas, Entry};
use crate::canvas::Canvas;
use crate::chart::{Chart, Quantity};
use crate::confusion::Confusion;
use crate::discussion::discussion;
use crate::figures::recall;
use crate::learning::seconds_per_epoch;
use crate::marks::PALETTE;
use crate::numbers::{
    MISSING, average, counted, loss, percent, points, probability, seconds, shown, shown_seconds, thousands,
};
use crate::svg::image_address;
use crate::text::one_line;
use crate::{Model, Study, TestImages, calibration, curves, markdown, method, plots};

/// `report.html`: the verdict, the curves, what they cost, what goes wrong, how it was made.
pub fn page(study: &Study) -> String {
    let models = study.models();
    let title = markdown::title(study, &models);
    let sections = sections(study, &models);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content="mnist-study";
                // A browser would ask a server for an icon.
                link rel="icon" href="data:,";
                title { (plain(&title)) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                header {
                    h1 { (inline(&title)) }
                    @if models.is_empty() { p { "No run has finished." } }
                    @for verdict in markdown::verdicts(study, &models) { p.verdict { (inline(&verdict)) } }
                    @if let Some(sentence) = study.original_sentence() { p { (sentence) } }
                    @if !sections.is_empty() {
                        nav aria-label="Contents" {
                            ul { @for section in &sections { li { a href={ "#" (section.anchor) } { (section.heading) } } } }
                        }
                    }
                }
                main {
                    @for section in &sections {
                        section id=(section.anchor) aria-labelledby={ (section.anchor) "-heading" } {
                            h2 id={ (section.anchor) "-heading" } { (section.heading) }
                            (section.content)
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

struct Section {
    anchor: &'static str,
    heading: &'static str,
    content: Markup,
}

fn sections(study: &Study, models: &[Model]) -> Vec<Section> {
    if models.is_empty() {
        return Vec::new();
    }
    let section =
        |anchor, heading, content: Option<Markup>| Some(Section { anchor, heading, content: content? });
    let atlas = Atlas::of(models);
    [
        section("models", "The models", Some(models_section(study, models))),
        section("certainty", "How sure this is", certainty(study)),
        section("curves", "Learning curves", Some(curves_section(study))),
        section("costs", "Accuracy and cost", Some(costs(study, models))),
        section("classes", "Classes", classes(models)),
        section("calibration", "Calibration", calibration_section(models)),
        section("errors", "Error atlas", atlas.map(|atlas| errors(study, models, &atlas))),
        section("discussion", "Discussion", Some(discussion_section(study))),
        section("runs", "Every run", Some(runs(models))),
        section("method", "How it was made", Some(method_section(study, models))),
        section("notes", "Warnings and notes", notes(study)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Markdown of one paragraph without the paragraph.
fn inline(markdown: &str) -> Markup {
    let html = rendered(markdown);
    let text = html.trim();
    let text = text.strip_prefix("<p>").and_then(|text| text.strip_suffix("</p>")).unwrap_or(text);
    PreEscaped(text.to_owned())
}

fn rendered(markdown: &str) -> String {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(markdown));
    html
}

/// Markdown's text alone.
fn plain(markdown: &str) -> String {
    use pulldown_cmark::{Event, Parser};
    let text = Parser::new(markdown).filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.into_string()),
        Event::SoftBreak => Some(" ".to_owned()),
        _ => None,
    });
    text.collect()
}

/// The style that makes a model's colour its own.
fn own(model: usize) -> String {
    format!("--own:var(--model-{})", model % PALETTE.len())
}

fn chip(index: usize, name: &str) -> Markup {
    html! { span.chip style=(own(index)) aria-hidden="true" {} (one_line(name)) }
}

/// A table that scrolls sideways where it must, also by the keyboard.
fn table(caption: &str, head: &[&str], rows: Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for cell in head { th scope="col" { (cell) } } } }
                tbody { (rows) }
            }
        }
    }
}

fn models_section(study: &Study, models: &[Model]) -> Markup {
    let head = [
        "model",
        "runs",
        "test accuracy (%)",
        "test loss (nats)",
        "training (s)",
        "an epoch (s)",
        "parameters",
        "operations an image",
    ];
    let rows = html! {
        @for (index, model) in models.iter().enumerate() {
            tr {
                th scope="row" { (chip(index, model.name)) }
                td { (model.runs.len()) }
                td { (shown(&model.figures(|run| run.test.accuracy), percent)) }
                td { (shown(&model.figures(|run| run.test.loss), loss)) }
                td { (shown_seconds(&model.figures(|run| run.train_seconds))) }
                td { (shown_seconds(&model.figures(seconds_per_epoch))) }
                td { (thousands(model.parameters() as u64)) }
                td { (thousands(model.runs.first().map_or(0, |run| run.forward_flops))) }
            }
        }
    };
    let caption =
        if study.repeated() { "Mean ± standard deviation over the runs" } else { "One run a model" };
    html! {
        (table(caption, &head, rows))
        @if models.len() > 2 { (ranks(study, models)) }
    }
}

fn ranks(study: &Study, models: &[Model]) -> Markup {
    let ranks = ranking(study.records, study.comparisons);
    let rows = html! {
        @for rank in &ranks {
            tr {
                td { (markdown::places(rank)) }
                th scope="row" {
                    (chip(models.iter().position(|model| model.name == rank.model).unwrap_or(0), &rank.model))
                }
                td { (percent(rank.accuracy)) }
                td { (group_letters(&rank.groups)) }
            }
        }
    };
    html! {
        h3 { "Ranking" }
        (table("Places that the runs leave open", &["place", "model", "test accuracy (%)", "groups"], rows))
        p.small {
            "Models that share a letter are not told apart by these runs, or are practically equal; the places of a model are those \
             that the decided pairs leave it."
        }
    }
}

/// `a`, `b`, … for the groups of a model.
pub(crate) fn group_letters(groups: &[usize]) -> String {
    let letter = |group: &usize| match u8::try_from(*group) {
        Ok(small @ 0..26) => char::from(b'a' + small).to_string(),
        _ => format!("({group})"),
    };
    groups.iter().map(letter).collect::<Vec<_>>().join(" ")
}

fn certainty(study: &Study) -> Option<Markup> {
    if study.comparisons.is_empty() {
        return None;
    }
    let several = study.comparisons.len() > 1;
    Some(html! {
        @for comparison in study.comparisons { (certainty_of(comparison, several)) }
        p.small {
            "Points are percentage points of test accuracy. The first interval decides; the others are there to see whether another \
             method would say something else. The bootstrap draws runs and images again and is too narrow with few runs; Student's \
             interval knows seeds but not images; McNemar's test takes two trained networks as they are."
            @if several {
                " p-values are corrected by Holm's method, and each deciding interval is drawn at the level at which that method tests \
                 its pair: together they are not a simultaneous set."
            }
        }
    })
}

fn certainty_of(comparison: &Comparison, several: bool) -> Markup {
    let ends = |[lower, upper]: [f64; 2]| format!("[{}, {}]", signed(lower), signed(upper));
    let corrected = if several { " (Holm)" } else { "" };
    let mcnemar: Vec<String> = comparison.mcnemar_p_values.iter().map(|value| probability(*value)).collect();
    let covers = match comparison.interval_covers {
        Coverage::Images => "other test images, not other seeds",
        Coverage::RunsAndImages => "other seeds and other test images",
    };
    let outcome = match comparison.outcome {
        Outcome::ABetter => format!("{} is better", comparison.a),
        Outcome::BBetter => format!("{} is better", comparison.b),
        Outcome::PracticallyEqual => "practically equal: within ±0.05 points".to_owned(),
        Outcome::CannotTell => "cannot tell".to_owned(),
    };
    let rows = html! {
        tr { th scope="row" { "outcome" } td.words { (outcome) } }
        tr { th scope="row" { "difference" } td.words { (signed(comparison.difference)) " points over " (counted(comparison.runs, "paired run")) } }
        tr {
            th scope="row" { "interval" }
            td.words { (ends(comparison.interval)) " at " (average(100.0 * comparison.confidence)) " %, for " (covers) }
        }
        tr { th scope="row" { "p" (corrected) } td.words { (probability(comparison.p_value).trim_start_matches("= ")) } }
        tr {
            th scope="row" { "noise of the seeds" }
            td.words {
                @match comparison.seed_standard_error {
                    Some(error) => { "standard error " (points(error)) },
                    None => { "unknown with one run" },
                }
            }
        }
        tr { th scope="row" { "noise of the test images" } td.words { "standard error " (points(comparison.image_standard_error)) } }
        tr { th scope="row" { "two-way bootstrap" } td.words { (ends(comparison.bootstrap_interval)) " at 95 %" } }
        tr {
            th scope="row" { "Student's paired test over runs" }
            td.words {
                @match comparison.paired_t {
                    Some(test) => { (ends(test.interval)) " at 95 %, p " (probability(test.p_value)) },
                    None => { "needs three runs" },
                }
            }
        }
        tr {
            th scope="row" { "McNemar's exact test, each pair" }
            td.words { @if mcnemar.is_empty() { (MISSING) } @else { "p " (mcnemar.join(", ")) } }
        }
        @if let Some(runs) = comparison.further_runs {
            tr { th scope="row" { "to tell them apart" } td.words { "about " (thousands(runs)) " more runs of each, at 80 % power" } }
        }
    };
    let caption = format!("{} against {}", one_line(&comparison.a), one_line(&comparison.b));
    html! { div.scroll tabindex="0" role="region" aria-label=(caption) { table.facts { caption { (caption) } tbody { (rows) } } } }
}

/// A difference of fractions in points with its sign.
fn signed(fraction: f64) -> String {
    let text = percent(fraction.abs());
    match (fraction < 0.0, text.bytes().all(|byte| matches!(byte, b'0' | b'.'))) {
        (_, true) => text,
        (true, _) => format!("−{text}"),
        (false, _) => format!("+{text}"),
    }
}

fn both(scene: impl Fn(Canvas) -> crate::Scene) -> Markup {
    html! {
        (PreEscaped(scene(Canvas::Wide).to_page_svg("wide")))
        (PreEscaped(scene(Canvas::Narrow).to_page_svg("narrow")))
    }
}

fn curves_section(study: &Study) -> Markup {
    html! {
        @for (quantity, heading) in [(Quantity::Accuracy, "Accuracy"), (Quantity::Loss, "Loss")] {
            @let chart = curves::chart(study, quantity);
            h3 { (heading) }
            figure {
                (both(|canvas| chart.scene(canvas)))
                figcaption {
                    (chart.subtitle) ". "
                    @for note in &chart.notes { (note) " " }
                    "Point at an epoch for its values."
                }
            }
            details { summary { "The values" } (values(&chart)) }
        }
    }
}

fn values(chart: &Chart) -> Markup {
    let shown = |value: f64| match chart.quantity {
        Quantity::Accuracy => format!("{value:.2}"),
        Quantity::Loss => format!("{value:.4}"),
    };
    let rows = html! {
        @for curve in &chart.curves {
            @for value in curve.pieces.iter().flatten() {
                tr {
                    th scope="row" { (chip(curve.model, &chart.names[curve.model])) }
                    td { @if curve.training { "training" } @else { (chart.validation) } }
                    td { (value.epoch) }
                    td { (shown(value.mean)) }
                    td { (shown(value.smallest)) }
                    td { (shown(value.largest)) }
                }
            }
        }
    };
    let caption = match chart.quantity {
        Quantity::Accuracy => "Accuracy in per cent",
        Quantity::Loss => "Loss in nats",
    };
    table(caption, &["model", "images", "epoch", "mean", "smallest", "largest"], rows)
}

fn costs(study: &Study, models: &[Model]) -> Markup {
    let against_time = |canvas| {
        let shown = |value: f64| format!("{} s", seconds(value));
        plots::accuracy_against(study, canvas, "training time (s)", shown, |run| run.train_seconds)
    };
    let against_size = |canvas| {
        let shown = |value: f64| thousands((value * 1000.0).round() as u64);
        plots::accuracy_against(study, canvas, "parameters (thousands)", shown, |run| {
            run.parameters as f64 / 1000.0
        })
    };
    let rows = html! {
        @for (index, model) in models.iter().enumerate() {
            tr {
                th scope="row" { (chip(index, model.name)) }
                td { (shown(&model.figures(|run| run.test.accuracy), percent)) }
                td { (thousands(model.parameters() as u64)) }
                td { (thousands(model.runs.first().map_or(0, |run| run.forward_flops / 2))) }
                td { (shown_seconds(&model.figures(|run| run.train_seconds))) }
                td { (shown_seconds(&model.figures(|run| run.evaluate_seconds))) }
                td { (shown_seconds(&model.figures(|run| run.total_seconds))) }
            }
        }
    };
    let head = [
        "model",
        "test accuracy (%)",
        "parameters",
        "multiply-adds an image",
        "training (s)",
        "evaluation (s)",
        "in all (s)",
    ];
    html! {
        h3 { "Against training time" }
        figure { (both(against_time)) }
        h3 { "Against parameters" }
        figure { (both(against_size)) }
        (table("The table of costs", &head, rows))
        @if !study.one_machine() {
            p { "The runs were made on different machines or kernels: their times are not comparable." }
        }
    }
}

fn classes(models: &[Model]) -> Option<Markup> {
    let all: Vec<(usize, &Model, Confusion)> = models
        .iter()
        .enumerate()
        .filter_map(|(index, model)| Some((index, model, Confusion::of(model)?)))
        .collect();
    let classes = all.iter().map(|(.., confusion)| confusion.classes).max()?;
    // Bars begin at the hundred's lower part, where the differences are.
    let lowest = all
        .iter()
        .flat_map(|(.., confusion)| (0..confusion.classes).filter_map(|class| confusion.recall(class)))
        .fold(1.0, f64::min);
    let floor = (lowest * 20.0 - 0.5).floor().max(0.0) / 20.0;
    let share = |recall: Option<f64>| recall.map_or(0.0, |recall| (recall - floor) / (1.0 - floor).max(1e-9));
    let mut head = vec!["class".to_owned()];
    head.extend(all.iter().map(|(_, model, _)| one_line(model.name)));
    let rows = html! {
        @for class in 0..classes {
            tr {
                th scope="row" { (class) }
                @for (index, _, confusion) in all.iter().filter(|(.., confusion)| class < confusion.classes) {
                    td.bar style={ (own(*index)) ";--share:" (format!("{:.3}", share(confusion.recall(class)))) } {
                        (recall(confusion, class))
                    }
                }
            }
        }
    };
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let caption =
        format!("Images of each class that are recognised, in per cent; bars begin at {} %", percent(floor));
    Some(html! {
        h3 { "Recall" }
        (table(&caption, &head, rows))
        h3 { "Confusion" }
        p.small { "Rows are true classes, columns the classes given; images, a mean over the runs. The diagonal is what is right." }
        div.matrices { @for (index, model, confusion) in &all { (matrix(*index, model.name, confusion)) } }
    })
}

fn matrix(index: usize, name: &str, confusion: &Confusion) -> Markup {
    let largest = confusion.largest_error().max(1.0);
    let caption = format!("Confusion of {}", one_line(name));
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.matrix style=(own(index)) {
                caption { (chip(index, name)) }
                thead { tr { td {} @for given in 0..confusion.classes { th scope="col" { (given) } } } }
                tbody {
                    @for label in 0..confusion.classes {
                        tr {
                            th scope="row" { (label) }
                            @for given in 0..confusion.classes {
                                @let value = confusion.at(label, given);
                                @if label == given {
                                    td.right style="--share:0" { (format!("{value:.0}")) }
                                } @else {
                                    td style={ "--share:" (format!("{:.3}", (value / largest).sqrt())) } {
                                        @if value > 0.0 { (average(value)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn calibration_section(models: &[Model]) -> Option<Markup> {
    let measured = |model: &Model| model.runs.iter().all(|run| calibration::brier(run).is_some());
    if !models.iter().any(measured) {
        return None;
    }
    let figure = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let rows = html! {
        @for (index, model) in models.iter().enumerate() {
            tr {
                th scope="row" { (chip(index, model.name)) }
                td { (shown(&model.figures(|run| run.test.loss), loss)) }
                td { (shown(&model.figures(|run| figure(calibration::brier(run))), loss)) }
                td { (shown(&model.figures(|run| figure(calibration::calibration_error(run))), percent)) }
            }
        }
    };
    let head = ["model", "negative log-likelihood (nats)", "Brier score", "calibration error (points)"];
    let bins = html! {
        @for (index, model) in models.iter().enumerate() {
            @for bin in calibration::bins(&model.runs).unwrap_or_default() {
                tr {
                    th scope="row" { (chip(index, model.name)) }
                    td { (percent(bin.confidence)) }
                    td { (percent(bin.accuracy)) }
                    td { (thousands(bin.count as u64)) }
                }
            }
        }
    };
    Some(html! {
        (table("Smaller is better; calibration error over 15 bins of equal mass", &head, rows))
        @if plots::calibration(models, Canvas::Wide).is_some() {
            figure {
                (both(|canvas| plots::calibration(models, canvas).expect("as on the other canvas")))
                figcaption {
                    "Predictions in bins of equal mass, from the most doubtful to the surest, all runs together. Above the dotted line a \
                     model is wrong more often than it says: it is too sure. A bin without an error is not drawn."
                }
            }
        }
        details {
            summary { "The bins" }
            (table("Bins", &["model", "mean confidence (%)", "right (%)", "predictions"], bins))
        }
    })
}

/// Images of a kind that are shown; a page of all of them would be read by nobody.
const SHOWN: usize = 24;

fn errors(study: &Study, models: &[Model], atlas: &Atlas) -> Markup {
    let images = atlas::pixels(study.images, atlas);
    let kind = |heading: &str, words: String, entries: &[&Entry]| {
        html! {
            h3 { (heading) }
            p {
                (words)
                @if entries.len() > SHOWN { " The hardest " (SHOWN) " are shown." }
            }
            @if !entries.is_empty() {
                ul.digits { @for entry in entries.iter().take(SHOWN) { (digit(models, images, entry)) } }
            }
        }
    };
    let all = atlas.missed_by_all();
    let disputed = atlas.disputed();
    html! {
        p.small {
            "An image is named by its place in the test file, from 0. Behind a model's answer stands the probability that it gives \
             that class, a mean over the runs, and how many of its runs are wrong."
            @if images.is_none() { " The images themselves are not at hand." }
        }
        (kind("Missed by every run of every model", format!("{}.", counted(all.len(), "image")), &all))
        @if models.len() > 1 {
            @for (index, model) in models.iter().enumerate() {
                @let only = atlas.missed_only_by(index);
                (kind(
                    &format!("Missed by {} alone", one_line(model.name)),
                    format!("{} that most of its runs miss and no run of another model.", counted(only.len(), "image")),
                    &only,
                ))
            }
        }
        @if atlas.is_mnist {
            (kind(
                "Disputed labels",
                format!(
                    "{} whose label most of five people rejected (Northcutt, Athalye and Mueller 2021).",
                    counted(disputed.len(), "image")
                ),
                &disputed,
            ))
            (corrected(models))
        }
    }
}

fn digit(models: &[Model], images: Option<TestImages>, entry: &Entry) -> Markup {
    let address = images.and_then(|images| image_address(images.width, images.get(entry.image)?));
    html! {
        li {
            @if let Some(address) = address {
                img src=(address) width="84" height="84" alt={ "Test image " (entry.image) ", labelled " (entry.label) };
            }
            div.label { "label " (entry.label) }
            @match entry.disputed {
                Some(Some(preferred)) => div.small { "people say " (preferred) },
                Some(None) => div.small { "people do not agree" },
                None => {}
            }
            div.small { "image " (thousands(entry.image as u64)) }
            @for (index, (model, guess)) in models.iter().zip(&entry.guesses).enumerate() {
                div {
                    (chip(index, model.name)) ": " (guess.class)
                    @if let Some(probability) = guess.probability { ", " (format!("{:.0}", 100.0 * probability)) " %" }
                    @if guess.runs > 1 { ", " (guess.missed) "/" (guess.runs) }
                }
            }
        }
    }
}

fn corrected(models: &[Model]) -> Markup {
    let rows = html! {
        @for (index, model) in models.iter().enumerate() {
            tr {
                th scope="row" { (chip(index, model.name)) }
                td { (shown(&model.figures(|run| run.test.accuracy), percent)) }
                td { (shown(&model.figures(atlas::corrected_accuracy), percent)) }
            }
        }
    };
    table(
        "Accuracy in per cent on the labels as they are, and with the ten labels replaced for which people prefer another",
        &["model", "original labels", "corrected labels"],
        rows,
    )
}

fn discussion_section(study: &Study) -> Markup {
    html! {
        @for section in discussion(study) {
            h3 { (section.heading) }
            ul { @for sentence in &section.sentences { li { (inline(sentence)) } } }
        }
    }
}

fn runs(models: &[Model]) -> Markup {
    let rows = html! {
        @for (index, model) in models.iter().enumerate() {
            @for run in &model.runs {
                tr {
                    th scope="row" { (chip(index, model.name)) }
                    td { (run.specification.seed) }
                    td { (percent(run.test.accuracy)) }
                    td { (loss(run.test.loss)) }
                    td { (seconds(run.train_seconds)) }
                    td { (run.test_reads) }
                    td { code { (run.fingerprint.chars().take(16).collect::<String>()) } }
                    td { code { (one_line(&run.id)) } }
                }
            }
        }
    };
    let head = [
        "model",
        "seed",
        "test accuracy (%)",
        "test loss (nats)",
        "training (s)",
        "reads of the test images",
        "fingerprint",
        "record",
    ];
    table("A fingerprint is the beginning of the SHA-256 of the final weights", &head, rows)
}

fn method_section(study: &Study, models: &[Model]) -> Markup {
    let mut words = String::new();
    method::how_it_was_made(&mut words, study, models);
    let words = words.trim_start().strip_prefix("## How it was made").unwrap_or(&words);
    PreEscaped(rendered(words))
}

fn notes(study: &Study) -> Option<Markup> {
    let warnings = study.warnings();
    if warnings.is_empty() && study.notes.is_empty() {
        return None;
    }
    Some(html! { ul { @for note in warnings.iter().chain(study.notes) { li { (one_line(note)) } } } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{comparison, record, records};
    use study::record::Protocol;

    fn all() -> String {
        let mut records = records(&[("cnn", 0.04), ("<b>lstm</b>", 0.12)], 3, 5);
        for record in &mut records {
            for epoch in &mut record.epochs {
                epoch.test_accuracy = Some(epoch.validation_accuracy);
            }
        }
        let comparisons = [comparison("cnn", "<b>lstm</b>", 0.0083)];
        let pixels = vec![7; 1000 * 784];
        let images = Some(TestImages { pixels: &pixels, height: 28, width: 28 });
        page(&Study {
            records: &records,
            comparisons: &comparisons,
            notes: &["a <i>note</i>".to_owned()],
            images,
        })
    }

    #[test]
    fn nothing_is_asked_of_a_network_and_nothing_is_markup_by_its_name() {
        let page = all();
        for forbidden in ["http:", "https:", "<script", "@import", "url(", "<b>lstm", "<i>note"] {
            let places: Vec<&str> = page.match_indices(forbidden).map(|(at, _)| &page[at..at + 60]).collect();
            assert_eq!(places, Vec::<&str>::new(), "{forbidden}");
        }
        assert!(page.contains("&lt;b&gt;lstm&lt;/b&gt;"));
        assert!(page.contains("data:image/png;base64,"));
    }

    #[test]
    fn every_section_is_there_and_linked() {
        let page = all();
        for anchor in [
            "models",
            "certainty",
            "curves",
            "costs",
            "classes",
            "calibration",
            "errors",
            "discussion",
            "runs",
            "method",
            "notes",
        ] {
            assert!(page.contains(&format!("href=\"#{anchor}\"")), "{anchor}");
            assert!(page.contains(&format!("<section id=\"{anchor}\"")), "{anchor}");
        }
        let verdict = page.find("cnn beats").expect("the verdict");
        assert!(verdict < page.find("<main").expect("the rest"));
        assert!(!page.contains("NaN"), "{:?}", page.find("NaN").map(|at| &page[at - 80..at + 20]));
    }

    #[test]
    fn one_run_has_a_page_without_what_it_cannot_say() {
        let records = [record("cnn", 1, 1, 0.05, Protocol::Sound)];
        let page = page(&Study { records: &records, comparisons: &[], notes: &[], images: None });
        assert!(!page.contains("id=\"certainty\"") && !page.contains("id=\"notes\""));
        assert!(page.contains("The images themselves are not at hand."));
    }

    #[test]
    fn differences_have_signs() {
        assert_eq!([signed(0.0083), signed(-0.0083), signed(-1e-9)], ["+0.83", "−0.83", "0.00"]);
        assert_eq!(group_letters(&[0, 2]), "a c");
    }
}
