"""One connection to an upstream: one exchange at a time, under one timer.

It knows deadlines, backpressure and what a lost connection means at each moment. It does not
know the pool (only a Keeper that it tells of its end), retries or health. Reading is
`ReplyReader`'s. Chunks go to the sink from `data_received` itself: no task switch for each.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, cast

from proxy.config.settings import Timeouts
from proxy.errors import (
    ConnectFailure,
    StaleConnection,
    TurnoutError,
    UpstreamCut,
    UpstreamFailure,
    UpstreamTimeout,
)
from proxy.exchange import ErrorCode
from proxy.http import chunk
from proxy.upstream.reply import BadReply, ReplyHeads, ReplyReader, ResponseHead
from proxy.upstream.timer import LazyTimer

JOIN_BYTES = 64 * 1024  # up to here one copy is cheaper than a second write
HELD_BYTES = 256 * 1024  # of a body that came before anyone asked for it
STALE_SECONDS = 1.0  # a peer that had closed before our request came tells us within a round trip


class Keeper(Protocol):
    """Who owns connections, and hears when one begins and ends."""

    def made(self, connection: "Connection") -> None:
        """Note it: its socket is open."""
        ...

    def dropped(self, connection: "Connection") -> None:
        """Take it from what may be used: it is closing, whoever wanted that."""
        ...

    def gone(self, connection: "Connection") -> None:
        """Forget it: its socket is closed."""
        ...


class Connection(asyncio.Protocol):
    """One connection, used for one exchange after another."""

    __slots__ = (
        "_active_at",
        "_busy",
        "_clock",
        "_closing",
        "_drained",
        "_ended",
        "_failure",
        "_held",
        "_held_bytes",
        "_idle_until",
        "_keepalive",
        "_keeper",
        "_loop",
        "_paused",
        "_reader",
        "_replied",
        "_shortest",
        "_sink",
        "_stalled",
        "_timeouts",
        "_timer",
        "_transport",
        "_unsent",
        "_until",
        "_usable",
        "first_byte_at",
        "last_byte_at",
        "length",
        "reused",
        "sent_at",
        "whole",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        keeper: Keeper,
        *,
        timeouts: Timeouts,
        keepalive: float,
        clock: Callable[[], float],
        heads: ReplyHeads,
    ) -> None:
        self._loop = loop
        self._keeper = keeper
        self._timeouts = timeouts
        self._keepalive = keepalive
        self._clock = clock
        self._shortest = min(timeouts.first_byte, timeouts.between_bytes, keepalive)
        self._reader = ReplyReader(heads)
        self._transport: asyncio.Transport
        self._timer = LazyTimer(loop, clock, self._shortest, self._look)
        self._replied: asyncio.Future[ResponseHead] | None = None
        self._ended: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._sink: Callable[[bytes], None] | None = None
        self._failure: BaseException | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._until = 0.0
        self._active_at = 0.0
        self._idle_until: float | None = None  # None: not in the pool
        self._busy = False  # an exchange is under way
        self._usable = True  # another may follow
        self._closing = False
        self._paused = False  # we do not read
        self._stalled = False  # the peer does not read
        self._unsent = 0
        self.reused = False
        self.length: int | None = None  # of the reply's body, if it has said so
        self.sent_at: float | None = None
        self.first_byte_at: float | None = None
        self.last_byte_at: float | None = None
        self.whole = False  # the reply is, with what was handed over last

    # What an exchange does with it.

    def send(
        self,
        head: bytes,
        body: bytes | AsyncIterator[bytes],
        *,
        chunked: bool = False,
        until: float,
    ) -> Awaitable[ResponseHead]:
        """Send a request; await the head of its reply. `until` ends the whole exchange.

        Raises StaleConnection, ConnectFailure (nothing was sent), UpstreamTimeout, UpstreamCut
        or UpstreamFailure(provider_bad_reply). An iterator stays its owner's to close.
        """
        if self._closing:
            raise self._lost_unused()
        self._begin(until, no_body=head.startswith(b"HEAD "))
        replied = self._replied = self._loop.create_future()
        if not isinstance(body, bytes):
            return self._send_pieces(head, body, chunked=chunked)
        self._write_whole(head, body)
        return replied  # no coroutine around it: each exchange would pay for that

    async def relay(self, sink: Callable[[bytes], None]) -> None:
        """Hand the body's bytes to `sink` as they come, until the reply is whole.

        Raises UpstreamCut or UpstreamTimeout after what came before; and what `sink` raises.
        """
        self._sink = sink
        try:
            if self._held:
                self._hand_over(sink)
            if self._busy:
                self._ended = self._loop.create_future()
                await self._ended
        finally:
            self._sink = self._ended = None
        if self._failure is not None:
            raise self._failure

    def pause(self) -> None:
        """Read no more: who takes the reply is slow. That time is not the upstream's."""
        if not self._paused and not self._closing:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._paused and not self._closing:
            self._paused = False
            self._active_at = self._clock()
            self._transport.resume_reading()

    def close(self) -> None:
        """Close at once; what is under way is cut."""
        if not self._closing:
            self._fail(UpstreamCut(ErrorCode.PROVIDER_CUT, "closed on our side"))

    # What its dialler and its pool do with it.

    def abandon(self) -> None:
        """Let go of one whose dialling was given up: uvloop would not say that it is lost."""
        if self._timer.running:
            self.connection_lost(None)

    def rest(self) -> bool:
        """Get ready to wait in the pool; False: it can serve no other exchange."""
        if self._busy or not self._usable or self._closing:
            return False
        if self._transport.get_write_buffer_size() > 0:
            return False
        if self._paused:
            self.resume()
        self._idle_until = self._clock() + self._keepalive
        return True

    def lease(self) -> None:
        """Leave the pool for another exchange."""
        self._idle_until = None
        self.reused = True

    # Sending.

    def _begin(self, until: float, *, no_body: bool) -> None:
        self._reader.expect(no_body=no_body)
        self._busy = True
        self._usable = False
        self._until = until
        self.sent_at = self.first_byte_at = self.last_byte_at = None
        self.whole = False
        self._held.clear()  # of a reply that was whole, but that nobody wanted
        self._held_bytes = 0
        self._timer.by(until)

    def _write_whole(self, head: bytes, body: bytes) -> None:
        if len(body) <= JOIN_BYTES:
            self._transport.write(head + body if body else head)
        else:
            self._transport.writelines((head, body))
        if not self._stalled:  # else once it has drained
            self.sent_at = self._clock()

    async def _send_pieces(
        self, head: bytes, body: AsyncIterator[bytes], *, chunked: bool
    ) -> ResponseHead:
        replied = self._replied
        assert replied is not None  # noqa: S101  # `send` made it
        try:
            async with asyncio.TaskGroup() as group:
                upload = group.create_task(self._upload(head, body, chunked=chunked))
                reply = await replied
                upload.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return reply

    async def _upload(self, head: bytes, body: AsyncIterator[bytes], *, chunked: bool) -> None:
        write = self._transport.write
        lead = head  # goes out with the first piece
        async for piece in body:
            if piece:
                write(lead + (chunk(piece) if chunked else piece))
                lead = b""
                if self._stalled:
                    await self._drain()
        if chunked:
            lead += b"0\r\n\r\n"
        if lead:
            write(lead)
        self.sent_at = self._clock()

    async def _drain(self) -> None:
        self._drained = self._loop.create_future()
        try:
            await self._drained
        finally:
            self._drained = None

    def _wake(self) -> None:
        """Tell who waits that the head or the end is there, or never will be."""
        replied, self._replied = self._replied, None
        if replied is None:
            if self._ended is not None and not self._ended.done():
                self._ended.set_result(None)
        elif replied.done():
            pass  # cancelled
        elif self._reader.head is not None:
            self.length = self._reader.length
            replied.set_result(self._reader.head)
        elif self._failure is not None:
            replied.set_exception(self._failure)

    # Receiving.

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > HELD_BYTES:
            self.pause()

    def _hand_over(self, sink: Callable[[bytes], None]) -> None:
        data = b"".join(self._held)
        self._held.clear()
        if self._held_bytes > HELD_BYTES:
            self.resume()
        sink(data)

    def _finish(self) -> None:
        self._busy = False
        self._usable = self._reader.keep_alive and self.sent_at is not None
        self._wake()

    # Ending.

    def _fail(self, failure: BaseException) -> None:
        """End the connection; an exchange that is under way ends with `failure`."""
        if self._busy and self._failure is None:
            self._failure = failure
        self._busy = False
        self._closing = True
        self._wake()
        self._keeper.dropped(self)
        self._transport.abort()

    def _cut(self, detail: str) -> UpstreamFailure:
        sent_at = self.sent_at
        fresh = sent_at is None or self._clock() - sent_at < STALE_SECONDS
        if self.reused and fresh and self.last_byte_at is None:
            return StaleConnection(ErrorCode.PROVIDER_CUT, detail)
        return UpstreamCut(ErrorCode.PROVIDER_CUT, detail)

    def _lost_unused(self) -> TurnoutError:
        if self.reused:
            return StaleConnection(ErrorCode.PROVIDER_CUT, "closed while it was idle")
        return ConnectFailure(ErrorCode.PROVIDER_CONNECT_FAILED, "closed before it was used")

    # Deadlines.

    def _look(self, now: float) -> float | None:
        """Return the next deadline, or end what has passed its own."""
        deadline, code = self._deadline(now)
        if now < deadline:
            return deadline
        if code is None:
            self.close()
        else:
            self._fail(UpstreamTimeout(code))
        return None

    def _deadline(self, now: float) -> tuple[float, ErrorCode | None]:
        """Return the next deadline and whose it is; None: the pool's, for idle ones."""
        if not self._busy:
            idle_until = self._idle_until
            return (now + self._shortest if idle_until is None else idle_until), None
        due, code = self._step_deadline(now)
        if self._until <= due:
            return self._until, ErrorCode.PROVIDER_TOTAL_TIMEOUT
        return due, code

    def _step_deadline(self, now: float) -> tuple[float, ErrorCode]:
        timeouts = self._timeouts
        if self.first_byte_at is not None:
            active_at = max(self._active_at, self.last_byte_at or 0.0)
            due = float("inf") if self._paused else active_at + timeouts.between_bytes
            return due, ErrorCode.PROVIDER_IDLE_TIMEOUT
        code = ErrorCode.PROVIDER_FIRST_BYTE_TIMEOUT
        if self.sent_at is not None:
            return self.sent_at + timeouts.first_byte, code
        if not self._stalled:  # we wait for the client's next piece
            return float("inf"), code
        unsent = self._transport.get_write_buffer_size()
        if unsent < self._unsent:  # it still takes some
            self._unsent = unsent
            self._active_at = now
        return self._active_at + timeouts.first_byte, code

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the timer."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by type
        self._keeper.made(self)
        self._timer.start()

    def data_received(self, data: bytes) -> None:
        """Read what came, and pass it on at once."""
        if not self._busy:
            self.close()  # nobody asked: whatever this is, the next reply would be wrong
            return
        now = self.last_byte_at = self._clock()
        reader = self._reader
        try:
            reader.feed(data)
        except BadReply as bad:
            self._failure = self._bad(str(bad))
        if self.first_byte_at is None and reader.started:
            self.first_byte_at = now
        self.whole = reader.complete
        sink = self._sink
        body = reader.body
        if body:
            piece = body[0] if len(body) == 1 else b"".join(body)
            body.clear()
            if sink is None:
                self._hold(piece)
            else:
                sink(piece)
        if self._failure is not None:
            self._fail(self._failure)
        elif self.whole:
            self._finish()
        elif sink is None and reader.head is not None:
            self._wake()

    def _bad(self, detail: str) -> UpstreamFailure:
        kind = UpstreamFailure if self._reader.head is None else UpstreamCut
        return kind(ErrorCode.PROVIDER_BAD_REPLY, detail)

    def pause_writing(self) -> None:
        """Note that the peer reads more slowly than we write."""
        self._stalled = True
        self._active_at = self._clock()
        self._unsent = self._transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        """Note that it has caught up."""
        self._stalled = False
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
        elif self._busy and self.sent_at is None:
            self.sent_at = self._clock()

    def eof_received(self) -> None:
        """End with the peer, whose end may be the body's: none but an orderly one is."""
        if self._busy and self._reader.end():
            self._finish()
        self._fail(self._cut("the peer closed"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything; an exception that is not the network's is the sink's."""
        if not self._closing:
            foreign = exc is not None and not isinstance(exc, OSError)
            self._fail(exc if foreign and exc else self._cut("the connection was lost"))
        self._timer.stop()
        self._reader.close()
        self._keeper.gone(self)
