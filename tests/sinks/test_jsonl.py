"""Events as JSON Lines, live: nobody waits for who reads them, and a file gets every one."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress

import pytest

from rtcluster.errors import RtclusterError
from rtcluster.events import Relabel
from rtcluster.sinks import jsonl
from rtcluster.sinks.jsonl import JsonLines
from rtcluster.sinks.outbox import EVENTS

PIPE_LINES = 65536 // 40
"""A pipe's room on Linux in lines of an event: none is shorter."""


def event(number):
    return Relabel(number, 0, "kick")


def ids(text):
    return [json.loads(line)["id"] for line in text.splitlines()]


@pytest.fixture
def said():
    return []


@pytest.fixture
def unread(said):
    """A sink into a pipe, and the end of it that nobody reads from yet."""
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    with os.fdopen(reader) as end:
        yield JsonLines(stream, report=said.append), end
    with suppress(OSError):  # nobody is there any more, so that the writer's thread ends
        stream.close()


def test_a_pipe_that_nobody_reads_makes_nobody_wait_and_what_is_dropped_is_told(unread, said):
    sink, _ = unread
    for number in range(3 * EVENTS):
        sink.event(event(number))  # one that waited would wait for ever
    # The thread has at most an outbox's fill in hand and a pipe's in the pipe, the outbox the rest.
    assert EVENTS - PIPE_LINES <= sink.figures()["jsonl"]["lines_dropped"] <= 2 * EVENTS
    assert [line.split("; ")[1] for line in said] == ["the oldest lines of events are dropped."]


def test_closing_gives_up_a_reader_that_stands_still_and_tells_how_much_was_lost(
    unread, said, monkeypatch
):
    monkeypatch.setattr(jsonl, "READER_S", 0.2)
    sink, end = unread
    for number in range(4000):
        sink.event(event(number))
    began = time.monotonic()
    sink.close()
    assert time.monotonic() - began < 2.0
    os.set_blocking(end.fileno(), False)
    written = os.read(end.fileno(), 1 << 20).decode().rpartition("\n")[0]
    [line] = said
    assert int(line.split(": ")[1].split()[0]) == 4000 - len(ids(written))


def test_a_slow_reader_that_goes_on_is_waited_for(unread, said, monkeypatch):
    monkeypatch.setattr(jsonl, "READER_S", 0.5)
    sink, end = unread
    for number in range(4000):
        sink.event(event(number))
    closing = threading.Thread(target=sink.close)
    closing.start()
    lines = []
    while len(lines) < 4000:
        lines.append(end.readline())
        if not len(lines) % 200:
            time.sleep(0.05)
    closing.join()
    assert ids("".join(lines)) == list(range(4000))
    assert said == []


def test_a_file_loses_nothing_however_long_the_disk_stands_still(tmp_path, said, monkeypatch):
    goes_on, write = threading.Event(), JsonLines.write

    def stalled(self, line):
        goes_on.wait()
        write(self, line)

    monkeypatch.setattr(JsonLines, "write", stalled)
    sink = JsonLines.open(str(tmp_path / "events.jsonl"), said.append)
    for number in range(EVENTS + 5000):
        sink.event(event(number))
    goes_on.set()
    sink.close()
    assert ids((tmp_path / "events.jsonl").read_text()) == list(range(EVENTS + 5000))
    assert said == []
    assert sink.figures() == {}


def test_what_fails_is_raised_with_the_next_event_and_once():
    sink = JsonLines.open("/dev/full", print)
    with pytest.raises(RtclusterError, match=r"^Expected to write events to /dev/full, got: No"):
        for number in range(500):
            sink.event(event(number))
            time.sleep(0.01)
    sink.close()


def test_a_pipe_that_nobody_reads_is_waited_for_with_a_word(tmp_path):
    pipe, said, content = tmp_path / "pipe", [], []
    os.mkfifo(pipe)

    def say(text):
        said.append(text)
        reader.start()

    reader = threading.Thread(target=lambda: content.append(pipe.read_text()))
    sink = JsonLines.open(str(pipe), say=say)
    sink.event(Relabel(0, 1, "snare"))
    sink.close()
    reader.join(10)
    assert said == [f"Waiting for somebody to read {pipe}; Ctrl-C ends it."]
    assert json.loads(content[0])["name"] == "snare"


def test_a_pipe_that_is_read_is_not_spoken_of_and_written_to_as_a_pipe(tmp_path):
    """With more than it holds: the writer waits for the reader."""
    pipe, said = tmp_path / "pipe", []
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    sink = JsonLines.open(str(pipe), say=said.append)
    os.set_blocking(held, True)
    content = []
    with open(held, encoding="utf-8") as file:  # noqa: PTH123  # a descriptor
        reader = threading.Thread(target=lambda: content.extend(file))
        reader.start()
        for number in range(3 * PIPE_LINES):
            sink.event(Relabel(number, 1, "snare"))
        sink.close()
        reader.join(10)
    assert said == []
    assert len(content) == 3 * PIPE_LINES
