"""Small image classifiers compared: which one is better, by how much, how surely, and at what cost.

    verdict = mnist_study.judge(labels, {"resnet": [p0, p1, p2], "vit": [q0, q1, q2]})
    print(verdict)

Arrays may be NumPy's, PyTorch's, JAX's, TensorFlow's, or lists; NumPy itself is not needed. Errors are `mnist_study.Error`, a
`ValueError` with the words of the `mnist-study` command.
"""

from ._cross_validation import cross_validate
from ._model import Model, load
from ._native import Error
from ._run import Run
from ._training import compare, load_data, train
from ._verdict import Comparison, Verdict, judge, read

__all__ = [
    "Comparison",
    "Error",
    "Model",
    "Run",
    "Verdict",
    "compare",
    "cross_validate",
    "judge",
    "load",
    "load_data",
    "read",
    "train",
]
