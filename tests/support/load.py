"""Clients that never stop, and take every failure personally: nobody tries anything again.

    async with load(turnout.port) as under:
        await under.more(100)        # until so many requests more were answered
        ... kill, restart, upgrade ...
        await under.more(100)
    assert under.failures == []

Streams are open beside them for as long as the upstream's `Valve` is closed.

Half of them make a connection for each request, half keep theirs until a reply says that it is
the last on it. A request whose answer does not come whole is a failure, whatever the reason.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from proxy.config.settings import Timeouts
from tests.support.beside import beside
from tests.support.patience import eventually, pace
from tests.support.process import say
from tests.support.scripted_upstream import (
    ScriptedUpstream,
    SeenRequest,
    Steps,
    json_reply,
    stream_reply,
)

PATIENCE = 30.0
ROUNDS = int(os.environ.get("TURNOUT_TEST_ROUNDS", "3"))  # kills, restarts, upgrades a test
PACE = 0.05  # seconds a client rests after each request: what is shown is no speed
REQUEST = b"GET /v1/x HTTP/1.1\r\nHost: turnout\r\n\r\n"


# What upstreams need while a stream says nothing for as long as a test takes.
PATIENT = Timeouts(between_bytes=3600.0, total=3600.0)


class Load:
    """What the clients have seen so far."""

    def __init__(self, port: int, request: bytes) -> None:
        self.answered = 0
        self.failures: list[str] = []
        self._port = port
        self._request = request

    async def more(self, count: int, seconds: float = PATIENCE) -> None:
        """Wait until `count` requests more were answered."""
        wanted = self.answered + count

        async def answered() -> int:
            return self.answered

        await eventually(answered, lambda seen: seen >= wanted, seconds=seconds)

    def report(self, what: str, cut: int, streams: int) -> None:
        """Say on stderr what it cost."""
        failed = len(self.failures)
        asked = self.answered + failed
        say(
            f"{ROUNDS} {what}: {failed} of {asked} requests failed, {cut} of {streams} streams cut"
        )

    async def client(self, *, keep: bool) -> None:
        """Ask, for ever."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._connection(keep=keep)
            except (OSError, EOFError, AssertionError, TimeoutError) as error:
                self.failures.append(repr(error))

    async def _connection(self, *, keep: bool) -> None:
        """Ask on one connection until it ends, or for a good while."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            for _ in range(200 if keep else 1):
                writer.write(self._request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                assert head.startswith(b"http/1.1 200 "), head
                await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
                self.answered += 1
                if b"connection: close" in head:
                    return
                await pace(PACE)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def load(port: int, clients: int = 8, request: bytes = REQUEST) -> AsyncIterator[Load]:
    """Keep so many clients busy."""
    under = Load(port, request)
    async with beside(*(under.client(keep=n % 2 == 0) for n in range(clients))):
        yield under


class Valve:
    """An upstream's script: streams say "one", and "two" and their end once it was opened."""

    def __init__(self, server: ScriptedUpstream) -> None:
        self._opened = asyncio.Event()
        server.by_default = self._script

    def open(self) -> None:
        """Let every stream there is end; those that come later wait for the next time."""
        self._opened.set()
        self._opened = asyncio.Event()

    def _script(self, request: SeenRequest) -> Steps:
        if not request.target.endswith("/stream"):
            return json_reply({"ok": True})
        first, second, *end = stream_reply(b"one", b"two")
        return [first, second, self._opened, *end]


class Streams:
    """Streams that are open; each is read by a task of its own to its very end."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[bool]] = []

    async def open(self, port: int, count: int) -> None:
        """Open `count` streams more, and wait until the first words of each have come."""
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: turnout\r\n\r\n")
            async with asyncio.timeout(PATIENCE):
                await reader.readuntil(b"one\r\n")
            self._tasks.append(asyncio.create_task(self._rest(reader, writer)))

    async def _rest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read on; whether it came to its proper end."""
        try:
            return (await reader.readuntil(b"0\r\n\r\n")).startswith(b"3\r\ntwo")
        except (OSError, EOFError):
            return False
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def cut(self) -> int:
        """Wait for the end of all, forget them, and return how many broke off."""
        tasks, self._tasks = self._tasks, []
        async with asyncio.timeout(PATIENCE):
            return (await asyncio.gather(*tasks)).count(False)

    @property
    def open_still(self) -> int:
        """Return how many have not ended."""
        return sum(not task.done() for task in self._tasks)
