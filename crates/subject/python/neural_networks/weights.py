"""Weight initialisation; the fans of a convolution count its kernel's cells."""

from typing import Callable, Tuple

import numpy as np


def initialize_weights(name: str, activation: str = None) -> Callable[[Tuple[int, ...]], np.ndarray]:
    """A function from the shape of W to its initial values."""

    def fans(shape):
        cells = int(np.prod(shape[:-2]))
        return cells * shape[-2], cells * shape[-1]

    def xavier_uniform(shape):
        fan_in, fan_out = fans(shape)
        limit = np.sqrt(6.0 / (fan_in + fan_out))
        return np.random.uniform(-limit, limit, shape)

    def he_normal(shape):
        return np.random.normal(0.0, np.sqrt(2.0 / fans(shape)[0]), shape)

    functions = {"xavier_uniform": xavier_uniform, "he_normal": he_normal}
    if name not in functions:
        raise NotImplementedError(f"{name} weight initialisation is not implemented")
    return functions[name]
