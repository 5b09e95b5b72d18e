"""Runs of other programs, written down around a training loop."""

import json
import sys
import types

import mnist_study
import numpy
import pytest

LABELS = numpy.array([0, 1, 2, 1] * 25)


def probabilities(seed):
    drawn = numpy.random.default_rng(seed).random((len(LABELS), 3)) + 1.5 * numpy.eye(3)[LABELS]
    return (drawn / drawn.sum(1, keepdims=True)).astype("float32")


def test_runs_are_judged_with_their_curves(tmp_path):
    for model, shift in (("resnet", 0), ("vit", 100)):
        for seed in range(3):
            with mnist_study.Run(model, seed=seed, out=tmp_path, parameters=1000, machine="test") as run:
                for epoch in range(4):
                    run.epoch(train_loss=1 / (1 + epoch), validation_accuracy=0.5 + epoch / 10, validation_loss=float("nan"))
                run.test(LABELS, probabilities(seed + shift))
    with numpy.load(tmp_path / "resnet" / "seed-0.npz", allow_pickle=False) as file:
        assert (file["labels"] == LABELS).all() and (file["probabilities"] == probabilities(0)).all()
    about = json.loads((tmp_path / "resnet" / "seed-0.run.json").read_text())
    assert about["seed"] == 0 and len(about["epochs"]) == 4 and "validation_loss" not in about["epochs"][0]
    verdict = mnist_study.judge(tmp_path)
    assert "3 paired runs" in verdict.sentences[0]
    assert verdict.models[0]["parameters"] == 1000
    assert [len(run["epochs"]) for run in verdict.models[0]["runs"]] == [4, 4, 4]
    assert "Learning curves" in verdict.page()
    in_memory = mnist_study.judge(
        LABELS, {"resnet": [probabilities(s) for s in range(3)], "vit": [probabilities(s) for s in range(100, 103)]}
    )
    assert in_memory.interval == verdict.interval


@pytest.mark.parametrize("kind", ["<f4", "<f8", "<i2", "|u1", "<u4", "<i8"])
def test_numpy_reads_what_is_written(tmp_path, kind):
    answers = (numpy.arange(12) % 3).astype(kind)
    with mnist_study.Run("m", name="n", out=tmp_path) as run:
        run.test(answers.astype("i8"), answers.astype("i8") if kind.startswith("<f") else answers, ids=[f"ü{i}" for i in range(12)])
    with numpy.load(tmp_path / "m" / "n.npz", allow_pickle=False) as file:
        assert (file["predictions"] == answers).all()
        assert file["ids"].tolist() == [f"ü{i}" for i in range(12)]
    with mnist_study.Run("m", name="p", out=tmp_path) as run:
        scores = (numpy.eye(3)[answers.astype(int)] * 0.5 + 0.5 / 3).astype("<f4")
        run.test(answers.astype("i8"), numpy.asfortranarray(scores))
    with numpy.load(tmp_path / "m" / "p.npz", allow_pickle=False) as file:
        assert (file["probabilities"] == scores).all()


def test_a_loop_that_raises_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), mnist_study.Run("m", seed=0, out=tmp_path) as run:
        run.test(LABELS, probabilities(0))
        raise RuntimeError
    assert list(tmp_path.rglob("*")) == []


def test_what_is_refused(tmp_path):
    with pytest.raises(mnist_study.Error, match="seed, fold or name"):
        mnist_study.Run("m", out=tmp_path)
    with pytest.raises(mnist_study.Error, match="can be a file's name"):
        mnist_study.Run("../m", seed=0, out=tmp_path)
    with pytest.raises(mnist_study.Error, match="no test was noted"), mnist_study.Run("m", seed=0, out=tmp_path):
        pass
    with pytest.raises(mnist_study.Error, match="val_loss found"), mnist_study.Run("m", seed=0, out=tmp_path) as run:
        run.epoch(val_loss=1)
    with (
        pytest.raises(mnist_study.Error, match="100 labels, 99 probabilities"),
        mnist_study.Run("m", seed=0, out=tmp_path) as run,
    ):
        run.test(LABELS, probabilities(0)[:99])
    with mnist_study.Run("m", seed=0, out=tmp_path) as run:
        run.test(LABELS, probabilities(0))
    with pytest.raises(mnist_study.Error, match="replace=True"):
        mnist_study.Run("m", seed=0, out=tmp_path)
    with mnist_study.Run("m", seed=0, out=tmp_path, replace=True) as run:
        run.test(LABELS, probabilities(1))


