"""Models trained, saved, loaded and asked from Python."""

import os
import select
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mnist_study
import numpy
import pytest
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC


@pytest.fixture(scope="module")
def shapes():
    """Bars that lie or stand, 12×10 pixels."""
    random = numpy.random.default_rng(3)

    def part(count):
        labels = random.integers(0, 2, count).astype("u1")
        images = random.integers(0, 40, (count, 12, 10)).astype("u1")
        for image, label in zip(images, labels, strict=True):
            place = random.integers(2, 8)
            if label:
                image[place, :] = 250
            else:
                image[:, place] = 250
        return images, labels

    return *part(400), *part(200)


def test_the_same_network_as_the_command(tmp_path):
    epochs = []
    model = mnist_study.train("nano", epochs=1, seed=4, progress=lambda *figures: epochs.append(figures))
    [(epoch, loss, accuracy, validation_loss, validation_accuracy)] = epochs
    assert epoch == 1 and loss < 1 and min(accuracy, validation_accuracy) > 0.8 and validation_loss < loss
    words = ["train", "nano", "--epochs", "1", "--seed", "4", "--save", tmp_path / "command.safetensors", "--quiet"]
    subprocess.run([os.environ["MNIST_STUDY"], *map(str, words)], check=True, capture_output=True)
    other = mnist_study.load(tmp_path / "command.safetensors")
    _, _, images, labels = mnist_study.load_data()
    answers = model.predict_proba(images)
    assert answers.shape == (10_000, 10) and answers.dtype == numpy.float32
    assert (other.predict_proba(images) == answers).all()
    assert (model.predict(images) == labels).mean() == model.record["test"]["accuracy"]
    # Not by how many at once, nor after saving.
    assert (other.predict_proba(images[:3]) == answers[:3]).all()
    assert (model.predict_proba(images[5]) == answers[5:6]).all()
    model.save(tmp_path / "python.safetensors")
    assert (mnist_study.load(tmp_path / "python.safetensors").predict_proba(images[:300]) == answers[:300]).all()


def test_data_as_published():
    training_images, training_labels, images, labels = mnist_study.load_data()
    assert training_images.shape == (60_000, 28, 28) and images.shape == (10_000, 28, 28)
    assert training_labels.shape == (60_000,) and labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert numpy.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    with pytest.raises(mnist_study.Error, match="nothing"):
        mnist_study.load_data("nothing")


def test_images_of_ones_own(shapes):
    model = mnist_study.train("mlp", data=shapes, epochs=5)
    images, labels = shapes[2:]
    assert (model.predict(images) == labels).mean() > 0.9
    assert model.image_shape == (12, 10, 1) and model.classes == ["0", "1"]
    exact = model.predict_proba(images)
    for dressed in (images.tolist(), images.astype("i8"), images.astype("f4"), images[..., None], images.reshape(200, -1)):
        assert (model.predict_proba(dressed) == exact).all()
    with pytest.warns(UserWarning, match="fractions of 255") as warned:
        assert (model.predict_proba(images / 255) == exact).all()
    assert warned[0].filename == __file__
    for wrong in (images[:, :11], images.reshape(-1), numpy.full((1, 12, 10), -1), numpy.full((1, 12, 10), 256.0), "seven.png"):
        with warnings.catch_warnings(), pytest.raises(mnist_study.Error, match="images"):
            model.predict(wrong)


def test_a_comparison(shapes, tmp_path):
    verdict = mnist_study.compare("mlp", "gru", data=shapes, runs=2, epochs=1)
    assert len(verdict.records) == 4 and len(verdict.comparisons) == 1
    folder = verdict.report(tmp_path / "Results")
    assert (folder / "report.html").stat().st_size > 10_000 and len(list((folder / "records").iterdir())) == 4
    # Written as it was read: the plan of the copy is that of its records.
    copy = mnist_study.read(folder).report(tmp_path / "copy")
    assert mnist_study.read(copy).summary == mnist_study.read(folder).summary == verdict.summary
    again = mnist_study.compare("mlp", "gru", data=shapes, runs=2, epochs=1, threads=1)
    assert [run["fingerprint"] for run in again.records] == [run["fingerprint"] for run in verdict.records]
    folds = mnist_study.compare("mlp", "gru", data=shapes, folds=3, epochs=1, decide_by="macro-f1")
    assert len(folds.records) == 6 and "fold" in folds.sentences[0]


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: mnist_study.train("cnnn"), "hint: choose from mlp, cnn"),
        (lambda: mnist_study.load_data("MNISt"), "fashion-mnist"),
        (lambda: mnist_study.compare("nano", "nano"), "different names"),
        (lambda: mnist_study.compare("nano", runs=0), "runs: a whole number from 1 on expected, 0 found"),
        (lambda: mnist_study.compare("nano", folds=2, runs=2), "both found"),
        (lambda: mnist_study.train("nano", epochs=-1), "epochs: a whole number from 1 on expected, -1 found"),
        (lambda: mnist_study.train("mlp", data=(numpy.zeros((4, 5, 5)), [0, 1], numpy.zeros((2, 5, 5)), [0, 1])), "4 images and 2 labels"),
        (lambda: mnist_study.cross_validate(GaussianNB(), [[1]], [0]), "a mapping from names to estimators"),
        (lambda: mnist_study.cross_validate({}, [[1]] * 4, [[0]] * 4), "labels.ravel()"),
        (lambda: mnist_study.judge([0], [[0]]), "a mapping from names to answers"),
        (lambda: mnist_study.compare("cnn", decide_by="beauty"), "accuracy, balanced-accuracy"),
        (lambda: mnist_study.compare("cnn", resample="some"), "bootstrap or split"),
        (lambda: mnist_study.train("cnn", data=3), "a name, or"),
        (lambda: mnist_study.train("cnn", data="nowhere"), "nowhere"),
        (lambda: mnist_study.train("mlp", data=(numpy.zeros((4, 5, 5)), [0, 1, 2.5, 1], numpy.zeros((2, 5, 5)), [0, 1])), "2.5"),
        (lambda: mnist_study.train("mlp", data=(numpy.zeros((4, 25), "u1"), [0, 1, 0, 1], numpy.zeros((2, 25), "u1"), [0, 1])), "shape"),
        (lambda: mnist_study.load("nothing.safetensors"), "nothing.safetensors"),
        (lambda: mnist_study.read("nowhere"), "nowhere"),
    ],
)
def test_what_is_refused(call, words):
    with warnings.catch_warnings(action="ignore"), pytest.raises(mnist_study.Error) as refused:
        call()
    assert words in str(refused.value)


