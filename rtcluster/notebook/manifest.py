"""Which files of a folder an earlier report wrote: they alone are replaced or taken away.

The manifest stands in the folder and has the digest of every file of the report. A file that is
not in it, or has been changed since, is the user's. All files of a report are first written to a
folder of their own beside the others, and moved to their places when they are complete.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from rtcluster.errors import RtclusterError
from rtcluster.files import atomic_write, read_bytes
from rtcluster.recording.targets import OVERWRITE, Guard

NAME = ".rtcluster-report.json"

_TEMPORARY = ".rtcluster-"
_VERSION = 1
_MAX_BYTES = 1 << 20
_MAX_FILE = 1 << 30
_NAMES = re.compile(r"((pictures|sounds)/)?\w[\w.-]*")  # none of them leads out of the folder


class ReportFolder:
    """A folder that a report is written to.

    Parameters
    ----------
    folder : Path
        May not be there yet.
    guard : Guard

    Raises
    ------
    RtclusterError
        If it is not empty and no report wrote it, or a file of the report was changed since.
    """

    def __init__(self, folder: Path, guard: Guard) -> None:
        self._folder = folder
        self._guard = guard
        self._earlier = self._read()
        if folder.exists() and not folder.is_dir():
            raise RtclusterError(f"{folder}: it is no folder; name another with -o.")
        if not guard.overwrite:
            if not self._earlier and any(map(_is_users, folder.glob("*"))):
                raise RtclusterError(
                    f"{folder}: it is not empty, and no report wrote it; name another folder with "
                    f"-o, or write into it with {OVERWRITE}."
                )
            for name in self._earlier:
                self._check(name)

    @contextmanager
    def written(self) -> Iterator[Path]:
        """Give a folder to write a report to; it takes the earlier one's place in the end.

        Raises
        ------
        RtclusterError
            If a file of the user's would be replaced; then everything is as it was.
        OSError
            If a file cannot be written.
        """
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=self._folder) as temporary:
            made = Path(temporary)
            yield made
            files = [path for path in made.rglob("*") if path.is_file()]
            new = {path.relative_to(made).as_posix(): _digest(path) for path in files}
            for name in new:
                self._check(name)
            # Whatever breaks off from here on, each file is in the manifest as it is.
            self._write({n: [*self._earlier.get(n, ()), d] for n, d in new.items()} | {
                n: d for n, d in self._earlier.items() if n not in new
            })  # fmt: skip
            for name in new:
                (self._folder / name).parent.mkdir(exist_ok=True)
                (made / name).replace(self._folder / name)
            for name in self._earlier.keys() - new.keys():
                if self._is_ours(name):
                    (self._folder / name).unlink(missing_ok=True)
            self._write({name: [digest] for name, digest in new.items()})

    def _check(self, name: str) -> None:
        path = self._folder / name
        if path.exists():
            self._guard.check(path, lambda _: self._require_ours(name))

    def _require_ours(self, name: str) -> None:
        if not self._is_ours(name):
            raise RtclusterError("No report wrote it, or it was changed since.")

    def _is_ours(self, name: str) -> bool:
        try:
            return _digest(self._folder / name) in self._earlier.get(name, ())
        except OSError:
            return False

    def _read(self) -> dict[str, list[str]]:
        """Digests that each file of an earlier report may have; empty where there was none."""
        try:
            content: Any = json.loads(read_bytes(self._folder / NAME, _MAX_BYTES))
            files = content["files"] if content["version"] == _VERSION else {}
            return {n: list(map(str, d)) for n, d in files.items() if _NAMES.fullmatch(n)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def _write(self, files: dict[str, list[str]]) -> None:
        text = json.dumps({"version": _VERSION, "files": files}, indent=1)
        with atomic_write(self._folder / NAME) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def _is_users(path: Path) -> bool:
    return not path.name.startswith(_TEMPORARY)  # of a report that was broken off


def _digest(path: Path) -> str:
    return sha256(read_bytes(path, _MAX_FILE)).hexdigest()
