"""PyTorch's modules for the layers of a study file, as `mnist-study models --describe NAME --json` lists them.

A tensor here is `[n, channels, height, width]`, kept in memory as NHWC, `[n, steps, features]` or `[n, features]`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
RECURRENT = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
CLASSES = 10


class Apply(nn.Module):
    """A function of a tensor, without parameters."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Recurrent(nn.Module):
    """The last state of every direction, or the outputs at all steps; an image is read by rows."""

    def __init__(self, kind: str, features: int, units: int, words: list[str]) -> None:
        super().__init__()
        self.sequence = "sequence" in words
        self.cell = RECURRENT[kind](features, units, batch_first=True, bidirectional="bidirectional" in words)

    def forward(self, x: Tensor) -> Tensor:
        outputs, state = self.cell(x.squeeze(1) if x.ndim == 4 else x)
        if self.sequence:
            return outputs
        hidden = state[0] if isinstance(state, tuple) else state
        return torch.cat(tuple(hidden), 1)


class Attention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(features, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x, x, x, need_weights=False)[0]


class Position(nn.Module):
    """A learnt value added to each feature of each step."""

    def __init__(self, steps: int, features: int) -> None:
        super().__init__()
        self.position = nn.Parameter(0.02 * torch.randn(steps, features))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.position


class FeatureNorm(nn.Module):
    """Layer normalisation over the last axis; over the channels where the input is an image."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) if x.ndim == 4 else self.norm(x)


class Residual(nn.Module):
    """The sum of two ways."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


def patches(x: Tensor, size: int) -> Tensor:
    """`[n, channels, height, width]` as `[n, patches, channels * size * size]`."""
    return functional.unfold(x, size, stride=size).transpose(1, 2)


def option(words: list[str], name: str, otherwise: int) -> int:
    return int(words[words.index(name) + 1]) if name in words else otherwise


def pair(text: str) -> list[int]:
    """`3x5`, or `3` for both."""
    sides = [int(side) for side in text.split("x")]
    return sides * 2 if len(sides) == 1 else sides


def convolution(words: list[str], channels: int) -> nn.Conv2d:
    depthwise = words[0] == "depthwise"
    filters = channels if depthwise else int(words[1])
    size = pair(words[1 if depthwise else 2])
    dilation = option(words, "dilation", 1)
    same = [dilation * (side - 1) // 2 for side in size]
    padding = same if "same" in words else pair(words[words.index("pad") + 1] if "pad" in words else "0")
    groups = channels if depthwise else option(words, "groups", 1)
    bias = words[-2:] != ["no", "bias"]
    return nn.Conv2d(channels, filters, size, option(words, "stride", 1), padding, dilation, groups, bias)


def single(text: str, shape: tuple[int, ...]) -> nn.Module:
    """The module of one line; `shape` is its input without the batch, channels first."""
    words = text.split()
    match words:
        case ["conv" | "depthwise", *_]:
            return convolution(words, shape[0])
        case ["dense", units, *_]:
            units = CLASSES if units == "classes" else int(units)
            return nn.Linear(shape[-1], units, bias=words[-2:] != ["no", "bias"])
        case ["leaky", "relu", *slope]:
            return nn.LeakyReLU(float(slope[0]) if slope else 0.01)
        case [name] if name in ACTIVATIONS:
            return ACTIVATIONS[name]()
        case ["maxpool" | "avgpool" as kind, size, *_]:
            pool = nn.MaxPool2d if kind == "maxpool" else nn.AvgPool2d
            return pool(int(size), option(words, "stride", int(size)))
        case ["global", kind]:
            axes = (2, 3) if len(shape) == 3 else (1,)
            return Apply(lambda x: x.amax(axes) if kind == "maxpool" else x.mean(axes))
        case ["flatten"]:
            return nn.Flatten()
        case ["dropout", rate]:
            return nn.Dropout(float(rate))
        case ["batchnorm"] if len(shape) != 2:
            return nn.BatchNorm2d(shape[0], eps=1e-3) if len(shape) == 3 else nn.BatchNorm1d(shape[0], eps=1e-3)
        case ["layernorm"]:
            return FeatureNorm(shape[0] if len(shape) == 3 else shape[-1])
        case ["rows"]:
            return Apply(lambda x: x.squeeze(1))
        case ["columns"]:
            return Apply(lambda x: x.squeeze(1).transpose(1, 2))
        case ["pixels"]:
            return Apply(lambda x: x.flatten(2).transpose(1, 2))
        case ["patches", size]:
            return Apply(lambda x: patches(x, int(size)))
        case ["position"]:
            return Position(*shape)
        case ["attention", heads]:
            return Attention(shape[-1], int(heads))
        case ["transpose"]:
            return Apply(lambda x: x.transpose(1, 2))
        case ["lstm" | "gru" | "rnn" as kind, units, *_]:
            return Recurrent(kind, shape[-1], int(units), words)
    raise SystemExit(f"error: layer `{text}` of shape {shape}: no PyTorch module is written for it")


def shape_after(module: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    with torch.no_grad():
        return tuple(module.eval()(torch.zeros(2, *shape)).shape[1:])


def modules(layers: list, shape: tuple[int, ...]) -> nn.Sequential:
    """The network of a list of layers, which begins with an input of `shape`."""
    made = []
    for layer in layers:
        if isinstance(layer, str):
            module = single(layer, shape)
        else:
            shortcut = modules(layer.get("shortcut", []), shape)
            module = Residual(modules(layer["residual"], shape), shortcut)
        shape = shape_after(module, shape)
        made.append(module)
    return nn.Sequential(*made).train()


def initialise(network: nn.Module) -> None:
    """Keras's initial values; of the two biases that PyTorch gives an LSTM's gate, the second is held at zero."""
    for module in network.modules():
        if isinstance(module, nn.MultiheadAttention):
            # One matrix holds the queries', keys' and values': each is drawn as a square of its own.
            for matrix in module.in_proj_weight.chunk(3):
                nn.init.xavier_uniform_(matrix)
            nn.init.zeros_(module.in_proj_bias)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.RNNBase):
            units = module.hidden_size
            for key, values in module.named_parameters():
                if "bias" in key:
                    nn.init.zeros_(values)
                    if isinstance(module, nn.LSTM) and "bias_ih" in key:
                        nn.init.ones_(values[units : 2 * units])
                    # A GRU with a reset gate after the product has two biases in Keras and here too.
                    values.requires_grad_("bias_ih" in key or isinstance(module, nn.GRU))
                elif "weight_ih" in key:
                    nn.init.xavier_uniform_(values)
                else:
                    nn.init.orthogonal_(values)


def network(layers: list, shape: tuple[int, int, int]) -> nn.Sequential:
    """The network for images of `shape`, channels first, its kernels kept as NHWC."""
    model = modules(layers, shape)
    initialise(model)
    return model.to(memory_format=torch.channels_last)


def count(model: nn.Module) -> int:
    """Parameters that are learnt."""
    return sum(values.numel() for values in model.parameters() if values.requires_grad)
