"""Watches: what one rule sees of one route, variant or pair of variants, and what that comes to.

A reading says whether a rule is broken so that it may begin to fire (`over`), and whether what
fires goes on (`still`): the two differ, so that an alert neither begins on few requests nor ends
because there are few.
"""

from typing import Protocol

from msgspec import Struct

from proxy.alerting.windows.figures import sureness
from proxy.alerting.windows.figures.sliding import Sliding
from proxy.alerting.windows.figures.sums import Sketch, Total
from proxy.alerting.windows.rules import AMOUNTS, Rule

Window = Sliding[Total] | Sliding[Sketch]


class Reading(Struct, frozen=True, kw_only=True):
    """What a rule's figure is; `value` of None: nothing is known of it."""

    value: float | None = None
    count: int = 0  # requests that it is of
    over: bool = False
    still: bool = False


class Watch(Protocol):
    """One rule on one thing."""

    rule: Rule

    def read(self, now: float, *, standing: bool) -> Reading:
        """Return what the figure is now; of what is `standing`, also of few requests."""
        ...

    def examples(self) -> list[str]:
        """Return the ids of a few telling requests."""
        ...


NOTHING = Reading()


class FigureWatch:
    """A share, a time or an amount that is not to be above the rule's threshold."""

    def __init__(self, rule: Rule, window: Window) -> None:
        self.rule = rule
        self._window = window

    def read(self, now: float, *, standing: bool) -> Reading:
        """Return what the figure is now; quick where there are too few."""
        found = self._window.sum(now)
        enough = found.n >= self.rule.min_requests
        if not found.n or not (enough or standing):
            return NOTHING
        value = figure(self.rule, found)
        above = value > self.rule.threshold
        return Reading(value=value, count=found.n, over=above and enough, still=above)

    def examples(self) -> list[str]:
        """Return the ids of a few telling requests."""
        return self._window.examples()


class Arrivals:
    """When requests came."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._window = Sliding(seconds, Total)
        self.last: float | None = None  # None: none came yet
        self.busy = 0  # that came within `seconds` when the last one did

    def came(self, count: int, now: float) -> None:
        """Take it that so many requests came."""
        self._window.add([1.0] * count, now)
        self.last, self.busy = now, self._window.sum(now).n

    def resume(self, last: float, busy: int) -> None:
        """Take it that the last one came then, and so many with it."""
        self.last, self.busy = last, busy


class LullWatch:
    """A route on which requests are to come, since they did before."""

    def __init__(self, rule: Rule, arrivals: Arrivals) -> None:
        self.rule = rule
        self._arrivals = arrivals

    def read(self, now: float, *, standing: bool) -> Reading:  # noqa: ARG002  # a watch's signature
        """Return for how long nothing has come, where enough had."""
        if self._arrivals.last is None:
            return NOTHING
        since, busy = now - self._arrivals.last, self._arrivals.busy
        over = since >= self.rule.window_seconds and busy >= self.rule.min_requests
        return Reading(value=since, count=busy, over=over, still=over)

    def examples(self) -> list[str]:
        """Return nothing: what does not come has no examples."""
        return []


class PairWatch:
    """A candidate's figure that is not to be so many times worse than its baseline's."""

    def __init__(self, rule: Rule, baseline: Window, candidate: Window) -> None:
        self.rule = rule
        self._baseline = baseline
        self._candidate = candidate

    def read(self, now: float, *, standing: bool) -> Reading:
        """Return how many times worse the candidate surely is; it goes on while it seems to be."""
        base, other = self._baseline.sum(now), self._candidate.sum(now)
        enough = min(base.n, other.n) >= self.rule.min_requests
        if not (base.n and other.n) or not (enough or standing):
            return NOTHING
        baseline, candidate = sureness.limits(base), sureness.limits(other)
        value = sureness.times_worse(baseline, candidate)
        seems = candidate.value > self.rule.threshold * baseline.value
        over = enough and value > self.rule.threshold
        return Reading(value=value, count=other.n, over=over, still=over or seems)

    def examples(self) -> list[str]:
        """Return the ids of a few telling requests of the candidate."""
        return self._candidate.examples()


def figure(rule: Rule, found: Total | Sketch) -> float:
    """Return a rule's figure of what a window holds, in the rule's unit."""
    if isinstance(found, Sketch):
        return found.quantile(sureness.SHARE)
    if rule.name in AMOUNTS:
        return found.total * AMOUNTS[rule.name] / rule.window_seconds
    return 100.0 * found.total / found.n
