"""Assignments: which variant exchanges were to have, how it was chosen, who stood in for it."""

from proxy.exchange.observation import Observation
from proxy.sinks.metrics.cells import Count, Counter
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
