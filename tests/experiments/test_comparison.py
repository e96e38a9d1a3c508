"""A comparison says worse only where its interval leaves 0 out, and says where data lack."""

from collections import Counter

import pytest
from msgspec import structs

from proxy.experiments import Finding, Histogram, Measured, Row, Sums, compare
from proxy.experiments.comparison import judge
from proxy.experiments.intervals import Interval
from proxy.experiments.metrics import METRICS, QUANTILES
from proxy.experiments.quantiles import bin_of


def each_once(n: int, x: float, xx: float | None = None) -> Sums:
    """Return the sums of `n` units of one request each."""
    return Sums(n, n, x, n, x if xx is None else xx, x, units=n)


def spread(n: int, low: float) -> Histogram:
    """Return `n` times, a millisecond apart."""
    return Histogram(Counter(bin_of(low + rank) for rank in range(n)))


def measured(
    variant: str, n: int = 1000, failed: int = 50, low: float = 0.0, tokens: float = 100
) -> Measured:
    rates = {each.name: each_once(n, 10) for each in METRICS}
    below = {each.name: each_once(n, each.share * n) for each in QUANTILES}
    words = each_once(n, n * tokens, n * (tokens**2 + 100))
    means = dict.fromkeys(("prompt_tokens", "response_tokens"), words)
    money = {"cost_per_1000_usd": each_once(n, n * 0.002, n * 0.000005)}
    return Measured(
        variant=variant,
        requests=n,
        units=n,
        sums=rates | below | means | money | {"error_rate": each_once(n, failed)},
        times={"latency_ms": spread(n, low), "ttft_ms": spread(n, low)},
    )


def row(baseline: Measured, candidate: Measured, metric: str, unread: tuple[str, ...] = ()) -> Row:
    return next(row for row in compare(baseline, candidate, unread) if row.metric == metric)


def test_rows_come_in_the_order_in_which_people_read_them() -> None:
    rows = compare(measured("base"), measured("ft"))
    assert [row.metric for row in rows] == [
        *("error_rate", "latency_p50_ms", "latency_p95_ms", "ttft_p50_ms", "ttft_p95_ms"),
        *("prompt_tokens", "response_tokens", "cost_per_1000_usd"),
        *("short_rate", "empty_rate", "refusal_rate", "truncated_rate", "length_rate"),
        *("repetition_rate", "format_broken_rate"),
    ]


def test_two_that_are_alike_show_no_difference() -> None:
    rows = compare(measured("base"), measured("ft"))
    assert {row.finding for row in rows} == {Finding.NONE_SHOWN}
    assert all(row.low is not None and row.low <= 0 <= (row.high or 0) for row in rows)


def test_a_fallback_makes_no_variant_better_in_errors() -> None:
    base, ft = measured("base", failed=50), measured("ft", failed=0)
    assert row(base, ft, "error_rate").finding is Finding.BETTER
    hiding = structs.replace(ft, left_out={"fallback": 50, "forced": 9})
    found = row(base, hiding, "error_rate")
    assert found.finding is Finding.TOO_LITTLE
    assert "fallbacks hid" in (found.reason or "")
    assert (found.low or 0) < (found.high or 0) < 0
    few = structs.replace(ft, left_out={"fallback": 1})
    assert row(base, few, "error_rate").finding is Finding.BETTER
    assert row(hiding, base, "error_rate").finding is Finding.TOO_LITTLE


def test_failures_that_a_fallback_hid_may_be_a_difference_that_is_not_shown() -> None:
    hiding = structs.replace(measured("ft"), left_out={"fallback": 300})
    assert row(measured("base"), hiding, "error_rate").finding is Finding.TOO_LITTLE
    assert row(measured("base"), hiding, "latency_p50_ms").finding is Finding.NONE_SHOWN


def test_more_failures_are_worse_and_fewer_are_better() -> None:
    base, ft = measured("base", failed=50), measured("ft", failed=150)
    found = row(base, ft, "error_rate")
    assert found.finding is Finding.WORSE
    assert found.difference == pytest.approx(0.1)
    assert found.low is not None
    assert 0.07 < found.low < 0.1
    assert found.candidate.events == 150
    assert row(ft, base, "error_rate").finding is Finding.BETTER


