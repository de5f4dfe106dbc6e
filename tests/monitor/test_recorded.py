"""What was recorded can be downloaded, by those with the token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
            assert response.text == expected  # type: ignore[attr-defined]
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


def test_what_is_no_format_and_what_is_no_recording_is_told_in_a_line(
    monitor: Monitor, visitor: Visitor, tmp_path: Path
) -> None:
    def told(name: str) -> str:
        response = visitor.get(f"/export/{name}", Cookie=visitor.cookie)
        assert response.status == 404
        text: str = response.text  # type: ignore[attr-defined]
        assert text.count("\n") == 1
        return text

    assert told("csv").startswith("Nothing has been recorded yet")
    assert told("clicks.wav").startswith("Expected one of csv, ")
    with visitor.page() as page:
        monitor.end(recorded(tmp_path / "gone", samples=0))
        monitor.end(recorded(tmp_path / "gone"))
        hear(page, "recorded")
    assert told("csv").startswith("Expected a recording's folder")
    assert visitor.status("/export/..%2F..%2Fetc%2Fpasswd", Cookie=visitor.cookie) == 404
