"""Connections kept for the next exchange, and a fair queue for those there are not.

It knows how many there may be and who waits. It does not know how to dial (it is given that),
nor what a connection carries. The last one used is taken first, so that surplus ones expire.
Where anyone waits, nothing is idle: who comes later can't overtake.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from proxy.errors import ConnectFailure, UpstreamFailure
from proxy.exchange import ErrorCode
from proxy.upstream.connection import Connection

Dial = Callable[["Pool"], Awaitable[Connection]]


class Pool:
    """The connections of one upstream in one worker; a Keeper to each of them."""

    def __init__(self, dial: Dial, *, size: int, queue: int, queue_seconds: float) -> None:
        """At most `size` connections, `queue` waiters, and `queue_seconds` for each of these."""
        self._dial = dial
        self._size = size
        self._queue = queue
        self._queue_seconds = queue_seconds
        self._idle: dict[Connection, None] = {}  # a stack from which one can be taken out
        self._open: set[Connection] = set()  # idle or in use
        self._sockets: set[Connection] = set()  # also those that are still closing
        self._dialing = 0  # a slot that a waiter was promised included
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._promised: dict[asyncio.Future[None], Connection | None] = {}
        self._emptied: asyncio.Event | None = None  # set once: the pool is closed

    @property
    def open(self) -> int:
        """Return how many connections there are."""
        return len(self._open)

    @property
    def idle(self) -> int:
        """Return how many of them wait for an exchange."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Return how many exchanges wait for a connection."""
        return len(self._waiters)

    @property
    def crowded(self) -> bool:
        """Return whether one exchange more would leave others less than half of it."""
        used = len(self._open) - len(self._idle) + self._dialing
        return bool(self._waiters) or 2 * (used + 1) > self._size

    def take(self) -> Connection | None:
        """Return the connection used last, if one is idle."""
        if not self._idle:
            return None
        connection, _ = self._idle.popitem()
        connection.lease()
        return connection

    async def wait(self) -> Connection:
        """Return a connection that was dialled or waited for; raises UpstreamFailure."""
        if self._emptied is not None:
            raise ConnectFailure(ErrorCode.PROVIDER_CONNECT_FAILED, "the pool is closed")
        if self._idle and len(self._open) + self._dialing >= self._size:
            next(iter(self._idle)).close()  # the one idle longest makes room for a new one
        if len(self._open) + self._dialing < self._size:
            self._dialing += 1
        else:
            connection = await self._queue_up()
            if connection is not None:
                return connection
        return await self._open_one()

    def put(self, connection: Connection) -> None:
        """Take a connection back, or close it where it can't be used again."""
        if connection not in self._open or connection in self._idle:
            return
        if not connection.rest():
            connection.close()
            return
        waiter = self._next_waiter() if self._waiters else None
        if waiter is None:
            self._idle[connection] = None
        else:
            connection.lease()
            self._promised[waiter] = connection
            waiter.set_result(None)

    async def close(self) -> None:
        """Close every connection and turn away who waits; return when the sockets are closed."""
        if self._emptied is None:
            self._emptied = asyncio.Event()
        while (waiter := self._next_waiter()) is not None:
            waiter.set_exception(
                ConnectFailure(ErrorCode.PROVIDER_CONNECT_FAILED, "the pool was closed")
            )
        for connection in list(self._open):
            connection.close()
        if self._sockets:
            await self._emptied.wait()

    # What a connection tells its Keeper.

    def made(self, connection: Connection) -> None:
        """Note that its socket is open."""
        self._sockets.add(connection)

    def dropped(self, connection: Connection) -> None:
        """Free its slot for the next."""
        if connection in self._open:
            self._open.discard(connection)
            self._idle.pop(connection, None)
            self._promise_slot()

    def gone(self, connection: Connection) -> None:
        """Note that its socket is closed."""
        self._sockets.discard(connection)
        if self._emptied is not None and not self._sockets:
            self._emptied.set()

    # Dialling and waiting.

    async def _open_one(self) -> Connection:
        """Dial in the slot that was set aside."""
        try:
            connection = await self._dial(self)
            if connection not in self._sockets:
                raise ConnectFailure(ErrorCode.PROVIDER_CONNECT_FAILED, "closed as it was opened")
            self._open.add(connection)
        finally:
            self._dialing -= 1
            self._promise_slot()  # where the dial failed; else there is none
        if self._emptied is not None:
            connection.close()
        return connection

    async def _queue_up(self) -> Connection | None:
        """Wait for a turn: a connection, or None: a slot to dial in."""
        if len(self._waiters) >= self._queue:
            raise UpstreamFailure(ErrorCode.PROVIDER_OVERLOADED, "the queue is full")
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_later(self._queue_seconds, self._give_up, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            self._step_back(waiter)
            raise
        finally:
            timer.cancel()
        return self._promised.pop(waiter)

    def _give_up(self, waiter: asyncio.Future[None]) -> None:
        if not waiter.done():
            self._waiters.remove(waiter)
            waiter.set_exception(
                UpstreamFailure(ErrorCode.PROVIDER_OVERLOADED, "waited too long in the queue")
            )

    def _step_back(self, waiter: asyncio.Future[None]) -> None:
        """Undo the turn of a waiter that was cancelled, perhaps after it was promised one."""
        if waiter in self._promised:
            connection = self._promised.pop(waiter)
            if connection is not None:
                self.put(connection)
            else:
                self._dialing -= 1
                self._promise_slot()
        elif waiter in self._waiters:
            self._waiters.remove(waiter)

    def _next_waiter(self) -> asyncio.Future[None] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():  # else it was cancelled, and has not run since
                return waiter
        return None

    def _promise_slot(self) -> None:
        if self._waiters and len(self._open) + self._dialing < self._size:
            waiter = self._next_waiter()
            if waiter is not None:
                self._dialing += 1
                self._promised[waiter] = None
                waiter.set_result(None)
