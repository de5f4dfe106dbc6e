"""A kit as a file that a C program can load: for each rate a state that is ready to hear it.

[main thread] The bytes of a state are those of :meth:`Processor.prepare`: learning rests, and the
model waits for the first hop. Behind the state lies what it points to; each pointer is listed with
its target, so that the program can put the addresses in. Stretches of zeros, most of it, are left
out. Before the states are the drums, by note and name, and before all of it is a checksum.
``player.c``, which reads the file, has its layout.
"""

from __future__ import annotations

import ctypes
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.engine.processor import Processor
from rtcluster.errors import RtclusterError, expecting
from rtcluster.events import EVENT, MOST_PARTS
from rtcluster.files import read_bytes
from rtcluster.kernel import packed
from rtcluster.kernel.cache import source_digest
from rtcluster.kernel.state import STATE
from rtcluster.learning.kit import Kit
from rtcluster.presets import DRUMS
from rtcluster.settings import BANDS, FEATURES, Settings
from rtcluster.sinks.drum_map import note_of

RATES = (44100, 48000, 88200, 96000)
"""Hz. A host that runs at another rate is told so."""

MOST_DRUMS = 12
"""Drums of a kit that is chosen in the host: so many have controls there."""

SUFFIX = ".rtkit"
"""Of a file's name."""

_MAGIC = b"rtcl-kit"
_VERSION = 1
_HEADER = 48  # bytes
_DRUM = struct.Struct("<B31s")  # note, name
_RATE = struct.Struct("<3Q")  # Hz, place in the file, bytes
_MOST_BYTES = 1 << 26  # of a file, and of a state in memory
_LINE = 64  # bytes of a cache line, to which each array is aligned
_GAP = 32  # zeros that end a stretch, in words of 8 bytes


def check(kit: Kit) -> None:
    """Refuse a kit that a plug-in cannot play.

    Raises
    ------
    RtclusterError
        If it has no classes, is for one of aubio's detectors, or has somebody else's feature.
    """
    if kit.learned is None:
        raise RtclusterError(
            f"{kit.source} holds detector settings alone; teach it drums with "
            "'rtcluster teach NAMES --save-kit FILE' first."
        )
    settings = kit.settings(Settings())
    if settings.method != DRUMS:
        raise RtclusterError(
            f"{kit.source} is for aubio's {settings.method}, and a plug-in has only the detector "
            f"for drums; teach it again without --method."
        )
    strange = [name for name in settings.features if name not in FEATURES]
    if strange:
        raise RtclusterError(
            f"{kit.source} is for the feature {strange[0]}, which is not rtcluster's own; teach it "
            "again with other --features."
        )


def prepared(kit: Kit, samplerate: int) -> bytes:
    """The image of a state for a kit and a rate in Hz.

    Raises
    ------
    RtclusterError
        As :func:`check` and :meth:`Processor.prepare`.
    """
    check(kit)
    processor = Processor(Settings(freeze=True), kit=kit)
    processor.prepare(samplerate)
    memory = _Memory(processor.record.copy())
    processor.close()
    return memory.image()


def file_of(kit: Kit) -> bytes:
    """The content of a kit's file, for all of :data:`RATES`.

    Raises
    ------
    RtclusterError
        As :func:`prepared`.
    """
    images = [prepared(kit, rate) for rate in RATES]
    drums = b"".join(
        _DRUM.pack(note_of(number, name, {}), _cut(name)) for number, name in enumerate(kit.names)
    )
    place = _HEADER + len(drums) + _RATE.size * len(RATES)
    table = []
    for rate, image in zip(RATES, images, strict=True):
        table.append(_RATE.pack(rate, place, len(image)))
        place += len(image)
    counts = (place, int(source_digest(), 16), len(kit.names), len(RATES))
    content = b"".join((struct.pack("<4Q", *counts), drums, *table, *images))
    return struct.pack("<8s2I", _MAGIC, _VERSION, zlib.crc32(content)) + content


def check_file(path: Path) -> None:
    """Refuse a file that is no whole kit of a plug-in, of whatever version.

    Raises
    ------
    RtclusterError
    """
    with expecting(f"to read {path}", "name another file with -o"):
        content = read_bytes(path, _MOST_BYTES)
    if content[:8] != _MAGIC or content[12:16] != struct.pack("<I", zlib.crc32(content[16:])):
        raise RtclusterError(f"{path} is no kit of a plug-in.")


def _cut(name: str) -> bytes:
    """A name in UTF-8, as much of it as there is room for before the final zero."""
    return name.encode()[: _DRUM.size - 2].decode(errors="ignore").encode()


