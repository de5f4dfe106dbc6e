"""A slow page is skipped ahead or cut off, and delays nobody."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from rtcluster.monitor import pages
from rtcluster.monitor.pages import Page, Pages


class Socket:
    """A socket that takes messages only while it is let."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closed: list[int] = []
        self.let = asyncio.Event()

    async def send_text(self, text: str) -> None:
        await self.let.wait()
        self.sent.append(text)

    async def close(self, code: int) -> None:
        self.closed.append(code)


class Talking(Socket):
    """A socket that takes all, of a page that says something and stays."""

    def __init__(self, *texts: str | None) -> None:
        super().__init__()
        self.let.set()
        self._texts = list(texts)

    async def accept(self) -> None:
        pass

    async def receive(self) -> dict[str, object]:
        if not self._texts:
            await asyncio.Event().wait()
        return {"type": "websocket.receive", "text": self._texts.pop()}


def serve(scene: Any) -> None:
    """Run a scene with a page and its socket."""

    async def play() -> None:
        socket, made = Socket(), []

        def present() -> str:
            made.append("present")
            return f"present {len(made)}"

        page = Page(present)
        task = asyncio.ensure_future(page.serve(socket))  # type: ignore[arg-type]  # only what it calls
        try:
            await scene(page, socket, task)
        finally:
            task.cancel()

    asyncio.run(play())


async def turn() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_page_gets_the_present_state_and_then_every_message() -> None:
    async def scene(page: Page, socket: Socket, task: Any) -> None:
        socket.let.set()
        await turn()
        page.put("one")
        page.put("two")
        await turn()
        assert socket.sent == ["present 1", "one", "two"]

    serve(scene)


def test_a_slow_page_is_skipped_ahead_to_the_present_state() -> None:
    async def scene(page: Page, socket: Socket, task: Any) -> None:
        await turn()
        for number in range(pages.WAITING + 50):
            page.put(str(number))
        socket.let.set()
        await turn()
        assert socket.sent == ["present 1", "present 2"]
        page.put("next")
        await turn()
        assert socket.sent[-1] == "next"

    serve(scene)


def test_a_notice_is_not_lost_on_a_page_that_gets_the_present_state() -> None:
    async def scene(page: Page, socket: Socket, task: Any) -> None:
        page.put("notice", state=False)
        page.put("event")
        socket.let.set()
        await turn()
        assert socket.sent == ["present 1", "notice"]

    serve(scene)


def test_a_page_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PATIENCE_S", 0.01)

    async def scene(page: Page, socket: Socket, task: Any) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), 10.0)

    serve(scene)


def test_the_end_comes_after_what_was_put_before() -> None:
    async def scene(page: Page, socket: Socket, task: Any) -> None:
        await turn()
        page.put("summary")
        page.end()
        socket.let.set()
        await asyncio.wait_for(task, 10.0)
        assert socket.sent == ["present 1", "summary"]
        assert socket.closed == [pages.GOING_AWAY]

    serve(scene)


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", "{}", '{"what":"freeze"}', '{"what":"threshold","value":NaN}',
             '{"what":"freeze","value":true,"more":1}', "[" * 3000, None],
)  # fmt: skip
def test_what_is_no_request_is_told_to_that_page_alone(text: str | None) -> None:
    asked: list[object] = []
    all_pages = Pages({"event": "page"}, asked.append)

    async def visit() -> tuple[Talking, Talking]:
        one, other = Talking(text), Talking()
        visits = [asyncio.ensure_future(all_pages.welcome(s)) for s in (one, other)]  # type: ignore[arg-type]  # only what it calls
        await turn()
        for each in visits:
            each.cancel()
        return one, other

    one, other = asyncio.run(visit())
    assert asked == []
    assert len(other.sent) == 1
    [notice] = json.loads(one.sent[-1])
    assert notice["event"] == "notice"
    assert notice["text"].startswith("Expected an object with what and value")
