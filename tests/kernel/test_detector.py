from __future__ import annotations

import mir_eval
import numpy as np
import pytest
import soxr
from scipy.signal import butter, sosfilt

from rtcluster import Onset, Settings
from rtcluster.presets import AUBIO_PRESETS, PRESETS
from rtcluster.sources import groove
from tests.conftest import run

RATE = 44100
SECONDS = 20


def hits(audio, rate=RATE, **settings):
    """The onsets alone; nothing is learned."""
    chosen = Settings(freeze=True, warmup=1_000_000, **settings)
    events = run(audio.astype(np.float32), rate, settings=chosen)
    return [event for event in events if isinstance(event, Onset)]


def times(audio, rate=RATE, **settings):
    """When they began, in s."""
    return np.array([hit.sample / rate for hit in hits(audio, rate, **settings)])


def level(db):
    return 10 ** (db / 20)


def room(seconds, db=-75.0, seed=1):
    """A quiet room, in which what is under test sounds."""
    rng = np.random.default_rng(seed)
    return level(db) * rng.standard_normal(round(seconds * RATE))


def play(audio, sound, at, db=0.0):
    """Add a sound at a time in s."""
    start = round(at * RATE)
    sound = sound[: len(audio) - start]
    audio[start : start + len(sound)] += level(db) * sound
    return start / RATE


def strokes(voice, count, seed=0):
    rng = np.random.default_rng(seed)
    return [0.6 * voice(RATE, rng) for _ in range(count)]


def matched(truth, found, window=0.010):
    return len(mir_eval.util.match_events(np.asarray(truth), np.asarray(found), window))


# What holds no hit.


