"""Estimators of scikit-learn's kind, compared on the same folds."""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping, Sequence
from typing import Any

from ._checks import whole
from ._native import Error
from ._verdict import Verdict, judge


def cross_validate(
    estimators: Mapping[str, Any],
    inputs: Any,
    labels: Any,
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    decide_by: str = "accuracy",
    title: str | None = None,
) -> Verdict:
    """Cross-validates estimators of scikit-learn's kind (`fit`, `predict`, `predict_proba`) on the same folds, and compares them by the
    corrected resampled t test.

    Images of each class are dealt out to the folds evenly. Each estimator is fitted as a copy; what it draws at random is its own matter.
    `inputs` and `labels` are arrays of NumPy, or lists.
    """
    folds, repeats = whole("folds", folds, 2), whole("repeats", repeats, 1)
    if not isinstance(estimators, Mapping):
        raise Error(f"cross_validate: a mapping from names to estimators expected, {type(estimators).__name__} found")
    count = inputs.shape[0] if hasattr(inputs, "shape") else len(inputs)
    if count != len(labels):
        raise Error(f"cross_validate: a label for each input expected, {count} inputs and {len(labels)} labels found")
    plain = _plain(labels)
    if any(isinstance(label, Sequence) and not isinstance(label, str) for label in plain):
        raise Error("cross_validate: labels [image] expected, an array of two dimensions found\nhint: labels.ravel(), or labels.argmax(axis=1)")
    # By their numbers where those are classes, so that probabilities have a column each.
    classes = 1 + max(plain, default=0) if all(_is_class(label) for label in plain) else None
    if classes is None and decide_by == "log-loss":
        raise Error("cross_validate: labels 0, 1, … expected where log-loss decides, others found\nhint: encode them, as LabelEncoder does")
    runs: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in estimators}
    for repeat in range(repeats):
        for fold, held_out in enumerate(_dealt(labels, folds, f"{seed} {repeat}"), start=1):
            out = set(held_out)
            learnt = [index for index in range(len(labels)) if index not in out]
            for name, estimator in estimators.items():
                fitted = _clone(estimator)
                fitted.fit(_taken(inputs, learnt), _taken(labels, learnt))
                run = f"fold-{fold}" if repeats == 1 else f"repeat-{repeat + 1}-fold-{fold}"
                runs[name][run] = _answers(fitted, _taken(inputs, held_out), classes) | {
                    "labels": _taken(labels, held_out),
                    "ids": [str(index) for index in held_out],
                    # Estimators learn from all that is not held out.
                    "about": {"held_back": 0},
                }
    return judge(None, runs, decide_by=decide_by, title=title)


def _dealt(labels: Sequence[Any], folds: int, seed: str) -> list[list[int]]:
    """Indices of each fold, in ascending order."""
    of_class: dict[Any, list[int]] = {}
    for index, label in enumerate(_plain(labels)):
        of_class.setdefault(label, []).append(index)
    order: list[int] = []
    draw = random.Random(seed)
    for indices in of_class.values():
        draw.shuffle(indices)
        order.extend(indices)
    return [sorted(order[fold::folds]) for fold in range(folds)]


def _answers(fitted: Any, inputs: Any, classes: int | None) -> dict[str, Any]:
    """Probabilities of so many classes where the estimator knows classes by their numbers, else predictions. One that it never saw has
    probability 0."""
    known = _plain(getattr(fitted, "classes_", []))
    if classes is None or not hasattr(fitted, "predict_proba") or not known or not all(map(_is_class, known)):
        return {"predictions": fitted.predict(inputs)}
    probabilities = fitted.predict_proba(inputs)
    if known == list(range(classes)):
        return {"probabilities": probabilities}
    rows = []
    for row in _plain(probabilities):
        of_class = dict(zip(known, row, strict=True))
        rows.append([of_class.get(number, 0.0) for number in range(classes)])
    return {"probabilities": rows}


def _is_class(label: Any) -> bool:
    return isinstance(label, int) and not isinstance(label, bool) and 0 <= label < 256


def _taken(values: Any, indices: list[int]) -> Any:
    if hasattr(values, "iloc"):
        return values.iloc[indices]
    return values[indices] if hasattr(values, "shape") else [values[index] for index in indices]


def _plain(values: Any) -> list[Any]:
    return values.tolist() if hasattr(values, "tolist") else list(values)


def _clone(estimator: Any) -> Any:
    """Unfitted, where scikit-learn is there to say so."""
    try:
        from sklearn.base import clone
    except ImportError:
        return copy.deepcopy(estimator)
    return clone(estimator) if hasattr(estimator, "get_params") else copy.deepcopy(estimator)
