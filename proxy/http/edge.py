"""The edge: takes connections, bounds their number, and lets them end.

It accepts by itself rather than through the loop's server: so a socket that was handed over, a
full house and a process without free files are all its own to answer. It knows nothing of
requests; each `Connection` does.
"""

import asyncio
import errno
import os
import resource
import socket
import ssl
import time
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from email.utils import formatdate
from typing import Any

from proxy.config.settings import Deadlines, Limits
from proxy.errors import Refusal
from proxy.exchange import ErrorCode
from proxy.http.connection import Connection, Service
from proxy.http.head import Heads

BACKLOG = 4096
SPARE = 64  # files kept for other things than connections, and connections to turn away
RETRY_AFTER = 1.0  # seconds, for those turned away
BREATH = 0.1  # seconds without accepting, once the process is out of files
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"retry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class Edge:
    """The HTTP server of one worker.

    `crashed` hears of bugs in the service; `wall` is seconds since the epoch.
    """

    def __init__(
        self,
        service: Service,
        *,
        limits: Limits,
        deadlines: Deadlines,
        crashed: Callable[[Exception], None] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.service = service
        self.limits = limits
        self.heads = Heads(limits)
        self.deadlines = deadlines
        self.draining = False
        self.closing = False  # draining, and kept connections are closed under their clients
        self.in_flight = 0
        self.shed = 0  # connections cut at the door, without a word in HTTP's own time
        self._crashed = crashed
        self._wall = wall
        self._capacity = room(limits)
        self._listeners: dict[socket.socket, ssl.SSLContext | None] = {}
        self._resting: frozenset[socket.socket] = frozenset()  # those of them not accepted on
        self._open: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._admissions: set[asyncio.Task[None]] = set()  # those of them that make connections
        self._empty = asyncio.Event()
        self._empty.set()
        self._second = 0
        self._date = b""
        self._reserve = -1  # a file kept to turn clients away with when there are no others

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def adopt(self, limits: Limits, deadlines: Deadlines) -> None:
        """Hold clients to these from now on; what has begun to count, counts on as it did."""
        if limits != self.limits:
            self.limits = limits
            self.heads = Heads(limits)
            self._capacity = room(limits)
        self.deadlines = deadlines

    async def serve(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept on `sock`, a bound stream socket; it is the edge's to close from now on."""
        self._hold_reserve()
        sock.settimeout(0)
        sock.listen(BACKLOG)
        self._listeners[sock] = tls
        asyncio.get_running_loop().add_reader(sock, self._accept, sock)

    def accept_on(self, chosen: Collection[socket.socket]) -> None:
        """Accept on the chosen sockets only; the others are still held, and closed in the end."""
        loop = asyncio.get_running_loop()
        self._resting = frozenset(self._listeners.keys() - set(chosen))
        for sock in self._listeners:
            if sock in self._resting:
                loop.remove_reader(sock)
            else:
                loop.add_reader(sock, self._accept, sock)

    def stop_accepting(self, *, last: bool = True) -> None:
        """Close the listening sockets; the `last` to hold them takes what waits in them."""
        loop = asyncio.get_running_loop()
        for sock in list(self._listeners):
            loop.remove_reader(sock)
            while last and self._accept(sock):
                pass
            del self._listeners[sock]
            sock.close()

    def drain(self, *, patient: bool = False) -> None:
        """Close idle connections; busy ones end with their exchange.

        `patient`: a connection whose client was told that it stays open is not closed under it;
        the next reply on it says that it is the last, or it ends with its idle time.
        """
        self.draining = True
        self.closing = not patient
        for connection in () if patient else list(self._open):
            connection.drain()

    async def wait_idle(self) -> None:
        """Return once no connection is left."""
        await self._empty.wait()

    async def close(self) -> None:
        """Cut what is left, and await every task."""
        self.stop_accepting()
        for connection in list(self._open):
            connection.close()
        await asyncio.sleep(0)  # a task must have begun to clean up after itself
        for task in self._admissions:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._empty.wait()
        self._free_reserve()

    # What connections call

    def date(self) -> bytes:
        """Return the value of Date, made once a second."""
        now = self._wall()
        if int(now) != self._second:
            self._second = int(now)
            self._date = formatdate(self._second, usegmt=True).encode("ascii")
        return self._date

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a task; `close` awaits it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def lost(self, connection: Connection) -> None:
        """Forget a connection."""
        self._open.discard(connection)
        if not self._open:
            self._empty.set()

    def crashed(self, error: Exception) -> None:
        """Pass a bug on to whoever wants to know; by default to the loop's exception handler."""
        if self._crashed is not None:
            self._crashed(error)
        else:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the HTTP service failed", "exception": error}
            )

    # The door

    def _accept(self, sock: socket.socket) -> bool:
        """Take one connection, so that workers on one socket share them; False: there is none."""
        try:
            client, _ = sock.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            self._out_of_files(sock)
            return False
        if len(self._open) >= self._capacity + SPARE:
            self._shed(client)
            return True
        client.settimeout(0)
        if client.family != socket.AF_UNIX:
            # The loops disagree on this one; without it, replies wait 40 ms for an ACK.
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        full = len(self._open) >= self._capacity
        connection = Connection(self, turned_away() if full else None)
        self._open.add(connection)
        self._empty.clear()
        task = self.spawn(self._admit(client, connection, self._listeners[sock]))
        self._admissions.add(task)
        task.add_done_callback(self._admissions.discard)
        return True

    async def _admit(
        self, client: socket.socket, connection: Connection, tls: ssl.SSLContext | None
    ) -> None:
        """Make the connection, TLS handshake included."""
        patience = self.deadlines.head if tls is not None else None
        made = False
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection, client, ssl=tls, ssl_handshake_timeout=patience
            )
            made = True
        except OSError:
            pass  # no handshake, or gone before it: nobody is left to be told
        finally:
            if not made:  # the transport closes the socket
                self.lost(connection)

    def _out_of_files(self, sock: socket.socket) -> None:
        """Turn one client away with the file kept for that, then rest: others may free some."""
        self._free_reserve()
        with suppress(OSError):
            self._shed(sock.accept()[0])
        self._hold_reserve()
        loop = asyncio.get_running_loop()
        loop.remove_reader(sock)
        loop.call_later(BREATH, self._resume, sock)

    def _resume(self, sock: socket.socket) -> None:
        if sock in self._listeners and sock not in self._resting:
            asyncio.get_running_loop().add_reader(sock, self._accept, sock)

    def _hold_reserve(self) -> None:
        if self._reserve < 0:
            with suppress(OSError):  # next time
                self._reserve = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def _free_reserve(self) -> None:
        if self._reserve >= 0:
            os.close(self._reserve)
            self._reserve = -1

    def _shed(self, client: socket.socket) -> None:
        """Turn a client away without a connection of its own; TLS ones just see it close."""
        self.shed += 1
        with client, suppress(OSError):
            client.settimeout(0)
            client.send(_FULL)
            client.shutdown(socket.SHUT_WR)
            client.recv(65536)  # unread bytes would turn the close into a reset


def room(limits: Limits) -> int:
    """Return how many connections there may be: those that are wanted, as far as they fit."""
    fit = capacity()
    return min(limits.connections or fit, fit)


def capacity() -> int:
    """Return how many clients fit into the files this process may open: each needs two."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, (soft - SPARE) // 2 - SPARE)


def turned_away() -> Refusal:
    """Return the refusal of a connection that is one too many."""
    return Refusal(
        503,
        ErrorCode.POLICY_OVERLOADED,
        "Too many connections are open here.",
        retry_after=RETRY_AFTER,
        close=True,
    )
