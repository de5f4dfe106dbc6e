"""Turn a recording into a table of hits, and look at each drum with pandas.

rtcluster run take.wav -k 3 > hits.jsonl    # or: listen --jsonl hits.jsonl
python hits_pandas.py hits.jsonl
"""

from __future__ import annotations

import sys

import pandas as pd

import rtcluster


def main(path: str) -> pd.DataFrame:
    """Print a summary of each drum, of the hits that have a class; return it."""
    hits = rtcluster.read(path).to_pandas()
    hits = hits[hits["class"] >= 0].copy()
    hits["gap"] = hits.groupby("name")["time"].diff()
    summary = hits.groupby("name").agg(
        hits=("time", "size"),
        velocity=("velocity", "median"),
        softest=("velocity", "min"),
        loudest=("velocity", "max"),
        gap_s=("gap", "median"),
        zcr=("zcr", "median"),
    )
    print(summary.round(3))
    return summary


if __name__ == "__main__":
    main(sys.argv[1])
