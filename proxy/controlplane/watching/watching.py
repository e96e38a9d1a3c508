"""Watching: a look at every rule over a window each second; what changes is logged and told.

It knows what this control has seen since it began: with several hosts, each watches its own
traffic. Who is told, how and how often is the tellers' business; nothing here waits for them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from msgspec import Struct

from proxy.alerting.notice import Notice
from proxy.alerting.silence import Silence
from proxy.alerting.windows import Now, Rules, Standing, Windows, noticed
from proxy.exchange.observation import Observation
from proxy.routing.table import RoutingTable

LOOK_SECONDS = 1.0  # between two looks
LATELY_SECONDS = 3600.0  # for which what is resolved is shown, and what fired remembered
REMEMBER_SECONDS = 60.0  # between two writings of what goes on
MOST = 200  # of what is resolved
FACTS = (  # of a notice, in the log
    *("route", "variant", "about", "value", "threshold", "unit", "count", "request_ids"),
    "sentence",
)

Silenced = Callable[[str, str | None, str | None], Silence | None]


class Teller(Protocol):
    """Is told what fires, at each look anew, and what is resolved; quick, and never raises."""

    def notice(self, notice: Notice) -> None:
        """Take what there is to tell; of what fires already, its latest figures."""
        ...

    def resume(self, notice: Notice) -> None:
        """Take what fired before this process began: whoever was told is to hear of its end."""
        ...

    def let_go(self) -> None:
        """Leave it to others to tell again what fires."""
        ...


class Counter(Protocol):
    """Counts what has begun to fire; quick, and never raises."""

    def fired(self, notice: Notice) -> None:
        """Count it."""
        ...


class Memory(Protocol):
    """Where what fires is remembered for a control that starts anew; it blocks, never raises."""

    def read(self) -> Sequence[Standing]:
        """Return what fired when it was written last."""
        ...

    def write(self, firing: Sequence[Standing]) -> None:
        """Keep what fires, in the place of what was kept."""
        ...


class Shown(Struct, frozen=True, kw_only=True):
    """An alert over a window, and the silence on it, if there is one."""

    standing: Standing
    silence: Silence | None

    @property
    def facts(self) -> tuple[str, str | None, str | None, bool]:
        """Its name, route and variant, and whether it is silenced."""
        key = self.standing.key
        return key.name.value, key.route, key.variant, self.silence is not None


class Watching:
    """A sink of observations. `clock` never goes back, `wall` is seconds since the epoch."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        silenced: Silenced,
        teller: Teller,
        counter: Counter,
        memory: Memory,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._silenced = silenced
        self._teller = teller
        self._counter = counter
        self._memory = memory
        self._written: float | None = None  # when, by the clock; None: not since it has changed
        self._adopted = asyncio.Event()
        self._rests = False
        self._windows = Windows()
        self._resolved: deque[Standing] = deque(maxlen=MOST)
        self._log = structlog.get_logger().bind()
        self.firing: tuple[Shown, ...] = ()  # at the last look, for whoever asks in other threads

    def adopt(self, table: RoutingTable, default: Rules, routes: dict[str, Rules]) -> None:
        """Watch this routing by these rules from now on."""
        self._windows.adopt(table, default, routes)
        self._adopted.set()

    def take(self, observations: Sequence[Observation]) -> None:
        """Take what ended."""
        self._windows.take(observations, self._clock())

    def rest(self) -> None:
        """Look no more: traffic goes elsewhere, so windows that empty here say nothing of it.

        What fires is remembered as it stands, for whoever watches next.
        """
        self._rests = True
        self._teller.let_go()

    async def run(self) -> None:
        """Take up what fired before this process began, then look again and again until `rest`."""
        await self._adopted.wait()
        if not self._rests:
            await self._take_up()
        while not self._rests:
            self.look()
            await self._remember()
            await asyncio.sleep(LOOK_SECONDS)

    async def _take_up(self) -> None:
        remembered = await asyncio.to_thread(self._memory.read)
        recent = self._wall() - LATELY_SECONDS
        fresh = [each for each in remembered if each.seen_at > recent]
        self._windows.resume(fresh, Now(self._clock(), self._wall()))
        for each in fresh:
            self._teller.resume(noticed(each))

    def look(self) -> None:
        """Look now: log and count what has changed, tell of that and of what still fires."""
        for each in self._windows.look(Now(self._clock(), self._wall())):
            self._changed(each)
        firing = [each for each in self._windows.standing if each.firing]
        self.firing = tuple(map(self._show, firing))
        for each in firing:
            self._teller.notice(noticed(each))

    def shown(self) -> list[Shown]:
        """Return what fires, what is pending, and what was resolved lately, the latest first."""
        pending = [each for each in self._windows.standing if not each.firing]
        since = self._wall() - LATELY_SECONDS
        lately = [each for each in reversed(self._resolved) if (each.ended_at or 0.0) > since]
        return [*self.firing, *map(self._show, (*pending, *lately))]

    async def _remember(self) -> None:
        """Write down what fires where that has changed, and every so often how it stands."""
        now = self._clock()
        due = self._written is None or (self.firing and now - self._written > REMEMBER_SECONDS)
        if due:
            self._written = now
            await asyncio.to_thread(self._memory.write, [each.standing for each in self.firing])

    def _show(self, standing: Standing) -> Shown:
        key = standing.key
        return Shown(standing=standing, silence=self._silenced(key.name, key.route, key.variant))

    def _changed(self, standing: Standing) -> None:
        self._written = None
        notice = noticed(standing)
        facts = {name: getattr(notice, name) for name in FACTS}
        facts["silenced"] = self._show(standing).silence is not None
        if standing.firing:
            self._log.warning("alert firing", alert=notice.name, **facts)
            self._counter.fired(notice)
        else:
            lasted = (standing.ended_at or 0.0) - standing.began_at
            self._log.info("alert resolved", alert=notice.name, **facts, seconds=lasted)
            self._resolved.append(standing)
            self._teller.notice(notice)
