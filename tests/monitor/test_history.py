"""The history holds the present state, in bounded memory."""

from __future__ import annotations

import json

from rtcluster.monitor import history
from rtcluster.monitor.history import PageHistory


def told(kept: PageHistory, *lines: dict[str, object]) -> list[dict[str, object]]:
    for line in lines:
        kept.take(line, json.dumps(line))
    return [json.loads(text) for text in kept.texts()]


SESSION = {"event": "session", "source": "one"}


def test_a_new_session_forgets_the_last_one() -> None:
    kept = PageHistory()
    told(kept, SESSION, {"event": "onset", "id": 0}, {"event": "summary"})
    assert told(kept, {"event": "session", "source": "two"}) == [
        {"event": "session", "source": "two"}
    ]


def test_of_statuses_only_the_last_counts() -> None:
    lines = told(PageHistory(), SESSION, *({"event": "status", "hits": n} for n in range(5)))
    assert lines == [SESSION, {"event": "status", "hits": 4}]


def test_events_are_kept_in_order_up_to_a_limit() -> None:
    many = [{"event": "onset", "id": n} for n in range(history.EVENTS + 10)]
    assert told(PageHistory(), SESSION, *many) == [SESSION, *many[10:]]


def test_a_muted_class_is_remembered_however_long_ago_it_was_muted() -> None:
    mute = {"event": "control", "what": "mute", "value": {"class": 1, "muted": True}}
    many = [{"event": "onset", "id": n} for n in range(2 * history.EVENTS)]
    assert told(PageHistory(), SESSION, mute, *many)[1] == mute


def test_a_notice_is_for_those_who_are_there() -> None:
    assert told(PageHistory(), SESSION, {"event": "notice", "text": "so"}) == [SESSION]


def test_what_was_recorded_outlives_its_session() -> None:
    recorded = {"event": "recorded", "folder": "take"}
    kept = PageHistory()
    assert told(kept, SESSION, {"event": "summary"}, recorded)[-1] == recorded
    assert told(kept, SESSION) == [SESSION, recorded]
