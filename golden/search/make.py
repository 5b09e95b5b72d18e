"""Writes values.json: the densities of the tree-structured Parzen estimator, by NumPy and SciPy.

    python3 -m venv venv && venv/bin/pip install -r ../stats/requirements.txt && venv/bin/python make.py

A few seconds; the same bytes each time with these versions. Nothing here calls the Rust code: the densities are written
down from Bergstra et al. 2011, section 4.2, and the widths from the same group's "Making a science of model search" (2013).
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import integrate, stats

EXPECTED = {"numpy": "2.4.6", "scipy": "1.17.1"}


def widths(means):
    """Each normal is as wide as the larger gap to a neighbour; the outermost ones know one neighbour."""
    n = len(means)
    padded = np.concatenate([[0.0], means, [1.0]])
    gaps = np.diff(padded)
    result = np.maximum(gaps[:-1], gaps[1:])
    if n >= 2:
        result[0], result[-1] = gaps[1], gaps[-2]
    return np.clip(result, 1 / min(100, 1 + n), 1.0)


def parzen_cases():
    generator = np.random.default_rng(21)
    places = np.array([0.0, 0.013, 0.25, 0.5, 0.731, 0.999])
    for points in [[], [0.5], [0.1], [0.2, 0.2, 0.2], list(generator.uniform(size=7)), list(generator.beta(8, 2, size=150))]:
        means = np.sort(np.append(points, 0.5))
        normal = stats.norm(means, widths(means))
        inside = np.mean(normal.cdf(1.0) - normal.cdf(0.0))
        density = lambda x: np.mean(normal.pdf(x)) / inside
        breaks = np.linspace(0, 1, 201)
        total = sum(integrate.quad(density, a, b)[0] for a, b in zip(breaks, breaks[1:]))
        assert abs(total - 1) < 1e-9, total
        yield {
            "points": [float(x) for x in points],
            "places": places.tolist(),
            "log_density": [float(np.log(density(x))) for x in places],
        }


def histogram_cases():
    for count, choices in [(3, []), (3, [0, 0, 2]), (5, [4, 4, 4, 4, 1]), (1, [0, 0])]:
        seen = np.bincount(np.array(choices, dtype=int), minlength=count)
        yield {
            "count": count,
            "choices": choices,
            "log_probability": [float(x) for x in np.log((seen + 1) / (len(choices) + count))],
        }


def main():
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    if versions != EXPECTED:
        raise SystemExit(f"expected {EXPECTED}, found {versions}")
    values = {"made_with": versions, "parzen": list(parzen_cases()), "histogram": list(histogram_cases())}
    pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
