"""Summaries add up: in any order, in any number of parts, kept and read again."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.experiments import Increment, Summary
from proxy.experiments.summaries import LOTS

AMOUNTS = st.dictionaries(
    st.integers(0, LOTS - 1),
    st.dictionaries(st.sampled_from(("a", "a.n", "b")), st.integers(0, 2**40), min_size=1),
    max_size=5,
)
INCREMENTS = st.builds(Increment, AMOUNTS, st.sets(st.integers(0, 2**16 - 1), max_size=5))


def summed(increments: list[Increment]) -> Summary:
    found = Summary()
    for each in increments:
        found.add(each)
    return found


@settings(max_examples=60)
@given(st.lists(INCREMENTS, max_size=6), st.integers(0, 6))
def test_parts_put_together_are_the_whole(increments: list[Increment], cut: int) -> None:
    first, second = summed(increments[:cut]), summed(increments[cut:])
    together = Summary()
    together.merge(second)
    together.merge(Summary.unpack(first.pack()))
    assert together == summed(increments)


@settings(max_examples=60)
@given(st.lists(INCREMENTS, max_size=6))
def test_each_lot_has_what_was_added_to_it_and_nothing_of_its_neighbours(
    increments: list[Increment],
) -> None:
    found = summed(increments)
    for name in ("a", "a.n", "b"):
        plain = [
            sum(each.lots.get(lot, {}).get(name, 0) for each in increments) for lot in range(LOTS)
        ]
        assert found.lots(name) == plain
        assert found.total(name) == sum(plain)


def test_several_series_may_be_read_as_one() -> None:
    found = summed([Increment({3: {"t.1": 2, "t.9": 5}, 4: {"t.9": 1}})])
    assert found.names("t.") == {"1": "t.1", "9": "t.9"}
    assert found.lots(*found.names("t.").values())[2:6] == [0, 7, 1, 0]
    assert found.lots("nothing") == [0] * LOTS


@pytest.mark.parametrize(
    ("units", "off"), [(0, 0), (1, 0), (30, 0.04), (5000, 0.02), (90_000, 0.02)]
)
def test_units_are_counted_once_however_often_they_come(units: int, off: float) -> None:
    dice = random.Random(units)
    marks = [dice.getrandbits(16) for _ in range(units)]
    found = summed([Increment(marks=set(marks)), Increment(marks=set(marks[: units // 2]))])
    assert found.units == pytest.approx(units, rel=off)


def test_of_more_units_than_can_be_told_apart_there_are_very_many() -> None:
    assert summed([Increment(marks=set(range(2**16)))]).units > 300_000
