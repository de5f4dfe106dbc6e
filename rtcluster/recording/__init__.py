"""Sessions that are kept: the files of a recording, what reads them, and the replay.

A recording is a folder. ``events.jsonl`` holds the session's events, ``audio.wav`` or
``audio.flac`` the samples that the engine heard, ``start.kit`` the classes it began with, if there
were any.
"""
