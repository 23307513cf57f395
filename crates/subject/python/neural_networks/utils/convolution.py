"""Padding and windows of arrays (m, rows, columns, channels)."""

import numpy as np
from numpy.lib.stride_tricks import as_strided


def padding(pad, kernel_shape):
    """`pad` ("same", "valid" or a number) as (rows, columns) added on each side."""
    if pad == "same":
        return ((kernel_shape[0] - 1) // 2, (kernel_shape[1] - 1) // 2)
    if pad == "valid":
        return (0, 0)
    if isinstance(pad, int):
        return (pad, pad)
    raise ValueError(f"invalid padding {pad!r}")


def pad2d(X, pad):
    return np.pad(X, ((0, 0), (pad[0], pad[0]), (pad[1], pad[1]), (0, 0)))


def windows(X, kernel_shape, stride, out_shape):
    """A read-only view (m, out_rows, out_cols, kernel_rows, kernel_cols, channels) of X."""
    m, _, _, channels = X.shape
    s_m, s_row, s_col, s_channel = X.strides
    shape = (m,) + tuple(out_shape) + tuple(kernel_shape) + (channels,)
    strides = (s_m, s_row * stride, s_col * stride, s_row, s_col, s_channel)
    return as_strided(X, shape, strides, writeable=False)
