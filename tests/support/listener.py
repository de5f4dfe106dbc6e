"""The program at the other end: receives MIDI from JACK, or OSC from the network.

``python -m tests.support.listener midi NAME`` is a JACK client of that name with a MIDI input
``in``; ``python -m tests.support.listener osc`` is python-osc's server on a port that is free. It
is a process of its own, so that it waits for nobody's GIL. It writes ``ready``, with the port, and
then for each message a line to standard output: the monotonic clock in ns, and what came, as JSON.
It ends when its standard input does. :class:`Listener` runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import typer

app = typer.Typer(add_completion=False)

_POLL_S = 0.005


def _say(*values: object) -> None:
    print(json.dumps(values), flush=True)


def _until_input_ends() -> threading.Event:
    over = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    return over


@app.command()
def midi(name: str) -> None:
    """Write each MIDI message as ``[ns, [byte, ...]]``."""
    import jack

    client = jack.Client(name, no_start_server=True)
    port = client.midi_inports.register("in")
    came: deque[tuple[int, bytes]] = deque()

    @client.set_process_callback  # type: ignore[untyped-decorator]  # JACK-Client has no types
    def process(_frames: int) -> None:
        for _, data in port.incoming_midi_events():
            came.append((time.monotonic_ns(), bytes(data)))

    over = _until_input_ends()
    with client:
        _say("ready", f"{name}:in")
        last = False
        while not last:
            last = over.wait(_POLL_S)
            while came:
                at, data = came.popleft()
                _say(at, list(data))


@app.command()
def osc() -> None:
    """Write each message of an OSC bundle as ``[ns, time tag, address, [argument, ...]]``."""
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_bundle import OscBundle
    from pythonosc.osc_server import BlockingOSCUDPServer

    class Told(Dispatcher):
        def call_handlers_for_packet(self, data: bytes, client_address: Any) -> list[object]:
            at = time.monotonic_ns()
            bundle = OscBundle(data)  # a packet of theirs tells no time tag that is in the past
            for message in bundle:
                _say(at, bundle.timestamp, message.address, list(message.params))
            return []

    with BlockingOSCUDPServer(("127.0.0.1", 0), Told()) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _say("ready", server.server_address[1])
        _until_input_ends().wait()
        time.sleep(_POLL_S)
        server.shutdown()


class Listener:
    """A running listener; a context manager.

    Parameters
    ----------
    *arguments : str
        Of the program.
    environment : mapping, optional
        In which it runs.

    Attributes
    ----------
    where : object
        The port it listens at.
    """

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.listener", *arguments],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None  # a pipe
        first = self._process.stdout.readline()
        if not first:
            raise RuntimeError(f"Expected a listener for {arguments[0]}, got none.")
        self.where: Any = json.loads(first)[1]
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None  # a pipe
        for line in self._process.stdout:
            self._lines.append(line)

    def came(self) -> list[Any]:
        """What has come so far."""
        return [json.loads(line) for line in list(self._lines)]

    def close(self) -> None:
        """End it; all that had come is then in :meth:`came`."""
        assert self._process.stdin is not None  # a pipe
        self._process.stdin.close()
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None  # a pipe
        self._process.stdout.close()

    def __enter__(self) -> Listener:
        """Enter the context."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()


if __name__ == "__main__":
    app()
