"""Writes a data set of colour images, 32×32×3 in ten classes, as IDX files: what the comparison of colour networks trains on.

    python3 colour.py FOLDER

16,000 training and 2,000 test images. A class is a smooth pattern; an image is its class's pattern, moved by up to four pixels with
wrapping, under noise of twice its strength. Every pixel has a value, so that no program gains by leaving dark ones out.
"""

import sys
from pathlib import Path

import numpy as np

SIDE, CHANNELS, CLASSES = 32, 3, 10


def images(random: np.random.Generator, patterns: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Bytes `[n, row, column, channel]`."""
    made = np.empty((len(labels), SIDE, SIDE, CHANNELS), np.uint8)
    for image, label, by in zip(made, labels, random.integers(-4, 5, (len(labels), 2)), strict=True):
        noise = random.normal(0, 50, image.shape)
        image[:] = (128 + 25 * np.roll(patterns[label], by, (0, 1)) + noise).clip(1, 255)
    return made


def write(file: Path, values: np.ndarray) -> None:
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    file.write_bytes(header + values.astype(np.uint8).tobytes())


def main(folder: Path) -> None:
    random = np.random.default_rng(18)
    coarse = random.normal(size=(CLASSES, SIDE // 8, SIDE // 8, CHANNELS))
    patterns = coarse.repeat(8, 1).repeat(8, 2)
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in [("train", 16_000), ("t10k", 2_000)]:
        labels = random.integers(0, CLASSES, count)
        write(folder / f"{name}-images-idx3-ubyte", images(random, patterns, labels))
        write(folder / f"{name}-labels-idx1-ubyte", labels)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