def header(drums: int, uri: str, silent_db: float, *, generic: bool) -> str:
    """``kit.h``: what the C sources have to know of the kernel's records, and of the plug-in.

    Parameters
    ----------
    drums : int
        That have controls.
    uri : str
    silent_db : float
        Gain at which the audio through is silence.
    generic : bool
        The kit is chosen in the host.
    """
    offsets = {f"EVENT_{name.upper().rstrip('_')}": _offset(EVENT, name) for name in _TOLD}
    offsets |= {name.upper(): _offset(STATE, name) for name in ("asked_threshold", "asked_mask")}
    values = {
        "URI": f'"{uri}"',
        "GENERIC": int(generic),
        "DRUMS": drums,
        "NAME_BYTES": _DRUM.size - 1,
        "RATES": f'"{", ".join(map(str, RATES))}"',
        "VERSION": _VERSION,
        "MOST_BYTES": _MOST_BYTES,
        "PARTS": MOST_PARTS,
        "SILENT_DB": f"{silent_db:.1f}f",
        "BUILD": f"0x{source_digest()}u",
        "STATE_BYTES": STATE.itemsize,
        "EVENT_BYTES": EVENT.itemsize,
        **offsets,
    }
    return "".join(f"#define {name} {value}\n" for name, value in values.items())


_TOLD = ("kind", "class_", "emitted", "others", "part_velocity")


def _offset(dtype: np.dtype[Any], name: str) -> int:
    assert dtype.fields is not None  # a record
    return int(dtype.fields[name][1])


class _Memory:
    """A state, the arrays behind it, and which words are addresses.

    Parameters
    ----------
    state : ndarray of STATE, shape (1,)
        A copy; its pointers are still those of the original.
    """

    def __init__(self, state: npt.NDArray[Any]) -> None:
        self._state = state
        self._behind: list[bytes] = []
        self._size = state.nbytes
        self._pointers: dict[int, int] = {}
        state["synchronous"] = 0  # nobody learns between two hops
        state["apart"] = 0  # a note is due when the hit's final is: when it was struck is not told
        self._point_fft()
        self._point_kit_rate()
        self._point_sets()

    def image(self) -> bytes:
        """The bytes of the image."""
        memory = np.frombuffer(self._state.tobytes() + b"".join(self._behind), np.uint8).copy()
        for at in self._pointers:
            memory[at : at + 8] = 0  # addresses of this process
        stretches = list(_stretches(memory))
        out = [struct.pack("<3Q", len(memory), len(stretches), len(self._pointers))]
        for begin, end in stretches:
            content = memory[begin:end].tobytes()
            padding = bytes(-len(content) % 8)
            out += [struct.pack("<2Q", begin, end - begin), content, padding]
        out += [struct.pack("<2Q", *pair) for pair in sorted(self._pointers.items())]
        return b"".join(out)

    def _place(self, field: npt.NDArray[Any]) -> int:
        """Where a field of the state lies."""
        return int(field.ctypes.data - self._state.ctypes.data)

    def _append(self, content: bytes) -> int:
        """Lay something behind what there is; return where."""
        gap = -self._size % _LINE
        self._behind += [bytes(gap), content]
        place = self._size + gap
        self._size = place + len(content)
        return place

    def _follow(self, field: npt.NDArray[Any], values: int) -> None:
        """Append the float32 array that a field has the address of."""
        address = int(field.flat[0])
        content = ctypes.string_at(address, 4 * values) if values else b""
        self._pointers[self._place(field)] = self._append(content)

    def _point_fft(self) -> None:
        """Our own FFT, where Python has aubio's."""
        detector = self._state["detector"]
        frame = int(detector["frame"][0, 0])
        own = self._append(packed.tables(frame).tobytes())
        self._pointers[self._place(detector["fft"])] = own
        for name, data in (("input", "windowed"), ("output", "packed")):
            detector[name]["length"] = frame
            self._pointers[self._place(detector[f"{name}_address"])] = self._place(detector[name])
            self._pointers[self._place(detector[name]["data"])] = self._place(detector[data])

    def _point_kit_rate(self) -> None:
        """The filters of another rate, see :func:`rtcluster.kernel.rate.configure`."""
        rate = self._state["kit_rate"]
        half, phases, step = (int(rate[name][0, 0]) for name in ("half", "phases", "step"))
        if half:
            longest = max(int(self._state[name][0]) for name in ("window", "guess"))
            self._follow(rate["filters"], phases * 2 * half)
            self._follow(rate["window"], longest * phases // step + 1)

    def _point_sets(self) -> None:
        """The classifiers of a taught kit, see :data:`rtcluster.kernel.sets.SETS`."""
        sets = self._state["sets"]
        count, drums = int(sets["count"][0, 0]), int(sets["drums"][0, 0])
        if not count:
            return
        for place in range(int(self._state["shape"]["stretches"][0, 0])):
            bands = (place + 1) * BANDS
            sizes = {
                "weights": count * (2 * bands + 1),
                "centre": count * 2 * bands,
                "precision": (2 * bands) ** 2,
                "power": drums * bands,
            }
            for name, size in sizes.items():
                self._follow(sets["judges"][name][:, :, 0, place : place + 1], size)


def _stretches(memory: npt.NDArray[np.uint8]) -> Any:
    """Where memory is not zero: (begin, end), with gaps of a few words in them."""
    words = np.concatenate([memory, np.zeros(-len(memory) % 8, np.uint8)]).view(np.uint64)
    used = np.flatnonzero(words)
    for group in np.split(used, np.flatnonzero(np.diff(used) > _GAP) + 1):
        if group.size:
            yield 8 * int(group[0]), min(8 * int(group[-1]) + 8, len(memory))
