"""The sink that feeds the monitor page, and hands on what the page asks for.

Each method of :class:`Monitor` that the pump thread calls only appends to a queue. A thread of the
sink's own turns the queue into JSON and writes it to the server process; another reads what the
pages ask for. If the server dies it is started again, on the same port and with the same token,
and told what it has to know; the session goes on either way.
"""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from rtcluster.errors import RtclusterError
from rtcluster.events import Event, Final
from rtcluster.libraries import extra
from rtcluster.monitor.address import Address, listen
from rtcluster.monitor.child import LEAVE_S, Child
from rtcluster.monitor.history import RECORDED, PageHistory
from rtcluster.monitor.recorded import FORMATS
from rtcluster.pages.palette import COLOURS, MARKERS, NONE_COLOUR, NONE_MARKER, OUTLINES
from rtcluster.session.controls import Controls, Request
from rtcluster.sinks import Sink
from rtcluster.sinks.outbox import Outbox, Writer

STUCK_S = 10.0
"""A server that takes no line for so long is ended, and started again."""

RESTARTS = 5
"""How often it is started again, before it has run well for :data:`WELL_S`."""

WELL_S = 60.0

_PACKAGES = ("starlette", "uvicorn", "websockets", "segno")


class Monitor(Sink):
    """Shows sessions on a page; made by :meth:`open`.

    It outlives its sessions: ``end`` shows the summary, another ``begin`` clears the page, and
    :meth:`close` ends the server.

    Attributes
    ----------
    url : str
        The link to the page, with the token that opens it.
    ticket_url : str
        The same with a ticket, which opens it once: for a browser's command line, which everybody
        on this machine may read. The page then has the token in its cookie.
    """

    label = "The monitor"
    wants_status = True

    def __init__(
        self,
        controls: Controls,
        listener: socket.socket,
        address: Address,
        report: Callable[[str], None],
    ) -> None:
        token, ticket = (secrets.token_urlsafe(24) for _ in range(2))
        self.url, self.ticket_url = (
            f"http://{address.shown}:{address.port}/?token={key}" for key in (token, ticket)
        )
        self._controls = controls
        self._listener = listener
        self._report = report
        self._config: dict[str, object] = {
            "token": token,
            "ticket": ticket,
            "host": address.host,
            "port": address.port,
            "open": address.open_,
            "page": {
                "event": "page",
                "colours": COLOURS,
                "outlines": [OUTLINES[marker] for marker in MARKERS],
                "exports": FORMATS,
                "none": [NONE_COLOUR, OUTLINES[NONE_MARKER]],
            },
        }
        self._outbox = Outbox()
        self._history = PageHistory()
        self._closing = False
        self._gone = False  # the server, for good
        self._refused = 0  # events that JSON cannot carry
        self._restarts = self._restarts_in_all = 0
        self._child = self._start()
        self._config["ticket"] = ""  # it may have been used: a server that follows takes none
        self._child.wait_until_it_answers()
        self._writer = Writer("rtcluster-monitor", self._outbox, self._feed)

    @classmethod
    def open(
        cls,
        controls: Controls,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        report: Callable[[str], None],
    ) -> Monitor:
        """Start the server and wait until pages can come.

        Parameters
        ----------
        controls : Controls
            Where what the page asks for goes.
        host : str
            Where to listen. What any other than this machine's own loopback opens is reported.
        port : int
            0 for any that is free.
        report : callable
            Called with a line for the terminal; from any thread.

        Raises
        ------
        RtclusterError
            If a package is missing, the port is taken, or the server does not start.
        """
        with extra("monitor", *_PACKAGES):
            pass  # the server's own process imports them
        listener, address = listen(host, port)
        try:
            monitor = cls(controls, listener, address, report)
        except BaseException:
            listener.close()
            raise
        if warning := address.warning():
            report(warning)
        return monitor

    @property
    def open_(self) -> bool:
        """Whether other machines may come."""
        return bool(self._config["open"])

    @property
    def server(self) -> int:
        """Number of the server's process; another once it was started again."""
        return self._child.pid

    # The pump thread's. Nothing here waits. What ended the writer is told by the next event.

    def begin(self, session: dict[str, object]) -> None:
        """Clear the page for a new session."""
        self._outbox.event(session)

    def event(self, event: Event) -> None:
        """Show an event."""
        self._require_writer()
        self._outbox.event(event)

    def status(self, status: dict[str, object]) -> None:
        """Show how things stand."""
        self._require_writer()
        self._outbox.status(status)
        if self._child.stuck_for() > STUCK_S:
            self._child.kill()  # the writer's write ends, and it starts another

    def _require_writer(self) -> None:
        if self._writer.error is not None:
            raise self._writer.error

    def figures(self) -> Mapping[str, object]:
        """Lines that the server was too slow for, and how often it was started again."""
        return {
            "monitor": {
                "events_dropped": self._outbox.dropped_events + self._refused,
                "statuses_dropped": self._outbox.dropped_statuses,
                "restarts": self._restarts_in_all,
            }
        }

    def end(self, summary: dict[str, object]) -> None:
        """Show the summary. The page stays, for another session; what was recorded is offered."""
        self._outbox.event(summary)
        recording = summary.get("recording")
        if isinstance(recording, Mapping) and recording["samples"]:
            self._outbox.event({"event": RECORDED, "folder": recording["folder"]})

    def notice(self, text: str) -> None:
        """Show a line on the page, for a while; any thread."""
        self._outbox.event({"event": "notice", "text": text})

    def close(self) -> None:
        """End the server, once it has been told all there was."""
        if self._closing:
            return
        self._closing = True
        if not self._writer.close(LEAVE_S):  # in a write that a stuck server does not take
            self._child.kill()
            self._writer.close(LEAVE_S)
        self._child.leave()
        self._listener.close()

    def __enter__(self) -> Monitor:
        """Enter the context."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the server."""
        self.close()

    # The writer thread's.

    def _feed(self, batch: list[Any]) -> None:
        data = b"".join(map(self._encoded, batch))
        if not self._gone and not self._child.write(data):
            self._gone = not self._again()

    def _encoded(self, item: Event | dict[str, object] | None) -> bytes:
        """A line of JSON, made once, whoever reads it. None only wakes."""
        if item is None:
            return b""
        try:
            line = item if isinstance(item, dict) else item.as_dict()
            if isinstance(item, Final):
                line["at"] = item.features[:2]
            elif "event" not in line:
                line = {"event": "status", **line}
            text = json.dumps(line, allow_nan=False, separators=(",", ":"))
            self._history.take(line, text)
        except Exception:  # of any kind: it costs this line, and is counted
            self._refused += 1
            return b""
        return text.encode() + b"\n"

    def _start(self) -> Child:
        return Child(self._listener, self._config, self._said)

    def _again(self) -> bool:
        """Start the server again and tell it the present state; False if that is in vain."""
        while not self._closing:
            self._child.leave()
            if time.monotonic() - self._child.began > WELL_S:
                self._restarts = 0
            if self._restarts == RESTARTS:
                self._report("The monitor page's server keeps ending; the session goes on without.")
                self._outbox.close()
                self._listener.close()
                break
            self._restarts += 1
            self._restarts_in_all += 1
            self._report("The monitor page's server had ended and is started again.")
            try:
                self._child = self._start()
            except RtclusterError as error:
                self._report(str(error))
                continue
            if self._child.write("".join(f"{t}\n" for t in self._history.texts()).encode()):
                return True
        return False

    # The thread that reads what the pages ask for.

    def _said(self, line: dict[str, Any] | None) -> None:
        if line is None:  # the server has ended: wake the writer, which will see
            if not self._closing:
                self._outbox.event(None)
            return
        try:
            self._controls.ask(Request(line.get("what"), line.get("value")))  # type: ignore[arg-type]  # it refuses what is no text
        except RtclusterError as error:
            self._report(f"The monitor page: {error}")
            self.notice(str(error))
