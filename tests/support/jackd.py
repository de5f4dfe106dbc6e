"""JACK's dummy driver: a sound card without hardware, whose clock is real.

:class:`Server` runs a ``jackd`` of its own, under a name of its own, so that it meets no other
server on the machine. :class:`Player` is a JACK client that plays audio into another client's
ports. Its process callback is compiled: it never waits for an interpreter, and so
is never what is late. The live tests stand on both, which know of each other: one module.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from ctypes.util import find_library
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.sinks.jack_midi import address, functions, set_callbacks

PRIORITY = 70
"""Real-time priority of the server; its clients run a little below."""

TIMEOUT_S = 120.0
"""How long is waited for what takes a second on a machine that is not busy."""

_END_S = 10.0
"""How long a server that is told to end may take, before it is killed."""

CLIENT_TIMEOUT_MS = 500
"""jackd's client timeout; it waits ten times as long for a client that joins or leaves.

If it is patient, it waits so long for one that is late too. By default the timeout is two blocks:
where the machine stands still for 29 ms clients of 64 frames are refused or aborted, and a patient
server is out of step with all of them until it ends.
"""

DEVICE = "system"
"""PortAudio's name for the server's own ports."""

LOST_BY_SERVER = r"JackTimedDriver::Process XRun"
"""jackd's words when its own thread woke too late: the machine's doing, not a client's."""

LOST_BY_CLIENT = r"client = PortAudio\S* was not (?:run|finished)"
"""jackd's words when PortAudio's callback did not come to its end in time."""

OUT_OF_STEP = r"engine may now behave abnormally"
"""A patient jackd's words when it has waited for a client in vain; audio is lost from then on."""


def missing() -> str:
    """Say all that a run on the dummy driver lacks here; empty if nothing."""
    lacking = []
    if shutil.which("jackd") is None:
        lacking.append("jackd (Debian: jackd2)")
    if find_library("portaudio") is None:
        lacking.append("PortAudio (Debian: libportaudio2)")
    if importlib.util.find_spec("jack") is None:
        lacking.append("JACK-Client (pip install JACK-Client)")
    return f"not installed: {', '.join(lacking)}" if lacking else ""


