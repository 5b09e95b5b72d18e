"""Arrays of every kind become the same answers."""

import array

import mnist_study
import numpy
import pandas
import pytest

LABELS = numpy.array([0, 1, 2, 1, 0, 2, 2, 1] * 10)
RANDOM = numpy.random.default_rng(7)
LOGITS = RANDOM.normal(size=(len(LABELS), 3)) + 2 * numpy.eye(3)[LABELS]
PROBABILITIES = (numpy.exp(LOGITS) / numpy.exp(LOGITS).sum(1, keepdims=True)).astype("float32")


def figures(answers, labels=LABELS):
    [model] = mnist_study.judge(labels, {"model": answers}).summary["models"]
    return model["accuracy"]["mean"], model["runs"][0]["test_loss"]


def jax_array(values):
    import jax.numpy

    return jax.numpy.asarray(values)


class Foreign:
    """As a tensor of a library that has only NumPy's protocol, such as TensorFlow."""

    def __init__(self, values):
        self._values = values

    def __array__(self, dtype=None, copy=None):
        return self._values


class Tensor:
    """As a tensor of PyTorch: no buffer, a gradient, perhaps a type that NumPy lacks."""

    def __init__(self, values, dtype="torch.float32"):
        self._values, self.dtype = values, dtype

    def detach(self):
        return Tensor(self._values, self.dtype)

    def cpu(self):
        return self

    def float(self):
        return Tensor(self._values)

    def numpy(self):
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self._values


@pytest.mark.parametrize(
    "dressed",
    [
        PROBABILITIES,
        PROBABILITIES.astype("float64"),
        PROBABILITIES.tolist(),
        [list(row) for row in PROBABILITIES],
        list(PROBABILITIES),
        numpy.asfortranarray(PROBABILITIES),
        numpy.repeat(PROBABILITIES, 2, axis=0)[::2],
        memoryview(PROBABILITIES),
        pandas.DataFrame(PROBABILITIES),
        jax_array(PROBABILITIES),
        Foreign(PROBABILITIES),
        Tensor(PROBABILITIES),
        Tensor(PROBABILITIES, "torch.bfloat16"),
        [Tensor(row) for row in PROBABILITIES],
    ],
    ids=lambda value: type(value).__name__,
)
def test_probabilities_of_every_kind(dressed):
    assert figures({"probabilities": dressed}) == figures(PROBABILITIES)


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "f2", ">i4"])
def test_labels_of_every_type(kind):
    assert figures(PROBABILITIES, LABELS.astype(kind)) == figures(PROBABILITIES)


def test_labels_of_booleans_names_and_pandas():
    two = LABELS % 2
    answers = {"probabilities": numpy.stack([1 - two, two], axis=1).astype("float32") * 0.8 + 0.1}
    assert figures(answers, two.astype(bool))[0] == 1
    assert figures(answers, two.tolist())[0] == 1
    names = numpy.array(["cat", "dog"])[two]
    for dressed in (names, names.tolist(), pandas.Series(names), names.astype(object)):
        assert figures(list(names), dressed)[0] == 1
    assert figures(array.array("l", two.tolist()), pandas.Series(two))[0] == 1


def test_what_numpy_computes():
    accuracy, loss = figures(PROBABILITIES)
    assert accuracy == (PROBABILITIES.argmax(1) == LABELS).mean()
    expected = -numpy.log(PROBABILITIES.astype("f8")[numpy.arange(len(LABELS)), LABELS]).mean()
    assert loss == pytest.approx(expected, rel=1e-6)
    assert figures({"logits": LOGITS})[1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "answers, words",
    [
        ([[0.5, 0.5, 0.0], [0.5, 0.5]], "row 1: 3 values as in row 0 expected, 2 found"),
        (["0", 1], "row 1: a string as in row 0 expected, int found"),
        ([0, None], "numbers or strings expected"),
        (3, "an array or a list expected, int found"),
        ([LABELS, 3], "model"),
        ({"probabilities": PROBABILITIES, "weights": LABELS}, "expected, weights found"),
        (numpy.full((80, 3), numpy.nan), "a finite number for every class"),
        (numpy.full((80, 3), 0.9), "hint:"),
        (numpy.zeros((79, 3)) + 1 / 3, "79"),
        (numpy.zeros((2, 2, 2, 2, 2)), "array"),
        (numpy.array([{}] * 80), "model"),
        (numpy.zeros((80, 3), dtype="complex64"), "complex64 found"),
        ([], "model"),
        (numpy.ma.masked_array(LABELS, LABELS == 1), "masked"),
        (pandas.DataFrame(PROBABILITIES, columns=[2, 1, 0]), "columns 0, 1, … in the order of the classes expected, 2, 1, 0"),
        ((value for value in LABELS), "hint: list("),
    ],
)
def test_what_is_refused(answers, words):
    with pytest.raises(mnist_study.Error) as refused:
        mnist_study.judge(LABELS, {"model": answers})
    assert words in str(refused.value)
    assert isinstance(refused.value, ValueError)


def test_runs_of_classes_in_lists_and_in_one_array():
    other = numpy.where(numpy.arange(len(LABELS)) % 10 == 0, (LABELS + 1) % 3, LABELS)
    expected = mnist_study.judge(LABELS, {"a": [LABELS, LABELS], "b": [other, other]}).summary["comparisons"]
    assert expected[0]["runs"] == 2
    for dress in (list, tuple, numpy.array):
        stacked = {"a": dress([LABELS.tolist(), LABELS.tolist()]), "b": dress([other.tolist(), other.tolist()])}
        assert mnist_study.judge(LABELS, stacked).summary["comparisons"] == expected
    scores = numpy.stack([PROBABILITIES, PROBABILITIES[:, ::-1]])
    assert len(mnist_study.judge(LABELS, {"a": scores}).models[0]["runs"]) == 2
    assert figures(LABELS[:, None])[0] == figures(LABELS)[0] == 1


def test_what_was_guessed_is_told():
    with pytest.warns(UserWarning, match="logits") as warned:
        verdict = mnist_study.judge(LABELS, {"model": LOGITS})
    assert warned[0].filename == __file__
    assert any("logits" in note for note in verdict.notes)


def test_a_large_array_is_read_where_it_is():
    import resource

    count = 200_000
    labels = RANDOM.integers(0, 10, count)
    probabilities = RANDOM.random((count, 10), dtype="float32")
    probabilities /= probabilities.sum(1, keepdims=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures(probabilities, labels)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    # 8 MB of float32: doubles on the way, floats in the record.
    assert grown < 150, f"{grown:.0f} MB"
