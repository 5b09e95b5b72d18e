"""The formula behind every number that goes into a golden model: weights, images, labels.

It needs integers and one float32 multiplication, so another language reproduces it bit for bit.

    hash(tensor: u32, index: u32) -> u64, every operation wrapping at 64 bits:
        z = ((tensor << 32 | index) + 1) * 0x9E3779B97F4A7C15
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9
        z = (z ^ z >> 27) * 0x94D049BB133111EB
        hash = z ^ z >> 31
    This is SplitMix64 (Steele, Lea and Flood, 2014) entered at its (tensor, index)-th step.

    weight(tensor, index, limit_1024) -> f32, uniform in [-limit_1024/1024, limit_1024/1024):
        k      = (hash(tensor, index) >> 44) as i32 - 524288          20 bits, exact in f32
        weight = k as f32 * (limit_1024 as f32 * 2^-29)               the one rounding
    `index` counts the tensor's elements in row-major order of its Keras shape.
    The forget gate's quarter of an LSTM bias has 1 added, which is exact (limit_1024 = 64).

    The full models' images, u8 in [0, 255], about 80 % zeros: an open ring with a bar, like a digit.
    For image n, with N = n + 33600 (FIRST_IMAGE) and `row`, `column` in 0..28:
        h  = hash(0x100, N)
        cy = 12 + (h & 3),  cx = 12 + (h >> 2 & 3),  wy = 2 + (h >> 4 & 1),  wx = 2 + (h >> 5 & 1)
        dy = row - cy,  dx = column - cx,  d = wy * dy * dy + wx * dx * dx
        quadrant = 2 * (dy >= 0) + (dx >= 0)
        ring  = 72 <= d < 200 and quadrant != (h >> 6 & 3)
        bar   = 0 <= dy <= 1 and -5 <= dx <= 5
        pixel = if ring or bar { 1 + hash(0x101, N * 784 + row * 28 + column) % 255 } else { 0 }
        label = hash(0x102, N) % 10
    A pixel enters a model as f32(pixel) / f32(255), an IEEE division.
"""

from dataclasses import dataclass

import numpy as np

IMAGE, PIXEL, LABEL = 0x100, 0x101, 0x102
# Chosen so that no activation of the first batch lies so near a ReLU's kink or a pool's tie that
# float32 rounding could decide it (the best of offsets 0, 100, ..., 39900); make.py asserts the distance.
FIRST_IMAGE = 33600
BATCH, STEPS = 8, 10


def hash64(tensor, index):
    """hash(tensor, index) of the formula above for an array of indices."""
    z = (np.uint64(tensor << 32) | np.asarray(index, np.uint64)) + np.uint64(1)
    z = z * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return z ^ z >> np.uint64(31)


def weight(tensor, shape, limit_1024):
    """A float32 tensor of that shape."""
    k = (hash64(tensor, np.arange(np.prod(shape))) >> np.uint64(44)).astype(np.int32) - 524288
    scale = np.float32(limit_1024) * np.float32(2.0**-29)
    return (k.astype(np.float32) * scale).reshape(shape)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a golden model: its hash's tensor number, Keras shape and range."""

    name: str
    tensor: int
    shape: tuple
    limit_1024: int

    def value(self):
        value = weight(self.tensor, self.shape, self.limit_1024)
        if self.name == "lstm.bias":
            units = self.shape[0] // 4
            value[units : 2 * units] += np.float32(1)
        return value


