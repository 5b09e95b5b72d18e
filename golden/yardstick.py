"""Trains the study's two models in Keras on MNIST: the accuracy and the time to hold our own training against.

    python yardstick.py FOLDER --seeds 1 2 3        FOLDER holds the four unpacked IDX files

Protocol `original`: 60,000 training images, the 10,000 test images as validation, pixels / 255, one-hot labels, batches
of 128 shuffled each epoch, the last one smaller, Adam at 1e-3, Keras's default initialisers. One JSON line an epoch on
stdout. `train_loss` and `train_accuracy` are Keras's: the mean over the epoch's batches, each before its update.
`train_seconds` leaves out validation; a model's first epoch includes building TensorFlow's graph.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
import keras
import numpy as np
import tensorflow as tf


def read_idx(file):
    """The u8 array of an unpacked IDX file."""
    content = file.read_bytes()
    assert content[:3] == b"\0\0\x08", f"{file.name}: an IDX file of bytes expected"
    dimensions = np.frombuffer(content, ">u4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(dimensions)


def read_split(folder, prefix):
    """Images [n, 28, 28] in [0, 1] and one-hot labels [n, 10], float32."""
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte").astype(np.float32) / np.float32(255)
    return images, np.eye(10, dtype=np.float32)[read_idx(folder / f"{prefix}-labels-idx1-ubyte")]


def cnn():
    layers = keras.layers
    return [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10),
    ]


def lstm():
    return [keras.Input((28, 28)), keras.layers.LSTM(128), keras.layers.Dense(10)]


class Report(keras.callbacks.Callback):
    """Prints a line after each epoch, with the time from its start to the start of its validation."""

    def __init__(self, run):
        super().__init__()
        self.run = run

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()
        self.trained = None

    def on_test_begin(self, logs=None):
        self.trained = time.perf_counter() - self.began

    def on_epoch_end(self, epoch, logs):
        metrics = {
            "epoch": epoch + 1,
            "train_loss": logs["loss"],
            "train_accuracy": logs["accuracy"],
            "validation_loss": logs["val_loss"],
            "validation_accuracy": logs["val_accuracy"],
            "train_seconds": self.trained,
        }
        print(json.dumps(self.run | metrics), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of the four unpacked IDX files")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--models", nargs="+", choices=["cnn", "lstm"], default=["cnn", "lstm"])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    arguments = parser.parse_args()

    x, y = read_split(arguments.folder, "train")
    validation_x, validation_y = read_split(arguments.folder, "t10k")
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__, "cores": os.cpu_count()}
    for seed in arguments.seeds:
        for name in arguments.models:
            keras.backend.clear_session()
            keras.utils.set_random_seed(seed)
            model = keras.Sequential({"cnn": cnn, "lstm": lstm}[name]())
            model.compile(
                optimizer=keras.optimizers.Adam(1e-3),
                loss=keras.losses.CategoricalCrossentropy(from_logits=True),
                metrics=["accuracy"],
            )
            shape = (-1, *model.input_shape[1:])
            run = {"model": name, "parameters": model.count_params(), "seed": seed} | versions
            model.fit(
                x.reshape(shape),
                y,
                batch_size=arguments.batch_size,
                epochs=arguments.epochs,
                validation_data=(validation_x.reshape(shape), validation_y),
                callbacks=[Report(run)],
                verbose=0,
            )


if __name__ == "__main__":
    main()
