"""Measured round trips, kept in a small file in the user's configuration folder.

``rtcluster latency`` writes it, ``--latency-offset auto`` reads it. A round trip belongs to a
device, a rate and a block size: any other is another round trip. The file belongs to the main
thread, before a stream begins and after it has ended.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from platformdirs import user_config_dir

from rtcluster.errors import RtclusterError, SettingsError, expecting
from rtcluster.files import atomic_write, read_bytes

AUTO = "auto"
"""Value of ``--latency-offset`` that takes the saved one."""

MOST_MS = 2000.0
"""Longest offset there can be, in ms."""

_NAME = "latency.json"
_VERSION = 1
_MAX_BYTES = 1 << 20
_KEY = ("device", "samplerate", "blocksize")


class _RoundTrip(msgspec.Struct):
    device: str
    samplerate: int
    blocksize: int
    round_trip_ms: Annotated[float, msgspec.Meta(ge=-MOST_MS, le=MOST_MS)]


class _Saved(msgspec.Struct):
    version: Literal[1]
    round_trips: list[_RoundTrip]


def path() -> Path:
    """Where it is: on Linux ``$XDG_CONFIG_HOME/rtcluster/latency.json``, ``~/.config`` unset."""
    return Path(user_config_dir("rtcluster", appauthor=False, roaming=True), _NAME)


def _to_be_read() -> Path:
    """The file, or an older one that is still where typer put it.

    That differs on macOS with ``$XDG_CONFIG_HOME`` set.
    """
    import typer

    now, before = path(), Path(typer.get_app_dir("rtcluster"), _NAME)
    return before if before.is_absolute() and before.exists() and not now.exists() else now


def saved(device: str, samplerate: int, blocksize: int) -> float | None:
    """Round trip that was measured, in ms; None if none was.

    Parameters
    ----------
    device : str
        ``LiveInput.name``.
    samplerate : int
        Hz.
    blocksize : int
        Frames as asked for; 0 is the sound system's choice.

    Raises
    ------
    RtclusterError
        If the file cannot be read.
    """
    for entry in _entries():
        if tuple(entry[name] for name in _KEY) == (device, samplerate, blocksize):
            return float(entry["round_trip_ms"])
    return None


def save(device: str, samplerate: int, blocksize: int, round_trip_ms: float, **more: Any) -> Path:
    """Keep a round trip in place of an older one of the same device, rate and block size.

    Parameters
    ----------
    **more
        Noted beside it, for people: anything JSON can hold.

    Returns
    -------
    Path
        The file, which was written whole or not at all.

    Raises
    ------
    RtclusterError
        If it cannot be written, or what is there cannot be read.
    """
    key = (device, samplerate, blocksize)
    entries = [entry for entry in _entries() if tuple(entry[name] for name in _KEY) != key]
    entries.append(dict(zip(_KEY, key, strict=True)) | {"round_trip_ms": round_trip_ms, **more})
    target = path()
    if not target.is_absolute():  # it would be made in the current folder
        raise RtclusterError(
            f"There is no home directory to keep the latency in ({target}). "
            "Set HOME or XDG_CONFIG_HOME to a folder that can be written to."
        )
    text = json.dumps({"version": _VERSION, "round_trips": entries}, indent=1, allow_nan=False)
    with expecting(f"to make the folder {target.parent}"):
        target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(target, "the latency to ", "see that its folder can be written") as file:
        file.write_text(text + "\n", encoding="utf-8")
    return target


def offset_ms(given: str | None, device: str, samplerate: int, blocksize: int) -> float:
    """What ``--latency-offset`` comes to, in ms; 0 where it is not given.

    Parameters
    ----------
    given : str or None
        A time in ms, with or without the unit, or :data:`AUTO`.
    device, samplerate, blocksize
        As in :func:`saved`.

    Raises
    ------
    SettingsError
        If it is neither.
    RtclusterError
        If none was saved for this device, rate and block size.
    """
    if given is None:
        return 0.0
    if given == AUTO:
        found = saved(device, samplerate, blocksize)
        if found is None:
            raise RtclusterError(
                f"Expected a saved latency of {device!r} at {samplerate} Hz, block size "
                f"{blocksize or 'its own'}, got none; run 'rtcluster latency' with the same."
            )
        return found
    try:
        value = float(given.removesuffix("ms"))
    except ValueError:
        value = math.nan
    if not abs(value) <= MOST_MS:
        raise SettingsError(
            f"Expected a latency offset of at most {MOST_MS:g} ms, or {AUTO}, got {given!r:.40}."
        )
    return value


def _entries() -> list[dict[str, Any]]:
    """What the file holds; nothing where there is none."""
    source = _to_be_read()
    try:
        content = msgspec.json.decode(read_bytes(source, _MAX_BYTES))
        msgspec.convert(content, _Saved)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RtclusterError(
            f"Expected saved latencies in {source}, got: {error.strerror or error}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise RtclusterError(
            f"Expected saved latencies in {source}, got something else ({error}); delete it and "
            "run 'rtcluster latency'."
        ) from error
    entries: list[dict[str, Any]] = content["round_trips"]
    return entries
