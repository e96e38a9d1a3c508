import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from proxy.alerting import Alert, AlertName
from proxy.exchange.observation import Observation, Usage
from proxy.exchange.outcome import ErrorCode, Outcome
from proxy.routing.table import Route, RoutingTable, Variant
from proxy.sinks.metrics.counted import alert_readings, budget_readings
from proxy.sinks.metrics.exchanges import Metrics
from proxy.sinks.metrics.fleet import (
    fleet_readings,
    notifier_readings,
    own_readings,
    span_readings,
)
from proxy.sinks.metrics.hosts import host_readings
from proxy.sinks.metrics.names import Names
from proxy.sinks.metrics.processes import Processes
from proxy.sinks.metrics.reference import page
from proxy.sinks.metrics.stored import store_readings
from tests.support.observed import observed

MODEL = {
    "gen_ai_operation_name": "chat",
    "gen_ai_provider_name": "openai",
    "gen_ai_request_model": "gpt-4o-mini",
    "route": "support",
    "variant": "base",
}


def table(*names: str) -> RoutingTable:
    variants = tuple(
        Variant(name=name, upstream="openai", model="gpt-4o-mini" if name == "base" else None)
        for name in names
    )
    route = Route(name="support", variants=variants, weights=(1.0,) * len(names))
    return RoutingTable(version=1, digest="", routes={"support": route})


@dataclass
class Worker:
    in_flight: int
    connections: int


@dataclass
class Pool:
    name: str
    open: int = 0
    idle: int = 0
    waiting: int = 0
    ejected: int = 0
    requests: int = 0
    retries: int = 0
    ejections: int = 0
    connect_failures: int = 0


@dataclass
class Shadow:
    route: str
    variant: str
    expected: float
    sent: int
    dropped: dict[str, int]


@dataclass
class Fleet:
    workers: dict[int, Worker] = field(default_factory=dict)
    upstreams: list[Pool] = field(default_factory=list)
    shadows: list[Shadow] = field(default_factory=list)
    restarts: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    lost: int = 0
    shed: int = 0
    table: RoutingTable = field(default_factory=lambda: table("base", "ft-v2"))


class Board:
    """Metrics over a configuration with one route, and what a scrape of them says."""

    def __init__(self, *variants: str) -> None:
        self.names = Names()
        self.names.adopt(table(*(variants or ("base", "ft-v2"))), ["openai", "vllm"])
        self.fleet = Fleet()
        self.metrics = Metrics(
            self.names,
            [
                *fleet_readings(lambda: self.fleet),
                *notifier_readings(lambda: {("webhook", "sent"): 7}, lambda: {"slack": 3}),
                *span_readings(lambda: {"exported": 4, "dropped": 1}),
                *host_readings(lambda: {"in_force": 2, "behind": 1, "silent": 0}),
                *own_readings(
                    version="0.1.0",
                    python="3.11.7",
                    log_dropped=lambda: 5,
                    uncounted=lambda: 6,
                    waiting=lambda: 9,
                    reloads=lambda: {"rejected": 8},
                    degraded=lambda: True,
                ),
                *Processes(tuple, Path("/none")).readings(),
                *store_readings(None, int),
                *alert_readings(tuple),
                *budget_readings(tuple),
            ],
        )
        self.registry = self.metrics.registry()

    def take(self, *observations: Observation) -> None:
        self.metrics.take(observations)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def text(self) -> str:
        body, content_type = self.metrics.render()
        assert content_type.startswith("text/plain; version=0.0.4")
        return body.decode()


def test_an_exchange_is_counted_once_with_its_outcome_and_error_code() -> None:
    board = Board()
    failed = observed(outcome=Outcome.UPSTREAM_ERROR, error_code=ErrorCode.PROVIDER_STATUS)
    board.take(observed(), observed(), failed)
    labels = {"route": "support", "variant": "base", "upstream": "openai", "dialect": "chat"}
    completed = board.value("turnout_requests_total", **labels, outcome="completed", error_code="")
    errors = board.value(
        "turnout_requests_total", **labels, outcome="upstream_error", error_code="provider_status"
    )
    assert (completed, errors) == (2.0, 1.0)


def test_durations_are_seconds_in_the_conventions_buckets() -> None:
    board = Board()
    board.take(observed(latency_ms=640.0), observed(latency_ms=641.0))
    name = "gen_ai_server_request_duration_seconds"
    labels = MODEL | {"error_type": ""}
    assert board.value(name + "_count", **labels) == 2.0
    assert board.value(name + "_sum", **labels) == pytest.approx(1.281)
    assert board.value(name + "_bucket", **labels, le="0.32") == 0.0
    assert board.value(name + "_bucket", **labels, le="0.64") == 1.0
    assert board.value(name + "_bucket", **labels, le="1.28") == 2.0
    assert board.value(name + "_bucket", **labels, le="81.92") == 2.0
    assert board.value(name + "_bucket", **labels, le="+Inf") == 2.0


