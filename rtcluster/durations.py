"""Durations, which keep the unit they were given in: the sample rate is known only later."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rtcluster.errors import SettingsError

_LONGEST = 1e9  # of a duration, in any unit; far beyond what is of use


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, in the unit it was given in.

    Attributes
    ----------
    value : float
        The number.
    unit : str
        ``"ms"``, ``"s"`` or ``"samples"``.
    """

    value: float
    unit: str

    def __post_init__(self) -> None:
        """Refuse what is no length of time."""
        if not (0.0 <= self.value <= _LONGEST and self.unit in ("ms", "s", "samples")):
            raise SettingsError(f"Expected a duration, got {self.value!r} {self.unit!r:.80}.")

    @classmethod
    def of(cls, given: Duration | str | int) -> Duration:
        """Read a duration as a user writes it.

        Parameters
        ----------
        given : Duration, str or int
            ``"30ms"``, ``"0.03s"``, or a number of samples.

        Raises
        ------
        SettingsError
            If it is none of these, or negative.
        """
        if isinstance(given, Duration):
            return given
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|samples)?\s*", str(given))
        if match is None or (match[2] in (None, "samples") and "." in match[1]):
            raise SettingsError(
                f"Expected a duration such as 30ms, 0.03s or 1323 (samples), got {given!r}."
            )
        return cls(float(match[1]), match[2] or "samples")

    def samples(self, samplerate: float) -> int:
        """Length in whole samples, rounded down, as the notebook's ``int(i + fs * s)``."""
        if self.unit == "samples":
            return int(self.value)
        return int(samplerate * (self.value / 1000 if self.unit == "ms" else self.value))

    def __str__(self) -> str:
        """Text that :meth:`of` reads back."""
        number = f"{self.value:.12f}".rstrip("0").rstrip(".")
        return number + ("" if self.unit == "samples" else self.unit)


WINDOW_S = 0.090
WINDOW, GUESS = Duration(1e3 * WINDOW_S, "ms"), Duration(30, "ms")
"""After the onset: what a hit is measured over, and what its guess is made from."""
