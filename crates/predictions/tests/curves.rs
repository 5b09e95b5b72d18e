//! Curves that other programs logged, held against what these programs read from their logs themselves (golden/curves/make.py).

use predictions::{
    About,
    curves::{Choice, Figure, Log, Logger},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/curves").join(name)
}

fn expected() -> Value {
    serde_json::from_str(&fs::read_to_string(golden("expected.json")).expect("text")).expect("JSON")
}

fn read(logger: Logger, path: PathBuf) -> Vec<Log> {
    logger.read(&[path]).expect("logs")
}

fn about(logger: Logger, log: &Log) -> About {
    log.about(logger, &Choice::default()).expect("curves")
}

/// A figure of each epoch.
fn figure(about: &About, name: &str) -> Vec<f64> {
    let of = |epoch: &records::record::EpochRecord| match name {
        "epoch" => epoch.epoch as f64,
        "train_loss" => epoch.train_loss,
        "train_accuracy" => epoch.train_accuracy,
        "validation_loss" => epoch.validation_loss,
        "validation_accuracy" => epoch.validation_accuracy,
        _ => panic!("no figure {name}"),
    };
    about.epochs.iter().map(of).collect()
}

/// The values of `[step, value]` pairs.
fn values(pairs: &Value) -> Vec<f64> {
    let value = |pair: &Value| pair[1].as_f64().unwrap_or(f64::NAN);
    pairs.as_array().expect("pairs").iter().map(value).collect()
}

fn list(numbers: &Value) -> Vec<f64> {
    numbers.as_array().expect("numbers").iter().map(|value| value.as_f64().expect("a number")).collect()
}

/// As floats of single precision, which event files hold.
fn single(values: Vec<f64>) -> Vec<f64> {
    values.into_iter().map(|value| f64::from(value as f32)).collect()
}

#[test]
fn keras_logs_say_what_its_history_says() {
    let expected = &expected()["keras"];
    let csv = read(Logger::KerasCsvLog, golden("keras/log.csv"));
    let events = read(Logger::TensorBoard, golden("keras/events"));
    assert_eq!(
        (csv[0].run.as_str(), events[0].run.as_str(), csv.len(), events.len()),
        ("log", "events", 1, 1)
    );
    for (own, theirs) in [
        ("train_loss", "loss"),
        ("train_accuracy", "accuracy"),
        ("validation_loss", "val_loss"),
        ("validation_accuracy", "val_accuracy"),
    ] {
        let history = list(&expected[theirs]);
        assert_eq!(figure(&about(Logger::KerasCsvLog, &csv[0]), own), history);
        assert_eq!(figure(&about(Logger::TensorBoard, &events[0]), own), single(history), "{own}");
    }
    let about = about(Logger::KerasCsvLog, &csv[0]);
    assert_eq!(figure(&about, "epoch"), [1.0, 2.0, 3.0, 4.0]);
    assert!(about.remarks.contains(&"epochs are counted from 0 there, from 1 here".to_owned()), "{about:?}");
}

#[test]
fn pytorch_events_say_what_tensorboard_reads() {
    let expected = &expected()["torch"];
    let logs = read(Logger::TensorBoard, golden("torch"));
    let names: Vec<&str> = logs.iter().map(|log| log.run.as_str()).collect();
    assert_eq!(names, ["by-epoch", "by-step", "lines"]);
    let by_epoch = about(Logger::TensorBoard, &logs[0]);
    assert_eq!(figure(&by_epoch, "train_loss"), values(&expected["by-epoch"]["Loss/train"]));
    assert_eq!(figure(&by_epoch, "validation_loss"), values(&expected["by-epoch"]["Loss/val"]));
    let percent = values(&expected["by-epoch"]["Accuracy/val"]);
    assert_eq!(
        figure(&by_epoch, "validation_accuracy"),
        percent.iter().map(|value| value / 100.0).collect::<Vec<_>>()
    );
    let told = by_epoch.remarks.join("\n");
    assert!(told.contains("left out: `lr`") && told.contains("`Accuracy/val` is in per cent"), "{told}");
    // Thirty steps with three evaluations are three epochs of ten.
    let by_step = about(Logger::TensorBoard, &logs[1]);
    assert_eq!(figure(&by_step, "validation_loss"), values(&expected["by-step"]["val_loss"]));
    let steps = values(&expected["by-step"]["train_loss"]);
    let means: Vec<f64> = steps.chunks(10).map(|ten| ten.iter().sum::<f64>() / 10.0).collect();
    assert_eq!(figure(&by_step, "train_loss"), means);
    assert!(by_step.remarks.iter().any(|note| note.contains("each of the 3 evaluations, at steps 10 to 30")));
    for (steps_per_epoch, epochs) in [(1, 30), (5, 6), (1000, 1)] {
        let choice = Choice { steps_per_epoch: Some(steps_per_epoch), ..Choice::default() };
        let about = logs[1].about(Logger::TensorBoard, &choice).expect("curves");
        assert_eq!(about.epochs.len(), epochs);
    }
    let lines = about(Logger::TensorBoard, &logs[2]);
    assert_eq!(figure(&lines, "train_loss"), single(vec![0.5, 0.4, 0.3]));
    assert_eq!(figure(&lines, "validation_loss"), single(vec![0.6, 0.5, 0.4]));
}

