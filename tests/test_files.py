"""What is no file, or too large, is refused at once."""

from __future__ import annotations

import os

import pytest

from rtcluster.files import open_file, read_bytes

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (os.mkfifo, "a pipe instead of a file"),
        (os.mkdir, "a folder instead of a file"),
        (lambda path: path.symlink_to("/dev/zero"), "a device instead of a file"),
    ],
)
def test_what_is_no_file_is_named_and_not_waited_for(tmp_path, make, told):
    make(tmp_path / "it")
    with pytest.raises(OSError) as error:
        read_bytes(tmp_path / "it", 100)
    assert error.value.strerror == told


def test_a_file_is_read_up_to_its_limit(tmp_path):
    (tmp_path / "it").write_bytes(b"x" * (1 << 20))
    assert len(read_bytes(tmp_path / "it", 1 << 20)) == 1 << 20
    with pytest.raises(OSError, match="more than 0 MB"):
        read_bytes(tmp_path / "it", (1 << 20) - 1)


def test_a_file_that_grows_while_it_is_read_is_held_to_it_too(tmp_path, monkeypatch):
    (tmp_path / "it").write_bytes(b"x" * 200)
    size = (tmp_path / "it").stat()
    (tmp_path / "it").write_bytes(b"x" * 2000)
    monkeypatch.setattr(os, "fstat", lambda _: size)
    with pytest.raises(OSError, match="more than"):
        read_bytes(tmp_path / "it", 1000)


def test_a_pipe_that_somebody_writes_to_is_none_either(tmp_path):
    os.mkfifo(tmp_path / "it")
    both = os.open(tmp_path / "it", os.O_RDWR)
    os.write(both, b"lines")
    with pytest.raises(OSError, match="a pipe"):
        open_file(tmp_path / "it", 100)
    os.close(both)
