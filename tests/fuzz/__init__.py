"""Fuzzing: whatever comes in from outside, the answer is a result or one line.

``python -m tests.fuzz TARGET --seconds N`` runs one of the targets under atheris, which is led by
what parts of the program an input reaches. A target is a module with ``one(data)``, which turns
bytes into input that is nearly right, and raises only for a finding: any error but
``RtclusterError``, a message of more than one line, an answer that takes too long, a number that
JSON cannot carry, or a file that is written where none should be. ``tests/fuzz`` calls the same
functions from hypothesis, with what was found so far.

===========  ==================================================================================
``process``  blocks of any shape, type, stride and content into :class:`rtcluster.Processor`
``kit``      the reader of kits, and engines that begin with what it lets through
``settings`` any values as settings, and engines made with those that are allowed
``log``      the reader of JSON Lines, and the exports of what it lets through
``messages`` what a monitor page says, up to the running session that obeys it
``audio``    files of each format of libsndfile, damaged, through the source into the engine
===========  ==================================================================================

The kernel is compiled by Numba, and aubio and libsndfile are libraries in C: none of them tells the
fuzzer where it has been. There the targets rely on input that is made to be nearly right.
"""

TARGETS = ("process", "kit", "settings", "log", "messages", "audio")
