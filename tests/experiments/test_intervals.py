"""Intervals: the quantile of Student's t, and what holds for any data."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.experiments import Sums
from proxy.experiments.intervals import (
    Interval,
    difference,
    mean,
    mean_difference,
    rate_difference,
    score,
    student,
)

UNIT = st.tuples(st.integers(1, 50), st.floats(0, 1)).map(lambda u: (u[0], round(u[0] * u[1])))
UNITS = st.lists(UNIT, min_size=10, max_size=30)


def added(units: Sequence[tuple[int, float]]) -> Sums:
    """Return the sums of units each of which is a lot."""
    return Sums.of(units, len(units))


@pytest.mark.parametrize(  # any table of the t distribution has these
    ("freedom", "tabled"),
    [
        (3, 3.1824),
        (4, 2.7764),
        (5, 2.5706),
        (9, 2.2622),
        (20, 2.0860),
        (30, 2.0423),
        (120, 1.9799),
    ],
)
def test_students_t_is_as_tables_have_it(freedom: float, tabled: float) -> None:
    assert student(freedom) == pytest.approx(tabled, abs=0.004 if freedom == 3 else 0.001)


def test_the_mean_of_units_of_one_request_has_the_textbooks_interval() -> None:
    values = [3.0, 5.0, 9.0, 4.0, 4.0, 7.0, 2.0, 8.0, 6.0, 6.0, 5.0, 7.0]
    sums = Sums(12, 12, sum(values), 12, sum(v * v for v in values), sum(values))
    middle = sum(values) / 12
    error = math.sqrt(sum((v - middle) ** 2 for v in values) / 11 / 12)
    found = mean(sums)
    assert found.value == pytest.approx(middle)
    assert found.high - found.value == pytest.approx(2.2010 * error, rel=1e-3)


def test_a_units_requests_that_all_say_the_same_count_as_one() -> None:
    once = [(1, x) for x in (0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0)]
    twentyfold = [(20 * n, 20 * x) for n, x in once]
    assert mean(added(twentyfold)) == pytest.approx(mean(added(once)))
    other = [(1, x) for x in (1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0)]
    same = rate_difference(added(once), added(other))
    tenfold = rate_difference(
        added([(10 * n, 10 * x) for n, x in once]), added([(10 * n, 10 * x) for n, x in other])
    )
    assert tenfold.high - tenfold.low == pytest.approx(same.high - same.low, rel=0.1)


def test_one_unit_that_sends_nearly_all_leaves_little_that_is_known() -> None:
    even = added([(10, 5)] * 20)
    assert even.effective == pytest.approx(20)
    assert added([(10, 5)] * 19 + [(10_000, 5)]).effective < 1.1


def test_no_failure_in_thirty_requests_is_not_no_failure_rate() -> None:
    none = added([(1, 0)] * 30)
    found = rate_difference(none, none)
    assert found.value == 0
    assert found.low < -0.1
    assert found.high > 0.1


def test_where_no_spread_is_the_difference_is_exact() -> None:
    first, second = added([(2, 2)] * 10), added([(2, 4)] * 10)
    assert mean_difference(first, second) == Interval(1.0, 1.0, 1.0)


def test_what_only_rounding_tells_apart_is_no_difference() -> None:
    """The same of each request, added up; from Python 3.12 on, `sum` rounds less."""
    first, second = added([(1, 0.1)] * 12), added([(1, 0.1)] * 13)
    assert first.average != second.average
    found = mean_difference(first, second)
    assert found.value == 0
    assert found.low <= 0 <= found.high


def test_wilsons_interval_is_the_textbooks() -> None:
    """10 of 100, for very many units: 5.52 to 17.44 percent."""
    many = Sums(10**9, 1e9, 1e8, 1e9, 1e8, 1e8)
    assert score(many, 100) == pytest.approx((0.1, 0.0552, 0.1744), abs=1e-4)


@settings(max_examples=40)
@given(UNITS, UNITS)
def test_an_interval_holds_its_value_and_rates_stay_between_0_and_1(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    sides = added(first), added(second)
    if min(side.freedom for side in sides) < 3:
        return
    found = rate_difference(*sides)
    assert -1 <= found.low <= found.value <= found.high <= 1
    plain = mean_difference(*sides)
    assert plain.low <= plain.value <= plain.high


@settings(max_examples=40)
@given(UNITS, UNITS)
def test_the_other_way_round_it_is_the_same_with_its_sign_changed(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    sides = added(first), added(second)
    if min(side.freedom for side in sides) < 3:
        return
    for find in (rate_difference, mean_difference):
        there, back = find(*sides), find(*reversed(sides))
        assert (-back.value, -back.high, -back.low) == pytest.approx(there, abs=1e-12)


def test_a_difference_takes_the_ends_that_are_far_apart() -> None:
    found = difference(Interval(1, 0, 4), Interval(10, 6, 11))
    assert found == Interval(9, 9 - 5, 9 + math.sqrt(2))
