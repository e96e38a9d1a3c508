"""Windows: finished exchanges in, alerts that fire or are resolved out.

The caller passes the time in: seconds on a clock that never goes back, and for whoever is told
seconds since the epoch. It knows nobody to tell.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from proxy.alerting.windows.figures.facts import (
    FAILURE,
    Fact,
    by_split,
    failed_over,
    of_route,
    of_variant,
    served_by,
)
from proxy.alerting.windows.layout import Layout, Place
from proxy.alerting.windows.rules import DEFAULTS, SHARES, Rules
from proxy.alerting.windows.states import Key, Now, Phase, Standing, over, resumed, step
from proxy.alerting.windows.watches import Watch
from proxy.exchange.observation import Observation
from proxy.routing.table import RoutingTable

NO_ROUTES: Final[Mapping[str, Rules]] = {}


class Windows:
    """The rules in force on the routing in force, and how their alerts stand."""

    def __init__(self) -> None:
        self._layout = Layout()
        self._standing: dict[Key, Standing] = {}

    @property
    def standing(self) -> list[Standing]:
        """All alerts that are pending or fire."""
        return list(self._standing.values())

    def adopt(
        self,
        table: RoutingTable,
        default: Rules = DEFAULTS,
        routes: Mapping[str, Rules] = NO_ROUTES,
    ) -> None:
        """Watch `table` by these rules from now on: by a route's own, or else the `default`."""
        self._layout = self._layout.after(table, default, routes)

    def resume(self, firing: Iterable[Standing], now: Now) -> None:
        """Take up alerts that fired when others watched, before anything was seen here."""
        self._standing |= {each.key: resumed(each, now) for each in firing}

    def take(self, seen: Observation, now: float) -> None:
        """Take an exchange that ended now; what is of nothing that is watched is left out."""
        self._put((seen.route, None, False), of_route(seen), seen, now)
        if seen.shadow_of is not None:
            return
        if seen.route in self._layout.arrivals:
            self._layout.arrivals[seen.route].came(now)
        self._by_variant(served_by(seen), tuple(of_variant(seen)), seen, now)
        if failed_over(seen):
            self._by_variant(seen.variant_assigned, (FAILURE,), seen, now)

    def look(self, now: Now) -> list[Standing]:
        """Return the alerts that have begun to fire, or were resolved, since the last look."""
        gone = [key for key in self._standing if key not in self._layout.watches]
        left = [self._standing.pop(key) for key in gone]
        changed = [over(each, now) for each in left if each.firing]
        for key, watch in self._layout.watches.items():
            changed += self._looked(key, watch, now)
        return changed

    def _looked(self, key: Key, watch: Watch, now: Now) -> Iterable[Standing]:
        before = self._standing.pop(key, None)
        firing = before is not None and before.firing
        after = step(before, key, watch.rule, watch.read(now.clock, standing=firing), now)
        if after is None:
            return
        if after.firing:
            after = after.with_examples(watch.examples())
        if after.phase is not Phase.RESOLVED:
            self._standing[key] = after
        if after.phase is Phase.RESOLVED or (after.firing and not firing):
            yield after

    def _by_variant(
        self, variant: str | None, facts: Iterable[Fact], seen: Observation, now: float
    ) -> None:
        self._put((seen.route, variant, False), facts, seen, now)
        if by_split(seen):
            self._put((seen.route, variant, True), facts, seen, now)

    def _put(self, place: Place, facts: Iterable[Fact], seen: Observation, now: float) -> None:
        feed = self._layout.feeds.get(place)
        if feed is None:
            return
        for name, value in facts:
            for window in feed.get(name, {}).values():
                telling = now if name in SHARES else value
                window.add(value, now, (telling, seen.request_id) if value else None)
