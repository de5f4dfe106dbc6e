"""The server's app: the page's files, the socket that feeds it, and exports of a recording.

The files are read once, when the server starts, and served by name: there is no path to leave.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from rtcluster.errors import RtclusterError
from rtcluster.monitor.address import Address
from rtcluster.monitor.authentication import Door, Keys
from rtcluster.monitor.pages import Pages
from rtcluster.monitor.recorded import Recorded
from rtcluster.monitor.strangers import Strangers

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

BYTES = "application/octet-stream"

INDEX = "index.html"


def page_files() -> dict[str, tuple[bytes, str]]:
    """Content and media type of each file of the page, by name."""
    found = {}
    for file in files("rtcluster.monitor").joinpath("page").iterdir():
        kind = KINDS.get(file.name[file.name.rfind(".") :])
        if kind is not None:
            found[file.name] = file.read_bytes(), kind
    return found


def build(
    pages: Pages, keys: Keys, address: Address, strangers: Strangers, recorded: Recorded
) -> Starlette:
    """Make the app."""
    served = page_files()

    async def file(request: Request) -> Response:
        content, kind = served.get(request.path_params.get("name", INDEX), (b"", ""))
        if not kind:
            return PlainTextResponse("There is no such file.\n", 404)
        return Response(content, media_type=kind)

    async def export(request: Request) -> Response:
        try:
            made = await recorded.export(request.path_params["format"], request.query_params)
        except RtclusterError as error:
            return PlainTextResponse(f"{error}\n", 404)
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name)}",
            "Content-Length": str(made.size),
        }
        return StreamingResponse(made.pieces, headers=headers, media_type=BYTES)

    async def live(socket: WebSocket) -> None:
        await pages.welcome(socket)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # uvicorn has taken the signal by now. Ctrl-C is for the parent.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        yield

    return Starlette(
        routes=[
            Route("/", file),
            Route("/{name}", file),
            Route("/export/{format}", export),
            WebSocketRoute("/live", live),
        ],
        middleware=[Middleware(Door, keys=keys, address=address, strangers=strangers)],
        lifespan=lifespan,
    )
