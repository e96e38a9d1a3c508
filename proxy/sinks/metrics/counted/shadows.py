"""Shadows: what Prometheus is told of requests that no client made.

They stand apart from everything that counts clients' exchanges: in none of those metrics is a
shadow. What ended is counted from observations; what was to be and what was dropped, workers
count, and the fleet tells at the scrape.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from proxy.exchange.observation import Observation
from proxy.exchange.outcome import Outcome
from proxy.sinks.metrics.cells import Counter, Histogram, Labels, Reading
from proxy.sinks.metrics.counted.costs import CostMetrics
from proxy.sinks.metrics.counted.quality import QualityMetrics
from proxy.sinks.metrics.names import Names

LABELS = ("route", "variant")


class Shadow(Protocol):
    """The shadows of one route to one variant; counters never go down."""

    @property
    def route(self) -> str:
        """The route's name."""
        ...

    @property
    def variant(self) -> str:
        """The variant that its requests are sent to as well."""
        ...

    @property
    def expected(self) -> float:
        """How many there were to be by the route's percentage."""
        ...

    @property
    def sent(self) -> int:
        """How many were sent, or tried to be."""
        ...

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many gave way, by reason."""
        ...


class ShadowMetrics:
    """The metrics of shadows that ended; moved by `count`."""

    def __init__(
        self, names: Names, duration_bounds: Sequence[float], ttft_bounds: Sequence[float]
    ) -> None:
        self._names = names
        self._requests = Counter(
            "turnout_shadow_requests_total",
            "Shadows that ended, each counted once; error_code is empty where nothing failed.",
            (*LABELS, "outcome", "error_code"),
        )
        self._durations = Histogram(
            "turnout_shadow_duration_seconds",
            "Time from a shadow's sending to its reply's last byte, of those that completed.",
            LABELS,
            duration_bounds,
        )
        self._ttft = Histogram(
            "turnout_shadow_time_to_first_token_seconds",
            "Time from a shadow's sending to the first output of its stream, where it completed.",
            LABELS,
            ttft_bounds,
        )
        self._tokens = Counter(
            "turnout_shadow_tokens_total",
            "Tokens that shadows cost: input and output.",
            (*LABELS, "type"),
        )
        self._quality = QualityMetrics(names, "turnout_shadow_", "shadows' replies")
        self._costs = CostMetrics(names, "turnout_shadow_", "shadows")
        own = self._requests, self._durations, self._ttft, self._tokens
        self.families = (*own, *self._quality.families, *self._costs.families)

    def count(self, seen: Observation) -> None:
        """Count a shadow that ended."""
        self._quality.count([seen])
        self._costs.count([seen])
        route = self._names.route(seen.route)
        labels = route, self._names.variant(route, seen.variant_served)
        self._requests.at(*labels, seen.outcome, seen.error_code or "").value += 1
        usage = seen.usage
        for kind, tokens in (("input", usage.prompt_tokens), ("output", usage.response_tokens)):
            if tokens is not None:
                self._tokens.at(*labels, kind).value += tokens
        if seen.outcome is not Outcome.COMPLETED:
            return
        self._durations.at(*labels).observe([seen.latency_ms / 1000])
        if seen.ttft_ms is not None:
            self._ttft.at(*labels).observe([seen.ttft_ms / 1000])


def shadow_readings(shadows: Callable[[], Sequence[Shadow]]) -> list[Reading]:
    """Return the metrics that `shadows` answers."""

    def each(value: Callable[[Shadow], float]) -> Callable[[], Sequence[tuple[Labels, float]]]:
        return lambda: [((one.route, one.variant), value(one)) for one in shadows()]

    return [
        Reading(
            "turnout_shadow_expected_total",
            "Shadows that were to be by the route's percentage; sent and dropped add up to about"
            " as many.",
            LABELS,
            each(lambda one: one.expected),
        ),
        Reading(
            "turnout_shadow_sent_total",
            "Shadows that were sent, or tried to be.",
            LABELS,
            each(lambda one: one.sent),
        ),
        Reading(
            "turnout_shadow_dropped_total",
            "Shadows that were due and gave way: draining, side_effects, concurrency,"
            " upstream_ejected, upstream_busy.",
            (*LABELS, "reason"),
            lambda: [
                ((one.route, one.variant, reason), count)
                for one in shadows()
                for reason, count in one.dropped.items()
            ],
        ),
    ]
