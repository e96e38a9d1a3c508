"""How much worse one side surely is: right figures, and no noise where there is no difference."""

from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.alerting.windows.figures.sums import Sketch, Total
from proxy.alerting.windows.figures.sureness import Limits, Z, limits, times_worse

ROUNDS = 2000


def rate(hits: int, n: int) -> Total:
    total = Total()
    total.n, total.total = n, float(hits)
    return total


@pytest.mark.parametrize(("hits", "n"), [(10, 100), (1, 50), (49, 50), (700, 1000)])
def test_the_limits_of_a_rate_are_where_the_score_test_turns(hits: int, n: int) -> None:
    """Wilson's limits are the rates from which what was seen is Z standard errors away."""
    value, low, high = limits(rate(hits, n))
    for limit in (low, high):
        assert limit is not None
        assert abs(value - limit) == pytest.approx(Z * sqrt(limit * (1 - limit) / n))


def test_a_rate_of_nothing_or_all_has_a_limit_too() -> None:
    assert limits(rate(0, 50)) == pytest.approx((0.0, 0.0, Z * Z / (50 + Z * Z)), abs=1e-12)
    assert limits(rate(50, 50)) == pytest.approx((1.0, 50 / (50 + Z * Z), 1.0))


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_rate_is_between_its_limits(of: tuple[int, int]) -> None:
    hits, n = of
    value, low, high = limits(rate(hits, n))
    assert low is not None
    assert high is not None
    assert 0.0 <= low <= value + 1e-12
    assert value - 1e-12 <= high <= 1.0


def test_the_limits_of_a_quantile_are_values_beside_it_where_there_are_enough() -> None:
    value, low, high = limits(Sketch(range(1, 1001)))
    assert (value, low, high) == pytest.approx((950, 933, 968), rel=0.011)
    few = Sketch([5.0])
    assert limits(few) == (few.at(1), None, None)


def test_nothing_is_sure_where_a_limit_is_not_known() -> None:
    known = Limits(0.2, 0.1, 0.3)
    assert times_worse(known, Limits(0.9, 0.6, 1.0)) == pytest.approx(2.0)
    assert times_worse(known, Limits(0.9, None, None)) == 0.0
    assert times_worse(Limits(0.2, None, None), known) == 0.0
    assert times_worse(Limits(0.0, 0.0, 0.0), known) == 0.0


@pytest.mark.parametrize(("n", "share"), [(50, 0.02), (50, 0.3), (200, 0.05), (1000, 0.01)])
def test_two_sides_that_do_not_differ_are_never_called_twice_as_bad(n: int, share: float) -> None:
    dice = Random(4711)

    def side() -> Limits:
        return limits(rate(sum(dice.random() < share for _ in range(n)), n))

    rounds = max(100, ROUNDS * 50 // n)
    assert sum(times_worse(side(), side()) > 2 for _ in range(rounds)) == 0


def test_a_candidate_that_is_exactly_twice_as_bad_is_called_more_in_one_of_a_hundred_at_most() -> (
    None
):
    dice, n = Random(4711), 200

    def side(share: float) -> Limits:
        return limits(rate(sum(dice.random() < share for _ in range(n)), n))

    called = sum(times_worse(side(0.1), side(0.2)) > 2 for _ in range(500))
    assert called <= 5


def test_a_candidate_that_is_much_worse_is_called_so() -> None:
    assert times_worse(limits(rate(1, 100)), limits(rate(40, 100))) > 2
    assert times_worse(limits(rate(0, 50)), limits(rate(18, 50))) > 2
    assert times_worse(limits(rate(0, 50)), limits(rate(5, 50))) < 2