@dataclass(frozen=True)
class Model:
    """A golden model. `kind` is "cnn" or "lstm"; `input` is one sample's shape; `channels` the CNN's two
    convolutions; `hidden` the CNN's first dense layer or the LSTM's units. `number` selects the
    hashes (9 keeps cnn-mid away from kinks)."""

    name: str
    number: int
    kind: str
    input: tuple
    channels: tuple
    hidden: int
    classes: int
    batch: int

    @property
    def full(self):
        return self.name in ("cnn", "lstm")

    def parameters(self):
        shapes = self._cnn_shapes() if self.kind == "cnn" else self._lstm_shapes()
        return [
            Parameter(name, 16 * self.number + position, shape, limit(name, shape))
            for position, (name, shape) in enumerate(shapes)
        ]

    def _cnn_shapes(self):
        height, width, depth = self.input
        first, second = self.channels
        for _ in range(2):
            height, width = (height - 2) // 2, (width - 2) // 2
        flat = height * width * second
        return [
            ("conv1.kernel", (3, 3, depth, first)),
            ("conv1.bias", (first,)),
            ("conv2.kernel", (3, 3, first, second)),
            ("conv2.bias", (second,)),
            ("dense1.kernel", (flat, self.hidden)),
            ("dense1.bias", (self.hidden,)),
            ("dense2.kernel", (self.hidden, self.classes)),
            ("dense2.bias", (self.classes,)),
        ]

    def _lstm_shapes(self):
        _, features = self.input
        units = self.hidden
        return [
            ("lstm.kernel", (features, 4 * units)),
            ("lstm.recurrent_kernel", (units, 4 * units)),
            ("lstm.bias", (4 * units,)),
            ("dense.kernel", (units, self.classes)),
            ("dense.bias", (self.classes,)),
        ]


def fans(shape):
    """(fan_in, fan_out) as Keras counts them: the receptive field times the channels."""
    field = int(np.prod(shape[:-2]))
    return field * shape[-2], field * shape[-1]


def limit(name, shape):
    """limit_1024: the Glorot limit, for an orthogonal matrix sqrt(3) of an element's deviation, for a bias 1/16."""
    if name.endswith("bias"):
        return 64
    if name.endswith("recurrent_kernel"):
        return round(1024 * np.sqrt(3 / shape[1]))
    return round(1024 * np.sqrt(6 / sum(fans(shape))))


MODELS = [
    Model("cnn", 0, "cnn", (28, 28, 1), (32, 64), 128, 10, BATCH),
    Model("lstm", 1, "lstm", (28, 28), (), 128, 10, BATCH),
    Model("cnn-small", 2, "cnn", (12, 11, 1), (5, 7), 9, 4, 6),
    Model("cnn-mid", 9, "cnn", (16, 16, 1), (32, 64), 32, 10, 3),
    Model("lstm-small", 4, "lstm", (5, 6), (), 8, 4, 6),
]


def digits(count):
    """The full models' images [count, 28, 28] and labels [count], both u8."""
    number = np.arange(count, dtype=np.uint64) + np.uint64(FIRST_IMAGE)
    h = hash64(IMAGE, number).astype(np.int64)[:, None, None]
    row, column = np.arange(28)[None, :, None], np.arange(28)[None, None, :]
    dy, dx = row - 12 - (h & 3), column - 12 - (h >> 2 & 3)
    d = (2 + (h >> 4 & 1)) * dy * dy + (2 + (h >> 5 & 1)) * dx * dx
    quadrant = 2 * (dy >= 0) + (dx >= 0)
    ring = (72 <= d) & (d < 200) & (quadrant != (h >> 6 & 3))
    bar = (0 <= dy) & (dy <= 1) & (-5 <= dx) & (dx <= 5)
    index = number[:, None, None] * np.uint64(784) + (row * 28 + column).astype(np.uint64)
    pixel = hash64(PIXEL, index) % np.uint64(255) + np.uint64(1)
    labels = hash64(LABEL, number) % np.uint64(10)
    return np.where(ring | bar, pixel, np.uint64(0)).astype(np.uint8), labels.astype(np.uint8)


def batches(model):
    """The u8 inputs [steps, batch, *input] and labels [steps, batch]: ten batches of a full model, one of a twin."""
    if model.full:
        images, labels = digits(STEPS * BATCH)
        return images.reshape(STEPS, BATCH, *model.input), labels.reshape(STEPS, BATCH)
    # A twin's pixels: the hash's top byte, a third of them made zero by other bits of the hash.
    shape = (1, model.batch, *model.input)
    h = hash64(16 * model.number + 15, np.arange(np.prod(shape)))
    pixels = np.where(h % np.uint64(3) == 0, np.uint64(0), h >> np.uint64(56)).astype(np.uint8)
    labels = hash64(16 * model.number + 14, np.arange(model.batch)) % np.uint64(model.classes)
    return pixels.reshape(shape), labels.astype(np.uint8)[None]
