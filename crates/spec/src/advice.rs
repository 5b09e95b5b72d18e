//! What to write instead of a layer that does not fit.

use crate::{ActivationSpec, LayerSpec, RecurrentSpec, Shape, Units};

/// For a layer that cannot read `input`, which the layers before it in its list have made; empty where nothing can be said.
pub(crate) fn for_layer(before: &[LayerSpec], layer: &LayerSpec, input: Shape) -> String {
    match (reads(layer), input) {
        (Reads::Sequence, Shape::Vector(_)) => whole_sequence(before).unwrap_or_else(|| {
            "only the layers before `flatten`, or a recurrent layer with `sequence`, give a sequence".into()
        }),
        (Reads::Sequence, Shape::Image { .. }) => {
            "put `rows`, `columns`, `pixels` or `patches SIZE` before it".into()
        }
        (Reads::Image, Shape::Vector(_)) => {
            "put it before `flatten`, `dense` and the global pools, which end the part that reads images"
                .into()
        }
        (Reads::Image, Shape::Sequence { .. }) => {
            "put it before the layers that make a sequence of the image".into()
        }
        (Reads::List, Shape::Image { .. }) => "put `flatten` or `global avgpool` before it".into(),
        (Reads::ImageOrSequence, Shape::Vector(_)) => whole_sequence(before)
            .unwrap_or_else(|| "leave it out: there is one value a feature already".into()),
        // It can read that: something else is wrong.
        (Reads::Sequence, Shape::Sequence { .. })
        | (Reads::Image, Shape::Image { .. })
        | (Reads::List, Shape::Vector(_) | Shape::Sequence { .. })
        | (Reads::ImageOrSequence, Shape::Image { .. } | Shape::Sequence { .. })
        | (Reads::Anything, _) => String::new(),
    }
}

/// For a network whose output is not one value a class.
pub(crate) fn for_the_end(layers: &[LayerSpec], output: Shape) -> String {
    match (layers.last(), output) {
        (_, Shape::Image { .. }) => "end with `flatten` and `dense classes`".into(),
        (Some(LayerSpec::Dense { units: Units::Count(units), .. }), Shape::Vector(_)) => {
            format!("write `dense classes` in the place of `dense {units}`")
        }
        (_, Shape::Vector(_)) => "end with `dense classes`".into(),
        (_, Shape::Sequence { .. }) => {
            let recurrent = layers.iter().rev().find_map(|layer| {
                let LayerSpec::Recurrent(spec) = layer else { return None };
                Some(RecurrentSpec { sequence: false, ..*spec })
            });
            match recurrent {
                Some(spec) => {
                    format!("write the last recurrent layer as `{spec}`, which gives its last state alone")
                }
                None => "put `global avgpool` or `flatten` before `dense classes`".into(),
            }
        }
    }
}

/// What is amiss with a last layer after which the output still has one value a class; none where nothing is.
pub(crate) fn of_the_last(layers: &[LayerSpec]) -> Option<String> {
    let last = layers.last()?;
    let done = match last {
        LayerSpec::Activation(ActivationSpec::Relu) => {
            "sets every score below 0 to 0, so that it learns from those no more"
        }
        LayerSpec::Activation(_) => {
            "bounds or bends the scores before the softmax, which holds the probabilities back"
        }
        LayerSpec::Dropout { .. } => "sets scores of whole classes to 0 while it trains",
        LayerSpec::Convolution(_)
        | LayerSpec::Depthwise(_)
        | LayerSpec::MaxPool(_)
        | LayerSpec::AveragePool(_)
        | LayerSpec::GlobalMaxPool
        | LayerSpec::GlobalAveragePool
        | LayerSpec::Dense { .. }
        | LayerSpec::Flatten
        | LayerSpec::BatchNorm
        | LayerSpec::LayerNorm
        | LayerSpec::Rows
        | LayerSpec::Columns
        | LayerSpec::Pixels
        | LayerSpec::Patches { .. }
        | LayerSpec::Position
        | LayerSpec::Attention { .. }
        | LayerSpec::Transpose
        | LayerSpec::Recurrent(_)
        | LayerSpec::Residual { .. } => return None,
    };
    Some(format!(
        "the last layer, `{last}`, {done}: end with `dense classes`, whose scores the softmax makes probabilities of"
    ))
}

