"""Hits as Open Sound Control, for anything that listens on the network.

Each event is an OSC 1.0 message in a bundle of its own, over UDP, so a receiver has it at once:

=======================  ======================================================================
address                  arguments
=======================  ======================================================================
``/rtcluster/onset``     id i, time f, velocity i, strength f
``/rtcluster/guess``     id i, class i, name s, margin f, velocity i, zcr i, energy f, time f
``/rtcluster/final``     as the guess's, then revised i, overlapped i
``/rtcluster/part``      id i, class i, name s, velocity i, place i, stage s
``/rtcluster/features``  id i, stage s, then name s and value f of each feature
``/rtcluster/relabel``   id i, class i, name s
``/rtcluster/session``   version i, samplerate i, source s, warmup i
``/rtcluster/units``     name s and unit s of each feature
``/rtcluster/summary``   hits i, seconds f, xruns i
=======================  ======================================================================

``time`` is in seconds since the stream began; the others are those of the event schema. A hit's
three messages have one time tag: the time of day at which its first sample sounded. It lies in
the past, so a receiver acts at once, or adds a fixed delay to it and has every hit on time. What
has no such time (a relabel; a file that is not played in real time) is tagged "immediately".
Where every channel is listened to (``-c all``), the messages of a hit end with its channel i, from
1; ids and classes are each channel's own.
Where several drums sound in a hit, a guess and a final are followed by a ``part`` for each, the
strongest first: ``place`` counts from 0, ``stage`` is "guess" or "final".
Where hits are judged by other features than ``zcr`` and ``energy``, ``features`` follows, with
the others' values, and the session is followed by their ``units``.
Muted classes are not sent; their onsets are, because an onset has no class yet.

All of it runs on the pump thread. Nothing waits: the name is looked up once, when the sink is
opened, and what the network cannot take at once is lost and counted.
"""

from __future__ import annotations

import re
import socket
import time
from collections import deque
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.events import ONE_CHANNEL, Classified, Event, Final, Guess, Onset, Relabel, Xrun
from rtcluster.libraries import extra
from rtcluster.sinks.sending import Sending
from rtcluster.timing import clock_ns as clock_ns

_CLASSIFIED = "id class_ name margin velocity zcr energy"

_MESSAGES = {
    Onset: ("onset", "ifif", attrgetter("id", "time", "velocity", "strength")),
    Guess: ("guess", "iisfiif", attrgetter(*_CLASSIFIED.split())),
    Final: ("final", "iisfiif", attrgetter(*_CLASSIFIED.split())),
    Relabel: ("relabel", "iis", attrgetter("id", "class_", "name")),
}

_REMEMBERED = 1024
"""Hits whose time tag is kept until their final."""


class SampleClock:
    """Time of day of a stream's samples, by the times at which their blocks arrived.

    An event is stamped when its block arrives: never before its last sample has sounded, and up
    to a block later, more if the audio thread was late. So of the latest stamps the earliest, each
    taken back to the start of the stream, is the best.

    Parameters
    ----------
    samplerate : int
        Hz.
    offset_s : float
        From a sound at the microphone to its audio in the program, in seconds.
    """

    _LATEST = 16

    def __init__(self, samplerate: int, offset_s: float = 0.0) -> None:
        self._ns = 1e9 / samplerate
        self._offset_s = offset_s
        self._starts: deque[float] = deque(maxlen=self._LATEST)

    def hear(self, emitted: int, stamp: int) -> None:
        """Take in that sample ``emitted`` was there at ``stamp``, in ns on the monotonic clock."""
        self._starts.append(stamp - emitted * self._ns)

    def forget(self) -> None:
        """Begin again: audio was lost, and the count of samples is behind."""
        self._starts.clear()

    def time_of(self, sample: int) -> float:
        """Time of day in seconds since 1970, UTC."""
        past_ns = clock_ns() - (min(self._starts) + sample * self._ns)
        return time.time() - past_ns / 1e9 - self._offset_s


