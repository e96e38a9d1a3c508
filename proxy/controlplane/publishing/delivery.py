"""Delivery: settings brought to every worker, and a worker that is late replaced.

A worker that does not acknowledge in time may still serve on an older routing, so it is ended
before the change is answered for. How workers are reached and ended is others' matter.
"""

from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from proxy.channel.lifeline import Replace
from proxy.config.settings import DataPlane
from proxy.controlplane.publishing.change import Pushed

ACKNOWLEDGE_SECONDS = 5.0  # for a worker to put settings in force; it takes milliseconds
END_SECONDS = 5.0  # for one that did not to be ended: it may finish for 2, and is killed after 3


class Workers(Protocol):
    """Those who serve."""

    @property
    def running(self) -> int:
        """How many of them have a process."""
        ...

    async def publish(self, settings: DataPlane, seconds: float) -> dict[int, int | None]:
        """Bring settings to all; return who is late after `seconds`: process by number."""
        ...

    async def settled(self, workers: Collection[int], seconds: float) -> None:
        """Wait until these have ended, or acknowledged after all, at most `seconds`."""
        ...


class Delivery:
    """Brings settings to `workers`; `replace` asks for the end of one, `clock` is in seconds."""

    def __init__(
        self,
        workers: Workers,
        replace: Callable[[Replace], None],
        clock: Callable[[], float],
        patience: float = ACKNOWLEDGE_SECONDS,
    ) -> None:
        self._workers = workers
        self._replace = replace
        self._clock = clock
        self._patience = patience

    async def push(self, settings: DataPlane) -> Pushed:
        """Put `settings` in force on every worker; none serves on older ones when this returns."""
        began = self._clock()
        late = await self._workers.publish(settings, self._patience)
        of, milliseconds = self._workers.running, 1000 * (self._clock() - began)
        for number, pid in late.items():
            self._give_up(number, pid)
        if late:
            await self._workers.settled(late, END_SECONDS)
        return Pushed(workers=of - len(late), of=of, milliseconds=milliseconds, late=tuple(late))

    def _give_up(self, number: int, pid: int | None) -> None:
        why = f"it did not put new settings in force within {self._patience:g} s"
        structlog.get_logger().error("worker replaced", worker=number, pid=pid, reason=why)
        self._replace(Replace(worker=number, pid=pid, why=why))