/// What a layer can read.
enum Reads {
    Image,
    Sequence,
    /// A list of features, or a sequence.
    List,
    ImageOrSequence,
    Anything,
}

fn reads(layer: &LayerSpec) -> Reads {
    match layer {
        LayerSpec::Convolution(_)
        | LayerSpec::Depthwise(_)
        | LayerSpec::MaxPool(_)
        | LayerSpec::AveragePool(_)
        | LayerSpec::Rows
        | LayerSpec::Columns
        | LayerSpec::Pixels
        | LayerSpec::Patches { .. } => Reads::Image,
        LayerSpec::Position | LayerSpec::Attention { .. } | LayerSpec::Transpose => Reads::Sequence,
        // An image too, by its rows, so that only a list does not fit.
        LayerSpec::Recurrent(_) => Reads::Sequence,
        LayerSpec::Dense { .. } => Reads::List,
        LayerSpec::GlobalMaxPool | LayerSpec::GlobalAveragePool => Reads::ImageOrSequence,
        LayerSpec::Activation(_)
        | LayerSpec::Flatten
        | LayerSpec::Dropout { .. }
        | LayerSpec::BatchNorm
        | LayerSpec::LayerNorm
        | LayerSpec::Residual { .. } => Reads::Anything,
    }
}

/// How the layers before would give a sequence, where one of them made a list of it.
fn whole_sequence(before: &[LayerSpec]) -> Option<String> {
    before.iter().enumerate().rev().find_map(|(index, layer)| match layer {
        LayerSpec::Recurrent(spec) if !spec.sequence => {
            let whole = RecurrentSpec { sequence: true, ..*spec };
            Some(format!("write `{whole}` as layer {}, so that it passes every state on", index + 1))
        }
        LayerSpec::Flatten | LayerSpec::GlobalMaxPool | LayerSpec::GlobalAveragePool => {
            Some(format!("leave out layer {} (`{layer}`), which makes a list of the sequence", index + 1))
        }
        LayerSpec::Convolution(_)
        | LayerSpec::Depthwise(_)
        | LayerSpec::Activation(_)
        | LayerSpec::MaxPool(_)
        | LayerSpec::AveragePool(_)
        | LayerSpec::Dense { .. }
        | LayerSpec::Dropout { .. }
        | LayerSpec::BatchNorm
        | LayerSpec::LayerNorm
        | LayerSpec::Rows
        | LayerSpec::Columns
        | LayerSpec::Pixels
        | LayerSpec::Patches { .. }
        | LayerSpec::Position
        | LayerSpec::Attention { .. }
        | LayerSpec::Transpose
        | LayerSpec::Recurrent(_)
        | LayerSpec::Residual { .. } => None,
    })
}

#[cfg(test)]
mod tests {
    use crate::{Architecture, LayerSpec};

    fn hint(lines: &[&str]) -> String {
        let layers = lines.iter().map(|line| line.parse().expect("a layer")).collect();
        let architecture =
            Architecture { name: "m".into(), summary: String::new(), citation: String::new(), layers };
        architecture.describe([28, 28], 10).expect_err("it does not fit").hint
    }

