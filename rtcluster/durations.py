"""Durations, which keep the unit they were given in: the sample rate is known only later."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rtcluster.errors import SettingsError

_LONGEST = 1e9  # of a duration, in any unit; far beyond what is of use

_PLAIN = 1000  # a number alone from which on nobody means milliseconds


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
    def of(cls, given: Duration | str | int, name: str = "") -> Duration:
        """Read a duration as a user writes it.

        Parameters
        ----------
        given : Duration, str or int
            ``"30ms"``, ``"0.03s"`` or ``"1323samples"``. A number alone is samples, if it is 0
            or at least 1000: a smaller one might be meant in milliseconds.
        name : str, optional
            What it is the duration of, for the error.

        Raises
        ------
        SettingsError
            If it is none of these, or negative.
        """
        if isinstance(given, Duration):
            return given
        plain = str(given).strip()
        if re.fullmatch(r"0*[1-9]\d{0,2}", plain):
            raise SettingsError(
                f"Expected a duration with its unit{_for(name)}, got {given!r}: {plain}ms or "
                f"{plain}samples?"
            )
        return cls.stored(given, name)

    @classmethod
    def stored(cls, given: object, name: str = "") -> Duration:
        """Read a duration as a program wrote it: as :meth:`of`, and any number alone is samples."""
        if isinstance(given, Duration):
            return given
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|samples)?\s*", str(given))
        if match is None or (match[2] in (None, "samples") and "." in match[1]):
            raise SettingsError(
                f"Expected a duration such as 30ms, 0.03s or 1323samples{_for(name)}, got "
                f"{given!r}."
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
        plain = self.unit == "samples" and not 0 < self.value < _PLAIN
        return number + ("" if plain else self.unit)


def _for(name: str) -> str:
    return name and f" for {name}"


WINDOW_S = 0.090
WINDOW, GUESS = Duration(1e3 * WINDOW_S, "ms"), Duration(30, "ms")
"""After the onset: what a hit is measured over, and what its guess is made from."""
