"""Quality: what Prometheus is told of the signals in replies, of their forms and their lengths.

Clients' replies and shadows are told apart, by two of these.
"""

from collections.abc import Sequence

from proxy.exchange.observation import Observation
from proxy.exchange.outcome import Outcome
from proxy.quality import ALL
from proxy.sinks.metrics.cells import Counter, Histogram, Spread
from proxy.sinks.metrics.names import Names

LABELS = ("route", "variant")
CHARS_BOUNDS = (0, *(10, 25, 50), *(100 * 2**i for i in range(9)))  # empty to 25,600


class QualityMetrics:
    """The metrics of replies; `count` moves them. `prefix` and `whose` tell whose replies."""

    def __init__(self, names: Names, prefix: str, whose: str) -> None:
        self._names = names
        self._begun: dict[tuple[str, str], Spread] = {}
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
        self._chars = Histogram(
            f"{prefix}reply_chars",
            f"Characters in {whose}, of those that completed and are made of text.",
            LABELS,
            CHARS_BOUNDS,
        )
        self.families = (self._signals, self._checks, self._chars)

    def count(self, alike: Sequence[Observation]) -> None:
        """Count what replies of one variant show, mostly no signal."""
        first = alike[0]
        route = self._names.route(first.route)
        labels = route, self._names.variant(route, first.variant_served or first.variant_assigned)
        chars = self._begun.get(labels) or self._begin(labels)
        for seen in alike:
            for signal in seen.signals:
                self._signals.at(*labels, signal).value += 1
            if seen.format_check is not None:
                self._checks.at(*labels, seen.format_check).value += 1
        whole = [seen.reply_chars for seen in alike if seen.outcome is Outcome.COMPLETED]
        chars.observe(length for length in whole if length is not None)

    def _begin(self, labels: tuple[str, str]) -> Spread:
        """Begin every signal of a variant at zero, so that a rate sees its first one, too."""
        for signal in ALL:
            self._signals.at(*labels, signal)
        return self._begun.setdefault(labels, self._chars.at(*labels))
