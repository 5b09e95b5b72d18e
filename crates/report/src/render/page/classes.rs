//! What becomes of the images of each class.

use maud::{Markup, html};

use super::{chip, own, table};
use crate::Study;
use crate::charts::{figures::counted_over, font::Font};
use crate::document::{Cell, Table};
use crate::tables::{self, figure, words};
use crate::words::names::ShortNames;
use crate::words::numbers::{average, percent};
use crate::words::text::one_line;
use analysis::{confusion::Confusion, model::Model};

/// A matrix of more classes would neither be read nor quickly drawn.
const MOST_CLASSES: usize = 64;

/// What stands in its place.
const MOST_ERRORS: usize = 20;

/// Font size of a matrix, in pixels.
const NAME: f64 = 12.8;

/// A longer name of a class is cut beside a matrix, whose tooltip has all of it.
const LONGEST_NAME: f64 = 96.0;

/// With longer names than this columns would be wider than their figures: the names stand upright.
const WIDE_NAME: f64 = 34.0;

pub(super) fn section(study: &Study) -> Option<Markup> {
    let all: Vec<(usize, &Model, &Confusion)> = study
        .models()
        .iter()
        .enumerate()
        .filter_map(|(index, model)| Some((index, model, model.confusion.as_ref()?)))
        .collect();
    let classes = all.iter().map(|(.., confusion)| confusion.classes).max()?;
    let note = ShortNames::of(study.models()).note;
    let recall = tables::recall(study)?;
    Some(html! {
        h3 { "Recall" }
        (table(&recall))
        p.small { "Bars begin at " (percent(tables::floor_of_bars(study))) " %." @if let Some(note) = note { " " (note) } }
        h3 { "Confusion" }
        @if classes <= MOST_CLASSES {
            p.small { "Rows are true classes, columns the classes given; images, " (counted_over(study)) ". The diagonal is what is right." }
            div.matrices { @for (index, model, confusion) in &all { (matrix(study, *index, model.name, confusion)) } }
        } @else {
            p.small { "The " (MOST_ERRORS) " most frequent errors of each model; images, " (counted_over(study)) "." }
            @for (index, model, confusion) in &all { (most_frequent(study, *index, model.name, confusion)) }
        }
    })
}

/// Where a matrix would have too many cells to be read: the largest of them.
fn most_frequent(study: &Study, index: usize, name: &str, confusion: &Confusion) -> Markup {
    let mut errors: Vec<(usize, usize, f64)> = (0..confusion.classes)
        .flat_map(|label| (0..confusion.classes).map(move |given| (label, given, confusion.at(label, given))))
        .filter(|(label, given, images)| label != given && *images > 0.0)
        .collect();
    errors.sort_by(|(.., one), (.., other)| other.total_cmp(one));
    let rows = errors.into_iter().take(MOST_ERRORS).map(|(label, given, images)| {
        let name = Cell::Model(index, one_line(name));
        vec![name, words(study.class(label)), words(study.class(given)), figure(average(images))]
    });
    table(&Table {
        caption: format!("Errors of {}", one_line(name)),
        columns: ["model", "true class", "class given", "images"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    })
}

/// Where the images of a cell are that the page does not show. Nothing but studies of this program's own runs is opened by `page`.
fn more(study: &Study) -> &'static str {
    match study.is_imported() {
        true => "The report shows the hardest images only.",
        false => "The report shows the hardest images only; the command “mnist-study page” opens all.",
    }
}

fn matrix(study: &Study, index: usize, name: &str, confusion: &Confusion) -> Markup {
    let largest = confusion.largest_error().max(1.0);
    let caption = format!("Confusion of {}", one_line(name));
    let font = Font::embedded();
    let hard = study.analysis.hard_images.as_ref();
    let runs = study.analysis.cross_validation.map_or(study.models()[index].runs.len(), |_| 1);
    let taken = hard.map(|hard| hard.taken(index, confusion.classes));
    let images = |label, given| {
        taken.as_ref().map(|taken| taken[label * confusion.classes + given]).filter(|images| *images > 0)
    };
    let all: Vec<String> = (0..confusion.classes).map(|class| study.class(class)).collect();
    let short: Vec<String> = all.iter().map(|class| font.fitted(class, NAME, LONGEST_NAME)).collect();
    let turned = short.iter().any(|class| font.width(class, NAME) > WIDE_NAME);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.matrix style=(own(index)) data-model=(index) data-runs=(runs) data-more=[hard.map(|_| more(study))] {
                caption { (chip(index, name)) }
                thead class=[turned.then_some("turned")] {
                    tr { td {} @for (class, short) in all.iter().zip(&short) { th scope="col" title=(class) { (short) } } }
                }
                tbody {
                    @for label in 0..confusion.classes {
                        tr {
                            th scope="row" title=(all[label]) { (short[label]) }
                            @for given in 0..confusion.classes {
                                @let value = confusion.at(label, given);
                                @if label == given {
                                    td.right style="--share:0" { (format!("{value:.0}")) }
                                } @else {
                                    td style={ "--share:" (format!("{:.3}", (value / largest).sqrt())) } data-images=[images(label, given)] {
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
