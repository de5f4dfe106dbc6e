from __future__ import annotations

import re
import threading

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest

from rtcluster.events import EVENT
from rtcluster.kernel import ring
from rtcluster.kernel.state import EVENTS, MODEL, MODELS, STATE, create


@pytest.fixture
def state():
    state = create()
    state["hop"] = 64
    return state


def test_events_come_out_in_the_order_they_went_in(state):
    out = np.zeros(100, EVENT)
    for number in range(5):
        ring.push_onset(state[0], number, 10 * number, 0, 1, 1.0)
    assert ring.drain(state[0], out[:3]) == 3
    assert ring.drain(state[0], out[3:]) == 2
    assert out["id"][:5].tolist() == [0, 1, 2, 3, 4]
    assert ring.drain(state[0], out) == 0


def test_a_full_ring_drops_the_new_event_and_counts_it(state):
    for number in range(EVENTS + 7):
        ring.push_onset(state[0], number, 0, 0, 1, 1.0)
    out = np.zeros(EVENTS + 10, EVENT)
    assert ring.drain(state[0], out) == EVENTS
    assert out["id"][:EVENTS].tolist() == list(range(EVENTS))
    assert state["events_dropped"] == 7


def test_a_slot_that_is_used_again_holds_nothing_of_before(state):
    out = np.zeros(1, EVENT)
    ring.push_onset(state[0], 1, 2, 3, 4, 5.0)
    ring.drain(state[0], out)
    state["events_read"] = state["events_written"] = EVENTS  # slot 0 again
    ring.push_xrun(state[0], 9, 2)
    ring.drain(state[0], out)
    assert out["velocity"] == out["strength"] == out["emitted"] == 0


def test_a_full_model_queue_says_so(state):
    model = np.zeros(1, MODEL)
    assert all(ring.publish(state[0], model) for _ in range(MODELS))
    assert not ring.publish(state[0], model)


def published(state, effective, clock):
    model = np.zeros(1, MODEL)
    model["version"], model["effective"] = 7, effective
    ring.publish(state[0], model)
    state["clock"] = clock
    ring.take_models(state[0])
    out = np.zeros(4, EVENT)
    return out[: ring.drain(state[0], out)]


def test_a_model_waits_for_its_sample(state):
    assert len(published(state, 640, 576)) == 0
    state["clock"] = 640
    ring.take_models(state[0])
    assert state["model"]["version"][0, 0] == 7


@pytest.mark.parametrize(("clock", "late"), [(640, 0), (704, 4), (6400, 4)])
def test_a_model_that_comes_after_its_sample_is_late(state, clock, late):
    (event,) = published(state, 640, clock)
    assert (event["sample"], event["flags"]) == (clock if late else 640, late)
    assert state["late_models"] == bool(late)


def atomic_orders(function):
    """Orderings of the atomic loads and stores in a function's own code."""
    code = function.inspect_llvm(function.signatures[0])
    lines = [line for line in code.splitlines() if " atomic i64" in line]
    return {
        (line.split("atomic")[0].split()[-1], order)
        for line in lines
        for order in ("acquire", "release")
        if f" {order}," in line
    }


def compile_afresh(function, *arguments):
    """Compiled again, because what comes from the cache has no code to look at."""
    fresh = numba.njit(nogil=True)(function.py_func)
    fresh(*arguments)
    return fresh


def test_the_counters_are_stored_with_release_and_loaded_with_acquire(state):
    out = np.zeros(1, EVENT)
    reader = compile_afresh(ring.drain, state[0], out)
    assert atomic_orders(reader) >= {("load", "acquire"), ("store", "release")}
    writer = compile_afresh(ring.commit, state[0])
    assert ("store", "release") in atomic_orders(writer)
    claimer = compile_afresh(ring.claim, state[0], 1)
    assert ("load", "acquire") in atomic_orders(claimer)


