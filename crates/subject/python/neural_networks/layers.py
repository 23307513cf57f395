"""Layers: forward(X) and backward(dL/dY), which returns dL/dX and stores `gradients`."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Tuple, Union

import numpy as np

from neural_networks.activations import initialize_activation
from neural_networks.utils.convolution import pad2d, padding, windows
from neural_networks.weights import initialize_weights


class Layer(ABC):
    def __init__(self):
        self.activation = None
        self.n_in = None
        self.n_out = None
        self.parameters = {}
        self.cache = {}
        self.gradients = {}

    @abstractmethod
    def forward(self, X):
        """The layer's output; stores in `cache` what `backward` needs."""

    @abstractmethod
    def backward(self, dLdY):
        """dL/dX; stores dL/dW and dL/db in `gradients`."""

    def clear_gradients(self) -> None:
        self.cache = OrderedDict((name, []) for name in self.cache)
        self.gradients = OrderedDict((name, np.zeros_like(g)) for name, g in self.gradients.items())


def initialize_layer(
    name, activation=None, weight_init=None, n_out=None, kernel_shape=None,
    stride=None, pad=None, mode=None, keep_dim="first",
) -> Layer:
    if name == "fully_connected":
        return FullyConnected(n_out=n_out, activation=activation, weight_init=weight_init)
    if name == "conv2d":
        return Conv2D(
            n_out=n_out, kernel_shape=kernel_shape, activation=activation,
            stride=stride, pad=pad, weight_init=weight_init,
        )
    if name == "pool2d":
        return Pool2D(kernel_shape=kernel_shape, mode=mode, stride=stride, pad=pad)
    if name == "flatten":
        return Flatten(keep_dim=keep_dim)
    raise NotImplementedError(f"Layer type {name} is not implemented")


class FullyConnected(Layer):
    """Y = activation(X W + b), with X (m, n_in), W (n_in, n_out), b (1, n_out)."""

    def __init__(self, n_out: int, activation: str, weight_init="xavier_uniform") -> None:
        super().__init__()
        self.n_out = n_out
        self.activation = initialize_activation(activation)
        self.init_weights = initialize_weights(weight_init, activation=activation)

    def _init_parameters(self, X_shape: Tuple[int, int]) -> None:
        self.n_in = X_shape[1]
        W = self.init_weights((self.n_in, self.n_out))
        b = np.zeros((1, self.n_out))
        self.parameters = OrderedDict(W=W, b=b)
        self.cache = OrderedDict(X=[], Z=[])
        self.gradients = OrderedDict(W=np.zeros_like(W), b=np.zeros_like(b))

    def forward(self, X: np.ndarray) -> np.ndarray:
        if self.n_in is None:
            self._init_parameters(X.shape)
        Z = X @ self.parameters["W"] + self.parameters["b"]
        self.cache["X"] = X
        self.cache["Z"] = Z
        return self.activation(Z)

    def backward(self, dLdY: np.ndarray) -> np.ndarray:
        X, Z = self.cache["X"], self.cache["Z"]
        dZ = self.activation.backward(Z, dLdY)
        self.gradients["W"] = X.T @ dZ
        self.gradients["b"] = dZ.sum(axis=0, keepdims=True)
        return dZ @ self.parameters["W"].T


