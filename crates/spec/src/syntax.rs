//! Layers as people write them.

use crate::{
    ActivationSpec, Cell, ConvolutionSpec, DepthwiseSpec, LayerSpec, PoolSpec, RecurrentSpec, Sliding, Units,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{
    fmt,
    str::{FromStr, SplitWhitespace},
};

/// How one kind of layer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerForm {
    /// What it begins with.
    pub kind: &'static str,
    /// What may follow, optional parts in brackets.
    pub arguments: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
}

/// Every kind of layer that is written as one line. `residual` is a table: see [`LayerSpec::Residual`].
#[rustfmt::skip]
pub const LAYER_FORMS: &[LayerForm] = &[
    form("conv", "FILTERS HxW [stride N] [same | pad N] [dilation N] [groups N] [no bias]", "convolution of an image"),
    form("depthwise", "HxW [stride N] [same | pad N] [dilation N] [no bias]", "convolution with one filter for each channel"),
    form("dense", "UNITS|classes [no bias]", "fully connected; of a sequence, every step alike"),
    form("relu", "", "max(x, 0)"),
    form("leaky relu", "[SLOPE]", "x where positive, else SLOPE times x, 0.01 unless given"),
    form("gelu", "", "x times the normal distribution function of x"),
    form("silu", "", "x times its sigmoid"),
    form("tanh", "", "hyperbolic tangent"),
    form("sigmoid", "", "1 / (1 + exp(-x))"),
    form("maxpool", "SIZE [stride N]", "largest of each window of an image; side by side unless a stride is given"),
    form("avgpool", "SIZE [stride N]", "mean of each window of an image"),
    form("global maxpool", "", "largest of each channel of an image, or feature of a sequence"),
    form("global avgpool", "", "mean of each channel of an image, or feature of a sequence"),
    form("flatten", "", "anything as a plain list of features"),
    form("dropout", "RATE", "while learning, zero with that probability"),
    form("batchnorm", "", "each channel or feature to mean 0 and variance 1 over 16 images, then scaled and shifted"),
    form("layernorm", "", "the channels of a pixel, or the features of a step, to mean 0 and variance 1, then scaled and shifted"),
    form("rows", "", "an image as the sequence of its rows"),
    form("columns", "", "an image as the sequence of its columns"),
    form("pixels", "", "an image as the sequence of its pixels"),
    form("patches", "SIZE", "an image as the sequence of its square patches"),
    form("position", "", "a learnt value added to each feature of each step"),
    form("attention", "HEADS", "multi-head self-attention of a sequence"),
    form("transpose", "", "a sequence with steps and features exchanged"),
    form("lstm", "UNITS [bidirectional] [sequence]", "long short-term memory; last state, or all with `sequence`; an image is read by rows"),
    form("gru", "UNITS [bidirectional] [sequence]", "gated recurrent unit, as lstm"),
    form("rnn", "UNITS [bidirectional] [sequence]", "simple recurrent layer with tanh, as lstm"),
];

const fn form(kind: &'static str, arguments: &'static str, meaning: &'static str) -> LayerForm {
    LayerForm { kind, arguments, meaning }
}

/// Largest whole number in a layer: shapes made of such numbers can be multiplied without overflow.
const LARGEST_NUMBER: usize = 1 << 16;

/// Deepest nesting of residual layers.
const DEEPEST: usize = 16;

/// A layer that is not spelled as any is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("layer `{layer}`: {problem}")]
pub struct SpellingError {
    /// The layer as it was written.
    pub layer: String,
    /// What was expected and what was found.
    pub problem: String,
    /// The kind that was meant to be, where no layer begins so.
    pub unknown_kind: Option<String>,
}

impl FromStr for LayerSpec {
    type Err = SpellingError;

    fn from_str(text: &str) -> Result<Self, SpellingError> {
        let error = |problem, unknown_kind| SpellingError { layer: text.to_owned(), problem, unknown_kind };
        let mut words = text.split_whitespace();
        let known = LAYER_FORMS.iter().find(|form| {
            words = text.split_whitespace();
            form.kind.split(' ').all(|word| words.next() == Some(word))
        });
        let Some(form) = known else {
            let kind = text.split_whitespace().next().unwrap_or_default().to_owned();
            return Err(error("unknown layer".to_owned(), Some(kind)));
        };
        parse(form.kind, &mut Words(words))
            .map_err(|problem| error(format!("{problem}; it is spelled `{form}`"), None))
    }
}

