//! A drawing or photograph on its way to the models.

use crate::{Problem, bytes};
use data::Corpus;
use digits::{Picture, Steps};
use serde::Deserialize;
use serde_json::{Value, json};

/// Pixels on a side of the largest drawing: that of a pad.
const MOST_SIDE: usize = 2048;

fn yes() -> bool {
    true
}

/// The call `prepare`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prepare {
    #[serde(default)]
    pixels: Option<String>,
    #[serde(default)]
    width: usize,
    #[serde(default)]
    height: usize,
    #[serde(default)]
    file: Option<String>,
    #[serde(default = "yes")]
    polarity: bool,
    #[serde(default = "yes")]
    crop: bool,
    #[serde(default = "yes")]
    scale: bool,
    #[serde(default = "yes")]
    centre: bool,
}

pub(crate) fn prepare(corpus: &Corpus, call: &Prepare) -> Result<Value, Problem> {
    let shape = corpus.training().shape();
    let file = call.file.as_deref().map(|file| bytes::decoded(file, "file")).transpose()?;
    if !corpus.is_prepared_as_mnist() {
        let (picture, file) = match file {
            Some(file) => (None, file),
            None => {
                let (pixels, [width, height]) = drawn(call)?;
                let picture = grey(&pixels, width, height)?;
                (Some(picture), portable_grey_map(&pixels, width, height))
            }
        };
        let size = [shape.height, shape.width, shape.channels];
        let (image, notes) =
            data::read_image("picture", &file, size).map_err(|error| Problem::new(error.to_string()))?;
        let picture = match picture {
            Some(picture) => picture,
            None => Picture::decode(&file).map_err(|error| Problem::new(error.to_string()))?,
        };
        let steps = json!([step("picture", true, &picture)]);
        return Ok(json!({ "steps": steps, "image": bytes::encoded(&image), "notes": notes }));
    }
    let (picture, mut notes) = match file {
        Some(file) => Picture::read(&file).map_err(|error| Problem::new(error.to_string()))?,
        None => {
            let (pixels, [width, height]) = drawn(call)?;
            (grey(&pixels, width, height)?, Vec::new())
        }
    };
    let Prepare { polarity, crop, scale, centre, .. } = *call;
    let prepared = digits::prepare(&picture, Steps { polarity, crop, scale, centre }).map_err(|error| {
        Problem::new(error.to_string()).hint("switch a step off to ask the models all the same")
    })?;
    notes.extend(prepared.notes);
    let steps: Vec<Value> =
        prepared.steps.iter().map(|taken| step(taken.name, taken.applied, &taken.picture)).collect();
    Ok(json!({ "steps": steps, "image": bytes::encoded(&prepared.pixels), "notes": notes }))
}

/// The pixels of a pad.
fn drawn(call: &Prepare) -> Result<(Vec<u8>, [usize; 2]), Problem> {
    let Prepare { pixels: Some(pixels), width, height, .. } = call else {
        return Err(Problem::new("`pixels` or `file` expected, neither found"));
    };
    if !(1..=MOST_SIDE).contains(width) || !(1..=MOST_SIDE).contains(height) {
        return Err(Problem::new(format!("1 to {MOST_SIDE} pixels a side expected, {width}×{height} found")));
    }
    let pixels = bytes::decoded(pixels, "pixels")?;
    if pixels.len() != width * height {
        return Err(Problem::new(format!("{} pixels expected, {} found", width * height, pixels.len())));
    }
    Ok((pixels, [*width, *height]))
}

fn grey(pixels: &[u8], width: usize, height: usize) -> Result<Picture, Problem> {
    let values = pixels.iter().map(|value| f32::from(*value) / 255.0).collect();
    Picture::new(width, height, values).map_err(|error| Problem::new(error.to_string()))
}

/// The simplest image file.
fn portable_grey_map(pixels: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut file = format!("P5 {width} {height} 255\n").into_bytes();
    file.extend(pixels);
    file
}

/// A picture that is shown needs no more.
const SHOWN_SIDE: usize = 280;

fn step(name: &str, applied: bool, picture: &Picture) -> Value {
    let picture = picture.clone().no_larger_than(SHOWN_SIDE);
    let pixels: Vec<u8> = picture.pixels().iter().map(|value| (255.0 * value).round() as u8).collect();
    json!({
        "name": name,
        "applied": applied,
        "width": picture.width(),
        "height": picture.height(),
        "pixels": bytes::encoded(&pixels),
    })
}
