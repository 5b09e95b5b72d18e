"""What PyTorch computes with weights of its own, in files as PyTorch users keep them.

    python3 golden/interchange/make.py path/to/mnist-study path/to/mnist

needs torch, safetensors and numpy, and the four IDX files in the second folder. For every network of tests/interchange/every-layer.toml the module that
`export --pytorch` writes is given weights by PyTorch's own initialisers, and moved off what those leave at zero or one;
its state dict is saved as NAME.safetensors, and its logits of the first test images go into logits.json. `sequential`
is a network as it is most often written, an `nn.Sequential` without any name.

In the other direction the module first takes, strictly, the weights that mnist-study has trained, and its accuracy on
the test images has to be the one that `evaluate` tells.
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
IMAGES = 8
COMMAND = sys.argv[1]
BUILT_IN = "mlp cnn lenet5 deep-cnn resnet-small lstm stacked-lstm bilstm gru vit mixer tiny nano fast best".split()


def run(*arguments: object) -> str:
    return subprocess.run([COMMAND, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def test_set() -> tuple[torch.Tensor, torch.Tensor]:
    """The test images [n, 1, 28, 28] of 0 to 1, and their labels, from a folder of the four IDX files."""
    folder = Path(sys.argv[2])
    pixels = np.frombuffer((folder / "t10k-images-idx3-ubyte").read_bytes()[16:], np.uint8)
    labels = np.frombuffer((folder / "t10k-labels-idx1-ubyte").read_bytes()[8:], np.uint8)
    return torch.from_numpy(pixels.reshape(-1, 1, 28, 28) / np.float32(255)), torch.from_numpy(labels.copy())


def adopted(name: str, model: str, work: Path, images: torch.Tensor, labels: torch.Tensor) -> nn.Module:
    """The module with the weights that mnist-study trained, once its accuracy has been found to be the same."""
    weights, source = work / f"{name}.safetensors", work / f"{name.replace('-', '_')}.py"
    run("train", model, "--epochs", 1, "--save", weights, "--quiet")
    run("export", weights, "--pytorch", source)
    specification = importlib.util.spec_from_file_location(source.stem, source)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    network = module.load(str(weights))
    with torch.no_grad():
        logits = torch.cat([network(part) for part in images.split(1000)])
    correct = int((logits.argmax(1) == labels).sum())
    loss = float(nn.functional.cross_entropy(logits.double(), labels.long()))
    ours = json.loads(run("evaluate", weights, "--json"))
    print(f"{name}: {correct} right, loss {loss:.6f}; ours {ours['test_accuracy']}, {ours['test_loss']:.6f}")
    if round(1e4 * ours["test_accuracy"]) != correct or abs(loss - ours["test_loss"]) > 1e-5:
        raise SystemExit(f"error: {name}: PyTorch finds another accuracy or loss")
    return network


def disturb(network: nn.Module) -> None:
    """Fresh weights, none of them at what an initialiser leaves alone."""
    for module in network.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    for name, values in network.state_dict().items():
        if name.endswith("running_var"):
            values.uniform_(0.5, 1.5)
        elif values.is_floating_point():
            values.add_(0.1 * torch.randn_like(values))


def sequential() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6, eps=1e-3),
        nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(150, 12), nn.ReLU(), nn.Dropout(0.5), nn.Linear(12, 10),
    )  # fmt: skip


def main() -> None:
    images, labels = test_set()
    torch.manual_seed(0)
    logits = {}
    with tempfile.TemporaryDirectory() as work:
        for name in BUILT_IN:
            adopted(name, name, Path(work), images, labels)
        networks = {
            name: adopted(name, f"{STUDY}:{name}", Path(work), images, labels)
            for name in tomllib.loads(STUDY.read_text())["model"]
        }
    for name, network in (networks | {"sequential": sequential()}).items():
        disturb(network)
        with torch.no_grad():
            logits[name] = network.eval()(images[:IMAGES]).tolist()
        save_file(network.state_dict(), FOLDER / f"{name}.safetensors")
    rows = ",\n".join(f'"{name}": {json.dumps(values)}' for name, values in logits.items())
    (FOLDER / "logits.json").write_text(f"{{\n{rows}\n}}\n")


main()
