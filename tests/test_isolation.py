"""What a user keeps of settings changes no test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OF_THE_PROGRAM = (
    "tests/commands/test_cli.py::test_silence_is_no_failure",  # in the process of the test
    "tests/test_cli.py::test_a_closed_standard_input_is_one_line",  # in one that it starts
)


def passes(*arguments, cwd=ROOT, **environment):
    """Run tests in a process of their own; its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        capture_output=True, text=True, timeout=300, check=False, cwd=cwd,
        env={**os.environ, **environment},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_no_test_reads_the_users_own_settings(tmp_path):
    kept = tmp_path / "rtcluster"
    kept.mkdir()
    (kept / "rtcluster.toml").write_text("this is no TOML")
    names = ("XDG_CONFIG_HOME", "APPDATA", "WIN_PD_OVERRIDE_APPDATA")
    code, said = passes(*OF_THE_PROGRAM, **dict.fromkeys(names, str(tmp_path)))
    assert code == 0, said


def test_settings_in_the_folder_of_the_tests_are_refused(tmp_path):
    (tmp_path / "rtcluster.toml").write_text("warmup = 9")
    test = f"{ROOT}/tests/test_text.py"
    code, said = passes("--rootdir", str(ROOT), "-c", f"{ROOT}/pyproject.toml", test, cwd=tmp_path)
    assert code == 4, said
    assert "rtcluster.toml is in this folder" in said
