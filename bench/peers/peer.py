"""What every peer's script shares: its options, the data, the clock of an inference run, its one line of JSON."""

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BATCH_SIZE = 128
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7
INFERENCE_BATCHES = (1, 1_000)
INFERENCE_SECONDS = 2.0


def options(description: str, modes: list[str], trains: bool = True) -> argparse.Namespace:
    """The command line. With `--weights` a script infers with those weights instead of training."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--network", type=Path, required=True, help="file of `mnist-study models --describe NAME --json`")
    parser.add_argument("--mode", choices=modes, default=modes[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--data", type=Path, required=True, help="folder of the four unpacked IDX files")
    parser.add_argument("--weights", type=Path, required=not trains, help="file of `mnist-study train --save`; beside it what `export` made of it")
    if trains:
        parser.add_argument("--epochs", type=int, default=2)
        parser.add_argument("--images", type=int, default=60_000, help="train on this many of the first images")
        parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    chosen.network = json.loads(chosen.network.read_text())
    chosen.model = chosen.network["name"]
    # Read by OpenMP and by the mathematics libraries when they are loaded, so this precedes those imports.
    os.environ.update({name: str(chosen.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")})
    os.environ.update(CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    return chosen


def read_idx(file: Path) -> Any:
    """The u8 array of an unpacked IDX file."""
    import numpy as np

    content = file.read_bytes()
    if content[:3] != b"\0\0\x08":
        raise SystemExit(f"error: {file}: an unpacked IDX file of bytes expected")
    dimensions = np.frombuffer(content, ">u4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(dimensions)


def read_set(folder: Path, prefix: str, count: int | None = None) -> tuple[Any, Any]:
    """Images float32 `[n, height, width]`, in colour with the channels last, in [0, 1] and labels int64 `[n]`."""
    import numpy as np

    images = read_idx(folder / f"{prefix}-images-idx3-ubyte")[:count]
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte")[:count]
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int64)


def read_weights(file: Path) -> dict[str, Any]:
    """The tensors of the study's CNN or LSTM, which lie in the file as PyTorch has them, in Keras's names and layouts."""
    import numpy as np

    content = file.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            tensors[name] = np.frombuffer(content[start + first : start + last], "<f4").reshape(entry["shape"])
    if "lstm1.weight_ih_l0" in tensors:
        matrices = {"lstm1.kernel": tensors["lstm1.weight_ih_l0"].T, "lstm1.recurrent_kernel": tensors["lstm1.weight_hh_l0"].T}
        dense = {"dense1.weight": tensors["dense1.weight"].T, "dense1.bias": tensors["dense1.bias"]}
        return matrices | {"lstm1.bias": tensors["lstm1.bias_ih_l0"]} | dense
    # A flattened image's features: from channel, row, column to row, column, channel.
    dense = tensors["dense1.weight"].reshape(-1, 64, 5, 5).transpose(2, 3, 1, 0).reshape(1600, -1)
    kernels = {f"{name}.weight": tensors[f"{name}.weight"].transpose(2, 3, 1, 0) for name in ("conv1", "conv2")}
    return tensors | kernels | {"dense1.weight": dense, "dense2.weight": tensors["dense2.weight"].T}


@dataclass
class Trained:
    """What one training run measured; accuracies are fractions."""

    compile_seconds: float
    epoch_seconds: list[float]
    test_accuracy: float
    parameters: int
    images: int


def train(warm_up: Callable[[], None], epoch: Callable[[], None], epochs: int) -> tuple[float, list[float]]:
    """Seconds of the warm-up, and of each call of `epoch`. Both must return only when their work is done."""
    start = time.perf_counter()
    warm_up()
    compile_seconds = time.perf_counter() - start
    epoch_seconds = []
    for _ in range(epochs):
        start = time.perf_counter()
        epoch()
        epoch_seconds.append(time.perf_counter() - start)
    return compile_seconds, epoch_seconds


def infer(logits: Callable[[Any], Any], images: Any, labels: Any) -> dict[str, Any]:
    """Accuracy and loss on the whole set, then speed for each batch size. `logits` maps `[n, 28, 28]` to `[n, 10]`."""
    import numpy as np

    rows = np.concatenate([logits(images[i : i + 1000]) for i in range(0, len(images), 1000)]).astype(np.float64)
    shifted = rows - rows.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return {
        "test_accuracy": float((rows.argmax(axis=1) == labels).mean()),
        "test_loss": float(-log_probability[np.arange(len(labels)), labels].mean()),
        "inference": [latency(logits, images, batch) for batch in INFERENCE_BATCHES],
    }


def latency(logits: Callable[[Any], Any], images: Any, batch: int) -> dict[str, Any]:
    """Calls `logits` on one batch after the other: once to compile, a tenth of the time to warm up, then measured."""
    import numpy as np

    batches = [np.ascontiguousarray(images[i : i + batch]) for i in range(0, min(len(images), 1000 * batch), batch)]
    logits(batches[0])
    began = time.perf_counter()
    seconds: list[float] = []
    for images_of_call in itertools.cycle(batches):
        start = time.perf_counter()
        if start - began > 1.1 * INFERENCE_SECONDS and len(seconds) >= 20:
            break
        logits(images_of_call)
        if start - began > 0.1 * INFERENCE_SECONDS:
            seconds.append(time.perf_counter() - start)
    return {
        "batch": batch,
        "calls": len(seconds),
        "images_per_second": batch * len(seconds) / sum(seconds),
        "p50_us": float(np.percentile(seconds, 50)) * 1e6,
        "p99_us": float(np.percentile(seconds, 99)) * 1e6,
    }


def report(chosen: argparse.Namespace, framework: str, version: str, result: Trained | dict[str, Any]) -> None:
    """Prints the one line of JSON."""
    line = {
        "framework": framework,
        "version": version,
        "mode": chosen.mode,
        "precision": {"bf16": "bfloat16", "int8": "int8"}.get(chosen.mode.split("-")[-1], "float32"),
        "model": chosen.model,
        "threads": chosen.threads,
    }
    if isinstance(result, Trained):
        expected = chosen.network["parameters"]
        if result.parameters != expected:
            raise SystemExit(f"error: {chosen.model}: {expected} parameters expected, {result.parameters} found")
        line |= vars(result)
    else:
        line |= result
    print(json.dumps(line), flush=True)
