"""Keras on TensorFlow: trains one of the study's two models, or infers with weights that `mnist-study` trained."""

import time

import peer

MODES = ["fit", "fit-jit", "loop", "loop-jit", "fit-bf16", "loop-bf16"]
chosen = peer.options(__doc__, MODES)

import keras
import numpy as np
import tensorflow as tf

JIT = chosen.mode.endswith("jit")


def network(name: str) -> keras.Sequential:
    """Keras's own initial weights. Without XLA the LSTM is quicker unrolled, with it the other way about."""
    layers = keras.layers
    if name == "cnn":
        body = [layers.Reshape((28, 28, 1))]
        body += [layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2)]
        body += [layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2)]
        body += [layers.Flatten(), layers.Dense(128, activation="relu")]
    else:
        body = [layers.LSTM(128, unroll=not JIT)]
    return keras.Sequential([keras.Input((28, 28)), *body, layers.Dense(10, dtype="float32")])


class EpochClock(keras.callbacks.Callback):
    """Seconds of each epoch of `fit`, from Keras's own marks."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch, logs=None) -> None:
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None) -> None:
        self.seconds.append(time.perf_counter() - self.began)


def loop(model: keras.Sequential, optimizer: keras.optimizers.Optimizer, images, labels):
    """A function that learns from the rows of `order`; the batches follow each other inside TensorFlow."""
    weights = [variable.value for variable in model.trainable_variables]

    def step(rows) -> None:
        with tf.GradientTape() as tape:
            logits = model(tf.gather(images, rows), training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(labels, rows), logits)
            loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, weights), model.trainable_variables)

    def step_of(size: int):
        return tf.function(step, jit_compile=JIT, input_signature=[tf.TensorSpec([size], tf.int32)])

    steps, rest = divmod(len(images), peer.BATCH_SIZE)
    full, last = step_of(peer.BATCH_SIZE), step_of(rest)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)])
    def learn(order, steps) -> None:
        for index in tf.range(steps):
            start = index * peer.BATCH_SIZE
            full(tf.ensure_shape(order[start : start + peer.BATCH_SIZE], [peer.BATCH_SIZE]))
        if rest:
            last(tf.ensure_shape(order[steps * peer.BATCH_SIZE :], [rest]))

    def epoch(count: int = len(images)) -> None:
        learn(tf.random.shuffle(tf.range(len(images)))[:count], count // peer.BATCH_SIZE)
        weights[0].numpy()

    return epoch


def training() -> peer.Trained:
    keras.utils.set_random_seed(chosen.seed)
    images, labels = peer.read_set(chosen.data, "train", chosen.images)
    labels = labels.astype(np.int32)
    model = network(chosen.model)
    optimizer = keras.optimizers.Adam(peer.LEARNING_RATE, peer.BETA_1, peer.BETA_2, peer.EPSILON)
    optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    kept = [variable.numpy() for variable in variables]
    # One full batch and one as large as the epoch's last.
    few = peer.BATCH_SIZE + len(images) % peer.BATCH_SIZE
    fits = chosen.mode.startswith("fit")
    if fits:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, jit_compile=True if JIT else "auto")
        clock = EpochClock()

        def learn(count: int, epochs: int = 1) -> None:
            rows = slice(0, count)
            model.fit(images[rows], labels[rows], peer.BATCH_SIZE, epochs, verbose=0, callbacks=[clock])
    else:
        learn = loop(model, optimizer, tf.constant(images), tf.constant(labels))

    def warm_up() -> None:
        learn(few)
        for variable, values in zip(variables, kept):
            variable.assign(values)

    if fits:
        compile_seconds, _ = peer.train(warm_up, lambda: None, 0)
        clock.seconds.clear()
        learn(len(images), chosen.epochs)
        seconds = compile_seconds, clock.seconds
    else:
        seconds = peer.train(warm_up, lambda: learn(len(images)), chosen.epochs)
    test_images, test_labels = peer.read_set(chosen.data, "t10k")
    accuracy = float(np.mean(model.predict(test_images, 1000, verbose=0).argmax(1) == test_labels))
    return peer.Trained(*seconds, accuracy, model.count_params(), len(images))


def inference() -> dict:
    model = network(chosen.model)
    weights = peer.read_weights(chosen.weights)
    if chosen.model == "cnn":
        layers = ("conv1", "conv2", "dense1", "dense2")
        values = [weights[f"{layer}.{part}"] for layer in layers for part in ("weight", "bias")]
    else:
        values = [weights[f"lstm1.{part}"] for part in ("kernel", "recurrent_kernel", "bias")]
        values += [weights["dense1.weight"], weights["dense1.bias"]]
    model.set_weights(values)
    forward = tf.function(lambda images: model(images, training=False), jit_compile=JIT)
    return peer.infer(lambda images: forward(tf.constant(images)).numpy(), *peer.read_set(chosen.data, "t10k"))


tf.config.threading.set_intra_op_parallelism_threads(chosen.threads)
tf.config.threading.set_inter_op_parallelism_threads(chosen.threads)
if chosen.mode.endswith("bf16"):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
version = f"{keras.__version__} / {tf.__version__}"
peer.report(chosen, "Keras / TensorFlow", version, inference() if chosen.weights else training())
