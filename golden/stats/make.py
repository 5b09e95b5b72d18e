"""Writes values.json: what SciPy and NumPy say about the quantities of crates/stats.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py

Nothing here calls the Rust code. Where SciPy has the test it is called; elsewhere the definition is written out plainly
(every subset, every cell), not the shortcut that the crate takes.
"""

import itertools
import json
import pathlib
import platform

import numpy as np
import scipy
from scipy import optimize, stats

EXPECTED = {"numpy": "2.4.6", "scipy": "1.17.1"}


def t_cases():
    samples = [
        [0.0083, 0.0091, 0.0078, 0.0085, 0.0080],
        [0.9912, 0.9905],
        [-3.0, 1.5, 0.25],
        [1e-4, -2e-4, 3e-4, 1.5e-4, 0.0, 2.5e-4, -1e-4, 0.5e-4, 4e-4, 1e-4],
        [5.0 + 0.01 * i * i for i in range(40)],
    ]
    for values in samples:
        test = stats.ttest_1samp(values, 0.0)
        for confidence in (0.5, 0.95, 0.999):
            interval = test.confidence_interval(confidence)
            yield {
                "values": values,
                "confidence": confidence,
                "mean": np.mean(values),
                "standard_deviation": np.std(values, ddof=1),
                "lower": interval.low,
                "upper": interval.high,
                "p_value": test.pvalue,
            }


def wilson_cases():
    for successes, trials in [(0, 10), (10, 10), (9917, 10000), (1, 3), (50, 100), (0, 1)]:
        for confidence in (0.9, 0.95, 0.99):
            interval = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
            yield {
                "successes": successes,
                "trials": trials,
                "confidence": confidence,
                "lower": interval.low,
                "upper": interval.high,
            }


def mcnemar_cases():
    for b, c in [(0, 0), (1, 0), (0, 6), (10, 2), (30, 30), (31, 30), (61, 92), (400, 310), (1000, 1500)]:
        p_value = stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
        yield {"only_first": b, "only_second": c, "p_value": p_value}


def holm_cases():
    for p_values in [[0.01, 0.04, 0.03, 0.005], [0.5], [0.02, 0.02, 0.02], [0.9, 0.001, 0.6, 0.049, 0.013, 0.2]]:
        # The definition: largest multiple among the p-values up to one's own.
        adjusted = []
        for p in p_values:
            multiples = [
                (len(p_values) - sum(x < q for x in p_values)) * q for q in p_values if q <= p
            ]
            adjusted.append(min(1.0, max(multiples)))
        yield {"p_values": p_values, "adjusted": adjusted}


def friedman_cases():
    generator = np.random.default_rng(5)
    tables = [generator.normal(size=(8, 4)), np.round(generator.normal(size=(12, 5)), 0), generator.normal(size=(6, 3))]
    for table in tables:
        result = stats.friedmanchisquare(*table.T)
        yield {
            "scores": table.tolist(),
            "statistic": result.statistic,
            "p_value": result.pvalue,
            "mean_ranks": stats.rankdata(-table, axis=1).mean(axis=0).tolist(),
        }


def kruskal_wallis_cases():
    generator = np.random.default_rng(9)
    for sizes, decimals in [((5, 7, 6), 6), ((8, 8, 8, 8), 0), ((2, 3), 3), ((1, 4, 9), 1), ((20, 20, 20, 20), 6)]:
        groups = [np.round(generator.normal(size=size) + 0.5 * i, decimals) for i, size in enumerate(sizes)]
        result = stats.kruskal(*groups)
        # The effect by its definition: adjusted R squared of the ranks' analysis of variance.
        ranks = np.split(stats.rankdata(np.concatenate(groups)), np.cumsum(sizes)[:-1])
        n, k = sum(sizes), len(sizes)
        grand = np.concatenate(ranks)
        within = sum(((r - r.mean()) ** 2).sum() for r in ranks) / (n - k)
        yield {
            "groups": [group.tolist() for group in groups],
            "statistic": result.statistic,
            "p_value": result.pvalue,
            "effect": 1 - within / (((grand - grand.mean()) ** 2).sum() / (n - 1)),
        }


def power_cases():
    for mean, deviation, runs, significance in [
        (0.5, 1.0, 10, 0.05), (0.5, 1.0, 34, 0.05), (1.0, 1.0, 2, 0.05), (-0.002, 0.003, 5, 0.01),
        (3.0, 1.0, 3, 0.05), (0.05, 1.0, 3000, 0.05), (0.0, 1.0, 4, 0.05), (10.0, 1.0, 2, 0.001),
    ]:  # fmt: skip
        critical = stats.t.isf(significance / 2, runs - 1)
        shift = mean * np.sqrt(runs) / deviation
        power = stats.nct.sf(critical, runs - 1, shift) + stats.nct.cdf(-critical, runs - 1, shift)
        yield {
            "mean": mean, "standard_deviation": deviation, "runs": runs, "significance": significance, "power": power,
        }  # fmt: skip


