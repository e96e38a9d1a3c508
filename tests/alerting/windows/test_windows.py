"""Exchanges in, alerts out: every rule, on what it is of, as a naive count would have it."""

from collections.abc import Iterable
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.alerting.windows import DEFAULTS, Now, Rule, Standing, WindowAlert, Windows
from proxy.exchange import Outcome
from proxy.routing.table import Route, RoutingTable, Variant
from tests.support.observed import observed

FAILED = {"outcome": Outcome.UPSTREAM_ERROR, "status": 502, "error_code": "provider_status"}
NAMES = ("base", "ft-v2")


def variants(*names: str) -> tuple[Variant, ...]:
    return tuple(Variant(name=name, upstream="u") for name in names)


def table(
    *, off: tuple[str, ...] = (), names: tuple[str, ...] = NAMES, **more: Any
) -> RoutingTable:
    weights = (1.0,) * len(names)
    support = Route(name="support", variants=variants(*names), weights=weights, off=off)
    other = Route(name="other", variants=variants("base"), weights=(1.0,))
    routes = {each.name: each for each in (support, other)}
    return RoutingTable(version=1, digest="", routes=routes, **more)


def rule(name: str, threshold: float = 0.0, **more: Any) -> Rule:
    given_: dict[str, Any] = {"window_seconds": 60.0, "for_seconds": 0.0, "min_requests": 5}
    return Rule(name=WindowAlert(name), threshold=threshold, **(given_ | more))


class House:
    """Windows at a time of the test's."""

    def __init__(self, *rules: Rule, **more: Any) -> None:
        self.now = 0.0
        self.number = 0
        self.windows = Windows()
        self.windows.adopt(table(), rules, **more)

    def saw(self, count: int = 1, **changes: Any) -> None:
        numbers = range(self.number + 1, self.number + 1 + count)
        seen = [observed(request_id=f"req-{number}", **changes) for number in numbers]
        self.windows.take(seen, self.now)
        self.number += count

    def look(self, after: float = 0.0) -> list[Standing]:
        self.now += after
        return self.windows.look(Now(self.now, 1_795_000_000.0 + self.now))

    def fires(self, after: float = 0.0) -> list[tuple[str | None, ...]]:
        return [each.key[1:] for each in self.look(after) if each.firing]


def test_exchanges_that_come_together_count_as_if_they_came_one_by_one() -> None:
    rules = rule("error_rate", 20.0), rule("tokens_per_minute"), rule("latency_p95", 100.0)
    at_once, one_by_one = House(*rules), House(*rules)
    ft = {"variant_assigned": "ft-v2", "variant_served": "ft-v2"}
    kinds: list[dict[str, Any]] = [{}, ft, ft | FAILED, {"shadow_of": "req-0"}, {"forced": True}]
    seen = [
        observed(request_id=f"req-{number}", latency_ms=100.0 + number, **kinds[number % 5])
        for number in range(60)
    ]
    at_once.windows.take(seen, 0.0)
    for each in seen:
        one_by_one.windows.take([each], 0.0)
    fires = at_once.look()
    assert fires == one_by_one.look()
    assert {each.key.name for each in fires} == {"error_rate", "tokens_per_minute", "latency_p95"}


def test_errors_fire_by_variant_with_the_latest_as_examples_and_are_resolved() -> None:
    house = House(rule("error_rate", 20.0))
    house.saw(8)
    house.saw(8, variant_assigned="ft-v2", variant_served="ft-v2")
    house.now = 1.0
    house.saw(1, variant_assigned="ft-v2", variant_served="ft-v2", **FAILED)
    assert house.look() == []
    house.saw(4, variant_assigned="ft-v2", variant_served="ft-v2", **FAILED)
    (standing,) = house.look()
    assert standing.key == ("error_rate", "support", "ft-v2", None)
    assert standing.value == pytest.approx(100 * 5 / 13)
    assert (standing.count, standing.request_ids) == (13, ("req-21", "req-20", "req-19"))
    assert house.look(1.0) == []
    assert [each.firing for each in house.windows.standing] == [True]
    (resolved,) = house.look(61.0)
    assert (resolved.firing, resolved.value) == (False, None)
    assert house.windows.standing == []