#[test]
fn a_training_that_went_on_replaces_what_it_repeats() {
    let expected = &expected()["tensorboardx"]["val_loss"];
    let about = about(Logger::TensorBoard, &read(Logger::TensorBoard, golden("tensorboardx"))[0]);
    let all = values(expected);
    assert_eq!(figure(&about, "validation_loss"), [&all[..3], &all[6..]].concat());
    let told = "3 values of `val_loss` dropped: the training went on from an earlier step or epoch";
    assert!(about.remarks.iter().any(|note| note == told), "{about:?}");
}

#[test]
fn runs_of_mlflow_say_what_its_client_reads() {
    let expected = &expected()["mlflow"];
    let logs = read(Logger::MlFlow, golden("mlruns"));
    assert_eq!(logs.len(), 2);
    for (log, seed) in logs.iter().zip(0..) {
        let of_run = &expected[&log.run];
        let about = about(Logger::MlFlow, log);
        assert_eq!((log.run.as_str(), about.seed), (format!("it's run {seed}").as_str(), Some(seed)));
        assert_eq!(figure(&about, "train_loss"), values(&of_run["history"]["train/loss"]));
        assert_eq!(figure(&about, "validation_accuracy"), values(&of_run["history"]["val/accuracy"]));
        let losses = figure(&about, "validation_loss");
        assert!(losses[0].is_nan() && losses[1] == 0.25 && losses[2].is_nan());
        assert_eq!(
            about.total_seconds,
            of_run["milliseconds"].as_f64().map(|milliseconds| milliseconds / 1000.0)
        );
        let told = about.remarks.join("\n");
        assert!(told.contains("1 value of `val/loss` not finite, first in epoch 1: left out"), "{told}");
        assert!(told.contains("left out: `temperature`"), "{told}");
    }
    // A metric alone.
    let one = read(Logger::MlFlow, golden("mlruns/1/run-1/metrics/train/loss"));
    assert_eq!((one.len(), one[0].run.as_str()), (1, "it's run 1"));
    assert_eq!(figure(&about(Logger::MlFlow, &one[0]), "train_loss").len(), 3);
}

#[test]
fn a_chart_of_wandb_has_a_run_a_column() {
    let logs = read(Logger::Wandb, golden("wandb.csv"));
    let losses: Vec<(&str, Vec<f64>)> = logs
        .iter()
        .map(|log| (log.run.as_str(), figure(&about(Logger::Wandb, log), "validation_loss")))
        .collect();
    assert_eq!(losses, [("seed-0", vec![1.0, 0.5, 1.0 / 3.0]), ("a - b", vec![2.0, 1.0])]);
}

/// What is read of a text as a file of that name.
fn of_text(logger: Logger, name: &str, text: &[u8], choice: &Choice) -> Result<About, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(&path, text).expect("written");
    let told = |error: predictions::Error| format!("{error} | {}", error.advice);
    let logs = logger.read(&[path]).map_err(told)?;
    logs[0].about(logger, choice).map_err(told)
}

