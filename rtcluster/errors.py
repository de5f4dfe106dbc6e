"""The errors that rtcluster raises for bad input.

Each message is one line that says what was expected, what came, and what to do.
"""

from __future__ import annotations


class RtclusterError(Exception):
    """Something could not be done; the message is for the user, on one line."""


class SettingsError(RtclusterError, ValueError):
    """A parameter is outside its range."""


class SourceError(RtclusterError, OSError):
    """Audio could not be read: no such file, not audio, no such device."""
