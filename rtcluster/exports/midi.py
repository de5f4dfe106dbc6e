"""Hits as a standard MIDI file: drums of General MIDI on channel 10, a track for each drum.

A hit is a note for each drum that sounds. One without a class is left out, unless a note was given
for ``learning`` or ``unknown``. The tempo is for the grid of the program that opens the file; the
hits stay where they were played, to within half a tick, which is at most an eighth of a
millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import mido

from rtcluster.events import Part
from rtcluster.exports import Wanted
from rtcluster.exports.take import Take, drums
from rtcluster.recording.log import Hit
from rtcluster.sinks.drum_map import CHANNEL, given_note, note_of

LONGEST_TICK_S = 0.00025
"""A tick is no longer than this, whatever the tempo; in s."""

USUAL_TICKS = 960
"""Ticks of a quarter note are a multiple of this, as sequencers divide it evenly."""

NOTE_S = 0.050
"""A note lasts this long, or until the same drum is hit again; in s."""

_OFF, _ON = 0, 1  # at the same tick, a note ends before the next begins


def resolution(bpm: float) -> tuple[int, int]:
    """Return the tempo in microseconds per quarter note, and the ticks of a quarter note."""
    tempo = mido.bpm2tempo(bpm)
    return tempo, USUAL_TICKS * math.ceil(tempo / 1e6 / USUAL_TICKS / LONGEST_TICK_S)


def write(target: Path, take: Take, wanted: Wanted) -> int:
    """Write the hits that have a note; return how many."""
    tempo, ticks = resolution(wanted.bpm)
    scale = ticks * 1e6 / tempo  # ticks per s

    def tick(sample: int) -> int:
        return round(sample * scale / take.samplerate)

    played = [
        (tick(h.sample + (one.offset or 0)), note, one.velocity, h)
        for h in take.hits
        for note, one in _notes(h, wanted).items()
    ]
    file = mido.MidiFile(type=1, ticks_per_beat=ticks, charset="utf-8")
    file.tracks.append(mido.MidiTrack(_head(take, played, tempo, wanted)))
    names: dict[int, list[str]] = {
        note: [] for _, note, *_ in sorted(played, key=lambda one: one[1])
    }
    for *_, hit in played:
        for one in drums(hit):
            note = _note(one.class_, one.name, wanted)
            if note is not None and one.name not in names[note]:
                names[note].append(one.name)
    for note, called in names.items():
        strokes = sorted((begin, loud) for begin, one, loud, _ in played if one == note)
        file.tracks.append(_track(note, ", ".join(called), strokes, round(NOTE_S * scale)))
    for track in file.tracks:
        now = sum(message.time for message in track)
        track.append(mido.MetaMessage("end_of_track", time=max(0, tick(take.samples) - now)))
    file.save(target)
    return len({hit.id for *_, hit in played})


def _track(note: int, name: str, strokes: Sequence[tuple[int, int]], lasts: int) -> mido.MidiTrack:
    """The notes of one drum: (tick, velocity) in order, each of ``lasts`` ticks at most."""
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    messages: list[tuple[int, int, mido.Message]] = []
    for place, (begin, loud) in enumerate(strokes):
        following = strokes[place + 1][0] if place + 1 < len(strokes) else 1 << 62
        until = max(begin + 1, min(begin + lasts, following))
        velocity = min(127, max(1, loud))
        on = mido.Message("note_on", channel=CHANNEL, note=note, velocity=velocity)
        messages += [(begin, _ON, on)]
        messages += [(until, _OFF, mido.Message("note_off", channel=CHANNEL, note=note))]
    now = 0
    for at, _, message in sorted(messages, key=lambda message: message[:2]):
        track.append(message.copy(time=at - now))
        now = at
    return track


def _notes(hit: Hit, wanted: Wanted) -> dict[int, Part]:
    """Notes of a hit, one for each drum that sounds; none to leave it out."""
    out: dict[int, Part] = {}
    for one in drums(hit):
        note = _note(one.class_, one.name, wanted)
        if note is not None:
            out.setdefault(note, one)
    return out


def _note(class_: int, name: str, wanted: Wanted) -> int | None:
    if class_ < 0:
        return given_note(class_, name, wanted.notes)
    return note_of(class_, name, wanted.notes)


def _head(
    take: Take, played: list[tuple[int, int, int, Hit]], tempo: int, wanted: Wanted
) -> list[mido.MetaMessage]:
    """Name, source, tempo, and which class became which note."""
    from rtcluster import __version__

    named = {one.class_: one.name for *_, hit in played for one in drums(hit)}
    classes = {c: f"{name}: note {_note(c, name, wanted)}" for c, name in named.items()}
    texts = [f"rtcluster {__version__}: {take.source}", *(classes[c] for c in sorted(classes))]
    return [
        mido.MetaMessage("track_name", name=f"Drums of {Path(take.source).name or take.path.stem}"),
        *(mido.MetaMessage("text", text=text) for text in texts),
        mido.MetaMessage("set_tempo", tempo=tempo),
    ]
