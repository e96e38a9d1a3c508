"""Quantiles: from counts in bins, right to a few percent, with intervals that go by lots."""

from collections import Counter
from math import ceil, exp
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.experiments import Histogram, Sums
from proxy.experiments.quantiles import LAST, bin_of, quantile

WIDTH = 2 ** (1 / 8)  # of a bin: its end by its beginning
TIMES = st.lists(st.floats(1, 1e6), min_size=1, max_size=200)


def binned(values: list[float]) -> Histogram:
    return Histogram(Counter(map(bin_of, values)))


def by_request(n: int, below: int) -> Sums:
    return Sums.of([(1, 1)] * below + [(1, 0)] * (n - below), n)


@settings(max_examples=60)
@given(TIMES, st.floats(0.01, 0.99))
def test_a_quantile_is_that_of_the_values_themselves_but_for_a_bins_width(
    values: list[float], share: float
) -> None:
    exact = sorted(values)[max(1, ceil(share * len(values))) - 1]
    assert exact / WIDTH <= binned(values).quantile(share) * (1 + 1e-9)
    assert binned(values).quantile(share) <= exact * WIDTH * (1 + 1e-9)


def test_where_many_lie_in_a_bin_it_is_nearer_than_that() -> None:
    usual = NormalDist(6.5, 0.8)
    values = [exp(usual.inv_cdf((rank + 0.5) / 5000)) for rank in range(5000)]
    for share in (0.05, 0.5, 0.95):
        exact = exp(usual.inv_cdf(share))
        assert binned(values).quantile(share) == pytest.approx(exact, rel=0.005)


def test_ranks_are_in_order_within_a_bin_and_from_one_to_the_next() -> None:
    found = binned([0.2, 0.4, 5.0, 5.1, 5.1, 80.0, 3e9])
    times = [found.at(rank) for rank in range(1, found.n + 1)]
    assert times == sorted(set(times))
    assert times[:2] == [0.25, 0.75]  # below 1 ms they are spread evenly


def test_what_is_shorter_or_longer_than_all_bins_is_counted_all_the_same() -> None:
    assert (bin_of(-5.0), bin_of(0.99), bin_of(1.0), bin_of(1e12)) == (0, 0, 1, LAST)


def test_nothing_has_no_quantile() -> None:
    assert Histogram().n == 0
    with pytest.raises(IndexError):
        Histogram().quantile(0.5)


def test_a_tail_of_too_few_values_has_no_interval() -> None:
    values = binned([float(rank) for rank in range(1, 41)])
    assert quantile(values, 0.95, by_request(40, 38)) is None
    assert quantile(values, 0.05, by_request(40, 2)) is None
    assert quantile(values, 0.5, by_request(40, 20)) is not None


def test_independent_values_have_the_textbooks_interval() -> None:
    values = binned([float(rank) for rank in range(1, 2001)])
    found = quantile(values, 0.5, by_request(2000, 1000))
    assert found is not None
    assert found.low < found.value < found.high
    assert found.low == pytest.approx(1000 - 44, rel=0.02)  # 1.96 sqrt(2000) / 2


def test_units_that_are_alike_inside_make_the_interval_wider() -> None:
    values = binned([float(rank) for rank in range(1, 1001)])
    alone = quantile(values, 0.5, by_request(1000, 500))
    alike = Sums.of([(10, 10)] * 50 + [(10, 0)] * 50, 100)  # all or none of each ten
    together = quantile(values, 0.5, alike)
    assert alone is not None
    assert together is not None
    assert together.high - together.low > 2.5 * (alone.high - alone.low)