def test_a_stream_tells_its_first_token_and_its_time_per_token() -> None:
    board = Board()
    for per_token in (12.0, 18.0):
        board.take(observed(stream=True, ttft_ms=80.0, tpot_ms=per_token))
    ttft = "gen_ai_server_time_to_first_token_seconds"
    assert board.value(ttft + "_sum", **MODEL) == pytest.approx(0.16)
    assert board.value(ttft + "_bucket", **MODEL, le="0.08") == 2.0
    name = "gen_ai_server_time_per_output_token_seconds"
    assert board.value(name + "_sum", **MODEL) == pytest.approx(0.03)


def test_a_reply_of_one_token_has_no_time_per_output_token() -> None:
    board = Board()
    board.take(observed(stream=True, ttft_ms=80.0, tpot_ms=None, usage=Usage(3, 1)))
    assert "gen_ai_server_time_per_output_token_seconds_count{" not in board.text()
    assert board.value("gen_ai_server_time_to_first_token_seconds_count", **MODEL) == 1.0


def test_tokens_are_told_by_type_and_zero_is_a_number() -> None:
    board = Board()
    board.take(observed(usage=Usage(12, 34, 0, 5)))
    name = "gen_ai_client_token_usage"
    sums = {
        kind: board.value(name + "_sum", **MODEL, gen_ai_token_type=kind)
        for kind in ("input", "output", "cached_input", "reasoning")
    }
    assert sums == {"input": 12.0, "output": 34.0, "cached_input": 0.0, "reasoning": 5.0}
    cached = MODEL | {"gen_ai_token_type": "cached_input"}
    assert board.value(name + "_count", **cached) == 1.0


def test_tokens_that_nobody_counted_are_not_told() -> None:
    board = Board()
    board.take(observed(tokens_source="none", usage=Usage()))
    assert "gen_ai_client_token_usage_count{" not in board.text()


def test_a_client_that_left_is_its_own_outcome_and_no_error_of_the_variant() -> None:
    board = Board()
    board.take(observed(outcome=Outcome.CLIENT_GONE, status=None, ttft_ms=3.0, stream=True))
    text = board.text()
    assert 'outcome="client_gone"' in text
    assert "gen_ai_server_request_duration_seconds_count{" not in text
    assert "gen_ai_server_time_to_first_token_seconds_count{" not in text


def test_what_never_reached_a_model_is_in_no_model_metric() -> None:
    board = Board()
    board.take(
        observed(
            attempts=0,
            outcome=Outcome.REJECTED,
            error_code=ErrorCode.POLICY_REQUEST_LIMIT,
            upstream=None,
        ),
        observed(dialect="none", route=None, variant_served=None, variant_assigned=None),
    )
    assert "gen_ai_server_request_duration_seconds_count{" not in board.text()
    assert board.value("turnout_overhead_seconds_count", route="other") == 1.0


def test_the_variant_assigned_is_named_where_none_served() -> None:
    board = Board()
    board.take(observed(variant_assigned="ft-v2", variant_served=None))
    assert 'variant="ft-v2"' in board.text()


def test_a_fallback_is_counted_by_the_variant_assigned_and_the_one_that_served() -> None:
    board = Board()
    board.take(
        observed(variant_assigned="ft-v2", variant_served="base"),
        observed(variant_assigned="ft-v2", variant_served="base"),
        observed(variant_assigned="ft-v2", variant_served="ft-v2"),
        observed(variant_assigned="ft-v2", variant_served=None),
        observed(variant_assigned=None, variant_served=None),
        observed(variant_assigned="ft-v2", variant_served="stranger"),
    )
    name, labels = "turnout_fallbacks_total", {"route": "support", "variant": "ft-v2"}
    assert board.value(name, **labels, served="base") == 2.0
    assert board.value(name, **labels, served="other") == 1.0
    assert board.text().count(name + "{") == 2


def test_it_is_counted_how_exchanges_came_by_their_variants() -> None:
    board = Board()
    board.take(
        observed(),
        observed(variant_served="ft-v2"),  # a fallback: it was to have the baseline
        observed(unit_kind="request", unit_missing=True),
        observed(variant_assigned="ft-v2", variant_served="ft-v2", pinned=True),
        observed(variant_assigned="ft-v2", variant_served=None, forced=True),
        observed(route=None, variant_assigned=None, variant_served=None),
        observed(variant_assigned="ft-v2", shadow_of="req-0"),
    )
    name, counted = "turnout_assignments_total", {}
    for variant in ("base", "ft-v2", "other"):
        for how in ("split", "no_unit", "pinned", "forced"):
            labels = {"route": "support", "variant": variant, "how": how}
            counted[variant, how] = board.value(name, **labels)
    assert {which: count for which, count in counted.items() if count} == {
        ("base", "split"): 2.0,
        ("base", "no_unit"): 1.0,
        ("ft-v2", "pinned"): 1.0,
        ("ft-v2", "forced"): 1.0,
    }