def test_who_leaves_counts_against_nobody_and_shadows_are_not_there() -> None:
    house = House(rule("error_rate", 1.0), rule("latency_p95", 1.0))
    house.saw(50, outcome=Outcome.CLIENT_GONE)
    house.saw(50, outcome=Outcome.REJECTED)
    house.saw(50, shadow_of="req-0", **FAILED)
    assert house.fires() == []


def test_a_fallback_is_an_error_of_the_variant_that_was_to_serve() -> None:
    house = House(rule("error_rate", 5.0))
    house.saw(5, variant_assigned="ft-v2", variant_served="base")
    assert house.fires() == [("support", "ft-v2", None)]


@pytest.mark.parametrize(
    ("name", "threshold", "changes"),
    [
        ("latency_p95", 5000.0, {"latency_ms": 6000.0}),
        ("ttft_p95", 800.0, {"ttft_ms": 900.0}),
        ("short_rate", 50.0, {"signals": ("short",)}),
        ("refusals", 50.0, {"signals": ("refusal",)}),
        ("format_failures", 50.0, {"format_check": "broken"}),
    ],
)
def test_each_figure_of_a_variant_fires_above_its_threshold(
    name: str, threshold: float, changes: dict[str, Any]
) -> None:
    house = House(rule(name, threshold))
    house.saw(5, format_check="kept", ttft_ms=100.0)
    assert house.fires() == []
    house.saw(6, **changes)
    assert house.fires() == [("support", "base", None)]


def test_tokens_and_cost_are_of_a_route_and_shadows_use_them_too() -> None:
    house = House(rule("tokens_per_minute", 450.0), rule("cost_per_hour", 59.0))
    house.saw(5, cost_usd=0.1)
    house.saw(4, cost_usd=0.1, shadow_of="req-0", variant_served="ft-v2")
    assert house.fires() == []
    house.saw(1, cost_usd=0.1)
    assert sorted(house.fires()) == [("support", None, None)] * 2
    values = {each.key.name.value: each.value for each in house.windows.standing}
    assert values == {"tokens_per_minute": 460.0, "cost_per_hour": pytest.approx(60.0)}


def test_a_route_falls_silent_only_where_it_was_not_before_and_until_somebody_comes() -> None:
    house = House(rule("no_traffic"))
    assert house.fires(600.0) == []
    house.saw(4)
    assert house.fires(600.0) == []
    house.saw(5)
    house.saw(9, route="other", shadow_of="req-0")
    assert house.fires(59.0) == []
    (standing,) = house.look(1.0)
    assert (standing.key.route, standing.value, standing.count) == ("support", 60.0, 5)
    assert standing.request_ids == ()
    assert house.look(10_000.0) == []
    house.saw(1)
    assert [each.firing for each in house.look()] == [False]


CANDIDATE = {"variant_assigned": "ft-v2", "variant_served": "ft-v2"}


def test_a_candidate_that_is_surely_worse_fires_and_says_in_what() -> None:
    house = House(rule("worse_than_baseline", 2.0, min_requests=50))
    house.saw(199)
    house.saw(1, **FAILED)
    house.saw(170, **CANDIDATE)
    assert house.fires() == []
    house.saw(30, **CANDIDATE, **FAILED)
    house.saw(40, **CANDIDATE, latency_ms=5000.0, signals=("short",))
    assert sorted(house.fires()) == [
        ("support", "ft-v2", "error rate"),
        ("support", "ft-v2", "p95 latency"),
        ("support", "ft-v2", "short rate"),
    ]
    assert all((each.value or 0) > 2 for each in house.windows.standing)


def test_a_candidate_is_compared_by_what_the_split_dealt_out_alone() -> None:
    house = House(rule("worse_than_baseline", 2.0, min_requests=50))
    house.saw(200)
    house.saw(100, **CANDIDATE)
    house.saw(100, **CANDIDATE, **FAILED, forced=True)
    house.saw(100, **CANDIDATE, **FAILED, pinned=True)
    assert house.fires() == []
    house.saw(60, variant_assigned="ft-v2", variant_served="base")
    assert house.fires() == [("support", "ft-v2", "error rate")]


