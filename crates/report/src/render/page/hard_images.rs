//! The images that go wrong, drawn.

use maud::{Markup, html};
use spec::ImageShape;

use super::{chip, table};
use crate::words::numbers::counted;
use crate::words::text::one_line;
use crate::{Study, TestImages, tables};
use analysis::hard_images::{Entry, HardImages};

/// Images of a kind that are shown; a page of all of them would be read by nobody.
const SHOWN: usize = 24;

pub(super) fn section(study: &Study, hard: &HardImages) -> Markup {
    let models = study.models();
    let images = study.pixels(hard);
    let kind = |heading: &str, words: String, entries: &[&Entry]| {
        html! {
            div.kind {
                h3 { (heading) }
                p {
                    (words)
                    @if entries.len() > SHOWN { " The hardest " (SHOWN) " are shown." }
                }
                @if !entries.is_empty() {
                    ul.digits { @for entry in entries.iter().take(SHOWN) { (digit(study, images, entry)) } }
                }
            }
        }
    };
    let all = hard.missed_by_all();
    let disputed = hard.disputed();
    html! {
        p.small {
            @if study.analysis.image_names.is_empty() {
                "An image is named by its place in the "
                @if study.analysis.cross_validation.is_some() { "whole set" } @else { "test file" }
                ", from 0."
            } @else {
                "An image is named as the answers or the data set name it."
            }
            " A model's answer is the commonest wrong one of its runs, or \
             the label where none is wrong; behind it stand the probability of that class, a mean over the runs, and how many of its \
             runs are wrong."
            @if images.is_none() { " The images themselves are not at hand." }
        }
        (kind("Missed by every run of every model", format!("{}.", counted(all.len(), "image")), &all))
        @if models.len() > 1 {
            @for (index, model) in models.iter().enumerate() {
                @let only = hard.missed_only_by(index);
                (kind(
                    &format!("Missed by {} alone", one_line(model.name)),
                    format!("{} that most of its runs miss and no run of another model.", counted(only.len(), "image")),
                    &only,
                ))
            }
        }
        @if let Some(corrected) = tables::corrected(study) {
            (kind(
                "Disputed labels",
                format!(
                    "{} whose label most of five people rejected (Northcutt, Athalye and Mueller 2021).",
                    counted(disputed.len(), "image")
                ),
                &disputed,
            ))
            (table(&corrected))
        }
    }
}

/// The wrong answers to an image, each as `model:class`, by the numbers of both: what the script filters by.
fn answers(entry: &Entry) -> String {
    let of_model = |(model, wrong): (usize, &Vec<u8>)| -> Vec<String> {
        wrong.iter().map(|class| format!("{model}:{class}")).collect()
    };
    entry.wrong.iter().enumerate().flat_map(of_model).collect::<Vec<_>>().join(" ")
}

/// Longer side of an image as it is shown, in pixels.
const EDGE: usize = 84;

fn digit(study: &Study, images: Option<TestImages>, entry: &Entry) -> Markup {
    let class = |class: u8| study.class(usize::from(class));
    let address = images.and_then(|images| images.raster(entry.image)?.address());
    let [width, height] = images.map_or([EDGE; 2], |images| {
        let ImageShape { width, height, .. } = images.shape;
        [width, height].map(|side| (EDGE * side).div_ceil(width.max(height)))
    });
    html! {
        li data-image=(entry.image) data-label=(entry.label) data-answers=(answers(entry)) {
            @if let Some(address) = address {
                img src=(address) width=(width) height=(height) alt={ "Test image " (study.image(entry.image)) ", labelled " (class(entry.label)) };
            }
            div.label { "label " (class(entry.label)) }
            @match entry.disputed {
                Some(Some(preferred)) => div.small { "people say " (preferred) },
                Some(None) => div.small { "people do not agree" },
                None => {}
            }
            div.small { "image " (study.image(entry.image)) }
            @for (index, (model, guess)) in study.models().iter().zip(&entry.guesses).enumerate() {
                div {
                    (chip(index, model.name)) ": " (class(guess.class))
                    @if let Some(probability) = guess.probability { ", " (format!("{:.0}", 100.0 * probability)) " %" }
                    @if guess.runs > 1 { ", " (guess.missed) "/" (guess.runs) }
                }
            }
        }
    }
}
