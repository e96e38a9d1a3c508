"""One client connection: bytes to requests, requests to the handler one after the other.

    WAITING   for a request; the start of a head may be there
    BUSY      a request is handled; what comes behind it is kept back, bounded
    CLOSING   the last reply is on its way out; what still comes in is thrown away, bounded

One task lives as long as the connection and handles its requests in turn; it is cancelled when
the client goes away. It knows no routes and writes no words of its own.
"""

import asyncio
import socket
import struct
from collections.abc import Coroutine
from contextlib import suppress
from enum import Enum, auto
from math import inf
from typing import Any, Protocol, cast

from proxy.config.settings import Deadlines, Limits
from proxy.errors import Refusal
from proxy.http.deadlines import LOOK_SECONDS, Alarm, BodyPace, SendPace, has_left, queued
from proxy.http.framing import Intake
from proxy.http.head import Head, Heads, too_late
from proxy.http.reply import Reply
from proxy.http.request import Request

LINGER_SECONDS = 2.0  # to let the client read our last words while it still sends
LINGER_BYTES = 16 * 1024 * 1024
FRESH_SECONDS = 1.0  # for the first request of one too many, or that came as we began to drain
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close at once, with RST
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_OURS = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Service(Protocol):
    """What answers requests."""

    async def handle(self, request: Request, reply: Reply) -> None:
        """Answer one request; cancelled when its client is gone."""
        ...

    def refuse(self, refusal: Refusal, reply: Reply, method: str, target: bytes) -> None:
        """Answer at once what never became a request; what of it is not known is empty."""
        ...


class House(Protocol):
    """What all connections of one edge share."""

    service: Service
    limits: Limits
    deadlines: Deadlines
    heads: Heads
    draining: bool  # replies say that they are the last on their connection
    closing: bool  # draining, and kept connections are closed under their clients
    in_flight: int

    def date(self) -> bytes:
        """Return the value of Date."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a task that the edge awaits when it closes."""
        ...

    def lost(self, connection: "Connection") -> None:
        """Take notice that the connection is no more."""
        ...

    def crashed(self, error: Exception) -> None:
        """Take notice of a bug in the service."""
        ...


class Phase(Enum):
    """Where a connection stands."""

    WAITING = auto()
    BUSY = auto()
    CLOSING = auto()


# An enum's members are slow to look up in Python 3.11: a call each time.
WAITING, BUSY, CLOSING = Phase


class _Unmade(asyncio.Transport):
    """What stands for a transport while there is none."""

    def abort(self) -> None:
        """Do nothing: `connection_made` aborts where the connection was given up before."""


_UNMADE = _Unmade()


