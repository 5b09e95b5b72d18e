"""Computes the verdicts of a results folder again, from its records alone, and compares them with its summary.json.

    python recompute.py Results [Verdict ...]

It needs NumPy and SciPy and shares nothing with the program that wrote the folder; method.md, beside it, has the formulas, and says
what they are called here. It prints what it computed, and ends with 1 where any figure differs by more than the tolerances below.
Of a study over several data sets, give the folder of each.
"""

import base64
import json
import math
import pathlib
import sys
import zlib

import numpy as np
from scipy import integrate, optimize, stats

# Both programs compute in double precision, in another order and by other libraries for the distributions. What is left is the rounding
# of sums over many thousand cells, some 1e-12 of a figure. A p-value far in the tail has fewer digits: where its z is off by a part
# of e, ln p is off by z² e, and z² is about -2 ln p. So of p-values the relative tolerance is this times 1 - 2 ln p.
RELATIVE = 1e-9
# A figure that is nothing but rounding, such as the end of an interval that is meant to be 0.
ABSOLUTE = 1e-12

SIGNIFICANCE, CONFIDENCE, POWER = 0.05, 0.95, 0.8
FEWEST_RUNS_FOR_T = 3


# --- The records ------------------------------------------------------------------------------------------------------------------


def unpacked(text, kind):
    """A packed field: base64 of deflated bytes without a header."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text), -15), dtype=kind)


class Run:
    """A run, whoever made it: what of its file a verdict depends on."""

    def __init__(self, file):
        test = file["test"]
        if "specification" in file:  # a run of mnist-study
            asked, environment = file["specification"], file["environment"]
            self.model, self.name, self.seed = asked["model"], None, asked["seed"]
            self.data, self.classes = asked["dataset"]["sha256"], asked["dataset"]["classes"]
            self.protocol = asked["protocol"]
            self.way = json.dumps([asked["layers"], asked["recipe"]], sort_keys=True)
            self.machine = tuple(environment[key] for key in ["cpu", "threads", "kernels", "operating_system", "version"])
            fold = asked.get("fold")
        else:  # one of another program
            self.model, self.name, self.seed = file["model"], file["run"], file.get("seed")
            self.data, self.classes = file["test_set"]["sha256"], file["test_set"]["classes"]
            self.protocol, self.way, self.machine = None, None, file.get("machine")
            fold = file.get("fold")
        self.held_back = file.get("held_back")
        self.fold = fold and (fold["repeat"], fold["fold"], fold["folds"])
        # What it shares with its partner of another model.
        self.partner = (1, self.fold) if self.fold else (0, self.seed) if self.seed is not None else (2, self.name)
        self.train_seconds = file.get("train_seconds")
        self.labels = unpacked(test["labels"], "u1")
        self.given = unpacked(test["predictions"], "u1")
        self.probabilities = unpacked(test["probabilities"], "<u2")
        self.images = tuple(test.get("images", []))
        self.accuracy, self.loss = test["accuracy"], test.get("loss")
        self.setting = (self.data, self.fold and self.fold[2], b"" if self.fold else self.labels.tobytes())

    def is_in(self, setting, protocol):
        """Whether it may be compared in this setting: of several protocols, runs of other programs with all."""
        return self.setting == setting and (None in (self.protocol, protocol) or self.protocol == protocol)

    def is_tested_like(self, other):
        return np.array_equal(self.labels, other.labels) and self.images == other.images

    def losses(self):
        """What each image costs: -ln p of its label, p in steps of 1/65535 and at least half of one; moved to the recorded mean."""
        if self.loss is None or not math.isfinite(self.loss) or len(self.probabilities) != len(self.labels) * self.classes:
            return None
        rows = self.probabilities.reshape(-1, self.classes)
        own = rows[np.arange(len(self.labels)), self.labels] / 65535
        each = -np.log(np.maximum(own, 0.5 / 65535))
        return each + (self.loss - each.mean())


def runs_of(folder):
    """The runs of the plan, in its order, those of other programs last; and of each model how many diverged."""
    plan = json.loads((folder / "plan.json").read_text())
    runs, diverged = [], {}
    for planned in plan["runs"]:
        path = folder / "records" / f"{planned['id']}.json"
        if path.exists():
            runs.append(Run(json.loads(path.read_text())))
        elif (folder / "failed" / f"{planned['id']}.json").exists():
            diverged[planned["model"]] = diverged.get(planned["model"], 0) + 1
    for planned in plan.get("imported", []):
        runs.append(Run(json.loads((folder / "imported" / f"{planned['id']}.json").read_text())))
    return runs, diverged, plan["question"]


# --- Which runs are compared ------------------------------------------------------------------------------------------------------


def models_of(runs, measure):
    """Runs by model in the order of their first, without those that no comparison can use."""
    models = {}
    for run in runs:
        of_model = models.setdefault(run.model, [])
        usable = len(run.labels) == len(run.given) > 0 and (measure != "log-loss" or run.losses() is not None)
        alike = not of_model or of_model[0].way == run.way
        twin = any(other.partner == run.partner and run.is_in(other.setting, other.protocol) for other in of_model)
        if usable and alike and not twin:
            of_model.append(run)
    return models


def pairs_of(a, b):
    """The pairs of the setting that has the most; where no run has a partner, the runs of each on the same images."""
    most = []
    for first in a:
        fitting = [run for run in b if run.is_in(first.setting, first.protocol)]
        pairs = []
        for run in a:
            if run.is_in(first.setting, first.protocol):
                pairs += [(run, one) for one in fitting if one.partner == run.partner and one.is_tested_like(run)][:1]
        if len(pairs) > len(most):
            most = sorted(pairs, key=lambda pair: pair[0].partner)
    if most:
        return most, None
    if not any(run.partner == other.partner for run in a for other in b):
        for first in a:
            fits = lambda run: run.is_in(first.setting, first.protocol) and run.is_tested_like(first)  # noqa: E731
            of_a, of_b = [run for run in a if fits(run)], [run for run in b if fits(run)]
            if first.fold is None and of_b:
                return [], (of_a, of_b)
    return [], None


# --- Measures ---------------------------------------------------------------------------------------------------------------------


def balanced_accuracy(images, given, right):
    """The mean recall of the classes that have images; summed in their order, so that equal counts are equal to the last bit."""
    there = images > 0
    return sum((right[there] / images[there]).tolist()) / max(int(there.sum()), 1)


def macro_f1(images, given, right):
    """The mean F1 of the classes that have an image or were given to one."""
    there = images + given > 0
    return sum((2 * right[there] / (images + given)[there]).tolist()) / max(int(there.sum()), 1)


def value(run, measure, classes):
    if measure == "accuracy":
        return run.accuracy
    if measure == "log-loss":
        return run.loss
    of_counts = {"balanced-accuracy": balanced_accuracy, "macro-f1": macro_f1}[measure]
    count = lambda values: np.bincount(values, minlength=classes)  # noqa: E731
    return of_counts(count(run.labels), count(run.given), count(run.labels[run.labels == run.given]))


def cells(run, measure, classes):
    """What each image adds to the run's measure, so that their mean is the measure."""
    if measure == "accuracy":
        return (run.labels == run.given).astype(float)
    if measure == "log-loss":
        return run.losses()
    # The jackknife's pseudovalues, N m - (N - 1) m without the image, moved to the mean m.
    of_counts = {"balanced-accuracy": balanced_accuracy, "macro-f1": macro_f1}[measure]
    count = lambda values: np.bincount(values, minlength=classes)  # noqa: E731
    images, given = count(run.labels), count(run.given)
    right = count(run.labels[run.labels == run.given])
    n, one = len(run.labels), np.eye(classes, dtype=int)
    whole = of_counts(images, given, right)
    without = {}
    for label, answer in set(zip(run.labels.tolist(), run.given.tolist())):
        hit = one[label] if label == answer else 0
        without[label, answer] = of_counts(images - one[label], given - one[answer], right - hit)
    each = np.array([n * whole - (n - 1) * without[key] for key in zip(run.labels.tolist(), run.given.tolist())])
    return each + (whole - each.mean())


