"""Writes values.json: answers of four models, and what SciPy and statsmodels say of every pair of them.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py

Three models have the seeds 0 to 3 and are paired, the fourth has others and is not. The mean squares are statsmodels' analyses of variance, the
quantiles SciPy's, McNemar's exact test and Holm's method statsmodels'; how they are put together is the documentation of
`stats::crossed_estimate` and `stats::unpaired_estimate`. A p-value is the level at which the end of the interval is zero, found by SciPy's
root finder. Nothing here calls the Rust code.
"""

import itertools
import json
import pathlib
import warnings

import numpy as np
import pandas
import statsmodels.formula.api as formula
from scipy import optimize, stats
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

IMAGES, CLASSES, ALPHA = 60, 4, 0.05
MODELS = {"a": ([0, 1, 2, 3], 0.9, 0.02), "b": ([0, 1, 2, 3], 0.84, 0.03), "c": ([0, 1, 2, 3], 0.5, 0.05), "d": ([10, 11, 12], 0.8, 0.02)}


def answers():
    draw = np.random.default_rng(7)
    labels = draw.integers(0, CLASSES, size=IMAGES)
    ease = draw.normal(size=IMAGES)
    given = {}
    for model, (seeds, share, spread) in MODELS.items():
        own = draw.normal(size=IMAGES)
        for seed in seeds:
            skill = stats.norm.ppf(share) + draw.normal() * spread * 4
            right = ease + 0.5 * own + 0.7 * draw.normal(size=IMAGES) + 1.3 * skill > 0
            given.setdefault(model, {})[seed] = np.where(right, labels, (labels + draw.integers(1, CLASSES, size=IMAGES)) % CLASSES)
    return labels, given


def mean_squares(cells):
    """Of runs, images and their residual in a table [run][image] without repetition."""
    runs, images = cells.shape
    frame = pandas.DataFrame(
        [(run, image, cells[run, image]) for run in range(runs) for image in range(images)], columns=["run", "image", "cell"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = anova_lm(formula.ols("cell ~ C(run) + C(image)", frame).fit())
    square = table["sum_sq"] / table["df"]
    return square["C(run)"], square["C(image)"], square["Residual"]


def of_seeds(runs, variance, residual, z, tail):
    return max((stats.t.ppf(1 - tail / 2, runs - 1) ** 2) * variance, z**2 * residual)


class Paired:
    def __init__(self, first, second):
        # Two images more, on which the models differ in either direction.
        cells = np.hstack([first - second, np.ones((len(first), 1)), -np.ones((len(first), 1))])
        self.mean, self.runs = (first - second).mean(), len(first)
        runs, images, residual = mean_squares(cells)
        count = cells.size
        self.variance, self.residual = runs / count, residual / count
        self.of_images = max(images - residual, 0) / count
        self.seed_error = np.sqrt(self.variance)

    def squared(self, z, tail):
        return of_seeds(self.runs, self.variance, self.residual, z, tail) + z**2 * self.of_images


class Unpaired:
    def __init__(self, first, second):
        self.mean = first.mean() - second.mean()
        self.models = []
        for cells in (first, second):
            runs, _, residual = mean_squares(cells)
            self.models.append((len(cells), runs / cells.size, residual / cells.size))
        differences = np.concatenate([first.mean(axis=0) - second.mean(axis=0), [1, -1]])
        self.of_images = max(differences.var(ddof=1) / len(differences) - sum(residual for *_, residual in self.models), 0)
        self.seed_error = np.sqrt(sum(variance for _, variance, _ in self.models))

    def squared(self, z, tail):
        return sum(of_seeds(*model, z, tail) for model in self.models) + z**2 * self.of_images


def p_value(estimate):
    # Over z, whose tail is the level.
    gap = lambda z: np.sqrt(estimate.squared(z, 2 * stats.norm.sf(z))) - abs(estimate.mean)
    return 2 * stats.norm.sf(optimize.brentq(gap, 1e-9, 30, xtol=1e-14)) if estimate.mean else 1.0


def holm_levels(p_values):
    order, levels, stopped = np.argsort(p_values), [0] * len(p_values), None
    for rank, index in enumerate(order):
        levels[index] = stopped or ALPHA / (len(p_values) - rank)
        stopped = stopped or (levels[index] if p_values[index] > levels[index] else None)
    return levels


labels, given = answers()
right = {model: np.array([run == labels for run in runs.values()], dtype=float) for model, runs in given.items()}
pairs = []
for a, b in itertools.combinations(MODELS, 2):
    is_paired = MODELS[a][0] == MODELS[b][0]
    estimate = (Paired if is_paired else Unpaired)(right[a], right[b])
    pair = {"a": a, "b": b, "difference": estimate.mean, "seed_standard_error": estimate.seed_error, "image_standard_error": np.sqrt(estimate.of_images)}
    if is_paired:
        test = stats.ttest_rel(right[a].mean(axis=1), right[b].mean(axis=1))
        interval = test.confidence_interval(0.95)
        pair["paired_t"] = {"interval": [interval.low, interval.high], "p_value": test.pvalue}
        tables = [pandas.crosstab(pandas.Categorical(one, [0.0, 1.0]), pandas.Categorical(other, [0.0, 1.0]), dropna=False) for one, other in zip(right[a], right[b])]
        pair["mcnemar"] = [mcnemar(table.to_numpy(), exact=True).pvalue for table in tables]
    pairs.append((pair, estimate))
p_values = [p_value(estimate) for _, estimate in pairs]
adjusted = multipletests(p_values, alpha=ALPHA, method="holm")[1]
for (pair, estimate), p, level in zip(pairs, adjusted, holm_levels(p_values)):
    half = np.sqrt(estimate.squared(stats.norm.ppf(1 - level / 2), level))
    pair.update(p_value=p, confidence=1 - level, interval=[estimate.mean - half, estimate.mean + half])
values = {
    "labels": labels.tolist(),
    "answers": {model: {str(seed): run.tolist() for seed, run in runs.items()} for model, runs in given.items()},
    "pairs": [pair for pair, _ in pairs],
}
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(values) + "\n")
print(json.dumps(values["pairs"], indent=1))
