//! `bench`: the engine's speed beside the machine's.

mod stages;

use super::{check_precision, instruction_set, named::find, session, weights::Saved};
use crate::command::{
    failure::{self, Failure, Hint},
    interrupt,
    options::{
        DatasetArguments, OutputArguments,
        values::{PrecisionName, bench_seconds, threads},
    },
    output,
};
use clap::{Args, ValueHint};
use nn::{Architecture, Model, Precision};
use report::thousands;
use serde_json::json;
use std::{fmt::Write, path::Path};
use study::{
    bench::{self, Asked, Machine, ModelSpeed},
    run::{RunError, Session},
    study_file::built_in_models,
};
use train::{Native, Seeds};

/// `bench`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct BenchArguments {
    /// Built-in models, a study file's, or files that `train --save` made [default: every built-in model]
    #[arg(value_name = "MODEL|FILE", value_hint = ValueHint::FilePath)]
    pub(crate) models: Vec<String>,
    #[command(flatten)]
    pub(crate) data: DatasetArguments,
    /// Seconds to train each model for; inference takes as long again
    #[arg(long, value_name = "N", default_value_t = 3.0, value_parser = bench_seconds)]
    pub(crate) seconds: f64,
    /// What the products of training steps are computed in, whatever a model's recipe says; inference is in float32
    #[arg(long, value_enum, value_name = "NAME", default_value_t = PrecisionName::Float32)]
    pub(crate) precision: PrecisionName,
    /// Set each stage of training beside what bounds it: its operations at the machine's peak, its bytes at the bandwidth of the
    /// memory that holds them
    #[arg(long)]
    pub(crate) stages: bool,
    /// Threads to compute with [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Measures, prints.
pub(crate) fn run(arguments: &BenchArguments) -> Result<(), Failure> {
    let names: Vec<String> = if arguments.models.is_empty() {
        built_in_models().into_iter().map(|model| model.architecture.name).collect()
    } else {
        arguments.models.clone()
    };
    let mut subjects = Vec::new();
    for name in &names {
        subjects.extend(Subject::find(name)?);
    }
    let precision = Precision::from(arguments.precision);
    let in_bf16 = subjects.iter().filter(|subject| subject.precision == Some(Precision::Bf16));
    for subject in in_bf16.filter(|_| precision == Precision::Float32) {
        let name = &subject.architecture.name;
        output::note(&format!("{name} trains in bf16 and is measured in float32: pass --precision bf16"));
    }
    check_precision(instruction_set()?, precision)?;
    let session = session(&arguments.data.name(), arguments.threads, &[], arguments.output.quiet)?;
    // Before any time is spent: a network or a file's weights may not fit.
    let fitting = |subject: &Subject| match subject.model(&session, 1) {
        Ok(_) => Ok(true),
        Err(error) if arguments.models.is_empty() => {
            output::note(&format!("{} is left out: {}", subject.architecture.name, error.message()));
            Ok(false)
        }
        Err(error) => Err(error),
    };
    let fits: Vec<bool> = subjects.iter().map(fitting).collect::<Result<_, _>>()?;
    let mut fits = fits.into_iter();
    subjects.retain(|_| fits.next() == Some(true));
    let _finishing = interrupt::finish_step();
    let machine = bench::machine(&session, arguments.stages);
    let mut models = Vec::new();
    for subject in &subjects {
        if !arguments.output.quiet && !arguments.output.json {
            output::note(&format!("measuring {}", subject.architecture.name));
        }
        let make = |capacity| subject.model(&session, capacity).expect("it was made before");
        let measured = bench::model(
            &session,
            Asked { name: &subject.architecture.name, seconds: arguments.seconds, precision },
            make,
            &machine,
            |work| allocation_counter::measure(work).count_total,
            interrupt::requested,
        );
        models.extend(measured);
        if interrupt::requested() {
            break;
        }
    }
    let work = match models.len() == subjects.len() {
        true => Ok(()),
        false => {
            let (measured, asked) = (models.len(), subjects.len());
            Err(Failure::interrupted(
                format!("interrupted: {measured} of {asked} models measured"),
                Hint::Again,
            ))
        }
    };
    let told = match arguments.output.json {
        true => output::json(&format!("{:#}\n", json!({ "machine": machine, "models": models }))),
        false => output::result(&table(&machine, &models)),
    };
    failure::before_report(work, told)
}

