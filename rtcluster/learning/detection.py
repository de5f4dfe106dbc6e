"""What the detector is tuned to, as a kit carries it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

from rtcluster.errors import SettingsError
from rtcluster.learning import kit_format
from rtcluster.learning.kit_format import Unfit
from rtcluster.settings import Settings

_DEFAULTS = Settings()

_OF_THRESHOLD = ("method", "preset")

_RANGES = {
    "threshold": (0.0, 100.0),
    "silence": (-120.0, 0.0),
    "velocity_floor_db": (-120.0, 0.0),
    "velocity_ceiling_db": (-120.0, 20.0),
}


@dataclass(frozen=True, slots=True)
class Detection:
    """What ``rtcluster tune`` chose; None is the method's own.

    Attributes
    ----------
    method, preset : str
    threshold : float or None
    silence : float or None
        dBFS.
    mask : str or None
        A duration, as :class:`rtcluster.settings.Duration` reads it.
    velocity_floor_db, velocity_ceiling_db : float or None
        Peaks of the softest and the loudest hits, dBFS.
    """

    method: str = _DEFAULTS.method
    preset: str = _DEFAULTS.preset
    threshold: float | None = None
    silence: float | None = None
    mask: str | None = None
    velocity_floor_db: float | None = None
    velocity_ceiling_db: float | None = None

    def __post_init__(self) -> None:
        """Check every value as ``Settings`` does."""
        for name in ("method", "preset"):
            if not isinstance(getattr(self, name), str):
                raise Unfit(f"text as {name}, got {getattr(self, name)!r:.40}")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not kit_format.is_number(value, low, high):
                raise Unfit(f"{name} from {low:g} to {high:g}, got {value!r:.40}")
        if self.mask is not None and not isinstance(self.mask, str):
            raise Unfit(f"a duration as mask, got {self.mask!r:.40}")
        floor, ceiling = self.velocity_floor_db, self.velocity_ceiling_db
        if floor is not None and ceiling is not None and floor >= ceiling:
            raise Unfit(f"a velocity floor under the ceiling, got {floor:g} and {ceiling:g}")
        try:
            Settings(
                method=self.method, preset=self.preset, threshold=self.threshold,
                silence=self.silence, mask=self.mask,
            )  # fmt: skip
        except SettingsError as error:
            raise Unfit(str(error).removeprefix("Expected ").rstrip(".")) from error

    def overrides(self, given: Settings, asked: Collection[str]) -> dict[str, Any]:
        """Values of settings that take the place of defaults.

        Parameters
        ----------
        given : Settings
        asked : collection of str
            Names of settings that were asked for; they stay as given. A threshold is left out
            where another method or preset was asked for: it would mean nothing to it.
        """
        own = self.as_dict()
        if any(name in asked and getattr(given, name) != own[name] for name in _OF_THRESHOLD):
            own["threshold"] = None
        low, high = self.velocity_floor_db, self.velocity_ceiling_db
        if low is not None and high is not None:
            own["velocity_range"] = f"{low:g},{high:g}"
        names = (*_OF_THRESHOLD, "threshold", "silence", "mask", "velocity_range")
        return {n: own[n] for n in names if n not in asked and own.get(n) is not None}

    def as_dict(self) -> dict[str, Any]:
        """All of it, in JSON's types."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Detection:
        """The settings that :meth:`as_dict` described.

        Raises
        ------
        Unfit
            If a key or a value is not one of them.
        """
        wanted = {one.name for one in fields(cls)}
        if {*stored} != wanted:
            odd = sorted({*stored} ^ wanted)[0]
            raise Unfit(f"detector settings, got {odd!r:.40} too many or missing")
        return cls(**stored)
