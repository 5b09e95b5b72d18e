"""A run of another program's model, written down for a verdict."""

from __future__ import annotations

import array
import io
import json
import math
import os
import struct
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._arrays import numbers_or_strings
from ._checks import whole_or_none
from ._native import Error
from ._verdict import answers_of

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
        seed, fold = whole_or_none("seed", seed), whole_or_none("fold", fold)
        parameters = whole_or_none("parameters", parameters)
        if name is None:
            if seed is None and fold is None:
                raise Error("Run: seed, fold or name expected, none found\nhint: Run(\"resnet\", seed=0)")
            name = f"fold-{fold}" if fold is not None else f"seed-{seed}"
        for what, text in (("model", model), ("name", name)):
            if not isinstance(text, str) or not text or text.startswith(".") or any(sign in text for sign in "/\\\0"):
                raise Error(f"Run: a {what} that can be a file's name expected, {text!r} found")
        self.model = model
        self.name = name
        _check_place(Path(out))
        self._file = Path(out) / model / f"{name}.npz"
        self._about: dict[str, Any] = {"seed": seed, "parameters": parameters, "machine": machine}
        self._epochs: list[dict[str, float]] = []
        self._arrays: dict[str, bytes] = {}
        self._notes: list[str] = []
        self._written = False
        self._began = time.monotonic()
        self._train_seconds: float | None = None
        self._replace = replace
        self._check_free()

    def __enter__(self) -> Run:
        self._began = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.write()

    def epoch(self, **figures: float | None) -> None:
        """Notes figures of an epoch: `train_loss`, `train_accuracy`, `validation_loss`, `validation_accuracy`, `train_seconds`, and `epoch`,
        its number, where epochs are missing."""
        known = ("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "train_seconds")
        unknown = [name for name in figures if name not in known]
        if unknown:
            raise Error(f"epoch: {', '.join(known)} expected, {', '.join(unknown)} found")
        last = self._epochs[-1]["epoch"] if self._epochs else 0
        number = figures.pop("epoch", None)
        epoch: dict[str, float] = {"epoch": last + 1 if number is None else int(number)}
        if epoch["epoch"] <= last:
            raise Error(f"epoch: a number above {last:.0f}, the last epoch's, expected, {number} found")
        for name, value in figures.items():
            if value is None:
                continue
            try:
                figure = float(value)
            except (TypeError, ValueError) as error:
                raise Error(f"epoch: a number as {name} expected, {value!r} found") from error
            if math.isfinite(figure):
                epoch[name] = figure
            elif not math.isnan(figure):
                self._notes.append(f"{name} of epoch {epoch['epoch']} was {figure}: left out")
        self._epochs.append(epoch)

    def test(
        self, labels: Any, answers: Any = None, *, probabilities: Any = None, logits: Any = None, ids: Any = None
    ) -> None:
        """Notes the true classes of the test images and the model's answers: classes `[image]`, or probabilities `[image, class]`, or
        `logits`. They are copied. The clock of the training stops."""
        if self._arrays:
            raise Error(f"{self.model}, {self.name}: one test a run expected, another found")
        given = sum(value is not None for value in (answers, probabilities, logits))
        if given != 1:
            raise Error(f"test: answers, probabilities or logits expected, {given} of them found")
        self._train_seconds = time.monotonic() - self._began
        stated = {"labels": labels, "probabilities": probabilities, "logits": logits, "ids": ids}
        arrays = {name: numbers_or_strings(value, name) for name, value in stated.items() if value is not None}
        if answers is not None:
            name, values = answers_of(answers, "answers")
            arrays[name] = values
        lengths = {name: len(values if isinstance(values, list) else memoryview(values)) for name, values in arrays.items()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{count} {name}" for name, count in lengths.items())
            raise Error(f"{self.model}, {self.name}: one answer for every label expected, {shown} found")
        self._arrays = {name: _npy(values) for name, values in arrays.items()}

    def write(self) -> None:
        """Writes the run down; leaving a `with` block does it."""
        if self._written:
            raise Error(f"{self.model}, {self.name}: written already\nhint: a new Run for each training")
        if not self._arrays:
            raise Error(f"{self.model}, {self.name}: no test was noted\nhint: call run.test(labels, probabilities) before the run ends")
        about = {name: value for name, value in self._about.items() if value is not None}
        about["train_seconds"] = self._train_seconds
        if self._epochs:
            about["epochs"] = self._epochs
        if self._notes:
            about["notes"] = self._notes
        # Another process may have written it meanwhile.
        self._check_free()
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Error(f"{self._file.parent}: cannot be made: {error.strerror or error}") from error
        # The answers last: a file of theirs is a run.
        _write_whole(self._file.with_suffix("").with_name(f"{self.name}.run.json"), json.dumps(about, indent=1).encode())
        _write_whole(self._file, _npz(self._arrays))
        self._written = True

    def _check_free(self) -> None:
        if self._file.exists() and not self._replace:
            raise Error(f"{self._file}: a run that is not there yet expected, a file found\nhint: Run(…, replace=True), or another seed")


def _check_place(out: Path) -> None:
    """Refuses a folder that could not be written to when the training is over."""
    there = out.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise Error(f"Run: a folder that can be written to expected, {out} found\nhint: Run(…, out=…)")


def _write_whole(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Error(f"{path}: cannot be written: {error.strerror or error}") from error


def _npz(arrays: Mapping[str, bytes]) -> bytes:
    """NumPy's archive of arrays, without NumPy."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, values in arrays.items():
            file.writestr(f"{name}.npy", values)
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
