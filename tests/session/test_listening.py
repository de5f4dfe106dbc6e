"""``rtcluster.listen``, on a card that plays a recording."""

import logging
import threading

import pytest

import rtcluster
from rtcluster import Final, Guess, Onset
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.learning import kit_file
from rtcluster.sinks import Sink
from tests.conftest import run


@pytest.fixture
def plays(card, monkeypatch):
    """A card that has all of its audio for one session, and then ends."""

    def play(audio):
        card(audio)
        monkeypatch.setattr("rtcluster.session.takes.came_back", lambda *_: False)

    return play


def test_the_hits_are_those_of_a_run_on_the_file(plays, drums):
    audio = drums.audio[: 4 * 44100]
    plays(audio)
    with rtcluster.listen(classes=3) as hits:
        found = list(hits)
    wanted = [e for e in run(audio, settings=rtcluster.Settings(classes=3)) if type(e) is Final]
    assert [hit.sample for hit in found] == [hit.sample for hit in wanted]
    assert [hit.name for hit in found] == [hit.name for hit in wanted]
    assert [hit.time for hit in found] == [round(hit.sample / 44100, 6) for hit in found]
    assert hits.summary["hits"] == len(found) > 10


@pytest.mark.parametrize(("at", "kind"), [("onset", Onset), ("guess", Guess), ("final", Final)])
def test_on_hit_is_called_with_each_hit(plays, drums, at, kind):
    plays(drums.audio[: 2 * 44100])
    came = []
    with rtcluster.listen(on_hit=came.append, at=at) as hits:
        assert list(hits) == []
    assert came
    assert {type(hit) for hit in came} == {kind}


def test_what_on_hit_raises_ends_the_session_and_is_raised(plays, drums):
    plays(drums.audio[: 2 * 44100])

    def fails(hit):
        raise ZeroDivisionError(f"at {hit.time}")

    with pytest.raises(ZeroDivisionError), rtcluster.listen(on_hit=fails) as hits:
        for _ in hits:
            pass


def test_it_stops_from_within_and_from_another_thread(plays, drums):
    plays(drums.audio)
    with rtcluster.listen(classes=3) as hits:
        for _ in hits:
            hits.stop()
    assert not [one for one in threading.enumerate() if one.name == "rtcluster-listen"]


def test_leaving_by_an_exception_stops_it_and_keeps_the_exception(plays, drums):
    plays(drums.audio[: 2 * 44100])
    with pytest.raises(KeyboardInterrupt), rtcluster.listen(on_hit=lambda _: 1 / 0):
        raise KeyboardInterrupt
    assert not [one for one in threading.enumerate() if one.name == "rtcluster-listen"]


def test_classes_are_named_and_kept_in_a_kit(plays, drums, tmp_path):
    plays(drums.audio)
    with rtcluster.listen(classes=3) as hits:
        hits.rename(0, "kick")
        with pytest.raises(RtclusterError, match="got 'gong'"):
            hits.rename("gong", "tam-tam")
        names = {hit.name for hit in hits}
        assert "kick" in hits.names
    hits.save_kit(tmp_path / "kit.json")
    assert "kick" in names
    assert "kick" in kit_file.load(tmp_path / "kit.json").names
    plays(drums.audio[: 2 * 44100])
    with rtcluster.listen(kit=tmp_path / "kit.json") as hits:
        assert {hit.name for hit in hits} <= set(hits.names)


def test_classes_are_merged_and_apart_again(plays, drums, tmp_path):
    plays(drums.audio)
    with rtcluster.listen(classes=3) as hits:
        hits.merge("class 1", "class 0")
        hits.merge(2, 0)
        hits.undo()
        list(hits)
        assert hits.names == ["class 0", "class 0", "class 2"]
    assert set(hits.summary["classes"]) == {"class 0", "class 2"}
    hits.save_kit(tmp_path / "kit.json")
    assert kit_file.load(tmp_path / "kit.json").names == ("class 0", "class 2")


def test_what_cannot_be_done_is_refused_before_anything_runs(plays, drums):
    plays(drums.audio[:44100])
    for wrong in ({"at": "once"}, {"channel": 0}, {"threshold": -1.0}, {"classes": 0}):
        with pytest.raises(SettingsError, match=r"^Expected "):
            rtcluster.listen(**wrong)


def test_a_sink_that_fails_is_logged(plays, drums, caplog):
    class Failing(Sink):
        def event(self, event):
            raise OSError("full")

    plays(drums.audio[:44100])
    with caplog.at_level(logging.WARNING, "rtcluster"), rtcluster.listen(sinks=[Failing()]) as hits:
        list(hits)
    assert any("gets no more events: full" in line for line in caplog.messages)
