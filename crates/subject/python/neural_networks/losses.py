"""Loss functions of the targets Y and the predictions Y_hat, averaged over the batch."""

from abc import ABC, abstractmethod

import numpy as np


class Loss(ABC):
    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, Y, Y_hat):
        return self.forward(Y, Y_hat)

    @abstractmethod
    def forward(self, Y, Y_hat):
        """The loss, a number."""

    @abstractmethod
    def backward(self, Y, Y_hat):
        """dL/dY_hat, of the shape of `Y_hat`."""


def initialize_loss(name: str) -> Loss:
    if name == "cross_entropy":
        return CrossEntropy(name)
    if name == "l2":
        return L2(name)
    raise NotImplementedError(f"{name} loss is not implemented")


class CrossEntropy(Loss):
    """L = -1/m Σ Y ln(Y_hat); a term whose target is 0 counts 0, whatever its prediction."""

    def forward(self, Y: np.ndarray, Y_hat: np.ndarray) -> float:
        m = Y.shape[0]
        logs = np.log(np.where(Y == 0, 1.0, Y_hat))
        return -np.sum(Y * logs) / m

    def backward(self, Y: np.ndarray, Y_hat: np.ndarray) -> np.ndarray:
        m = Y.shape[0]
        dY_hat = -Y / np.where(Y == 0, 1.0, Y_hat) / m
        return dY_hat


class L2(Loss):
    """L = 1/(2m) Σ (Y_hat - Y)²."""

    def forward(self, Y: np.ndarray, Y_hat: np.ndarray) -> float:
        return np.sum((Y_hat - Y) ** 2) / (2 * Y.shape[0])

    def backward(self, Y: np.ndarray, Y_hat: np.ndarray) -> np.ndarray:
        return (Y_hat - Y) / Y.shape[0]
