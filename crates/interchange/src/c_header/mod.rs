//! A network in C, for what has no operating system.

mod code;
mod float;
mod integer;

use crate::{
    Description, ImageKind, IntegerNetwork, Quantisation,
    escape::{c_string, identifier},
};
use code::{Code, array, if_cmsis_nn, number};
use nn::{ImageShape, Model, sha256};

/// What a network in C computes with.
#[derive(Debug, Clone, Copy)]
pub enum Arithmetic<'a> {
    /// Weights and activations of float32.
    Float32,
    /// Weights of eight bits. Convolutions and dense layers multiply whole numbers; what flows between layers is float32.
    EightBitWeights(&'a Quantisation),
    /// Weights and activations of eight bits, sums of 32.
    Integer(&'a IntegerNetwork),
}

/// A test image.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    /// Its bytes.
    pub image: &'a [u8],
    /// Its class.
    pub label: u8,
}

/// What a network in C is to be.
#[derive(Debug, Clone, Copy)]
pub struct COptions<'a> {
    /// What it computes with.
    pub arithmetic: Arithmetic<'a>,
    /// What the self-test classifies; a ramp from black to white where there is no such image.
    pub example: Option<Example<'a>>,
    /// Where there is to be a source file beside the header, how it includes the header; in the quotes C knows no escapes.
    pub header_name: Option<&'a str>,
}

/// A network as C99.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CFiles {
    /// To be included: everything there is, or the declarations of what stands in the source.
    pub header: String,
    /// To be compiled once.
    pub source: Option<String>,
}

/// The network as C99: weights as constants, `NAME_classify`, which allocates nothing and calls nothing but functions of
/// `math.h` and `string.h`, and `NAME_self_test`, which says whether it gives the logits that the model gives here. Compiled with
/// `CMSIS_NN` and `CMSIS_NN_USE_SINGLE_ROUNDING` defined, integers are convolved by Arm's CMSIS-NN 7, to the same bits.
///
/// None where the logits of the self-test's image are not all finite numbers: no C would find them again.
///
/// # Panics
/// When `model` is not the one that `description` describes, the arithmetic is another model's, or the example is not of the
/// size of its images.
pub fn c_files(description: &Description, model: &mut Model<f32>, options: COptions) -> Option<CFiles> {
    let name = identifier(&description.architecture);
    let in_float32 = |model: &Model<f32>, quantisation| {
        let (code, support, workspace) = float::code(description, model, quantisation, name.clone());
        (code, support, workspace, None)
    };
    let (code, support, workspace, cmsis_nn_workspace) = match options.arithmetic {
        Arithmetic::Float32 => in_float32(model, None),
        Arithmetic::EightBitWeights(quantisation) => in_float32(model, Some(quantisation)),
        Arithmetic::Integer(network) => integer::code(description, network, name),
    };
    let length = description.image().length();
    let ramp: Vec<u8> = (0..length).map(|index| (index * 255 / length) as u8).collect();
    let image = options.example.map_or(&*ramp, |example| example.image);
    let expected = Expected::of(description, model, options.arithmetic, image);
    let is_finite = expected.logits.iter().all(|logit| logit.is_finite());
    let text = Text { description, code: &code, workspace, cmsis_nn_workspace, options, image, expected };
    is_finite.then(|| text.files(&support))
}

/// What the self-test is to find.
struct Expected {
    logits: Vec<f32>,
    /// How far from them is no fault.
    tolerance: f32,
}

impl Expected {
    fn of(description: &Description, model: &mut Model<f32>, arithmetic: Arithmetic, image: &[u8]) -> Self {
        let largest = |logits: &[f32]| logits.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
        match arithmetic {
            Arithmetic::Float32 => {
                model.set_batch(1, |_| image);
                let logits = model.forward(1).to_vec();
                // Libraries and compilers round sums in other orders.
                Self { tolerance: 1e-4 * largest(&logits), logits }
            }
            Arithmetic::EightBitWeights(quantisation) => {
                let parameters = model.parameters().to_vec();
                quantisation.round_weights(description, model);
                model.set_batch(1, |_| image);
                let logits = quantisation.logits(model, 1).to_vec();
                model.parameters_mut().copy_from_slice(&parameters);
                // A value on the border of two numbers may go to the other one.
                Self { tolerance: 0.1 * largest(&logits), logits }
            }
            Arithmetic::Integer(network) => Self { logits: network.logits_of(image), tolerance: 0.0 },
        }
    }
}