def test_numbers_of_numpy_diverged_losses_and_buffers_that_are_used_again(tmp_path):
    answers = probabilities(0)
    with mnist_study.Run("m", seed=numpy.int64(2), parameters=numpy.int32(7), out=tmp_path) as run:
        run.epoch(train_loss=numpy.float32(0.5))
        run.epoch(epoch=4, train_loss=float("inf"))
        run.test(LABELS, probabilities=answers)
        answers[:] = 1 / 3
    with numpy.load(tmp_path / "m" / "seed-2.npz") as file:
        assert (file["probabilities"] == probabilities(0)).all()
    with pytest.warns(UserWarning, match="train_loss of epoch 4 was inf: left out"):
        verdict = mnist_study.judge(tmp_path)
    [run] = verdict.models[0]["runs"]
    assert [(epoch["epoch"], epoch["train_loss"]) for epoch in run["epochs"]] == [(1, 0.5), (4, None)]


def test_two_runs_of_one_name_are_not_one(tmp_path):
    first, second = (mnist_study.Run("m", seed=0, out=tmp_path) for _ in range(2))
    for run in (first, second):
        run.test(LABELS, probabilities(0))
    first.write()
    with pytest.raises(mnist_study.Error, match="a file found"):
        second.write()
    with pytest.raises(mnist_study.Error, match="written already"):
        first.write()
    with pytest.raises(mnist_study.Error, match="a number above 1"), mnist_study.Run("m", seed=1, out=tmp_path) as run:
        run.epoch(epoch=1)
        run.epoch(epoch=1)
    for wrong in ({"seed": -1}, {"seed": "x"}, {"seed": 0, "parameters": 1.5}, {"name": 5}, {"seed": 0, "out": __file__}):
        with pytest.raises(mnist_study.Error, match="expected"):
            mnist_study.Run("m", **({"out": tmp_path} | wrong))


def test_keras_logs_its_epochs(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / ".keras"))
    import keras

    from mnist_study.keras import EpochLog

    keras.utils.set_random_seed(0)
    inputs = numpy.eye(3)[LABELS] + numpy.random.default_rng(0).normal(size=(len(LABELS), 3))
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    with mnist_study.Run("keras", seed=0, out=tmp_path) as run:
        history = model.fit(inputs, LABELS, validation_split=0.2, epochs=3, verbose=0, callbacks=[EpochLog(run)])
        run.test(LABELS, model.predict(inputs, verbose=0))
    [logged] = mnist_study.judge(tmp_path).models[0]["runs"]
    assert [epoch["train_loss"] for epoch in logged["epochs"]] == pytest.approx(history.history["loss"])
    assert [epoch["validation_accuracy"] for epoch in logged["epochs"]] == pytest.approx(history.history["val_accuracy"])
    assert [epoch["epoch"] for epoch in logged["epochs"]] == [1, 2, 3]


def test_lightning_calls_what_it_calls(tmp_path, monkeypatch):
    """With the names and the order of Lightning 2.6's hooks; Lightning itself needs PyTorch, and was run with it by hand."""
    pytorch = types.ModuleType("lightning.pytorch")
    pytorch.Callback = type("Callback", (), {})
    monkeypatch.setitem(sys.modules, "lightning", types.ModuleType("lightning"))
    monkeypatch.setitem(sys.modules, "lightning.pytorch", pytorch)
    from mnist_study.lightning import EpochLog

    class Trainer:
        current_epoch = 0
        callback_metrics = {}

    with mnist_study.Run("lightning", seed=0, out=tmp_path) as run:
        callback, trainer = EpochLog(run), Trainer()
        for epoch in range(2):
            trainer.current_epoch = epoch
            callback.on_train_epoch_start(trainer, None)
            trainer.callback_metrics = {"train_loss": 1 / (1 + epoch), "val_acc": numpy.float32(0.5)}
            callback.on_train_epoch_end(trainer, None)
        run.test(LABELS, probabilities(0))
    about = json.loads((tmp_path / "lightning" / "seed-0.run.json").read_text())
    assert [(epoch["epoch"], epoch["train_loss"], epoch["validation_accuracy"]) for epoch in about["epochs"]] == [
        (1, 1.0, 0.5),
        (2, 0.5, 0.5),
    ]
