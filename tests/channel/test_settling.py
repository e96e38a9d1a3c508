import ctypes
import gc
import os
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from proxy.channel.settling import SCHEDULING, SLICE_NANOSECONDS, settle, shorten_slices

T = TypeVar("T")

GET_SCHEDULING = {"x86_64": 315, "aarch64": 275}
asked = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in GET_SCHEDULING,
    reason="needs Linux on x86-64 or ARM64",
)


def test_a_child_that_has_settled_is_seldom_looked_through_for_garbage() -> None:
    thresholds = gc.get_threshold()
    try:
        settle()
        assert gc.get_freeze_count() > 1000
        assert all(new > old for new, old in zip(gc.get_threshold(), thresholds, strict=True))
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def scheduled() -> tuple[int, int, int]:
    """Return how this thread is scheduled: its policy, niceness and slice."""
    found = ctypes.create_string_buffer(SCHEDULING.size)
    number = GET_SCHEDULING[platform.machine()]
    assert ctypes.CDLL(None).syscall(number, 0, found, SCHEDULING.size, 0) == 0
    _, policy, _, nice, _, slice_, _, _ = SCHEDULING.unpack(found.raw)
    return policy, nice, slice_


def in_a_thread_of_its_own(work: Callable[[], T]) -> T:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


@asked
def test_who_wakes_goes_before_longer_slices_and_has_no_larger_share() -> None:
    def shortened() -> tuple[bool, int, tuple[int, int, int]]:
        nice = os.nice(3)
        return shorten_slices(), nice, scheduled()

    done, nice, found = in_a_thread_of_its_own(shortened)
    assert done
    release = tuple(map(int, platform.release().split(".")[:2]))
    slice_then = SLICE_NANOSECONDS if release >= (6, 12) else 0  # an older one takes no notice
    assert found == (os.SCHED_OTHER, nice, slice_then)


@asked
def test_what_somebody_decided_on_how_it_is_scheduled_stays() -> None:
    def refused() -> tuple[bool, int]:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        return shorten_slices(), os.sched_getscheduler(0)

    assert in_a_thread_of_its_own(refused) == (False, os.SCHED_BATCH)


def test_where_nobody_may_know_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: int) -> int:
        raise PermissionError

    monkeypatch.setattr("os.sched_getscheduler", refused, raising=False)
    assert not shorten_slices()


@pytest.mark.parametrize(
    ("thing", "value"), [("sys.platform", "darwin"), ("sys.maxsize", 2**31 - 1)]
)
def test_other_systems_are_not_asked(
    monkeypatch: pytest.MonkeyPatch, thing: str, value: object
) -> None:
    monkeypatch.setattr(f"proxy.channel.settling.{thing}", value)
    monkeypatch.setattr("ctypes.CDLL", lambda _: pytest.fail("it was asked"))
    assert not shorten_slices()
