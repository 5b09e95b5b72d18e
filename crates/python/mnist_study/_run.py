"""A run of another program's model, written down for a verdict."""

from __future__ import annotations

import array
import io
import json
import os
import struct
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._arrays import numbers_or_strings
from ._native import Error

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Run:
    """One run of a model, around any training loop.

        with mnist_study.Run("resnet", seed=0, out="predictions") as run:
            for _ in range(epochs):
                ...
                run.epoch(train_loss=0.31, validation_accuracy=0.96)
            run.test(labels, probabilities)

    At its end it writes `OUT/MODEL/seed-SEED.npz` with the answers, and `seed-SEED.run.json` with the epochs and the seconds between
    entering and `test`; `mnist_study.judge(OUT)` and `mnist-study judge OUT` read them. A loop that raises leaves nothing behind.
    A run is called after its `seed`, its `fold`, or by `name`.
    """

    def __init__(
        self,
        model: str,
        *,
        seed: int | None = None,
        fold: int | None = None,
        name: str | None = None,
        out: str | os.PathLike[str] = "predictions",
        parameters: int | None = None,
        machine: str | None = None,
        replace: bool = False,
    ) -> None:
        if name is None:
            if seed is None and fold is None:
                raise Error("Run: seed, fold or name expected, none found\nhint: Run(\"resnet\", seed=0)")
            name = f"fold-{fold}" if fold is not None else f"seed-{seed}"
        for what, text in (("model", model), ("name", name)):
            if not text or text.startswith(".") or any(sign in text for sign in "/\\\0"):
                raise Error(f"Run: a {what} that can be a file's name expected, {text!r} found")
        self.model = model
        self.name = name
        self._file = Path(out) / model / f"{name}.npz"
        self._about: dict[str, Any] = {"seed": seed, "parameters": parameters, "machine": machine}
        self._epochs: list[dict[str, float]] = []
        self._arrays: dict[str, Buffer | list[str]] = {}
        self._began = time.monotonic()
        self._train_seconds: float | None = None
        self._replace = replace
        if self._file.exists() and not replace:
            raise Error(f"{self._file}: a run that is not there yet expected, a file found\nhint: Run(…, replace=True), or another seed")

    def __enter__(self) -> Run:
        self._began = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._write()

    def epoch(self, **figures: float | None) -> None:
        """Notes figures of an epoch: `train_loss`, `train_accuracy`, `validation_loss`, `validation_accuracy`, `train_seconds`, and `epoch`,
        its number, where epochs are missing."""
        known = ("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "train_seconds")
        unknown = [name for name in figures if name not in known]
        if unknown:
            raise Error(f"epoch: {', '.join(known)} expected, {', '.join(unknown)} found")
        stated = {name: float(value) for name, value in figures.items() if value is not None}
        if "epoch" in stated:
            stated["epoch"] = int(stated["epoch"])
        self._epochs.append(stated)

    def test(self, labels: Any, answers: Any = None, *, logits: Any = None, ids: Any = None) -> None:
        """Notes the true classes of the test images and the model's answers: classes `[image]`, or probabilities `[image, class]`, or
        `logits`. The clock of the training stops."""
        if self._arrays:
            raise Error(f"{self.model}, {self.name}: one test a run expected, another found")
        if (answers is None) == (logits is None):
            raise Error("test: answers or logits expected, " + ("none" if answers is None else "both") + " found")
        self._train_seconds = time.monotonic() - self._began
        given = {"labels": labels, "logits": logits, "ids": ids}
        arrays = {name: numbers_or_strings(value, name) for name, value in given.items() if value is not None}
        if answers is not None:
            values = numbers_or_strings(answers, "answers")
            is_one_row = isinstance(values, list) or memoryview(values).ndim == 1
            arrays["predictions" if is_one_row else "probabilities"] = values
        lengths = {name: len(values if isinstance(values, list) else memoryview(values)) for name, values in arrays.items()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{count} {name}" for name, count in lengths.items())
            raise Error(f"{self.model}, {self.name}: one answer for every label expected, {shown} found")
        self._arrays = arrays

    def _write(self) -> None:
        if not self._arrays:
            raise Error(f"{self.model}, {self.name}: no test was noted\nhint: call run.test(labels, probabilities) before the run ends")
        about = {name: value for name, value in self._about.items() if value is not None}
        about["train_seconds"] = self._train_seconds
        if self._epochs:
            about["epochs"] = [{name: value for name, value in epoch.items() if value == value} for epoch in self._epochs]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        # The answers last: a file of theirs is a run.
        _write_whole(self._file.with_suffix("").with_name(f"{self.name}.run.json"), json.dumps(about, indent=1).encode())
        _write_whole(self._file, _npz(self._arrays))


def _write_whole(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Error(f"{path}: cannot be written: {error.strerror or error}") from error


def _npz(arrays: Mapping[str, "Buffer | list[str]"]) -> bytes:
    """NumPy's archive of arrays, without NumPy."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, values in arrays.items():
            file.writestr(f"{name}.npy", _npy(values))
    return archive.getvalue()


def _npy(values: "Buffer | list[str]") -> bytes:
    shape: tuple[int, ...]
    if isinstance(values, list):
        length = max(1, *map(len, values)) if values else 1
        data = b"".join(value.ljust(length, "\0").encode("utf-32-le") for value in values)
        kind, shape = f"<U{length}", (len(values),)
    else:
        view = memoryview(values)
        # Buffers of a size in bytes that differs between systems have a name here that does not.
        letter = "f" if (view.format or "B") in "fd" else "u" if (view.format or "B") in "BHILQ" else "i"
        order = "|" if view.itemsize == 1 else "<" if array.array("H", [1]).tobytes()[0] else ">"
        kind, shape, data = f"{order}{letter}{view.itemsize}", tuple(view.shape or ()), view.tobytes()
    head = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data