def test_few_requests_on_either_side_say_nothing_and_what_fires_ends_with_its_window() -> None:
    house = House(rule("worse_than_baseline", 2.0, min_requests=50))
    house.saw(49)
    house.saw(90, **CANDIDATE, **FAILED)
    assert house.fires() == []
    house.saw(1)
    assert house.fires() == [("support", "ft-v2", "error rate")]
    house.now = 30.0
    house.saw(10)
    house.saw(10, **CANDIDATE, **FAILED)
    assert house.look(31.0) == [], "few are left, and they look as bad"
    (resolved,) = house.look(61.0)
    assert resolved.value is None


def test_without_a_baseline_nobody_is_compared_and_who_is_off_is_not_there() -> None:
    rules = (rule("worse_than_baseline", 2.0), rule("error_rate", 5.0))
    house = House(*rules)
    house.saw(100, **CANDIDATE, **FAILED)
    house.windows.adopt(table(off=("base",)), rules)
    assert house.fires() == [("support", "ft-v2", None)]
    house.windows.adopt(table(off=("ft-v2",)), rules)
    (resolved,) = house.look()
    assert (resolved.firing, resolved.key.variant) == (False, "ft-v2")
    assert (resolved.value, resolved.count) == (None, 0)
    assert house.look() == []


def test_what_is_pending_and_leaves_the_routing_goes_without_a_word() -> None:
    rules = (rule("error_rate", 5.0, for_seconds=60.0),)
    house = House(*rules)
    house.saw(10, **CANDIDATE, **FAILED)
    assert house.look() == []
    assert len(house.windows.standing) == 1
    house.windows.adopt(table(names=("base",)), rules)
    assert house.look(60.0) == []
    assert house.windows.standing == []


def test_a_new_routing_keeps_what_was_seen_and_a_new_window_begins_empty() -> None:
    house = House(rule("error_rate", 5.0), rule("no_traffic"))
    house.saw(10, **FAILED)
    house.windows.adopt(table(), (rule("error_rate", 5.0, min_requests=9), rule("no_traffic")))
    assert house.fires() == [("support", "base", None)]
    assert house.fires(61.0) == [("support", None, None)]
    longer = (
        rule("error_rate", 5.0, window_seconds=90.0),
        rule("no_traffic", window_seconds=90.0),
    )
    house.windows.adopt(table(), longer)
    assert house.fires(500.0) == []


def test_a_route_has_its_own_rules() -> None:
    own = {"support": (rule("error_rate", 90.0),)}
    house = House(rule("error_rate", 5.0), routes=own)
    for route in ("support", "other"):
        house.saw(3, route=route)
        house.saw(3, route=route, **FAILED)
    assert house.fires() == [("other", "base", None)]


def test_what_passes_through_is_watched_where_it_may() -> None:
    nowhere = {"route": None, "variant_assigned": None, "variant_served": None}
    house = House(*DEFAULTS)
    house.saw(50, **nowhere, **FAILED)
    assert house.fires() == []
    house.windows.adopt(table(default_upstream="u"), (*DEFAULTS, rule("no_traffic")))
    house.saw(50, **nowhere, **FAILED)
    house.look()
    assert house.fires(60.0) == [(None, None, None), (None, None, None)]


def test_what_is_of_nothing_configured_is_left_out() -> None:
    house = House(rule("error_rate", 5.0))
    house.saw(50, route="gone", **FAILED)
    house.saw(50, variant_assigned="gone", variant_served="gone", **FAILED)
    assert house.fires() == []


def test_memory_is_bounded_by_the_configuration() -> None:
    house = House(*(rule(name.value, 1e12) for name in WindowAlert))
    for number in range(2000):
        house.now += 0.1
        house.saw(route=f"route-{number}", variant_assigned=f"v-{number}", variant_served=None)
    assert house.windows._layout.feeds.keys() <= {
        (route, variant, whose)
        for route in ("support", "other")
        for variant in (None, *NAMES)
        for whose in ("route", "variant", "dealt")
    }


ARRIVAL = st.tuples(
    st.integers(0, 200),
    st.sampled_from([Outcome.COMPLETED, Outcome.UPSTREAM_ERROR, Outcome.CLIENT_GONE]),
    st.floats(1.0, 20_000.0),
    st.booleans(),
)


