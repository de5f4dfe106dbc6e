from __future__ import annotations

from rtcluster.events import LEARNING
from rtcluster.sinks.tally import REMEMBERED, Tally


def test_a_hit_that_gets_another_class_is_counted_there_and_no_longer_where_it_was():
    tally = Tally()
    for number in range(10 * REMEMBERED):
        tally.count(number, LEARNING)
        tally.count(number, number % 2)
    tally.count(number, 0)
    assert tally.by_class() == {0: 5 * REMEMBERED + 1, 1: 5 * REMEMBERED - 1}
    assert tally.unclassified == 0


def test_a_class_that_lost_its_hits_is_left_out():
    tally = Tally()
    tally.count(0, 3)
    tally.count(0, LEARNING)
    assert tally.by_class() == {}
    assert tally.unclassified == 1
