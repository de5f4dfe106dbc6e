"""``rtcluster.listen``: open a live input for a program, and keep what it hears if asked to."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from rtcluster.engine.channels import Channels, engine_of
from rtcluster.engine.processor import Processor
from rtcluster.errors import SettingsError
from rtcluster.learning import kit_file
from rtcluster.learning.kit import Kit
from rtcluster.recording.audio import check_format
from rtcluster.recording.kits import keep
from rtcluster.recording.recorder import Recorder, check_folder
from rtcluster.recording.targets import Guard
from rtcluster.session.controls import Controls
from rtcluster.session.listening import STAGES, HitFeed, Listening, OnHit
from rtcluster.session.takes import Takes
from rtcluster.settings import ALL_CHANNELS, AUTO, Settings
from rtcluster.sinks import Sink
from rtcluster.sources import live
from rtcluster.timing import Stop

_log = logging.getLogger("rtcluster")


def listen(
    device: int | str | None = None,
    *,
    classes: int | Literal["auto"] = "auto",
    kit: Kit | str | os.PathLike[str] | None = None,
    channel: int | Literal["all"] = 1,
    samplerate: int | None = None,
    blocksize: int = 0,
    at: Literal["onset", "guess", "final"] = "final",
    on_hit: OnHit | None = None,
    sinks: Sequence[Sink] = (),
    record: str | os.PathLike[str] | None = None,
    record_format: Literal["wav", "flac"] = "wav",
    **settings: Any,
) -> Listening:
    """Listen to a live input. No Python runs on the audio thread.

    Parameters
    ----------
    device : int or str, optional
        Number or part of the name, as ``rtcluster devices`` lists them; the system's default.
    classes : int or "auto"
        How many drums there are. A kit knows.
    kit : Kit or path, optional
        What to begin with, from ``rtcluster teach`` or :meth:`Listening.save_kit`.
    channel : int or "all"
        Channel of the device, from 1.
    samplerate : int, optional
        Hz; the device's own by default.
    blocksize : int
        Frames; 0 lets the sound system choose.
    at : {"onset", "guess", "final"}
        What a hit is told by: the moment that it is detected, its class after 30 ms, or after 90.
    on_hit : callable, optional
        Called with each hit as soon as it is known, on the session's thread: it should return
        quickly. Then there is nothing to iterate over. What it raises ends the session.
    sinks : sequence of Sink
        That get all events besides, ``rtcluster.sinks.jsonl.JsonLines`` say.
    record : path, optional
        A new or empty folder for the audio and all events, as ``rtcluster listen --record`` keeps
        them: for :func:`rtcluster.read`, ``replay``, ``report`` and ``export``. It is written while
        it is played, so what was heard is kept however the program ends. After
        :meth:`Listening.forget` another take begins, in a folder beside it.
    record_format : {"wav", "flac"}
        What the audio is written as; ``flac`` rounds it to 24 bits before it is heard.
    **settings
        Of :class:`rtcluster.Settings`: ``threshold``, ``mask``, ``window`` and so on.

    Returns
    -------
    Listening

    Raises
    ------
    SettingsError
        If a setting is out of range, the folder is in use, or each of several channels would be
        recorded.
    SourceError
        If there is no such device, or it cannot be opened.
    RtclusterError
        If the kit cannot be read.

    Examples
    --------
    Until Ctrl-C::

        with rtcluster.listen(classes=3) as hits:
            for hit in hits:
                print(f"{hit.time:.3f} s", hit.label, hit.velocity)

    Kept, and read again::

        with rtcluster.listen(classes=3, record="take") as hits:
            time.sleep(60)
        table = rtcluster.read("take")
    """
    if at not in STAGES:
        raise SettingsError(f"Expected one of {', '.join(STAGES)} for at, got {at!r}.")
    if channel != ALL_CHANNELS and not (isinstance(channel, int) and channel >= 1):
        raise SettingsError(f"Expected a channel from 1, or 'all', got {channel!r}.")
    if kit is None or classes != AUTO:
        settings["classes"] = classes
    known, explicit = Settings(**settings), tuple(settings)

    loaded = kit if kit is None or isinstance(kit, Kit) else kit_file.load(kit)
    every = channel if channel == ALL_CHANNELS else None
    engine = engine_of(every, known, loaded, explicit)
    if record is not None:
        if isinstance(engine, Channels):
            raise SettingsError("Expected one channel with record, got all.")
        check_format(record_format)
        check_folder(record)
    index = channel - 1 if isinstance(channel, int) else 0
    named = None if device is None else str(device)
    source = live.LiveInput(engine, named, index, samplerate, blocksize)

    def recorder(folder: str) -> Sink:
        assert isinstance(engine, Processor)
        return Recorder(folder, engine, _log.warning, record_format)

    stop = Stop()
    hits = HitFeed(at, on_hit, stop)
    takes = Takes(
        engine=engine,
        source=source,
        sinks=[*sinks, hits],
        recorder=recorder,
        report=_log.warning,
        say=_log.info,
        controls=Controls(),
        stop=stop,
        keep_kit=partial(keep, guard=Guard()),
        record=None if record is None else Path(record),
    )
    return Listening(takes, hits)
