"""Kits of a session that goes on: what is in them, and that they replace nothing."""

from __future__ import annotations

import numpy as np
import pytest

from rtcluster import Processor, Settings
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.learning.kit_file import load
from rtcluster.recording import kits
from rtcluster.recording.targets import Guard, id_of
from tests.support.taught import taught_kit


@pytest.fixture(scope="module")
def taught():
    return taught_kit()


@pytest.fixture
def processor(taught):
    with Processor(Settings(), kit=taught) as made:
        made.prepare(44100)
        yield made


def test_merged_drums_are_one_class_of_the_kit_with_the_audio_of_both(processor, taught, tmp_path):
    processor.merge(2, 0)
    assert processor.learner.names == ["kick", "snare", "kick"]
    kit = processor.save_kit(tmp_path / "my.kit")
    assert kit.names == ("kick", "snare")
    assert [one["class"] for one in kit.strokes["audio"]] == [0] * 5 + [1] * 5 + [0] * 5
    assert load(tmp_path / "my.kit") == kit
    again = Processor(Settings(), kit=kit)
    again.prepare(44100)
    assert again.learner.names == ["kick", "snare"]
    again.close()
    processor.merge(0, 1)
    assert processor.present_kit().names == ("snare",)
    processor.name_as(dict(enumerate(taught.names)))
    assert processor.present_kit() == taught


def test_there_is_no_kit_without_classes():
    with Processor(Settings(classes=2)) as processor:
        processor.prepare(44100)
        processor.process(np.zeros(4410, np.float32))
        with pytest.raises(RtclusterError, match="Expected classes to save"):
            processor.present_kit()


def test_each_kit_that_is_kept_is_a_new_file(taught, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda _: "rtcluster now")
    (tmp_path / "rtcluster now 2.kit").write_text("somebody's")
    (tmp_path / "rtcluster now 3.kit").symlink_to("nowhere")
    paths = [kits.keep(taught, Guard()) for _ in range(2)]
    assert [path.name for path in paths] == ["rtcluster now.kit", "rtcluster now 4.kit"]
    assert [load(path) for path in paths] == [taught, taught]
    assert (tmp_path / "rtcluster now 2.kit").read_text() == "somebody's"
    assert not (tmp_path / "nowhere").exists()


def test_a_kit_is_not_kept_where_something_else_is_to_be_written(taught, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda _: "rtcluster now")
    path = tmp_path / "rtcluster now.kit"
    with pytest.raises(SettingsError, match="two outputs would go there"):
        kits.keep(taught, Guard(others=frozenset({path.resolve()})))
    assert not path.exists()
    assert id_of(path) is None
    (tmp_path / "locked").mkdir()
    monkeypatch.chdir(tmp_path / "locked")
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(RtclusterError, match="cannot be written to"):
        kits.keep(taught, Guard())