class Conv2D(Layer):
    """Cross-correlation of X (m, rows, cols, n_in) with W (k_rows, k_cols, n_in, n_out)."""

    def __init__(
        self, n_out: int, kernel_shape: Tuple[int, int], activation: str,
        stride: int = 1, pad: str = "same", weight_init: str = "xavier_uniform",
    ) -> None:
        super().__init__()
        self.n_out = n_out
        self.kernel_shape = kernel_shape
        self.stride = stride
        self.pad = pad
        self.activation = initialize_activation(activation)
        self.init_weights = initialize_weights(weight_init, activation=activation)

    def _init_parameters(self, X_shape: Tuple[int, int, int, int]) -> None:
        self.n_in = X_shape[3]
        W = self.init_weights(self.kernel_shape + (self.n_in, self.n_out))
        b = np.zeros((1, self.n_out))
        self.parameters = OrderedDict(W=W, b=b)
        self.cache = OrderedDict(X=[], Z=[])
        self.gradients = OrderedDict(W=np.zeros_like(W), b=np.zeros_like(b))
        self.pad = padding(self.pad, self.kernel_shape)

    def forward(self, X: np.ndarray) -> np.ndarray:
        if self.n_in is None:
            self._init_parameters(X.shape)
        W, b = self.parameters["W"], self.parameters["b"]
        k_rows, k_cols = W.shape[:2]
        out_rows = (X.shape[1] + 2 * self.pad[0] - k_rows) // self.stride + 1
        out_cols = (X.shape[2] + 2 * self.pad[1] - k_cols) // self.stride + 1
        X_pad = pad2d(X, self.pad)
        patches = windows(X_pad, (k_rows, k_cols), self.stride, (out_rows, out_cols))
        Z = np.tensordot(patches, W, axes=3) + b
        self.cache["X"] = X
        self.cache["Z"] = Z
        return self.activation(Z)

    def backward(self, dLdY: np.ndarray) -> np.ndarray:
        X, Z, W = self.cache["X"], self.cache["Z"], self.parameters["W"]
        k_rows, k_cols = W.shape[:2]
        s = self.stride
        dZ = self.activation.backward(Z, dLdY)
        out_rows, out_cols = dZ.shape[1:3]

        # Each cell of the kernel meets one strided slice of the padded input.
        X_pad = pad2d(X, self.pad)
        dX_pad = np.zeros_like(X_pad)
        dW = np.zeros_like(W)
        for i in range(k_rows):
            for j in range(k_cols):
                cells = np.s_[:, i : i + s * out_rows : s, j : j + s * out_cols : s]
                dW[i, j] = np.tensordot(X_pad[cells], dZ, axes=([0, 1, 2], [0, 1, 2]))
                dX_pad[cells] += dZ @ W[i, j].T
        self.gradients["W"] = dW
        self.gradients["b"] = dZ.sum(axis=(0, 1, 2)).reshape(1, -1)

        top, left = self.pad
        return dX_pad[:, top : top + X.shape[1], left : left + X.shape[2]]


class Pool2D(Layer):
    """The maximum or the average of each window, channel by channel; pads with 0."""

    def __init__(
        self, kernel_shape: Tuple[int, int], mode: str = "max", stride: int = 1,
        pad: Union[int, str] = 0,
    ) -> None:
        if isinstance(kernel_shape, int):
            kernel_shape = (kernel_shape, kernel_shape)
        self.kernel_shape = kernel_shape
        self.stride = stride
        self.pad = padding(pad, kernel_shape)
        if mode not in ("max", "average"):
            raise ValueError(f"invalid mode {mode!r}")
        self.mode = mode
        self.parameters = {}
        self.cache = {}
        self.gradients = {}

    def forward(self, X: np.ndarray) -> np.ndarray:
        k_rows, k_cols = self.kernel_shape
        out_rows = (X.shape[1] + 2 * self.pad[0] - k_rows) // self.stride + 1
        out_cols = (X.shape[2] + 2 * self.pad[1] - k_cols) // self.stride + 1
        X_pad = pad2d(X, self.pad)
        self.cache["X"] = X
        self.cache["X_pad"] = X_pad
        patches = windows(X_pad, self.kernel_shape, self.stride, (out_rows, out_cols))
        if self.mode == "max":
            return patches.max(axis=(3, 4))
        return patches.mean(axis=(3, 4))

    def backward(self, dLdY: np.ndarray) -> np.ndarray:
        X, X_pad = self.cache["X"], self.cache["X_pad"]
        k_rows, k_cols = self.kernel_shape
        s = self.stride
        m, out_rows, out_cols, channels = dLdY.shape

        if self.mode == "max":
            # A tie goes to the first maximum of its window.
            patches = windows(X_pad, self.kernel_shape, s, (out_rows, out_cols))
            flat = patches.reshape(m, out_rows, out_cols, k_rows * k_cols, channels)
            first = flat.argmax(axis=3)[:, :, :, None]
            share = (np.arange(k_rows * k_cols)[:, None] == first).astype(dLdY.dtype)
        else:
            share = np.full((m, out_rows, out_cols, k_rows * k_cols, channels), 1.0 / (k_rows * k_cols))

        dX_pad = np.zeros(X_pad.shape)
        for i in range(k_rows):
            for j in range(k_cols):
                region = np.s_[:, i : i + s * out_rows : s, j : j + s * out_cols : s]
                dX_pad[region] += dLdY * share[:, :, :, i * k_cols + j]
        row, col = self.pad
        return dX_pad[:, row : row + X.shape[1], col : col + X.shape[2]]


class Flatten(Layer):
    """All axes but the first (or the last) become one."""

    def __init__(self, keep_dim: str = "first") -> None:
        super().__init__()
        self.keep_dim = keep_dim

    def forward(self, X: np.ndarray) -> np.ndarray:
        self.cache["in_dims"] = X.shape
        if self.keep_dim == "first":
            return X.reshape(X.shape[0], int(np.prod(X.shape[1:])))
        return X.reshape(-1, X.shape[-1])

    def backward(self, dLdY: np.ndarray) -> np.ndarray:
        return dLdY.reshape(self.cache["in_dims"])
