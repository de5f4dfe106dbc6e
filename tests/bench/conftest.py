"""What the tests of the benchmarks share."""

from __future__ import annotations

import pytest

from bench import (
    report,
)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Where results are written instead."""
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    return tmp_path / "results"
