"""The layout: every rule on all that is routed, and the windows that feed it.

What there is to watch is bounded by the configuration. A variant that is off is not there, and a
baseline that is has no candidates.
"""

from collections.abc import Mapping
from typing import Literal

from proxy.alerting.windows.figures.sliding import Sliding
from proxy.alerting.windows.figures.sums import Sketch, Total
from proxy.alerting.windows.rules import (
    AMOUNTS,
    COMPARED,
    TIMES,
    Rule,
    Rules,
    WindowAlert,
)
from proxy.alerting.windows.states import Key
from proxy.alerting.windows.watches import (
    Arrivals,
    FigureWatch,
    LullWatch,
    PairWatch,
    Watch,
    Window,
)
from proxy.routing.table import Route, RoutingTable

Whose = Literal[
    "route", "variant", "dealt"
]  # all of a route's, a variant's, or what the split dealt
Place = tuple[str | None, str | None, Whose]
Feed = dict[WindowAlert, dict[float, Window]]  # by figure and length


class Layout:
    """All watches, by what tells their alerts apart; and the windows behind them, by place."""

    def __init__(self) -> None:
        self.watches: dict[Key, Watch] = {}
        self.feeds: dict[Place, Feed] = {}
        self.arrivals: dict[str | None, Arrivals] = {}

    def after(self, table: RoutingTable, default: Rules, routes: Mapping[str, Rules]) -> "Layout":
        """Return the layout of `table`; windows that both have go on as they are."""
        new = _Drawing(self)
        for route in table.routes.values():
            for rule in routes.get(route.name, default):
                new.draw(rule, route.name, serving(route), candidates(route))
        if table.default_upstream is not None:
            for rule in default:
                new.draw(rule, None, [None], [])
        return new.layout


class _Drawing:
    def __init__(self, before: Layout) -> None:
        self._before = before
        self.layout = Layout()

    def draw(
        self, rule: Rule, route: str | None, serving: list[str | None], others: list[str]
    ) -> None:
        """Put in what one rule watches on one route."""
        match rule.name:
            case WindowAlert.WORSE_THAN_BASELINE:
                for other in others:
                    self._pairs(rule, route, serving[0], other)
            case WindowAlert.NO_TRAFFIC:
                self._lull(rule, route)
            case name if name in AMOUNTS:
                self._figure(rule, route, None)
            case _:
                for variant in serving:
                    self._figure(rule, route, variant)

    def _pairs(self, rule: Rule, route: str | None, baseline: str | None, other: str) -> None:
        for figure, about in COMPARED.items():
            sides = [
                self._window((route, each, "dealt"), figure, rule.window_seconds)
                for each in (baseline, other)
            ]
            self.layout.watches[Key(rule.name, route, other, about)] = PairWatch(rule, *sides)

    def _lull(self, rule: Rule, route: str | None) -> None:
        arrivals = self._before.arrivals.get(route)
        if arrivals is None or arrivals.seconds != rule.window_seconds:
            arrivals = Arrivals(rule.window_seconds)
        self.layout.arrivals[route] = arrivals
        self.layout.watches[Key(rule.name, route, None)] = LullWatch(rule, arrivals)

    def _figure(self, rule: Rule, route: str | None, variant: str | None) -> None:
        whose: Whose = "route" if rule.name in AMOUNTS else "variant"
        window = self._window((route, variant, whose), rule.name, rule.window_seconds)
        self.layout.watches[Key(rule.name, route, variant)] = FigureWatch(rule, window)

    def _window(self, place: Place, name: WindowAlert, seconds: float) -> Window:
        """Return the window of a figure: the one that is there, or an empty one."""
        windows = self.layout.feeds.setdefault(place, {}).setdefault(name, {})
        if seconds not in windows:
            old = self._before.feeds.get(place, {}).get(name, {}).get(seconds)
            windows[seconds] = old or empty(name, seconds)
        return windows[seconds]


def serving(route: Route) -> list[str | None]:
    """Return the variants that are on, in the route's order."""
    return [each.name for each in route.variants if each.name not in route.off]


def candidates(route: Route) -> list[str]:
    """Return the variants to compare with the baseline, which is the route's first."""
    first, *others = (each.name for each in route.variants)
    return [] if first in route.off else [name for name in others if name not in route.off]


def empty(name: WindowAlert, seconds: float) -> Window:
    """Return an empty window of a figure."""
    return Sliding(seconds, Sketch) if name in TIMES else Sliding(seconds, Total)
