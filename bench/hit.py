"""The picture of a hit in docs: a snare's waveform and the engine's three answers to it."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rtcluster import Event, Final, Guess, Onset, Processor, Settings
from rtcluster.pages.canvas import WIDE, Layout, Picture, Theme, place, render
from rtcluster.pages.palette import mark
from rtcluster.sources.groove import Groove
from rtcluster.sources.groove import render as play

DRUM = "snare"

BEFORE_MS, AFTER_MS = 10.0, 115.0
"""What is shown of the time around the hit."""


def heard(groove: Groove) -> tuple[Onset, Guess, Final]:
    """The events of the last snare that no other hit cut short."""
    processor = Processor(Settings(classes=3))
    processor.prepare(groove.samplerate, 64)
    events: list[Event] = [*processor.process(groove.audio), *processor.flush()]
    snares = {stroke.sample for stroke in groove.strokes if stroke.drum == DRUM}
    near = groove.samplerate // 100
    final = next(
        event
        for event in reversed(events)
        if isinstance(event, Final)
        and not event.overlapped
        and any(abs(event.sample - sample) < near for sample in snares)
    )
    onset = next(e for e in events if isinstance(e, Onset) and e.id == final.id)
    guess = next(e for e in events if type(e) is Guess and e.id == final.id)
    return onset, guess, final


def draw_hit() -> Picture:
    """The picture, light and dark."""
    groove = play(8.0)
    onset, guess, final = heard(groove)
    rate = groove.samplerate

    def draw(theme: Theme, layout: Layout) -> Figure:
        figure = Figure(figsize=(layout.width, 3.3))
        axes = place(figure, 0.75, 0.62, 0.25, 2.15)
        begin = onset.sample - int(BEFORE_MS * rate / 1e3)
        end = onset.sample + int(AFTER_MS * rate / 1e3)
        x = groove.audio[begin:end]
        ms = (np.arange(begin, end) - onset.sample) * 1e3 / rate
        top = 1.15 * float(np.abs(x).max())
        axes.plot(ms, x, color=theme.wave, linewidth=0.7)
        for event, words in (
            (onset, f"onset: velocity {onset.velocity}"),
            (guess, f"guess: {DRUM}, margin {guess.margin:.2f}"),
            (final, f"final: {DRUM}, margin {final.margin:.2f}"),
        ):
            at = (event.emitted - onset.sample) * 1e3 / rate
            colour = mark(1).colour if event is onset else mark(final.class_).colour
            axes.axvline(at, color=colour, linewidth=1.6)
            side = "right" if event is final else "left"
            gap = -0.8 if event is final else 0.8
            axes.text(at + gap, top * 1.03, words, color=theme.ink, ha=side, va="bottom")
            axes.text(at + gap, -top, f"{at:.1f} ms", color=theme.soft, ha=side, va="bottom")
        for span, height in ((guess.span, 0.90), (final.span, 0.76)):
            axes.annotate(
                "", (0, height * top), (span * 1e3 / rate, height * top),
                arrowprops={"arrowstyle": "<->", "color": theme.soft, "linewidth": 0.9},
            )  # fmt: skip
            middle = span * 5e2 / rate
            axes.text(
                middle, height * top, f"{span * 1e3 / rate:.0f} ms measured", ha="center",
                va="center", color=theme.soft,
                bbox={"facecolor": theme.paper, "edgecolor": "none", "pad": 1.5},
            )  # fmt: skip
        axes.axvline(0, color=theme.ink, linewidth=0.9, linestyle=":")
        axes.set(xlim=(-BEFORE_MS, AFTER_MS), ylim=(-1.05 * top, top))
        axes.set_ylabel("amplitude (FS)")
        axes.set_xlabel("time after the first sample of the attack (ms)")
        return figure

    return render("hit", "", "", (WIDE,), draw)