class Connection(asyncio.Protocol):
    """One client's connection. `turned_away`: it is one too many; its first request is told so."""

    __slots__ = (
        "_alarm",
        "_body",
        "_due",
        "_gone",
        "_head_begun",
        "_house",
        "_intake",
        "_loop",
        "_paused",
        "_phase",
        "_reply",
        "_request",
        "_send",
        "_served",
        "_task",
        "_thrown_away",
        "_transport",
        "_turned_away",
        "_waiter",
        "_written",
        "write_paused",
    )

    def __init__(self, house: House, turned_away: Refusal | None = None) -> None:
        self._house = house
        self._turned_away = turned_away
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport = _UNMADE
        self._phase = WAITING
        self._gone = False  # nothing more can be read, or written
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[Request | None] | None = None
        self._request: Request | None = None
        self._reply: Reply | None = None
        self._intake = Intake(house.limits)
        self._head_begun = False
        self._served = False  # a request came on it
        self._paused = False  # we do not read
        self._thrown_away = 0
        self.write_paused = False
        self._written = 0  # bytes handed to the transport
        self._alarm = Alarm(self._loop, self._ring)
        self._due = inf  # idle, head, or the last words
        self._body = BodyPace(house.deadlines)
        self._send = SendPace(house.deadlines)

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        # uvloop's transports have asyncio's interface, not its classes.
        self._transport = cast("asyncio.Transport", transport)
        if self._gone:
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=self._house.limits.buffer_bytes)
        brief = self._house.closing or self._turned_away is not None
        patience = FRESH_SECONDS if brief else self._house.deadlines.idle
        self._due = self._alarm.by(self._loop.time() + patience)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent: a body's next bytes, then the next head."""
        if self._phase is CLOSING:
            self._thrown_away += len(data)
            if self._thrown_away > LINGER_BYTES:
                self._transport.abort()
            return
        intake = self._intake
        if intake.receiving is not None:
            data = intake.body(data)
            self._body_came()
            if not data:
                return
        intake.hold(data)
        if self._phase is BUSY:
            if len(intake.waiting) > self._house.limits.head_bytes:
                self._pause_reading()
            return
        request = self._next_request()
        if request is not None:
            self._begin(request)

    def eof_received(self) -> bool:
        """End with the client: who stops sending is taken to be gone, as by nginx."""
        if self._request is None or self._phase is not BUSY:
            return False
        if self._reply is not None and self._reply.finished:
            self._reply.keep = False  # the handler is about to return
            return self._transport.can_write_eof()  # TLS closes by itself
        self.close()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """End: whoever handles a request learns of it by cancellation."""
        self._gone = True
        self._alarm.stop()
        if self._phase is BUSY and (self._reply is None or not self._reply.finished):
            self._cancel()
        self._phase = CLOSING
        self._wake(None)
        self._house.lost(self)

    def pause_writing(self) -> None:
        """Hear that the client takes less than it is sent."""
        self.write_paused = True
        self._alarm.by(self._send.begin(self._loop.time(), self._taken()))
        if self._reply is not None:
            self._reply.flow(paused=True)

    def resume_writing(self) -> None:
        """Hear that the client caught up."""
        self.write_paused = False
        self._send.due = inf
        if self._reply is not None:
            self._reply.flow(paused=False)
        if self._phase is BUSY:
            self._wake(None)
        elif self._phase is CLOSING:
            self._due = self._alarm.by(self._loop.time() + LINGER_SECONDS)

    # What the edge calls

    def drain(self) -> None:
        """Close if idle; where nothing ever came, a first request may be near: wait a moment."""
        if self._phase is not WAITING or self._intake.waiting or self._transport is _UNMADE:
            return
        if self._served:
            self._last_words(linger=False)
        else:
            self._due = self._alarm.by(self._loop.time() + FRESH_SECONDS)

    def close(self) -> None:
        """Cut the connection and cancel what runs on it."""
        self._cancel()
        self._gone = True
        self._transport.abort()

    # What requests and replies call

    def want_body(self) -> None:
        """Ask the client for more of the body: the handler waits for it."""
        request, reply = self._request, self._reply
        if request is not None and request.expects_continue:
            request.expects_continue = False
            if not request.received and reply is not None and not reply.started:
                self.write(_CONTINUE)
            self._await_body(request)
        self._resume_reading()

    def may_keep(self) -> bool:
        """Whether another request can follow."""
        request = self._request
        return (
            request is not None
            and request.head.keep_alive
            and request.complete
            and not self._house.draining
        )

    def date(self) -> bytes:
        """Return the value of Date."""
        return self._house.date()

    def write(self, data: bytes) -> None:
        """Write, or drop where the client is gone."""
        if self._phase is not CLOSING and not self._transport.is_closing():
            self._written += len(data)
            self._transport.write(data)

    def cut(self, *, reset: bool) -> None:
        """Close once what was written is out; `reset`: at once, with RST."""
        if self._gone or self._phase is CLOSING:
            return
        if reset:
            self._phase = CLOSING
            with suppress(OSError):  # the client is closing it too
                self._transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, _RESET
                )
            self._transport.abort()
        else:
            self._last_words(linger=self._request is None or not self._request.complete)

    # Requests, one after the other

    def _next_request(self) -> Request | None:
        """Return the next request if its head is whole; a head that is none is answered."""
        house = self._house
        try:
            raw = self._intake.head()
        except Refusal as refusal:
            self._refuse(refusal, Head())
            return None
        if raw is None:
            if self._intake.waiting and not self._head_begun and self._turned_away is None:
                self._head_begun = True
                self._due = self._alarm.by(self._loop.time() + house.deadlines.head)
            return None
        self._head_begun = False
        head, length = house.heads.read(raw)
        unwanted = head.refusal or self._turned_away
        if unwanted is not None:
            self._refuse(unwanted, head)
            return None
        return Request(head, length, self, house.limits.buffer_bytes)

    def _begin(self, request: Request) -> None:
        """Hand a request to the connection's task."""
        self._phase = BUSY
        self._served = True
        self._due = inf
        self._request = request
        if request.has_body:
            self._intake.expect(request)
            if not request.complete:
                self._body_came()
        if self._task is None:
            self._task = self._house.spawn(self._run(request))
        else:
            self._wake(request)

    async def _run(self, first: Request) -> None:
        request: Request | None = first
        house = self._house
        try:
            while request is not None:
                reply = self._reply = Reply(self, request.head)
                house.in_flight += 1
                try:
                    await house.service.handle(request, reply)
                except Exception as error:  # noqa: BLE001  # the process's edge: a bug ends one
                    house.crashed(error)
                finally:
                    house.in_flight -= 1
                self._ended(request, reply)
                if self.write_paused and not self._gone:
                    await self._turn()  # a client that does not read is not answered further
                request = self._following()
                if self._phase is WAITING:
                    request = await self._turn()
        finally:
            if self._phase is not CLOSING:
                self._transport.abort()

    def _ended(self, request: Request, reply: Reply) -> None:
        """See to what the handler left behind."""
        if not reply.started:
            self.write(_OURS)
        elif not reply.finished:
            reply.abort()
        if not reply.keep or self._house.closing:
            self._last_words(linger=not request.complete)
        self._reply = self._request = None
        self._body.due = inf

    def _following(self) -> Request | None:
        """Begin the next request if it is there, and return it."""
        if self._gone or self._phase is CLOSING:
            return None
        self._phase = WAITING
        self._due = self._alarm.by(self._loop.time() + self._house.deadlines.idle)
        if not self._intake.waiting:
            return None
        request = self._next_request()
        if len(self._intake.waiting) <= self._house.limits.head_bytes:
            self._resume_reading()
        if request is not None:
            self._begin(request)
        return request

    def _turn(self) -> "asyncio.Future[Request | None]":
        """Return what `_wake` fulfils: no coroutine, which would cost each request more."""
        self._waiter = self._loop.create_future()
        return self._waiter

    def _wake(self, request: Request | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(request)

    def _cancel(self) -> None:
        task, self._task = self._task, None  # once: what runs may be cleaning up already
        if task is not None:
            task.cancel()

    # Bodies

    def _body_came(self) -> None:
        """Keep the deadline of a body, and the bound on what of it waits."""
        request = self._request
        if request is None or self._intake.receiving is None:
            self._body.due = inf
        elif request.full:
            self._pause_reading()
        elif self._body.due == inf and not request.expects_continue:
            self._await_body(request)

    def _await_body(self, request: Request) -> None:
        if self._intake.receiving is not None:
            self._alarm.by(self._body.begin(self._loop.time(), request.received))

    def _pause_reading(self) -> None:
        """Leave what the client sends with the kernel, and ask it now and then for its leaving."""
        self._body.due = inf  # now it is we who are slow
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()
            self._alarm.by(self._loop.time() + LOOK_SECONDS)

    def _resume_reading(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
            if self._request is not None:
                self._await_body(self._request)

    # Ends
    def _refuse(self, refusal: Refusal, head: Head) -> None:
        """Answer what is no request, and close."""
        reply = Reply(self, head)
        try:
            self._house.service.refuse(refusal, reply, head.method, head.target)
        except Exception as error:  # noqa: BLE001  # as above
            self._house.crashed(error)
        if not reply.started:
            self.write(_OURS)
        self._last_words(linger=True)

    def _last_words(self, *, linger: bool) -> None:
        """Close once what was written is out.

        `linger`: the client may still be sending. A close now would reset the connection and
        take our last words with it; so say that no more comes, and read on for a moment.
        """
        if self._gone or self._phase is CLOSING:
            return
        self._phase = CLOSING
        self._wake(None)
        self._due = self._alarm.by(self._loop.time() + LINGER_SECONDS)
        self._body.due = inf
        if not linger:
            self._transport.close()
            return
        self._resume_reading()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            try:
                self._transport.write_eof()
            except OSError:  # the client was faster
                self._transport.abort()

    # Deadlines
    def _ring(self) -> None:
        now = self._loop.time()
        if now >= self._due:
            self._overdue(now)
        if now >= self._body.due:
            self._check_body(now)
        if now >= self._send.due:
            self._check_sending(now)
        nearest = min(self._due, self._body.due, self._send.due)
        if self._paused and self._phase is BUSY:
            nearest = min(nearest, now + LOOK_SECONDS)
            if has_left(self._transport.get_extra_info("socket")):
                self.close()
        if nearest < inf and not self._gone:
            self._alarm.by(nearest)

    def _overdue(self, now: float) -> None:
        """End a connection that is idle, stuck in a head, or does not take its last words."""
        self._due = inf
        if self._phase is WAITING and (self._head_begun or self._turned_away is not None):
            late = too_late("The request head did not come in time.")
            self._refuse(self._turned_away or late, Head())
        elif self._transport.get_write_buffer_size():
            if self._send.due == inf:
                self._send.begin(now, self._taken())
        elif self._phase is WAITING:
            self._last_words(linger=False)
        else:
            self._transport.abort()

    def _check_body(self, now: float) -> None:
        request = self._request
        if request is None or self._body.late(now, request.received):
            self._body.due = inf
            self._intake.give_up(too_late("The request body did not come in time."))

    def _check_sending(self, now: float) -> None:
        if self._transport.get_write_buffer_size():
            if self._send.late(now, self._taken()):
                self.close()
            return
        self._send.due = inf
        if self._due == inf and self._phase is not BUSY:
            self._overdue(now)

    def _taken(self) -> int:
        """Return how many bytes the client took, as far as we can know."""
        unsent = self._transport.get_write_buffer_size()
        return self._written - unsent - queued(self._transport.get_extra_info("socket"))
