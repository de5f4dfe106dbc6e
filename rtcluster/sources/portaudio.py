"""PortAudio itself: loading it, and beginning anew when a device was lost.

PortAudio looks for devices only when it starts, so that a device that comes back is found by
starting again. Its JACK backend cannot be stopped once the server has died: closing a stream, and
terminating, wait ten minutes for a callback that will never come (``WaitCondition`` in its
``pa_jack.c``), or abort the program. There the old instance is left as it is, and another copy of
the library is loaded. Another process looks for the devices (:mod:`rtcluster.sources.probe`), so
that this happens once a loss and not at each attempt.
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
    """Give up a stream, or None, whose server is gone or stands still, and its instance."""
    sd = portaudio()
    _left.append((stream, sd._lib))
    sd._initialized = 0  # or it would be terminated when the program ends


def begin_anew() -> Any:
    """Start PortAudio again, so that it looks for devices; return sounddevice."""
    sd = portaudio()
    if _left and sd._lib is _left[-1][1]:
        # The file may go once it is loaded; where it may not, the system takes it away later.
        with tempfile.TemporaryDirectory(
            prefix="rtcluster-portaudio-", ignore_cleanup_errors=True
        ) as folder:
            sd._lib = sd._ffi.dlopen(shutil.copy(_library(sd), folder))
    elif sd._initialized:
        sd._terminate()
    sd._initialize()
    return sd


def _library(sd: Any) -> str:
    """File of the library; a copy of it is an instance of its own."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text(encoding="utf-8").splitlines() if maps.exists() else []
    loaded = (line.split(maxsplit=5)[-1] for line in lines if "libportaudio" in line)
    # A copy that was loaded before is gone.
    return next((path for path in loaded if Path(path).is_file()), str(sd._libname))
