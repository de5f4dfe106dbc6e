"""What one job is, and what comes of it.

Both are sent between processes and machines. This module imports nothing heavy: the process that
hands jobs out need not wait for Numba and scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rtcluster.errors import SettingsError
from rtcluster.settings import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """A recording, and how it is to be heard. Its events follow from this alone.

    Attributes
    ----------
    path : str
        The recording; the session line's ``source``.
    settings : Settings
    explicit : frozenset of str
        Names of the settings that a kit does not override.
    kit : str or None
        File of the kit to begin with. It is read where the job is done, like the recording.
    channel : int or tuple of int or "all" or None
        From 1; the microphones of one kit; each by itself, or those of the kit; or the mean of all.
    samplerate : int or None
        Rate in Hz to resample to; the recording's own.
    folder : str
        What relative paths belong to, where the job may be done in another folder.
    """

    path: str
    settings: Settings
    explicit: frozenset[str] = frozenset()
    kit: str | None = None
    channel: int | tuple[int, ...] | str | None = None
    samplerate: int | None = None
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A job in a batch.

    Attributes
    ----------
    number : int
        Its place among the recordings, from 0.
    job : Job
    lines : str
        File that its events are written to, as JSON Lines.
    seconds : float
        Length of the recording; 0 where it cannot be read.
    """

    number: int
    job: Job
    lines: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job.

    Attributes
    ----------
    seconds : float
        Audio that was heard.
    driver : str
        As in the session line; empty if it did not get so far.
    complete : bool
        All of its events were written.
    notes : tuple of str
        Lines for people.
    problem : str
        Why it failed, in one line; empty if it did not.
    usage : bool
        What failed is what was asked for: a setting or an option.
    general : bool
        It would fail with any other recording too.
    """

    seconds: float = 0.0
    driver: str = ""
    complete: bool = False
    notes: tuple[str, ...] = ()
    problem: str = ""
    usage: bool = False
    general: bool = False


@dataclass(frozen=True, slots=True)
class Tell:
    """Who is told what while jobs are done, in the thread that takes the outcomes.

    Attributes
    ----------
    note : callable
        Gets a line for people.
    compiling : callable
        The kernel has to be compiled first.
    heard : callable
        Gets the seconds of audio that have been heard of recordings that are not done.
    """

    note: Callable[[str], None]
    compiling: Callable[[], None] = lambda: None
    heard: Callable[[float], None] = lambda _: None


def in_a_line(error: BaseException) -> str:
    """An error of no kind that was foreseen, for people."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def unforeseen(job: Job, error: BaseException) -> Outcome:
    """What came of a job that failed in no way that was foreseen."""
    return Outcome(problem=f"Expected to hear {job.path}, got {in_a_line(error)}")


def index_of(given: int | None, channels: int) -> int | None:
    """The user's channel, from 1, as an index."""
    if given is None:
        return None
    if not 1 <= given <= channels:
        raise SettingsError(f"Expected a channel from 1 to {channels}, got {given}.")
    return given - 1
