"""Labels, table and layer, read back by what reads them: mir_eval, csv and an XML parser."""

from __future__ import annotations

import csv
from xml.etree import ElementTree

import mir_eval
import numpy as np
import pytest

from rtcluster.exports.audacity import label_track
from rtcluster.exports.table import COLUMNS
from tests.exports.conftest import HITS, RATE, UNITS

TIMES = np.array([sample / RATE for sample, *_ in HITS])
NAMES = [name for _, _, name, _ in HITS]


def test_mir_eval_reads_the_label_track(exported):
    path, count = exported("audacity")
    intervals, labels = mir_eval.io.load_labeled_intervals(str(path))
    assert count == len(HITS)
    assert labels == NAMES
    np.testing.assert_allclose(intervals[:, 0], TIMES, atol=5e-7)
    np.testing.assert_allclose(np.diff(intervals)[:, 0], 0.09, atol=2e-6)
    mir_eval.util.validate_intervals(intervals)


def test_names_with_blanks_stay_one_label(exported):
    path, _ = exported("audacity", [(100, 0, "floor\ttom\n2", 9)])
    assert path.read_text().split("\t")[2] == "floor tom 2\n"
    assert mir_eval.io.load_labeled_intervals(str(path))[1] == ["floor tom 2"]


def test_a_label_track_has_three_columns_parted_by_tabs():
    assert label_track([(0.5, 0.59, "kick")]) == "0.500000\t0.590000\tkick\n"


def test_a_session_without_hits_is_an_empty_label_track(exported):
    path, _ = exported("audacity", ())
    assert path.read_bytes() == b""


def test_the_table_has_a_row_a_hit(exported):
    path, count = exported("csv", (*HITS, (150000, -1, "", 77)))
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert count == len(rows) == 7
    assert tuple(rows[0]) == COLUMNS
    assert [int(row["sample"]) for row in rows[:6]] == [sample for sample, *_ in HITS]
    assert [row["name"] for row in rows] == [*NAMES, "learning"]
    first, last = rows[0], rows[-1]
    assert (first["id"], first["time"], first["class"]) == ("0", "0.100000", "0")
    assert (first["velocity"], first["zcr"], first["energy"]) == ("100", "40", "2.5")
    assert (first["margin"], first["latency_ms"]) == ("0.75", "2.902")
    assert (last["class"], last["velocity"], last["zcr"], last["energy"]) == ("-1", "77", "", "")


def test_the_table_has_a_column_for_each_further_feature(exported):
    path, _ = exported("csv", (*HITS, (150000, -1, "", 77)), units=UNITS)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == (*COLUMNS, "air", "level")
    assert [row["air"] for row in rows] == [*(f"{n:.1f}" for n in range(len(HITS))), ""]


def test_mir_eval_reads_times_and_names_of_the_table(exported, tmp_path):
    path, _ = exported("csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = [(row["time"], row["name"]) for row in csv.DictReader(file)]
    (tmp_path / "events.txt").write_text("".join(f"{time} {name}\n" for time, name in rows))
    times, labels = mir_eval.io.load_labeled_events(str(tmp_path / "events.txt"))
    assert labels == NAMES
    assert mir_eval.onset.f_measure(TIMES, times, window=0.0001)[0] == 1.0


def test_the_layer_is_what_sonic_visualisers_reader_wants(exported):
    """The order and the mandatory attributes of its ``SVFileReader``."""
    path, count = exported("sonic-visualiser")
    assert path.suffix == ".svl"
    assert "<!DOCTYPE sonic-visualiser>" in path.read_text()
    root = ElementTree.parse(path).getroot()
    assert [element.tag for element in root] == ["data", "display"]
    assert [element.tag for element in root[0]] == ["model", "dataset"]
    model, dataset = root[0]
    (layer,) = root[1]
    assert model.get("type") == "sparse"
    assert model.get("dimensions") == dataset.get("dimensions") == "1"
    assert (int(model.get("sampleRate")), int(model.get("resolution"))) == (RATE, 1)
    assert model.get("mainModel") is None  # which would make it a session
    assert int(model.get("dataset")) == int(dataset.get("id"))
    assert (layer.tag, layer.get("type")) == ("layer", "timeinstants")
    assert int(layer.get("model")) == int(model.get("id"))
    assert int(layer.get("id"))
    points = [(int(p.get("frame")), p.get("label")) for p in dataset]
    assert points == [(sample, name) for sample, _, name, _ in HITS]
    assert count == len(points)


@pytest.mark.parametrize("name", ["<\"&'>", "鼓", "a\x00b\x1b", "\ud800"])
def test_any_name_makes_a_layer_that_parses(exported, name):
    path, _ = exported("sonic-visualiser", [(100, 0, name, 9)], source=name)
    (point,) = ElementTree.parse(path).getroot().iter("point")
    assert point.get("label") == {"a\x00b\x1b": "a b", "\ud800": "class 0"}.get(name, name)


def test_a_layer_without_hits_parses(exported):
    path, _ = exported("sonic-visualiser", ())
    assert not list(ElementTree.parse(path).getroot().iter("point"))