ARM = "aarch64-unknown-linux-gnu"


def ordering_on_arm(function, *arguments):
    """Instructions of a function on AArch64 that order memory, in their order."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        machine = llvm.Target.from_triple(ARM).create_target_machine(opt=3)
    except RuntimeError as error:
        pytest.skip(f"llvmlite was built without AArch64: {error}")
    fresh = compile_afresh(function, *arguments)
    code = fresh.inspect_llvm(fresh.signatures[0])
    # What Numba puts round it for Python is this machine's own.
    code = re.sub(
        r"^define [^\n]*@(NRT_|_ZN7cpython|cfunc)[^\n]*\{\n.*?^\}\n", "", code, flags=re.S | re.M
    )
    code = re.sub(
        r'^target (triple|datalayout) = ".*"$|"target-(cpu|features)"="[^"]*"', "", code, flags=re.M
    )
    missing = sorted(set(re.findall(r"call void @(NRT_\w+)\(", code)))
    module = llvm.parse_assembly(code + "".join(f"declare void @{name}(ptr)\n" for name in missing))
    module.triple = ARM
    return re.findall(r"^\s(ldar|stlr|dmb\tish\w*)\b", machine.emit_assembly(module), flags=re.M)


def test_the_orderings_are_instructions_on_arm(state):
    out, model = np.zeros(1, EVENT), np.zeros(1, MODEL)
    assert ordering_on_arm(ring.drain, state[0], out) == ["ldar", "stlr"]
    assert ordering_on_arm(ring.commit, state[0]) == ["stlr"]
    assert ordering_on_arm(ring.has_room, state[0]) == ["ldar"]
    assert ordering_on_arm(ring.publish, state[0], model) == ["ldar", "stlr"]
    assert {"ldar", "stlr"} <= {*ordering_on_arm(ring.take_models, state[0])}


def test_a_reader_that_is_not_waited_for_sees_what_was_written_over(state):
    """A sequence lock: fences between the counter and the samples, on both sides."""
    assert ordering_on_arm(ring.show, state[0], 64) == ["stlr", "dmb\tish"]
    assert ordering_on_arm(ring.samples_written_by_now, state[0]) == ["dmb\tishld", "ldar"]


def test_a_counter_that_another_thread_reads_shares_no_cache_line():
    fields = {name: field for name, field in STATE.fields.items() if "_pad" not in name}
    for name in ("samples_written", "complete_until", "events_written", "events_read"):
        at = fields[name][1]
        for other, (kind, begin, *_) in fields.items():
            assert other == name or begin >= at + 64 or begin + kind.itemsize <= at - 56


@numba.njit(nogil=True)
def write_many(state, count):
    """Write events whose fields all tell their number; wait while the ring is full."""
    number = 0
    while number < count:
        dropped = state.events_dropped
        ring.push_onset(state, number, 3 * number, 5 * number, number & 127, 0.5 * number)
        if state.events_dropped == dropped:
            number += 1


@numba.njit(nogil=True)
def read_many(state, out, count):
    """Read events; return how many did not fit their number."""
    number, wrong = 0, 0
    while number < count:
        got = ring.drain(state, out)
        for i in range(got):
            event = out[i]
            wrong += (
                event.id != number or event.sample != 3 * number
                or event.emitted != 5 * number or event.velocity != number & 127
                or event.strength != 0.5 * number
            )  # fmt: skip
            number += 1
    return wrong


def test_two_threads_without_a_lock_lose_and_tear_nothing(state):
    count, out = 1_000_000, np.zeros(64, EVENT)
    write_many(state[0], 0)
    read_many(state[0], out, 0)
    wrong = []
    reader = threading.Thread(target=lambda: wrong.append(read_many(state[0], out, count)))
    writer = threading.Thread(target=lambda: write_many(state[0], count))
    reader.start()
    writer.start()
    writer.join()
    reader.join()
    assert wrong == [0]
