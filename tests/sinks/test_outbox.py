"""The outbox is bounded, keeps the order, and says what it dropped."""

from __future__ import annotations

import threading

from rtcluster.sinks.outbox import Outbox


def test_what_is_put_comes_out_in_order_whatever_it_is() -> None:
    outbox = Outbox()
    outbox.event(1)
    outbox.status(2)
    outbox.event(3)
    assert outbox.take() == [1, 2, 3]


def test_of_too_many_statuses_the_oldest_are_dropped_and_counted_and_no_event_is() -> None:
    outbox = Outbox(events=100, statuses=4)
    for number in range(10):
        outbox.event(f"event {number}")
        outbox.status(number)
    taken = outbox.take()
    assert [one for one in taken if isinstance(one, int)] == [6, 7, 8, 9]
    assert sum(isinstance(one, str) for one in taken) == 10
    assert (outbox.dropped_events, outbox.dropped_statuses) == (0, 6)


def test_of_too_many_events_the_oldest_are_dropped_and_counted() -> None:
    outbox = Outbox(events=3)
    for number in range(5):
        outbox.event(number)
    assert outbox.take() == [2, 3, 4]
    assert outbox.dropped_events == 2


def test_taking_waits_and_closing_ends_the_wait_after_what_there_is() -> None:
    outbox = Outbox()
    got: list[object] = []

    def take() -> None:
        while (batch := outbox.take()) is not None:
            got.extend(batch)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    outbox.event("one")
    outbox.event("two")
    outbox.close()
    thread.join(10.0)
    assert not thread.is_alive()
    assert got == ["one", "two"]
    outbox.event("three")
    assert outbox.take() is None
