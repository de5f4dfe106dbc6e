"""What every benchmark tells beside its numbers, and where it writes them."""

from __future__ import annotations

import io
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

WIDTH = 120
RESULTS = Path(__file__).parent / "results"

_PACKAGES = (
    "rtcluster", "numpy", "numba", "scikit-learn", "aubio-ledfx", "sounddevice", "soundfile",
    "librosa",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """CPU, cores, system and versions; nothing that tells whose machine it is."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": _system(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError, AttributeError):
        return platform.platform(terse=True)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


class Report(Console):
    """Where the tables go: to standard output, wide enough for them, and with the results.

    What is dim tells how far it is, and is not kept.
    """

    def __init__(self) -> None:
        super().__init__(highlight=False, markup=False)  # [bench] is the name of an extra
        if not self.is_terminal:
            self.width = WIDTH
        self._kept = Console(
            file=io.StringIO(), width=WIDTH, highlight=False, markup=False, color_system=None
        )

    def print(self, *objects: Any, style: Any = None, **options: Any) -> None:
        """Print, and keep what is printed."""
        super().print(*objects, style=style, **options)
        if style != "dim":
            self._kept.print(*objects, **options)

    @property
    def kept(self) -> list[str]:
        """The lines so far."""
        assert isinstance(self._kept.file, io.StringIO)  # made above
        return [line.rstrip() for line in self._kept.file.getvalue().splitlines()]


_report: list[Report] = []


def console() -> Report:
    """The report of this benchmark, begun."""
    _report[:] = [Report()]
    return _report[0]


def percentiles(values: npt.ArrayLike, digits: int = 1) -> dict[str, float]:
    """p50, p95, p99 and max; empty where there is nothing."""
    array = np.asarray(values, dtype=float)
    if not array.size:
        return {}
    cuts = np.percentile(array, (50, 95, 99, 100))
    names = ("p50", "p95", "p99", "max")
    return {name: round(float(cut), digits) for name, cut in zip(names, cuts, strict=True)}


def write(name: str, content: dict[str, Any]) -> Path:
    """Write ``bench/results/<name>.json``: the machine, the results, and what was printed."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    printed = {"printed": _report[0].kept} if _report else {}
    path.write_text(rows({"machine": machine(), **content, **printed}) + "\n", encoding="utf-8")
    return path


def rows(value: Any, indent: str = "") -> str:
    """JSON with a line for each row: a list's items stand on lines of their own, numbers do not."""
    deeper = indent + " "
    if isinstance(value, list) and any(isinstance(item, dict | list | str) for item in value):
        inner = [deeper + rows(item, deeper) for item in value]
        return "[\n" + ",\n".join(inner) + f"\n{indent}]"
    if isinstance(value, dict) and (not indent or _has_rows(value)):
        inner = [f"{deeper}{json.dumps(key)}: {rows(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner) + f"\n{indent}}}"
    return json.dumps(value)


def _has_rows(value: Any) -> bool:
    """Whether there is a list of objects somewhere in it."""
    if isinstance(value, dict):
        return any(map(_has_rows, value.values()))
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)
