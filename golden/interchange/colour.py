"""What PyTorch computes for a network on images in colour: logits, and three steps of gradient descent.

    python3 golden/interchange/colour.py [path/to/mnist-study]

needs torch, safetensors and numpy. The network is an `nn.Sequential` without any name, as it is most often written, for images of
16x12 pixels, which no exchange of rows, columns and channels leaves as they are. It is computed in float64 and written as

    colour.safetensors           its state dict before the steps,
    colour-trained.safetensors   its state dict after them,
    colour-values.safetensors    images [n, row, column, channel] in bytes, labels, the logits before and after the steps (in evaluation),
                                 and the loss before each step (in training).

With the program's path the modules that `export --pytorch` writes are tried too: each network of tests/interchange/every-layer.toml
learns one epoch of an npz file in colour, its module takes the weights strictly, and must find the accuracy and the loss that
`evaluate` tells.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parent
STUDY = FOLDER.parent.parent / "tests/interchange/every-layer.toml"
IMAGES, HEIGHT, WIDTH, CLASSES, STEPS = 12, 16, 12, 4, 3
MEAN, STD, EPSILON = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 1e-5


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel, as ConvNeXt has it."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, eps=EPSILON), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3), ChannelNorm(6, eps=EPSILON), nn.ReLU(), nn.Flatten(),
        nn.Linear(90, 12), nn.ReLU(), nn.Linear(12, CLASSES),
    )  # fmt: skip


def prepared(images: np.ndarray) -> torch.Tensor:
    """[n, channel, row, column] of float64, as torchvision's Normalize leaves them."""
    pixels = torch.from_numpy(images / 255.0).permute(0, 3, 1, 2)
    return (pixels - pixels.new_tensor(MEAN).reshape(3, 1, 1)) / pixels.new_tensor(STD).reshape(3, 1, 1)


def write_golden() -> None:
    torch.manual_seed(18)
    random = np.random.default_rng(18)
    images = random.integers(0, 256, (IMAGES, HEIGHT, WIDTH, 3), np.uint8)
    labels = torch.arange(IMAGES) * 3 % CLASSES
    model = network()
    with torch.no_grad():
        for name, values in model.state_dict().items():
            if name.endswith("running_var"):
                values.uniform_(0.5, 1.5)
            elif values.is_floating_point():
                values.add_(0.1 * torch.randn_like(values))
    save_file(model.state_dict(), FOLDER / "colour.safetensors")
    model.double()
    pixels = prepared(images)
    logits, losses = [], []

    def note_logits() -> None:
        with torch.no_grad():
            logits.append(model.eval()(pixels))
        model.train()

    note_logits()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    for _ in range(STEPS):
        norm, values = model[1], IMAGES * (HEIGHT - 2) * (WIDTH - 2)
        before = norm.running_var.clone()
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(pixels), labels)
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
        # PyTorch's goes towards the unbiased variance; Keras's, and this program's, towards the biased one.
        kept = (1 - norm.momentum) * before
        norm.running_var.copy_(kept + (norm.running_var - kept) * (values - 1) / values)
    note_logits()
    save_file(model.float().state_dict(), FOLDER / "colour-trained.safetensors")
    values = {
        "images": torch.from_numpy(images),
        "labels": labels.to(torch.uint8),
        "logits": logits[0].contiguous(),
        "trained_logits": logits[1].contiguous(),
        "losses": torch.tensor(losses, dtype=torch.float64),
    }
    save_file(values, FOLDER / "colour-values.safetensors", {"golden": f"PyTorch {torch.__version__}, float64"})


def data_set(file: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Ten classes of images in noise, each with a colour of its own in a place of its own; the test images as PyTorch has them."""
    random = np.random.default_rng(7)
    colours = random.integers(0, 256, (10, 3))

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 10
        images = random.integers(0, 160, (count, 28, 28, 3), np.uint8)
        for image, label in zip(images, labels):
            image[2 * label : 2 * label + 8, 18 - label : 26 - label] = colours[label]
        return images, labels

    (images, labels), (test_images, test_labels) = part(600), part(200)
    np.savez(file, x_train=images, y_train=labels, x_test=test_images, y_test=test_labels)
    pixels = torch.from_numpy(test_images / np.float32(255)).permute(0, 3, 1, 2)
    return pixels, torch.from_numpy(test_labels)


def try_exported(command: str) -> None:
    def run(*arguments: object) -> str:
        return subprocess.run([command, *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    names = {name: f"{STUDY}:{name}" for name in tomllib.loads(STUDY.read_text())["model"]}
    for name in "cnn resnet-small vit lstm".split():
        names[name] = name
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        data = work / "colour.npz"
        images, labels = data_set(data)
        for name, model in names.items():
            weights, source = work / f"{name}.safetensors", work / f"{name.replace('-', '_')}.py"
            run("train", model, "--dataset", data, "--epochs", 1, "--save", weights, "--quiet")
            run("export", weights, "--pytorch", source)
            specification = importlib.util.spec_from_file_location(source.stem, source)
            module = importlib.util.module_from_spec(specification)
            specification.loader.exec_module(module)
            with torch.no_grad():
                logits = module.load(str(weights))(images)
            accuracy = float((logits.argmax(1) == labels).double().mean())
            loss = float(nn.functional.cross_entropy(logits.double(), labels))
            ours = json.loads(run("evaluate", weights, "--dataset", data, "--json"))
            print(f"{name}: {accuracy} right, loss {loss:.6f}; ours {ours['test_accuracy']}, {ours['test_loss']:.6f}")
            if abs(accuracy - ours["test_accuracy"]) > 1e-9 or abs(loss - ours["test_loss"]) > 1e-5:
                raise SystemExit(f"error: {name}: PyTorch finds another accuracy or loss")


write_golden()
for command in sys.argv[1:]:
    try_exported(command)
