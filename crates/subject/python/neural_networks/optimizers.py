"""Stochastic gradient descent with momentum."""

import numpy as np


def initialize_optimizer(name, lr, lr_scheduler="constant", lr_decay=None, momentum=0.0, clip_norm=None):
    if name != "SGD":
        raise NotImplementedError(f"{name} optimizer is not implemented")
    return SGD(lr, lr_scheduler, lr_decay, momentum, clip_norm)


class SGD:
    def __init__(self, lr, lr_scheduler="constant", lr_decay=None, momentum=0.0, clip_norm=None):
        self.lr = lr
        self.decay = lr_decay if lr_scheduler == "exponential" else 1.0
        self.momentum = momentum or 0.0
        self.clip_norm = clip_norm
        self.cache = {}

    def update(self, param_name, param, param_grad, epoch):
        """What is to be subtracted from the parameter."""
        if param_grad.shape != param.shape:
            raise ValueError(f"{param_name}: gradient {param_grad.shape}, parameter {param.shape}")
        norm = np.linalg.norm(param_grad)
        if self.clip_norm is not None and norm > self.clip_norm:
            param_grad = param_grad * (self.clip_norm / norm)
        before = self.cache.get(param_name, 0.0)
        delta = self.momentum * before + self.lr * self.decay**epoch * param_grad
        self.cache[param_name] = delta
        return delta