def realtime_permitted() -> bool:
    """Whether this user may run threads at :data:`PRIORITY`."""
    try:
        policy, before = os.sched_getscheduler(0), os.sched_getparam(0)
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
        os.sched_setscheduler(0, policy, before)
    except (AttributeError, OSError):
        return False
    return True


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition and return its value.

    Parameters
    ----------
    condition : callable
        Polled every 5 ms.
    what : str
        What is waited for, for the error's text.

    Raises
    ------
    TimeoutError
        If it does not come true within :data:`TIMEOUT_S`.
    """
    end = time.monotonic() + TIMEOUT_S
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"Expected {what} within {TIMEOUT_S:g} s.")
        time.sleep(0.005)
    return value


class Server:
    """A running ``jackd`` with the dummy driver; a context manager.

    Parameters
    ----------
    samplerate : int
        Hz.
    period : int
        Frames of a block.
    channels : int
        Its inputs, and as many outputs.
    realtime : bool, optional
        At real-time priority; by default where that is permitted.
    patient : bool
        Wait for clients that are late, where a sound card would drop their block. Then no
        audio is lost on a busy machine, but its clock stretches.
    name : str, optional
        Of a server that was killed, to start it again.

    Raises
    ------
    RuntimeError
        If it does not start; the message is the server's own words.
    """

    def __init__(
        self,
        samplerate: int = 44100,
        period: int = 64,
        *,
        channels: int = 2,
        realtime: bool | None = None,
        patient: bool = False,
        name: str | None = None,
    ) -> None:
        import jack

        self.samplerate, self.period = samplerate, period
        self.realtime = realtime_permitted() if realtime is None else realtime
        self._killed = False
        self.name = name or f"rtcluster-{os.getpid()}-{time.monotonic_ns() % 1_000_000}"
        mode = ["-R", "-P", str(PRIORITY)] if self.realtime else ["-r"]
        command = ["jackd", "-n", self.name, *mode, "--no-mlock", *["-S"] * patient]
        command += ["-t", str(CLIENT_TIMEOUT_MS)]
        command += ["-d", "dummy", "-r", str(samplerate), "-p", str(period)]
        command += ["-C", str(channels), "-P", str(channels)]
        jack.set_error_function(lambda _: None)  # it speaks while the server is not yet there
        jack.set_info_function(lambda _: None)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        self._process = subprocess.Popen(
            command,
            env=os.environ | {"JACK_NO_AUDIO_RESERVATION": "1"},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(self._answers, "jackd to answer")
        except TimeoutError as error:
            self.close()
            raise RuntimeError(str(error)) from error

    def _answers(self) -> bool:
        import jack

        if self._process.poll() is not None:
            text = self.log().strip()
            self.close()
            raise RuntimeError(f"Expected jackd to start, got: {text}")
        with suppress(jack.JackOpenError):
            jack.Client("probe", servername=self.name, no_start_server=True).close()
            return True
        return False

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which PortAudio and JACK clients find this server."""
        return os.environ | {"JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1"}

    def log(self) -> str:
        """All that the server has said so far."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def count(self, words: str) -> int:
        """How often it has said what matches a regular expression."""
        return len(re.findall(words, self.log()))

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Have it stand still, as one that hangs, until the block is left."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a sound card ends that is unplugged."""
        self._process.kill()
        self._process.wait()
        self._killed = True

    def close(self) -> None:
        """Stop it."""
        if self._killed:
            # JACK knows eight servers, the dead ones among them. Only a server of the same name
            # takes a dead one's place, and gives it back when it ends.
            self._killed = False
            with suppress(RuntimeError):
                Server(realtime=False, name=self.name).close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()

    def __enter__(self) -> Server:
        """Enter the context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.close()


MAX_SAMPLES = 1 << 22
"""Samples that a player holds, 95 s of one channel at 44.1 kHz."""

MAX_CHANNELS = 8
"""Outputs that a player may have."""

CYCLES = 1 << 16
"""Blocks whose time a player remembers, a power of two: 95 s of 64-frame blocks at 44.1 kHz."""

PLAYER = np.dtype(
    [
        ("ports", "u8", (MAX_CHANNELS,)),
        ("channels", "i8"),
        ("playing", "i4"),
        ("loop", "i4"),
        ("position", "i8"),
        ("length", "i8"),
        ("timespec", "i8", (2,)),
        ("n_cycles", "i8"),
        ("cycles", "i8", (CYCLES,)),  # ns
        ("audio", "f4", (MAX_SAMPLES,)),  # one channel after the other
    ],
    align=True,
)


def port_buffer() -> Any:
    """``jack_port_get_buffer`` for compiled code."""
    from rtcluster.kernel.jack_midi import get_buffer, link

    link(functions())
    return get_buffer


@functools.cache
def _process_callback() -> Any:
    """Compile the player's JACK process callback; its argument is a :data:`PLAYER`'s address."""
    from numba import carray, cfunc, types

    from rtcluster.kernel.callback import now_ns

    get_buffer = port_buffer()

    @cfunc(types.int32(types.uint32, types.voidptr))  # type: ignore[untyped-decorator]  # Numba's decorators have no types
    def process(frames: Any, userdata: Any) -> int:
        state = carray(userdata, 1, PLAYER)[0]
        playing, position = state.playing, state.position
        for channel in range(state.channels):
            out = carray(get_buffer(state.ports[channel], frames), (np.intp(frames),), np.float32)
            position = state.position
            for i in range(frames):
                if playing and state.loop and position == state.length:
                    position = 0
                if playing and position < state.length:
                    out[i] = state.audio[channel * state.length + position]
                    position += 1
                else:
                    out[i] = np.float32(0.0)
        state.position = position
        state.cycles[state.n_cycles & (CYCLES - 1)] = now_ns(state)
        state.n_cycles += 1
        return 0

    return process


class Player:
    """A JACK client with an output for each channel, which plays audio; a context manager.

    Parameters
    ----------
    server : Server
    audio : ndarray of float32, shape (frames,) or (frames, channels)
        At the server's rate, at most :data:`MAX_SAMPLES` and :data:`MAX_CHANNELS`.
    loop : bool
        Start again at the end.
    """

    def __init__(self, server: Server, audio: npt.NDArray[np.float32], *, loop: bool = False):
        import jack

        if not 0 < audio.size <= MAX_SAMPLES:
            raise ValueError(f"Expected 1 to {MAX_SAMPLES} samples, got {audio.size}.")
        tracks = np.atleast_2d(audio.T)
        if len(tracks) > MAX_CHANNELS:
            raise ValueError(f"Expected 1 to {MAX_CHANNELS} channels, got {len(tracks)}.")
        self._client = jack.Client("player", servername=server.name, no_start_server=True)
        self.ports = [
            self._client.outports.register("out" if n == 0 else f"out{n + 1}").name
            for n in range(len(tracks))
        ]
        self._state = np.zeros(1, PLAYER)
        for n, port in enumerate(self.ports):
            self._state["ports"][0, n] = address(self._client.get_port_by_name(port))
        self._state["channels"] = len(tracks)
        self._state["loop"], self._state["length"] = loop, len(audio)
        self._state["audio"][0, : audio.size] = tracks.ravel()
        set_callbacks(self._client, self._state, _process_callback())
        self._client.activate()

    def connect(self, client: str = "PortAudio") -> None:
        """Play into the first inputs of a client, once that client's stream has started.

        A stream of PortAudio has started when PortAudio has connected it to the server's ports.
        """

        def started() -> Any:
            ports = self._client.get_ports(f"^{client}", is_audio=True, is_input=True)
            there = len(ports) >= len(self.ports)
            return there and all(map(self._client.get_all_connections, ports)) and ports

        for port, target in zip(
            self.ports, wait_until(started, f"a stream of {client}"), strict=False
        ):
            self._client.connect(port, target)
        wait_until(lambda: all(map(self._client.get_all_connections, self.ports)), "the connection")

    @property
    def connected(self) -> bool:
        """Whether anybody hears it."""
        return any(map(self._client.get_all_connections, self.ports))

    def play(self) -> None:
        """Begin with the next block."""
        self._state["playing"] = 1

    @property
    def done(self) -> bool:
        """Whether all of the audio has been played."""
        return bool(self._state["position"][0] == self._state["length"][0])

    @property
    def cycles(self) -> npt.NDArray[np.int64]:
        """When each of the latest blocks had been played: ns, monotonic clock, shape (n,)."""
        n = int(self._state["n_cycles"][0])
        log = self._state["cycles"][0]
        slots = np.arange(max(0, n - CYCLES + 1), n) & (CYCLES - 1)
        return np.asarray(log[slots])

    def close(self) -> None:
        """Leave the server."""
        self._client.deactivate(ignore_errors=True)
        self._client.close(ignore_errors=True)

    def __enter__(self) -> Player:
        """Enter the context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the server."""
        self.close()


@contextmanager
def child(
    command: list[str], environment: Mapping[str, str], **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """Run a child process that is ended, if it still runs, when the context is left."""
    process = subprocess.Popen(command, env=environment, text=True, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