    #[test]
    fn what_does_not_fit_comes_with_what_to_write() {
        for (lines, told) in [
            (&["lstm 64", "lstm 32", "dense classes"][..], "write `lstm 64 sequence` as layer 1"),
            (
                &["gru 8 bidirectional", "tanh", "attention 2"],
                "write `gru 8 bidirectional sequence` as layer 1",
            ),
            (&["flatten", "lstm 8"], "leave out layer 1 (`flatten`)"),
            (&["conv 4 3x3", "dense classes"], "put `flatten` or `global avgpool` before it"),
            (&["flatten", "conv 4 3x3"], "put it before `flatten`"),
            (&["rows", "maxpool 2"], "put it before the layers that make a sequence"),
            (&["attention 2"], "put `rows`, `columns`, `pixels` or `patches SIZE` before it"),
            (&["flatten", "dense 20"], "write `dense classes` in the place of `dense 20`"),
            (&["flatten", "dense 20", "relu"], "end with `dense classes`"),
            (&["conv 10 3x3", "relu"], "end with `flatten` and `dense classes`"),
            (&["lstm 8 sequence", "dense classes"], "write the last recurrent layer as `lstm 8`"),
            (&["rows", "dense classes"], "put `global avgpool` or `flatten` before `dense classes`"),
            (&["lstm 8", "global avgpool", "dense classes"], "write `lstm 8 sequence` as layer 1"),
            (&["flatten", "global avgpool", "dense classes"], "leave out layer 1"),
            (&[], "end with `flatten` and `dense classes`"),
            // A size that does not fit is no matter of order.
            (&["conv 4 29x29"], ""),
        ] {
            let found = hint(lines);
            assert!(found.starts_with(told) && found.is_empty() == told.is_empty(), "{lines:?}: {found}");
        }
    }

    /// Each number is one that a layer may have, and their product wraps to 65,536 in 64 bits.
    #[test]
    fn sizes_beyond_all_numbers_are_refused() {
        let describe = |lines: &[&str], side| {
            let layers: Vec<LayerSpec> = lines.iter().map(|line| line.parse().expect("a layer")).collect();
            let model =
                Architecture { name: "m".into(), summary: String::new(), citation: String::new(), layers };
            model.describe([side, side], 2).expect_err("too large").problem
        };
        let wide =
            ["conv 65536 1x1", "conv 65536 65536x65536 stride 65536 pad 65535", "flatten", "dense classes"];
        let dilated = ["conv 1 65535x65535 dilation 65536 same", "flatten", "dense classes"];
        for (lines, side) in [(wide.as_slice(), 1), (&dilated, 28)] {
            let problem = describe(lines, side);
            assert!(problem.contains("values of one image with its padding: at most 4194304"), "{problem}");
        }
        let wide = ["conv 65536 1x1", "conv 65536 3x3 pad 1", "flatten", "dense classes"];
        assert_eq!(describe(&wide, 1), "more than 67108864 parameters so far");
        assert_eq!(
            describe(&["flatten", "dense classes"], 1 << 32),
            "images of 1 to 2097152 values expected, 4294967296×4294967296 found"
        );
        let many = vec!["relu"; 2001];
        assert_eq!(describe(&many, 28), "more than 2000 layers");
    }

    /// Spelling refuses a zero; a program need not spell.
    #[test]
    fn layers_that_a_program_made_are_checked_as_well() {
        use crate::{ConvolutionSpec, PoolSpec, Shape, Sliding};
        let image = Shape::Image { height: 4, width: 4, channels: 2 };
        let sliding = Sliding::over(1, 1);
        let convolution = ConvolutionSpec { filters: 2, sliding, groups: 1, bias: true };
        for layer in [
            LayerSpec::Convolution(ConvolutionSpec { groups: 0, ..convolution }),
            LayerSpec::Convolution(ConvolutionSpec {
                sliding: Sliding { stride: 0, ..sliding },
                ..convolution
            }),
            LayerSpec::Convolution(ConvolutionSpec { sliding: Sliding::over(0, 1), ..convolution }),
            LayerSpec::MaxPool(PoolSpec { size: 2, stride: 0 }),
            LayerSpec::Patches { size: 0 },
        ] {
            assert_eq!(
                layer.output(image, 2),
                Err("numbers above 0 are expected, 0 was found".into()),
                "{layer:?}"
            );
        }
        let sequence = Shape::Sequence { steps: 4, features: 2 };
        assert!(LayerSpec::Attention { heads: 0 }.output(sequence, 2).is_err());
    }
}