def classes_of(runs):
    return max(max(run.classes, int(max(run.labels.max(), run.given.max())) + 1) for run in runs)


# --- Estimates --------------------------------------------------------------------------------------------------------------------


class Estimate:
    """A mean difference with an interval: at a level it reaches `half_width` to either side, but no end lies beyond `largest`."""

    def __init__(self, mean, largest, half_width, errors=(None, None), covers="folds", design=None):
        self.mean, self.largest, self.half_width = float(mean), largest, half_width
        self.errors, self.covers, self.design = errors, covers, design

    def interval(self, confidence):
        half = self.half_width(1 - confidence)
        return [float(np.clip(end, -self.largest, self.largest)) for end in (self.mean - half, self.mean + half)]

    def p_value(self):
        """The level at which an end of the interval reaches 0; searched over the normal quantile, beyond 37 of which it underflows."""
        if self.mean == 0:
            return 1.0
        beyond = lambda z: self.half_width(2 * stats.norm.sf(z)) - abs(self.mean)  # noqa: E731
        if beyond(0.0) >= 0:
            return 1.0
        if beyond(37.0) < 0:
            return float(2 * stats.norm.sf(37.0))
        return float(2 * stats.norm.sf(optimize.brentq(beyond, 0.0, 37.0, xtol=1e-15, rtol=1e-15, maxiter=300)))


