"""Signals and checks of forms are counted by variant; shadows' stand apart."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

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


def counted(*changes: dict[str, Any]) -> dict[tuple[str, ...], float]:
    names = Names()
    names.adopt(TABLE, ["openai"])
    metrics = Metrics(names, [])
    metrics.take([observed(**change) for change in changes])
    text = metrics.render()[0].decode()
    return {
        (sample.name, *(sample.labels[name] for name in LABELS if name in sample.labels)): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "quality" in sample.name or "format" in sample.name
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
