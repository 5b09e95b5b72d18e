//! The images that go wrong, drawn.

use maud::{Markup, html};

use super::{chip, table};
use crate::atlas::{self, Atlas, Entry};
use crate::numbers::{counted, percent, shown, thousands};
use crate::svg::image_address;
use crate::text::one_line;
use crate::{Model, Study, TestImages};

/// Images of a kind that are shown; a page of all of them would be read by nobody.
const SHOWN: usize = 24;

pub(super) fn section(study: &Study, models: &[Model], atlas: &Atlas) -> Markup {
    let images = atlas::pixels(study.images, atlas);
    let kind = |heading: &str, words: String, entries: &[&Entry]| {
        html! {
            h3 { (heading) }
            p {
                (words)
                @if entries.len() > SHOWN { " The hardest " (SHOWN) " are shown." }
            }
            @if !entries.is_empty() {
                ul.digits { @for entry in entries.iter().take(SHOWN) { (digit(study, models, images, entry)) } }
            }
        }
    };
    let all = atlas.missed_by_all();
    let disputed = atlas.disputed();
    html! {
        p.small {
            "An image is named by its place in the test file, from 0. A model's answer is the commonest wrong one of its runs, or \
             the label where none is wrong; behind it stand the probability of that class, a mean over the runs, and how many of its \
             runs are wrong."
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

fn digit(study: &Study, models: &[Model], images: Option<TestImages>, entry: &Entry) -> Markup {
    let class = |class: u8| study.class(usize::from(class));
    let address = images.and_then(|images| image_address(images.width, images.get(entry.image)?));
    html! {
        li {
            @if let Some(address) = address {
                img src=(address) width="84" height="84" alt={ "Test image " (entry.image) ", labelled " (class(entry.label)) };
            }
            div.label { "label " (class(entry.label)) }
            @match entry.disputed {
                Some(Some(preferred)) => div.small { "people say " (preferred) },
                Some(None) => div.small { "people do not agree" },
                None => {}
            }
            div.small { "image " (thousands(entry.image as u64)) }
            @for (index, (model, guess)) in models.iter().zip(&entry.guesses).enumerate() {
                div {
                    (chip(index, model.name)) ": " (class(guess.class))
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
