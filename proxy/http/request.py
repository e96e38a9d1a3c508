"""A request as its handler sees it: the head, and a body that is read whole or piece by piece.

The body arrives while the handler runs. Bytes that nobody took yet are bounded: `full` tells
the connection to stop reading its client. It knows nothing of framing or sockets.
"""

import asyncio
from typing import Protocol

from proxy.errors import Refusal
from proxy.exchange import ErrorCode
from proxy.http.head import Head


class Source(Protocol):
    """Where a body comes from."""

    def want_body(self) -> None:
        """Ask for more of the body than has come: the handler waits for it."""
        ...


class Request:
    """One request: its head, and the length and state of its body."""

    __slots__ = (
        "_failure",
        "_pieces",
        "_queued",
        "_room",
        "_source",
        "_waiter",
        "complete",
        "content_length",
        "expects_continue",
        "has_body",
        "head",
        "header",
        "method",
        "path",
        "received",
    )

    def __init__(
        self,
        head: Head,
        content_length: int | None,
        source: Source,
        room: int,
    ) -> None:
        self.head = head
        self.method = head.method
        self.path = head.path
        self.header = head.header
        self.content_length = content_length
        self.has_body = head.chunked or bool(content_length)
        self.expects_continue = head.expects_continue and self.has_body
        self.complete = not self.has_body  # all of it has come
        self.received = 0  # bytes of the body so far
        self._source = source
        self._room = room  # bytes that may wait to be taken
        self._pieces: list[bytes] = []
        self._queued = 0
        self._failure: Refusal | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def read(self, limit: int) -> bytes:
        """Return the whole body once it has come; raises Refusal 413 above `limit`, 408, 400."""
        await self.whole(limit)
        return self.body(limit)

    async def whole(self, limit: int) -> None:
        """Wait until the whole body has come; raises as `read` does."""
        self._check(limit)
        self._room = max(self._room, limit)
        while not self.complete:
            await self._more()
            self._check(limit)

    def body(self, limit: int) -> bytes:
        """Return the body of a complete request; raises Refusal 413 above `limit` bytes."""
        self._check(limit)
        pieces, self._pieces, self._queued = self._pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def stream(self, limit: int) -> "Pieces":
        """Return the body piece by piece, as it comes; raises as `read` does."""
        self._check(limit)
        return Pieces(self, limit)

    async def take(self, limit: int) -> bytes | None:
        """Return what has come since the last call, waiting for some; None: it was the whole."""
        while not self._pieces:
            if self.complete:
                return None
            await self._more()
        self._check(limit)
        taken = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._queued = [], 0
        return taken

    def _check(self, limit: int) -> None:
        if self.received > limit or (self.content_length or 0) > limit:
            raise Refusal(
                413, ErrorCode.CALLER_BODY_TOO_LARGE, "The request body is too large.", close=True
            )

    async def _more(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._source.want_body()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
        if self._failure is not None:
            raise self._failure

    # What follows is the connection's end of it.

    @property
    def full(self) -> bool:
        """Whether more waits to be taken than may."""
        return self._queued > self._room

    def feed(self, data: bytes) -> None:
        """Add the next bytes of the body."""
        size = len(data)
        self.received += size
        self._queued += size
        self._pieces.append(data)
        if self._waiter is not None:
            self._wake()

    def end(self) -> None:
        """Say that the body is whole."""
        self.complete = True
        if self._waiter is not None:
            self._wake()

    def fail(self, failure: Refusal) -> None:
        """Say that the body will never be whole; whoever reads it is told."""
        self._failure = failure
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Pieces:
    """A body, piece by piece; no generator, so that nothing is left to close when dropped."""

    __slots__ = ("_limit", "_request")

    def __init__(self, request: Request, limit: int) -> None:
        self._request = request
        self._limit = limit

    def __aiter__(self) -> "Pieces":
        return self

    async def __anext__(self) -> bytes:
        piece = await self._request.take(self._limit)
        if piece is None:
            raise StopAsyncIteration
        return piece
