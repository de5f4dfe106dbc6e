from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from rtcluster import Settings
from rtcluster.batch.analyst import Analyst, one_by_one, to_file, to_text
from rtcluster.batch.jobs import Job, Tell
from rtcluster.commands.options import channel_of
from rtcluster.errors import SettingsError
from tests.batch.conftest import CHOSEN


def lines_of(analyst, job):
    out = io.StringIO()
    return analyst.analyse(job, out), out.getvalue()


def test_a_warm_analyst_writes_what_a_fresh_one_does_to_the_byte(paths, alone):
    analyst = Analyst()
    for path in [*paths, *reversed(paths), *paths[:1]]:
        outcome, lines = lines_of(analyst, Job(path, CHOSEN))
        assert outcome.complete
        assert lines == alone[path]


@pytest.mark.parametrize(
    "settings",
    [
        Settings(classes="auto"),
        Settings(classes=3, method="hfc", features="best", memory=8),
        Settings(classes=2, velocity="log", scaling="robust", reject=4.0),
    ],
)
def test_whatever_the_settings_a_new_start_forgets_all(paths, settings):
    warm = Analyst()
    lines_of(warm, Job(paths[1], settings))
    for path in (paths[0], paths[3]):
        assert lines_of(warm, Job(path, settings)) == lines_of(Analyst(), Job(path, settings))


def test_settings_and_channels_may_change_from_job_to_job(paths, alone):
    analyst, stereo = Analyst(), paths[2]
    for job in (
        Job(stereo, CHOSEN, channel=2),
        Job(stereo, CHOSEN, channel="all"),
        Job(paths[0], CHOSEN, channel="all"),
        Job(stereo, Settings(classes=2)),
        Job(stereo, CHOSEN),
    ):
        assert lines_of(analyst, job) == lines_of(Analyst(), job)
    assert lines_of(analyst, Job(stereo, CHOSEN))[1] == alone[stereo]


def test_all_channels_say_what_each_says_alone(paths):
    _, together = lines_of(Analyst(), Job(paths[2], CHOSEN, channel="all"))
    together = [json.loads(line) for line in together.splitlines()][1:-1]
    for channel in (1, 2):
        _, own = lines_of(Analyst(), Job(paths[2], CHOSEN, channel=channel))
        own = [json.loads(line) for line in own.splitlines()][1:-1]
        assert own == [
            {k: v for k, v in line.items() if k != "channel"}
            for line in together
            if line["channel"] == channel
        ]


def test_a_channel_without_classes_is_told_and_does_not_fail_the_others(tmp_path, drums):
    quiet = drums.audio.copy()
    quiet[drums.strokes[2].sample :] = 0.0
    path = str(tmp_path / "kit.wav")
    soundfile.write(path, np.stack([drums.audio, quiet], axis=1), 44100)
    outcome, _ = lines_of(Analyst(), Job(path, CHOSEN, channel="all"))
    assert outcome.complete
    assert outcome.problem == ""
    assert "channel 2: Expected at least 3 different hits" in outcome.notes[0]


def test_bad_input_is_an_outcome_and_the_next_job_goes_well(tmp_path, paths, alone):
    analyst = Analyst()
    (tmp_path / "text.wav").write_text("this is not audio")
    for job, usage in (
        (Job(str(tmp_path / "text.wav"), CHOSEN), False),
        (Job(paths[0], CHOSEN, channel=2), True),
        (Job(paths[0], Settings(classes=3, window="400ms", guess="450ms")), True),
    ):
        outcome, lines = lines_of(analyst, job)
        assert outcome.problem.startswith("Expected ")
        assert (outcome.usage, outcome.general, outcome.complete) == (usage, False, False)
        assert lines == ""
    assert lines_of(analyst, Job(paths[0], CHOSEN))[1] == alone[paths[0]]


def test_a_kit_that_cannot_be_read_fails_them_all(paths, tmp_path):
    outcome, _ = lines_of(Analyst(), Job(paths[0], CHOSEN, kit=str(tmp_path / "none.kit")))
    assert outcome.general
    assert outcome.problem.startswith("Expected a kit at")


def test_a_disk_that_is_full_fails_them_all(paths):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    outcome = Analyst().analyse(Job(paths[0], CHOSEN), Full())
    assert outcome.general
    assert "No space left" in outcome.problem
    assert not outcome.complete


def test_an_output_that_cannot_be_opened_is_told(paths, tmp_path):
    outcome = to_file(Analyst(), Job(paths[0], CHOSEN), str(tmp_path / "no" / "such"))
    assert outcome.problem.startswith("Expected to write events to")


def test_relative_paths_belong_to_the_jobs_folder(archive, paths, alone):
    outcome, lines = to_text(replace(Job("a.wav", CHOSEN), folder=str(archive)))
    assert outcome.complete
    head, rest = lines.split("\n", 1)
    assert json.loads(head)["source"] == "a.wav"
    assert rest == alone[paths[0]].split("\n", 1)[1]


def test_one_by_one_tells_how_far_it_is(tasks):
    heard = []
    done = list(one_by_one(tasks, Tell(print, heard=heard.append)))
    assert [task.number for task, _ in done] == list(range(5))
    assert max(heard) == 6.0


@pytest.mark.parametrize(
    ("given", "meant"), [(None, None), ("2", 2), ("all", "all"), ("0", None), ("left", None)]
)
def test_a_channel_is_a_number_from_1_or_all(given, meant):
    if given in ("0", "left"):
        with pytest.raises(SettingsError, match="Expected a channel from 1, several "):
            channel_of(given)
    else:
        assert channel_of(given) == meant
