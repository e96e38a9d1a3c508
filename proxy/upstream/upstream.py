"""One upstream as a worker sees it: its pool, its health and its retry budget together.

What an exchange needs from it: a connection, and afterwards a word on how it went. It does
not know requests, routes or variants, and it follows no redirect: a reply is a reply.
"""

import asyncio
from collections.abc import Callable
from math import inf

from proxy.channel import UpstreamReport
from proxy.config.settings import UpstreamSettings
from proxy.errors import UpstreamFailure, UpstreamTimeout
from proxy.exchange import ErrorCode
from proxy.upstream.connection import Connection
from proxy.upstream.dial import Dialer
from proxy.upstream.health import Health
from proxy.upstream.pool import Pool
from proxy.upstream.retries import RetryBudget, backoff


class Upstream:
    """A callable endpoint: `acquire` a connection, `release` it, say how it went."""

    def __init__(
        self,
        settings: UpstreamSettings,
        *,
        workers: int,
        clock: Callable[[], float],
        dice: Callable[[], float],
    ) -> None:
        """Take one worker's share of the limits. `clock`: the loop's time; `dice`: in [0, 1)."""
        self.name = settings.name
        self.settings = settings
        self._clock = clock
        self._made = clock()
        self._dice = dice
        self._dialer = Dialer(settings, clock)
        self._pool = Pool(
            self._dialer.dial,
            size=share(settings.connections, workers),
            queue=share(settings.queue, workers),
            queue_seconds=settings.queue_seconds,
        )
        self._health = Health(
            after=settings.eject_after,
            seconds=settings.eject_seconds,
            max_seconds=settings.eject_seconds_max,
        )
        self._budget = RetryBudget(settings.retry_budget)
        self.trial: Connection | None = None  # it carries the half-open trial
        self._requests = 0
        self._retries = 0
        self._connect_failures = 0
        self._connect_error: ErrorCode | None = None

    async def acquire(self, until: float = inf, *, fresh: bool = False) -> Connection:
        """Return a connection for one exchange, kept or new; waits its turn until `until`.

        `fresh`: one that the upstream can't have closed meanwhile, where that can be had. Raises
        UpstreamFailure: provider_ejected, provider_overloaded, provider_total_timeout, or why no
        connection could be made, which is already counted against its health.
        """
        now = self._clock()
        self._requests += 1
        self._budget.request(now)
        health = self._health
        if not health.claim(now):
            raise UpstreamFailure(ErrorCode.PROVIDER_EJECTED)
        trial = health.ejected
        connection = None if fresh else self._pool.take()
        if connection is None:
            connection = await self._connect(until, trial=trial)
        if trial:
            self.trial = connection
        return connection

    async def borrow(self) -> Connection:
        """Return a connection for an exchange that nobody waits for; raises as `acquire` does.

        It shows nothing of the upstream's health, takes no trial, and earns no retries.
        """
        self._requests += 1
        try:
            return self._pool.take() or await self._pool.wait()
        except UpstreamFailure as failure:
            self._note(failure)
            raise

    def release(self, connection: Connection) -> None:
        """Take a connection back: kept where it can be used again, closed where not.

        Never blocks, and does nothing the second time, until the connection is in use again.
        """
        if connection is self.trial:
            self.trial = None
            self._health.abandon()
        self._pool.put(connection)

    def available(self) -> bool:
        """Return whether `acquire` would let a request through: it is not ejected."""
        return self._health.available(self._clock())

    @property
    def ejected(self) -> bool:
        """Return whether it is ejected, the half-open time included."""
        return self._health.ejected

    @property
    def crowded(self) -> bool:
        """Return whether one exchange more would leave others less than half its connections."""
        return self._pool.crowded

    def succeeded(self) -> None:
        """Note an exchange that went well."""
        self._health.succeeded(self._clock())

    def failed(self, retry_after: float | None = None) -> None:
        """Note an exchange that went wrong after `acquire`; `retry_after` in seconds."""
        self._health.failed(self._clock(), retry_after)

    def retry_delay(
        self, attempt: int, retry_after: float | None, left: float = inf
    ) -> float | None:
        """Return the seconds to wait after the `attempt`th attempt (from 1); None: give up.

        `left` are the seconds that the exchange has: who would wait longer need not wait at all.
        """
        if attempt > self.settings.retries:
            return None
        delay = backoff(attempt, self._dice, retry_after)
        if delay is None or delay >= left or not self._budget.allow(self._clock()):
            return None
        self._retries += 1
        return delay

    def report(self) -> UpstreamReport:
        """Return gauges of now and counters since the start."""
        pool = self._pool
        return UpstreamReport(
            name=self.name,
            made=self._made,
            open=pool.open,
            idle=pool.idle,
            waiting=pool.waiting,
            ejected=self._health.ejected,
            requests=self._requests,
            retries=self._retries,
            ejections=self._health.ejections,
            connect_failures=self._connect_failures,
            connect_error=self._connect_error,
        )

    async def close(self) -> None:
        """Cut whatever is left, and return when every socket is closed."""
        await self._pool.close()

    async def _connect(self, until: float, *, trial: bool) -> Connection:
        connection: Connection | None = None
        try:
            async with asyncio.timeout_at(until if until < inf else None):
                connection = await self._pool.wait()
        except TimeoutError as error:
            raise UpstreamTimeout(ErrorCode.PROVIDER_TOTAL_TIMEOUT) from error
        except UpstreamFailure as failure:
            if self._note(failure):
                self._health.failed(self._clock())
            raise
        finally:
            if trial and connection is None:
                self._health.abandon()
        return connection

    def _note(self, failure: UpstreamFailure) -> bool:
        """Count what kept a connection from being made; False: that was not the upstream."""
        if failure.code == ErrorCode.PROVIDER_OVERLOADED:
            return False
        self._connect_failures += 1
        self._connect_error = ErrorCode(failure.code)
        return True


def share(total: int, workers: int) -> int:
    """Return one worker's part of a limit that all share: rounded up, so never none."""
    return -(-total // workers)
