"""Costs: what Prometheus is told of money. Clients' requests and shadows are told apart."""

from collections.abc import Callable, Sequence

from proxy.exchange.observation import Observation
from proxy.pricing import Standing, owed
from proxy.sinks.metrics.cells import Counter, Labels, Reading
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

    def count(self, alike: Sequence[Observation]) -> None:
        """Count what exchanges of one variant cost; both its counters are there from then on."""
        owing = [seen.cost_usd for seen in alike if owed(seen)]
        if not owing:
            return
        route = self._names.route(alike[0].route)
        labels = route, self._names.variant(route, alike[0].variant_served)
        costs = [cost for cost in owing if cost is not None]
        self._costs.at(*labels).value += sum(costs)
        self._unpriced.at(*labels).value += len(owing) - len(costs)


def budget_readings(standings: Callable[[], Sequence[Standing]]) -> list[Reading]:
    """Return what is said of the budgets that `standings` returns."""

    def each(value: Callable[[Standing], float]) -> Callable[[], Sequence[tuple[Labels, float]]]:
        return lambda: [
            ((one.budget.scope, one.budget.name), float(value(one))) for one in standings()
        ]

    return [
        Reading(
            "turnout_budget_used_ratio",
            "What is spent of a budget in the running day or month, as a share of it: 1 is all.",
            ("scope", "name"),
            each(lambda one: one.used),
        ),
        Reading(
            "turnout_budget_stopped",
            "1: requests are refused because this budget is spent.",
            ("scope", "name"),
            each(lambda one: one.stopped),
        ),
    ]
