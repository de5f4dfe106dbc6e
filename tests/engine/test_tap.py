"""A tap gives all that the engine heard, once, however it is read."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from rtcluster import Processor
from rtcluster.engine import tap
from rtcluster.engine.tap import Tap
from rtcluster.kernel.state import MAX_HOP, RING

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def noise():
    """Audio that is nowhere like itself, too soft for hits."""
    return RNG.uniform(-1e-4, 1e-4, RING + 200_000).astype(np.float32)


@pytest.fixture
def processor():
    made = Processor()
    made.prepare(44100, 64)
    made.record["synchronous"] = 0
    yield made
    made.close()


def hear(processor, audio):
    processor.advance(np.ascontiguousarray(audio.reshape(-1, 1)))


def test_pieces_follow_each_other_and_are_what_was_heard(processor, noise):
    """Across the end of the ring, in pieces of any size."""
    reader, at, got = Tap(processor), 0, []
    while at < len(noise):
        step = int(RNG.integers(1, 40_000))
        hear(processor, noise[at : at + step])
        at += step
        piece = reader.take()
        assert piece.lost == 0
        assert piece.start == sum(map(len, got))
        got.append(piece.audio)
    whole = np.concatenate(got)
    assert len(whole) == len(noise) // 64 * 64
    assert np.array_equal(whole, noise[: len(whole)])


def test_only_whole_hops_are_there_until_the_stream_ends(processor, noise):
    reader = Tap(processor)
    hear(processor, noise[:100])
    assert len(reader.take().audio) == 64
    processor.flush()
    piece = reader.take()
    assert (piece.start, len(piece.audio)) == (64, 36)
    assert np.array_equal(piece.audio, noise[64:100])


def test_nothing_new_is_an_empty_piece(processor, noise):
    reader = Tap(processor)
    hear(processor, noise[:6400])
    reader.take()
    piece = reader.take()
    assert (piece.start, len(piece.audio), piece.lost) == (6400, 0, 0)


def test_what_came_too_long_ago_is_counted_and_the_rest_is_right(processor, noise):
    reader = Tap(processor)
    hear(processor, noise[:6400])
    reader.take()
    hear(processor, noise[6400:])
    piece = reader.take()
    until = len(noise) // 64 * 64
    assert piece.lost == until - (RING - 2 * MAX_HOP) - 6400 > 0
    assert piece.start == 6400 + piece.lost
    assert np.array_equal(piece.audio, noise[piece.start : until])


def test_the_history_outlives_a_second_at_the_highest_rate():
    assert tap._SAFE > 1.3 * 192_000


def test_a_reader_beside_a_writer_that_runs_away_gets_no_torn_audio(processor, noise):
    """The writer goes a hundred times faster than any sound card."""
    stretch = noise[: 64 * 1000]
    done = threading.Event()

    def write():
        for _ in range(15):
            hear(processor, stretch)
        done.set()

    reader, heard, lost, wrong = Tap(processor), 0, 0, 0
    writer = threading.Thread(target=write)
    writer.start()
    while True:
        last = done.is_set()
        piece = reader.take()
        at = np.arange(piece.start, piece.start + len(piece.audio)) % len(stretch)
        wrong += not np.array_equal(piece.audio, stretch[at])
        heard, lost = heard + len(piece.audio), lost + piece.lost
        if last:
            break
    writer.join()
    assert wrong == 0
    assert heard + lost == 15 * len(stretch)
