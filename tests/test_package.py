"""What ``import rtcluster`` offers to a person who looks at it."""

from __future__ import annotations

import pydoc
import subprocess
import sys

import rtcluster


def test_completion_offers_every_public_name():
    assert set(rtcluster.__all__) <= set(dir(rtcluster))
    assert "Processor" in rtcluster.__all__


def test_help_lists_the_classes():
    text = pydoc.plain(pydoc.render_doc(rtcluster))
    for name in ("Final", "Onset", "Processor", "Settings"):
        assert f"class {name}" in text


def test_completion_loads_nothing():
    code = "import sys, rtcluster; dir(rtcluster); sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
