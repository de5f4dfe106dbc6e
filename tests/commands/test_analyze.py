from __future__ import annotations

import pytest
import soundfile

pytestmark = pytest.mark.usefixtures("coarse_pictures")


def test_analyze_writes_a_report_and_says_where(rtcluster, wav, tmp_path):
    out = tmp_path / "report"
    code, said, err = rtcluster("analyze", wav, "-k", "3", "-o", str(out), "--algorithm", "kmeans")
    assert code == 0
    assert said == ""
    assert "The report is " in err
    assert (out / "report.html").stat().st_size > 10_000
    assert (out / "features.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["none.wav"], 1),
        (["TEXT"], 1),
        (["WAV", "-k", "0"], 2),
        (["WAV", "--algorithm", "guess"], 2),
        (["WAV", "--rate", "0"], 2),
        (["WAV", "--truth", "none.csv"], 1),
    ],
)
def test_analyze_refuses_bad_input_in_one_line(rtcluster, wav, tmp_path, arguments, code):
    (tmp_path / "text.wav").write_text("no audio")
    names = {"WAV": wav, "TEXT": str(tmp_path / "text.wav")}
    got, out, err = rtcluster("analyze", *[names.get(a, a) for a in arguments])
    assert (got, out) == (code, "")
    assert err.startswith("rtcluster: ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--truth", "HERE/none.csv"], "none.csv, got: No such file or directory"),
        (["--truth", "HERE"], "got: a folder instead of a file"),
        (["--truth", "WAV"], "no UTF-8"),
        (["-o", "WAV"], "WAV: it is no folder; name another with -o"),
        (["-o", "WAV/report"], "WAV/report, got: Not a directory; name another with -o"),
        (["-o", "HERE/page"], "page: it is not empty, and no report wrote it; name another folder"),
    ],
)
def test_what_cannot_be_read_or_written_is_told_in_this_programs_words(
    rtcluster, wav, tmp_path, arguments, words
):
    (tmp_path / "page" / "report.html").mkdir(parents=True)
    names = [a.replace("WAV", wav).replace("HERE", str(tmp_path)) for a in arguments]
    _, out, err = rtcluster("analyze", wav, "--algorithm", "kmeans", *names)
    assert out == ""
    line = err.splitlines()[-1]
    assert line.startswith("rtcluster: ")
    assert words.replace("WAV", wav) in line
    assert "Errno" not in err
    assert "codec" not in err


def test_a_file_without_hits_gives_a_report_that_says_so(rtcluster, tmp_path):
    import numpy as np

    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(44100), 44100)
    code, _, _ = rtcluster("analyze", str(path), "-o", str(tmp_path / "out"))
    assert code == 0
    assert "no onset" in (tmp_path / "out" / "report.html").read_text().lower()
