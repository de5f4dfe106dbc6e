"""Who may come in: those with the token, by this server's own name, from its own page.

The link carries the token once. The page answers with a cookie that no script can read and that no
other site's request carries (``HttpOnly``, ``SameSite=Strict``), and takes the token out of the
address bar, where a projector or a shared screen would show it and the history would keep it. A
cookie is not kept from other ports of the same host, so the ``Origin`` is checked as well. The
``Host`` is, too: else a foreign name that is made to point here would count as this server's own.

ASGI middleware; runs on the server's loop, before anything else sees a request.
"""

from __future__ import annotations

import hmac

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rtcluster.monitor.address import Address
from rtcluster.monitor.strangers import Strangers

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

REFUSED = "Refused: open the link that rtcluster printed, with its token.\n"


def policy(host: str) -> str:
    """Content-Security-Policy: nothing but this server's own files, and its socket.

    The socket is named because not every browser counts it as ``'self'``.
    """
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


class Keys:
    """What opens the door.

    Parameters
    ----------
    token : str
        As often as one likes.
    ticket : str
        Once; empty for none.
    """

    def __init__(self, token: str, ticket: str = "") -> None:
        self.token = token
        self._ticket = ticket

    def open(self, given: str) -> bool:
        """Whether it opens; a ticket is spent by it."""
        if hmac.compare_digest(given.encode(), self.token.encode()):
            return True
        ticket = self._ticket
        if ticket and hmac.compare_digest(given.encode(), ticket.encode()):
            self._ticket = ""
            return True
        return False


class Door:
    """Lets requests through to an app, or refuses them.

    Parameters
    ----------
    app : ASGI app
    keys : Keys
    address : Address
    strangers : Strangers
        What a request comes from is none of them any more once it was let in.
    """

    def __init__(self, app: ASGIApp, keys: Keys, address: Address, strangers: Strangers) -> None:
        self._app = app
        self._strangers = strangers
        self._keys = keys
        self._address = address
        self._cookie = f"rtcluster-{address.port}"  # another monitor has another

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        if not self._may_enter(asked):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})  # before it is one: 403
            else:
                refusal = PlainTextResponse(REFUSED, 403, HEADERS)
                await refusal(scope, receive, send)
            return
        self._strangers.forget(scope["client"])

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["Content-Security-Policy"] = policy(asked.headers["host"])
                if "token" in asked.query_params:
                    headers.append("Set-Cookie", self._key())
            await send(message)

        await self._app(scope, receive, guarded)

    def _may_enter(self, asked: HTTPConnection) -> bool:
        host, origin = asked.headers.get("host", ""), asked.headers.get("origin")
        if not self._address.is_ours(host):
            return False
        if origin is None:
            if asked.scope["type"] == "websocket":  # every browser says where a socket is from
                return False
        elif origin.lower() != f"http://{host.lower()}":
            return False
        given = asked.query_params.get("token") or asked.cookies.get(self._cookie) or ""
        return self._keys.open(given)

    def _key(self) -> str:
        return f"{self._cookie}={self._keys.token}; Path=/; HttpOnly; SameSite=Strict"
