"""Which recordings there are: files as they are given, and what folders hold.

Belongs to the command's thread, before anything runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from rtcluster.errors import SettingsError, SourceError
from rtcluster.files import open_file
from rtcluster.libraries import silent_libraries
from rtcluster.sources.file import STANDARD_INPUT
from rtcluster.text import for_libsndfile

_ENDINGS = {
    "AIFF": ("aiff", "aif", "aifc"),
    "AU": ("au", "snd"),
    "IRCAM": ("sf", "ircam"),
    "MAT4": (),  # any matrices, hardly ever audio
    "MAT5": (),
    "MP3": ("mp3", "mp2"),
    "NIST": ("nist", "sph"),
    "OGG": ("ogg", "oga", "opus"),
    "RAW": (),  # cannot be read without being told how
    "SVX": ("svx", "8svx", "iff"),
    "WAVEX": ("wav",),
}
"""How the names of files end, where not just in the name of libsndfile's format."""


@dataclass(frozen=True, slots=True)
class QueuedFile:
    """A file to be heard.

    Attributes
    ----------
    path : str
        As it is opened and named.
    relative : str
        To the folder that was given, or its name alone; with ``/``.
    seconds : float
        Length by its header; 0 where it has none.
    size, changed_ns : int
        In bytes; time of its last change. 0 where there is no such file.
    """

    path: str
    relative: str
    seconds: float = 0.0
    size: int = 0
    changed_ns: int = 0


def endings() -> frozenset[str]:
    """How the names of audio files end that libsndfile reads here, in small letters."""
    import soundfile

    formats = soundfile.available_formats()
    return frozenset(e for name in formats for e in _ENDINGS.get(name, (name.lower(),)))


def find(given: Iterable[str]) -> list[QueuedFile]:
    """Recordings in the order of the arguments, those of a folder by their names.

    Parameters
    ----------
    given : iterable of str
        Files, folders, or ``-``. What is not there stays among them: it fails when it is opened.

    Raises
    ------
    SourceError
        If a folder holds no audio.
    """
    found: list[QueuedFile] = []
    for path in given:
        if path != STANDARD_INPUT and Path(path).is_dir():
            inside = [_recording(str(Path(path) / name), name) for name in audio_in(path)]
            if not inside:
                raise SourceError(f"Expected audio files in the folder {path}, got none.")
            found += inside
        else:
            found.append(_recording(path, Path(path).name))
    return found


def audio_in(folder: str | os.PathLike[str]) -> list[str]:
    """Relative paths of the audio files in a folder and below; hidden ones are left out."""
    wanted = endings()
    names: list[str] = []
    for base, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        names += [
            Path(base, name).relative_to(folder).as_posix()
            for name in files
            if not name.startswith(".") and PurePath(name).suffix[1:].lower() in wanted
        ]
    return sorted(names)


def _recording(path: str, relative: str) -> QueuedFile:
    try:
        state = Path(path).stat()
    except (OSError, ValueError):
        return QueuedFile(path, relative)
    return QueuedFile(path, relative, 0.0, state.st_size, state.st_mtime_ns)


def measured(recordings: Iterable[QueuedFile]) -> Iterator[QueuedFile]:
    """The same with their lengths, by their headers."""
    import soundfile

    for one in recordings:
        try:
            with silent_libraries(), open_file(one.path):
                seconds = soundfile.info(for_libsndfile(one.path)).duration
        except (soundfile.LibsndfileError, OSError, TypeError, ValueError):
            seconds = 0.0  # the job will say what is wrong
        yield QueuedFile(one.path, one.relative, seconds, one.size, one.changed_ns)


def outputs(recordings: Iterable[QueuedFile]) -> list[str]:
    """Names of the outputs in their folder: that of the recording and ``.jsonl``.

    Raises
    ------
    SettingsError
        If two recordings would have the same.
    """
    taken: dict[str, str] = {}
    for one in recordings:
        name = f"{one.relative}.jsonl"
        if name in taken:
            raise SettingsError(
                f"Expected a name of its own for each output, got {name} for both {taken[name]} "
                f"and {one.path}. Give the folder above them, or run them with another --out."
            )
        taken[name] = one.path
    return list(taken)
