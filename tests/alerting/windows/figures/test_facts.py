"""What one finished exchange says to the rules."""

from typing import Any

import pytest

from proxy.alerting.windows import WindowAlert
from proxy.alerting.windows.figures.facts import SAYS, by_split, failed_over, served_by
from proxy.exchange import Outcome, Usage
from tests.support.observed import observed

AMOUNTS = (WindowAlert.TOKENS_PER_MINUTE, WindowAlert.COST_PER_HOUR)


def said(**changes: Any) -> dict[str, float]:
    """Return what an exchange says, but for amounts."""
    seen = observed(**changes)
    found = {name.value: says(seen) for name, says in SAYS.items() if name not in AMOUNTS}
    return {name: value for name, value in found.items() if value is not None}


def test_a_whole_reply_says_how_long_it_took_and_what_was_wrong_with_it() -> None:
    assert said(ttft_ms=80.0) == {
        "error_rate": 0.0,
        "latency_p95": 812.5,
        "ttft_p95": 80.0,
        "short_rate": 0.0,
        "refusals": 0.0,
    }
    found = said(signals=("short", "refusal"), format_check="broken")
    assert (found["short_rate"], found["refusals"], found["format_failures"]) == (1.0, 1.0, 1.0)
    assert said(format_check="kept")["format_failures"] == 0.0
    assert "format_failures" not in said(format_check="unchecked")
    assert "ttft_p95" not in said(ttft_ms=None)


@pytest.mark.parametrize(
    "outcome",
    [
        *(Outcome.UPSTREAM_ERROR, Outcome.UPSTREAM_TIMEOUT, Outcome.UPSTREAM_CUT),
        Outcome.PROXY_ERROR,
    ],
)
def test_what_failed_is_an_error_and_no_time(outcome: Outcome) -> None:
    found = said(outcome=outcome, status=502)
    assert found == {"error_rate": 1.0}


@pytest.mark.parametrize("outcome", [Outcome.CLIENT_GONE, Outcome.REJECTED])
def test_who_leaves_and_who_is_turned_down_count_against_nobody(outcome: Outcome) -> None:
    assert said(outcome=outcome, status=None) == {}


def test_vectors_are_no_replies_in_words_and_what_asked_no_model_has_no_time() -> None:
    assert set(said(dialect="embeddings")) == {"error_rate", "latency_p95"}
    assert set(said(dialect="none")) == {"error_rate"}
    assert "latency_p95" not in said(attempts=0)


def test_tokens_and_cost_are_the_routes() -> None:
    def of(**changes: Any) -> dict[str, float]:
        seen = observed(**changes)
        found = {name.value: SAYS[name](seen) for name in AMOUNTS}
        return {name: value for name, value in found.items() if value is not None}

    assert of(cost_usd=0.25) == {"tokens_per_minute": 46.0, "cost_per_hour": 0.25}
    assert of(usage=Usage(), cost_usd=None) == {}
    assert of(usage=Usage(7, None)) == {"tokens_per_minute": 7.0}
    assert of(shadow_of="req-0", cost_usd=0.5)["cost_per_hour"] == 0.5


def test_a_fallback_is_seen_and_so_is_who_came_by_another_way_than_the_split() -> None:
    assert failed_over(observed(variant_assigned="ft-v2", variant_served="base"))
    assert not failed_over(observed())
    assert not failed_over(observed(variant_assigned=None, variant_served=None))
    assert not failed_over(observed(variant_served=None))
    assert served_by(observed(variant_served=None)) == "base"
    assert by_split(observed())
    assert not by_split(observed(pinned=True))
    assert not by_split(observed(forced=True))
