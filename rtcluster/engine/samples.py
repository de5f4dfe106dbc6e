"""Audio arrays as they come from elsewhere, at the full scale that everything here has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtcluster.errors import SettingsError

INTEGERS = {"int8": 7, "uint8": 7, "int16": 15, "int32": 31}
"""Integer types that audio comes in, and the power of two that is their full scale."""


def as_float32(x: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Samples with full scale 1.0.

    Parameters
    ----------
    x : array_like
        Floats are taken as they are. Integers are scaled by their type, as soundfile does:
        -32768 of int16 is -1.0, and 128 of uint8 is silence.

    Returns
    -------
    ndarray of float32, same shape
        The same array where nothing had to be changed. What float32 cannot hold becomes Inf.

    Raises
    ------
    SettingsError
        If it is no array of real numbers, or its type does not tell what full scale is.
    """
    try:
        array = np.asanyarray(x)
    except (ValueError, TypeError, OverflowError) as error:  # lists of several lengths, and worse
        raise SettingsError("Expected an array of samples, got no array of numbers.") from error
    if array.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            return array.astype(np.float32, copy=False)
    bits = INTEGERS.get(array.dtype.name)
    if bits is None:
        raise SettingsError(
            f"Expected samples of a float type, {', '.join(INTEGERS)}, got {array.dtype}: "
            "convert them to float with full scale 1.0."
        )
    zero = 128 if array.dtype.name == "uint8" else 0
    return ((array.astype(np.float64) - zero) / 2.0**bits).astype(np.float32)
