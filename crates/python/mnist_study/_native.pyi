from collections.abc import Callable, Sequence
from typing import Any, Protocol

from typing_extensions import Buffer

class Error(ValueError):
    """What mnist-study refuses, in the words of its command."""

class Images(Protocol):
    name: str
    training_images: Buffer
    training_labels: Buffer
    test_images: Buffer
    test_labels: Buffer

_Arrays = Sequence[tuple[str, Buffer | list[str]]]
_Progress = Callable[[int, float, float, float, float], object]

class Comparison:
    def sentences(self) -> list[str]: ...
    def summary(self) -> str: ...
    def page(self) -> str: ...
    def notebook(self) -> str: ...
    def terminal(self) -> str: ...
    def records(self) -> list[str]: ...
    def write(self, folder: str, replace: bool) -> None: ...

class Model:
    def __init__(self, path: str) -> None: ...
    def save(self, path: str) -> None: ...
    def probabilities(self, images: Buffer) -> tuple[bytes, int]: ...
    def file(self, path: str) -> tuple[int, str, list[float], list[str]]: ...
    @property
    def name(self) -> str: ...
    @property
    def classes(self) -> list[str]: ...
    @property
    def image_shape(self) -> tuple[int, int, int]: ...
    @property
    def remarks(self) -> list[str]: ...
    @property
    def record(self) -> str | None: ...

def main(words: Sequence[str]) -> int: ...
def judge(
    runs: Sequence[tuple[str, str, _Arrays, str | None]],
    labels: _Arrays | None,
    images: str | None,
    title: str | None,
    decide_by: str,
) -> Comparison: ...
def judge_files(folder: str, labels: str | None, images: str | None, title: str | None, decide_by: str) -> Comparison: ...
def read(folder: str) -> Comparison: ...
def load_data(name: str) -> tuple[list[tuple[bytes, list[int], bytes]], list[str]]: ...
def train(
    model: str,
    data: str | None,
    images: Any | None,
    epochs: int | None,
    seed: int,
    threads: int | None,
    progress: _Progress | None,
) -> Model: ...
def compare(
    models: Sequence[str],
    data: str | None,
    images: Any | None,
    runs: int,
    first_seed: int,
    epochs: int | None,
    folds: int | None,
    repeats: int,
    resample: str | None,
    decide_by: str,
    threads: int | None,
    progress: _Progress | None,
) -> Comparison: ...
