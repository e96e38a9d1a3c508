"""Answering: which variants in which window, measured in a thread, compared, put into words."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import Query
from pydantic import AwareDatetime

from proxy.config.settings import Settings
from proxy.controlplane.admin.comparing.models import Comparison, Side
from proxy.controlplane.admin.comparing.notes import notes
from proxy.controlplane.admin.entrance.refusals import Refused
from proxy.controlplane.admin.models.forms import Name
from proxy.controlplane.admin.showing import Named
from proxy.controlplane.admin.views import moment
from proxy.experiments import Measured, compare, turns
from proxy.experiments.metrics import SIGNALS
from proxy.experiments.summaries import whole
from proxy.rollout import Version, contents_of
from proxy.rollout.shares import weights

DAY = 86_400.0  # seconds: how far back, unless it is said
PAGE = 100  # versions that are looked through at a time
MOST_VERSIONS = 1000
MOST_CANDIDATES = 8
OFF = "No requests are on record: the configuration says `store: off`."

Variant = Annotated[Name | None, Query()]
At = Annotated[AwareDatetime | None, Query(description="When a request began, with its zone.")]


class Compares(Protocol):
    """Where exchanges are on record; blocks."""

    def measure(
        self, route: str, variants: Sequence[str], since: float, until: float
    ) -> list[Measured]:
        """Return what there is of each variant."""
        ...


class Versions(Protocol):
    """Where versions are kept; called in threads."""

    def versions(self, limit: int = 50, before: int | None = None) -> Sequence[Version]:
        """Return the last versions, or the last ones before a number, newest first."""
        ...


class InForce(Protocol):
    """What is in force."""

    @property
    def current(self) -> Version:
        """The version in force."""
        ...

    @property
    def settings(self) -> Settings:
        """All settings in force."""
        ...


class Answering:
    """Answers what readers ask; `compares` of None: the store is off. `clock` is the epoch's."""

    def __init__(
        self,
        compares: Compares | None,
        versions: Versions,
        in_force: InForce,
        clock: Callable[[], float],
    ) -> None:
        self._compares = compares
        self._versions = versions
        self._in_force = in_force
        self._clock = clock

    async def compare(
        self,
        route: Named,
        *,
        since: At = None,
        until: At = None,
        baseline: Annotated[Variant, Query(description="Default: the first one.")] = None,
        candidate: Annotated[Variant, Query(description="Default: each other one.")] = None,
    ) -> Comparison:
        """Return a route's variants side by side, of the last 24 hours unless it is said.

        The window is made of whole quarters of an hour.
        """
        if self._compares is None:
            raise Refused(409, OFF)
        end = until.timestamp() if until else self._clock()
        begin = since.timestamp() if since else end - DAY
        if begin >= end:
            raise Refused(400, "`since` must be before `until`.")
        begin, end = whole(begin, end)
        part = self._part(route)
        names = chosen(part, baseline, candidate)
        found = await asyncio.to_thread(self._compare, self._compares, route, names, begin, end)
        known(part, [found.baseline, *(each.side for each in found.candidates)])
        return found

    def _compare(
        self, compares: Compares, route: str, names: Sequence[str], since: float, until: float
    ) -> Comparison:
        turned = turns(list(self._said(route, since, until)))
        sides = compares.measure(route, names, since, until)
        unread = self._unread(route)
        candidates = [
            {"side": _side(each), "rows": compare(sides[0], each, unread)} for each in sides[1:]
        ]
        said = {
            "route": route,
            "since": moment(since),
            "until": moment(min(until, self._clock())),
            "baseline": _side(sides[0]),
            "candidates": candidates,
            "notes": list(notes(turned, sides)),
        }
        return Comparison.model_validate(msgspec.to_builtins(said))

    def _part(self, route: str) -> dict[str, Any]:
        routes = contents_of(self._in_force.current).get("routes", {})
        if route not in routes:
            raise Refused(
                404, f"There is no such route; there are: {', '.join(routes) or 'none'}."
            )
        part: dict[str, Any] = routes[route]
        return part

    def _said(
        self, route: str, since: float, until: float
    ) -> list[tuple[int, float, dict[str, Any] | None]]:
        """Return what was said of a route in the window, and when it opened, the oldest first."""
        found: list[Version] = []
        for version in self._newest_first():
            if version.at < until:
                found.append(version)
            if version.at <= since:
                break
        return [
            (each.number, each.at, contents_of(each).get("routes", {}).get(route))
            for each in reversed(found)
        ]

    def _newest_first(self) -> Iterator[Version]:
        before: int | None = None
        for _ in range(0, MOST_VERSIONS, PAGE):
            page = self._versions.versions(PAGE, before)
            yield from page
            if len(page) < PAGE:
                return
            before = page[-1].number

    def _unread(self, route: str) -> set[str]:
        quality = self._in_force.settings.quality
        looks = quality.routes.get(route, quality.default)
        read = SIGNALS if looks.signals is None else looks.signals
        return {f"{signal}_rate" for signal in SIGNALS if signal not in read}


def chosen(part: dict[str, Any], baseline: str | None, candidate: str | None) -> list[str]:
    """Return the baseline and its candidates: the one named, or all that have a weight or are on.

    A variant that is named need not be in force any more: what it did may be on record.
    """
    there = list(part["variants"])
    first = baseline or there[0]
    if candidate is not None:
        if candidate == first:
            raise Refused(400, "A variant can't be compared with itself.")
        return [first, candidate]
    said = weights(part)
    others = [name for name in there if name != first and (said[name] or baseline)]
    others = others or [name for name in there if name != first]
    if not others:
        raise Refused(409, "The route has one variant only: there is nothing to compare it with.")
    return [first, *others[:MOST_CANDIDATES]]


def known(part: dict[str, Any], sides: Sequence[Side]) -> None:
    """Refuse a variant that the route has not, and that nothing is on record of."""
    for side in sides:
        if side.variant not in part["variants"] and not (side.requests or side.left_out):
            there = ", ".join(part["variants"])
            said = f"Nothing of a variant '{side.variant}' is on record in this time"
            raise Refused(404, f"{said}; the route has: {there}.")


def _side(side: Measured) -> dict[str, Any]:
    latency = side.times["latency_ms"]
    return {
        "variant": side.variant,
        "requests": side.requests,
        "units": side.units,
        "outcomes": side.outcomes,
        "left_out": side.left_out,
        "unpriced": side.unpriced,
        "latency_ms": [latency.quantile(each / 100) for each in range(1, 100)]
        if latency.n
        else [],
    }
