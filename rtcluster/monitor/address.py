"""Where the monitor listens, and who can reach it there.

The socket is made in the parent and handed to the server process: should the server be started
again it is on the same port, and a page that comes back meanwhile waits for it, unrefused.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass

from rtcluster.errors import RtclusterError

BACKLOG = 32

_ELSEWHERE = ("198.51.100.1", 9)  # of a network for documentation; nothing is sent to it
_HTTP_PORT = 80
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is.

    Attributes
    ----------
    host : str
        As it was given.
    port : int
    open_ : bool
        Whether other machines may come, because the host is no loopback address.
    """

    host: str
    port: int
    open_: bool

    @property
    def shown(self) -> str:
        """The host that a browser on this machine's network finds it by."""
        bare = _ip(self.host)
        if bare is not None and bare.is_unspecified:
            return _outward()
        return f"[{self.host}]" if bare is not None and bare.version == 6 else self.host

    def warning(self) -> str:
        """What it opens, in a line for the terminal; empty if nothing."""
        if not self.open_:
            return ""
        return (
            f"The monitor is open to every machine that reaches {self.host} port {self.port}. "
            "The link with its token is the key: whoever has it sees the session and controls "
            "it. It is not encrypted, so whoever listens on the network can read the token."
        )

    def is_ours(self, header: str) -> bool:
        """Whether a ``Host`` header can be meant for this server.

        A page of somebody else's can let a name of its own point here, but no number: so
        numbers are let in, and of the names only localhost and the one that was given. A number
        with a scope (``fe80::1%eth0``) is not: it means something on one machine only, no browser
        sends it, and what stands after the ``%`` could be anything.
        """
        host, port = _split(header)
        if port != self.port or "%" in host:
            return False
        if host in ("localhost", self.host.lower()):
            return True
        number = _ip(host)
        return number is not None and (self.open_ or number.is_loopback)


def listen(host: str, port: int) -> tuple[socket.socket, Address]:
    """Open the socket.

    Parameters
    ----------
    host : str
        A name or a number. Other machines may come if it is no loopback address.
    port : int
        0 for any that is free.

    Raises
    ------
    RtclusterError
        If there is no such host here, or the port is taken.
    """
    if "%" in host:
        raise RtclusterError(
            f"Expected a host without a scope, which no browser opens, got {host!r}; "
            "'::' is all of this machine's addresses."
        )
    try:
        if not 0 <= port <= _HIGHEST_PORT:
            raise OverflowError
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError, OverflowError) as error:
        raise RtclusterError(
            f"Expected a host and a port of this machine, got {host!r} and {port}."
        ) from error
    family, kind, protocol, _, where = found[0]
    opened = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(where)
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise RtclusterError(
            f"Expected a free port on {host}, got {port}: {error.strerror}. "
            "Leave the port out for any."
        ) from error
    loopback = ipaddress.ip_address(str(where[0]).partition("%")[0]).is_loopback
    return opened, Address(host, int(opened.getsockname()[1]), not loopback)


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _split(header: str) -> tuple[str, int]:
    """Host and port of a ``Host`` header, lower case, without the brackets of IPv6."""
    host, colon, port = header.strip().lower().rpartition(":")
    if not colon or port.endswith("]"):
        host, port = header.strip().lower(), str(_HTTP_PORT)
    if not (port.isascii() and port.isdigit() and len(port) <= 5):
        return "", -1
    return host.removeprefix("[").removesuffix("]"), int(port)


def _outward() -> str:
    """The number this machine has in the network it goes out by; localhost without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return "localhost"
        return str(probe.getsockname()[0])
