"""What the detector is tuned to, as a kit carries it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any

from msgspec import Meta, convert

from rtcluster.durations import Duration
from rtcluster.errors import SettingsError
from rtcluster.learning.kit_schema import Unfit
from rtcluster.settings import Settings

_DEFAULTS = Settings()

_OF_THRESHOLD = ("method", "preset")

_Soft = Annotated[float, Meta(ge=-120.0, le=0.0)] | None
_Loud = Annotated[float, Meta(ge=-120.0, le=20.0)] | None


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
        A duration, as :meth:`rtcluster.durations.Duration.stored` reads it.
    velocity_floor_db, velocity_ceiling_db : float or None
        Peaks of the softest and the loudest hits, dBFS.
    """

    method: str = _DEFAULTS.method
    preset: str = _DEFAULTS.preset
    threshold: Annotated[float, Meta(ge=0.0, le=100.0)] | None = None
    silence: _Soft = None
    mask: str | None = None
    velocity_floor_db: _Soft = None
    velocity_ceiling_db: _Loud = None

    def __post_init__(self) -> None:
        """Check what the values are together, as ``Settings`` does."""
        floor, ceiling = self.velocity_floor_db, self.velocity_ceiling_db
        if floor is not None and ceiling is not None and floor >= ceiling:
            raise Unfit(f"a velocity floor under the ceiling, got {floor:g} and {ceiling:g}")
        try:
            Settings(
                method=self.method, preset=self.preset, threshold=self.threshold,
                silence=self.silence, mask=self._mask,
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
        own = self.as_dict() | {"mask": self._mask}
        if any(name in asked and getattr(given, name) != own[name] for name in _OF_THRESHOLD):
            own["threshold"] = None
        low, high = self.velocity_floor_db, self.velocity_ceiling_db
        if low is not None and high is not None:
            own["velocity_range"] = f"{low:g},{high:g}"
        names = (*_OF_THRESHOLD, "threshold", "silence", "mask", "velocity_range")
        return {n: own[n] for n in names if n not in asked and own.get(n) is not None}

    @property
    def _mask(self) -> Duration | None:
        return None if self.mask is None else Duration.stored(self.mask, "mask")

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
        try:
            return convert(stored, cls)
        except ValueError as error:
            raise Unfit(f"detector settings, got others: {error}") from error
