"""Costs: what Prometheus is told of money. Clients' requests and shadows are told apart."""

from proxy.exchange.observation import Observation
from proxy.pricing import owed
from proxy.sinks.metrics.cells import Counter
from proxy.sinks.metrics.names import Names

LABELS = ("route", "variant")


class CostMetrics:
    """The metrics of costs; `count` moves them. `prefix` and `whose` tell whose costs."""

    def __init__(self, names: Names, prefix: str, whose: str) -> None:
        self._names = names
        self._costs = Counter(
            f"{prefix}cost_usd_total",
            f"US dollars that {whose} cost, as far as their prices and tokens are known.",
            LABELS,
        )
        self._unpriced = Counter(
            f"{prefix}unpriced_requests_total",
            f"Of {whose}, those that a model was asked for and whose cost is unknown.",
            LABELS,
        )
        self.families = (self._costs, self._unpriced)

    def count(self, seen: Observation) -> None:
        """Count what an exchange cost; both counters of its variant are there from then on."""
        if not owed(seen):
            return
        route = self._names.route(seen.route)
        labels = route, self._names.variant(route, seen.variant_served)
        cost, unpriced = self._costs.at(*labels), self._unpriced.at(*labels)
        if seen.cost_usd is None:
            unpriced.value += 1
        else:
            cost.value += seen.cost_usd
