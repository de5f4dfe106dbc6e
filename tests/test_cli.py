"""What becomes of the program whatever the system does to it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import suppress

import pytest

from rtcluster import __version__, cli
from rtcluster.commands import app as commands
from rtcluster.commands.terminal import say
from rtcluster.errors import RtclusterError

PROGRAM = f"'{sys.executable}' -m rtcluster"


def shell(command):
    """Run ``rtcluster`` with what the shell says of its streams; code, output and lines."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"{PROGRAM} {command}"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr.splitlines()


@pytest.fixture
def ends(monkeypatch, capsys):
    """Have the command end in some way; the exit code and the lines on standard error."""

    def run(how):
        def command():
            raise how

        monkeypatch.setattr(commands, "app", command)
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code, capsys.readouterr().err.splitlines()

    return run


@pytest.mark.parametrize(
    ("how", "line"),
    [
        (RtclusterError("Expected a hit, got none."), "Expected a hit, got none."),
        (OSError(28, "No space left on device"), "No space left on device."),
        (OSError(13, "Permission denied", "a\nb"), r"a\nb: Permission denied."),
        (OSError(), "OSError."),
        (MemoryError(), "Out of memory. Close other programs, or raise the limit (ulimit -v)."),
    ],
)
def test_what_nobody_foresaw_is_one_line(ends, how, line):
    assert ends(how) == (1, [f"rtcluster: {line}"])


def test_nobody_who_reads_is_no_news(ends):
    assert ends(BrokenPipeError(32, "Broken pipe")) == (1, [])


def test_ctrl_c_is_heard_from_the_start(monkeypatch, capsys):
    class Interrupt:
        def find_spec(self, name, *_):
            if name == "rtcluster.commands.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "rtcluster.commands.app")
    monkeypatch.setattr(sys, "meta_path", [Interrupt(), *sys.meta_path])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 130
    assert capsys.readouterr().err == ""


def test_nothing_that_takes_time_is_imported_before():
    code = (
        "import sys, errno, io, os; before = set(sys.modules)\n"
        "import rtcluster.cli; print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout.split() == ["__future__", "rtcluster", "rtcluster.cli"]


@pytest.mark.parametrize("to", [">&-", ">/dev/full"])
@pytest.mark.parametrize("command", ["--version", "--help"])
def test_a_standard_output_that_takes_nothing_is_one_line(command, to):
    code, _, lines = shell(f"{command} {to}")
    assert code == 1
    assert lines == [
        "rtcluster: "
        + ("Bad file descriptor." if to == ">&-" else "No space left on device.")
    ]  # fmt: skip


@pytest.mark.parametrize("to", ["2>&-", "2>/dev/full"])
def test_a_standard_error_that_takes_nothing_fails_nothing_else(to):
    # What is said there is not among the output.
    assert shell(f"run none.wav {to}")[:2] == (1, "")
    assert shell(f"--version {to}")[:2] == (0, f"{__version__}\n")


def test_a_line_that_standard_error_does_not_take_is_no_failure(monkeypatch):
    full = io.TextIOWrapper(io.FileIO("/dev/full", "w"), line_buffering=True)
    monkeypatch.setattr(sys, "stderr", full)
    say("a line")
    with suppress(OSError):
        full.close()


def test_a_closed_standard_input_is_one_line():
    code, _, lines = shell("run - <&- >&-")
    assert code == 1
    assert lines == ["rtcluster: Expected audio on standard input, got: Bad file descriptor."]


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is Linux's")
def test_a_limit_of_memory_in_which_it_would_never_start_is_refused():
    limited = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -v 500000; exec {PROGRAM} run none.wav"],
        capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert limited.returncode == 1
    assert limited.stderr == (
        "rtcluster: Expected an address space (ulimit -v) of 685 MB or more, got 512 MB. Raise "
        "it.\n"
    )


def test_no_limit_and_one_that_is_wide_enough_are_fine(monkeypatch):
    import resource

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    cli._check_address_space()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (4_000_000_000,) * 2)
    with pytest.raises(RtclusterError, match="of 6040 MB or more, got 4000 MB"):
        cli._check_address_space()
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "8")
    cli._check_address_space()