impl fmt::Display for LayerForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind)?;
        if self.arguments.is_empty() { Ok(()) } else { write!(formatter, " {}", self.arguments) }
    }
}

/// What follows a layer's kind.
struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn next(&mut self, expected: &str) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| format!("{expected} expected, nothing found"))
    }

    fn number(&mut self, expected: &str) -> Result<usize, String> {
        whole(self.next(expected)?, expected)
    }

    /// A number of 0 up to, but not including, 1.
    fn fraction(&mut self, expected: &str) -> Result<f64, String> {
        let word = self.next(expected)?;
        let number = word.parse().ok().filter(|number| (0.0..1.0).contains(number));
        number.ok_or_else(|| format!("{expected} of 0 to below 1 expected, `{word}` found"))
    }

    fn end(&mut self) -> Result<(), String> {
        self.0.next().map_or(Ok(()), |word| Err(format!("`{word}` not understood")))
    }
}

fn whole(word: &str, expected: &str) -> Result<usize, String> {
    let number = word.parse().ok().filter(|number| (1..=LARGEST_NUMBER).contains(number));
    number.ok_or_else(|| format!("{expected} of 1 to {LARGEST_NUMBER} expected, `{word}` found"))
}

fn pair(word: &str, expected: &str) -> Result<[usize; 2], String> {
    match word.split_once('x') {
        Some((height, width)) => Ok([whole(height, expected)?, whole(width, expected)?]),
        None => Err(format!("{expected} such as 3x3 expected, `{word}` found")),
    }
}

fn parse(kind: &str, words: &mut Words) -> Result<LayerSpec, String> {
    let spec = match kind {
        "conv" => {
            let filters = words.number("a number of filters")?;
            return convolution(Some(filters), words);
        }
        "depthwise" => return convolution(None, words),
        "dense" => return dense(words),
        "maxpool" | "avgpool" => return pool(kind, words),
        "lstm" | "gru" | "rnn" => return recurrent(kind, words),
        "relu" => LayerSpec::Activation(ActivationSpec::Relu),
        "leaky relu" => {
            let mut slope = 0.01;
            if words.0.clone().next().is_some() {
                slope = words.fraction("a slope")?;
            }
            LayerSpec::Activation(ActivationSpec::LeakyRelu { slope })
        }
        "gelu" => LayerSpec::Activation(ActivationSpec::Gelu),
        "silu" => LayerSpec::Activation(ActivationSpec::Silu),
        "tanh" => LayerSpec::Activation(ActivationSpec::Tanh),
        "sigmoid" => LayerSpec::Activation(ActivationSpec::Sigmoid),
        "global maxpool" => LayerSpec::GlobalMaxPool,
        "global avgpool" => LayerSpec::GlobalAveragePool,
        "flatten" => LayerSpec::Flatten,
        "dropout" => LayerSpec::Dropout { rate: words.fraction("a rate")? },
        "batchnorm" => LayerSpec::BatchNorm,
        "layernorm" => LayerSpec::LayerNorm,
        "rows" => LayerSpec::Rows,
        "columns" => LayerSpec::Columns,
        "pixels" => LayerSpec::Pixels,
        "patches" => LayerSpec::Patches { size: words.number("a size")? },
        "position" => LayerSpec::Position,
        "attention" => LayerSpec::Attention { heads: words.number("a number of heads")? },
        "transpose" => LayerSpec::Transpose,
        _ => unreachable!("every form has its arm: {kind}"),
    };
    words.end()?;
    Ok(spec)
}

