"""Windows: finished exchanges in, alerts that fire or are resolved out.

The caller passes the time in: seconds on a clock that never goes back, and for whoever is told
seconds since the epoch. It knows nobody to tell.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Final

from msgspec.structs import replace

from proxy.alerting.windows.figures.facts import SAYS, by_split, failed_over, served_by
from proxy.alerting.windows.layout import Feed, Layout, Place, Whose
from proxy.alerting.windows.rules import DEFAULTS, SHARES, Rules, WindowAlert
from proxy.alerting.windows.states import Key, Now, Phase, Standing, over, resumed, step
from proxy.alerting.windows.watches import Watch
from proxy.exchange.observation import Observation
from proxy.routing.table import RoutingTable

# What the places of an exchange depend on, besides whether it is a shadow.
_placed = attrgetter("route", "variant_assigned", "variant_served", "forced", "pinned")
NO_FEED: Final[Feed] = {}
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
        for each in firing:
            self._standing[each.key] = resumed(each, now)
            if each.key.name is WindowAlert.NO_TRAFFIC and each.key.route in self._layout.arrivals:
                silent = (each.value or 0.0) + now.at - each.seen_at
                self._layout.arrivals[each.key.route].resume(now.clock - silent, each.count)

    def take(self, batch: Iterable[Observation], now: float) -> None:
        """Take exchanges that ended now; what is of nothing that is watched is left out."""
        groups: dict[tuple[object, ...], list[Observation]] = defaultdict(list)
        for seen in batch:
            groups[seen.shadow_of is None, *_placed(seen)].append(seen)
        for alike in groups.values():
            self._take(alike, now)

    def _take(self, alike: list[Observation], now: float) -> None:
        """Take exchanges that are of the same places.

        Shadows say nothing of what clients got, but use tokens and cost money like others.
        """
        seen = alike[0]
        self._put((seen.route, None, "route"), alike, now)
        if seen.shadow_of is not None:
            return
        if seen.route in self._layout.arrivals:
            self._layout.arrivals[seen.route].came(len(alike), now)
        kinds: tuple[Whose, ...] = ("variant", "dealt") if by_split(seen) else ("variant",)
        for whose in kinds:
            self._put((seen.route, served_by(seen), whose), alike, now)
            if failed_over(seen):
                self._failed((seen.route, seen.variant_assigned, whose), alike, now)

    def look(self, now: Now) -> list[Standing]:
        """Return the alerts that have begun to fire, or were resolved, since the last look."""
        gone = [key for key in self._standing if key not in self._layout.watches]
        left = [self._standing.pop(key) for key in gone]
        # Of what nobody watches any more, the last figure says nothing.
        changed = [over(replace(each, value=None, count=0), now) for each in left if each.firing]
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

    def _put(self, place: Place, alike: list[Observation], now: float) -> None:
        """Add what exchanges say to all windows at a place."""
        for name, windows in self._layout.feeds.get(place, NO_FEED).items():
            says = SAYS[name]
            said = [(v, seen.request_id) for seen in alike if (v := says(seen)) is not None]
            if not said:
                continue
            values = [value for value, _ in said]
            latest = name in SHARES  # of things that happened; else the largest are shown
            shown = [(now + 1 if latest else value, whose) for value, whose in said if value]
            for window in windows.values():
                window.add(values, now, shown)

    def _failed(self, place: Place, alike: list[Observation], now: float) -> None:
        """Add a failure at a place for each, whatever came of the exchange elsewhere."""
        feed = self._layout.feeds.get(place, NO_FEED)
        for window in feed.get(WindowAlert.ERROR_RATE, {}).values():
            window.add([1.0] * len(alike), now, [(now + 1, seen.request_id) for seen in alike])
