"""Metrics: what Prometheus is told of the exchanges.

Names, labels, units and buckets of `gen_ai_*` are OpenTelemetry's GenAI conventions in
Prometheus form, as Envoy AI Gateway writes them; the rest is `turnout_*`. This sink knows
Observations and alerts only; the fleet's state comes as readings, asked for at the scrape.
Label values are bounded (`names`). One thread writes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from msgspec.structs import astuple
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from proxy.alerting import Alert
from proxy.alerting.notice import Notice
from proxy.exchange.observation import Observation
from proxy.exchange.outcome import Outcome
from proxy.sinks.metrics.cells import Count, Counter, Histogram, Labels, Reading, Spread
from proxy.sinks.metrics.counted import (
    AssignmentMetrics,
    CostMetrics,
    QualityMetrics,
    ShadowMetrics,
)
from proxy.sinks.metrics.names import OPERATIONS, OTHER, Names

MODEL_LABELS = (
    "gen_ai_operation_name",
    "gen_ai_provider_name",  # the upstream's configured name
    "gen_ai_request_model",  # the variant's configured model
    "route",
    "variant",
)
DURATION_BOUNDS = tuple(0.01 * 2**i for i in range(14))  # 10 ms to 82 s
FIRST_TOKEN_BOUNDS = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1),
    *(0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
PER_TOKEN_BOUNDS = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2),
    *(0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
)
TOKEN_BOUNDS = tuple(4**i for i in range(14))  # 1 to 67,108,864
OVERHEAD_BOUNDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01),
    *(0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
)

Kind = tuple[Any, ...]

TOKEN_TYPES = ("input", "output", "cached_input", "reasoning")  # in the order of Usage

# What the labels of an exchange depend on: exchanges that agree in it move the same cells.
kind_of: Callable[[Observation], Kind] = attrgetter(
    *("dialect", "upstream", "route", "variant_assigned", "variant_served"),
    *("forced", "pinned", "unit_missing", "outcome", "error_code"),
)


class Series:
    """The cells of one kind of exchange; None where its time says nothing of a model."""

    __slots__ = ("counts", "duration", "overhead", "per_token", "tokens", "ttft")

    def __init__(self, counts: Sequence[Count], overhead: Spread) -> None:
        self.counts = counts  # one more with each exchange
        self.overhead = overhead
        self.duration: Spread | None = None
        self.ttft: Spread | None = None
        self.per_token: Spread | None = None
        self.tokens: Sequence[Spread] = ()  # one for each of TOKEN_TYPES


class Metrics(Collector):
    """All metrics: moved by `take` and `alert`, shown by `collect`."""

    def __init__(self, names: Names, readings: Sequence[Reading]) -> None:
        self._names = names
        self._series: dict[Kind, Series] = {}
        self._durations = Histogram(
            "gen_ai_server_request_duration_seconds",
            "Time from the request's head to the reply's last byte; error_type is empty for"
            " exchanges that completed. Not for clients that left: their time says nothing.",
            (*MODEL_LABELS, "error_type"),
            DURATION_BOUNDS,
        )
        self._ttft = Histogram(
            "gen_ai_server_time_to_first_token_seconds",
            "Time from the request's head to the first output of a completed stream.",
            MODEL_LABELS,
            FIRST_TOKEN_BOUNDS,
        )
        self._per_token = Histogram(
            "gen_ai_server_time_per_output_token_seconds",
            "Time per output token after the first, of completed streams of two or more.",
            MODEL_LABELS,
            PER_TOKEN_BOUNDS,
        )
        self._tokens = Histogram(
            "gen_ai_client_token_usage",
            "Tokens per exchange: input, output, and of these cached_input and reasoning.",
            (*MODEL_LABELS, "gen_ai_token_type"),
            TOKEN_BOUNDS,
        )
        self._requests = Counter(
            "turnout_requests_total",
            "Exchanges that ended, each counted once; error_code is empty where nothing failed.",
            ("route", "variant", "upstream", "dialect", "outcome", "error_code"),
        )
        self._assignments = AssignmentMetrics(names)
        self._overhead = Histogram(
            "turnout_overhead_seconds",
            "Time that turnout itself added: neither upstream's nor the client's.",
            ("route",),
            OVERHEAD_BOUNDS,
        )
        self._alerts = Counter(
            "turnout_alerts_total",
            "Alerts raised, before repeats are folded; of those over windows, that began to fire.",
            ("alert", "route", "variant"),
        )
        self._apart = apart(names)
        self._shadows = ShadowMetrics(names, DURATION_BOUNDS, FIRST_TOKEN_BOUNDS)
        self.families: tuple[Counter | Histogram | Reading, ...] = (
            self._durations,
            self._ttft,
            self._per_token,
            self._tokens,
            self._requests,
            *self._assignments.families,
            self._overhead,
            self._alerts,
            *(family for each in self._apart for family in each.families),
            *self._shadows.families,
            *readings,
        )

    def take(self, observations: Iterable[Observation]) -> None:
        """Count what ended."""
        groups: dict[Kind, list[Observation]] = defaultdict(list)
        for seen in observations:
            if seen.shadow_of is None:
                groups[kind_of(seen)].append(seen)
            else:
                self._shadows.count(seen)
        for kind, alike in groups.items():
            self._count(kind, alike)
            for each in self._apart:
                each.count(alike)

    def alert(self, alert: Alert) -> None:
        """Count an alert."""
        self._raised(alert.name, alert.route, alert.variant)

    def fired(self, notice: Notice) -> None:
        """Count an alert over a window that has begun to fire; of a route it has no variant."""
        self._raised(notice.name, notice.route, notice.variant)

    def collect(self) -> Iterator[Metric]:
        """Yield every family as it stands (the client library's port)."""
        for family in self.families:
            yield family.read()

    def render(self) -> tuple[bytes, str]:
        """Return Prometheus' text format and its content type; any thread may call it."""
        return generate_latest(self.registry()), CONTENT_TYPE_PLAIN_0_0_4

    def registry(self) -> CollectorRegistry:
        """Return a registry that holds these metrics and nothing else."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return registry

    def _raised(self, name: str, route: str | None, variant: str | None) -> None:
        known = self._names.route(route)
        self._alerts.at(name, known, self._names.variant(known, variant)).value += 1

    def _count(self, kind: Kind, alike: Sequence[Observation]) -> None:
        """Count exchanges of one kind."""
        series = self._series.get(kind) or self._begin(kind, alike[0])
        for count in series.counts:
            count.value += len(alike)
        series.overhead.observe(seen.overhead_ms / 1000 for seen in alike)
        asked = [seen for seen in alike if seen.attempts]
        if series.duration is not None:
            series.duration.observe(seen.latency_ms / 1000 for seen in asked)
        if series.ttft is not None:
            series.ttft.observe(s.ttft_ms / 1000 for s in asked if s.ttft_ms is not None)
        if series.per_token is not None:
            series.per_token.observe(s.tpot_ms / 1000 for s in asked if s.tpot_ms is not None)
        usages = [astuple(seen.usage) for seen in asked if seen.tokens_source != "none"]
        for spread, tokens in zip(series.tokens, zip(*usages, strict=True), strict=False):
            spread.observe(count for count in tokens if count is not None)

    def _begin(self, kind: Kind, seen: Observation) -> Series:
        """Return the series of a kind; it is kept where all its names are configured ones."""
        names = self._names
        route, upstream = names.route(seen.route), names.upstream(seen.upstream)
        variant = names.variant(route, seen.variant_served or seen.variant_assigned)
        dialect = seen.dialect if seen.dialect in OPERATIONS else OTHER
        requests = self._requests.at(
            route, variant, upstream, dialect, seen.outcome, seen.error_code or ""
        )
        counts = requests, *self._assignments.cells(seen)
        series = Series(counts, self._overhead.at(route))
        if dialect != OTHER:
            model = names.model(route, variant)
            self._describe(series, (OPERATIONS[dialect], upstream, model, route, variant), seen)
        if names.know(seen):
            self._series[kind] = series
        return series

    def _describe(self, series: Series, model: Labels, seen: Observation) -> None:
        """Give a series the cells of a model, `model` being values of MODEL_LABELS."""
        series.tokens = [self._tokens.at(*model, kind) for kind in TOKEN_TYPES]
        if seen.outcome is not Outcome.CLIENT_GONE:
            series.duration = self._durations.at(*model, seen.error_code or "")
        if seen.outcome is Outcome.COMPLETED:
            series.ttft = self._ttft.at(*model)
            series.per_token = self._per_token.at(*model)


def apart(names: Names) -> tuple[QualityMetrics, CostMetrics]:
    """Return what is counted of clients' exchanges beside their own figures."""
    quality = QualityMetrics(names, "turnout_", "clients' replies")
    return quality, CostMetrics(names, "turnout_", "clients' requests")
