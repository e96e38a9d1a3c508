"""Ranks: quantiles from each so-many-th value in order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.experiments import Sketch, Sums
from proxy.experiments.ranks import KEPT, quantile, step


def sketched(values: list[float], every: int = 1) -> Sketch:
    ordered = sorted(values)
    n = len(ordered)
    ranks = [rank for rank in range(1, n + 1) if (rank - 1) % every == 0 or rank == n]
    return Sketch(n, tuple(ranks), tuple(ordered[rank - 1] for rank in ranks))


def by_request(n: int, below: int) -> Sums:
    return Sums(n, n, below, n, below, below)


@settings(max_examples=40)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_a_quantile_is_the_least_value_that_so_many_reach(
    values: list[float], share: float
) -> None:
    found = sketched(values).quantile(share)
    assert sum(value <= found for value in values) >= share * len(values) * (1 - 1e-9)
    assert sum(value < found for value in values) <= share * len(values)


@settings(max_examples=40)
@given(st.integers(50, 400), st.integers(1, 9))
def test_a_sketch_is_off_by_no_more_ranks_than_it_leaves_out(n: int, every: int) -> None:
    whole = [float(rank) for rank in range(1, n + 1)]
    for share in (0.5, 0.95):
        exact, rough = sketched(whole).quantile(share), sketched(whole, every).quantile(share)
        assert exact <= rough < exact + every


def test_what_a_sketch_leaves_out_makes_an_interval_wider_and_never_narrower() -> None:
    values = [float(rank) for rank in range(1, 2001)]
    exact = quantile(sketched(values), 0.5, by_request(2000, 1000))
    rough = quantile(sketched(values, 7), 0.5, by_request(2000, 1000))
    assert exact is not None
    assert rough is not None
    assert rough.low <= exact.low < exact.value < exact.high <= rough.high
    assert exact.low == pytest.approx(1000 - 44, abs=2)  # 1.96 sqrt(2000) / 2


def test_a_tail_of_too_few_values_has_no_interval() -> None:
    values = [float(rank) for rank in range(1, 41)]
    assert quantile(sketched(values), 0.95, by_request(40, 38)) is None
    assert quantile(sketched(values), 0.05, by_request(40, 2)) is None
    assert quantile(sketched(values), 0.5, by_request(40, 20)) is not None


def test_units_that_are_alike_inside_make_the_interval_wider() -> None:
    values = [float(rank) for rank in range(1, 1001)]
    alone = quantile(sketched(values), 0.5, by_request(1000, 500))
    alike = Sums(
        units=100, n=1000, x=500, nn=10_000, xx=5_000, xn=5_000
    )  # all or none of each ten
    together = quantile(sketched(values), 0.5, alike)
    assert alone is not None
    assert together is not None
    assert together.high - together.low > 2.5 * (alone.high - alone.low)


def test_a_sketch_keeps_all_of_few_and_some_of_many() -> None:
    assert [step(n) for n in (0, 1, KEPT, KEPT + 1, 10 * KEPT)] == [1, 1, 1, 2, 10]
