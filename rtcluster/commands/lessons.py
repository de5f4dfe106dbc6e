"""What ``rtcluster teach`` does with a hit, and where it gets them from when it is given files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rtcluster.batch.jobs import index_of
from rtcluster.commands.opening import first_use
from rtcluster.commands.options import Channels, EngineOptions
from rtcluster.commands.terminal import say
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.sources.matching import pair
from rtcluster.text import counted

if TYPE_CHECKING:
    from rtcluster.engine.processor import Processor
    from rtcluster.events import Event, Final, Guess
    from rtcluster.learning.strokes import Audio
    from rtcluster.learning.teaching import Teacher
    from rtcluster.sources.annotations import Annotations

WITHIN_S = 0.030
"""How far a hit that was heard may be from the truth's, in seconds."""

KNOWN_S = 0.030
"""After so long an onset is known, in seconds."""


METER, METER_DB = 10, 50.0
"""Cells of the meter that shows how loud a stroke was, and dB from none to all of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for.

    Attributes
    ----------
    names : tuple of str
        The drums, by class number.
    files : dict of str to str
        A file for each drum; with a truth, one file under "".
    truth : Annotations or None
    """

    names: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    truth: Annotations | None = None


def asked(names: list[str], given: list[str], truth: str | None) -> Asked:
    """Read the names, ``--from`` and ``--truth``.

    Raises
    ------
    SettingsError
        If they do not go together.
    RtclusterError
        If the truth cannot be read.
    """
    if truth is not None:
        if len(given) != 1:
            raise SettingsError(f"Expected one --from FILE with --truth, got {len(given)}.")
        known = _read(truth)
        alone = [label for label, one in zip(known.labels, known.alone, strict=True) if one]
        labels = tuple(dict.fromkeys(alone))
        if missing := [name for name in names if name not in labels]:
            raise SettingsError(
                f"Expected labels that sound alone in {truth} ({', '.join(labels)}), "
                f"got {', '.join(missing)}."
            )
        return Asked(tuple(names) or labels, {"": given[0]}, known)
    files = {}
    for one in given:
        name, sign, path = one.partition("=")
        if not (name and sign and path):
            raise SettingsError(f"Expected --from NAME=FILE, got {one!r}; or add --truth CSV.")
        if name in files:
            raise SettingsError(f"Expected one file for {name}, got two; join them first.")
        files[name] = path
    if files and names and {*names} != {*files}:
        odd = ", ".join(sorted({*names} ^ {*files}))
        raise SettingsError(
            f"Expected a --from for each drum and no other, got a difference: {odd}."
        )
    return Asked(tuple(names) or tuple(files), files)


def _read(path: str) -> Annotations:
    from rtcluster.sources import annotations

    try:
        return annotations.read(path)
    except ValueError as error:
        raise RtclusterError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Struck:
    """A hit that was heard, and its audio (:func:`rtcluster.learning.strokes.cut`)."""

    guess: Guess
    final: Final
    audio: Audio


class Strikes:
    """The hits of a processor, each with its audio, once all of it has been heard.

    Parameters
    ----------
    processor : Processor
        Prepared. What it hears has to be taken every few seconds at least.
    """

    def __init__(self, processor: Processor) -> None:
        from rtcluster.engine.tap import Tap
        from rtcluster.learning.lesson import Pairs

        self._tap, self._rate = Tap(processor, each=True), processor.samplerate
        self._pairs = Pairs()
        several = len(processor.microphones)
        self._nothing = np.zeros((0, several) if several else 0, np.float32)
        self._audio = self._nothing
        self._start = 0  # of the audio, in the stream
        self._onsets: list[int] = []
        self._waiting: list[tuple[Guess, Final]] = []

    def take(self, events: list[Event], *, ended: bool = False) -> list[Struck]:
        """Hits that are complete now, in order.

        Parameters
        ----------
        events : list of Event
            What the processor has collected since the last time.
        ended : bool
            No more audio comes: all hits are complete.
        """
        from rtcluster.events import Onset
        from rtcluster.learning.strokes import STROKE_S, cut

        piece = self._tap.take()
        if piece.lost:
            self._audio = self._nothing
        self._audio = np.concatenate([self._audio, piece.audio])
        until = piece.start + len(piece.audio)
        self._start = until - len(self._audio)
        self._onsets += [event.sample for event in events if isinstance(event, Onset)]
        self._waiting += self._pairs.of(events)
        out = []
        wait = int((STROKE_S + KNOWN_S) * self._rate)
        while self._waiting and (ended or self._waiting[0][1].sample + wait <= until):
            guess, final = self._waiting.pop(0)
            end = min([one for one in self._onsets if one > final.sample], default=until)
            begin = final.sample - self._start
            audio = cut(self._audio, max(0, begin), end - self._start, self._rate)
            out.append(Struck(guess, final, audio))
        keep = min([final.sample for _, final in self._waiting], default=until) - self._rate
        if keep > self._start:
            self._audio, self._start = self._audio[keep - self._start :], keep
        self._onsets = [one for one in self._onsets if one > keep]
        return out