/// A built-in architecture with fresh parameters, or a file of trained ones.
struct Subject {
    architecture: Architecture,
    /// What a study file's recipe, or a file of weights, says of its training.
    precision: Option<Precision>,
    saved: Option<Saved>,
}

impl Subject {
    fn find(name: &str) -> Result<Vec<Self>, Failure> {
        if Path::new(name).extension().is_some_and(|extension| extension == "safetensors") {
            let saved = Saved::read_described(Path::new(name))?;
            let precision = saved.description.training.as_ref().map(|training| training.precision);
            return Ok(vec![Self {
                architecture: saved.description.architecture(),
                precision,
                saved: Some(saved),
            }]);
        }
        Ok(find(name)?
            .into_iter()
            .map(|model| Self {
                architecture: model.architecture,
                precision: Some(model.recipe.precision),
                saved: None,
            })
            .collect())
    }

    fn model(&self, session: &Session, capacity: usize) -> Result<Model<f32>, Failure> {
        if let Some(saved) = &self.saved {
            return saved.model_for(session, capacity);
        }
        let mut model = session.model(&self.architecture, capacity).map_err(RunError::from)?;
        Seeds::of_run(0).initialise(&mut Native::new(&mut model));
        Ok(model)
    }
}

fn table(machine: &Machine, models: &[ModelSpeed]) -> String {
    let mut text = String::new();
    let environment = &machine.environment;
    let mut line = |arguments: std::fmt::Arguments| {
        text.write_fmt(arguments).expect("a string takes everything");
        text.push('\n');
    };
    line(format_args!(
        "{}, {}, kernels {}",
        environment.cpu,
        output::counted(environment.threads, "thread"),
        environment.kernels
    ));
    line(format_args!(
        "multiply-add peak {:.0} GFLOP/s on one thread, {:.0} on all; memory read at {:.0} GB/s",
        machine.peak_gflops_one_thread, machine.peak_gflops, machine.read_gigabytes_per_second
    ));
    if let Some(levels) = &machine.memory_levels {
        line(format_args!("{}", stages::legend(levels)));
    }
    for model in models {
        let training = &model.training;
        line(format_args!("\n{} ({} parameters)", model.name, thousands(model.parameters as u64)));
        // The peak is that of float32 multiply-adds.
        let (in_precision, peak) = match training.precision {
            Precision::Float32 => ("", "peak"),
            Precision::Bf16 if training.layers_in_bfloat16 == 0 => {
                (" in bf16 (no layer is computed in it)", "peak")
            }
            Precision::Bf16 => (" in bf16", "the float32 peak"),
        };
        line(format_args!(
            "  training{in_precision}, batch {}: {} images/s, {:.2} s an epoch of {};\n    useful {:.0} GFLOP/s, {:.0} % of {peak}",
            training.batch,
            thousands(training.images_per_second.round() as u64),
            training.epoch_seconds,
            thousands(training.epoch_images as u64),
            training.useful_gflops,
            100.0 * training.share_of_peak
        ));
        line(format_args!(
            "  allocations a step: {}; batches, sums of gradients but for dense layers',\n    and the optimiser: {:.1} % of the step",
            training.allocations_per_step,
            100.0 * training.bookkeeping_share
        ));
        match &training.roofline {
            Some(roofline) => line(format_args!("{}", stages::table(roofline))),
            None => {
                for stage in &training.stages {
                    line(format_args!("    {:5.1} %  {}", 100.0 * stage.share, stage.name));
                }
            }
        }
        for speed in &model.inference {
            line(format_args!(
                "  inference, batch {}: {} images/s, {:.0} GFLOP/s;\n    p50 {:.0} µs, p99 {:.0} µs",
                speed.batch,
                thousands(speed.images_per_second.round() as u64),
                speed.gflops,
                speed.p50_us,
                speed.p99_us
            ));
        }
    }
    text
}
