"""Writes values.json: the corrected resampled t test and the probability of outperforming.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py

The test is written down from Nadeau & Bengio 2003, section 5, with SciPy's distribution. One case is scikit-learn's worked
example, "Statistical comparison of models using grid search", trained again here: its page states a corrected t of 0.750
and a one-sided p of 0.227, which are asserted. Nothing here calls the Rust code.
"""

import itertools
import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

EXPECTED = {"numpy": "2.4.6", "scipy": "1.17.1", "scikit-learn": "1.9.1"}


def corrected(differences, test_over_train, confidence):
    n = len(differences)
    error = np.sqrt((1 / n + test_over_train) * np.var(differences, ddof=1))
    mean = np.mean(differences)
    quantile = stats.t.ppf((1 + confidence) / 2, n - 1)
    return {
        "differences": list(differences),
        "test_over_train": test_over_train,
        "confidence": confidence,
        "mean": mean,
        "standard_error": error,
        "lower": mean - quantile * error,
        "upper": mean + quantile * error,
        "p_value": 2 * stats.t.sf(abs(mean / error), n - 1),
    }


def worked_example():
    images, labels = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    score = lambda kernel: cross_val_score(
        SVC(random_state=0, kernel=kernel), images, labels, scoring="roc_auc", cv=folds
    )
    # A score is a fraction of 25 pairs: what rounding adds is taken off.
    return np.round(score("rbf") - score("linear"), 12)


def corrected_cases():
    example = worked_example()
    case = corrected(example, 10 / 90, 0.95)
    assert round(case["mean"] / case["standard_error"], 3) == 0.750
    assert round(case["p_value"] / 2, 3) == 0.227
    yield case
    yield corrected([0.01, 0.02, -0.005, 0.012, 0.018], 1 / 4, 0.95)
    yield corrected([0.01, 0.02, -0.005, 0.012, 0.018], 1 / 4, 0.99)
    yield corrected([-0.3, 0.1], 1.0, 0.9)
    draw = np.random.default_rng(8)
    yield corrected(np.round(draw.normal(0.02, 0.03, 15), 6), 0.3, 0.95)


def outperforming(differences, confidence):
    """Every resample of the pairs, listed."""
    wins = np.sign(differences) / 2 + 0.5
    n = len(wins)
    means = np.sort([np.mean(draw) for draw in itertools.product(wins, repeat=n)])
    # The smallest value with at least so large a part of the resamples at or below it.
    at = lambda part: means[max(int(np.ceil(part * len(means) - 1e-9)), 1) - 1]
    tail = (1 - confidence) / 2
    return {
        "differences": list(differences),
        "confidence": confidence,
        "probability": np.mean(wins),
        "lower": at(tail),
        "upper": at(1 - tail),
    }


def binomial(wins, losses, confidence):
    """Without ties the number of wins is binomial."""
    n, p = wins + losses, wins / (wins + losses)
    tail = (1 - confidence) / 2
    return {
        "differences": [0.1] * wins + [-0.1] * losses,
        "confidence": confidence,
        "probability": p,
        "lower": stats.binom.ppf(tail, n, p) / n,
        "upper": stats.binom.ppf(1 - tail, n, p) / n,
    }


def outperforming_cases():
    yield outperforming([0.1, -0.2, 0.3, 0.0, 0.1], 0.95)
    yield outperforming([0.1, 0.2, 0.3], 0.95)
    yield outperforming([0.0, 0.0, -0.1, 0.2, 0.2, 0.1, -0.3], 0.9)
    yield outperforming([-0.1], 0.95)
    yield binomial(22, 7, 0.95)
    yield binomial(80, 20, 0.99)


def main():
    found = {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}
    assert found == EXPECTED, found
    values = {"corrected": list(corrected_cases()), "outperforming": list(outperforming_cases())}
    path = pathlib.Path(__file__).parent / "values.json"
    lines = [
        f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]" for name, cases in values.items()
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