def steady(kind):
    n = SECONDS * RATE
    rng = np.random.default_rng(3)
    t = np.arange(n) / RATE
    if kind == "silence":
        return np.zeros(n)
    if kind == "white noise":
        return rng.standard_normal(n)
    if kind == "pink noise":
        tilt = 1 / np.sqrt(np.maximum(1, np.arange(n // 2 + 1)))
        x = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * tilt, n)
        return x / x.std()
    if kind == "hum":
        return sum(np.sin(2 * np.pi * 50 * k * t + k) / k for k in (1, 2, 3)) / 1.2
    assert kind == "steps of the offset"
    return np.repeat(rng.uniform(-1, 1, SECONDS), RATE)


@pytest.mark.parametrize(
    ("kind", "db"),
    [
        ("silence", 0),
        *(("white noise", db) for db in (-20, -40, -60, -80)),
        *(("pink noise", db) for db in (-20, -50, -80)),
        *(("hum", db) for db in (-10, -30, -60)),
        *(("steps of the offset", db) for db in (-6, -20, -40)),
    ],
)
def test_nothing_fires_where_there_is_no_hit(kind, db):
    assert hits((level(db) * steady(kind)).clip(-1, 1)) == []


# One event for one hit.


def test_a_roll_of_32nds_at_200_bpm_comes_through():
    audio, truth = room(4.0), []
    apart = 60 / 200 / 8
    for i, sound in enumerate(strokes(groove.snare, 60)):
        truth.append(play(audio, sound, 0.5 + i * apart, db=-1.0 * (i % 2)))
    found = times(audio)
    assert matched(truth, found) >= 57
    assert len(found) <= 60


@pytest.mark.parametrize("apart_ms", [20, 25, 30, 35])
def test_both_strokes_of_a_flam_come_through(apart_ms):
    audio, truth = room(11.0), []
    sounds = strokes(groove.snare, 40)
    for i in range(20):
        truth.append(play(audio, sounds[2 * i], 0.5 + i / 2, db=-9.0))
        truth.append(play(audio, sounds[2 * i + 1], 0.5 + i / 2 + apart_ms / 1e3))
    found = times(audio)
    assert matched(truth, found) >= 38
    assert len(found) <= 40


def tom(hz, seconds=1.2):
    """A tom that rings long: two modes that beat, under a stick's click."""
    t = np.arange(int(seconds * RATE)) / RATE
    ring = np.sin(2 * np.pi * hz * t) + 0.5 * np.sin(2 * np.pi * 1.52 * hz * t + 1)
    click = np.random.default_rng(5).standard_normal(t.size) * np.exp(-t / 0.004)
    end = np.minimum(1.0, (seconds - t) / 0.1)
    return 0.4 * (ring * np.exp(-t / 0.35) * (1 - np.exp(-t / 0.001)) * end + 0.5 * click)


@pytest.mark.parametrize("hz", [70, 95, 120, 180])
def test_a_tom_that_rings_fires_once(hz):
    audio = room(8.0)
    truth = [play(audio, tom(hz), 0.5 + i) for i in range(7)]
    found = times(audio)
    assert len(found) == 7
    assert matched(truth, found) == 7


@pytest.mark.parametrize("voice", [groove.kick, groove.snare, groove.hat])
def test_a_second_burst_43_ms_later_is_the_same_hit(voice):
    audio, truth = room(8.0), []
    for i, sound in enumerate(strokes(voice, 14)):
        truth.append(play(audio, sound, 0.5 + i / 2))
        play(audio, sound, 0.5 + i / 2 + 0.043, db=-10.0)
    found = times(audio)
    assert len(found) == 14
    assert matched(truth, found) == 14


def test_a_ghost_note_at_30_db_below_the_hit_before_it_is_found():
    audio, truth = room(8.0), []
    for i, (loud, ghost) in enumerate(
        zip(strokes(groove.kick, 7), strokes(groove.snare, 7), strict=True)
    ):
        truth.append(play(audio, loud, 0.5 + i))
        truth.append(play(audio, ghost, 0.5 + i + 0.35, db=-30.0))
    found = times(audio)
    assert len(found) == 14
    assert matched(truth, found) == 14


# The same at any level and rate.


@pytest.mark.parametrize("db", [-20, 6])
def test_the_level_of_the_input_changes_no_hit(drums, db):
    usual = times(drums.audio)
    other = times((level(db) * drums.audio).clip(-1, 1))
    assert len(other) == len(usual)
    assert np.abs(other - usual).max() < 1e-3


@pytest.mark.parametrize("rate", [22050, 48000, 96000])
def test_the_sample_rate_changes_no_hit(drums, rate):
    # Nothing near any Nyquist frequency: a resampler would make it ring before the attack.
    audio = sosfilt(butter(6, 6000, fs=RATE, output="sos"), drums.audio)
    usual = times(audio)
    other = times(soxr.resample(audio, RATE, rate), rate)
    assert len(usual) == len(drums.strokes)
    assert len(other) == len(usual)
    assert np.abs(other - usual).max() < 1e-3


# Found, dated, in time.


@pytest.mark.parametrize("preset", PRESETS)
def test_every_hit_of_the_groove_is_found_once(drums, preset):
    truth = np.array([stroke.sample for stroke in drums.strokes]) / RATE
    found = times(drums.audio, preset=preset)
    assert len(found) == len(truth)
    assert matched(truth, found) == len(truth)
    assert abs(np.median(found - truth)) < 0.5e-3
    assert np.median(np.abs(found - truth)) < 0.5e-3


@pytest.mark.parametrize("preset", PRESETS)
def test_a_hit_is_known_within_10_ms(drums, preset):
    late = [
        1e3 * (hit.emitted - stroke.sample) / RATE
        for hit, stroke in zip(hits(drums.audio, preset=preset), drums.strokes, strict=True)
    ]
    p50, p95 = np.percentile(late, (50, 95))
    assert p50 < 4.0
    assert p95 < 10.0
    assert min(late) > 0.0


@pytest.mark.parametrize("voice", [groove.kick, groove.snare, groove.hat])
@pytest.mark.parametrize("noise_db", [-200.0, -75.0])
def test_a_hit_at_the_very_start_is_found_once(voice, noise_db):
    audio = room(1.0, noise_db)
    (sound,) = strokes(voice, 1)
    play(audio, sound, 0.0)
    (hit,) = hits(audio)
    assert hit.sample <= RATE // 1000


@pytest.mark.parametrize("method", AUBIO_PRESETS)
def test_every_stock_method_finds_the_hits_of_the_groove(drums, method):
    truth = np.array([stroke.sample for stroke in drums.strokes]) / RATE
    found = times(drums.audio, method=method)
    assert mir_eval.onset.f_measure(truth, found, window=0.050)[0] >= 0.85
