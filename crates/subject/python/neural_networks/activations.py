"""Activation functions: Y = forward(Z) and dL/dZ = backward(Z, dL/dY)."""

from abc import ABC, abstractmethod

import numpy as np


class Activation(ABC):
    def __call__(self, Z):
        return self.forward(Z)

    @abstractmethod
    def forward(self, Z):
        """The activation of the pre-activations `Z`, of the same shape."""

    @abstractmethod
    def backward(self, Z, dY):
        """dL/dZ from `Z`, the argument of `forward`, and dL/dY."""


def initialize_activation(name: str) -> Activation:
    classes = {
        "linear": Linear,
        "sigmoid": Sigmoid,
        "tanh": TanH,
        "arctan": ArcTan,
        "relu": ReLU,
        "softmax": SoftMax,
    }
    if name not in classes:
        raise NotImplementedError(f"{name} activation is not implemented")
    return classes[name]()


class Linear(Activation):
    def forward(self, Z: np.ndarray) -> np.ndarray:
        return Z

    def backward(self, Z: np.ndarray, dY: np.ndarray) -> np.ndarray:
        return dY


class Sigmoid(Activation):
    def forward(self, Z: np.ndarray) -> np.ndarray:
        # The exponent is never positive, so that exp cannot overflow.
        e = np.exp(-np.abs(Z))
        return np.where(Z >= 0, 1.0, e) / (1.0 + e)

    def backward(self, Z: np.ndarray, dY: np.ndarray) -> np.ndarray:
        S = self.forward(Z)
        return dY * S * (1.0 - S)


class TanH(Activation):
    def forward(self, Z: np.ndarray) -> np.ndarray:
        return np.tanh(Z)

    def backward(self, Z: np.ndarray, dY: np.ndarray) -> np.ndarray:
        T = np.tanh(Z)
        return dY * (1.0 - T * T)


class ArcTan(Activation):
    def forward(self, Z: np.ndarray) -> np.ndarray:
        return np.arctan(Z)

    def backward(self, Z: np.ndarray, dY: np.ndarray) -> np.ndarray:
        return dY / (1.0 + Z * Z)


class ReLU(Activation):
    def forward(self, Z: np.ndarray) -> np.ndarray:
        return np.maximum(Z, 0.0)

    def backward(self, Z: np.ndarray, dY: np.ndarray) -> np.ndarray:
        return dY * (Z > 0)


class SoftMax(Activation):
    def forward(self, Z: np.ndarray) -> np.ndarray:
        # Each row's maximum is subtracted, so that its largest exponent is 0.
        shifted = Z - Z.max(axis=-1, keepdims=True)
        E = np.exp(shifted)
        return E / E.sum(axis=-1, keepdims=True)

    def backward(self, Z: np.ndarray, dY: np.ndarray) -> np.ndarray:
        # Row by row dZ = (diag(s) - s sᵀ) dY, without building the Jacobian.
        S = self.forward(Z)
        return S * (dY - (dY * S).sum(axis=-1, keepdims=True))
