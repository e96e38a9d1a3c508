"""Counting: what one exchange adds, by what became of it."""

from typing import Any

import pytest

from proxy.exchange.observation import Usage
from proxy.exchange.outcome import Outcome
from proxy.experiments import Increment, count, counting
from proxy.experiments.quantiles import bin_of
from proxy.experiments.summaries import LOTS
from proxy.experiments.summaries.counting import MOST
from tests.experiments.test_scope import Exchanges
from tests.support.observed import observed


def added(sort: Exchanges, **parts: Any) -> Increment:
    found = Increment()
    said: dict[str, Any] = {"bucket": 5, "latency_ms": 80.0, "status": 200, "usage": Usage(10, 20)}
    count(found, counting(sort), observed(**said | parts))
    return found


def test_a_completed_exchange_counts_for_all_that_it_has() -> None:
    found = added(Exchanges(signals=("short",)), cost_usd=0.002)
    assert found.lots == {
        5: {
            "outcome.completed": 1,
            "of.judged": 1,
            "of.completed": 1,
            "of.replied": 1,
            "short_rate": 1,
            "prompt_tokens.n": 1,
            "prompt_tokens": 10,
            "response_tokens.n": 1,
            "response_tokens": 20,
            "cost_per_1000_usd.n": 1,
            "cost_per_1000_usd": 2_000_000,
            f"latency_ms.{bin_of(80.0)}": 1,
        }
    }
    assert found.marks == {5}


def test_what_is_unknown_is_not_zero() -> None:
    lot = added(Exchanges(), usage=Usage(), cost_usd=None, ttft_ms=7.0).lots[5]
    assert lot["unpriced"] == 1
    assert "prompt_tokens.n" not in lot
    assert lot[f"ttft_ms.{bin_of(7.0)}"] == 1


def test_a_failure_counts_as_one_and_has_no_time() -> None:
    failed = Exchanges(outcome=Outcome.UPSTREAM_ERROR, variant_served=None)
    assert added(failed, status=502).lots == {
        5: {"outcome.upstream_error": 1, "of.judged": 1, "error_rate": 1}
    }


def test_a_status_of_failure_gives_no_signal() -> None:
    broken_off = Exchanges(outcome=Outcome.UPSTREAM_CUT, signals=("truncated",))
    assert added(broken_off, status=200).lots[5]["truncated_rate"] == 1
    assert "truncated_rate" not in added(broken_off, status=None).lots[5]
    assert "of.replied" not in added(broken_off, status=500).lots[5]


def test_a_form_that_was_looked_at_counts_whatever_else_happened() -> None:
    lot = added(Exchanges(format_check="broken")).lots[5]
    assert (lot["of.formed"], lot["format_broken_rate"]) == (1, 1)


@pytest.mark.parametrize(
    ("why", "sort"),
    [
        ("forced", Exchanges(forced=True)),
        ("pinned", Exchanges(pinned=True)),
        ("shadow", Exchanges(shadow=True)),
        ("fallback", Exchanges(variant_served="other")),
    ],
)
def test_what_the_split_did_not_give_is_counted_and_nothing_else(
    why: str, sort: Exchanges
) -> None:
    found = added(sort)
    assert found.lots == {5: {f"left_out.{why}": 1}}
    assert found.marks == set()


def test_units_of_one_hash_are_in_one_lot_and_what_has_no_unit_is_one_of_its_own() -> None:
    found = Increment()
    how = counting(Exchanges())
    for number in range(300):
        count(found, how, observed(bucket=LOTS * number, request_id="same"))
    assert set(found.lots) == {0}
    for number in range(300):
        count(found, how, observed(bucket=None, request_id=f"req-{number}"))
    assert len(found.lots) > LOTS * 0.8
    assert len(found.marks) > 500


def test_what_an_upstream_makes_up_can_do_no_harm() -> None:
    lot = added(Exchanges(), usage=Usage(2**63, -5)).lots[5]
    assert (lot["prompt_tokens"], lot["response_tokens"]) == (MOST, 0)
