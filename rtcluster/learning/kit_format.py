"""The kit's file: its text, and the strict reading of it.

Text is laid out for people, names first, a line for each list of numbers. A check sum over the
content, not the layout, tells a file that was cut or edited from one that rtcluster wrote. What
is read is only ever a tree of JSON's types: nothing in a kit is executed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from rtcluster.learning.kit_schema import Unfit, check

VERSION, WITH_MICROPHONES = 2, 3
READ = (1, VERSION, WITH_MICROPHONES)
"""Versions that are read: the first kept no audio of its strokes; the third has several
microphones, which a program that knows the second could not use."""

MARK = "rtcluster_kit"
CHECK = "check"
MICROPHONES = "microphones"

MAX_BYTES = 64 << 20
"""The largest file that is read."""

_LINE = 160


class NoKit(Unfit):
    """What came is another kind of file: "Y"."""


def text_of(content: Mapping[str, Any]) -> str:
    """The file's text, check sum included.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    version = WITH_MICROPHONES if MICROPHONES in content else VERSION
    whole = {MARK: version, **content}
    return _laid_out(whole | {CHECK: check_sum(whole)}, "") + "\n"


def check_sum(content: Mapping[str, Any]) -> str:
    """First 16 digits of the SHA-256 of the content without its check sum, keys sorted."""
    rest = {key: value for key, value in content.items() if key != CHECK}
    text = json.dumps(rest, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _laid_out(value: Any, indent: str) -> str:
    """JSON with a line for whatever fits one, and for each list of numbers."""
    short = json.dumps(value, ensure_ascii=False, allow_nan=False)
    plain = isinstance(value, list) and not any(isinstance(v, list | dict) for v in value)
    if not isinstance(value, list | dict) or plain or len(indent) + len(short) <= _LINE:
        return short
    inner = indent + "  "
    if isinstance(value, list):
        parts, ends = [_laid_out(v, inner) for v in value], "[]"
    else:
        parts = [f"{json.dumps(k)}: {_laid_out(v, inner)}" for k, v in value.items()]
        ends = "{}"
    return f"{ends[0]}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{ends[1]}"


def content_of(text: bytes) -> dict[str, Any]:
    """Read a file's bytes into checked content, without the mark and the check sum.

    Raises
    ------
    Unfit
        If it is no kit (:class:`NoKit`), of another version, or not as it was written.
    """
    if len(text) > MAX_BYTES:
        raise Unfit(f"at most {MAX_BYTES >> 20} MB, got more")
    try:
        content = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NoKit("audio, or something else that is no text") from error
    except (ValueError, RecursionError) as error:
        reason = "lists in lists without end" if isinstance(error, RecursionError) else str(error)
        raise Unfit(f"JSON, got {' '.join(reason.split())[:120]}") from error
    if not isinstance(content, dict) or MARK not in content:
        raise NoKit("other JSON")
    if content[MARK] not in READ or type(content[MARK]) is not int:
        wanted = " or ".join(map(str, READ))
        raise Unfit(f"version {wanted}, got version {content[MARK]!s:.40}")
    try:
        own = {key: value for key, value in content.items() if key not in (MARK, CHECK)}
        if content[MARK] == 1 and "strokes" not in own:
            own["strokes"] = None
        if (content[MARK] == WITH_MICROPHONES) != (MICROPHONES in own):
            raise Unfit(f"microphones in version {WITH_MICROPHONES} alone, got another")
        check(own)
        same = content.get(CHECK) == check_sum(content)
    except RecursionError as error:
        raise Unfit("a kit, got lists in lists without end") from error
    except ValueError as error:
        raise error if isinstance(error, Unfit) else Unfit("text and finite numbers") from error
    if not same:
        raise Unfit("it as rtcluster wrote it, got one that was edited or damaged")
    # The file's order of keys is not kept: equal content makes equal kits.
    return own