def two_sided_z(tail):
    return stats.norm.isf(tail / 2)


def two_sided_t(tail, freedom):
    # SciPy's sign is lost where the quantile is beyond its range.
    return abs(stats.t.isf(tail / 2, freedom))


def of_runs(tail, runs, error, residual):
    """max(t² A, z² R), A and R the squares of the two standard errors; nothing of the first where it is 0 or unknown."""
    by_t = two_sided_t(tail, runs - 1) * error if error else 0.0
    widest = float(max(by_t, two_sided_z(tail) * residual))
    return widest * widest


def crossed(table, added, largest):
    """Runs and images as crossed random effects: the cells [run, image], and two images that differ by `added` and by its opposite."""
    n, images = table.shape
    padded = np.hstack([table, np.full((n, 1), added), np.full((n, 1), -added)])
    count = images + 2
    grand, of_each_run, of_each_image = padded.mean(), padded.mean(axis=1), padded.mean(axis=0)
    squares_of_images = n * ((of_each_image - grand) ** 2).sum()
    mean_square_of_images = squares_of_images / (count - 1)
    if n == 1:
        of_seeds, residual, image_error = None, 0.0, math.sqrt(mean_square_of_images / count)
    else:
        squares_of_runs = count * ((of_each_run - grand) ** 2).sum()
        rest = ((padded - grand) ** 2).sum() - squares_of_runs - squares_of_images
        mean_square_of_rest = max(rest, 0.0) / ((n - 1) * (count - 1))
        of_seeds = math.sqrt(squares_of_runs / (n - 1) / (n * count))
        residual = math.sqrt(mean_square_of_rest / (n * count))
        image_error = math.sqrt(max(mean_square_of_images - mean_square_of_rest, 0.0) / (n * count))
    half_width = lambda tail: math.sqrt(of_runs(tail, n, of_seeds, residual) + (two_sided_z(tail) * image_error) ** 2)  # noqa: E731
    covers = "images" if of_seeds is None else "runs-and-images"
    mean = table.mean()
    design = None if of_seeds is None else (mean, max(of_seeds, residual) * math.sqrt(n), image_error, n)
    return Estimate(mean, largest, half_width, (of_seeds, image_error), covers, design)


def unpaired(first, second, added, largest):
    """Runs that share their images and nothing else: each model's own table, and the images' means of both."""

    def of_model(table):
        n, images = table.shape
        by_run, by_image, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
        if n == 1:
            return mean, by_image, None, 0.0
        of_seeds = ((by_run - mean) ** 2).sum() / (n - 1) / n
        rest = ((table - by_run[:, None] - by_image[None, :] + mean) ** 2).sum()
        return mean, by_image, math.sqrt(of_seeds), math.sqrt(rest / (n - 1) / max(images - 1, 1) / (n * images))

    (one, by_one, error_one, rest_one), (two, by_two, error_two, rest_two) = of_model(first), of_model(second)
    differences = np.concatenate([by_one - by_two, [added, -added]])
    image_variance = differences.var(ddof=1) / len(differences) - rest_one**2 - rest_two**2
    image_error = math.sqrt(max(image_variance, 0.0))

    def half_width(tail):
        squared = of_runs(tail, len(first), error_one, rest_one) + of_runs(tail, len(second), error_two, rest_two)
        return math.sqrt(squared + (two_sided_z(tail) * image_error) ** 2)

    known = None not in (error_one, error_two)
    errors = (math.hypot(error_one, error_two) if known else None, image_error)
    return Estimate(one - two, largest, half_width, errors, "runs-and-images" if known else "images")


