"""Writes values.json: what scikit-learn says of answers whose labels and probabilities are drawn here.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py

Probabilities are whole numbers of 1/65535, as records have them, so ties are as frequent as there. Nothing here calls the Rust code.
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import metrics

EXPECTED = {"numpy": "2.4.6", "scikit-learn": "1.9.1"}


def answers(seed, classes, shares, images, strength, steps=65535, never=None):
    """Labels by `shares`, probabilities that lean towards them by `strength` in `steps` steps, `never` given."""
    draw = np.random.default_rng(seed)
    labels = draw.choice(classes, size=images, p=shares)
    scores = draw.normal(size=(images, classes))
    scores[np.arange(images), labels] += strength
    if never is not None:
        scores[:, never] = -20.0
    rows = np.exp(scores - scores.max(axis=1, keepdims=True))
    rows /= rows.sum(axis=1, keepdims=True)
    words = np.rint(rows * steps).astype(int) * (65535 // steps)
    return labels, words, scores.argmax(axis=1)


def case(name, classes, labels, words, given):
    every = list(range(classes))
    present = [c for c in every if (labels == c).any() and (labels != c).any()]
    areas = [metrics.roc_auc_score(labels == c, words[:, c]) for c in present]
    with warnings.catch_warnings():
        # A class that is given and does not occur, one class alone: what is returned all the same is the convention.
        warnings.simplefilter("ignore")
        kappa = metrics.cohen_kappa_score(labels, given)
        result = {
            "name": name,
            "classes": classes,
            "labels": labels.tolist(),
            "given": given.tolist(),
            "probabilities": words.ravel().tolist(),
            "balanced_accuracy": metrics.balanced_accuracy_score(labels, given),
            "macro_f1": metrics.f1_score(labels, given, average="macro", zero_division=0),
            "kappa": None if np.isnan(kappa) else kappa,
            "auc": float(np.mean(areas)) if areas else None,
        }
        for key, score in [
            ("precision", metrics.precision_score),
            ("recall", metrics.recall_score),
            ("f1", metrics.f1_score),
        ]:
            result[key] = score(labels, given, labels=every, average=None, zero_division=0).tolist()
    return result


def cases():
    yield case("two classes, 9 to 1", 2, *answers(1, 2, [0.9, 0.1], 120, 1.0))
    yield case("two classes, coarse scores", 2, *answers(2, 2, [0.7, 0.3], 60, 1.0, steps=5))
    skewed = np.array([40, 20, 10, 8, 6, 5, 4, 3, 2, 1, 1, 0.5])
    yield case("twelve classes, skewed", 12, *answers(3, 12, skewed / skewed.sum(), 150, 2.5))
    yield case("a class never given", 4, *answers(4, 4, [0.4, 0.3, 0.2, 0.1], 80, 1.5, never=2))
    absent = answers(5, 5, [0.5, 0.3, 0.0, 0.2, 0.0], 60, 1.0)
    yield case("classes without an image", 5, *absent)
    yield case("one class, all right", 3, np.zeros(5, int), np.tile([65535, 0, 0], (5, 1)), np.zeros(5, int))
    yield case("one image, wrong", 2, np.array([0]), np.array([[20000, 45535]]), np.array([1]))
    yield case("all scores equal", 3, np.array([0, 1, 2, 2]), np.full((4, 3), 21845), np.zeros(4, int))
    yield case("worse than chance", 2, np.array([0, 0, 1, 1]), np.array([[1, 9], [3, 7], [8, 2], [6, 4]]), np.array([1, 1, 0, 0]))


def main():
    found = {"numpy": np.__version__, "scikit-learn": sklearn.__version__}
    assert found == EXPECTED, found
    path = pathlib.Path(__file__).parent / "values.json"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases())
    path.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
