"""Hits as a standard MIDI file: drums of General MIDI on channel 10, in one track.

A hit without a class is left out, unless a note was given for ``learning`` or ``unknown``. The
tempo is for the grid of the program that opens the file; the hits stay where they were played,
to within half a tick, which is at most an eighth of a millisecond.
"""

from __future__ import annotations

import math
from pathlib import Path

import mido

from rtcluster.exports import Wanted
from rtcluster.exports.take import Take, label
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
        (tick(h.sample), note, h) for h in take.hits if (note := _note(h, wanted)) is not None
    ]
    messages: list[tuple[int, int, mido.Message]] = []
    again: dict[int, int] = {}  # tick of the next hit, by note
    for begin, note, hit in reversed(played):
        until = max(begin + 1, min(begin + round(NOTE_S * scale), again.get(note, 1 << 62)))
        again[note] = begin
        velocity = min(127, max(1, hit.velocity))
        on = mido.Message("note_on", channel=CHANNEL, note=note, velocity=velocity)
        off = mido.Message("note_off", channel=CHANNEL, note=note)
        messages += [(begin, _ON, on), (until, _OFF, off)]
    messages.sort(key=lambda message: message[:2])

    track = mido.MidiTrack(_head(take, played, tempo))
    now = 0
    for at, _, message in messages:
        track.append(message.copy(time=at - now))
        now = at
    track.append(mido.MetaMessage("end_of_track", time=max(0, tick(take.samples) - now)))
    file = mido.MidiFile(type=0, ticks_per_beat=ticks, charset="utf-8")
    file.tracks.append(track)
    file.save(target)
    return len(played)


def _note(hit: Hit, wanted: Wanted) -> int | None:
    """Note of a hit, None for one that is to be left out."""
    if hit.class_ < 0:
        return given_note(hit.class_, label(hit), wanted.notes)
    return note_of(hit.class_, label(hit), wanted.notes)


def _head(take: Take, played: list[tuple[int, int, Hit]], tempo: int) -> list[mido.MetaMessage]:
    """Name, source, tempo, and which class became which note."""
    from rtcluster import __version__

    classes = {hit.class_: f"{label(hit)}: note {note}" for _, note, hit in played}
    texts = [f"rtcluster {__version__}: {take.source}", *(classes[c] for c in sorted(classes))]
    return [
        mido.MetaMessage("track_name", name=f"Drums of {Path(take.source).name or take.path.stem}"),
        *(mido.MetaMessage("text", text=text) for text in texts),
        mido.MetaMessage("set_tempo", tempo=tempo),
    ]
