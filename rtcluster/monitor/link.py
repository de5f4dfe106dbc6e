"""The way to the page: its link as a QR code, and a browser that opens it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import webbrowser
from contextlib import suppress

WHITE_ON_BLACK, AS_BEFORE = "\x1b[97;40m", "\x1b[0m"

BORDER = 2
"""Light modules around the code."""


def qr_code(link: str) -> list[str]:
    """Lines of a terminal that a phone's camera reads the link from, two modules to a character.

    Light is light and dark is dark, also where a terminal writes black on white.
    """
    import segno

    text = io.StringIO()
    segno.make(link, micro=False).terminal(text, border=BORDER, compact=True)
    return [f"{WHITE_ON_BLACK}{line}{AS_BEFORE}" for line in text.getvalue().splitlines()]


def width_of(lines: list[str]) -> int:
    """Columns that :func:`qr_code`'s lines take."""
    return len(lines[0]) - len(WHITE_ON_BLACK) - len(AS_BEFORE)


def browse(link: str) -> bool:
    """Open a link in a browser of this machine, and do not wait for it.

    A browser's command line can be read by everybody on this machine, so the link should open the
    page only once (:attr:`rtcluster.monitor.sink.Monitor.ticket_url`).

    Returns
    -------
    bool
        False if there is no browser but those of the terminal, which is taken. The one that the
        environment variable ``BROWSER`` names is taken whatever it is.
    """
    if sys.platform.startswith("linux") and "BROWSER" not in os.environ:
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            return False
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if type(browser) is webbrowser.GenericBrowser and "BROWSER" not in os.environ:
        return False  # it runs in the terminal
    threading.Thread(target=_open, args=(link,), name="rtcluster-browser", daemon=True).start()
    return True


def _open(link: str) -> None:
    # A process of its own: browsers write to the standard output, which is the events'.
    with suppress(OSError):
        subprocess.run(
            [sys.executable, "-I", "-m", "webbrowser", link],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it
            check=False,
        )
