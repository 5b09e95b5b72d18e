"""Models trained here: one, or several to be compared; and the data that they learn from."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from . import _native
from ._arrays import bytes_as, numbers_or_strings, pixels, shaped
from ._checks import whole, whole_or_none
from ._model import Model
from ._native import Error
from ._verdict import Verdict

#: Called after each epoch with its number, the loss and accuracy on the training images, and those on the validation images.
Progress = Callable[[int, float, float, float, float], object]


def load_data(name: str | os.PathLike[str] = "mnist") -> tuple[Any, Any, Any, Any]:
    """`(training_images, training_labels, test_images, test_labels)` of a data set: MNIST, which is inside this package, another that
    `mnist-study datasets fetch` brought, or a file or folder of images. Images are bytes `[image, row, column]`, of colour images
    `[image, row, column, channel]`. Arrays of NumPy where NumPy is there, else `memoryview`s.
    """
    parts, _ = _native.load_data(os.fspath(name))
    arrays: list[Any] = []
    for images, shape, labels in parts:
        arrays.append(bytes_as(images, shape if shape[-1] > 1 else shape[:-1]))
        arrays.append(bytes_as(labels, shape[:1]))
    training_images, training_labels, test_images, test_labels = arrays
    return training_images, training_labels, test_images, test_labels


def train(
    model: str,
    *,
    data: Any = None,
    epochs: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Model:
    """Trains a built-in model, such as `"cnn"`, by its own recipe, on MNIST or other `data`, as `compare` takes it."""
    return Model(_native.train(model, whole("seed", seed), _settings(data, epochs, threads, progress)))


def compare(
    *models: str | Sequence[str],
    data: Any = None,
    runs: int | None = None,
    first_seed: int = 0,
    epochs: int | None = None,
    folds: int | None = None,
    repeats: int = 1,
    resample: str | None = None,
    decide_by: str = "accuracy",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Trains built-in models, such as `"cnn"` and `"lstm"`, `runs` times each, three times unless said otherwise, and compares them.

    `data` is the name of a data set, a file or a folder, or `(training_images, training_labels, test_images, test_labels)`: images
    `[image, row, column]` or `[image, row, column, channel]` of bytes, labels from 0 to 255. With `folds` all images are cross-validated,
    `repeats` times; `resample` is `"bootstrap"` or `"split"`: what each run draws of the data by its seed.
    """
    names = [name for model in models for name in ([model] if isinstance(model, str) else model)]
    if len(set(names)) != len(names) or not names:
        raise Error(f"compare: models of different names expected, {', '.join(names) or 'none'} found")
    runs, repeats = whole_or_none("runs", runs, 1), whole("repeats", repeats, 1)
    folds, first_seed = whole_or_none("folds", folds, 2), whole("first_seed", first_seed)
    if folds is not None and runs is not None:
        raise Error("compare: runs or folds expected, both found\nhint: of a cross-validation repeats says how often")
    if folds is None and repeats != 1:
        raise Error("compare: repeats of folds expected, no folds found\nhint: compare(…, folds=5, repeats=2)")
    design = _Values(
        runs=3 if runs is None else runs, first_seed=first_seed, folds=folds, repeats=repeats, resample=resample, decide_by=decide_by
    )
    return Verdict(_native.compare(names, design, _settings(data, epochs, threads, progress)))


def _settings(data: Any, epochs: int | None, threads: int | None, progress: Progress | None) -> Any:
    epochs, threads = whole_or_none("epochs", epochs, 1), whole_or_none("threads", threads, 1)
    name, images = _data(data)
    return _Values(data=name, images=images, epochs=epochs, threads=threads, progress=progress)


def _data(data: Any) -> tuple[str | None, Any]:
    if data is None or isinstance(data, str | os.PathLike):
        return (None if data is None else os.fspath(data)), None
    try:
        training_images, training_labels, test_images, test_labels = data
    except (TypeError, ValueError) as error:
        raise Error("data: a name, or (training_images, training_labels, test_images, test_labels), expected") from error
    for part, images, labels in (("training", training_images, training_labels), ("test", test_images, test_labels)):
        if len(images) != len(labels):
            raise Error(f"{part} images: a label for each expected, {len(images)} images and {len(labels)} labels found")
    return None, _Values(
        name="arrays",
        training_images=pixels(training_images, "training images"),
        training_labels=_labels(training_labels, "training labels"),
        test_images=pixels(test_images, "test images"),
        test_labels=_labels(test_labels, "test labels"),
    )


def _labels(labels: Any, name: str) -> Any:
    """Labels as bytes."""
    found = numbers_or_strings(labels, name)
    view = None if isinstance(found, list) else memoryview(found)
    if view is None or view.ndim != 1:
        raise Error(f"{name}: an array [image] of whole numbers from 0 to 255 expected, another found")
    try:
        return shaped(bytes(_label(value) for value in view.tolist()), [len(view)]) if len(view) else b""
    except ValueError as error:
        raise Error(f"{name}: whole numbers from 0 to 255 expected, {error}") from error


def _label(value: float) -> int:
    if value != int(value):
        raise ValueError(f"{value} found")
    return int(value)


class _Values:
    """What the native module reads by name."""

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)
