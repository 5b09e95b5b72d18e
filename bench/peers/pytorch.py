"""PyTorch on the CPU: trains any network of a study file, or infers with weights that `mnist-study` trained."""

import peer

MODES = ["eager", "compile", "eager-bf16", "compile-bf16"]
chosen = peer.options(__doc__, MODES)

import importlib.util

import torch
from torch import Tensor, nn
from torch.nn import functional

import pytorch_network


def exported() -> nn.Module:
    """The module that `mnist-study export --pytorch` wrote beside the weights, with them."""
    source = chosen.weights.with_suffix(".py")
    specification = importlib.util.spec_from_file_location(source.stem, source)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.load(str(chosen.weights)).to(memory_format=torch.channels_last)


def compiled(function, kind: str):
    return torch.compile(function, dynamic=False) if kind.startswith("compile") else function


def channels_first(images: Tensor) -> Tensor:
    """`[n, channels, height, width]` of images as files have them, by strides alone: they stay NHWC in memory."""
    return images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)


def training() -> peer.Trained:
    torch.manual_seed(chosen.seed)
    images, labels = map(torch.from_numpy, peer.read_set(chosen.data, "train", chosen.images))
    model = pytorch_network.network(chosen.network["network"], tuple(channels_first(images).shape[1:]))
    parameters = [values for values in model.parameters() if values.requires_grad]
    betas = (peer.BETA_1, peer.BETA_2)
    optimizer = torch.optim.Adam(parameters, peer.LEARNING_RATE, betas, peer.EPSILON, fused=True)
    bf16 = chosen.mode.endswith("bf16")

    def mean_loss(x: Tensor, y: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = model(channels_first(x))
        return functional.cross_entropy(logits.float(), y)

    mean_loss = compiled(mean_loss, chosen.mode)

    def learn(order: Tensor) -> None:
        for rows in order.split(peer.BATCH_SIZE):
            optimizer.zero_grad()
            mean_loss(images[rows], labels[rows]).backward()
            optimizer.step()

    def warm_up() -> None:
        """One full batch and one as large as the epoch's last, then back to the initial weights."""
        kept = {key: values.clone() for key, values in model.state_dict().items()}
        learn(torch.arange(peer.BATCH_SIZE + (len(images) % peer.BATCH_SIZE)))
        model.load_state_dict(kept)
        optimizer.state.clear()

    seconds = peer.train(warm_up, lambda: learn(torch.randperm(len(images))), chosen.epochs)
    model.eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        x, y = map(torch.from_numpy, peer.read_set(chosen.data, "t10k"))
        parts = zip(x.split(1000), y.split(1000), strict=True)
        right = sum(int((model(channels_first(some)).argmax(1) == true).sum()) for some, true in parts)
    return peer.Trained(*seconds, right / len(y), pytorch_network.count(model), len(images))


def inference() -> dict:
    forward = compiled(exported(), chosen.mode)

    def logits(images):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=chosen.mode.endswith("bf16")):
            return forward(torch.from_numpy(images[:, None])).float().numpy()

    return peer.infer(logits, *peer.read_set(chosen.data, "t10k"))


torch.set_num_threads(chosen.threads)
torch.set_flush_denormal(True)
peer.report(chosen, "PyTorch", torch.__version__, inference() if chosen.weights else training())