def test_slower_is_worse() -> None:
    found = row(measured("base"), measured("ft", low=200.0), "latency_p50_ms")
    assert (found.finding, found.unit) == (Finding.WORSE, "ms")
    assert found.difference == pytest.approx(200, rel=0.03)


def test_more_tokens_are_neither_worse_nor_better() -> None:
    found = row(measured("base"), measured("ft", tokens=120), "response_tokens")
    assert found.finding is Finding.DIFFERENT
    assert found.difference == pytest.approx(20)


def test_cost_is_told_for_a_thousand_requests() -> None:
    found = row(measured("base"), measured("ft"), "cost_per_1000_usd")
    assert found.baseline.value == pytest.approx(2.0)
    assert found.high == pytest.approx(0.0877, abs=0.001)  # 1000 * 1.96 sqrt(2 * 1e-6 / 1000)


def test_few_units_are_not_enough_and_it_says_whose() -> None:
    found = row(measured("base"), measured("ft", n=9, failed=1), "error_rate")
    assert (found.finding, found.reason) == (Finding.TOO_LITTLE, "ft has 9 of 10 units")
    assert found.difference is not None
    assert found.low is None


def test_many_units_are_not_enough_where_one_sends_nearly_all() -> None:
    loud = Sums(lots=50, units=50, n=10_049, x=5, nn=100_000_049, xx=5, xn=5)
    ft = measured("ft")
    ft = Measured(variant="ft", sums={**ft.sums, "error_rate": loud}, times=ft.times)
    found = row(measured("base"), ft, "error_rate")
    assert found.reason == "most of ft's requests are of a few units"


def test_a_metric_of_few_requests_is_of_no_more_units_than_these() -> None:
    ft = measured("ft")
    streams = Sums(lots=6, units=40, n=6, x=3, nn=6, xx=3, xn=3)
    ft = Measured(variant="ft", sums={**ft.sums, "ttft_p50_ms": streams}, times=ft.times)
    assert row(measured("base"), ft, "ttft_p50_ms").reason == "ft has 6 of 10 units"


def test_nothing_at_all_has_no_value() -> None:
    found = row(measured("base"), Measured(variant="ft"), "ttft_p50_ms")
    assert (found.candidate.value, found.difference) == (None, None)
    assert (found.finding, found.reason) == (Finding.TOO_LITTLE, "ft has none")


def test_no_failure_in_thirty_is_not_enough_but_has_an_interval() -> None:
    found = row(measured("base", n=30, failed=0), measured("ft", n=30, failed=0), "error_rate")
    assert found.finding is Finding.TOO_LITTLE
    assert found.reason == "it happened 0 times in both together"
    assert found.high is not None
    assert found.high > 0.1


def test_what_happened_once_is_said_to_have_happened_once() -> None:
    found = row(measured("base", failed=1), measured("ft", failed=0), "error_rate")
    assert found.reason == "it happened once in both together"


def test_nearly_all_is_as_little_as_nearly_none() -> None:
    found = row(measured("base", failed=999), measured("ft", failed=999), "error_rate")
    assert found.reason == "it did not happen 2 times in both together"


def test_a_tail_of_few_requests_has_no_interval() -> None:
    found = row(measured("base", n=40), measured("ft", n=40), "latency_p95_ms")
    assert (found.finding, found.low) == (Finding.TOO_LITTLE, None)
    assert found.reason == "too few requests for an interval with two ends"


def test_what_nobody_looked_for_is_not_zero() -> None:
    found = row(measured("base"), measured("ft"), "refusal_rate", unread=("refusal_rate",))
    assert found.reason == "turnout does not look for it on this route"


def test_an_end_at_0_is_no_difference() -> None:
    assert judge(Interval(1, 0, 2), harmful=True) is Finding.NONE_SHOWN
    assert judge(Interval(-1, -2, 0), harmful=False) is Finding.NONE_SHOWN
