"""Every notifier there is, each with a delivery of its own, as far as it is configured."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from msgspec import Struct

from proxy.alerting.notice import Notice
from proxy.config.settings import Notify
from proxy.notifiers.alertmanager import AlertmanagerCarrier
from proxy.notifiers.delivery import Carrier, Delivery, Trouble, attempt
from proxy.notifiers.mail import MailCarrier
from proxy.notifiers.posting import client
from proxy.notifiers.slack import SlackCarrier
from proxy.notifiers.webhook import WebhookCarrier


class Tried(Struct, frozen=True, kw_only=True):
    """What came of one attempt at a notifier; `trouble` of None: it was taken."""

    notifier: str
    where: str
    seconds: float
    trouble: str | None = None


class Notifiers:
    """Hands each notice to all that are configured; `run` does the work and ends after `close`."""

    def __init__(
        self,
        *,
        agent: str,
        host: str,
        clock: Callable[[], float],  # monotonic seconds
        wall: Callable[[], float],  # seconds since the epoch
        dice: Callable[[], float],  # [0, 1)
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._host = host
        self._clock = clock
        self._wall = wall
        self._http = client(agent)
        self._said: Mapping[str, Struct | None] = {}
        self._deliveries = {
            name: Delivery(name, clock=clock, wall=wall, dice=dice, sleep=sleep)
            for name in ("webhook", "slack", "alertmanager", "email")
        }

    @property
    def there(self) -> bool:
        """Whether any is configured."""
        return any(each.carrier is not None for each in self._deliveries.values())

    def adopt(self, notify: Notify, firing: Iterable[Notice]) -> None:
        """Tell those from now on; who was not configured so before is told what is `firing`."""
        said = {name: getattr(notify, name) for name in self._deliveries}
        carriers = self._carriers(notify)
        firing = tuple(firing)
        for name, delivery in self._deliveries.items():
            if said[name] == self._said.get(name):
                continue
            delivery.adopt(carriers.get(name))
            for notice in firing:
                delivery.take(notice)
        self._said = said

    def take(self, notice: Notice) -> None:
        """Take a notice for all; never waits."""
        for delivery in self._deliveries.values():
            delivery.take(notice)

    def heard(self, notice: Notice) -> None:
        """Take it that all were told of what fires, before this process began."""
        for delivery in self._deliveries.values():
            delivery.heard(notice)

    def let_go(self) -> None:
        """Leave it to others to keep up what fires."""
        for delivery in self._deliveries.values():
            delivery.let_go()

    def results(self) -> dict[tuple[str, str], int]:
        """Return how many notices had which result, by notifier and result."""
        return {
            (name, result): count
            for name, delivery in self._deliveries.items()
            for result, count in delivery.counts.items()
            if delivery.carrier is not None or any(delivery.counts.values())
        }

    def waiting(self) -> dict[str, int]:
        """Return how many notices wait, by notifier, for those that are configured."""
        return {
            name: delivery.waiting
            for name, delivery in self._deliveries.items()
            if delivery.carrier is not None
        }

    async def run(self) -> None:
        """Tell until closed; to be awaited as a task, once."""
        async with self._http, asyncio.TaskGroup() as tasks:
            for delivery in self._deliveries.values():
                tasks.create_task(delivery.run())

    async def close(self, seconds: float) -> None:
        """Tell what waits for at most `seconds`; then `run` ends."""
        async with asyncio.TaskGroup() as tasks:
            for delivery in self._deliveries.values():
                tasks.create_task(delivery.close(seconds))

    async def attempt(self, notice: Notice) -> list[Tried]:
        """Try to tell each of them once, beside what waits, and return what came of it."""
        carriers = [
            (name, each.carrier)
            for name, each in self._deliveries.items()
            if each.carrier is not None
        ]
        tried = (self._attempt(name, carrier, notice) for name, carrier in carriers)
        return list(await asyncio.gather(*tried))

    async def _attempt(self, name: str, carrier: Carrier, notice: Notice) -> Tried:
        began = self._clock()
        trouble = None
        try:
            await attempt(carrier, notice)
        except Trouble as caught:
            trouble = caught.reason
        seconds = self._clock() - began
        return Tried(notifier=name, where=carrier.where, seconds=seconds, trouble=trouble)

    def _carriers(self, notify: Notify) -> dict[str, Carrier]:
        """Return who brings notices to each notifier that is configured."""
        http, host, wall = self._http, self._host, self._wall
        found: dict[str, Carrier] = {}
        if notify.webhook is not None:
            found["webhook"] = WebhookCarrier(notify.webhook, http, host=host, wall=wall)
        if notify.slack is not None:
            found["slack"] = SlackCarrier(notify.slack, http, host=host)
        if notify.alertmanager is not None:
            settings = notify.alertmanager
            found["alertmanager"] = AlertmanagerCarrier(settings, http, host=host, wall=wall)
        if notify.email is not None:
            found["email"] = MailCarrier(notify.email, host=host, wall=wall)
        return found
