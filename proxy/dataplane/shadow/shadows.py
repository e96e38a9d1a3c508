"""Shadows: which exchanges are followed by one, how many at a time, and what is dropped.

A shadow gives way to everything: where its budget, its upstream or the worker has no room, it is
dropped, and counted with its reason. How one is carried out is `repeat`'s matter.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from proxy.channel import ShadowReport
from proxy.dataplane.call import Call, Metered
from proxy.dataplane.plane import Plane
from proxy.dataplane.shadow.repeat import Repeat
from proxy.dataplane.writing import tracing
from proxy.dialects import has_effects
from proxy.exchange import Exchange, Observation, Outcome
from proxy.routing import Route
from proxy.routing.split import BITS, BUCKETS
from proxy.routing.table import Shadow
from proxy.upstream import Upstream, share

UNANSWERED = frozenset({Outcome.CLIENT_GONE, Outcome.PROXY_ERROR})


class Drop(StrEnum):
    """Why a shadow that was due was not sent."""

    DRAINING = "draining"  # this worker is about to end
    SIDE_EFFECTS = "side_effects"  # to ask twice might do something twice
    CONCURRENCY = "concurrency"  # this worker's share of the budget is in use
    UPSTREAM_EJECTED = "upstream_ejected"
    UPSTREAM_BUSY = "upstream_busy"  # somebody waits for it, or half of its connections are used


class Account:
    """What became of the shadows of one route to one variant, since the worker's start."""

    __slots__ = ("dropped", "expected", "sent")

    def __init__(self) -> None:
        self.expected = 0.0
        self.sent = 0
        self.dropped: Counter[str] = Counter()


class Shadows:
    """All shadows of one worker.

    `begin` opens the record of an exchange, `offer` takes it when it is closed; `clock` is
    monotonic seconds; `random_bits` returns that many random bits.
    """

    def __init__(
        self,
        *,
        begin: Callable[[Plane, str], Exchange],
        offer: Callable[[Observation], None],
        clock: Callable[[], float],
        random_bits: Callable[[int], int],
    ) -> None:
        self._begin = begin
        self._offer = offer
        self._clock = clock
        self._random_bits = random_bits
        self._accounts: dict[tuple[str, str], Account] = {}
        self._running: Counter[str] = Counter()  # by route
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def follow(self, plane: Plane, call: Call, exchange: Exchange, *, draining: bool) -> None:
        """Send a closed exchange's request once more, where chance and room will; never waits.

        `plane` is what is in force now: a shadow begins now.
        """
        route = plane.router.route(exchange.route or "")
        shadow, metered = None if route is None else route.shadow, call.metered
        if route is None or shadow is None or metered is None:
            return
        if not worth_repeating(exchange, route, shadow):
            return
        account = self._accounts.setdefault((route.name, shadow.variant), Account())
        account.expected += shadow.percent / 100
        if self._random_bits(BITS) >= shadow.percent / 100 * BUCKETS:
            return
        variant = plane.router.prepared(route.name).by_name[shadow.variant]
        free = share(shadow.concurrency, plane.settings.workers) - self._running[route.name]
        ending = draining or self._closed
        reason = drop(metered, plane.upstreams[variant.upstream], free=free, draining=ending)
        if reason is not None:
            account.dropped[reason] += 1
            return
        account.sent += 1
        repeated = self._begin(plane, exchange.method)
        if exchange.trace is not None and plane.settings.trace_share is not None:
            repeated.trace = tracing.below(exchange.trace, self._random_bits)
        repeat = Repeat(
            call.request,
            metered,
            plane=plane,
            variant=variant,
            exchange=repeated,
            followed=exchange,
            clock=self._clock,
        )
        self._start(repeat, route.name, shadow.timeout)

    def report(self) -> tuple[ShadowReport, ...]:
        """Return the counters since the start."""
        return tuple(
            ShadowReport(
                route=route,
                variant=variant,
                expected=account.expected,
                sent=account.sent,
                dropped=dict(account.dropped),
            )
            for (route, variant), account in self._accounts.items()
        )

    async def close(self) -> None:
        """Cut what is under way, and begin no more; each is on the record."""
        self._closed = True
        await asyncio.sleep(0)  # a task must have begun to end in a record
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self, repeat: Repeat, route: str, seconds: float) -> None:
        task = asyncio.get_running_loop().create_task(self._carry(repeat, route, seconds))
        self._running[route] += 1
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, repeat: Repeat, route: str, seconds: float) -> None:
        try:
            await repeat.run(seconds)
        finally:
            self._running[route] -= 1
            self._offer(repeat.close())


def worth_repeating(exchange: Exchange, route: Route, shadow: Shadow) -> bool:
    """Return whether an exchange can be one of a pair.

    Its client stayed, a model was asked, it was not the shadow's own, and it is not one of those
    that comparisons leave out.
    """
    if exchange.forced or exchange.pinned or shadow.variant in route.off:
        return False
    if not exchange.attempts or exchange.outcome in UNANSWERED:
        return False
    return exchange.variant_served != shadow.variant


def drop(metered: Metered, upstream: Upstream, *, free: int, draining: bool) -> Drop | None:
    """Return why a shadow must give way; None: there is room for it."""
    if draining:
        return Drop.DRAINING
    if has_effects(metered.members):
        return Drop.SIDE_EFFECTS
    if free <= 0:
        return Drop.CONCURRENCY
    if upstream.ejected:
        return Drop.UPSTREAM_EJECTED
    return Drop.UPSTREAM_BUSY if upstream.crowded else None
