"""An HTTP receiver in the test's own loop: answers as it is told, and keeps what came."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

Answer = int | None | tuple[int, str, bytes]  # a status; None: hang up; with header lines and body


class Receiver:
    """Gives the answers that it was given, then 204."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = list(answers)
        self.bodies: list[bytes] = []
        self.heads: list[dict[str, str]] = []  # with the request line under ""
        self.came = asyncio.Event()
        self.url = ""
        self._serving: list[tuple[asyncio.Task[None] | None, asyncio.StreamWriter]] = []

    @property
    def posts(self) -> list[Any]:
        """What came, as JSON."""
        return [json.loads(body) for body in self.bodies]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        self._serving.append((asyncio.current_task(), writer))
        try:
            while True:
                line, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
                pairs = (field.partition(": ") for field in fields if field)
                head = {"": line} | {name.lower(): value for name, _, value in pairs}
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(int(head["content-length"])))
                answer = self._answers.pop(0) if self._answers else 204
                if answer is None:
                    break
                status, more, body = answer if isinstance(answer, tuple) else (answer, "", b"")
                said = f"HTTP/1.1 {status} X\r\n{more}content-length: {len(body)}\r\n\r\n"
                writer.write(said.encode() + body)
                await writer.drain()
                self.came.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # who posted closed the connection
        finally:
            writer.close()

    async def next(self) -> None:
        """Wait until something came and was answered."""
        async with asyncio.timeout(10):
            await self.came.wait()
        self.came.clear()

    async def close(self) -> None:
        """Hang up on whoever is still there."""
        for _, writer in self._serving:
            writer.transport.abort()
        await asyncio.gather(*(task for task, _ in self._serving if task is not None))


@asynccontextmanager
async def receiver(*answers: Answer, port: int = 0) -> AsyncIterator[Receiver]:
    """Run a receiver, on any free port unless one is given."""
    found = Receiver(answers)
    server = await asyncio.start_server(found.serve, "127.0.0.1", port)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks/secret-token"
    async with server:
        try:
            yield found
        finally:
            await found.close()
