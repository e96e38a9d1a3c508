"""Metrics: what Prometheus is told of the exchanges.

Names, labels, units and buckets of `gen_ai_*` are OpenTelemetry's GenAI conventions in
Prometheus form, as Envoy AI Gateway writes them; the rest is `turnout_*`. This sink knows
Observations and alerts only; the fleet's state comes as readings, asked for at the scrape.
Label values are bounded (`names`). One thread writes.
"""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from proxy.alerting import Alert
from proxy.exchange.observation import Observation
from proxy.exchange.outcome import ErrorCode, Outcome
from proxy.sinks.metrics.assignments import AssignmentMetrics
from proxy.sinks.metrics.cells import Count, Counter, Histogram, Reading, Spread
from proxy.sinks.metrics.names import OPERATIONS, OTHER, Names
from proxy.sinks.metrics.shadows import ShadowMetrics

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

Key = tuple[str, str | None, str | None, str | None]  # dialect, upstream, route, variant


class Series:
    """The cells of one variant on one upstream, so that an exchange looks them up once."""

    __slots__ = ("durations", "model", "overhead", "per_token", "requests", "tokens", "ttft")

    def __init__(self, model: tuple[str, ...] | None, overhead: Spread) -> None:
        self.model = model  # values of MODEL_LABELS; None: no model was spoken to
        self.overhead = overhead
        self.requests: dict[tuple[Outcome, ErrorCode | None], Count] = {}
        self.durations: dict[ErrorCode | None, Spread] = {}
        self.tokens: dict[str, Spread] = {}
        self.ttft: Spread | None = None
        self.per_token: Spread | None = None


class Metrics(Collector):
    """All metrics: moved by `take` and `alert`, shown by `collect`."""

    def __init__(self, names: Names, readings: Sequence[Reading]) -> None:
        self._names = names
        self._series: dict[Key, Series] = {}
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
            "Alerts raised, before repeats are folded.",
            ("alert", "route", "variant"),
        )
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
            *self._shadows.families,
            *readings,
        )

    def take(self, observations: Iterable[Observation]) -> None:
        """Count what ended."""
        for observation in observations:
            if observation.shadow_of is None:
                self._count(observation)
            else:
                self._shadows.count(observation)

    def alert(self, alert: Alert) -> None:
        """Count an alert."""
        route = self._names.route(alert.route)
        variant = self._names.variant(route, alert.variant)
        self._alerts.at(alert.name, route, variant).value += 1

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

    def _count(self, seen: Observation) -> None:
        variant = seen.variant_served or seen.variant_assigned
        key = (seen.dialect, seen.upstream, seen.route, variant)
        series = self._series.get(key) or self._begin(key)
        outcome, code = seen.outcome, seen.error_code
        count = series.requests.get((outcome, code)) or self._begin_count(series, key, seen)
        count.value += 1
        series.overhead.observe(seen.overhead_ms / 1000)
        self._assignments.count(seen)
        if series.model is not None and seen.attempts:
            self._time(series, series.model, seen)
            if seen.tokens_source != "none":
                self._weigh(series, series.model, seen)

    def _time(self, series: Series, model: tuple[str, ...], seen: Observation) -> None:
        if seen.outcome is Outcome.CLIENT_GONE:
            return
        spread = series.durations.get(seen.error_code)
        if spread is None:
            spread = self._durations.at(*model, seen.error_code or "")
            series.durations[seen.error_code] = spread
        spread.observe(seen.latency_ms / 1000)
        if seen.ttft_ms is None or seen.outcome is not Outcome.COMPLETED:
            return
        if series.ttft is None:
            series.ttft = self._ttft.at(*model)
        series.ttft.observe(seen.ttft_ms / 1000)
        if seen.tpot_ms is not None:
            if series.per_token is None:
                series.per_token = self._per_token.at(*model)
            series.per_token.observe(seen.tpot_ms / 1000)

    def _weigh(self, series: Series, model: tuple[str, ...], seen: Observation) -> None:
        usage = seen.usage
        for kind, tokens in (
            ("input", usage.prompt_tokens),
            ("output", usage.response_tokens),
            ("cached_input", usage.cached_tokens),
            ("reasoning", usage.reasoning_tokens),
        ):
            if tokens is None:
                continue
            spread = series.tokens.get(kind)
            if spread is None:
                spread = series.tokens[kind] = self._tokens.at(*model, kind)
            spread.observe(tokens)

    def _begin(self, key: Key) -> Series:
        """Return the series for `key`, or for what its unknown names are bounded to."""
        bounded = self._bounded(key)
        series = self._series.get(bounded)
        if series is None:
            dialect, upstream, route, variant = bounded
            operation = OPERATIONS.get(dialect)
            model = self._names.model(route, variant)
            labels = (operation, upstream, model, route, variant) if operation else None
            series = Series(labels, self._overhead.at(route))
            self._series[bounded] = series
        return series

    def _begin_count(self, series: Series, key: Key, seen: Observation) -> Count:
        dialect, upstream, route, variant = self._bounded(key)
        code = seen.error_code
        count = self._requests.at(route, variant, upstream, dialect, seen.outcome, code or "")
        series.requests[seen.outcome, code] = count
        return count

    def _bounded(self, key: Key) -> tuple[str, str, str, str]:
        names = self._names
        route = names.route(key[2])
        variant = names.variant(route, key[3])
        dialect = key[0] if key[0] in OPERATIONS else OTHER
        return dialect, names.upstream(key[1]), route, variant
