"""PortAudio itself: loading it, and beginning anew when a device was lost.

PortAudio looks for devices only when it starts, so that a device that comes back is found by
starting again. Its JACK backend cannot be stopped once the server has died: closing a stream, and
terminating, wait ten minutes for a callback that will never come (``WaitCondition`` in its
``pa_jack.c``). There the old instance is left as it is, and another copy of the library is loaded.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from rtcluster.errors import SourceError

JACK = "JACK Audio Connection Kit"
"""PortAudio's name of the backend."""

_left: list[Any] = []
"""Instances that were let go of. JACK's library still calls into them, so they stay loaded."""


def portaudio() -> Any:
    """Import sounddevice, or say what its absence means."""
    try:
        import sounddevice
    except OSError as error:
        raise SourceError(
            f"Expected the PortAudio library, got: {error}. On Debian and Ubuntu install it "
            "with 'apt install libportaudio2'."
        ) from error
    return sounddevice


def let_go(stream: Any) -> None:
    """Give up a stream whose JACK server is gone, and the instance it belongs to."""
    sd = portaudio()
    _left.append((stream, sd._lib))
    sd._initialized = 0  # or it would be terminated when the program ends


def begin_anew() -> Any:
    """Start PortAudio again, so that it looks for devices; return sounddevice."""
    sd = portaudio()
    if _left and sd._lib is _left[-1][1]:
        sd._lib = sd._ffi.dlopen(_copy_of_library())
    elif sd._initialized:
        sd._terminate()
    sd._initialize()
    return sd


def _copy_of_library() -> str:
    """A copy of the loaded library: a file of its own is an instance of its own."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    loaded = next(line.split(maxsplit=5)[-1] for line in maps if "libportaudio" in line)
    return shutil.copy(loaded, tempfile.mkdtemp(prefix="rtcluster-portaudio-"))