def corrected(differences, test_over_train, least, largest):
    """The corrected resampled t test over folds (Nadeau and Bengio 2003), whose standard error is at least that of two images."""
    n = len(differences)
    error = max(math.sqrt(1 / n + test_over_train) * differences.std(ddof=1), least)
    estimate = Estimate(differences.mean(), largest, lambda tail: two_sided_t(tail, n - 1) * error)
    t = estimate.mean / error if error else math.inf
    estimate.p_value = lambda: 1.0 if estimate.mean == 0 else float(2 * stats.t.sf(abs(t), n - 1))
    return estimate


def judged(pairs, alone, measure):
    """The estimate of a pair of models, and the differences of its pairs of runs."""
    largest = math.inf if measure == "log-loss" else 1.0
    runs = [run for pair in pairs for run in pair] if pairs else [run for model in alone for run in model]
    classes = classes_of(runs)
    table = lambda of: np.array([cells(run, measure, classes) for run in of])  # noqa: E731
    sizes = np.bincount(runs[0].labels)
    sizes = sizes[sizes > 0]
    weight = math.sqrt((1 / sizes).sum() * len(runs[0].labels)) / len(sizes)
    if not pairs:
        first, second = (table(of) for of in alone)
        root_mean_square = math.sqrt(((first[0] - second[0]) ** 2).mean())
        added = {"accuracy": 1.0, "log-loss": root_mean_square}.get(measure, weight)
        return unpaired(first, second, added, largest), np.array([])
    if pairs[0][0].fold:
        differences = np.array([value(a, measure, classes) - value(b, measure, classes) for a, b in pairs])
        images = sum(len(a.labels) for a, _ in pairs if a.fold[0] == 1)
        least = 0.0 if measure == "log-loss" else math.sqrt(2 / ((images + 1) * (images + 2)))
        folds = max(a.fold[2] for a, _ in pairs)
        # The other folds are learnt from, but for what is held back to validate on: a twelfth, unless runs state another share.
        held_back = [a.held_back for a, _ in pairs if a.held_back is not None][-1:] or [1 / 12]
        return corrected(differences, 1 / ((1 - held_back[0]) * (folds - 1)), least, largest), differences
    both = table([a for a, _ in pairs]) - table([b for _, b in pairs])
    added = {"accuracy": 1.0, "log-loss": math.sqrt((both**2).mean())}.get(measure, weight)
    differences = both.mean(axis=1)
    if measure in ("balanced-accuracy", "macro-f1"):
        # Without the rounding of many cells, which would break ties.
        differences = np.array([value(a, measure, classes) - value(b, measure, classes) for a, b in pairs])
    return crossed(both, added, largest), differences


# --- Several pairs, and what follows ----------------------------------------------------------------------------------------------


def holm(p_values):
    """Holm's adjusted p-values, and the level at which his method tests each pair."""
    order = np.argsort(p_values, kind="stable")
    adjusted, levels, largest, stopped = [0.0] * len(p_values), [0.0] * len(p_values), 0.0, None
    for rank, index in enumerate(order):
        left = len(p_values) - rank
        largest = min(max(largest, left * p_values[index]), 1.0)
        level = stopped or SIGNIFICANCE / left
        adjusted[index], levels[index] = largest, level
        if p_values[index] > level:
            stopped = level
    return adjusted, levels


def outcome(measure, interval, margin):
    lower, upper = interval
    if lower >= -margin and upper <= margin:
        return "practically-equal"
    if lower <= 0 <= upper:
        return "cannot-tell"
    return "a-better" if (lower > 0) == (measure != "log-loss") else "b-better"


def power(design, runs, level):
    """The chance that the interval over so many runs excludes 0, were difference and scatter those found."""
    mean, deviation, image_error, _ = design
    freedom, of_seeds = runs - 1, deviation**2 / runs
    error = math.sqrt(of_seeds + image_error**2)
    if error == 0:
        return float(mean != 0)
    t, z = two_sided_t(level, freedom), two_sided_z(level)

    def given(scale_squared):
        half = np.sqrt(t * t * scale_squared * of_seeds + z * z * image_error**2)
        return stats.norm.cdf((mean - half) / error) + stats.norm.cdf((-mean - half) / error)

    # Over the distribution of the sample's variance, by its quantiles.
    integrand = lambda part: given(stats.chi2.ppf(part, freedom) / freedom)  # noqa: E731
    return integrate.quad(integrand, 0, 1, limit=200, epsabs=1e-9)[0]


