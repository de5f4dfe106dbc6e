from __future__ import annotations

import pytest

from rtcluster.commands.app import app
from rtcluster.errors import RtclusterError
from rtcluster.plugin import bundle, controls


def build(*arguments):
    app(["plugin", "build", *map(str, arguments)], standalone_mode=False)


def test_what_is_there_is_replaced_only_if_asked(kit, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "_fill", lambda made, *_: (made / "new").touch())
    folder = tmp_path / "lv2" / "rtcluster-my_drums.lv2"
    build(kit, "--out", folder.parent)
    (folder / "old").touch()
    with pytest.raises(RtclusterError, match=r"it is there already; .* with --overwrite"):
        build(kit, "--out", folder.parent)
    assert (folder / "old").exists()
    build(kit, "--out", folder.parent, "--overwrite")
    assert [path.name for path in folder.iterdir()] == ["new"]
    build(kit, "--out", folder.parent, "--name", "Another kit!")
    assert (folder.parent / "rtcluster-another_kit.lv2" / "new").exists()
    assert len(list(folder.parent.iterdir())) == 2, "nothing half built is left"


def test_a_kit_within_the_bundle_is_not_replaced_with_it(kit, tmp_path):
    within = tmp_path / "rtcluster-a.lv2" / "a.kit"
    within.parent.mkdir()
    within.write_bytes(kit.read_bytes())
    with pytest.raises(RtclusterError, match="the kit lies in it; name another folder"):
        build(within, "--out", tmp_path, "--overwrite")
    assert within.read_bytes() == kit.read_bytes()


def test_a_bundle_that_fails_leaves_the_old_one(kit, tmp_path, monkeypatch):
    def fail(*_):
        raise RtclusterError("no")

    monkeypatch.setattr(bundle, "_fill", fail)
    old = tmp_path / "rtcluster-my_drums.lv2" / "old"
    old.parent.mkdir()
    old.touch()
    with pytest.raises(RtclusterError, match="no"):
        build(kit, "--out", tmp_path, "--overwrite")
    assert old.exists()
    assert len(list(tmp_path.iterdir())) == 1


def test_without_a_compiler_it_says_what_to_install(monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(bundle.shutil, "which", lambda _: None)
    monkeypatch.setattr(bundle.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(RtclusterError, match="found none; apt install gcc, or pip install ziglang"):
        bundle.find_compiler()
    monkeypatch.setattr(bundle.importlib.util, "find_spec", lambda _: object())
    assert bundle.find_compiler()[1:] == ["-m", "ziglang", "cc"]
    monkeypatch.setenv("CC", "ccache gcc-12")
    assert bundle.find_compiler() == ["ccache", "gcc-12"]


def test_a_compiler_that_fails_is_told_in_one_line(compiler, tmp_path):
    wrong = tmp_path / "wrong.c"
    wrong.write_text("int a = ;\n")
    with pytest.raises(RtclusterError, match=r"cannot compile the plug-in: .*wrong\.c:1") as told:
        bundle.compile_c(compiler, [wrong], tmp_path / "a.so", tmp_path, "-shared")
    assert "\n" not in str(told.value)
    with pytest.raises(RtclusterError, match=r"Cannot run \./none: No such file"):
        bundle.compile_c(["./none"], [wrong], tmp_path / "a.so", tmp_path)


def test_drums_of_any_name_have_symbols_of_their_own():
    names = ["Kick", "tom 1", "tom-1", "Große Trommel", "鼓", "鈸"]
    found = controls.symbols(names)
    assert found[:4] == ["drum_kick", "drum_tom_1", "drum_tom_1_2", "drum_gro_e_trommel"]
    assert len(set(found)) == len(names)
    assert all(symbol.isascii() and symbol.isidentifier() for symbol in found)