def further_runs_cases():
    def power(mean, deviation, runs, significance):
        critical = stats.t.isf(significance / 2, runs - 1)
        shift = abs(mean) * np.sqrt(runs) / deviation
        return stats.nct.sf(critical, runs - 1, shift) + stats.nct.cdf(-critical, runs - 1, shift)

    for mean, deviation, runs in [(0.5, 1.0, 5), (0.2, 1.0, 3), (-0.001, 0.0015, 4), (2.0, 0.5, 10)]:
        total = runs
        while power(mean, deviation, total, 0.05) < 0.8:
            total += 1
        yield {"mean": mean, "standard_deviation": deviation, "runs": runs, "further": total - runs}


def expected_best_cases():
    generator = np.random.default_rng(6)
    for count in (1, 4, 9):
        scores = generator.uniform(0.97, 0.99, size=count).tolist()
        expected = [
            float(np.mean([max(subset) for subset in itertools.combinations(scores, k)])) for k in range(1, count + 1)
        ]
        yield {"scores": scores, "expected": expected}


def crossed_cases():
    generator = np.random.default_rng(7)
    for runs, images, lucky in [(1, 40, False), (2, 60, False), (3, 100, False), (5, 80, False), (2, 90, True)]:
        image_effect = generator.normal(size=images)
        run_effect = 0.4 * generator.normal(size=(runs, 1))
        score = image_effect + run_effect + generator.normal(size=(runs, images)) + 0.3
        cells = np.where(score > 1.2, 1, np.where(score < -1.6, -1, 0))
        if lucky:
            # Equal sums by chance: nothing of the variance shows between the runs.
            cells[1] = generator.permutation(cells[0])
        padded = np.concatenate([cells, np.ones((runs, 1)), -np.ones((runs, 1))], axis=1)
        grand = padded.mean()
        by_run = padded.mean(axis=1, keepdims=True) - grand
        by_image = padded.mean(axis=0, keepdims=True) - grand
        mean_square_images = runs * (by_image**2).sum() / (images + 1)
        if runs == 1:
            a, r, b = None, 0.0, mean_square_images / (images + 2)
        else:
            residual = ((padded - grand - by_run - by_image) ** 2).sum() / ((runs - 1) * (images + 1))
            a = 0.0 if lucky else (images + 2) * (by_run**2).sum() / (runs - 1) / (runs * (images + 2))
            r = residual / (runs * (images + 2))
            b = max(mean_square_images - residual, 0.0) / (runs * (images + 2))

        def half_width(tail):
            z_squared = stats.norm.isf(tail / 2) ** 2
            of_runs = stats.t.isf(tail / 2, runs - 1) ** 2 * a if a else 0.0
            return np.sqrt(max(of_runs, z_squared * r) + z_squared * b)

        mean = cells.mean()
        p_value = np.exp(optimize.brentq(lambda log: half_width(np.exp(log)) - abs(mean), -300, -1e-12, xtol=1e-14))
        yield {
            "cells": cells.tolist(),
            "mean": mean,
            "run_standard_error": None if a is None else np.sqrt(a),
            "residual_standard_error": np.sqrt(r),
            "image_standard_error": np.sqrt(b),
            "lower": mean - half_width(0.05),
            "upper": mean + half_width(0.05),
            "p_value": p_value,
        }


def signed_rank_cases():
    generator = np.random.default_rng(8)
    for differences, region in [
        ([0.004, 0.011, -0.002, 0.007, 0.009], 0.001),
        ([0.0002, -0.0004, 0.0003, 0.0001, -0.0001, 0.0004], 0.0005),
        ([-0.02, -0.01, 0.005, -0.03, -0.001, 0.012, -0.006], 0.01),
    ]:
        values = np.concatenate([[0.0], differences])
        weights = generator.dirichlet([0.5] + [1.0] * len(differences), size=400_000)
        sums = values[:, None] + values[None, :]
        first = np.einsum("di,ij,dj->d", weights, (sums > 2 * region).astype(float), weights)
        second = np.einsum("di,ij,dj->d", weights, (sums < -2 * region).astype(float), weights)
        greatest = np.argmax(np.stack([1 - first - second, first, second]), axis=0)
        yield {
            "differences": differences,
            "region": region,
            "equivalent": float((greatest == 0).mean()),
            "first_better": float((greatest == 1).mean()),
            "second_better": float((greatest == 2).mean()),
        }


def main():
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    if versions != EXPECTED:
        raise SystemExit(f"expected {EXPECTED}, found {versions}")
    values = {"made_with": versions | {"python": platform.python_version()}}
    for name, cases in [
        ("t", t_cases), ("wilson", wilson_cases), ("mcnemar", mcnemar_cases), ("holm", holm_cases),
        ("friedman", friedman_cases), ("kruskal_wallis", kruskal_wallis_cases),
        ("power", power_cases), ("further_runs", further_runs_cases),
        ("expected_best", expected_best_cases), ("crossed", crossed_cases), ("signed_rank", signed_rank_cases),
    ]:  # fmt: skip
        values[name] = [
            {key: float(value) if isinstance(value, np.floating) else value for key, value in case.items()}
            for case in cases()
        ]
    lines = [f"{json.dumps(name)}: " + (
        json.dumps(cases) if isinstance(cases, dict) else "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]"
    ) for name, cases in values.items()]  # fmt: skip
    pathlib.Path(__file__).with_name("values.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