fn convolution(filters: Option<usize>, words: &mut Words) -> Result<LayerSpec, String> {
    let [height, width] = pair(words.next("a kernel such as 3x3")?, "a kernel")?;
    let mut sliding = Sliding::over(height, width);
    let (mut groups, mut bias, mut same) = (1, true, false);
    while let Some(word) = words.0.next() {
        match word {
            "stride" => sliding.stride = words.number("a stride")?,
            "dilation" => sliding.dilation = words.number("a dilation")?,
            "groups" if filters.is_some() => groups = words.number("a number of groups")?,
            "same" => same = true,
            "pad" => {
                let word = words.next("a padding")?;
                sliding.padding = if word.contains('x') {
                    let sides = word.split_once('x').map(|(height, width)| (padding(height), padding(width)));
                    let Some((Ok(height), Ok(width))) = sides else { return Err(bad_padding(word)) };
                    [height, width]
                } else {
                    [padding(word)?; 2]
                };
            }
            "no" => no_bias(words, &mut bias)?,
            other => return Err(format!("`{other}` not understood")),
        }
    }
    if same {
        sliding.padding = sliding
            .same_padding()
            .ok_or_else(|| format!("`same` needs a kernel of odd sides, {height}x{width} found"))?;
    }
    Ok(match filters {
        Some(filters) => LayerSpec::Convolution(ConvolutionSpec { filters, sliding, groups, bias }),
        None => LayerSpec::Depthwise(DepthwiseSpec { sliding, bias }),
    })
}

fn padding(word: &str) -> Result<usize, String> {
    let number = word.parse().ok().filter(|number| *number <= LARGEST_NUMBER);
    number.ok_or_else(|| bad_padding(word))
}

fn bad_padding(word: &str) -> String {
    format!("a padding such as 1 or 1x0 expected, `{word}` found")
}

fn no_bias(words: &mut Words, bias: &mut bool) -> Result<(), String> {
    match words.next("`no bias`")? {
        "bias" => *bias = false,
        other => return Err(format!("`no bias` expected, `no {other}` found")),
    }
    Ok(())
}

fn dense(words: &mut Words) -> Result<LayerSpec, String> {
    let units = match words.next("a number of units, or `classes`,")? {
        "classes" => Units::Classes,
        word => Units::Count(whole(word, "a number of units")?),
    };
    let mut bias = true;
    match words.0.next() {
        None => {}
        Some("no") => no_bias(words, &mut bias)?,
        Some(other) => return Err(format!("`{other}` not understood")),
    }
    words.end()?;
    Ok(LayerSpec::Dense { units, bias })
}

fn pool(kind: &str, words: &mut Words) -> Result<LayerSpec, String> {
    let mut spec = PoolSpec::side_by_side(words.number("a size")?);
    match words.0.next() {
        None => {}
        Some("stride") => spec.stride = words.number("a stride")?,
        Some(other) => return Err(format!("`{other}` not understood")),
    }
    words.end()?;
    Ok(if kind == "maxpool" { LayerSpec::MaxPool(spec) } else { LayerSpec::AveragePool(spec) })
}

fn recurrent(kind: &str, words: &mut Words) -> Result<LayerSpec, String> {
    let cell = match kind {
        "lstm" => Cell::Lstm,
        "gru" => Cell::Gru,
        "rnn" => Cell::Rnn,
        _ => unreachable!("every cell has its arm: {kind}"),
    };
    let units = words.number("a number of units")?;
    let mut spec = RecurrentSpec { cell, units, bidirectional: false, sequence: false };
    for word in words.0.by_ref() {
        match word {
            "bidirectional" => spec.bidirectional = true,
            "sequence" => spec.sequence = true,
            other => return Err(format!("`{other}` not understood")),
        }
    }
    Ok(LayerSpec::Recurrent(spec))
}