def further_runs(design, level):
    if design is None or power(design, 10_000, level) < POWER:
        return None
    runs = design[3]
    start = max(runs, 2)
    if power(design, start, level) >= POWER:
        return start - runs
    few, enough = start, max(10_000, start + 1)
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if power(design, middle, level) >= POWER else (middle, enough)
    return enough - runs


def outperforming(differences, measure):
    """The share of pairs in which the first model is ahead, ties counted half, and its exact bootstrap interval."""
    ahead = differences if measure != "log-loss" else -differences
    n = len(ahead)
    shares = np.array([(ahead < 0).mean(), (ahead == 0).mean(), (ahead > 0).mean()])
    distribution = np.array([1.0])
    for _ in range(n):
        distribution = np.convolve(distribution, shares)
    reached = np.cumsum(distribution)
    end = lambda part: float(np.argmax(reached >= part - 1e-12)) / (2 * n)  # noqa: E731
    tail = (1 - CONFIDENCE) / 2
    return {"probability": float(shares[2] + shares[1] / 2), "interval": [end(tail), end(1 - tail)], "confidence": CONFIDENCE}


def training_times(all_pairs):
    """Logarithms of the ratios of seconds, of the kind of machine that most pairs share; Holm over the pairs of models."""
    logarithms = []
    for pairs in all_pairs:
        by_kind = {}
        for a, b in pairs:
            if a.machine is not None and a.machine == b.machine and (a.train_seconds or 0) > 0 and (b.train_seconds or 0) > 0:
                by_kind.setdefault(a.machine, []).append(math.log(a.train_seconds / b.train_seconds))
        logarithms.append(np.array(max(by_kind.values(), key=len, default=[])))
    tested = [index for index, values in enumerate(logarithms) if len(values) > 1]
    p_values = [t_test(logarithms[index], CONFIDENCE)[1] for index in tested]
    adjusted, levels = holm(p_values)
    found = []
    for index, values in enumerate(logarithms):
        if not len(values):
            found.append(None)
            continue
        time = {"runs": len(values), "ratio": math.exp(values.mean()), "interval": None, "confidence": CONFIDENCE, "p_value": None}
        if index in tested:
            place = tested.index(index)
            interval, _ = t_test(values, 1 - levels[place])
            time |= {
                "confidence": 1 - levels[place],
                "p_value": adjusted[place],
                "p_adjustment": "holm" if len(tested) > 1 else "none",
                "interval": [math.exp(interval[0]), min(math.exp(min(interval[1], 709.0)), sys.float_info.max)],
            }
        found.append(time)
    return found


def t_test(values, confidence):
    """Student's interval and p-value of a mean."""
    n, mean, deviation = len(values), values.mean(), values.std(ddof=1)
    half = two_sided_t(1 - confidence, n - 1) * deviation / math.sqrt(n)
    if mean == 0 or deviation == 0:
        p_value = float(mean == 0)
    else:
        p_value = float(2 * stats.t.sf(abs(mean) * math.sqrt(n) / deviation, n - 1))
    return [float(mean - half), float(mean + half)], p_value


def margin_of(question, measure, runs):
    stated, scale = question.get("equivalence_margin_points"), 1 if measure == "log-loss" else 100
    if stated is not None:
        return stated / scale
    if measure == "log-loss":
        return 0.001
    return min(max(0.0005, 1 / min(len(run.labels) for run in runs)), 0.01)