/// The parts of the files.
struct Text<'a> {
    description: &'a Description,
    code: &'a Code,
    /// Bytes.
    workspace: usize,
    /// Bytes where CMSIS-NN is called, if there is anything that it computes.
    cmsis_nn_workspace: Option<usize>,
    options: COptions<'a>,
    /// What the self-test classifies.
    image: &'a [u8],
    expected: Expected,
}

impl Text<'_> {
    /// The guard: what is included twice is there once, and another model of the same name is refused, not left out.
    fn opening(&self, upper: &str) -> String {
        let name = &self.code.name;
        let digest = sha256(self.code.constants.as_bytes())[..12].to_uppercase();
        format!(
            "#if defined({upper}_H) && !defined({upper}_{digest})\n\
             #error \"another model named {name} is included already: include each in a file of its own, or train one by another name\"\n\
             #endif\n#ifndef {upper}_H\n#define {upper}_H\n#define {upper}_{digest}\n\n"
        )
    }

    fn files(&self, support: &str) -> CFiles {
        let (name, upper) = (&self.code.name, self.upper());
        let opening = self.opening(&upper);
        let (comment, sizes, names) = (self.comment(), self.sizes(), self.class_names());
        let libraries = match self.options.arithmetic {
            Arithmetic::Integer(_) if self.cmsis_nn_workspace.is_some() => INCLUDE_CMSIS_NN,
            Arithmetic::Integer(_) => "#include <string.h>\n",
            Arithmetic::Float32 | Arithmetic::EightBitWeights(_) => "#include <math.h>\n",
        };
        let [classify, self_test] = self.declarations();
        let constants = &self.code.constants;
        let (classify_body, example, self_test_body) = (self.classify(), self.example(), self.self_test());
        let Some(header_name) = self.options.header_name else {
            return CFiles {
                header: format!(
                    "{comment}{opening}{libraries}#include <stdint.h>\n\n{sizes}\nstatic {names};\n\n{support}{constants}\
                     {CLASSIFY_COMMENT}static inline {classify} {{\n{classify_body}}}\n\n{example}\
                     static inline {self_test} {{\n{self_test_body}}}\n\n#endif\n"
                ),
                source: None,
            };
        };
        let declared_names = format!("extern const char *const {name}_class_names[{upper}_CLASSES]");
        CFiles {
            header: format!(
                "{comment}{opening}#include <stdint.h>\n\n{sizes}\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n\
                 {declared_names};\n\n{CLASSIFY_COMMENT}{classify};\n\n{SELF_TEST_COMMENT}{self_test};\n\n\
                 #ifdef __cplusplus\n}}\n#endif\n\n#endif\n"
            ),
            source: Some(format!(
                "/* {name}, a network, written by mnist-study {version}: compile it once. */\n#include \"{header_name}\"\n\n\
                 {libraries}\n{names};\n\n{support}{constants}{classify} {{\n{classify_body}}}\n\n{example}\
                 {self_test} {{\n{self_test_body}}}\n",
                version = env!("CARGO_PKG_VERSION"),
            )),
        }
    }

    fn upper(&self) -> String {
        self.code.name.to_ascii_uppercase()
    }

    fn comment(&self) -> String {
        let (name, upper) = (&self.code.name, self.upper());
        let ImageShape { height, width, .. } = self.description.image();
        let image = match self.description.kind() {
            ImageKind::Ink => format!("{height} rows of {width} bytes, light ink on a dark ground"),
            ImageKind::Grey => format!("{height} rows of {width} bytes"),
            ImageKind::Colour => {
                format!("{height} rows of {width} pixels, each a byte of red, one of green and one of blue")
            }
        };
        let numbers = match self.options.arithmetic {
            Arithmetic::Float32 => "Weights and activations are float32.",
            Arithmetic::EightBitWeights(_) => "Weights are int8, activations float32.",
            Arithmetic::Integer(_) => "Weights and activations are int8, sums int32.",
        };
        let kilobytes = |bytes: usize| format!("{:.1}", bytes as f64 / 1000.0);
        let cmsis_nn = self.cmsis_nn_workspace.map(|bytes| {
            format!(
                " *\n * With CMSIS_NN defined, Arm's CMSIS-NN 7 computes the convolutions, to the same bits, in a workspace of {} kB;\n \
                 * {name}_classify gives -1 if the library wants more memory than that.\n",
                kilobytes(bytes),
            )
        });
        let cmsis_nn = cmsis_nn.unwrap_or_default();
        format!(
            "\
/* {name}, a network, written by mnist-study {version}.
 *
 * {numbers}
 * Constants: {constants} kB. Workspace: {workspace} kB, given by the caller; nothing is allocated. C99.
 *
 *     static float workspace[{upper}_WORKSPACE];
 *     float logits[{upper}_CLASSES];
 *     int class = {name}_classify(image, workspace, logits);
 *
 * image: {image}; what the network was trained with beyond that is done here.
 * {name}_self_test(workspace) is 0 where the compiled code gives the logits that it is to give.
{cmsis_nn} */
",
            version = env!("CARGO_PKG_VERSION"),
            constants = kilobytes(self.code.constant_bytes),
            workspace = kilobytes(self.workspace),
        )
    }

    fn sizes(&self) -> String {
        let ImageShape { height, width, channels } = self.description.image();
        let upper = self.upper();
        let channels = match channels {
            1 => String::new(),
            _ => format!("#define {upper}_CHANNELS {channels}\n"),
        };
        let workspace = |bytes: usize| format!("#define {upper}_WORKSPACE {}\n", bytes / 4);
        let own = workspace(self.workspace);
        let workspace = self.cmsis_nn_workspace.map(|bytes| if_cmsis_nn(&workspace(bytes), &own));
        format!(
            "\
#define {upper}_HEIGHT {height}
#define {upper}_WIDTH {width}
{channels}#define {upper}_CLASSES {classes}
/* Floats. */
{workspace}",
            classes = self.description.classes.len(),
            workspace = workspace.unwrap_or(own),
        )
    }

    fn class_names(&self) -> String {
        let names: Vec<String> = self.description.classes.iter().map(|class| c_string(class)).collect();
        let (name, upper) = (&self.code.name, self.upper());
        format!("const char *const {name}_class_names[{upper}_CLASSES] = {{{}}}", names.join(", "))
    }

    fn declarations(&self) -> [String; 2] {
        let name = &self.code.name;
        [
            format!("int {name}_classify(const uint8_t *image, float *workspace, float *logits)"),
            format!("int {name}_self_test(float *workspace)"),
        ]
    }

    fn classify(&self) -> String {
        let (upper, steps) = (self.upper(), &self.code.steps);
        // Bytes lie in the floats' place; any type may be read as characters.
        let bytes = match self.options.arithmetic {
            Arithmetic::Integer(_) => "    int8_t *const bytes = (int8_t *)workspace;\n",
            Arithmetic::Float32 | Arithmetic::EightBitWeights(_) => "",
        };
        format!(
            "{bytes}{steps}    int best = 0;\n    for (int i = 1; i < {upper}_CLASSES; i++)\n        \
             if (logits[i] > logits[best]) best = i;\n    return best;\n"
        )
    }

    fn example(&self) -> String {
        let name = &self.code.name;
        let bytes: Vec<String> = self.image.iter().map(u8::to_string).collect();
        let logits: Vec<String> = self.expected.logits.iter().map(|logit| number(*logit)).collect();
        let origin = match self.options.example {
            Some(Example { label, .. }) => format!("The first test image of the data set, of class {label}."),
            None => "A ramp from black to white.".to_owned(),
        };
        let arrays = [
            array("uint8_t", &format!("{name}_example"), &bytes),
            array("float", &format!("{name}_example_logits"), &logits),
        ];
        format!("/* {origin} */\n{}{SELF_TEST_COMMENT}", arrays.concat())
    }

    fn self_test(&self) -> String {
        let (name, upper) = (&self.code.name, self.upper());
        let tolerance = self.expected.tolerance;
        let differs = match tolerance {
            0.0 => format!("logits[i] != {name}_example_logits[i]"),
            _ => {
                let tolerance = number(tolerance);
                // Written so that a NaN fails, too.
                format!("!(fabsf(logits[i] - {name}_example_logits[i]) <= {tolerance})")
            }
        };
        format!(
            "    float logits[{upper}_CLASSES];\n    if ({name}_classify({name}_example, workspace, logits) < 0) return 1;\n    \
             for (int i = 0; i < {upper}_CLASSES; i++)\n        if ({differs}) return 1;\n    return 0;\n"
        )
    }
}

/// What is called with it, and the rounding that is the engine's.
const INCLUDE_CMSIS_NN: &str = "\
#include <string.h>
#ifdef CMSIS_NN
#ifndef CMSIS_NN_USE_SINGLE_ROUNDING
#error \"define CMSIS_NN_USE_SINGLE_ROUNDING, here and where CMSIS-NN is compiled: it rounds otherwise without it\"
#endif
#include \"arm_nnfunctions.h\"
#endif
";

const CLASSIFY_COMMENT: &str = "\
/* The class with the largest logit. logits: as many floats as there are classes, whose softmax are the probabilities. */
";

const SELF_TEST_COMMENT: &str = "\
/* 0 where an image that is kept for this gives the logits that it gave the program which wrote this, else 1. */
";
