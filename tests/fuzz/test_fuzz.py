"""The fuzzer's targets, called by hypothesis, and what the fuzzer has found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtcluster import Processor, Settings
from rtcluster.durations import Duration
from rtcluster.errors import MAX_MESSAGE, RtclusterError, SettingsError, SourceError
from rtcluster.learning.kit_file import load
from rtcluster.learning.seeding import count
from rtcluster.recording.log import hits, read
from rtcluster.session.controls import Request
from rtcluster.sources.groove import render
from tests.fuzz import TARGETS, audio, kit, log, messages, process, watch
from tests.fuzz import settings as values
from tests.fuzz.feed import Feed, mutated
from tests.fuzz.watch import Finding, answer, check_events, folder

ROOT = Path(__file__).parents[2]

any_bytes = st.binary(max_size=600)
few = settings(max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)


@few
@given(any_bytes)
def test_any_block_is_heard_or_refused(data: bytes) -> None:
    process.one(data)


@few
@given(any_bytes)
def test_any_kit_is_loaded_or_refused(data: bytes) -> None:
    kit.one(data)


@few
@given(any_bytes)
def test_any_settings_are_taken_or_refused(data: bytes) -> None:
    values.one(data)


@few
@given(any_bytes)
def test_any_log_is_read_or_refused(data: bytes) -> None:
    log.one(data)


@few
@given(any_bytes)
def test_any_message_is_obeyed_or_refused(data: bytes) -> None:
    messages.one(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@few
@given(st.sampled_from(sorted(values.VALUES)), json_values)
def test_a_setting_of_any_kind_is_taken_or_refused(name: str, value: object) -> None:
    made = answer(lambda: Settings(**{name: value}))
    if made is not None:
        answer(lambda: made.spans(44100))


@few
@given(st.text(max_size=30), json_values)
def test_a_request_of_any_kind_is_taken_or_refused(what: str, value: object) -> None:
    answer(lambda: Request(what, value))
    answer(lambda: Request("rename", value))


def test_damaged_audio_of_each_format_is_heard_or_refused(tmp_path: Path) -> None:
    """In a process of its own: the last line would tell which file ended it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.audio", "--count", "2", "--no-cuts"],
        cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2000:]
    assert "done: " in done.stderr


def test_a_small_file_of_each_format_is_there() -> None:
    forms = {name.partition("/")[0] for name in audio.files()}
    assert {"WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "VOC", "NIST"} <= forms


# What the fuzzer found.


def test_a_message_is_a_line_whatever_stands_in_it() -> None:
    error = RtclusterError("got a\nb\x1b[31m\ud800\u2028 " + "x" * 5000)
    assert str(error).isprintable()
    assert str(error).startswith("got a\\nb\\x1b[31m\\ud800\\u2028 xxx")
    assert len(str(SourceError("x" * 5000))) <= 6 * MAX_MESSAGE


def test_a_missing_file_with_a_line_in_its_name_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RtclusterError) as caught:
        load(tmp_path / "a\nb.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["a\0b.json", "a\0b.jsonl"])
def test_a_path_that_cannot_be_one_is_refused(path: str) -> None:
    with pytest.raises(RtclusterError):
        load(path) if path.endswith("json") else read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_place_of_a_kit_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "kit.json")
    with pytest.raises(RtclusterError, match="a pipe instead of a file"):
        load(tmp_path / "kit.json")


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": "0.1"}, {"hop": 64.5}, {"seed": 1.5}, {"warmup": "8"}, {"memory": "1"},
        {"silence": {}}, {"clusterer": []}, {"velocity_range": 3}, {"features": [0.5]},
        {"features": 3}, {"buffer": "512"}, {"window": None}, {"classes": True}, {"freeze": 1},
        {"classes": "9" * 5000}, {"window": "9" * 400 + "ms"}, {"mask": "9" * 400},
        {"reject": float("nan")}, {"method": ["drums"]},
    ],
)  # fmt: skip
def test_a_setting_of_another_kind_is_refused(wrong: dict) -> None:
    with pytest.raises(SettingsError, match=r"^Expected .*got .*\.$"):
        Settings(**wrong)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 1e12])
def test_a_duration_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(SettingsError):
        Duration(value, "ms")


def test_lists_of_several_lengths_are_no_block() -> None:
    processor = Processor()
    processor.prepare(44100)
    with pytest.raises(RtclusterError, match="Expected an array of samples"):
        processor.process([[1.0, 2.0], [3.0]])