class OscOut(Sending):
    """Sends the events of hits as OSC messages.

    Parameters
    ----------
    sock : socket.socket
        Of UDP, connected, not blocking; closed by :meth:`close`.
    offset_s : float
        As in :class:`SampleClock`.

    Attributes
    ----------
    lost : int
        Messages of this session that the network did not take, or that nobody was there to receive.
    """

    label, kind = "OSC output", "osc"

    def __init__(self, sock: socket.socket, *, offset_s: float = 0.0) -> None:
        super().__init__()
        self.lost = 0
        self._socket = sock
        self._offset_s = offset_s
        self._clock = SampleClock(1)
        self._tags: dict[tuple[int, int], float] = {}  # by channel and hit

    @classmethod
    def open(cls, address: str, *, offset_s: float = 0.0) -> OscOut:
        """Send to ``host:port``; an address of IPv6 stands in brackets.

        Raises
        ------
        SettingsError
            If it is no host and port.
        RtclusterError
            If there is no such host or no way to it, or python-osc is not installed.
        """
        _builders()
        return cls(_connected(*parse_address(address)), offset_s=offset_s)

    def begin(self, session: dict[str, object]) -> None:
        """Send the session's message."""
        super().begin(session)
        self.lost = 0
        self._clock = SampleClock(self._samplerate, self._offset_s)
        self._tags.clear()
        said = [session[key] for key in ("version", "samplerate", "source", "warmup")]
        self._post("session", "iisi", said)
        units: Any = session.get("units", {})
        if units:
            self._post("units", "ss" * len(units), _in_a_row(units))

    def event(self, event: Event) -> None:
        """Send an event of a hit."""
        if isinstance(event, Relabel):
            if event.class_ not in self._muted:
                address, types, read = _MESSAGES[Relabel]
                self._post_of(event, address, types, read(event))
            return
        if isinstance(event, Xrun):
            self._clock.forget()
        super().event(event)

    def _send(self, event: Onset | Classified) -> bool:
        address, types, read = _MESSAGES[type(event)]
        values = read(event)
        if isinstance(event, Classified):
            types, values = types + "f", (*values, event.sample / self._samplerate)
        if isinstance(event, Final):
            types, values = types + "ii", (*values, int(event.revised), int(event.overlapped))
        tag = self._tag(event)
        sent = self._post_of(event, address, types, values, tag)
        if isinstance(event, Classified) and len(event.parts) > 1:
            for place, one in enumerate(event.parts):
                if one.class_ not in self._muted:
                    said = (event.id, one.class_, one.name, one.velocity, place, address)
                    self._post_of(event, "part", "iisiis", said, tag)
        if isinstance(event, Classified) and (further := event.further):
            types = "is" + "sf" * len(further)
            self._post_of(event, "features", types, (event.id, address, *_in_a_row(further)), tag)
        return sent

    def _post_of(
        self,
        event: Event | Classified,
        address: str,
        types: str,
        values: Any,
        tag: float | None = None,
    ) -> bool:
        """Send a hit's message, with its channel where there are several."""
        if event.channel != ONE_CHANNEL:
            types, values = types + "i", (*values, event.channel)
        return self._post(address, types, values, tag)

    def _tag(self, event: Onset | Classified) -> float | None:
        """Time tag of the hit, the same for all its events; None offline."""
        if not event.stamp:
            return None
        hit = event.channel, event.id
        known = self._tags.pop(hit, None) if isinstance(event, Final) else self._tags.get(hit)
        if known is not None:
            return known
        self._clock.hear(event.emitted, event.stamp)
        tag = self._clock.time_of(event.sample)
        if not isinstance(event, Final):
            self._tags[hit] = tag
            if len(self._tags) > _REMEMBERED:
                del self._tags[next(iter(self._tags))]
        return tag

    def _post(self, address: str, types: str, values: Any, tag: float | None = None) -> bool:
        """Send a message; tell whether the network took it."""
        message_builder, bundle_builder, immediately = _builders()
        message = message_builder(f"/rtcluster/{address}")
        for value, kind in zip(values, types, strict=True):
            message.add_arg(_sendable(value) if kind == "s" else value, kind)
        bundle = bundle_builder(immediately if tag is None else tag)
        bundle.add_content(message.build())
        packet = bundle.build().dgram
        for _ in range(2):
            try:
                self._socket.send(packet)
            except OSError as error:
                self.lost += 1
                if not isinstance(error, ConnectionRefusedError):
                    return False
                # Said of an earlier one, in place of sending this one.
            else:
                return True
        return False

    def _figures(self) -> dict[str, object]:
        return super()._figures() | {"lost": self.lost}

    def end(self, summary: dict[str, object]) -> None:
        """Send the summary's message."""
        self._post("summary", "ifi", [summary[key] for key in ("hits", "seconds", "xruns")])

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of ``host:port`` or ``[IPv6]:port``.

    Raises
    ------
    SettingsError
        If it is anything else.
    """
    found = re.fullmatch(r"(?:\[([^\[\]]+)\]|([^:\[\]\s]+)):([0-9]{1,5})", text.strip())
    if not found or not 0 < int(found[3]) < 1 << 16:
        raise SettingsError(
            f"Expected host:port for --osc (127.0.0.1:9000, [::1]:9000), got {text!r:.80}."
        )
    return found[1] or found[2], int(found[3])


def _in_a_row(pairs: Mapping[str, Any]) -> list[Any]:
    """Names and values, by turns."""
    return [one for pair in pairs.items() for one in pair]


def _sendable(text: str) -> str:
    """Without what UTF-8 cannot hold, and without the sign that ends a string in OSC."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _connected(host: str, port: int) -> socket.socket:
    """A socket of UDP to a host, by IPv4 if it has both: what listens often knows no other."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = min(found, key=lambda at: at[0] != socket.AF_INET)
        sock = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise RtclusterError(
            f"Expected a host that is known for --osc, got {host!r}: {why}."
        ) from (error)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.connect(address)
    except OSError as error:
        sock.close()
        raise RtclusterError(
            f"Expected a way to {host} for --osc, got: {error.strerror}."
        ) from error
    return sock


def _builders() -> tuple[Any, Any, Any]:
    with extra("osc"):
        from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
        from pythonosc.osc_message_builder import OscMessageBuilder
    return OscMessageBuilder, OscBundleBuilder, IMMEDIATELY