def test_a_variant_without_a_model_of_its_own_is_asked_by_the_routes_name() -> None:
    board = Board()
    board.take(observed(variant_served="ft-v2"))
    assert 'gen_ai_request_model="support"' in board.text()


def test_a_shadow_is_in_its_own_metrics_and_in_none_of_the_clients() -> None:
    board = Board()
    before = set(board.text().splitlines())
    shadow = {"shadow_of": "req-0", "variant_assigned": "ft-v2", "variant_served": "ft-v2"}
    board.take(
        observed(**shadow, latency_ms=640.0, stream=True, ttft_ms=80.0),
        observed(**shadow, usage=Usage(3, None)),
        observed(
            **shadow,
            outcome=Outcome.UPSTREAM_TIMEOUT,
            error_code=ErrorCode.PROVIDER_TOTAL_TIMEOUT,
            usage=Usage(),
        ),
    )
    name, labels = "turnout_shadow_", {"route": "support", "variant": "ft-v2"}
    fine = board.value(name + "requests_total", **labels, outcome="completed", error_code="")
    late = board.value(
        name + "requests_total",
        **labels,
        outcome="upstream_timeout",
        error_code="provider_total_timeout",
    )
    assert (fine, late) == (2.0, 1.0)
    assert board.value(name + "duration_seconds_count", **labels) == 2.0
    assert board.value(name + "time_to_first_token_seconds_sum", **labels) == pytest.approx(0.08)
    assert board.value(name + "tokens_total", **labels, type="input") == 15.0
    assert board.value(name + "tokens_total", **labels, type="output") == 34.0
    moved = set(board.text().splitlines()) - before
    assert [line for line in moved if "turnout_shadow_" not in line] == []


def test_a_shadow_that_does_nothing_is_seen_by_what_was_expected() -> None:
    board = Board()
    dropped = {"concurrency": 3, "draining": 1}
    board.fleet = Fleet(shadows=[Shadow("support", "ft-v2", 12.5, 8, dropped)])
    labels = {"route": "support", "variant": "ft-v2"}
    assert board.value("turnout_shadow_expected_total", **labels) == 12.5
    assert board.value("turnout_shadow_sent_total", **labels) == 8.0
    for reason, count in dropped.items():
        assert board.value("turnout_shadow_dropped_total", **labels, reason=reason) == count


@pytest.mark.alone
def test_a_hundred_thousand_junk_names_add_one_label_value_and_scrape_fast() -> None:
    board = Board()
    board.take(observed())
    before = {line.split(" ")[0] for line in board.text().splitlines()}
    for n in range(100_000):
        junk = f"junk-{n}"
        board.take(
            observed(
                route=junk,
                variant_served=junk,
                upstream=junk,
                dialect=junk,
                model_asked=junk,
                model_served=junk,
                endpoint=junk,
                key_name=junk,
                finish_reason=junk,
            )
        )
    best = min(timed(board.text) for _ in range(3))
    added: dict[tuple[str, str], set[str]] = {}
    for family in text_string_to_metric_families(board.text()):
        for sample in family.samples:
            for label, value in sample.labels.items():
                added.setdefault((sample.name, label), set()).add(value)
    known = "\n".join(before)
    for (name, label), values in added.items():
        if label != "le":
            assert len([v for v in values if f'{label}="{v}"' not in known]) <= 1, (name, label)
    assert "junk" not in board.text()
    assert best <= 0.1


def timed(call: object) -> float:
    assert callable(call)
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@pytest.mark.alone
def test_a_scrape_of_many_variants_stays_fast() -> None:
    names = [f"v{n}" for n in range(100)]
    board = Board(*names)
    for name in names:
        board.take(observed(variant_served=name, stream=True, ttft_ms=5.0, tpot_ms=2.0))
    assert min(timed(board.text) for _ in range(3)) <= 0.5


def test_a_name_that_is_configured_later_counts_under_itself_from_then_on() -> None:
    board = Board("base")
    board.take(observed(variant_served="ft-v3"))
    assert 'variant="ft-v3"' not in board.text()
    board.names.adopt(table("base", "ft-v3"), ["openai"])
    board.take(observed(variant_served="ft-v3"))
    assert 'variant="ft-v3"' in board.text()