def test_labels_are_what_was_learnt(shapes):
    images, labels, tested, truth = shapes
    model = mnist_study.train("mlp", data=(images, 3 + 4 * labels, tested, 3 + 4 * truth), epochs=3)
    assert model.classes == ["3", "7"]
    assert (model.predict(tested) == 3 + 4 * truth).mean() == model.record["test"]["accuracy"] > 0.8
    assert model.predict(tested[:0]).shape == (0,) and model.predict_proba(tested[:0]).shape == (0, 2)
    with pytest.warns(UserWarning, match="true pixels are read as 255"):
        assert (model.predict(tested > 100) == model.predict(255 * (tested > 100))).all()
    with pytest.warns(UserWarning, match="no pixel is lighter than 1"):
        model.predict((tested > 100).astype("u1"))


def test_several_threads_and_a_forked_child_ask_one_model(shapes):
    model = mnist_study.train("mlp", data=shapes, epochs=1)
    images = numpy.concatenate([shapes[2]] * 5)
    expected = model.predict_proba(images)
    with ThreadPoolExecutor(4) as pool:
        assert all((answers == expected).all() for answers in pool.map(model.predict_proba, [images] * 8))
    read, write = os.pipe()
    with warnings.catch_warnings(action="ignore"):
        child = os.fork()
    if child == 0:
        same = (model.predict_proba(images) == expected).all() and len(mnist_study.load_data()[3]) == 10_000
        os.write(write, b"same" if same else b"other")
        os._exit(0)
    os.close(write)
    ready, _, _ = select.select([read], [], [], 60)
    if not ready:
        os.kill(child, signal.SIGKILL)
    said = os.read(read, 10) if ready else b"nothing"
    os.close(read)
    os.waitpid(child, 0)
    assert said == b"same"


def test_ctrl_c_ends_the_command_in_its_own_words(tmp_path):
    command = Path(sys.executable).with_name("mnist-study")
    words = ["compare", "lstm", "--seeds", "1", "--out", str(tmp_path / "R"), "--show", "never"]
    process = subprocess.Popen([command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said and "interrupted" in said, said


def test_a_function_that_raises_ends_the_training():
    def raising(*_):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        mnist_study.train("nano", epochs=50, progress=raising)


def test_estimators_are_cross_validated():
    images, labels = load_digits(return_X_y=True)
    images, labels = images[:600], labels[:600]
    estimators = {"bayes": GaussianNB(), "neighbours": KNeighborsClassifier(3), "svc": SVC()}
    verdict = mnist_study.cross_validate(estimators, images, labels, folds=4, repeats=2)
    assert len(verdict.records) == 24
    assert "neighbours beats bayes" in str(verdict) or "bayes" in verdict.sentences[0]
    by_name = {model["name"]: model["accuracy"]["mean"] for model in verdict.models}
    assert 0.7 < by_name["bayes"] < by_name["neighbours"] < 1
    assert not hasattr(estimators["bayes"], "classes_")
    # What scikit-learn learns from is all that is not held out: 1/(n) + 1/(k-1) of Nadeau and Bengio.
    pair = verdict.comparisons[0].figures
    accuracies = {name: {} for name in estimators}
    for record in verdict.records:
        accuracies[record["model"]][record["run"]] = record["test"]["accuracy"]
    differences = numpy.array([accuracies["bayes"][run] - accuracies["neighbours"][run] for run in accuracies["bayes"]])
    error = (differences.var(ddof=1) * (1 / 8 + 1 / 3)) ** 0.5
    half = stats.t.ppf(0.5 + pair["confidence"] / 2, 7) * error
    assert pair["interval"] == pytest.approx([differences.mean() - half, differences.mean() + half], rel=1e-6)
    rare = numpy.r_[numpy.zeros(30, int), numpy.ones(29, int), 2]
    assert mnist_study.cross_validate({"a": GaussianNB()}, numpy.random.default_rng(0).random((60, 4)), rare).records
    lists = mnist_study.cross_validate({"bayes": GaussianNB()}, images.tolist(), labels.tolist(), folds=4)
    once = mnist_study.cross_validate({"bayes": GaussianNB()}, images, labels, folds=4)
    assert lists.summary == once.summary