def offer(teacher: Teacher, class_: int, hit: Struck, hits: int, *, careful: bool) -> None:
    """Give a hit to the teacher and show what became of it.

    Parameters
    ----------
    careful : bool
        Refuse a hit that is plainly another drum, and one that the next hit cut short.
    """
    name, final = teacher.names[class_], hit.final
    if careful and final.overlapped:
        say("  too close to the next hit: strike it again, slower")
        return
    verdict = teacher.offer(class_, hit.guess, final, hit.audio, believe=not careful)
    if not verdict.taken:
        say(f"  refused: that is {verdict.like}, not {name}")
        return
    doubt = f", though it sounds like {verdict.like}" if verdict.like else ""
    cells = round(METER * min(max(1.0 + final.level / METER_DB, 0.0), 1.0))
    meter = "▮" * cells + "▯" * (METER - cells)
    say(f"  {name} {teacher.count(class_)} of {hits}   {meter} {final.level:5.1f} dBFS{doubt}")


def from_files(
    teacher: Teacher, asked: Asked, hits: int, channel: Channels, samplerate: int | None
) -> tuple[int, tuple[int, ...]]:
    """Teach from files.

    Returns
    -------
    samplerate : int
        The one asked for, or else the first file's.
    microphones : tuple of int
        Those that heard the hits; of one channel or a mean, none.

    Raises
    ------
    RtclusterError
        If a file cannot be read, or has no hit of its drum.
    """
    microphones: tuple[int, ...] | None = None
    for path in dict.fromkeys(asked.files.values()):
        heard, samplerate, own_microphones = _heard(teacher, path, channel, samplerate)
        if microphones not in (None, own_microphones):
            raise SettingsError(
                f"Expected the same channels in every file, got others in {path}; name them "
                "with -c."
            )
        microphones = own_microphones
        for class_, name in enumerate(teacher.names):
            if asked.truth is None and asked.files[name] != path:
                continue
            own = heard if asked.truth is None else _labelled(heard, asked.truth, name, samplerate)
            # Those that the next hit cut short teach less: they are for want of others.
            for hit in sorted(own, key=lambda hit: hit.final.overlapped):
                if teacher.count(class_) < hits:
                    careful = asked.truth is None and not hit.final.overlapped
                    offer(teacher, class_, hit, hits, careful=careful)
            if not teacher.count(class_):
                raise RtclusterError(
                    f"Expected a hit of {name} that can be told in {path}, got none; leave it "
                    "out, or record it alone."
                )
            if teacher.count(class_) < hits:
                say(f"  {name}: only {teacher.count(class_)} of {counted(hits, 'hit')} in {path}")
    assert samplerate is not None and microphones is not None  # there is a file
    return samplerate, microphones


def _heard(
    teacher: Teacher, path: str, channel: Channels, samplerate: int | None
) -> tuple[list[Struck], int, tuple[int, ...]]:
    """All hits of a file, the rate it was heard at (its own unless one is given), microphones."""
    from rtcluster.learning.teaching import measuring
    from rtcluster.sources.file import FileSource

    with FileSource(path, samplerate) as source:
        options = EngineOptions(measuring(teacher.settings))
        processor = first_use(options, None if isinstance(channel, int) else channel)
        processor.prepare(
            source.samplerate,
            channels=source.channels,
            channel=index_of(channel, source.channels) if isinstance(channel, int) else None,
        )
        processor.record["synchronous"] = 0  # nothing is learned here
        strikes, out = Strikes(processor), []
        for block in source.blocks():
            processor.advance(block)
            out += strikes.take(processor.collect())
        out += strikes.take(processor.flush(), ended=True)
        processor.close()
        return out, source.samplerate, processor.microphones


def _labelled(heard: list[Struck], truth: Annotations, label: str, samplerate: int) -> list[Struck]:
    """Hits that the truth has with this label alone."""
    heard = sorted(heard, key=lambda one: one.final.sample)
    at = np.array([one.final.sample for one in heard]) / samplerate
    found = pair(truth.times, at, WITHIN_S)
    return [
        heard[j]
        for i, j in zip(found.reference, found.other, strict=True)
        if truth.labels[i] == label
    ]
