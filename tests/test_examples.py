"""The examples do what they say, in this process and on a groove in place of a sound card."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from rtcluster import Processor, Settings
from rtcluster.sources import groove
from rtcluster.sources.virtual import VirtualInput

EXAMPLES = Path(__file__).parents[1] / "examples"

PLAYED_S = 4.0


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_callback_is_called_for_each_hit(card, capsys, monkeypatch):
    played = groove.render(PLAYED_S)
    card(played.audio)
    monkeypatch.setattr("rtcluster.session.takes.came_back", lambda *_: False)
    example("live_callback").main(seconds=1.0)  # the card is faster than the clock
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(played.strokes)
    assert "class" in lines[-1]


def test_the_trigger_sends_the_notes_of_its_drum_alone(tmp_path, monkeypatch):
    module = example("midi_trigger")
    kit, sent = tmp_path / "my.kit", []
    played = groove.render(8.0)
    learner = Processor(Settings(classes=3))
    learner.prepare(played.samplerate)
    learner.process(played.audio)
    learner.rename(1, "snare")
    learner.save_kit(kit)

    class Port:
        send = staticmethod(sent.append)
        __enter__ = __exit__ = lambda *_: None

    monkeypatch.setattr(module.mido, "get_output_names", list)
    monkeypatch.setattr(module.mido, "open_output", lambda *_, **__: Port())
    monkeypatch.setattr(
        module, "LiveInput", lambda ear: VirtualInput(ear, played.audio, played.samplerate)
    )
    module.main(str(kit), "snare", "38", seconds=PLAYED_S)
    struck = [one for one in played.strokes if one.drum == "snare"]
    due = [one for one in struck if one.sample < (PLAYED_S - 0.5) * played.samplerate]
    starts = [message for message in sent if message.type == "note_on"]
    assert len(due) <= len(starts) <= len(due) + 1
    assert {(m.note, m.channel) for m in starts} == {(38, 9)}


def test_the_meter_measures_no_less_than_the_engine_waits():
    ms = example("latency_meter").main(PLAYED_S)
    assert min(ms["Guess"]) >= 30.0
    assert min(ms["Final"]) >= 90.0
    assert len(ms["Onset"]) >= len(groove.render(PLAYED_S).strokes) - 1


def test_the_table_has_a_row_for_each_drum(tmp_path, capsys):
    pytest.importorskip("pandas", reason="pandas is not installed")
    played = groove.render(6.0)
    processor = Processor(Settings(classes=3))
    processor.prepare(played.samplerate)
    events = [*processor.process(played.audio), *processor.flush()]
    path = tmp_path / "hits.jsonl"
    head = {"event": "session", "version": 1, "samplerate": played.samplerate, "source": "groove"}
    lines = [head, *(event.as_dict() for event in events)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    summary = example("hits_pandas").main(str(path))
    drums = [stroke.drum for stroke in played.strokes]
    assert summary["hits"].tolist() == [drums.count(one) for one in groove.DRUMS]
    assert "velocity" in capsys.readouterr().out


def test_the_notebook_is_kept_with_its_outputs():
    notebook = json.loads((EXAMPLES / "kmeans.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells)
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 4
