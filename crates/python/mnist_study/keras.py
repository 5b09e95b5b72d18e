"""A callback for Keras 3 that writes a run down.

    with mnist_study.Run("resnet", seed=0) as run:
        model.fit(x, y, validation_data=..., epochs=5, callbacks=[mnist_study.keras.EpochLog(run)])
        run.test(y_test, model.predict(x_test))
"""

from __future__ import annotations

import time
from typing import Any

import keras

from ._run import Run


class EpochLog(keras.callbacks.Callback):
    """Notes loss and accuracy of each epoch, on the training images and, where there are some, on the validation images."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._began = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        self._run.epoch(
            epoch=epoch + 1,
            train_loss=logs.get("loss"),
            train_accuracy=_accuracy(logs, ""),
            validation_loss=logs.get("val_loss"),
            validation_accuracy=_accuracy(logs, "val_"),
            train_seconds=time.monotonic() - self._began,
        )


def _accuracy(logs: dict[str, Any], prefix: str) -> Any:
    """By whichever name Keras logs it under."""
    names = ("accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy")
    return next((logs[prefix + name] for name in names if prefix + name in logs), None)
