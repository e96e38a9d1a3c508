"""The pipeline: what happens to an observation once control has it.

    check the form -> read signals -> count tokens -> price -> redact -> judge -> sinks
                                                                               -> alerts -> tellers

Where a form is to be checked, tokens are to be counted or bodies are kept, the first three and the
writing of bodies are done off the loop. Nothing waits for ever: where that is behind, an
observation goes on unchecked, uncounted and without its bodies, and that is counted. It knows
neither who sent an observation safely here (channel) nor what becomes of it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import structlog
from msgspec.structs import replace

from proxy.alerting import Alert
from proxy.exchange.observation import Observation
from proxy.quality import Check

WAITING = 2000  # observations that wait for their tokens, at most
WAITING_BYTES = 64 * 1024 * 1024  # of texts
BATCH = 16  # counted between two looks at the loop: 1 s at worst


class Sink(Protocol):
    """Writes observations down; quick, and never raises."""

    def take(self, observations: Sequence[Observation]) -> None:
        """Take finished, counted, redacted observations."""
        ...


class Teller(Protocol):
    """Passes alerts on; quick, and never raises."""

    def alert(self, alert: Alert) -> None:
        """Take one alert."""
        ...


class Checker(Protocol):
    """Says whether replies have the form that was asked for."""

    def due(self, seen: Observation) -> bool:
        """Return whether `check` has something to look at; quick."""
        ...

    def check(self, seen: Observation) -> Observation:
        """Return an observation that is due with what came of it; may take a while."""
        ...


class Scribe(Protocol):
    """Writes bodies as they may be kept."""

    def write(self, seen: Observation) -> Observation:
        """Return an observation with its bodies so; may take a while."""
        ...

    def skip(self, seen: Observation) -> Observation:
        """Return it without them; quick."""
        ...


Change = Callable[[Observation], Observation]
Judge = Callable[[Observation], Iterable[Alert]]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What is done to an observation, by the configuration in force.

    `checker` and `count` may compute for long, on one thread; `count` of None: nothing is counted.
    """

    count: Change | None
    checker: Checker
    read: Change
    price: Change
    redact: Change
    judge: Judge
    sinks: Sequence[Sink]


