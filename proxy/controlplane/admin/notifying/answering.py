"""A test, asked for: each notifier that is configured is told once, and what came of it.

It changes nothing, so it is no entry of the audit log.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from starlette.requests import Request

from proxy.alerting import Notice
from proxy.alerting.noticing import trial
from proxy.controlplane.admin.notifying.models import TriedNotifier, TriedNotifiers
from proxy.notifiers import Tried


class Notifiers(Protocol):
    """Those who are told of alerts."""

    async def attempt(self, notice: Notice) -> Sequence[Tried]:
        """Try to tell each of them once, beside what waits, and return what came of it."""
        ...


class Notifying:
    """Has a test sent; `clock` is seconds since the epoch."""

    def __init__(self, notifiers: Notifiers, clock: Callable[[], float]) -> None:
        self._notifiers = notifiers
        self._clock = clock

    async def notify(self, request: Request) -> TriedNotifiers:
        """Send a test to everybody who is told of alerts, once; it takes half a minute at most."""
        tried = await self._notifiers.attempt(trial(request.state.caller.name, self._clock()))
        return TriedNotifiers(
            notifiers=[
                TriedNotifier(
                    notifier=each.notifier,
                    host=each.where,
                    taken=each.trouble is None,
                    reason=each.trouble,
                    milliseconds=round(each.seconds * 1000.0, 1),
                )
                for each in tried
            ]
        )
