"""The webhook: alerts posted as JSON to one address.

Never in anyone's way: `alert` returns at once, repeats are folded, what waits is bounded and
what is dropped is counted. An address may hold a secret: no log line shows more than its host.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx2
import structlog

from proxy.alerting import Alert, Folded, Folding
from proxy.config.settings import Webhook
from proxy.notifiers.payload import payload

ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds, before jitter
TIMEOUT = 10.0  # seconds for one attempt
WAITING = 200  # posts at most
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class WebhookNotifier:
    """Posts to `settings.url`; None: nowhere. `run` does the work and ends after `close`."""

    def __init__(
        self,
        settings: Webhook | None,
        *,
        agent: str,
        clock: Callable[[], float],  # monotonic seconds
        dice: Callable[[], float],  # [0, 1)
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        waiting: int = WAITING,
    ) -> None:
        self._settings = settings
        self._headers = {"user-agent": agent, "content-type": "application/json"}
        self._clock = clock
        self._dice = dice
        self._sleep = sleep
        self._limit = waiting
        self._folding = Folding(0.0)
        self._queue: deque[Folded] = deque()
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._scope: asyncio.Timeout | None = None
        self._closing = False
        self.sent = 0  # posts, like the next two
        self.failed = 0
        self.dropped = 0
        self.adopt(settings)

    def adopt(self, settings: Webhook | None) -> None:
        """Post there from now on, also what waits; None: nowhere, and what waits is dropped."""
        self._settings = settings
        if settings is not None:
            self._folding.seconds = settings.fold_seconds

    def alert(self, alert: Alert) -> None:
        """Take an alert; never waits."""
        if self._settings is None:
            return
        first = self._folding.add(alert, self._clock())
        if first is not None:
            self._enqueue(first)
        self._news.set()  # also for a repeat: its window's end may be the next thing due

    def results(self) -> dict[tuple[str, str], int]:
        """Return how many posts had which result, by notifier and result."""
        if self._settings is None and not self.sent + self.failed + self.dropped:
            return {}
        counts = {"sent": self.sent, "failed": self.failed, "dropped": self.dropped}
        return {("webhook", result): count for result, count in counts.items()}

    async def run(self) -> None:
        """Post until closed; to be awaited as a task, once."""
        try:
            async with asyncio.timeout(None) as self._scope, self._client() as client:
                while (folded := await self._next()) is not None:
                    await self._deliver(client, folded)
        except TimeoutError:  # closed, and the time given was too short
            self.dropped += len(self._queue) + 1
            self._queue.clear()
        finally:
            self._ended.set()

    async def close(self, seconds: float) -> None:
        """Tell what is left, repeats included, for at most `seconds`; then `run` ends."""
        self._closing = True
        for folded in self._folding.rest():
            self._enqueue(folded)
        self._news.set()
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            if self._scope is not None:  # it began
                self._scope.reschedule(asyncio.get_running_loop().time())
                await self._ended.wait()

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(headers=self._headers, timeout=TIMEOUT, follow_redirects=False)

    def _enqueue(self, folded: Folded) -> None:
        if len(self._queue) >= self._limit:
            self.dropped += 1
        else:
            self._queue.append(folded)

    async def _next(self) -> Folded | None:
        """Return what to post next, once there is something; None: closed and done."""
        while True:
            for folded in self._folding.due(self._clock()):
                self._enqueue(folded)
            if self._queue:
                return self._queue.popleft()
            if self._closing:
                return None
            await self._wait(self._folding.next_due())

    async def _wait(self, until: float | None) -> None:
        """Wait for news, at most until the next window ends."""
        pause = None if until is None else max(0.0, until - self._clock())
        try:
            async with asyncio.timeout(pause):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def _deliver(self, client: httpx2.AsyncClient, folded: Folded) -> None:
        settings = self._settings
        if settings is None:
            self.dropped += 1
            return
        body = payload(folded)
        trouble = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1))
                await self._sleep(longest * (0.5 + self._dice() / 2))
            trouble, final = await self._post(client, settings, body)
            if not trouble:
                self.sent += 1
                return
            if final:
                break
        self.failed += 1
        structlog.get_logger().warning(
            "alert could not be posted",
            host=host_of(settings.url),
            alert=folded.alert.name,
            reason=trouble,
        )

    async def _post(
        self, client: httpx2.AsyncClient, settings: Webhook, body: bytes
    ) -> tuple[str, bool]:
        """Return what went wrong ("": nothing), and whether trying again is pointless."""
        try:
            # A stream, so that nothing of the answer but its head is read.
            post = client.stream("POST", settings.url, content=body, headers=settings.headers)
            async with post as answer:
                status = answer.status_code
        except httpx2.InvalidURL:
            return "InvalidURL", True
        except httpx2.HTTPError as failure:  # its text may show the address: the kind must do
            return type(failure).__name__, False
        return ("", True) if 200 <= status < 300 else (f"status {status}", status not in AGAIN)


def host_of(url: str) -> str:
    """Return what of an address may be shown."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
