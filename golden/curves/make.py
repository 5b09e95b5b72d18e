"""Writes the logs of four programs, and expected.json: what each program reads from them itself.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py

keras/        CSVLogger and the TensorBoard callback of one training; expected: History.history
torch/        torch.utils.tensorboard.SummaryWriter: by epoch, by step, add_scalars; expected: TensorBoard's EventAccumulator
tensorboardx/ tensorboardX.SummaryWriter, a training that went on from an earlier step
mlruns/       MLflow's file store, two runs; expected: MlflowClient.get_metric_history
wandb.csv     as a chart's export has it (written here: its program has no export without a server)

Names of machines, users and folders are taken out of what is kept. Nothing here calls the Rust code.
"""

import json
import os
import pathlib
import re
import shutil

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import keras
import mlflow
import numpy as np
import tensorboardX
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray
from torch.utils.tensorboard import SummaryWriter

HERE = pathlib.Path(__file__).parent
EXPECTED = {}


def fresh(name):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def anonymous(folder):
    """Event files are called after the machine and the process."""
    for number, file in enumerate(sorted(folder.rglob("*tfevents*"))):
        file.rename(file.with_name(f"events.out.tfevents.{number}"))


def scalars(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    accumulator.Reload()
    read = {tag: [[event.step, event.value] for event in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}
    # Those of the new style are tensors.
    for tag in accumulator.Tags()["tensors"]:
        if accumulator.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            read[tag] = [[event.step, float(make_ndarray(event.tensor_proto))] for event in accumulator.Tensors(tag)]
    return read


def with_keras():
    folder = fresh("keras")
    keras.utils.set_random_seed(1)
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(64, 8)), draw.integers(0, 3, size=64)
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x, y, epochs=4, batch_size=16, verbose=0, validation_split=0.25,
        callbacks=[
            keras.callbacks.CSVLogger(folder / "log.csv"),
            keras.callbacks.TensorBoard(folder / "events", write_graph=False),
        ],
    )
    anonymous(folder / "events")
    EXPECTED["keras"] = history.history


def with_torch():
    folder = fresh("torch")
    with SummaryWriter(folder / "by-epoch") as writer:
        for epoch in range(1, 6):
            writer.add_scalar("Loss/train", 1 / epoch, epoch)
            writer.add_scalar("Loss/val", 1.5 / epoch, epoch)
            writer.add_scalar("Accuracy/val", 100 - 10 / epoch, epoch)
            writer.add_scalar("lr", 0.1**epoch, epoch, new_style=True)
            writer.add_histogram("weights", np.arange(10), epoch, bins=3)
            writer.add_text("remark", "a text", epoch)
    with SummaryWriter(folder / "by-step") as writer:
        for step in range(1, 31):
            writer.add_scalar("train_loss", 1 / step, step, new_style=True)
            if step % 10 == 0:
                writer.add_scalar("val_loss", 2 / step, step, new_style=True)
    with SummaryWriter(folder / "lines") as writer:
        for epoch in range(3):
            writer.add_scalars("Loss", {"train": 0.5 - 0.1 * epoch, "val": 0.6 - 0.1 * epoch}, epoch)
    for run in folder.iterdir():
        anonymous(run)
    EXPECTED["torch"] = {run: scalars(folder / run) for run in ["by-epoch", "by-step"]}


def with_tensorboardx():
    folder = fresh("tensorboardx")
    for file, steps, value in [("0", range(6), 1.0), ("1", range(3, 8), 2.0)]:
        with tensorboardX.SummaryWriter(str(folder), filename_suffix=f".{file}") as writer:
            for step in steps:
                writer.add_scalar("val_loss", value / (step + 1), step)
        # In the order of their writing, also within a second.
        for written in folder.glob(f"*.{file}"):
            if len(written.name) > 25:
                written.rename(folder / f"events.out.tfevents.{file}")
    EXPECTED["tensorboardx"] = scalars(folder)


def with_mlflow():
    folder = fresh("mlruns")
    mlflow.set_tracking_uri(f"file://{folder.resolve()}")
    mlflow.set_experiment("digits")
    EXPECTED["mlflow"] = {}
    client = mlflow.MlflowClient()
    for seed in [0, 1]:
        with mlflow.start_run(run_name=f"it's run {seed}") as run:
            mlflow.log_param("seed", seed)
            for epoch in range(3):
                mlflow.log_metrics({"train/loss": 1 / (epoch + 1 + seed), "val/accuracy": 0.9 + epoch / 100}, step=epoch)
            mlflow.log_metric("val/loss", float("nan"), step=0)
            mlflow.log_metric("val/loss", 0.25, step=1)
            # Without a step all of them are of step 0.
            mlflow.log_metric("temperature", 20)
        history = {
            name: [[metric.step, None if np.isnan(metric.value) else metric.value] for metric in client.get_metric_history(run.info.run_id, name)]
            for name in ["train/loss", "val/accuracy", "val/loss"]
        }
        info = client.get_run(run.info.run_id).info
        EXPECTED["mlflow"][info.run_name] = {"history": history, "milliseconds": info.end_time - info.start_time}
    for path in folder.rglob("*"):
        if path.name == "meta.yaml":
            text = re.sub(r"(artifact_\w+|user_id|entry_point_name|source_name|source_version): .*", r"\1: ''", path.read_text())
            path.write_text(text)
        elif path.parent.name == "tags" and path.name != "mlflow.runName":
            path.unlink()
    for empty in sorted(folder.rglob("*"), reverse=True):
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()
    shutil.rmtree(folder / ".trash", ignore_errors=True)
    shutil.rmtree(folder / "0", ignore_errors=True)
    # Runs and experiments are called by random digits.
    for run in [run.parent for run in folder.rglob("meta.yaml") if "run_name" in run.read_text()]:
        meta = run / "meta.yaml"
        name = "run-" + (run / "params" / "seed").read_text()
        meta.write_text(meta.read_text().replace(run.name, name).replace(run.parent.name, "1"))
        run.rename(run.with_name(name))
    for experiment in [entry for entry in folder.iterdir() if entry.is_dir()]:
        meta = experiment / "meta.yaml"
        meta.write_text(meta.read_text().replace(experiment.name, "1"))
        experiment.rename(folder / "1")


def with_wandb():
    rows = ['"Step","seed-0 - val_loss","seed-0 - val_loss__MIN","seed-0 - val_loss__MAX","a - b - val_loss","a - b - val_loss__MIN","a - b - val_loss__MAX"']
    for step in range(3):
        one, other = 1 / (step + 1), 2 / (step + 1)
        rows.append(f'"{step}","{one}","{one}","{one}","{other}","{other}","{other}"' if step < 2 else f'"{step}","{one}","{one}","{one}","","",""')
    (HERE / "wandb.csv").write_text("\n".join(rows))


with_keras()
with_torch()
with_tensorboardx()
with_mlflow()
with_wandb()
(HERE / "expected.json").write_text(json.dumps(EXPECTED) + "\n")