#[test]
fn logs_by_step_are_brought_to_epochs() {
    let keras = |text: &str| of_text(Logger::KerasCsvLog, "log.csv", text.as_bytes(), &Choice::default());
    // Lightning's CSVLogger: rows of training and of validation, steps and epochs.
    let lightning = keras(
        "epoch,step,train_loss,val_loss,val_acc\n0,9,1.0,,\n0,19,0.5,,\n0,19,,0.7,0.5\n1,29,0.4,,\n1,39,0.2,,\n1,39,,0.6,0.75\n",
    )
    .expect("curves");
    assert_eq!(figure(&lightning, "epoch"), [1.0, 2.0]);
    assert_eq!(figure(&lightning, "train_loss"), [0.75, (0.4 + 0.2) / 2.0]);
    assert_eq!(figure(&lightning, "validation_accuracy"), [0.5, 0.75]);
    // Hugging Face counts epochs in fractions.
    let fractions =
        keras("step,epoch,loss,eval_loss\n50,0.5,4,\n100,1.0,2,\n100,1.0,,3\n150,1.5,1,\n200,2.0,1,1\n")
            .expect("curves");
    assert_eq!(
        (figure(&fractions, "train_loss"), figure(&fractions, "validation_loss")),
        (vec![3.0, 1.0], vec![3.0, 1.0])
    );
    // Training figures by step alone say nothing of epochs.
    let refused = keras("step,loss\n100,1\n200,0.5\n").expect_err("no epochs");
    assert!(
        refused.contains("training figures of steps 100 to 200 found | state how many steps an epoch has"),
        "{refused}"
    );
    // Steps that nobody stated.
    let without = of_text(Logger::MlFlow, "metrics/loss", b"1 4 0\n2 2 0\n3 1 0\n", &Choice::default())
        .expect("curves");
    assert_eq!(figure(&without, "train_loss"), [4.0, 2.0, 1.0]);
    assert!(without.remarks.iter().any(|note| note.contains("all 3 values of `loss` have step 0")));
    // Charts of MLflow, two runs of one name.
    let table = "Run,Run ID,metric,step,timestamp,value\nr,a,loss,0,1,1\nr,b,loss,0,1,3\nr,a,loss,1,2,0.5\n";
    assert_eq!(
        figure(
            &of_text(Logger::MlFlow, "c.csv", table.as_bytes(), &Choice::default()).expect("curves"),
            "train_loss"
        ),
        [1.0, 0.5]
    );
    // A run's history, by pandas.
    let history = ",loss,val_loss,_runtime,_step,epoch\n0,1,,1.5,0,0\n1,0.5,0.75,3.5,1,0\n2,0.25,,5,2,1\n3,0.25,0.5,7.5,3,1\n";
    let history = of_text(Logger::Wandb, "h.csv", history.as_bytes(), &Choice::default()).expect("curves");
    assert_eq!(
        (figure(&history, "train_loss"), figure(&history, "validation_loss")),
        (vec![0.75, 0.25], vec![0.75, 0.5])
    );
    assert_eq!(history.total_seconds, Some(7.5));
    // Seconds of each epoch are summed, those of a clock are not.
    let timed = keras("epoch,loss,epoch_time\n0,1,2.5\n1,1,2\n2,1,2.25\n").expect("curves");
    assert_eq!(timed.train_seconds, Some(6.75));
    let clock = keras("epoch,loss,seconds\n0,1,2.5\n1,1,5\n2,1,7.5\n").expect("curves");
    assert_eq!(clock.train_seconds, None);
}

