"""Slots: quarters of an hour, as many as have something of a window."""

from proxy.experiments.summaries import after, slot_of, slots, whole


def test_a_window_has_every_slot_that_it_touches_and_no_other() -> None:
    assert slots(900, 1800) == range(1, 2)
    assert slots(899, 1801) == range(3)
    assert whole(901, 1799) == (900, 1800)


def test_what_begins_with_a_slot_is_in_it() -> None:
    assert [slot_of(at) for at in (899.9, 900, 1799.9)] == [0, 1, 1]


def test_after_a_moment_comes_the_first_slot_that_has_nothing_of_before() -> None:
    assert (after(900), after(901)) == (900, 1800)