def test_a_signalling_nan_is_heard_as_any_other() -> None:
    processor = Processor()
    processor.prepare(44100)
    block = np.frombuffer(b"\x01\0\0\0\0\0\xf0\x7f" * 64, "<f8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert processor.process(block) == []
    assert processor.counts.bad_hops == 1


def test_hits_that_are_all_equally_far_apart_are_counted_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert count(np.array([[0.0, 0.0], [1.0, 1.0]])).size == 2


@pytest.mark.parametrize("method", ["drums", "hfc"])
def test_the_lowest_threshold_gives_numbers_that_json_can_carry(method: str) -> None:
    with pytest.raises(SettingsError, match="threshold"):
        Settings(threshold=1e-110)
    processor = Processor(Settings(method=method, threshold=1e-6, mask=0))
    processor.prepare(44100)
    events = processor.process(render(2.0).audio)
    assert events
    watch.check_events(events)


SESSION = {"event": "session", "version": 1, "samplerate": 44100, "source": "", "settings": {}}
ONSET = {"event": "onset", "id": 0, "sample": 10, "time": 0.0, "emitted": 74, "velocity": 9}
FINAL = {
    "event": "final", "id": 0, "sample": 10, "emitted": 4000, "class": 0, "name": "a", "zcr": 1,
    "span": 100,
}  # fmt: skip


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "line",
    [FINAL | {"velocity": {}}, ONSET | {"sample": 10**400}, ONSET | {"id": []},
     {**SESSION, "event": "onset"}],
)  # fmt: skip
def test_a_log_with_other_numbers_is_refused(tmp_path: Path, line: dict) -> None:
    with pytest.raises(SourceError, match=r"Expected the fields of .* line 3: "):
        read(written(tmp_path / "a.jsonl", SESSION, ONSET, line))


@pytest.mark.parametrize(
    ("line", "expected"),
    [(FINAL | {"energy": "\ud800"}, "surrogates not allowed"),
     (FINAL | {"energy": "much"}, "float`, got `str` - at `$.energy`"),
     (FINAL | {"margin": float("nan")}, "float` >= .* - at `$.margin`"),
     (FINAL | {"margin": 10**400}, "Number out of range - at `$.margin`"),
     (FINAL | {"features": {"air": "much"}}, "float`, got `str` - at `$.features"),
     (FINAL | {"revised": 1}, "bool`, got `int` - at `$.revised`")],
)  # fmt: skip
def test_a_log_with_no_number_for_a_measure_is_refused(
    tmp_path: Path, line: dict, expected: str
) -> None:
    path = written(tmp_path / "a.jsonl", SESSION, ONSET, line)
    expected = f"^Expected the fields of 'final' in .*, line 3: .*{expected}"
    with pytest.raises(SourceError, match=expected.replace("$", "[$]")):
        read(path)


def test_a_log_with_a_rate_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"Expected `int` .* at `[$].samplerate`"):
        read(written(tmp_path / "a.jsonl", SESSION | {"samplerate": 10**400}))


def test_a_number_of_thousands_of_digits_in_a_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"event": "session", "version": ' + "9" * 5000 + "}\n")
    with pytest.raises(SourceError, match="Expected a JSON object a line"):
        read(path)


def test_an_event_of_another_kind_may_have_any_id(tmp_path: Path) -> None:
    found = read(written(tmp_path / "a.jsonl", SESSION, ONSET, {"event": "later", "id": [1]}))
    assert [hit.id for hit in hits(found)] == [0]


@pytest.mark.parametrize("method", ["complex", "hfc", "drums"])
def test_a_hop_that_is_no_power_of_two_ends_no_program(method: str) -> None:
    processor = Processor(Settings(classes=3, method=method, hop=578))
    processor.prepare(11025)  # aubio's transform of 578 samples was the end of it
    found = processor.process(render(2.0, 11025).audio) + processor.flush()
    assert found
    check_events(found)


# The targets themselves: they have to be able to find something.


def test_each_target_has_one() -> None:
    assert TARGETS == ("process", "kit", "settings", "log", "messages", "audio")


@pytest.mark.parametrize("text", ["two\nlines", "", "\x1b[31m"])
def test_a_refusal_of_more_than_a_line_is_a_finding(text: str) -> None:
    class Unescaped(RtclusterError):
        __str__ = Exception.__str__

    def refuse() -> None:
        raise Unescaped(text)

    with pytest.raises(Finding, match="should be a line"):
        answer(refuse)


def test_another_error_and_a_warning_are_findings() -> None:
    with pytest.raises(ZeroDivisionError):
        answer(lambda: 1 // 0)
    with pytest.raises(UserWarning):
        answer(lambda: warnings.warn("odd", stacklevel=1))


def test_an_answer_that_takes_too_long_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENCE_S", -1.0)
    with pytest.raises(Finding, match="It took"):
        answer(lambda: None)


def test_a_file_outside_of_the_folder_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(Finding, match="Written outside"), folder():
        (tmp_path / "a").write_text("x")
    with folder() as place:
        (place / "a").write_text("x")


def test_a_feed_gives_zeros_when_it_is_empty() -> None:
    feed = Feed(b"\x05")
    assert feed.whole(0, 255) == 5
    assert (feed.whole(3, 9), feed.real(), feed.yes(), feed.left) == (3, 0.0, False, 0)


def test_a_mutated_tree_leaves_the_first_as_it_was() -> None:
    tree = {"a": [1, 2, {"b": 3}]}
    found = [mutated(Feed(bytes([3, *range(n, n + 60)])), tree) for n in range(60)]
    assert tree == {"a": [1, 2, {"b": 3}]}
    assert any(one != tree for one in found)