class Pipeline:
    """Takes observations on the event loop; `run` does first what takes long."""

    def __init__(
        self,
        steps: Steps,
        *,
        scribe: Scribe,
        tellers: Sequence[Teller] = (),
        waiting: int = WAITING,
    ) -> None:
        self._steps = steps
        self._tellers = tellers
        self._scribe = scribe
        self._limit = waiting
        self._queue: deque[Observation] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._scope: asyncio.Timeout | None = None
        self._closing = False
        self.uncounted = 0  # observations that went on without the tokens they should have

    def adopt(self, steps: Steps) -> None:
        """Do it so from now on, also with what waits."""
        self._steps = steps

    @property
    def waiting(self) -> int:
        """How many observations wait for what takes long."""
        return len(self._queue)

    def take(self, worker: int, observations: Sequence[Observation]) -> None:
        """Take what a worker handed over, whichever it was; never waits."""
        del worker
        ready = [
            self._at_once(seen)
            if seen.texts is None and seen.bodies is None
            else self._admit(seen)
            for seen in observations
        ]
        self._write([seen for seen in ready if seen is not None])

    async def run(self) -> None:
        """Count and write until closed; to be awaited as a task, once."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="tokens")
        try:
            async with asyncio.timeout(None) as self._scope:
                await self._count_all(executor)
        except TimeoutError:  # closed, and the time given was too short
            structlog.get_logger().warning("token counting was cut short", left=len(self._queue))
        finally:
            self._skip_rest()
            executor.shutdown(wait=False, cancel_futures=True)
            self._ended.set()

    async def close(self, seconds: float) -> None:
        """Count what waits for at most `seconds`, write all of it; then `run` ends."""
        self._closing = True
        self._news.set()
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            await self._cut()

    async def _cut(self) -> None:
        """End `run` now, if it ever began."""
        if self._scope is None:
            self._skip_rest()
        else:
            self._scope.reschedule(asyncio.get_running_loop().time())
            await self._ended.wait()

    def _admit(self, seen: Observation) -> Observation | None:
        """Return what has words as it can be written now; None: it waits for what takes long."""
        if not self._counts(seen) and not self._steps.checker.due(seen) and seen.bodies is None:
            return self._at_once(seen)
        size = weight(seen)
        full = len(self._queue) >= self._limit or self._bytes + size > WAITING_BYTES
        if full or self._closing:
            return self._skipped(seen)
        self._queue.append(seen)
        self._bytes += size
        self._news.set()
        return None

    def _at_once(self, seen: Observation) -> Observation:
        """Return what is known of `seen` without what takes long, and without its texts."""
        return bare(self._steps.read(seen))

    def _skipped(self, seen: Observation) -> Observation:
        """Return `seen` at once, though something was to be done that nobody had the time for."""
        if self._counts(seen):
            self.uncounted += 1
        if self._steps.checker.due(seen):
            seen = replace(seen, format_check=Check.UNCHECKED)
        if seen.bodies is not None:
            seen = self._scribe.skip(seen)
        return self._at_once(seen)

    def _counts(self, seen: Observation) -> bool:
        """Return whether the tokens of `seen`, which has texts, are to be counted."""
        return (
            self._steps.count is not None and seen.texts is not None and seen.texts.prompt != b""
        )

    async def _count_all(self, executor: ThreadPoolExecutor) -> None:
        """Count what waits, batch by batch, until closed and nothing waits."""
        loop = asyncio.get_running_loop()
        while not (self._closing and not self._queue):
            await self._news.wait()
            self._news.clear()
            while self._queue:
                batch = list(islice(self._queue, BATCH))
                counted = await loop.run_in_executor(executor, self._counted, batch)
                for seen in batch:  # only now: what is cut short is still in the queue
                    self._queue.popleft()
                    self._bytes -= weight(seen)
                self._write(counted)

    def _counted(self, batch: list[Observation]) -> list[Observation]:
        """Check, read and count a batch (on the counting thread)."""
        checker, count = self._steps.checker, self._steps.count
        checked = [checker.check(seen) if checker.due(seen) else seen for seen in batch]
        read = map(self._steps.read, map(self._scribe.write, checked))
        return [count(seen) if count and self._counts(seen) else bare(seen) for seen in read]

    def _skip_rest(self) -> None:
        """Write what waits as it is."""
        self._write([self._skipped(seen) for seen in self._queue])
        self._queue.clear()

    def _write(self, observations: Sequence[Observation]) -> None:
        raised: list[Alert] = []
        steps = self._steps
        shown = [self._judged(steps.redact(steps.price(seen)), raised) for seen in observations]
        for sink in steps.sinks:
            sink.take(shown)
        for alert in raised:
            for teller in self._tellers:
                teller.alert(alert)

    def _judged(self, seen: Observation, raised: list[Alert]) -> Observation:
        """Return `seen` with the rules that it broke, mostly none; add its alerts to `raised`."""
        alerts = tuple(self._steps.judge(seen))
        if not alerts:
            return seen
        raised += alerts
        return replace(seen, alerts=tuple(alert.name.value for alert in alerts))


def both(first: Judge, second: Judge) -> Judge:
    """Return the judge who has the alerts of two."""
    return lambda seen: (*first(seen), *second(seen))


def bare(seen: Observation) -> Observation:
    """Return `seen` without its texts."""
    return seen if seen.texts is None else replace(seen, texts=None)


def weight(seen: Observation) -> int:
    """Return how much the words of `seen` weigh, in bytes or so."""
    texts, bodies = seen.texts, seen.bodies
    words = 0 if texts is None else len(texts.prompt) + len(texts.reply) + len(texts.form)
    return words if bodies is None else words + bodies.size
