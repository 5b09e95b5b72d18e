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
from ._arrays import numbers_or_strings, shaped, warn
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
        return "\n".join(self.sentences) or self.tables.strip()

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
    def notes(self) -> list[str]:
        """What was guessed, converted or left out, and how runs were paired."""
        return [*self.summary["notes"], *self.summary["warnings"]]

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
                hint = "verdict.comparisons has each" if pairs else "print(verdict) says what there is"
                raise Error(f"verdict.comparison: one pair of models expected, {len(pairs)} pairs found\nhint: {hint}")

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

        An earlier verdict in that folder is replaced; one that has a title only by a study of the same title, or with `replace`. Files that this program
        did not write are never replaced.
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
        return _told(_native.judge_files(os.fspath(labels), None, images, title, decide_by))
    if isinstance(labels, str | os.PathLike):
        raise Error(f"labels: an array of the true classes expected, the path {os.fspath(labels)} found")
    if not isinstance(models, Mapping) or not all(isinstance(name, str) for name in models):
        raise Error(f"models: a mapping from names to answers expected, {type(models).__name__} found\nhint: {{\"name\": answers, …}}")
    stated: list[tuple[str, Any]] = []
    if labels is not None:
        stated.append(("labels", numbers_or_strings(labels, "labels")))
        if ids is not None:
            stated.append(("ids", numbers_or_strings(ids, "ids")))
    count = len(stated[0][1]) if stated else None
    runs = [
        (model, run, *_arrays(answers, f"{model}, {run}", ids))
        for model, answers in models.items()
        for run, answers in _runs(answers, count)
    ]
    return _told(_native.judge(runs, stated or None, images, title, decide_by))


def read(folder: str | os.PathLike[str]) -> Verdict:
    """What a results folder holds, whoever made it."""
    return Verdict(_native.read(os.fspath(folder)))


def _told(native: _native.Comparison) -> Verdict:
    """Warns of what was converted on the way in, each kind once."""
    kinds: dict[str, str] = {}
    for model, note in native.conversions():
        # Sentences that differ in their figures end alike.
        kinds.setdefault(note[-40:], f"{model}: {note}")
    if kinds:
        warn("; ".join(kinds.values()) + " (verdict.notes has all)")
    return Verdict(native)


def _runs(answers: Any, count: int | None) -> list[tuple[str, Any]]:
    """The runs of one model, with names; `count` is the number of labels."""
    if isinstance(answers, Mapping):
        if any(name in _ARRAYS for name in answers):
            return [("1", answers)]
        return [(str(name), run) for name, run in answers.items()]
    shape = tuple(getattr(answers, "shape", ()))
    is_stacked = len(shape) == 3 or (len(shape) == 2 and count is not None and shape[1] == count != shape[0])
    is_list = isinstance(answers, Sequence) and not isinstance(answers, str | bytes) and len(answers) > 0
    if is_stacked or (is_list and _are_runs(answers, count)):
        return [(str(place), run) for place, run in enumerate(answers, start=1)]
    return [("1", answers)]


def _are_runs(answers: Sequence[Any], count: int | None) -> bool:
    """Whether the elements of a list are runs: arrays, lists of rows or of names, or as many classes as there are labels."""
    first = answers[0]
    if isinstance(first, Mapping):
        return True
    shape = getattr(first, "shape", None)
    if shape is not None:
        # Rows of an array come as a list, too.
        return len(shape) > 1 or (len(shape) == 1 and not (count == len(answers) != shape[0]))
    if not isinstance(first, Sequence) or isinstance(first, str | bytes) or not first:
        return False
    return isinstance(first[0], str) or _is_row(first[0]) or (count == len(first) != len(answers))


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
        _check_columns(answers, name)
        arrays = [answers_of(answers, name)]
    if ids is not None and not any(key == "ids" for key, _ in arrays):
        arrays.append(("ids", numbers_or_strings(ids, "ids")))
    return arrays, about


def answers_of(answers: Any, name: str) -> tuple[str, Any]:
    """Answers, and whether they are predictions or probabilities: whole numbers in one column are classes."""
    values = numbers_or_strings(answers, name)
    if isinstance(values, list):
        return "predictions", values
    view = memoryview(values)
    if view.ndim == 2 and view.shape is not None and view.shape[1] == 1 and (view.format or "B") not in "fd":
        return "predictions", shaped(view.tobytes() if not view.c_contiguous else values, [view.shape[0]])
    return ("predictions" if view.ndim == 1 else "probabilities"), values


def _check_columns(answers: Any, name: str) -> None:
    """Refuses a table whose columns say that they are of other classes than their places do."""
    columns = getattr(answers, "columns", None)
    if columns is None:
        return
    names = [str(column) for column in columns]
    if len(names) > 1 and names != [str(place) for place in range(len(names))]:
        found = ", ".join(names[:6])
        raise Error(
            f"{name}: columns 0, 1, … in the order of the classes expected, {found} found\n"
            "hint: put the columns in the order of the classes, and hand over table.to_numpy()"
        )


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
