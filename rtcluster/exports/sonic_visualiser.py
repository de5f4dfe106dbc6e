"""Hits as a layer of Sonic Visualiser: time instants with their names, to the sample.

``File > Import Annotation Layer`` opens it, over the audio. The format has no schema; its reader
(``SVFileReader`` of Sonic Visualiser) wants a sparse model of one dimension, then the dataset that
the model names, and after the data a display with the layer that shows the model.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from rtcluster.exports import Wanted
from rtcluster.exports.take import Take, names

_MODEL, _DATASET, _LAYER = "1", "2", "3"  # numbers that tie the parts together


def write(target: Path, take: Take, wanted: Wanted) -> int:
    """Write all hits; return how many."""
    name = take.source or take.path.stem
    root = ElementTree.Element("sv")
    data = ElementTree.SubElement(root, "data")
    model = {
        "id": _MODEL,
        "name": name,
        "sampleRate": str(take.samplerate),
        "start": str(take.hits[0].sample if take.hits else 0),
        "end": str(take.hits[-1].sample + 1 if take.hits else 0),
        "type": "sparse",
        "dimensions": "1",
        "resolution": "1",
        "notifyOnAdd": "true",
        "dataset": _DATASET,
    }
    ElementTree.SubElement(data, "model", model)
    dataset = ElementTree.SubElement(data, "dataset", {"id": _DATASET, "dimensions": "1"})
    for hit in take.hits:
        point = {"frame": str(hit.sample), "label": names(hit)}
        ElementTree.SubElement(dataset, "point", point)
    display = ElementTree.SubElement(root, "display")
    layer = {
        "id": _LAYER,
        "type": "timeinstants",
        "name": f"Hits of {name}",
        "model": _MODEL,
        "plotStyle": "0",
        "colourName": "Purple",
        "colour": "#c832ff",
        "darkBackground": "false",
    }
    ElementTree.SubElement(display, "layer", layer)
    ElementTree.indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE sonic-visualiser>\n'
    text = ElementTree.tostring(root, encoding="unicode")
    target.write_text(f"{head}{text}\n", encoding="utf-8", newline="\n")
    return len(take.hits)
