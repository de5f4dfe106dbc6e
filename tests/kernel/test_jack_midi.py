from __future__ import annotations

import numpy as np
import pytest

from rtcluster.kernel.jack_midi import JACK_MIDI, ROOM, push
from tests.kernel.test_ring import atomic_orders, compile_afresh


@pytest.fixture
def own():
    return np.zeros(1, JACK_MIDI)


def message(*values):
    return np.frombuffer(bytes(values), np.uint8)


def test_a_message_lies_in_its_slot_until_it_is_read(own):
    assert push(own, message(0x99, 38, 100))
    assert push(own, message(0xC9, 5))
    assert own["written"] == 2
    assert own["sizes"][0, :2].tolist() == [3, 2]
    assert own["messages"][0, :2].tolist() == [[0x99, 38, 100], [0xC9, 5, 0]]


def test_a_full_ring_takes_nothing_and_says_so(own):
    assert all(push(own, message(0x99, n & 127, 1)) for n in range(ROOM))
    assert not push(own, message(0x99, 1, 1))
    assert own["written"] == ROOM
    own["read"] += 1
    assert push(own, message(0x89, 1, 64)), "there is room again"
    assert own["messages"][0, 0].tolist() == [0x89, 1, 64]


def test_a_message_is_whole_before_it_is_seen(own):
    writer = compile_afresh(push, own, message(0x99, 1, 1))
    assert {("load", "acquire"), ("store", "release")} <= atomic_orders(writer)
