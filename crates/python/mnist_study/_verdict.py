"""Models compared by their answers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _native
from ._arrays import numbers_or_strings
from ._native import Error

if TYPE_CHECKING:
    import pandas

#: What a run's arrays may be called.
_ARRAYS = ("predictions", "probabilities", "logits", "labels", "ids")


@dataclass(frozen=True)
class Comparison:
    """Two models compared by the measure that decides, as `summary.json` has it: accuracies are fractions, log-losses nats."""

    a: str
    b: str
    #: What is compared: `"accuracy"`, `"balanced-accuracy"`, `"macro-f1"` or `"log-loss"`.
    measure: str
    #: The measure of `a` less that of `b`.
    difference: float
    #: The confidence interval of `difference`.
    interval: tuple[float, float]
    #: The level of `interval`, a fraction; of several pairs the level that the Holm procedure leaves this pair.
    confidence: float
    #: p of the hypothesis that there is no difference, adjusted by Holm's procedure over `corrected_for` pairs.
    p_value: float
    #: How many pairs `p_value` and `interval` allow for; 1 where nothing had to be adjusted.
    corrected_for: int
    #: `"a-better"`, `"b-better"`, `"practically-equal"` or `"cannot-tell"`, as `summary.json` has it.
    outcome: str
    #: The result in a sentence.
    sentence: str
    #: Everything that `summary.json` says of the pair.
    figures: Mapping[str, Any]


class Verdict:
    """What a comparison found. It prints as its sentences, and shows as tables and a plot in a notebook."""

    def __init__(self, native: _native.Comparison) -> None:
        self._native = native

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def __repr__(self) -> str:
        return f"<Verdict of {', '.join(model['name'] for model in self.models)}>"

    def _repr_html_(self) -> str:
        return self._native.notebook()

    @cached_property
    def sentences(self) -> list[str]:
        """The result of each pair of models."""
        return self._native.sentences()

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Every figure, as `summary.json` has it."""
        summary: dict[str, Any] = json.loads(self._native.summary())
        return summary

    @property
    def models(self) -> list[dict[str, Any]]:
        """What is known of each model over its runs."""
        models: list[dict[str, Any]] = self.summary["models"]
        return models

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Each pair of models."""
        return [_comparison(figures) for figures in self.summary["comparisons"]]

    @property
    def comparison(self) -> Comparison:
        """The only pair of models.

        Raises `Error` where there are several, or none.
        """
        match self.comparisons:
            case [only]:
                return only
            case pairs:
                raise Error(f"verdict.comparison: two models expected, {len(pairs)} pairs found\nhint: use verdict.comparisons")

    @property
    def difference(self) -> float:
        """The difference of the only pair of models: a fraction, or nats of log-loss."""
        return self.comparison.difference

    @property
    def interval(self) -> tuple[float, float]:
        """The confidence interval of `difference`; its level is `comparison.confidence`."""
        return self.comparison.interval

    @property
    def p_value(self) -> float:
        """p of the hypothesis that the only pair of models does not differ."""
        return self.comparison.p_value

    @property
    def tables(self) -> str:
        """What the command prints: tables and verdicts as text."""
        return self._native.terminal()

    def page(self) -> str:
        """The report as one page of HTML that needs nothing beside it."""
        return self._native.page()

    def report(self, out: str | os.PathLike[str], *, replace: bool = False) -> Path:
        """Makes the folder `out` a results folder, as `mnist-study judge` does: records, `report.html`, `report.md`, `summary.json`, plots.

        Another study's folder is replaced only with `replace`.
        """
        self._native.write(os.fspath(out), replace)
        return Path(out)

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """Every run as its record has it."""
        return [json.loads(record) for record in self._native.records()]

    def frame(self) -> "pandas.DataFrame":
        """A row for each run: model, seed or fold, accuracy, loss, seconds and what else is known. Needs pandas."""
        try:
            import pandas
        except ImportError as error:
            raise ImportError("verdict.frame needs pandas: pip install pandas, or use verdict.summary") from error
        rows = []
        for record in self.records:
            run = record.get("specification", record)
            row = {name: run.get(name) for name in ("model", "run", "seed", "fold")}
            row |= {"accuracy": record["test"]["accuracy"], "loss": record["test"]["loss"]}
            row |= {name: record.get(name) for name in ("parameters", "train_seconds", "total_seconds")}
            rows.append(row)
        return pandas.DataFrame(rows).dropna(axis="columns", how="all")


def judge(
    labels: Any,
    models: Mapping[str, Any] | None = None,
    *,
    ids: Any = None,
    images: str | None = None,
    title: str | None = None,
    decide_by: str = "accuracy",
) -> Verdict:
    """Says which of several models is better on the same test images, and how surely.

    `labels` are the true classes `[image]`, as numbers or names; None where `images` names them. `models` maps a model's name to its
    answers: an array for one run, a list of arrays for several, or a mapping from the runs' names to arrays. Runs of different models are
    paired by their names (`seed-3`, `fold-2`), those of lists by their places. An array is of classes `[image]`, or of probabilities
    or logits `[image, class]`; a mapping of arrays named `predictions`, `probabilities` or `logits`, `labels` and `ids` is a run too, for
    images of its own.

    `ids` name the images. `images` names a data set, such as `"mnist"`, whose test images were answered: the report then shows what is
    missed. `decide_by` is `accuracy`, `balanced-accuracy`, `macro-f1` or `log-loss`.

    `judge(folder)` reads a folder of files instead, `MODEL/RUN.csv`, `.npz`, `.npy`, `.json` or `.safetensors`, as `mnist-study judge` does.

    Raises `Error` where answers do not fit the labels or each other, with the first row that is wrong.

    >>> print(judge([0, 1, 1, 0], {"a": [0, 1, 1, 0], "b": [0, 1, 0, 0]}).models[0]["accuracy"]["mean"])
    1.0
    """
    if models is None:
        if not isinstance(labels, str | os.PathLike):
            raise Error("judge: labels and models, or a folder, expected\nhint: judge(labels, {\"name\": answers, …})")
        return Verdict(_native.judge_files(os.fspath(labels), None, images, title, decide_by))
    if isinstance(labels, str | os.PathLike):
        raise Error(f"labels: an array of the true classes expected, the path {os.fspath(labels)} found")
    stated = []
    if labels is not None:
        stated.append(("labels", numbers_or_strings(labels, "labels")))
        if ids is not None:
            stated.append(("ids", numbers_or_strings(ids, "ids")))
    runs = [
        (model, run, *_arrays(answers, f"{model}, {run}", ids))
        for model, answers in models.items()
        for run, answers in _runs(answers)
    ]
    return Verdict(_native.judge(runs, stated or None, images, title, decide_by))


def read(folder: str | os.PathLike[str]) -> Verdict:
    """What a results folder holds, whoever made it."""
    return Verdict(_native.read(os.fspath(folder)))


def _runs(answers: Any) -> list[tuple[str, Any]]:
    """The runs of one model, with names."""
    if isinstance(answers, Mapping):
        if any(name in _ARRAYS for name in answers):
            return [("run-1", answers)]
        return [(str(name), run) for name, run in answers.items()]
    if isinstance(answers, Sequence) and answers and not isinstance(answers, str | bytes) and _is_array(answers[0]):
        return [(f"run-{place}", run) for place, run in enumerate(answers, start=1)]
    return [("run-1", answers)]


def _is_array(value: Any) -> bool:
    """Whether the elements of a list are runs: arrays of one dimension at least, or lists of lists."""
    if isinstance(value, Mapping):
        return True
    shape = getattr(value, "shape", None)
    if shape is not None:
        return len(shape) > 0
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return False
    # A list of lists of numbers is one array [image, class]; one of lists of lists, or of names, is several runs.
    return bool(value) and (isinstance(value[0], str) or _is_row(value[0]))


def _is_row(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes)


def _arrays(answers: Any, name: str, ids: Any) -> tuple[list[tuple[str, Any]], str | None]:
    """Arrays by their names, and what is stated of the run beside them."""
    about = None
    if isinstance(answers, Mapping):
        unknown = [str(key) for key in answers if key not in (*_ARRAYS, "about")]
        if unknown:
            raise Error(f"{name}: {', '.join(_ARRAYS)} or about expected, {', '.join(unknown)} found")
        arrays = [(key, numbers_or_strings(value, f"{name}, {key}")) for key, value in answers.items() if key != "about"]
        about = json.dumps(answers["about"]) if "about" in answers else None
    else:
        values = numbers_or_strings(answers, name)
        is_one_row = isinstance(values, list) or memoryview(values).ndim == 1
        arrays = [("predictions" if is_one_row else "probabilities", values)]
    if ids is not None and not any(key == "ids" for key, _ in arrays):
        arrays.append(("ids", numbers_or_strings(ids, "ids")))
    return arrays, about


def _comparison(figures: dict[str, Any]) -> Comparison:
    low, high = figures["interval"]
    return Comparison(
        a=figures["a"],
        b=figures["b"],
        measure=figures["measure"],
        difference=figures["difference"],
        interval=(low, high),
        confidence=figures["confidence"],
        p_value=figures["p_value"],
        corrected_for=figures["corrected_for"],
        outcome=figures["outcome"],
        sentence=figures["verdict"],
        figures=figures,
    )
