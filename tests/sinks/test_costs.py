"""Costs are counted by variant, what is unknown apart, and shadows by themselves."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy.exchange.outcome import Outcome
from proxy.pricing import Budget, Standing
from proxy.routing.table import Route, RoutingTable, Variant
from proxy.sinks.metrics import Metrics, Names
from proxy.sinks.metrics.counted import budget_readings
from tests.support.observed import observed

SUPPORT = Route(
    name="support", variants=(Variant(name="base", upstream="openai"),), weights=(1.0,)
)


def counted(*changes: dict[str, Any]) -> dict[tuple[str, str], float]:
    """Return the figures by name and by route/variant."""
    names = Names()
    names.adopt(RoutingTable(version=1, digest="", routes={"support": SUPPORT}), ["openai"])
    metrics = Metrics(names, [])
    metrics.take([observed(**change) for change in changes])
    text = metrics.render()[0].decode()
    return {
        (sample.name, f"{sample.labels['route']}/{sample.labels['variant']}"): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "cost_usd" in sample.name or "unpriced" in sample.name
    }


def test_costs_add_up_and_unknown_ones_are_counted_apart() -> None:
    found = counted({"cost_usd": 0.25}, {"cost_usd": 0.5}, {"cost_usd": None}, {"cost_usd": 0.0})
    assert found == {
        ("turnout_cost_usd_total", "support/base"): pytest.approx(0.75),
        ("turnout_unpriced_requests_total", "support/base"): 1,
    }


def test_what_nobody_charges_for_is_in_neither() -> None:
    assert counted({"attempts": 0}, {"outcome": Outcome.UPSTREAM_ERROR}, {"dialect": "none"}) == {}


def test_shadows_have_counters_of_their_own() -> None:
    found = counted({"cost_usd": 0.25, "shadow_of": "req-0"}, {"cost_usd": 1.0})
    assert found["turnout_shadow_cost_usd_total", "support/base"] == 0.25
    assert found["turnout_cost_usd_total", "support/base"] == 1.0


def test_what_passes_through_is_other() -> None:
    passed = {"route": None, "variant_assigned": None, "variant_served": None, "cost_usd": 2.0}
    assert counted(passed)["turnout_cost_usd_total", "other/other"] == 2.0


def test_a_budget_says_what_is_used_of_it_and_whether_it_stops_anybody() -> None:
    budget = Budget(scope="key", name="mobile", usd=10.0, stop=True)
    spent = Standing(budget=budget, spent=12.5, begins=0.0, ends=1.0)
    found = {
        sample.name: (sample.labels, sample.value)
        for reading in budget_readings(lambda: [spent])
        for sample in reading.read().samples
    }
    labels = {"scope": "key", "name": "mobile"}
    assert found == {
        "turnout_budget_used_ratio": (labels, 1.25),
        "turnout_budget_stopped": (labels, 1.0),
    }
