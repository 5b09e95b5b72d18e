//! `tuning.json`.

use records::trial::TrialRecord;
use serde_json::{Value, json};
use study::tune::{ModelOutcome, Tuning};

/// Version of `tuning.json`'s layout.
pub const TUNING_SCHEMA: u32 = 1;

/// `tuning.json`, also what `tune --json` prints. Accuracies are fractions, losses nats, times seconds; trials are counted
/// from 0; `best` is null where no trial is better than the model as it stands.
pub fn tuning_json(tuning: &Tuning) -> String {
    let question = &tuning.question;
    let mut summary = json!({
        "schema": TUNING_SCHEMA,
        "dataset": question.dataset.name,
        "dataset_sha256": question.dataset.sha256,
        "protocol": question.protocol.name(),
        "decided_by": question.decide_by.name(),
        "sampler": question.sampler_name(),
        "halving": question.halving.map(|halving| json!({ "first": halving.first, "factor": halving.factor })),
        "seed": question.seed,
        "test_reads": 0,
        "models": tuning.models.iter().map(model).collect::<Vec<_>>(),
    });
    // As in the search's own description: where there is only one, it is none of its features.
    if let Some(round) = question.rounds() {
        summary["round"] = round.into();
    }
    format!("{summary:#}\n")
}

fn model(outcome: &ModelOutcome) -> Value {
    let importance = outcome.searched.iter().zip(&outcome.importance).map(|((name, _), importance)| {
        json!({
            "setting": name,
            "share": importance.as_ref().map(|importance| importance.share),
            "p_value": importance.as_ref().filter(|_| outcome.drawn_at_random).map(|importance| importance.p_value),
            "p_adjustment": "none",
        })
    });
    let searched = outcome.searched.iter().map(|(name, domain)| json!({ "setting": name, "domain": domain }));
    let best = outcome.best_record();
    json!({
        "name": outcome.name,
        "searched": searched.collect::<Vec<_>>(),
        "as_it_stands": trial(&outcome.as_it_stands),
        "best": outcome.best,
        "best_settings": best.settings,
        "best_validation_accuracy": best.last().map(|epoch| epoch.validation_accuracy),
        "best_validation_loss": best.last().map(|epoch| epoch.validation_loss),
        "best_so_far": outcome.best_so_far,
        "expected_best": outcome.expected_best,
        "importance": importance.collect::<Vec<_>>(),
        "trials": outcome.trials.iter().map(trial).collect::<Vec<_>>(),
        "total_seconds": outcome.trials.iter().map(|trial| trial.total_seconds).sum::<f64>(),
    })
}

fn trial(record: &TrialRecord) -> Value {
    json!({
        "number": record.number,
        "settings": record.settings,
        "outcome": record.outcome,
        "epochs": record.epochs.len(),
        "validation_accuracy": record.last().map(|epoch| epoch.validation_accuracy),
        "validation_measure": record.last().and_then(|epoch| epoch.validation_measure),
        "validation_loss": record.last().map(|epoch| epoch.validation_loss),
        "parameters": record.parameters,
        "train_seconds": record.train_seconds,
        "total_seconds": record.total_seconds,
        "environment": record.environment,
        "warnings": record.warnings,
        "data_notes": record.data_notes,
    })
}
