from __future__ import annotations

import struct

import pytest

from rtcluster.plugin import core

MATHEMATICS = {
    "asin", "cos", "exp", "expf", "floor", "floorf", "log", "logf", "log10", "log10f", "log2",
    "pow", "powf", "sin", "sqrt", "sqrtf", "tan", "tanh",
}  # fmt: skip
MEMORY = {"memcpy", "memmove", "memset"}


def symbols(content):
    """Names that an ELF object needs from elsewhere, and those that it offers."""
    (sections_at,) = struct.unpack_from("<Q", content, 40)
    (count,) = struct.unpack_from("<H", content, 60)
    sections = [
        struct.unpack_from("<2I4Q2I2Q", content, sections_at + 64 * n) for n in range(count)
    ]
    [(*_, at, size, names, _, _, _)] = [s for s in sections if s[1] == 2]
    names_at = sections[names][4]
    needed, offered = set(), set()
    for place in range(at, at + size, 24):
        name, kind, _, section = struct.unpack_from("<IBBH", content, place)
        begin = names_at + name
        text = content[begin : content.index(b"\0", begin)].decode()
        if kind >> 4 and text:  # not local
            (offered if section else needed).add(text)
    return needed, offered


def test_the_object_needs_mathematics_and_offers_one_function():
    content = core.object_file()
    if content[:4] != b"\x7fELF":
        pytest.skip("no ELF here")
    needed, offered = symbols(content)
    assert offered == {core.HEAR}
    assert needed <= MATHEMATICS | MEMORY


def test_an_object_that_was_damaged_in_the_cache_is_made_again(monkeypatch, tmp_path):
    class Cache:
        cache_path = str(tmp_path / "cache")

    monkeypatch.setattr(core, "cache_of", lambda _: Cache)
    monkeypatch.setattr(core, "emit", lambda: b"an object")
    assert core.object_file() == b"an object"
    [kept] = (tmp_path / "cache").iterdir()
    monkeypatch.setattr(core, "emit", lambda: b"another one")
    assert core.object_file() == b"an object"
    kept.write_bytes(kept.read_bytes()[:-1] + b"!")
    assert core.object_file() == b"another one"