#[test]
fn malformed_logs_are_refused_where_they_are_wrong() {
    let choice = Choice::default();
    for (logger, name, text, told) in [
        (
            Logger::KerasCsvLog,
            "a.csv",
            "",
            "a.csv: a first line that names columns expected, an empty file found",
        ),
        (Logger::KerasCsvLog, "a.csv", "epoch,loss\n", "figures of one epoch or more"),
        (Logger::KerasCsvLog, "a.csv", "loss\n1\n", "line 1: a column epoch expected, `loss` found"),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,loss,loss\n0,1,1\n",
            "each column once expected, `loss` again found",
        ),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,loss\n0,1\nx,2\n",
            "line 3, column epoch: a whole number expected, `x` found",
        ),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,loss\n0.5,1\n",
            "line 2, column epoch: a whole number expected",
        ),
        (Logger::KerasCsvLog, "a.csv", "epoch,loss\n1e400,1\n", "a whole number expected, `1e400` found"),
        (Logger::KerasCsvLog, "a.csv", "epoch,loss\n-1,1\n", "steps or epochs from 0 on expected, -1 found"),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,loss\n0,1\n1,2,3\n",
            "line 3: 2 values, as in the first line, expected, 3 found",
        ),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,loss\n0,\"[1, 2]\"\n",
            "loss, line 2: a number expected, `[1, 2]` found",
        ),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch;loss\n0;0,5\n",
            "loss, line 2: a number expected, `0,5` found | write numbers with a decimal point",
        ),
        (Logger::KerasCsvLog, "a.csv", "epoch,lr\n0,1\n", "training or validation loss or accuracy"),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,loss\n0,3\n1,2\n0,1\n",
            "loss, line 4: a later step or epoch expected, 0 again after 1 found",
        ),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,acc\n0,0.5\n1,101\n",
            "acc, line 3: an accuracy from 0 to 1, or per cent expected, 101 found",
        ),
        (Logger::KerasCsvLog, "a.csv", "epoch,acc\n0,-0.5\n", "acc, line 2: an accuracy from 0 to 1"),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,loss,train_seconds\n0,1,-1\n",
            "train_seconds, line 2: seconds from 0 on expected, -1 found",
        ),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,loss\n0,nan\n1,inf\n",
            "figures of 1 to 50000 epochs expected, 0 found",
        ),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,loss\n5000000000,1\n",
            "the number of an epoch expected, 5000000000 found",
        ),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "epoch,accuracy,acc\n0,1,1\n",
            "one series of the training accuracy expected, `accuracy` and `acc` found | state which series is which figure",
        ),
        (
            Logger::KerasCsvLog,
            "a.csv",
            "step,epoch,loss\n1,-2,1\n",
            "epoch, line 2: the number of an epoch, from 0 on expected, -2 found",
        ),
        (Logger::Wandb, "w.csv", "Name,State,loss\nr,finished,1\n", "a column Step"),
        (Logger::Wandb, "w.csv", "Step,loss\n0,1\n", "columns RUN - METRIC expected, `loss` found"),
        (Logger::Wandb, "w.csv", "Step\n0\n", "columns RUN - METRIC expected, none found"),
        (
            Logger::Wandb,
            "w.csv",
            "Step,a - loss\n0.5,1\n",
            "line 2, column Step: a whole number expected, `0.5` found",
        ),
        (
            Logger::MlFlow,
            "m.csv",
            "Start Time,Run ID,loss\n1,a,2\n",
            "columns Run, metric, step and value expected",
        ),
        (Logger::MlFlow, "m.csv", "Run,metric,step,value\n", "a row a value expected, none found"),
        (
            Logger::MlFlow,
            "metrics/loss",
            "1 0.5\n2 0.4 1\n",
            "loss, line 1: a number expected, `1 0.5 (TIME VALUE STEP expected)` found",
        ),
        (Logger::MlFlow, "metrics/loss", "1 0.5 x\n", "loss, line 1: a number expected"),
        (
            Logger::MlFlow,
            "mlflow.db",
            "SQLite format 3",
            "a folder of mlruns, or a CSV export of MLflow expected, another file found",
        ),
        (
            Logger::TensorBoard,
            "events.out.tfevents.1",
            "epoch,loss\n0,1\n1,2\n",
            "event 1: an event file expected, other bytes found",
        ),
        (
            Logger::TensorBoard,
            "events.out.tfevents.1",
            "",
            "event files that hold scalars expected, none found",
        ),
    ] {
        let refused = of_text(logger, name, text.as_bytes(), &choice).expect_err(text);
        assert!(refused.contains(told), "{text:?}: {refused}");
    }
    let utf16 = of_text(Logger::KerasCsvLog, "a.csv", b"\xff\xfee\0,\0", &choice).expect_err("UTF-16");
    assert!(utf16.contains("text in UTF-8 expected, UTF-16 found"), "{utf16}");
    let unknown = Choice { series: vec![(Figure::TrainLoss, "x".to_owned())], ..Choice::default() };
    let unknown = of_text(Logger::KerasCsvLog, "a.csv", b"epoch,loss\n0,1\n", &unknown).expect_err("no x");
    assert!(unknown.contains("`x`, stated as the training loss, expected, `loss` found"), "{unknown}");
    for logger in [Logger::KerasCsvLog, Logger::TensorBoard, Logger::Wandb, Logger::MlFlow] {
        let missing = logger.read(&[PathBuf::from("no/such")]).expect_err("nothing").to_string();
        assert!(missing.starts_with("no/such: ") && missing.ends_with("nothing found"), "{missing}");
        let empty = tempfile::tempdir().expect("a folder");
        assert!(logger.read(&[empty.path().to_owned()]).is_err(), "{logger:?}");
    }
}

