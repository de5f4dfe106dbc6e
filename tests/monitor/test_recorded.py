"""What was recorded can be downloaded, by those with the token."""

from __future__ import annotations

import io
import json
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from rtcluster import exports
from rtcluster.exports.take import read
from rtcluster.monitor.recorded import FORMATS
from rtcluster.monitor.sink import Monitor

from .conftest import Visitor, hear, hit, present, session_line, summary_line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording of three hits, the drums of which were merged."""
    lines = [session_line()]
    for number in range(3):
        lines += [event.as_dict() for event in hit(number, 44100 * (1 + number), number % 2)]
    renamed = {"class": 1, "name": "kick"}
    lines.append({"event": "control", "sample": 130000, "what": "rename", "value": renamed})
    made = tmp_path / "Töne take 2"
    made.mkdir()
    text = "".join(json.dumps(line) + "\n" for line in [*lines, summary_line(samples=150000)])
    (made / "events.jsonl").write_text(text)
    return made


def recorded(folder: Path, samples: int = 150000) -> dict[str, object]:
    """The summary of a session that was recorded."""
    return summary_line(
        recording={"folder": str(folder), "samples": samples, "lost": 0, "complete": True}
    )


def test_a_recording_is_exported_as_the_command_does_it(
    monitor: Monitor, visitor: Visitor, folder: Path, tmp_path: Path
) -> None:
    before = sorted(folder.iterdir())
    with visitor.page() as page:
        assert present(page) == []
        monitor.begin(session_line())
        monitor.end(recorded(folder))
        assert hear(page, "recorded")["folder"] == str(folder)
    monitor.begin(session_line(source="the next one"))
    with visitor.page() as page:
        assert present(page)[-1]["event"] == "recorded"
    for name in FORMATS:
        target, _ = exports.export(name, read(folder), exports.Wanted(), tmp_path / "expected")
        response = visitor.get(f"/export/{name}", Cookie=visitor.cookie)
        assert response.status == 200, name
        ending = exports.FORMATS[name].ending
        assert response.headers["Content-Disposition"] == (
            f"attachment; filename*=UTF-8''T%C3%B6ne%20take%202{ending}"
        )
        if name in ("csv", "audacity", "sonic-visualiser"):
            expected = target.read_bytes().decode()
            assert response.text == expected
            assert "kick" in expected
            assert "snare" not in expected, "it was merged"
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_exported_without_the_token(
    monitor: Monitor, visitor: Visitor, folder: Path, name: str
) -> None:
    monitor.begin(session_line())
    with visitor.page() as page:
        monitor.end(recorded(folder))
        hear(page, "recorded")
    assert visitor.status(f"/export/{name}") == 403
    assert visitor.status(f"/export/{name}?token=wrong") == 403
    assert visitor.status(f"/export/{name}", Cookie=visitor.cookie, Origin="http://a.b") == 403


@pytest.fixture
def take(folder: Path) -> Path:
    """The same with strokes at 96 bpm, and audio."""
    events = folder / "events.jsonl"
    head, *_ = events.read_text().splitlines()
    strokes = [round(44100 * (1 + 60 / 96 * n)) for n in range(24)]
    lines = [e.as_dict() for n, at in enumerate(strokes) for e in hit(n, at, n % 2)]
    lines.append(summary_line(samples=strokes[-1] + 44100))
    events.write_text("".join(f"{line}\n" for line in [head, *map(json.dumps, lines)]))
    audio = 0.5 * np.sin(np.arange(strokes[-1] + 44100) / 20)
    soundfile.write(folder / "audio.wav", audio, 44100, subtype="FLOAT")
    return folder


def test_tempo_and_clicks_can_be_chosen_as_with_the_command(
    monitor: Monitor, visitor: Visitor, take: Path, tmp_path: Path
) -> None:
    with visitor.page() as page:
        monitor.end(recorded(take))
        hear(page, "recorded")

    def got(path: str) -> bytes:
        response = visitor.get(f"/export/{path}", Cookie=visitor.cookie)
        assert response.status == 200
        return response.body

    def bpm(choice: str) -> float:
        file = mido.MidiFile(file=io.BytesIO(got(f"midi{choice}")))
        [found] = [message.tempo for message in file.tracks[0] if message.type == "set_tempo"]
        return float(mido.tempo2bpm(found))

    assert bpm("") == 120.0
    assert bpm("?bpm=93.5") == pytest.approx(93.5, abs=1e-3)
    assert bpm("?bpm=auto") == pytest.approx(96.0, abs=0.5)
    for choice, mix in (("", False), ("?mix=1", True)):
        wanted = exports.Wanted(mix=mix)
        target, _ = exports.export("clicks.wav", read(take), wanted, tmp_path / "clicks.wav")
        assert got(f"clicks.wav{choice}") == target.read_bytes()


def test_what_is_no_format_and_what_is_no_recording_is_told_in_a_line(
    monitor: Monitor, visitor: Visitor, tmp_path: Path, folder: Path
) -> None:
    def told(name: str) -> str:
        response = visitor.get(f"/export/{name}", Cookie=visitor.cookie)
        assert response.status == 404
        assert response.text.count("\n") == 1
        return response.text

    assert told("csv").startswith("Nothing has been recorded yet")
    assert told("svg").startswith("Expected one of csv, ")
    with visitor.page() as page:
        monitor.end(recorded(tmp_path / "gone", samples=0))
        monitor.end(recorded(tmp_path / "gone"))
        hear(page, "recorded")
    assert told("csv").startswith("Expected a recording's folder")
    with visitor.page() as page:
        monitor.end(recorded(folder))
        hear(page, "recorded")
    assert told("midi?bpm=fast").startswith("Expected bpm with a number or auto, got 'fast'.")
    assert told("midi?bpm=nan").startswith("Expected a tempo from 10 to 1000 bpm, got nan.")
    assert told("clicks.wav?mix=1").startswith("Expected audio.wav or audio.flac beside")
    assert visitor.status("/export/..%2F..%2Fetc%2Fpasswd", Cookie=visitor.cookie) == 404
