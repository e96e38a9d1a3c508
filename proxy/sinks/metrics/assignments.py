"""Assignments: which variant exchanges were to have, how it was chosen, who stood in for it."""

from proxy.exchange.observation import Observation
from proxy.sinks.metrics.cells import Counter
from proxy.sinks.metrics.names import Names


class AssignmentMetrics:
    """The metrics of decisions; moved by `count`."""

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

    def count(self, seen: Observation) -> None:
        """Count an exchange for which there was a decision."""
        if seen.route is None or seen.variant_assigned is None:
            return
        how = chosen(seen)
        count = self._assignments.cells.get((seen.route, seen.variant_assigned, how))
        if count is None:
            count = self._assignments.at(*self._assigned(seen), how)
        count.value += 1
        if seen.variant_served != seen.variant_assigned and seen.variant_served is not None:
            route, assigned = self._assigned(seen)
            served = self._names.variant(route, seen.variant_served)
            self._fallbacks.at(route, assigned, served).value += 1

    def _assigned(self, seen: Observation) -> tuple[str, str]:
        route = self._names.route(seen.route)
        return route, self._names.variant(route, seen.variant_assigned)


def chosen(seen: Observation) -> str:
    """Return how an exchange came by its variant, in one word."""
    if seen.forced:
        return "forced"
    if seen.pinned:
        return "pinned"
    return "no_unit" if seen.unit_missing else "split"