@settings(max_examples=60)
@given(st.lists(ARRIVAL, max_size=60), st.integers(1, 12))
def test_figures_are_those_of_a_naive_count_and_few_never_fire(
    arrivals: list[tuple[int, Outcome, float, bool]], least: int
) -> None:
    rules = [
        rule(name, 30.0, min_requests=least)
        for name in ("error_rate", "short_rate", "latency_p95")
    ]
    house = House(*rules)
    for at, outcome, latency, short in sorted(arrivals, key=lambda each: each[0]):
        house.now = float(at)
        signals = ("short",) if short else ()
        house.saw(outcome=outcome, latency_ms=latency, signals=signals)
    fired = {each.key.name.value: each for each in house.look()}
    inside = [each for each in arrivals if each[0] > house.now - 60]  # a step is a second
    judged = [each for each in inside if each[1] is not Outcome.CLIENT_GONE]
    done = [each for each in inside if each[1] is Outcome.COMPLETED]
    failures = [float(each[1] is Outcome.UPSTREAM_ERROR) for each in judged]
    shorts = [float(each[3]) for each in judged]
    naive = {
        "error_rate": (mean(failures), len(judged)),
        "short_rate": (mean(shorts), len(judged)),
        "latency_p95": (p95([each[2] for each in done]), len(done)),
    }
    for name, (value, count) in naive.items():
        if count >= least and (value > 31 or value == 0):
            assert (name in fired) is (value > 30)
        if name in fired:
            assert count >= least
            assert fired[name].count == count
            assert fired[name].value == pytest.approx(value, rel=0.0101)


def mean(values: list[float]) -> float:
    return 100 * sum(values) / len(values) if values else 0.0


def p95(values: Iterable[float]) -> float:
    found = sorted(values)
    return found[ceil(0.95 * len(found)) - 1] if found else 0.0


def test_every_candidate_is_held_against_the_one_baseline() -> None:
    three = (*NAMES, "ft-v3")
    house = House()
    house.windows.adopt(table(names=three), (rule("worse_than_baseline", 2.0),))
    house.saw(60)
    for name in three[1:]:
        house.saw(60, variant_assigned=name, variant_served=name, **FAILED)
    assert house.fires() == [("support", name, "error rate") for name in three[1:]]


def test_what_fired_when_others_watched_goes_on_until_it_is_known_to_be_well() -> None:
    before = House(rule("error_rate", 5.0, for_seconds=10.0))
    before.saw(10, **FAILED)
    before.look()
    (firing,) = before.look(10.0)
    after = House(rule("error_rate", 5.0, for_seconds=10.0))
    after.windows.resume([firing], Now(0.0, 1_795_000_100.0))
    assert after.look() == after.look(59.0) == [], "its window is not full yet"
    (standing,) = after.windows.standing
    assert (standing.value, standing.count, standing.began_at) == (100.0, 10, firing.began_at)
    assert after.look(1.0) == []
    (resolved,) = after.look(10.0)
    assert (resolved.key, resolved.value) == (firing.key, None)


def test_what_goes_on_is_over_as_soon_as_requests_show_it() -> None:
    before = House(rule("error_rate", 5.0))
    before.saw(10, **FAILED)
    after = House(rule("error_rate", 5.0))
    after.windows.resume(before.look(), Now(0.0, 1_795_000_100.0))
    after.saw(1)
    (resolved,) = after.look()
    assert (resolved.firing, resolved.value, resolved.count) == (False, 0.0, 1)


def test_a_silence_of_traffic_goes_on_until_somebody_comes() -> None:
    before = House(rule("no_traffic"))
    before.saw(5)
    (quiet,) = before.look(70.0)
    after = House(rule("no_traffic"))
    after.windows.resume([quiet], Now(0.0, 1_795_000_100.0))
    assert after.look() == after.look(500.0) == []
    (standing,) = after.windows.standing
    assert (standing.value, standing.count) == (600.0, 5)
    after.saw(1)
    assert [each.firing for each in after.look()] == [False]


def test_what_is_of_nothing_that_is_watched_any_more_is_over_at_once() -> None:
    before = House(rule("no_traffic"))
    before.saw(5)
    (quiet,) = before.look(70.0)
    after = House(rule("error_rate"))
    after.windows.resume([quiet], Now(0.0, 1_795_000_100.0))
    assert [each.firing for each in after.look()] == [False]
