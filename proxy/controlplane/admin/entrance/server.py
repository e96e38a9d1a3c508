"""The listener: uvicorn, which has no deadline for requests, with one.

A connection that has not sent a whole request in time is closed, head and body alike; between
requests it may rest for longer. A reader that takes nothing of its answer is closed by the
kernel. What is answered is the application's matter.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 10.0  # from its first byte, or the connection's begin, to its end
KEEP_ALIVE_SECONDS = 30
SEND_SECONDS = 30
STOP_SECONDS = 2
CONNECTIONS = 256
HEAD_BYTES = 16 * 1024


class Prompt(H11Protocol):
    """A connection whose requests must come whole within `seconds`."""

    seconds = REQUEST_SECONDS
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Give the first request its time."""
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        """Take bytes; what they begin has its time, what they end needs none."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Go on with what came meanwhile."""
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._stop()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Start the clock while a request is partly here, stop it otherwise."""
        state = self.conn.their_state
        begun = state is h11.IDLE and bool(self.conn.trailing_data[0])
        if not begun and state is not h11.SEND_BODY:
            self._stop()
        elif self._deadline is None:
            self._start()

    def _start(self) -> None:
        self._deadline = self.loop.call_later(self.seconds, self.transport.abort)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Server(uvicorn.Server):
    """uvicorn without its own ideas of signals, and without its looks at the clock.

    `end` ends it, by the supervisor's word.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Have it close what is idle, and finish what is not."""
        self.should_exit = True
        self._ended.set()

    async def main_loop(self) -> None:
        """Wait for the end: uvicorn's looks ten times a second cost half of an idle control."""
        await self.on_tick(0)  # the headers of every answer
        await self._ended.wait()

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  # uvicorn's name and type
        """Leave the signals alone."""
        yield


@contextlib.asynccontextmanager
async def serve(
    app: ASGIApp, sock: socket.socket, protocol: type[Prompt] = Prompt
) -> AsyncIterator[None]:
    """Serve `app` on a listening socket for the length of the block."""
    _close_idle_readers(sock)
    server = Server(configuration(app, protocol))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield
    finally:
        server.end()
        await serving


def configuration(app: ASGIApp, protocol: type[Any]) -> uvicorn.Config:
    """Return uvicorn's configuration: strict, silent, and believing no header on who calls."""
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # anybody can write X-Forwarded-For, and the audit log has addresses
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _close_idle_readers(sock: socket.socket) -> None:
    """Have the kernel end connections that take no byte for a while; Linux only (tcp(7))."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = 1000 * SEND_SECONDS
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
