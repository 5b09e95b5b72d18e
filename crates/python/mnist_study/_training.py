"""Models trained here: one, or several to be compared; and estimators of scikit-learn's kind, cross-validated."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from . import _native
from ._arrays import bytes_as, from_bytes, numbers_or_strings, pixels, shaped
from ._native import Error
from ._verdict import Verdict, judge

#: Called after each epoch with its number, the loss and accuracy on the training images, and those on the validation images.
Progress = Callable[[int, float, float, float, float], object]


class Model:
    """A trained model that answers."""

    def __init__(self, native: _native.Model) -> None:
        self._native = native

    def __repr__(self) -> str:
        height, width, channels = self.image_shape
        return f"<Model {self.name}: {height}×{width}×{channels} to {len(self.classes)} classes>"

    @property
    def name(self) -> str:
        """The architecture's name."""
        return self._native.name

    @property
    def classes(self) -> list[str]:
        """What the classes are called, in their order."""
        return self._native.classes

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self._native.image_shape

    @property
    def remarks(self) -> list[str]:
        """What had to be guessed or converted when the model was loaded."""
        return self._native.remarks

    @cached_property
    def record(self) -> dict[str, Any] | None:
        """The record of the training, where the model was trained in this process: epochs, test accuracy, seconds, fingerprint."""
        return json.loads(self._native.record) if self._native.record else None

    def predict_proba(self, images: Any) -> Any:
        """The probability of each class, `[image, class]` as float32, of images `[image, row, column]` or `[image, row, column, channel]`,
        prepared as the training images were: bytes from 0 to 255, of digits light on dark. One image without the first dimension is one row.

        An array of NumPy where NumPy is there, else a `memoryview`.
        """
        data, count = self._native.probabilities(self._images(images))
        return from_bytes(data, count, len(self.classes))

    def predict(self, images: Any) -> Any:
        """The label of the most probable class of each image: a whole number where all classes are called by one, else the class's name. See
        `predict_proba`, whose columns are `classes`."""
        probabilities = self.predict_proba(images)
        classes = self.classes
        labels: list[Any] = [int(name) for name in classes] if all(map(_is_whole, classes)) else classes
        if hasattr(probabilities, "argmax"):
            import numpy

            return numpy.array(labels)[probabilities.argmax(axis=1)]
        rows = probabilities.tolist() if probabilities.ndim > 1 else []
        return [labels[row.index(max(row))] for row in rows]

    def predict_file(self, path: str | os.PathLike[str]) -> tuple[str, float, list[str]]:
        """The class of the digit or image in a file of any usual kind, its probability, and what was converted or is in doubt."""
        number, name, probabilities, remarks = self._native.file(os.fspath(path))
        return name, probabilities[number], remarks

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model as safetensors, which `load` and the command read."""
        self._native.save(os.fspath(path))

    def _images(self, images: Any) -> Any:
        buffer = pixels(images, "images")
        shape = list(memoryview(buffer).shape or ())
        one = list(self.image_shape)
        if one[2] == 1:
            one = one[:2] if shape[-1:] != [1] or len(shape) < 3 else one
        length = one[0] * one[1] * (one[2] if len(one) > 2 else 1)
        if shape[1:] == one or shape == one or (len(shape) == 2 and shape[1] == length):
            return buffer
        expected = ", ".join(map(str, ("images", *one)))
        raise Error(f"images: an array [{expected}] expected, one of shape {shape} found")


def load(path: str | os.PathLike[str]) -> Model:
    """The model in a file that `Model.save` or `mnist-study train --save` made."""
    return Model(_native.Model(os.fspath(path)))


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
    return Model(_native.train(model, seed, _settings(data, epochs, threads, progress)))


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
    _at_least(1, runs=runs, repeats=repeats)
    _at_least(2, folds=folds)
    if folds is not None and runs is not None:
        raise Error("compare: runs or folds expected, both found\nhint: of a cross-validation repeats says how often")
    if folds is None and repeats != 1:
        raise Error("compare: repeats of folds expected, no folds found\nhint: compare(…, folds=5, repeats=2)")
    design = _Values(
        runs=3 if runs is None else runs, first_seed=first_seed, folds=folds, repeats=repeats, resample=resample, decide_by=decide_by
    )
    return Verdict(_native.compare(names, design, _settings(data, epochs, threads, progress)))


def cross_validate(
    estimators: Mapping[str, Any],
    inputs: Any,
    labels: Any,
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    decide_by: str = "accuracy",
    title: str | None = None,
) -> Verdict:
    """Cross-validates estimators of scikit-learn's kind (`fit`, `predict`, `predict_proba`) on the same folds, and compares them by the
    corrected resampled t test.

    Images of each class are dealt out to the folds evenly. Each estimator is fitted as a copy; what it draws at random is its own matter.
    `inputs` and `labels` are arrays of NumPy, or lists.
    """
    _at_least(2, folds=folds)
    _at_least(1, repeats=repeats)
    if not isinstance(estimators, Mapping):
        raise Error(f"cross_validate: a mapping from names to estimators expected, {type(estimators).__name__} found")
    count = inputs.shape[0] if hasattr(inputs, "shape") else len(inputs)
    if count != len(labels):
        raise Error(f"cross_validate: a label for each input expected, {count} inputs and {len(labels)} labels found")
    plain = _plain(labels)
    if any(isinstance(label, Sequence) and not isinstance(label, str) for label in plain):
        raise Error("cross_validate: labels [image] expected, an array of two dimensions found\nhint: labels.ravel(), or labels.argmax(axis=1)")
    # By their numbers where those are classes, so that probabilities have a column each.
    classes = 1 + max(plain, default=0) if all(_is_class(label) for label in plain) else None
    if classes is None and decide_by == "log-loss":
        raise Error("cross_validate: labels 0, 1, … expected where log-loss decides, others found\nhint: encode them, as LabelEncoder does")
    runs: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in estimators}
    for repeat in range(repeats):
        for fold, held_out in enumerate(_dealt(labels, folds, f"{seed} {repeat}"), start=1):
            out = set(held_out)
            learnt = [index for index in range(len(labels)) if index not in out]
            for name, estimator in estimators.items():
                fitted = _clone(estimator)
                fitted.fit(_taken(inputs, learnt), _taken(labels, learnt))
                run = f"fold-{fold}" if repeats == 1 else f"repeat-{repeat + 1}-fold-{fold}"
                runs[name][run] = _answers(fitted, _taken(inputs, held_out), classes) | {
                    "labels": _taken(labels, held_out),
                    "ids": [str(index) for index in held_out],
                    # Estimators learn from all that is not held out.
                    "about": {"held_back": 0},
                }
    return judge(None, runs, decide_by=decide_by, title=title)


def _dealt(labels: Sequence[Any], folds: int, seed: str) -> list[list[int]]:
    """Indices of each fold, in ascending order."""
    of_class: dict[Any, list[int]] = {}
    for index, label in enumerate(_plain(labels)):
        of_class.setdefault(label, []).append(index)
    order: list[int] = []
    draw = random.Random(seed)
    for indices in of_class.values():
        draw.shuffle(indices)
        order.extend(indices)
    return [sorted(order[fold::folds]) for fold in range(folds)]


def _answers(fitted: Any, inputs: Any, classes: int | None) -> dict[str, Any]:
    """Probabilities of so many classes where the estimator knows classes by their numbers, else predictions. One that it never saw has
    probability 0."""
    known = _plain(getattr(fitted, "classes_", []))
    if classes is None or not hasattr(fitted, "predict_proba") or not known or not all(map(_is_class, known)):
        return {"predictions": fitted.predict(inputs)}
    probabilities = fitted.predict_proba(inputs)
    if known == list(range(classes)):
        return {"probabilities": probabilities}
    rows = []
    for row in _plain(probabilities):
        of_class = dict(zip(known, row, strict=True))
        rows.append([of_class.get(number, 0.0) for number in range(classes)])
    return {"probabilities": rows}


def _is_class(label: Any) -> bool:
    return isinstance(label, int) and not isinstance(label, bool) and 0 <= label < 256


def _is_whole(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _at_least(least: int, **values: int | None) -> None:
    for name, value in values.items():
        if value is not None and not (isinstance(value, int) and value >= least):
            raise Error(f"{name}: a whole number from {least} on expected, {value!r} found")


def _taken(values: Any, indices: list[int]) -> Any:
    if hasattr(values, "iloc"):
        return values.iloc[indices]
    return values[indices] if hasattr(values, "shape") else [values[index] for index in indices]


def _plain(values: Any) -> list[Any]:
    return values.tolist() if hasattr(values, "tolist") else list(values)


def _clone(estimator: Any) -> Any:
    """Unfitted, where scikit-learn is there to say so."""
    try:
        from sklearn.base import clone
    except ImportError:
        return copy.deepcopy(estimator)
    return clone(estimator) if hasattr(estimator, "get_params") else copy.deepcopy(estimator)


def _settings(data: Any, epochs: int | None, threads: int | None, progress: Progress | None) -> Any:
    _at_least(1, epochs=epochs, threads=threads)
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
        return shaped(bytes(_whole(value) for value in view.tolist()), [len(view)]) if len(view) else b""
    except ValueError as error:
        raise Error(f"{name}: whole numbers from 0 to 255 expected, {error}") from error


def _whole(value: float) -> int:
    if value != int(value):
        raise ValueError(f"{value} found")
    return int(value)


class _Values:
    """What the native module reads by name."""

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)
