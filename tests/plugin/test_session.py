"""A host's session comes back: what the plug-in was set to, and with it the notes."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import URI
from tests.support import lilv

OTHER = {
    "threshold": 0.4,
    "mask": 60.0,
    "stage": 1.0,
    "gain": -6.0,
    "drum_kick_note": 50.0,
    "drum_kick_mute": 0.0,
    "drum_snare_note": 51.0,
    "drum_snare_mute": 1.0,
    "drum_hat_note": 52.0,
    "drum_hat_mute": 0.0,
}
"""A value for each control that a host does not begin with, but for two mutes."""


@pytest.fixture
def other():
    """OTHER, of a plug-in that runs here."""
    if reason := lilv.missing():
        pytest.skip(reason)
    return OTHER


def test_a_session_that_was_saved_comes_back_with_its_notes(built, hits, tmp_path, other):
    audio = hits()
    with lilv.Plugin(built, URI) as before:
        usual = before.controls.copy()
        at_first = before.play(audio)
        assert usual.keys() == other.keys()
        assert [name for name in usual if usual[name] == other[name]] == [
            "drum_kick_mute", "drum_hat_mute",
        ]  # fmt: skip
        before.controls.update(other)
        notes = before.play(audio)
        before.save(tmp_path / "session")
    assert {note for _, note, _ in notes} == {50, 52}
    with lilv.Plugin(built, URI) as after:
        assert after.controls == usual
        assert after.play(audio) == at_first
        after.restore(tmp_path / "session")
        assert after.controls == pytest.approx(other)
        assert after.play(audio) == notes
