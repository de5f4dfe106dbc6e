"""What the process that looks for devices says, and what else may come of it."""

from __future__ import annotations

import sys

import pytest

from rtcluster.sources.probe import look

TALKATIVE = """
import os
from types import SimpleNamespace

os.write(1, b"jack server is not running or cannot be started\\n")  # as the library in C does
default = SimpleNamespace(device=(0, 0))

def query_hostapis():
    return [{"name": "ALSA", "default_input_device": 0}]

def query_devices():
    print("Cannot connect to server socket")
    return [{
        "name": "a card", "hostapi": 0, "max_input_channels": 2, "max_output_channels": 0,
        "default_samplerate": 44100.0, "default_low_input_latency": 0.005,
    }]
"""


def test_what_libraries_print_is_no_part_of_the_answer(tmp_path, monkeypatch):
    (tmp_path / "sounddevice.py").write_text(TALKATIVE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [device] = look(patience_s=30.0)
    assert (device.name, device.inputs, device.samplerate) == ("a card", 2, 44100)


@pytest.mark.parametrize("program", ["/bin/echo", "/bin/false", "/none/such"])
def test_a_process_that_says_something_else_or_cannot_be_had_has_seen_nothing(program, monkeypatch):
    monkeypatch.setattr(sys, "executable", program)
    assert look() == []