impl fmt::Display for LayerSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Convolution(spec) => {
                write!(formatter, "conv {} {}", spec.filters, spec.sliding)?;
                if spec.groups > 1 {
                    write!(formatter, " groups {}", spec.groups)?;
                }
                write_bias(formatter, spec.bias)
            }
            Self::Depthwise(spec) => {
                write!(formatter, "depthwise {}", spec.sliding)?;
                write_bias(formatter, spec.bias)
            }
            Self::Activation(spec) => spec.fmt(formatter),
            Self::MaxPool(spec) => write!(formatter, "maxpool {spec}"),
            Self::AveragePool(spec) => write!(formatter, "avgpool {spec}"),
            Self::GlobalMaxPool => formatter.write_str("global maxpool"),
            Self::GlobalAveragePool => formatter.write_str("global avgpool"),
            Self::Dense { units, bias } => {
                match units {
                    Units::Count(units) => write!(formatter, "dense {units}")?,
                    Units::Classes => formatter.write_str("dense classes")?,
                }
                write_bias(formatter, *bias)
            }
            Self::Flatten => formatter.write_str("flatten"),
            Self::Dropout { rate } => write!(formatter, "dropout {rate}"),
            Self::BatchNorm => formatter.write_str("batchnorm"),
            Self::LayerNorm => formatter.write_str("layernorm"),
            Self::Rows => formatter.write_str("rows"),
            Self::Columns => formatter.write_str("columns"),
            Self::Pixels => formatter.write_str("pixels"),
            Self::Patches { size } => write!(formatter, "patches {size}"),
            Self::Position => formatter.write_str("position"),
            Self::Attention { heads } => write!(formatter, "attention {heads}"),
            Self::Transpose => formatter.write_str("transpose"),
            Self::Recurrent(spec) => spec.fmt(formatter),
            Self::Residual { body, shortcut } => {
                write_list(formatter, "residual", body)?;
                if shortcut.is_empty() {
                    return Ok(());
                }
                write_list(formatter, " shortcut", shortcut)
            }
        }
    }
}

fn write_bias(formatter: &mut fmt::Formatter<'_>, bias: bool) -> fmt::Result {
    if bias { Ok(()) } else { formatter.write_str(" no bias") }
}

fn write_list(formatter: &mut fmt::Formatter<'_>, name: &str, layers: &[LayerSpec]) -> fmt::Result {
    write!(formatter, "{name} [")?;
    for (index, layer) in layers.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(formatter, "{comma}{layer}")?;
    }
    formatter.write_str("]")
}

impl fmt::Display for Sliding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [height, width] = self.kernel;
        write!(formatter, "{height}x{width}")?;
        if self.stride > 1 {
            write!(formatter, " stride {}", self.stride)?;
        }
        match self.padding {
            [0, 0] => {}
            padding if Some(padding) == self.same_padding() => formatter.write_str(" same")?,
            [height, width] if height == width => write!(formatter, " pad {height}")?,
            [height, width] => write!(formatter, " pad {height}x{width}")?,
        }
        if self.dilation > 1 {
            write!(formatter, " dilation {}", self.dilation)?;
        }
        Ok(())
    }
}

impl fmt::Display for PoolSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.size)?;
        if self.stride == self.size { Ok(()) } else { write!(formatter, " stride {}", self.stride) }
    }
}

impl fmt::Display for ActivationSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relu => formatter.write_str("relu"),
            Self::LeakyRelu { slope } => write!(formatter, "leaky relu {slope}"),
            Self::Gelu => formatter.write_str("gelu"),
            Self::Silu => formatter.write_str("silu"),
            Self::Tanh => formatter.write_str("tanh"),
            Self::Sigmoid => formatter.write_str("sigmoid"),
        }
    }
}

impl fmt::Display for RecurrentSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = match self.cell {
            Cell::Lstm => "lstm",
            Cell::Gru => "gru",
            Cell::Rnn => "rnn",
        };
        write!(formatter, "{cell} {}", self.units)?;
        if self.bidirectional {
            formatter.write_str(" bidirectional")?;
        }
        if self.sequence { formatter.write_str(" sequence") } else { Ok(()) }
    }
}

/// A layer in a file: a line, or a table.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Line(String),
    Residual(Ways),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ways {
    residual: Vec<Written>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shortcut: Vec<Written>,
}

impl Written {
    fn of(layer: &LayerSpec) -> Self {
        let all = |layers: &[LayerSpec]| layers.iter().map(Self::of).collect();
        match layer {
            LayerSpec::Residual { body, shortcut } => {
                Self::Residual(Ways { residual: all(body), shortcut: all(shortcut) })
            }
            line => Self::Line(line.to_string()),
        }
    }

    fn read(&self, depth: usize) -> Result<LayerSpec, String> {
        if depth > DEEPEST {
            return Err(format!("residual layers nested deeper than {DEEPEST}"));
        }
        let all = |layers: &[Self]| -> Result<Vec<_>, _> {
            layers.iter().map(|layer| layer.read(depth + 1)).collect()
        };
        match self {
            Self::Line(line) => line.parse().map_err(|error: SpellingError| error.to_string()),
            Self::Residual(ways) => {
                Ok(LayerSpec::Residual { body: all(&ways.residual)?, shortcut: all(&ways.shortcut)? })
            }
        }
    }
}

