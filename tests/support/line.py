"""A TCP line to a server of this host, that a test can cut and join again.

async with line(port) as cable:
    ... cable.port ...
    cable.cut()
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK = 65536


class Line:
    """Passes bytes on to `to`, a port; while it is cut, connections are dropped."""

    def __init__(self, to: int) -> None:
        self.port = 0
        self._to = to
        self._whole = True
        self._ends: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Drop all connections, and those that come."""
        self._whole = False
        for end in self._ends:
            end.transport.abort()

    def join(self) -> None:
        """Pass bytes on again."""
        self._whole = True

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._ends.add(writer)
        with suppress(OSError):
            if self._whole:
                there, back = await asyncio.open_connection("127.0.0.1", self._to)
                self._ends.add(back)
                async with asyncio.TaskGroup() as both:
                    both.create_task(copy(reader, back))
                    both.create_task(copy(there, writer))
        writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes to their end, then end the other side."""
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def line(to: int) -> AsyncIterator[Line]:
    """Lay a line to the port `to`."""
    made = Line(to)
    server = await asyncio.start_server(made.pass_on, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.cut()
