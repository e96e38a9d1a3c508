"""Signals and checks of forms are counted by variant; shadows' stand apart."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from proxy.exchange.outcome import Outcome
from proxy.quality import ALL
from proxy.routing.table import Route, RoutingTable, Variant
from proxy.sinks.metrics import Metrics, Names
from tests.support.observed import observed

LABELS = ("route", "variant", "signal", "result")
TABLE = RoutingTable(
    version=1,
    digest="",
    routes={
        "support": Route(
            name="support",
            variants=(Variant(name="base", upstream="openai"),),
            weights=(1.0,),
        )
    },
)


def shown(*changes: dict[str, Any]) -> CollectorRegistry:
    names = Names()
    names.adopt(TABLE, ["openai"])
    metrics = Metrics(names, [])
    metrics.take([observed(**change) for change in changes])
    return metrics.registry()


def counted(*changes: dict[str, Any]) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(sample.labels[name] for name in LABELS if name in sample.labels)): (
            sample.value
        )
        for family in shown(*changes).collect()
        for sample in family.samples
        if sample.value and ("quality" in sample.name or "format" in sample.name)
    }


def test_each_signal_is_counted_once_for_a_reply() -> None:
    short = {"signals": ("short", "empty")}
    assert counted(short, short, {"signals": ("refusal",)}, {}) == {
        ("turnout_quality_signals_total", "support", "base", "short"): 2,
        ("turnout_quality_signals_total", "support", "base", "empty"): 2,
        ("turnout_quality_signals_total", "support", "base", "refusal"): 1,
    }


def test_each_look_at_a_form_is_counted_kept_or_not() -> None:
    broken = {"signals": ("format",), "format_check": "broken"}
    assert counted({"format_check": "kept"}, broken) == {
        ("turnout_quality_signals_total", "support", "base", "format"): 1,
        ("turnout_format_checks_total", "support", "base", "kept"): 1,
        ("turnout_format_checks_total", "support", "base", "broken"): 1,
    }


def test_shadows_are_counted_apart_and_unknown_names_are_other() -> None:
    seen = {"signals": ("length",), "format_check": "kept"}
    assert counted({**seen, "shadow_of": "req_0"}, {**seen, "route": None}) == {
        ("turnout_shadow_quality_signals_total", "support", "base", "length"): 1,
        ("turnout_shadow_format_checks_total", "support", "base", "kept"): 1,
        ("turnout_quality_signals_total", "other", "other", "length"): 1,
        ("turnout_format_checks_total", "other", "other", "kept"): 1,
    }


def test_every_signal_of_a_variant_begins_at_zero_with_its_first_reply() -> None:
    seen, labels = shown({}), {"route": "support", "variant": "base"}
    told = [
        seen.get_sample_value("turnout_quality_signals_total", labels | {"signal": signal})
        for signal in ALL
    ]
    assert told == [0.0] * len(ALL)


@pytest.mark.parametrize(
    ("prefix", "more"), [("turnout_", {}), ("turnout_shadow_", {"shadow_of": "req_0"})]
)
def test_the_characters_of_replies_are_spread_over_buckets(
    prefix: str, more: dict[str, Any]
) -> None:
    seen = shown(
        {**more, "reply_chars": 0},
        {**more, "reply_chars": 10},
        {**more, "reply_chars": 11},
        {**more, "reply_chars": 400},
        {**more, "reply_chars": 1_000_000},
        {**more, "reply_chars": None},  # an embedding, say
        {**more, "reply_chars": 30, "outcome": Outcome.UPSTREAM_CUT},
    )
    labels = {"route": "support", "variant": "base"}

    def at_most(bound: str) -> float | None:
        return seen.get_sample_value(f"{prefix}reply_chars_bucket", labels | {"le": bound})

    assert [at_most(bound) for bound in ("0.0", "10.0", "25.0", "400.0", "25600.0", "+Inf")] == [
        *(1.0, 2.0, 3.0, 4.0, 4.0, 5.0)
    ]