def recomputed(folder, measure):
    """The comparisons of a study by a measure, with the fields of summary.json that a verdict rests on."""
    runs, diverged, question = runs_of(folder)
    # A report of a study decided by another measure than planned gives up a margin in another unit.
    if (question.get("decide_by", "accuracy") == "log-loss") != (measure == "log-loss"):
        question = {**question, "equivalence_margin_points": None}
    margin = margin_of(question, measure, runs)
    models = list(models_of(runs, measure).items())
    compared = []
    for place, (a, of_a) in enumerate(models):
        for b, of_b in models[place + 1 :]:
            pairs, alone = pairs_of(of_a, of_b)
            if alone or len(pairs) > (1 if pairs and pairs[0][0].fold else 0):
                compared.append((a, b, pairs, alone, *judged(pairs, alone, measure)))
    p_values = [estimate.p_value() for *_, estimate, _ in compared]
    adjusted, levels = holm(p_values)
    times = training_times([pairs for _, _, pairs, *_ in compared])
    found = []
    for (a, b, pairs, alone, estimate, differences), p_value, level, time in zip(compared, adjusted, levels, times):
        interval = estimate.interval(1 - level)
        decided = outcome(measure, interval, margin)
        both_right = [(x.labels == x.given, y.labels == y.given) for x, y in pairs]
        is_of_folds = estimate.covers == "folds"
        comparison = {
            "a": a,
            "b": b,
            "runs": len(pairs),
            "unpaired_runs": alone and [len(alone[0]), len(alone[1])],
            "measure": measure,
            "difference": estimate.mean,
            "interval": interval,
            "confidence": 1 - level,
            "equivalence_margin": margin,
            "interval_covers": estimate.covers,
            "seed_standard_error": estimate.errors[0],
            "image_standard_error": estimate.errors[1],
            "p_value": p_value,
            "p_adjustment": "holm" if len(compared) > 1 else "none",
            "corrected_for": len(compared),
            "outcome": decided,
            "further_runs": further_runs(estimate.design, level) if decided == "cannot-tell" else None,
            "diverged": [diverged.get(a, 0), diverged.get(b, 0)],
            "paired_t": None,
            "outperforming": outperforming(differences, measure) if len(differences) >= FEWEST_RUNS_FOR_T else None,
            "mcnemar_p_values": [],
            "training_time": time,
        }
        if len(pairs) >= FEWEST_RUNS_FOR_T and not is_of_folds:
            t_interval, t_p_value = t_test(differences, CONFIDENCE)
            t_interval = [float(np.clip(end, -estimate.largest, estimate.largest)) for end in t_interval]
            comparison["paired_t"] = {"interval": t_interval, "confidence": CONFIDENCE, "p_value": t_p_value, "p_adjustment": "none"}
        if measure == "accuracy" and not is_of_folds:
            for one, other in both_right:
                only = int((one & ~other).sum()), int((other & ~one).sum())
                exact = stats.binomtest(min(only), sum(only), 0.5).pvalue if sum(only) else 1.0
                comparison["mcnemar_p_values"].append(float(exact))
        found.append(comparison)
    return found


# --- The comparison ---------------------------------------------------------------------------------------------------------------


def differences_of(here, there, path):
    """What differs between a computed value and the summary's."""
    if isinstance(here, dict) and isinstance(there, dict):
        return [line for key, value in here.items() for line in differences_of(value, there.get(key), f"{path}.{key}")]
    if isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        return [line for at, pair in enumerate(zip(here, there)) for line in differences_of(*pair, f"{path}[{at}]")]
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (here, there))
    if here == there:
        return []
    if numbers and "p_value" in path:
        same = min(here, there) > 0 and abs(math.log(here / there)) <= RELATIVE * (1 - 2 * math.log(there))
    else:
        same = numbers and math.isclose(here, there, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return [] if same else [f"{path}: computed {here!r}, summary.json has {there!r}"]


def main(folders):
    failed = False
    for folder in map(pathlib.Path, folders):
        summary = json.loads((folder / "summary.json").read_text())
        found = recomputed(folder, summary.get("decided_by", "accuracy"))
        different = differences_of(found, summary["comparisons"], "comparisons")
        for comparison in found:
            lower, upper = comparison["interval"]
            print(
                f"{folder}: {comparison['a']} − {comparison['b']}: {comparison['difference']:.6f} [{lower:.6f}, {upper:.6f}] "
                f"at {100 * comparison['confidence']:.4g} %, p = {comparison['p_value']:.3g} over {comparison['corrected_for']}: {comparison['outcome']}"
            )
        print(*(f"{folder}: {line}" for line in different), sep="\n", end="\n" if different else "")
        print(f"{folder}: {len(found)} comparisons {'DIFFER' if different else 'agree'}")
        failed |= bool(different)
    return int(failed)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
