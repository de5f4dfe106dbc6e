"""What ``run`` shows in a terminal, and where its events go otherwise."""

from __future__ import annotations

import json
import re
import sys

import pytest

from rtcluster import read
from rtcluster.commands.hit_tables import HitTables


@pytest.fixture
def terminal(monkeypatch, rtcluster):
    """The program whose standard output is a terminal."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        return rtcluster(*arguments)

    return call


def rows(out):
    """Cells of the tables' rows."""
    return [re.split(r"\s*│\s*", line)[1:-1] for line in out.splitlines() if "│" in line]


def test_a_terminal_gets_a_table_of_the_hits_as_they_were_known_in_the_end(
    terminal, rtcluster, wav, tmp_path
):
    code, out, _ = terminal("run", wav, "-k", "3")
    assert code == 0
    kept = tmp_path / "kept.jsonl"
    assert rtcluster("run", wav, "-k", "3", "--jsonl", kept)[:2] == (0, "")
    table = read(kept)
    shown = rows(out)
    assert len(shown) == len(table) > 12
    assert [row[:2] for row in shown] == [[f"{hit.time:.3f}", hit.name] for hit in table]
    assert "{" not in out
    assert f"{len(table)} hits in " in out
    assert f"{(table.name == 'class 2').sum()} class 2" in out


def test_json_lines_are_for_whoever_asks_for_them(terminal, wav):
    code, out, _ = terminal("run", wav, "-k", "3", "--jsonl", "-")
    assert code == 0
    assert {json.loads(line)["event"] for line in out.splitlines()} >= {"session", "summary"}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_recording_has_its_table_and_each_channel_its_column(terminal, wav, jobs):
    code, out, err = terminal("run", wav, wav, "-k", "3", "-c", "all", "-j", jobs)
    assert code == 0, err
    assert out.count(f"{wav}, 44100 Hz") == 2
    assert {row[1] for row in rows(out)} == {"1"}


def test_a_recording_without_classes_is_shown_without(terminal, wav):
    code, out, _ = terminal("run", wav, "-k", "3", "--warmup", "1000", "--silence", "-1")
    assert "no classes" in out
    assert code == 0


def test_what_was_known_of_a_recording_that_was_broken_off_is_shown(rtcluster, wav, capsys):
    """Whatever the pieces in which its lines come."""
    whole = rtcluster("run", wav, "-k", "3")[1].splitlines(keepends=True)
    text = "".join(whole[:-1])
    tables = HitTables()
    for start in range(0, len(text), 1000):
        assert tables.write(text[start : start + 1000]) > 0
    tables.show()
    assert capsys.readouterr().out == ""
    tables.close()
    out = capsys.readouterr().out
    assert len(rows(out)) == sum(line.startswith('{"event": "final"') for line in whole)
    assert out.rstrip().endswith("broken off")


def test_events_go_to_one_place(rtcluster, wav, tmp_path):
    code, _, err = rtcluster("run", wav, "--out", tmp_path / "out", "--jsonl", "-")
    assert code == 2
    assert "Expected --out or --jsonl for the events, got both." in err
    own = tmp_path / "notes.txt"
    own.write_text("mine")
    code, _, err = rtcluster("run", wav, "--jsonl", own)
    assert code == 1
    assert own.read_text() == "mine"