def test_a_name_that_is_no_longer_configured_still_ends_under_itself() -> None:
    board = Board("base", "ft-v2")
    board.names.adopt(table("base"), ["openai"])
    board.take(observed(variant_served="ft-v2"))
    assert 'variant="ft-v2"' in board.text()


def test_alerts_are_counted_by_name_route_and_variant() -> None:
    board = Board()
    for route in ("support", "nowhere"):
        board.metrics.alert(
            Alert(
                name=AlertName.SHORT,
                value=2,
                threshold=10,
                at=0.0,
                observation=observed(route=route),
            )
        )
    name = "turnout_alerts_total"
    assert board.value(name, alert="short", route="support", variant="base") == 1.0
    assert board.value(name, alert="short", route="other", variant="other") == 1.0


def test_the_fleet_is_asked_at_each_scrape() -> None:
    board = Board()
    board.fleet = Fleet(
        workers={0: Worker(3, 9), 1: Worker(4, 10)},
        upstreams=[Pool("openai", 5, 2, 1, 1, 100, 7, 2, 3)],
        restarts={"worker": 2},
        dropped=11,
        lost=12,
        shed=13,
        table=replace(table("base"), version=8),
    )
    assert board.value("turnout_in_flight", worker="0") == 3.0
    assert board.value("turnout_connections", worker="1") == 10.0
    pool = {
        name: board.value("turnout_upstream_" + name, upstream="openai")
        for name in (
            "connections_open",
            "connections_idle",
            "waiting",
            "ejected",
            "requests_total",
            "retries_total",
            "ejections_total",
            "connect_failures_total",
        )
    }
    assert list(pool.values()) == [5, 2, 1, 1, 100, 7, 2, 3]
    assert board.value("turnout_worker_restarts_total", process="worker") == 2.0
    assert board.value("turnout_observations_dropped_total") == 11.0
    assert board.value("turnout_observations_lost_total") == 12.0
    assert board.value("turnout_connections_shed_total") == 13.0
    assert board.value("turnout_table_version") == 8.0


def test_the_split_in_force_is_told_and_what_is_off_gets_nothing() -> None:
    board = Board()
    split = replace(table("base", "ft-v2", "ft-v3").routes["support"], weights=(70, 20, 10))
    board.fleet.table = RoutingTable(version=2, digest="", routes={"support": split})
    name = "turnout_split_share"
    roles = {"base": "baseline", "ft-v2": "candidate", "ft-v3": "candidate"}

    def shown() -> list[float | None]:
        labels = {"route": "support"}
        return [board.value(name, **labels, variant=v, role=r) for v, r in roles.items()]

    assert shown() == [0.7, 0.2, 0.1]
    off = replace(split, off=("base", "ft-v3"))
    board.fleet.table = RoutingTable(version=3, digest="", routes={"support": off})
    assert shown() == [0.0, 1.0, 0.0]


def test_turnout_says_what_it_is_and_what_it_could_not_tell() -> None:
    board = Board()
    assert board.value("turnout_build_info", version="0.1.0", python="3.11.7") == 1.0
    assert board.value("turnout_log_lines_dropped_total") == 5.0
    assert board.value("turnout_token_counts_skipped_total") == 6.0
    assert board.value("turnout_observations_waiting") == 9.0
    assert board.value("turnout_notifications_total", notifier="webhook", result="sent") == 7.0
    assert board.value("turnout_notifications_waiting", notifier="slack") == 3.0
    assert board.value("turnout_spans_total", result="exported") == 4.0
    assert board.value("turnout_config_reloads_total", result="rejected") == 8.0
    assert board.value("turnout_config_degraded") == 1.0


def test_promtool_finds_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        if os.environ.get("CI") == "true":
            pytest.fail("promtool is missing: in CI this check may not be skipped")
        pytest.skip("promtool is not installed (apt-get install prometheus)")
    board = Board()
    board.fleet = Fleet(
        {0: Worker(1, 1)},
        [Pool("openai")],
        [Shadow("support", "base", 0.5, 1, {"draining": 1})],
        {"worker": 1},
    )
    board.take(
        observed(stream=True, ttft_ms=5.0, tpot_ms=2.0),
        observed(outcome=Outcome.UPSTREAM_CUT, error_code=ErrorCode.PROVIDER_CUT),
        observed(shadow_of="req-0", stream=True, ttft_ms=5.0),
    )
    board.metrics.alert(
        Alert(name=AlertName.SLOW, value=1, threshold=1, at=0.0, observation=observed())
    )
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=board.text(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_reference_page_says_what_the_registry_has() -> None:

    text = Path(__file__).parents[2].joinpath("docs/metrics.md").read_text(encoding="utf-8")
    assert text == page()
    families = {metric.name for metric in Board().metrics.collect()}
    named = {line[4:-1].removesuffix("_total") for line in text.splitlines() if line[:4] == "## `"}
    assert named == families