#[test]
fn what_is_odd_and_right_is_taken() {
    let of =
        |text: &str| of_text(Logger::KerasCsvLog, "a.csv", text.as_bytes(), &Choice::default()).expect(text);
    for text in [
        "\u{feff}epoch,loss\r\n0,+1\r\n1,-0\r\n",
        "epoch;loss\n0;1\n1;0.0",
        "loss\tepoch\n1.0\t0\n0e0\t1\n",
        "epoch,loss,note\n0,1,\"a\nb\"\n1,0,\n",
        // A last line that is being written.
        "epoch,loss,acc\n0,1,\n1,0,\n2,0.",
    ] {
        assert_eq!(figure(&of(text), "train_loss"), [1.0, 0.0], "{text}");
    }
    // Epochs that count from 1, the same epoch again, one that went on.
    assert_eq!(figure(&of("epoch,loss\n1,3\n2,2\n2,1\n"), "train_loss"), [3.0, 1.0]);
    let resumed = of("epoch,loss\n0,4\n1,3\n2,2\n1,1\n");
    assert_eq!(figure(&resumed, "train_loss"), [4.0, 1.0]);
    assert!(resumed.remarks.iter().any(|note| note.starts_with("2 values of `loss` dropped")), "{resumed:?}");
}

#[test]
fn files_that_are_called_alike_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, text).expect("written");
        path
    };
    let names = |logger: Logger, paths: &[PathBuf]| -> Vec<String> {
        logger.read(paths).expect("logs").into_iter().map(|log| log.run).collect()
    };
    let logs = ["a", "b"].map(|run| write(&format!("{run}/log.csv"), "epoch,loss\n0,1\n"));
    assert_eq!(names(Logger::KerasCsvLog, &logs), ["a", "b"]);
    let histories = ["a", "b"].map(|run| write(&format!("{run}/history.csv"), "_step,loss\n0,1\n"));
    assert_eq!(names(Logger::Wandb, &histories), ["a", "b"]);
    // A metric a file, of the same runs.
    let charts =
        ["loss", "val_loss"].map(|metric| write(metric, &format!("Step,x - {metric},y - {metric}\n0,1,2\n")));
    let logs = Logger::Wandb.read(&charts).expect("logs");
    assert_eq!((logs.len(), figure(&about(Logger::Wandb, &logs[1]), "validation_loss")), (2, vec![2.0]));
    assert_eq!(figure(&about(Logger::Wandb, &logs[1]), "train_loss"), [2.0]);
    let twice = Logger::Wandb.read(&[charts[0].clone(), charts[0].clone()]).expect_err("twice").to_string();
    assert!(twice.contains("each file once expected"), "{twice}");
    let copy = write("copy", "Step,x - loss\n0,1\n");
    let twice = Logger::Wandb.read(&[charts[0].clone(), copy]).expect_err("twice").to_string();
    assert!(twice.contains("each metric of a run once expected, `loss` of run `x`"), "{twice}");
    // Runs of one name in MLflow.
    let runs = ["m/1/p", "m/1/q"].map(|run| {
        write(&format!("{run}/meta.yaml"), "run_name: r\nlifecycle_stage: active\n");
        write(&format!("{run}/metrics/loss"), "1 0.5 0\n");
        folder.path().join(run)
    });
    assert_eq!(names(Logger::MlFlow, &runs), ["r", "r-2"]);
}
