"""The wheel where there is neither NumPy nor anything else."""

import array
import importlib.util
import signal
import threading
import time

import mnist_study

for absent in ("numpy", "pandas", "sklearn"):
    assert importlib.util.find_spec(absent) is None, absent

labels = [0, 1, 2, 1] * 30
good = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]] * 30
bad = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.6, 0.2, 0.2], [0.6, 0.3, 0.1]] * 30
verdict = mnist_study.judge(labels, {"good": [good] * 3, "bad": [bad] * 3})
assert verdict.comparison.outcome == "a-better", verdict
assert str(verdict).startswith("good beats bad by 50.00 points"), verdict

# One array, in three dresses.
flat = array.array("f", [value for row in good for value in row])
shaped = memoryview(flat).cast("B").cast("f", shape=[len(labels), 3])
same = mnist_study.judge(array.array("b", labels), {"good": [shaped] * 3, "bad": [bad] * 3})
assert same.summary["models"][0]["accuracy"] == verdict.summary["models"][0]["accuracy"]

model = mnist_study.train("nano", epochs=1)
assert model.record["test"]["accuracy"] > 0.9, model.record["test"]["accuracy"]
assert model.predict([[[0] * 28] * 28] * 2) == model.predict(memoryview(bytes(2 * 784)).cast("B", shape=[2, 28, 28]))
try:
    verdict.frame()
except ImportError as error:
    assert "pandas" in str(error)
else:
    raise AssertionError("a frame without pandas")

# Ctrl-C ends a training within a second, and other threads run meanwhile.
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
counted = 0
done = False


def count() -> None:
    global counted
    while not done:
        counted += 1
        time.sleep(0.01)


counter = threading.Thread(target=count)
counter.start()
began = time.monotonic()
threading.Timer(1.0, lambda: signal.raise_signal(signal.SIGINT)).start()
try:
    mnist_study.train("lstm", epochs=100)
except KeyboardInterrupt:
    took = time.monotonic() - began
else:
    raise AssertionError("not interrupted")
finally:
    done = True
counter.join()
assert took < 10, took
assert counted > 20, counted

print("all well")
