"""The plots and the page of tables that benchmarks leave."""

from __future__ import annotations

import json

import pytest

from bench import (
    callback,
    latency,
    plots,
    report,
    suite,
    tables,
)


def cuts(value):
    return {"p50": value, "p95": 2 * value, "p99": 3 * value, "max": 9 * value}


def callback_results():
    cases = [
        {
            "load": load, "driver": driver, "work_us": cuts(20.0), "blocks_handled": 90,
            "blocks_expected": 100,
        }
        for load in ("idle", "busy")
        for driver in callback.DRIVERS
    ]  # fmt: skip
    return {"cases": cases, "blocksize": 64, "samplerate": 44100}


def latency_results():
    told = {sink: {stage: cuts(3.0) for stage in latency.STAGES} for sink in ("function", "osc")}
    return {"cases": [{"load": "idle", "program": p, "delay_ms": told} for p in latency.PROGRAMS]}


def scaling_results():
    stream = [{"audio_s": s, "cpu_s": s / 100} for s in (60.0, 120.0)]
    files = [{"minutes": m, "peak_mb": {"rtcluster": 100.0}} for m in (1, 4)]
    return {"stream": stream, "files": files}


@pytest.mark.parametrize(
    ("name", "made"),
    [("callback", callback_results), ("latency", latency_results), ("scaling", scaling_results)],
)
def test_a_plot_is_drawn_light_and_dark(name, made):
    images = plots.picture(name, made()).images
    assert {theme for theme, _ in images} == {"light", "dark"}
    light, dark = images.values()
    assert light.startswith(b"\x89PNG")
    assert light != dark


def test_the_python_callback_is_shown_at_its_best():
    case = latency_results()["cases"][1]
    assert list(plots.sink_rows(case)) == ["function"]


def test_a_plot_without_results_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(plots, "RESULTS", tmp_path)
    (tmp_path / "scaling.json").write_text(json.dumps(scaling_results()))
    plots.main(folder=tmp_path / "docs")
    drawn = sorted(path.name for path in (tmp_path / "docs").iterdir())
    assert drawn == ["scaling-dark.png", "scaling.png"]
    assert "callback: not drawn" in capsys.readouterr().out


def test_results_have_a_line_for_each_row():
    content = {"seconds": 3, "rows": [{"load": "idle", "ms": {"p50": 1.5}, "all": [1, 2]}] * 3}
    text = report.rows(content)
    assert json.loads(text) == content
    assert len(text.splitlines()) == 2 + 1 + 2 + 3


def test_a_report_keeps_what_it_prints_but_for_how_far_it_is(results, capsys):
    console = report.console()
    console.print("two turns ...", style="dim")
    line = "river is missing: pip install 'rtcluster[bench]'"
    console.print(line)
    assert capsys.readouterr().out == f"two turns ...\n{line}\n"
    report.write("a", {"seconds": 3})
    assert json.loads((results / "a.json").read_text())["printed"] == [line]


def test_the_page_has_what_was_printed_and_the_machine_once(results, tmp_path):
    benches = (
        suite.Bench("a", "what a is", ()),
        suite.Bench("b", "what b is", None),
        suite.Bench("c", "what c is", ()),
    )
    for name in ("a", "b"):
        report.console().print(f"table of {name}")
        report.write(name, {})
    page = tables.page(benches, results)
    assert "## a\n\nWhat a is.\n\n```text\ntable of a\n```\n" in page
    assert "table of b" in page
    assert "## c" not in page
    assert page.count("cores") == 1
    assert "all of these but `b`" in page
