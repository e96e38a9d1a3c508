"""Edges for tests, with a service that does what the test says."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from proxy.config.settings import Deadlines, Limits
from proxy.errors import Refusal
from proxy.http import Edge, Reply, Request, render

Handler = Callable[[Request, Reply], Awaitable[None]]

NO_FIELDS = render([])


async def echo(request: Request, reply: Reply) -> None:
    """Answer with the request's method, path and body."""
    body = await request.read(1 << 20)
    seen = f"{request.method} {request.path}".encode()
    reply.send(200, [], b" ".join((seen, body)) if body else seen)


@dataclass
class Flow:
    """What a reply is made of, as far as it can make a pause."""

    pause: Callable[[], None]
    resume: Callable[[], None]


@dataclass
class Refused:
    """What never became a request."""

    status: int
    method: str
    target: bytes


class Guest:
    """A service that keeps what it saw; refusals raised by a handler are answered."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[Request] = []
        self.refused: list[Refused] = []

    async def handle(self, request: Request, reply: Reply) -> None:
        self.requests.append(request)
        try:
            await self.handler(request, reply)
        except Refusal as refusal:
            if reply.started:
                reply.abort()
            else:
                reply.send(refusal.status, [], b"", close=refusal.close)

    def refuse(self, refusal: Refusal, reply: Reply, method: str, target: bytes) -> None:
        self.refused.append(Refused(refusal.status, method, target))
        reply.send(refusal.status, [], b"", close=True)


class Running:
    """One edge that runs."""

    def __init__(self, edge: Edge, guest: Guest, port: int) -> None:
        self.edge = edge
        self.guest = guest
        self.port = port

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


class House:
    """All edges of one test."""

    def __init__(self, make: Callable[[Handler], Guest]) -> None:
        self._make = make
        self._running: list[Running] = []
        self.crashes: list[Exception] = []

    async def open(
        self,
        handler: Handler = echo,
        *,
        limits: Limits | None = None,
        deadlines: Deadlines | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Running:
        """Run an edge on a free port."""
        guest = self._make(handler)
        edge = Edge(
            guest,
            limits=limits or Limits(),
            deadlines=deadlines or Deadlines(),
            crashed=self.crashes.append,
        )
        # proto=0 is what a socket handed over from another process says of itself.
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        await edge.serve(sock, tls)
        running = Running(edge, guest, sock.getsockname()[1])
        self._running.append(running)
        return running

    async def close(self) -> None:
        """Close all edges; afterwards only the test's own task is left."""
        for running in self._running:
            await running.edge.close()
            assert running.edge.connections == 0
            assert running.edge.in_flight == 0
        assert self.crashes == []
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in others if "proxy" in repr(task.get_coro())]
