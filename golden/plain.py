"""The models' equations in plain numpy: what the layouts mean, and a second opinion on Keras.

make.py holds Keras's float64 values against these. Every array here is float64.
"""

import numpy as np


def convolution(x, kernel, bias):
    """x [n, h, w, c], kernel [3, 3, c, o] -> [n, h-2, w-2, o].
    y[n, i, j, o] = bias[o] + sum over r, s, c of x[n, i+r, j+s, c] * kernel[r, s, c, o]"""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return np.einsum("nijcrs,rsco->nijo", windows, kernel, optimize=True) + bias


def pool(x):
    """[n, h, w, c] -> [n, h//2, w//2, c], the largest of each 2x2; a last odd row or column is read by no window.
    Also the distance from each positive maximum to the next smaller value: [n, h//2, w//2, c], infinite for others."""
    n, h, w, c = x.shape
    windows = x[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c)
    windows = np.sort(windows.transpose(0, 1, 3, 5, 2, 4).reshape(n, h // 2, w // 2, c, 4), axis=-1)
    gap = np.where(windows[..., 3] > 0, windows[..., 3] - windows[..., 2], np.inf)
    return windows[..., 3], gap


def cnn(weights, x, kinks=None):
    """x [n, h, w, 1] -> logits [n, classes]. `kinks`, a list, takes the distances from each ReLU's and pool's kink."""
    for layer in ("conv1", "conv2"):
        z = convolution(x, weights[f"{layer}.kernel"], weights[f"{layer}.bias"])
        x, gap = pool(np.maximum(z, 0))
        if kinks is not None:
            kinks += [np.abs(z).ravel(), gap.ravel()]
    # Flatten in row-major order of [h, w, c]: the channel runs fastest.
    x = x.reshape(len(x), -1)
    z = x @ weights["dense1.kernel"] + weights["dense1.bias"]
    if kinks is not None:
        kinks += [np.abs(z).ravel()]
    return np.maximum(z, 0) @ weights["dense2.kernel"] + weights["dense2.bias"]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(weights, x):
    """x [n, steps, features] -> logits [n, classes] of the last hidden state.
    z = x_t kernel + h_{t-1} recurrent_kernel + bias, its four quarters in the order i, f, c, o;
    c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(c);  h_t = sigmoid(o) tanh(c_t);  h_0 = c_0 = 0."""
    units = weights["lstm.recurrent_kernel"].shape[0]
    hidden = cell = np.zeros((len(x), units))
    for step in range(x.shape[1]):
        z = x[:, step] @ weights["lstm.kernel"] + hidden @ weights["lstm.recurrent_kernel"] + weights["lstm.bias"]
        i, f, c, o = np.split(z, 4, axis=1)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(cell)
    return hidden @ weights["dense.kernel"] + weights["dense.bias"]


def loss(logits, labels):
    """Softmax cross-entropy in nats, the mean over the batch."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_probability[np.arange(len(labels)), labels].mean()


def adam(weight, gradients, learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Adam as Keras states it; yields (m, v, weight) after each step t = 1, 2, ...

        m_t = m_{t-1} + (g - m_{t-1}) (1 - beta_1)
        v_t = v_{t-1} + (g^2 - v_{t-1}) (1 - beta_2)
        alpha_t = learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t)
        w_t = w_{t-1} - alpha_t m_t / (sqrt(v_t) + epsilon)

    epsilon stands beside the uncorrected sqrt(v_t) ("epsilon hat" in section 2 of Kingma and Ba, 2015). The paper's
    algorithm 1 and PyTorch add it to sqrt(v_t / (1 - beta_2^t)) instead: the same with epsilon sqrt(1 - beta_2^t)
    in place of epsilon here, so equal numbers for epsilon are different optimisers."""
    m = v = np.zeros_like(weight)
    for t, g in enumerate(gradients, start=1):
        m = m + (g - m) * (1 - beta_1)
        v = v + (g * g - v) * (1 - beta_2)
        alpha = learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        weight = weight - alpha * m / (np.sqrt(v) + epsilon)
        yield m, v, weight


def central_difference(function, values, index, step=1e-6):
    """d function() / d values.flat[index], changing and restoring `values` in place."""
    kept = values.flat[index]
    values.flat[index] = kept + step
    above = function()
    values.flat[index] = kept - step
    below = function()
    values.flat[index] = kept
    return (above - below) / (2 * step)
