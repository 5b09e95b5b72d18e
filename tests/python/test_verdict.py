"""Verdicts from Python and from the command, and what SciPy and statsmodels say of the same runs."""

import json
import os
import subprocess

import mnist_study
import numpy
import pandas
import pytest
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

SEEDS = range(5)


@pytest.fixture(scope="module")
def answers():
    """Three models of scikit-learn over five seeds, and the labels of 500 test images."""
    images, labels = load_digits(return_X_y=True)
    learnt, tested, taught, labels = train_test_split(images / 16, labels, test_size=500, random_state=0)
    runs = {"forest": {}, "logistic": {}, "neighbours": {}}
    for seed in SEEDS:
        drawn = numpy.random.default_rng(seed).choice(len(taught), len(taught))
        models = {
            "forest": RandomForestClassifier(30, random_state=seed),
            "logistic": LogisticRegression(max_iter=500, C=0.05),
            "neighbours": KNeighborsClassifier(25),
        }
        for name, model in models.items():
            model.fit(learnt[drawn], taught[drawn])
            runs[name][f"seed-{seed}"] = model.predict_proba(tested)
    return labels, runs


@pytest.fixture(scope="module")
def verdict(answers):
    return mnist_study.judge(*answers)


def command(*words, program=os.environ["MNIST_STUDY"]):
    return subprocess.run([program, *map(str, words)], check=True, capture_output=True, text=True).stdout


def test_the_same_summary_from_python_and_from_the_command(answers, verdict, tmp_path):
    labels, runs = answers
    for model, of_model in runs.items():
        (tmp_path / "predictions" / model).mkdir(parents=True)
        for run, probabilities in of_model.items():
            numpy.savez(tmp_path / "predictions" / model / f"{run}.npz", probabilities=probabilities, labels=labels)
    command("judge", tmp_path / "predictions", "--out", tmp_path / "command", "--quiet")
    from_files = mnist_study.judge(tmp_path / "predictions").report(tmp_path / "files")
    from_arrays = verdict.report(tmp_path / "arrays")
    said = (tmp_path / "command" / "summary.json").read_text()
    assert (from_files / "summary.json").read_text() == said
    assert (from_arrays / "summary.json").read_text() == said
    assert json.loads(said) == verdict.summary
    for name in ("report.html", "report.md", "Differences.png"):
        expected = (tmp_path / "command" / name).read_bytes()
        assert (from_files / name).read_bytes() == expected, name
    # The folder is one of the command's.
    again = command("report", from_arrays, "--quiet")
    assert verdict.sentences[0].split(":")[0] in again.replace("\n", " ")
    assert mnist_study.read(from_arrays).summary == verdict.summary


def test_figures_of_scipy_and_statsmodels(answers, verdict):
    labels, runs = answers
    right = {
        model: numpy.array([probabilities.argmax(1) == labels for probabilities in of_model.values()])
        for model, of_model in runs.items()
    }
    for pair in verdict.comparisons:
        first, second = right[pair.a], right[pair.b]
        differences = first.mean(1) - second.mean(1)
        assert pair.difference == pytest.approx(differences.mean(), abs=1e-12)
        paired = stats.ttest_rel(first.mean(1), second.mean(1))
        figures = pair.figures["paired_t"]
        assert figures["p_value"] == pytest.approx(paired.pvalue, rel=1e-9)
        interval = paired.confidence_interval(0.95)
        assert figures["interval"] == pytest.approx([interval.low, interval.high], rel=1e-9)
        for mine, a, b in zip(pair.figures["mcnemar_p_values"], first, second, strict=True):
            table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
            assert mine == pytest.approx(mcnemar(table, exact=True).pvalue, rel=1e-9)
        # Random runs crossed with random images, two of them invented: docs/explanation/method.md.
        invented = numpy.repeat([[1.0, -1.0]], len(first), axis=0)
        cells = numpy.concatenate([first.astype(float) - second, invented], axis=1)
        runs, images = (index.ravel() for index in numpy.indices(cells.shape))
        frame = pandas.DataFrame({"cell": cells.ravel(), "run": runs, "image": images})
        table = anova_lm(ols("cell ~ C(run) + C(image)", frame).fit())
        mean_squares = table["sum_sq"] / table["df"]
        of_runs = mean_squares["C(run)"] / cells.size
        of_images = max(mean_squares["C(image)"] - mean_squares["Residual"], 0) / cells.size
        assert pair.figures["seed_standard_error"] == pytest.approx(of_runs**0.5, rel=1e-9)
        assert pair.figures["image_standard_error"] == pytest.approx(of_images**0.5, rel=1e-9)


def test_holm_adjusts_as_statsmodels_does(answers):
    """Each pair alone, then all together."""
    labels, runs = answers
    names = list(runs)
    pairs = [(a, b) for index, a in enumerate(names) for b in names[index + 1 :]]
    alone = [mnist_study.judge(labels, {a: runs[a], b: runs[b]}).p_value for a, b in pairs]
    together = mnist_study.judge(labels, runs).comparisons
    assert [(pair.a, pair.b) for pair in together] == pairs
    adjusted = multipletests(alone, method="holm")[1]
    assert [pair.p_value for pair in together] == pytest.approx(adjusted.tolist(), rel=1e-9)


def test_several_pairs_are_asked_one_by_one(verdict):
    with pytest.raises(mnist_study.Error, match="3 pairs found"):
        verdict.interval  # noqa: B018
    assert len(verdict.sentences) == 3
    assert str(verdict).count("\n") == 2


def test_a_frame_of_runs(verdict):
    frame = verdict.frame()
    assert list(frame["model"].unique()) == ["forest", "logistic", "neighbours"]
    assert len(frame) == 15
    means = frame.groupby("model")["accuracy"].mean()
    for model in verdict.models:
        assert means[model["name"]] == pytest.approx(model["accuracy"]["mean"], abs=1e-12)


def test_another_study_is_not_written_over(verdict, tmp_path):
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(mnist_study.Error, match="holds report.html"):
        verdict.report(tmp_path)
    assert (tmp_path / "report.html").read_text() == "mine"


def test_the_images_of_a_data_set():
    """All answer alike but for some that one misses: the report shows them."""
    _, _, _, labels = mnist_study.load_data()
    wrong = labels.copy()
    wrong[:50] = (wrong[:50] + 1) % 10
    verdict = mnist_study.judge(None, {"right": labels, "wrong": wrong}, images="mnist")
    assert verdict.models[0]["accuracy"]["mean"] == 1
    assert verdict.difference == pytest.approx(0.005)
    assert "Error atlas" in verdict.page()


def test_one_model_alone_and_identical_models():
    alone = mnist_study.judge([0, 1] * 20, {"a": [0, 1] * 20})
    assert alone.comparisons == [] and alone.sentences == []
    assert alone.models[0]["accuracy"]["mean"] == 1
    twins = mnist_study.judge([0, 1] * 20, {"a": [0, 1] * 20, "b": [0, 1] * 20})
    assert twins.difference == 0 and twins.p_value == 1
    assert "nan" not in str(twins).lower()


def test_the_notebook_has_no_handle_on_its_surroundings(verdict):
    part = verdict._repr_html_()
    assert part.startswith("<div") and "<script" not in part and "href" not in part
    assert part.count("<svg") == 2 and "forest" in part


def test_repr_names_the_models(verdict):
    assert repr(verdict) == "<Verdict of forest, logistic, neighbours>"
