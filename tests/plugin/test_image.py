from __future__ import annotations

from dataclasses import replace

import pytest

from rtcluster.errors import RtclusterError
from rtcluster.learning import kit as kits
from rtcluster.learning import kit_file
from rtcluster.learning.detection import Detection
from rtcluster.plugin import image


def test_there_is_no_address_of_this_process_in_it(kit, monkeypatch):
    alive, train = [], kits._trained.__wrapped__

    def trained(*arguments):
        alive.append(train(*arguments))  # so that the next one's arrays lie elsewhere
        return alive[-1]

    monkeypatch.setattr(kits, "_trained", trained)
    taught = kit_file.load(kit)
    assert image.prepared(taught, 44100) == image.prepared(taught, 44100)
    assert len(alive) == 2


def test_a_kit_that_can_be_no_plug_in_is_refused_in_one_line(kit, monkeypatch):
    taught = kit_file.load(kit)
    with pytest.raises(RtclusterError, match="holds detector settings alone"):
        image.check(replace(taught, learned=None, strokes=None, names=(), detection=Detection()))
    with pytest.raises(RtclusterError, match=r"for aubio's hfc, and a plug-in has only"):
        image.check(replace(taught, detection=Detection(method="hfc")))
    monkeypatch.setattr(image, "FEATURES", ("zcr",))
    with pytest.raises(RtclusterError, match=r"the feature \w+, which is not rtcluster's own"):
        image.check(taught)
