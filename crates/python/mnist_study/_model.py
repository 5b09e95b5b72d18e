"""Models that answer."""

from __future__ import annotations

import json
import os
from functools import cached_property
from typing import Any

from . import _native
from ._arrays import from_bytes, pixels
from ._native import Error


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


def _is_whole(name: str) -> bool:
    return name.isascii() and name.isdigit()
