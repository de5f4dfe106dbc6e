"""What a stream plays: a sound on each hit of a class, or pings at set times.

Made before a stream begins, by the main thread: :meth:`prepare` puts all sounds into one array and
tells the kernel where each lies (:mod:`rtcluster.kernel.click` plays them). Afterwards only
which class has which sound changes, and is muted; no sound is ever moved or freed while a stream
runs.

A loudspeaker that the microphone hears makes hits of its own. Use headphones, or a trigger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.engine.processor import Processor
from rtcluster.engine.samples import as_float32
from rtcluster.errors import SettingsError
from rtcluster.events import FINAL, GUESS, ONSET
from rtcluster.kernel.click import SILENT
from rtcluster.playback.tones import PITCHES, read, resampled
from rtcluster.playback.tones import click as tone
from rtcluster.settings import MAX_CLASSES

STAGES = {"onset": ONSET, "guess": GUESS, "final": FINAL}
"""Kinds of event that a sound may follow."""

LEVEL = 0.6
"""Amplitude of a tone at velocity 127; samples are played as they are."""

Sound = npt.NDArray[np.float32]


class Clicks:
    """A sound on each hit of a class.

    Parameters
    ----------
    files : mapping of str to str
        Audio files by the name of a class, or by its number. A name may be one that a class gets
        later; of a name and a number the name counts.
    tones : bool
        Classes without a file have a tone, as in the report; otherwise they are silent.
    send : {"guess", "onset", "final"}
        The event that the sound follows. An onset has no class yet: all hits sound alike.

    Raises
    ------
    SettingsError
        If ``send`` is something else, or ``files`` are given for onsets.
    SourceError
        If a file cannot be used.
    """

    def __init__(
        self, files: Mapping[str, str] | None = None, *, tones: bool = True, send: str = "guess"
    ) -> None:
        if send not in STAGES:
            raise SettingsError(f"Expected send to be {', '.join(STAGES)}, got {send!r}.")
        if files and send == "onset":
            raise SettingsError(
                "Expected no click file with --send onset, which comes before the class is known, "
                f"got one for {next(iter(files))!r}; use guess or final."
            )
        if files and len(files) > MAX_CLASSES:
            raise SettingsError(f"Expected at most {MAX_CLASSES} click files, got {len(files)}.")
        self._files = {name: read(path) for name, path in (files or {}).items()}
        self._tones = tones
        self._stage = STAGES[send]
        self._record: Any = None

    @classmethod
    def of(cls, click: bool, files: Sequence[str] | None, send: str) -> Clicks | None:
        """What ``--click``, ``--click-file`` and ``--send`` ask for; None if no sound.

        Parameters
        ----------
        click : bool
            A tone for every class.
        files : sequence of str
            ``NAME_OR_NUMBER=FILE``. Without ``click`` the other classes are silent.
        send : str

        Raises
        ------
        SettingsError
            If one is not of that form.
        """
        chosen: dict[str, str] = {}
        for text in files or ():
            name, equals, path = text.partition("=")
            if not (name.strip() and equals and path):
                raise SettingsError(f"Expected CLASS=FILE for a click file, got {text!r}.")
            if name.strip() in chosen:
                raise SettingsError(f"Expected one click file for {name.strip()!r}, got two.")
            chosen[name.strip()] = path
        return cls(chosen, tones=click, send=send) if click or chosen else None

    def prepare(self, processor: Processor, outputs: int) -> None:
        """Set up the kernel; the processor is prepared and does not run."""
        rate = processor.samplerate
        sounds: list[npt.ArrayLike] = [LEVEL * tone(rate, class_) for class_ in range(PITCHES)]
        sounds += [resampled(*sample, rate) for sample in self._files.values()]
        record: Any = processor.record[0]["click"][0]
        self._bank = bank(record, sounds)
        record["hit"] = 0
        record["stage"] = self._stage
        self._record = record
        processor.follow_names(self.assign)
        record["outputs"] = outputs

    def assign(self, names: Sequence[str]) -> None:
        """Give each class its sound, by the names there are now; the pump thread."""
        places = {name: PITCHES + place for place, name in enumerate(self._files)}
        for class_ in range(MAX_CLASSES):
            pitch = class_ % PITCHES if self._tones else SILENT
            sound = places.get(str(class_), pitch)
            if class_ < len(names):
                sound = places.get(names[class_], sound)
            self._record["of_class"][class_] = sound

    def waiting(self, names: Sequence[str]) -> list[str]:
        """Names with a file that no class has yet."""
        return [name for name in self._files if name not in names and not name.isdecimal()]


class Pings:
    """The same short tone again and again, at set frames of the output.

    Parameters
    ----------
    count : int
    first, every : float
        When the first begins, and from one to the next, in seconds.
    level : float
        Of the peak, in dBFS.
    """

    def __init__(self, count: int, first: float, every: float, level: float) -> None:
        self._count, self._first, self._every, self._level = count, first, every, level

    def sound(self, samplerate: int) -> Sound:
        """The ping: the tone of class 2, 2 kHz, at its level."""
        x = tone(samplerate, 2)
        return np.asarray(10 ** (self._level / 20) * x / np.abs(x).max(), np.float32)

    def frames(self, samplerate: int) -> npt.NDArray[np.int64]:
        """Frames of the output at which they begin, shape (count,)."""
        first, every = self._in_frames(samplerate)
        return first + every * np.arange(self._count, dtype=np.int64)

    def _in_frames(self, samplerate: int) -> tuple[int, int]:
        return round(self._first * samplerate), round(self._every * samplerate)

    def prepare(self, processor: Processor, outputs: int) -> None:
        """Set up the kernel; the processor is prepared and does not run."""
        record: Any = processor.record[0]["click"][0]
        self._bank = bank(record, [self.sound(processor.samplerate)])
        record["stage"] = 0
        record["ping"] = 0
        record["ping_first"], record["ping_every"] = self._in_frames(processor.samplerate)
        record["pings"] = self._count
        record["outputs"] = outputs


def bank(record: Any, sounds: Sequence[npt.ArrayLike]) -> Sound:
    """Lay sounds one after the other, and tell the kernel where.

    Parameters
    ----------
    record : a state's ``click``
    sounds : sequence of array_like, shape (n,)

    Returns
    -------
    ndarray of float32
        Whoever prepares a stream keeps it for as long as the stream runs.
    """
    arrays = [as_float32(sound) for sound in sounds]
    lengths = [array.size for array in arrays]
    out = np.concatenate(arrays)
    record["bank"], record["samples"] = out.ctypes.data, out.size
    record["length"][: len(lengths)] = lengths
    record["start"][: len(lengths)] = np.cumsum([0, *lengths[:-1]])
    return out
