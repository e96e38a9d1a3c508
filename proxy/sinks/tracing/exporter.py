"""The exporter: what waits to be sent, when it leaves, and what is given up.

A sink that never waits. Where a collector is slow or down, spans wait, then are dropped, and
both are counted; nothing else notices. It knows neither spans nor their form.
"""

import asyncio
import gzip
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import structlog
from msgspec.structs import replace

from proxy.exchange.observation import Observation
from proxy.sinks.tracing.posting import Trouble, client, host_of, post

if TYPE_CHECKING:
    import httpx2

WAITING = 8192  # spans at most
BATCH = 512  # spans in a request, at most
LINGER = 5.0  # seconds that a span waits for others
ATTEMPT_SECONDS = 10.0  # for a request and its answer
TRYING_SECONDS = 60.0  # for one batch, before it is given up
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds, before jitter
LONGEST_AFTER = 300.0  # seconds that a collector may ask to be left alone
LEVEL = 5  # of gzip


class Requests(Protocol):
    """Puts spans into requests for one collector."""

    url: str
    headers: Mapping[str, str]

    def write(self, observations: Sequence[Observation]) -> bytes:
        """Return a request for the spans of `observations`; called on a thread."""
        ...

    def rejected(self, answer: bytes) -> int:
        """Return how many spans an answer says were not taken."""
        ...


class Exporter:
    """Sends the spans of sampled exchanges once it has `requests`; `run` ends after `close`.

    `counts`: exported; failed (refused, or given up after a minute of trying); dropped (there was
    no room to wait, or no time at the end).
    """

    def __init__(
        self,
        agent: str,
        *,
        clock: Callable[[], float],  # monotonic seconds
        wall: Callable[[], float],  # seconds since the epoch
        dice: Callable[[], float],  # [0, 1)
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        waiting: int = WAITING,
    ) -> None:
        self._agent = agent
        self._clock = clock
        self._wall = wall
        self._dice = dice
        self._sleep = sleep
        self._limit = waiting
        self._http: httpx2.AsyncClient | None = None
        self._requests: Requests | None = None
        self._queue: deque[Observation] = deque()
        self._counts = dict.fromkeys(("exported", "dropped", "failed"), 0)
        self._under_way = 0
        self._fails = False
        self._news = asyncio.Event()
        self._full = asyncio.Event()  # no need to linger
        self._moved = asyncio.Event()  # no need to pause
        self._ended = asyncio.Event()
        self._scope: asyncio.Timeout | None = None
        self._closing = False

    def results(self) -> dict[str, int]:
        """Return how many spans had which result; none before there was anybody to send to."""
        there = self._requests is not None or any(self._counts.values())
        return dict(self._counts) if there else {}

    def adopt(self, requests: Requests | None) -> None:
        """Send by `requests` from now on, also what waits; None: nowhere, and it is dropped."""
        self._requests = requests
        if requests is None:
            self._drop()
        self._moved.set()

    def take(self, observations: Sequence[Observation]) -> None:
        """Take what ended; never waits."""
        if self._requests is None:
            return
        for seen in observations:
            if seen.trace is not None and seen.trace.sampled:
                self._add(seen)

    async def run(self) -> None:
        """Send until closed; to be awaited as a task, once."""
        try:
            async with asyncio.timeout(None) as self._scope:
                while not self._closing or self._queue:
                    await self._once()
        except TimeoutError:  # closed, and the time given was too short
            pass
        finally:
            self._drop()
            self._ended.set()
            if self._http is not None:
                await self._http.aclose()

    async def close(self, seconds: float) -> None:
        """Send what waits, each batch tried once more, for at most `seconds`; `run` ends."""
        self._closing = True
        for each in (self._news, self._full, self._moved):
            each.set()
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            if self._scope is not None:  # it began
                self._scope.reschedule(asyncio.get_running_loop().time())
                await self._ended.wait()

    def _add(self, seen: Observation) -> None:
        if len(self._queue) >= self._limit:
            self._counts["dropped"] += 1
            return
        # What is in no span need not be held.
        bare = replace(seen, bodies=None, prompt_preview=None, response_preview=None)
        self._queue.append(bare)
        self._news.set()
        if len(self._queue) >= BATCH:
            self._full.set()

    def _drop(self) -> None:
        self._counts["dropped"] += len(self._queue) + self._under_way
        self._queue.clear()
        self._under_way = 0

    async def _once(self) -> None:
        """Send the next batch, or wait for the first of it."""
        if not self._queue:
            self._news.clear()
            await self._news.wait()
            return
        if len(self._queue) < BATCH and not self._closing:
            self._full.clear()
            await self._rest(LINGER, self._full)
        batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        self._under_way = len(batch)
        await self._send(batch)

    async def _send(self, batch: list[Observation]) -> None:
        """Have a batch taken, however often that takes to try, or give it up."""
        began, pause = self._clock(), FIRST_PAUSE
        while self._under_way and self._requests is not None:
            self._moved.clear()
            try:
                rejected = await self._attempt(self._requests, batch)
            except Trouble as trouble:
                wait = self._pause(pause, trouble)
                if self._hopeless(trouble, self._clock() - began + wait):
                    self._settle(failed=len(batch))
                if not trouble.final and not self._closing:
                    await self._rest(wait, self._moved)
                pause = min(LONGEST_PAUSE, 2 * pause)
            else:
                self._works()
                self._settle(failed=min(rejected, len(batch)))

    async def _attempt(self, requests: Requests, batch: list[Observation]) -> int:
        """Send a batch once, and return how many spans of it were rejected. Trouble: all."""
        if self._http is None:  # it is large, and most never need one
            self._http = client(self._agent)
        body = await asyncio.to_thread(packed, requests, batch)
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                answer = await post(self._http, requests.url, body, requests.headers, self._wall())
        except TimeoutError:
            raise Trouble("no answer in time") from None
        return requests.rejected(answer)

    def _settle(self, *, failed: int) -> None:
        """Count what came of the batch under way, unless it was dropped meanwhile."""
        self._counts["failed"] += min(failed, self._under_way)
        self._counts["exported"] += max(self._under_way - failed, 0)
        self._under_way = 0

    def _hopeless(self, trouble: Trouble, seconds: float) -> bool:
        """Return whether a batch is to be given up, which has `seconds` behind it, pause and all.

        At the end nothing is tried again.
        """
        return trouble.final or self._closing or seconds > TRYING_SECONDS

    def _pause(self, pause: float, trouble: Trouble) -> float:
        """Return how long to leave the collector alone, in seconds; say so the first time."""
        if not self._fails:
            self._say("span export fails", reason=trouble.reason)
            self._fails = True
        if trouble.after is not None:
            return min(trouble.after, LONGEST_AFTER)
        return pause * (0.5 + self._dice() / 2)

    def _works(self) -> None:
        if self._fails:
            self._say("span export works again")
            self._fails = False

    def _say(self, event: str, **facts: object) -> None:
        if self._requests is not None:
            structlog.get_logger().warning(event, host=host_of(self._requests.url), **facts)

    async def _rest(self, seconds: float, unless: asyncio.Event) -> None:
        """Wait so long, or until there is a reason not to."""
        waits = [
            asyncio.ensure_future(self._sleep(seconds)),
            asyncio.create_task(unless.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()


def packed(requests: Requests, batch: Sequence[Observation]) -> bytes:
    """Return a batch as it is sent."""
    return gzip.compress(requests.write(batch), LEVEL, mtime=0)
