"""What labels are worth: the measures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.metrics import adjusted_rand_score, v_measure_score

from bench.classes.truth import Array, Labels, Mask

MEASURES = ("V", "A", "right")


def share_right(names: Sequence[str], alone: Mask, classes: Labels) -> float:
    """Share of the hits that sound alone whose class has their drum's name; NaN of none."""
    single = [name for name, one in zip(names, alone, strict=True) if one]
    drum_of = names_of(classes[alone], single)
    return share([drum_of[int(c)] == n for c, n in zip(classes[alone], single, strict=True)])


def worth(names: Sequence[str], alone: Mask, classes: Labels) -> dict[str, float]:
    """The measures of a labelling."""
    v, rand = v_and_rand(names, alone, classes)
    return {"V": v, "A": rand, "right": share_right(names, alone, classes)}


def v_and_rand(names: Sequence[str], alone: Mask, classes: Labels) -> tuple[float, float]:
    """V-measure of all hits, and adjusted Rand index of those that sound alone; NaN of none."""
    v = float(v_measure_score(names, classes)) if len(names) else np.nan
    single = [name for name, one in zip(names, alone, strict=True) if one]
    rand = float(adjusted_rand_score(single, classes[alone])) if single else np.nan
    return v, rand


def share(of: npt.ArrayLike) -> float:
    """Share of what is true; NaN of nothing."""
    flags = np.asarray(of, dtype=bool)
    return float(flags.mean()) if flags.size else np.nan


def agreement(guess: Labels, final: Labels) -> float:
    """Share of the hits with a guess that it was the final class of."""
    known = guess != -1
    return share(guess[known] == final[known])


def names_of(classes: Labels, drums: Sequence[str]) -> dict[int, str]:
    """The drum that each class holds most of, the first by name where two are level."""
    held: dict[int, Counter[str]] = {}
    for class_, name in zip(classes, drums, strict=True):
        held.setdefault(int(class_), Counter())[name] += 1
    return {class_: min(n, key=lambda name: (-n[name], name)) for class_, n in held.items()}


def halves(margins: Array, right: Mask) -> tuple[float, float]:
    """Share right in the upper and in the lower half of the margins; NaN of fewer than two hits."""
    order = np.argsort(margins, kind="stable")
    half = len(order) // 2
    return share(right[order[len(order) - half :]]), share(right[order[:half]])
