"""A callback for Lightning that writes a run down.

    with mnist_study.Run("resnet", seed=0) as run:
        trainer = Trainer(max_epochs=5, callbacks=[mnist_study.lightning.EpochLog(run)])
        trainer.fit(model, loaders)
        run.test(labels, probabilities)
"""

from __future__ import annotations

import time
from typing import Any

try:
    from lightning.pytorch import Callback
except ImportError:
    from pytorch_lightning import Callback

from ._run import Run


class EpochLog(Callback):
    """Notes what the module logged as `train_loss`, `train_acc`, `val_loss` and `val_acc` (or `…_accuracy`) in each epoch."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._began = time.monotonic()

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        self._began = time.monotonic()

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        metrics = trainer.callback_metrics
        self._run.epoch(
            epoch=trainer.current_epoch + 1,
            train_loss=_value(metrics, "train_loss", "train_loss_epoch", "loss"),
            train_accuracy=_value(metrics, "train_acc", "train_accuracy", "train_acc_epoch", "train_accuracy_epoch"),
            validation_loss=_value(metrics, "val_loss", "validation_loss"),
            validation_accuracy=_value(metrics, "val_acc", "val_accuracy", "validation_accuracy"),
            train_seconds=time.monotonic() - self._began,
        )


def _value(metrics: Any, *names: str) -> float | None:
    return next((float(metrics[name]) for name in names if name in metrics), None)
