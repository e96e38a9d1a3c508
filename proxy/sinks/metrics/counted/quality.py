"""Quality: what Prometheus is told of the signals in replies, and of their forms.

Clients' replies and shadows are told apart, by two of these.
"""

from proxy.exchange.observation import Observation
from proxy.sinks.metrics.cells import Counter
from proxy.sinks.metrics.names import Names

LABELS = ("route", "variant")


class QualityMetrics:
    """The metrics of replies; `count` moves them. `prefix` and `whose` tell whose replies."""

    def __init__(self, names: Names, prefix: str, whose: str) -> None:
        self._names = names
        self._signals = Counter(
            f"{prefix}quality_signals_total",
            f"Signals in {whose}: what may be wrong with a reply, by name.",
            (*LABELS, "signal"),
        )
        self._checks = Counter(
            f"{prefix}format_checks_total",
            f"Looks at the form of {whose} where one was asked for: kept, broken, or unchecked.",
            (*LABELS, "result"),
        )
        self.families = (self._signals, self._checks)

    def count(self, seen: Observation) -> None:
        """Count what a reply shows, mostly nothing."""
        if not seen.signals and seen.format_check is None:
            return
        route = self._names.route(seen.route)
        labels = route, self._names.variant(route, seen.variant_served or seen.variant_assigned)
        for signal in seen.signals:
            self._signals.at(*labels, signal).value += 1
        if seen.format_check is not None:
            self._checks.at(*labels, seen.format_check).value += 1