impl Serialize for LayerSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written::of(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LayerSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Written::deserialize(deserializer)?.read(0).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_is_read_as_it_is_written() {
        for line in [
            "conv 32 3x3",
            "conv 8 5x3 stride 2 pad 1x0 dilation 3 groups 4 no bias",
            "conv 8 5x5 same",
            "conv 8 3x3 same dilation 2",
            "conv 8 2x2 pad 1",
            "depthwise 3x3 stride 2 same no bias",
            "relu",
            "leaky relu 0.2",
            "gelu",
            "silu",
            "tanh",
            "sigmoid",
            "maxpool 2",
            "maxpool 3 stride 2",
            "avgpool 7",
            "global maxpool",
            "global avgpool",
            "dense 128",
            "dense classes no bias",
            "flatten",
            "dropout 0.25",
            "batchnorm",
            "layernorm",
            "rows",
            "columns",
            "pixels",
            "patches 7",
            "position",
            "attention 4",
            "transpose",
            "lstm 128",
            "gru 64 bidirectional sequence",
            "rnn 16 sequence",
        ] {
            let layer: LayerSpec = line.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(layer.to_string(), line);
        }
        let spaced: LayerSpec = "  conv  3   3x3  ".parse().expect("spaces do not count");
        assert_eq!(spaced, LayerSpec::convolution(3, 3));
        assert_eq!("leaky relu".parse::<LayerSpec>().expect("a default").to_string(), "leaky relu 0.01");
    }

    #[test]
    fn what_is_wrong_is_told() {
        let problem = |line: &str| line.parse::<LayerSpec>().expect_err(line).to_string();
        for (line, told) in [
            ("conv 32", "a kernel such as 3x3 expected, nothing found; it is spelled `conv FILTERS HxW"),
            ("conv x 3x3", "a number of filters of 1 to 65536 expected, `x` found"),
            ("conv 0 3x3", "`0` found"),
            ("conv 99999 3x3", "`99999` found"),
            ("conv 3 3by3", "a kernel such as 3x3 expected, `3by3` found"),
            ("conv 3 3x3 strid 2", "`strid` not understood"),
            ("conv 3 4x4 same", "`same` needs a kernel of odd sides, 4x4 found"),
            ("conv 3 3x3 no", "`no bias` expected, nothing found"),
            ("depthwise 3x3 groups 2", "`groups` not understood"),
            ("dropout 1", "a rate of 0 to below 1 expected, `1` found"),
            ("dense", "a number of units, or `classes`, expected, nothing found"),
            ("dense 3 4", "`4` not understood"),
            ("relu 6", "`6` not understood; it is spelled `relu`"),
            ("lstm 4 sequences", "`sequences` not understood"),
        ] {
            let found = problem(line);
            assert!(found.contains(told) && found.starts_with(&format!("layer `{line}`: ")), "{found}");
        }
        for (line, kind) in [("cnov 3 3x3", "cnov"), ("leaky 0.1", "leaky"), ("", "")] {
            let error = line.parse::<LayerSpec>().expect_err(line);
            assert_eq!(error.unknown_kind.as_deref(), Some(kind));
        }
    }

    #[test]
    fn files_hold_lines_and_residual_tables() {
        let text = r#"["conv 4 3x3",{"residual":["relu",{"residual":["gelu"]}],"shortcut":["conv 4 1x1"]}]"#;
        let layers: Vec<LayerSpec> = serde_json::from_str(text).expect("two layers");
        assert_eq!(layers[1].to_string(), "residual [relu, residual [gelu]] shortcut [conv 4 1x1]");
        assert_eq!(serde_json::to_string(&layers).expect("text"), text);
        let deep = format!("{}\"relu\"{}", "{\"residual\":[".repeat(20), "]}".repeat(20));
        let error = serde_json::from_str::<LayerSpec>(&deep).expect_err("too deep").to_string();
        assert!(error.contains("nested deeper than 16"), "{error}");
    }
}
