"""Assignments: which variant exchanges were to have, how it was chosen, who stood in for it.

And the split that they are to follow, as it is in force at the scrape.
"""

from collections.abc import Callable, Iterator

from proxy.exchange.observation import Observation
from proxy.routing.decision import Prepared
from proxy.routing.table import RoutingTable
from proxy.sinks.metrics.cells import Count, Counter, Labels, Reading
from proxy.sinks.metrics.names import Names


class AssignmentMetrics:
    """The metrics of decisions; moved through `cells`."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._assignments = Counter(
            "turnout_assignments_total",
            "Exchanges by the variant they were to have, and how it was chosen: split (by their"
            " unit, or by chance on a route that is sticky by request), no_unit (by chance: the"
            " route is sticky and they had no unit), pinned, forced.",
            ("route", "variant", "how"),
        )
        self._fallbacks = Counter(
            "turnout_fallbacks_total",
            "Exchanges for which `served` was asked, at last, in place of the `variant` assigned.",
            ("route", "variant", "served"),
        )
        self.families = (self._assignments, self._fallbacks)

    def cells(self, seen: Observation) -> list[Count]:
        """Return what counts an exchange like `seen`; nothing where there was no decision."""
        if seen.route is None or seen.variant_assigned is None:
            return []
        route = self._names.route(seen.route)
        assigned = self._names.variant(route, seen.variant_assigned)
        cells = [self._assignments.at(route, assigned, chosen(seen))]
        if seen.variant_served is not None and seen.variant_served != seen.variant_assigned:
            served = self._names.variant(route, seen.variant_served)
            cells.append(self._fallbacks.at(route, assigned, served))
        return cells


def chosen(seen: Observation) -> str:
    """Return how an exchange came by its variant, in one word."""
    if seen.forced:
        return "forced"
    if seen.pinned:
        return "pinned"
    return "no_unit" if seen.unit_missing else "split"


def split_readings(table: Callable[[], RoutingTable]) -> list[Reading]:
    """Return what is said of the split of each route in the table that `table` returns."""
    return [
        Reading(
            "turnout_split_share",
            "The share of a route's requests that a variant is to get by the split in force, from"
            " 0 to 1; of what is off, 0. Role: baseline (the route's first variant) or candidate.",
            ("route", "variant", "role"),
            lambda: list(_split(table())),
        )
    ]


def _split(table: RoutingTable) -> Iterator[tuple[Labels, float]]:
    for route in table.routes.values():
        total, serving = sum(route.weights), Prepared(route).serving
        for place, variant in enumerate(route.variants):
            weight = sum(
                w for w, who in zip(route.weights, serving, strict=True) if who is variant
            )
            role = "candidate" if place else "baseline"
            yield (route.name, variant.name, role), weight / total
