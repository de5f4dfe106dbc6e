"""Which General MIDI percussion note a drum is, by the name of its class.

One table for all that knows drums by name: the live MIDI output, the export to a file, and the
report, which asks how exactly a drum is dated. A few look-ups in dictionaries, so any thread may
call it; it never raises but for notes that a person gave wrong.

A class gets, in this order: the note given for its name; the one given for its number; the note
of the longest name in :data:`NOTES` whose words stand together in its own ("my closed hat" is a
"closed hat"; of two as long the later one, as "clap snare" is a snare); else the note that
:data:`FALLBACK` holds at its number. Case, hyphens, underscores and plurals make no difference.

Notes: General MIDI Level 1, percussion key map (MIDI Manufacturers Association, RP-003).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rtcluster.errors import SettingsError

CHANNEL = 9
"""The percussion channel, from 0: what people call channel 10."""

_DRUMS: dict[int, str] = {
    35: "acoustic bass drum",
    36: "kick, kick drum, kickdrum, bass drum, bassdrum, bd, kd",
    37: "side stick, sidestick, cross stick, crossstick, rimshot, rim shot, rim, rimclick, "
    "rim click, snare rim, stick, rs, sst",
    38: "snare, snare drum, snaredrum, sd",
    39: "clap, hand clap, handclap, cp",
    40: "electric snare, snare electric",
    41: "low floor tom, lft",
    42: "hat, hh, hi hat, hihat, high hat, closed hat, closed hh, closed hi hat, closed hihat, "
    "closed high hat, hat closed, hh closed, hi hat closed, hihat closed, chh, ch",
    43: "floor tom, floortom, floor, high floor tom, hft, tom 4, ft",
    44: "pedal hat, pedal hh, pedal hi hat, pedal hihat, foot hat, foot hi hat, foot hihat, "
    "hat pedal, hh pedal, hi hat pedal, hihat pedal, phh",
    45: "low tom, lowtom, tom low, tom 3, lt",
    46: "open hat, open hh, open hi hat, open hihat, open high hat, hat open, hh open, "
    "hi hat open, hihat open, ohh, oh",
    47: "tom, tomtom, tom tom, mid tom, midtom, tom mid, low mid tom, middle tom, tom 2, mt, tt",
    48: "high mid tom, hi mid tom, rack tom",
    49: "crash, crash cymbal, cymbal, crash 1, cy, crc, cc",
    50: "high tom, hi tom, hightom, hitom, tom high, tom hi, tom 1, ht",
    51: "ride, ride cymbal, ride 1, rd, rdc",
    52: "china, china cymbal, chinese cymbal, chc",
    53: "ride bell, ridebell, bell of ride, rdb",
    54: "tambourine, tamb, tmb",
    55: "splash, splash cymbal, spc",
    56: "cowbell, cow bell, cb",
    57: "crash 2, crash cymbal 2",
    58: "vibraslap, vibra slap",
    59: "ride 2, ride cymbal 2",
    60: "high bongo, hi bongo, bongo",
    61: "low bongo",
    62: "mute conga, mute high conga, muted conga, conga slap",
    63: "open conga, high conga, open high conga, hi conga, conga",
    64: "low conga, tumba",
    65: "timbale, high timbale, hi timbale",
    66: "low timbale",
    67: "agogo, high agogo, hi agogo",
    68: "low agogo",
    69: "cabasa",
    70: "shaker, maraca, egg shaker, sh",
    71: "whistle, short whistle",
    72: "long whistle",
    73: "guiro, short guiro",
    74: "long guiro",
    75: "clave",
    76: "wood block, woodblock, high wood block, high woodblock, hi wood block, block",
    77: "low wood block, low woodblock",
    78: "cuica, mute cuica",
    79: "open cuica",
    80: "mute triangle",
    81: "triangle, open triangle",
}

NOTES: dict[str, int] = {name: note for note, names in _DRUMS.items() for name in names.split(", ")}
"""Names and common synonyms, in lower case, the words parted by one blank, to notes."""

_COMMON = (36, 38, 42, 46, 45, 49, 51, 50, 37, 39, 43, 56, 54, 70)

FALLBACK = tuple(dict.fromkeys((*_COMMON, *range(35, 82), *range(128))))
"""Notes of the classes 0, 1, 2 and so on whose names say nothing: kick, snare, closed hat, open
hat, low tom, crash, ride, high tom, and on; all 128 notes, each once."""

UNCLASSED = 75
"""Note of a hit that has no class, if nothing was given for its name: the claves."""

_LONGEST = max(len(name.split()) for name in NOTES)


def note_of(class_: int, name: str, given: Mapping[str, int]) -> int:
    """Return the MIDI note of a class, 0 to 127.

    Parameters
    ----------
    class_ : int
        Its number; negative for a hit without a class, which gets :data:`UNCLASSED`.
    name : str
        Its name.
    given : mapping of str to int
        Notes by the whole name or by the number as text; see :func:`parse_notes`.
    """
    note = given_note(class_, name, given)
    if note is None:
        note = named_note(name)
    if note is None:
        note = FALLBACK[class_ % len(FALLBACK)] if class_ >= 0 else UNCLASSED
    return note


def given_note(class_: int, name: str, given: Mapping[str, int]) -> int | None:
    """Return the note that was given for this name, else for this number, else None."""
    wanted = _plain(name)
    for key, note in given.items():
        if wanted and _plain(key) == wanted:
            return note
    return given.get(str(class_))


def parse_notes(values: Iterable[str]) -> dict[str, int]:
    """Return notes by name or number from ``NAME=NOTE``, several parted by commas.

    Raises
    ------
    SettingsError
        If one has no name, or its note is no whole number from 0 to 127.
    """
    notes = {}
    for value in (part for text in values for part in text.split(",") if part.strip()):
        name, _, note = value.rpartition("=")
        if not (_plain(name) and re.fullmatch(r"\s*[0-9]{1,3}\s*", note) and int(note) <= 127):
            raise SettingsError(
                f"Expected NAME=NOTE with a note from 0 to 127 (snare=38), got {value!r:.80}."
            )
        notes[name.strip()] = int(note)
    return notes


def _plain(name: str) -> str:
    """Lower case, words and numbers parted by one blank, without the s of a plural."""
    words = re.findall(r"[^\W\d_]+|\d+", name.lower())
    return " ".join(w[:-1] if len(w) > 3 and w.endswith("s") and w[-2] != "s" else w for w in words)


def named_note(name: str) -> int | None:
    """Return the note of the longest drum's name that stands in a name; None without."""
    words = _plain(name).split()
    for length in range(min(_LONGEST, len(words)), 0, -1):
        for start in range(len(words) - length, -1, -1):
            note = NOTES.get(" ".join(words[start : start + length]))
            if note is not None:
                return note
    return None
