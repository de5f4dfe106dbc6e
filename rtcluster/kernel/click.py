"""Sound out: a short sound on each hit of a class, mixed into the stream's own output.

[audio thread] The engine calls :func:`sound_hit` where an event is emitted, which only
takes one of :data:`VOICES` voices; the callback calls :func:`mix` once it has heard its block. All
sounds lie in one array that :mod:`rtcluster.playback.clicks` made before the stream began.

Time in the output is counted as in the input: its frame ``n`` leaves in the callback that brings
sample ``n``. An event is known at the end of a hop, ``emitted``. Its sound begins at
``emitted - grid``, where the grid is the greatest common divisor of the hop and of all blocks so
far: no later frame is always still to be written, and one that lies at a fixed distance keeps the
sounds as even as the hits. With blocks of a hop that is the first frame of the block.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from rtcluster.events import ONSET
from rtcluster.kernel.jit import compiled
from rtcluster.settings import MAX_CLASSES

VOICES = 16
"""Sounds at once. One more takes the place of the one that began first."""

SOUNDS = 2 * MAX_CLASSES
"""Sounds that a stream may have."""

SILENT = -1
"""The sound of a class that has none."""

CLICK = np.dtype(
    [
        # Set before the stream runs.
        ("outputs", "i4"),  # channels of the output; 0: there is none
        ("stage", "i4"),  # kind of the event that sounds; 0: none does
        ("bank", "u8"),  # address of the samples of all sounds, float32
        ("samples", "i8"),  # in the bank
        ("start", "i8", (SOUNDS,)),  # of each sound in the bank
        ("length", "i8", (SOUNDS,)),
        ("hit", "i4"),  # sound of an onset, which has no class yet
        ("ping", "i4"),  # sound that is played at set frames
        ("pings", "i8"),  # how often
        ("ping_first", "i8"),  # frame
        ("ping_every", "i8"),  # frames
        # Set while running.
        ("of_class", "i4", (MAX_CLASSES,)),  # its sound, or SILENT
        ("muted", "u8"),  # a bit for each class
    ],
    align=True,
)
"""What is played on what. It stays when a stream begins anew."""

VOICE = np.dtype([("begin", "i8"), ("at", "i8"), ("left", "i8"), ("gain", "f4")], align=True)
"""A sound that plays: its first frame, the next sample in the bank, and how many there are left;
none in a free voice."""


@intrinsic  # type: ignore[untyped-decorator]  # Numba's decorators have no types
def as_pointer(_typing: Any, address: Any) -> Any:
    """A number as a C pointer."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = context.cast(builder, args[0], signature.args[0], types.uint64)
        return builder.inttoptr(word, context.get_value_type(types.voidptr))

    return types.voidptr(address), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba's decorators have no types
def address_of(_typing: Any, pointer: Any) -> Any:
    """A C pointer as a number; 0 is none."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ptrtoint(args[0], context.get_value_type(types.uint64))

    return types.uint64(pointer), generate


@compiled
def sound_hit(state: Any, stage: int, class_: int, velocity: int) -> None:
    """Begin the sound of a hit whose event of this kind is emitted at ``state.clock``.

    The amplitude goes with the velocity, which by its default curve is the root of the hit's
    own: a soft hit sounds softer, and is still heard.
    """
    click = state.click[0]
    if click.outputs == 0 or click.stage != stage:
        return
    sound = click.hit
    if stage != ONSET:
        if class_ < 0 or class_ >= MAX_CLASSES or (click.muted >> np.uint64(class_)) & np.uint64(1):
            return
        sound = click.of_class[class_]
    grid = state.grid if state.grid > 0 else state.hop
    begin(state, sound, state.clock - grid, np.float32(velocity / 127.0))


@compiled
def begin(state: Any, sound: int, frame: int, gain: Any) -> None:
    """Give a sound a voice: a free one, else the one that began first."""
    if sound < 0:
        return
    click = state.click[0]
    chosen = 0
    for v in range(VOICES):
        if state.voices[v].left == 0:
            chosen = v
            break
        if state.voices[v].begin < state.voices[chosen].begin:
            chosen = v
    voice = state.voices[chosen]
    voice.begin = frame
    voice.at = click.start[sound]
    voice.left = click.length[sound]
    voice.gain = gain


@compiled
def mix(state: Any, output: int, frames: int) -> None:
    """Fill the output of the block that has just been heard.

    Parameters
    ----------
    state : record of :data:`rtcluster.kernel.state.STATE`
    output : int
        Address of float32 samples, shape (frames, outputs); all of them are written, the
        same in every channel, at most full scale.
    frames : int
    """
    click = state.click[0]
    now = state.clock + state.filled - frames
    while (
        state.pings < click.pings
        and click.ping_first + state.pings * click.ping_every < now + frames
    ):
        due = click.ping_first + state.pings * click.ping_every
        begin(state, click.ping, due, np.float32(1.0))
        state.pings += 1
    out = carray(as_pointer(output), (frames, np.intp(click.outputs)), np.float32)
    for i in range(frames):
        for c in range(click.outputs):
            out[i, c] = np.float32(0.0)
    if click.samples > 0:
        play(state, out, now)
    state.grid = math.gcd(state.grid if state.grid > 0 else state.hop, frames)


@compiled
def play(state: Any, out: Any, now: int) -> None:
    """Add the voices to an output whose first frame is ``now``."""
    click = state.click[0]
    frames, channels = out.shape
    bank = carray(as_pointer(click.bank), (click.samples,), np.float32)
    sounding = False
    for v in range(VOICES):
        voice = state.voices[v]
        first: Any = max(0, voice.begin - now)
        count: Any = min(frames - first, voice.left)
        if count <= 0:
            continue
        for i in range(count):
            x = voice.gain * bank[voice.at + i]
            for c in range(channels):
                out[first + i, c] += x
        voice.at += count
        voice.left -= count
        sounding = True
    if sounding:
        for i in range(frames):
            for c in range(channels):
                out[i, c] = min(max(out[i, c], np.float32(-1.0)), np.float32(1.0))
