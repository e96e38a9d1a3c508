from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.alerting import AlertName, Rules
from proxy.config.settings import AlertThresholds
from proxy.exchange.outcome import Outcome
from tests.support.observed import observed

DEFAULT = Rules(AlertThresholds(), {})


def names(rules: Rules, **changes: Any) -> list[str]:
    return [alert.name for alert in rules.judge(observed(**changes))]


def test_an_ordinary_exchange_raises_nothing() -> None:
    assert DEFAULT.judge(observed()) == ()


def test_more_than_five_seconds_is_slow_and_exactly_five_is_not() -> None:
    assert names(DEFAULT, latency_ms=5000.001) == ["slow"]
    assert names(DEFAULT, latency_ms=5000.0) == []


def test_a_shadow_raises_nothing_however_slow_or_short() -> None:
    assert names(DEFAULT, latency_ms=9000.0, reply_chars=1) == ["slow", "short"]
    assert names(DEFAULT, latency_ms=9000.0, reply_chars=1, shadow_of="req-0") == []


def test_fewer_than_ten_characters_are_short_and_exactly_ten_are_not() -> None:
    assert names(DEFAULT, reply_chars=9) == ["short"]
    assert names(DEFAULT, reply_chars=10) == []


def test_an_empty_reply_is_short() -> None:
    assert names(DEFAULT, reply_chars=0) == ["short"]


@pytest.mark.parametrize(
    "changes",
    [
        {"tool_calls": 1},
        {"refused": True},
        {"dialect": "embeddings"},
        {"dialect": "none"},
        {"reply_chars": None},
        {"format_check": "kept"},
        {"format_check": "unchecked"},
        {"max_tokens": 16},
        {"outcome": Outcome.CLIENT_GONE},
        {"outcome": Outcome.UPSTREAM_CUT},
        {"outcome": Outcome.REJECTED},
    ],
    ids=str,
)
def test_what_is_short_for_a_good_reason_raises_nothing(changes: dict[str, Any]) -> None:
    assert names(DEFAULT, **({"reply_chars": 2} | changes)) == []


@pytest.mark.parametrize("changes", [{"attempts": 0}, {"dialect": "none"}], ids=str)
def test_slow_speaks_of_models_only(changes: dict[str, Any]) -> None:
    assert names(DEFAULT, **({"latency_ms": 60_000.0} | changes)) == []


def test_an_upstream_that_timed_out_was_slow() -> None:
    assert names(DEFAULT, latency_ms=9e4, outcome=Outcome.UPSTREAM_TIMEOUT) == ["slow"]


def test_one_exchange_can_break_both_rules() -> None:
    assert names(DEFAULT, latency_ms=6000.0, reply_chars=3) == ["slow", "short"]


def test_a_route_has_its_own_thresholds_and_others_keep_the_default() -> None:
    rules = Rules(
        AlertThresholds(),
        {"support": AlertThresholds(slow_latency_ms=100.0, short_reply_chars=None)},
    )
    assert names(rules, latency_ms=200.0, reply_chars=1) == ["slow"]
    assert names(rules, latency_ms=200.0, reply_chars=1, route="sales") == ["short"]
    assert names(rules, latency_ms=200.0, reply_chars=1, route=None) == ["short"]


def test_none_switches_a_rule_off() -> None:
    rules = Rules(AlertThresholds(slow_latency_ms=None, short_reply_chars=None), {})
    assert names(rules, latency_ms=1e9, reply_chars=0) == []


def test_an_alert_carries_the_facts_of_its_exchange() -> None:
    exchange = observed(latency_ms=7500.0, variant_assigned="ft-v2", variant_served="base")
    (alert,) = DEFAULT.judge(exchange)
    assert alert.name is AlertName.SLOW
    assert (alert.value, alert.threshold) == (7500.0, 5000.0)
    assert (alert.route, alert.variant) == ("support", "base")
    assert alert.at == exchange.started_at + 7.5
    assert alert.observation is exchange


def test_an_alert_names_the_assigned_variant_where_none_served() -> None:
    (alert,) = DEFAULT.judge(observed(latency_ms=7500.0, variant_served=None))
    assert alert.variant == "base"


@given(st.floats(0, 1e7), st.integers(0, 10_000))
def test_rules_say_exactly_what_their_figures_say(latency: float, chars: int) -> None:
    told = names(DEFAULT, latency_ms=latency, reply_chars=chars)
    assert ("slow" in told) is (latency > 5000)
    assert ("short" in told) is (chars < 10)
