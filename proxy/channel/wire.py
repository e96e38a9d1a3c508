"""One message after the other on a stream: four bytes of length, then msgpack.

It knows nothing of what the messages mean. Whatever goes wrong with a connection, a peer that
is gone or one that talks nonsense, comes out as ConnectionError.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Generic, TypeVar

import msgspec

MOST = 128 * 1024 * 1024  # bytes in one message; far above what an outbox lets together

_LENGTH = struct.Struct(">I")
_ENCODER = msgspec.msgpack.Encoder()

T = TypeVar("T")


def frame(message: msgspec.Struct) -> bytes:
    """Return `message` as it stands on the wire."""
    body = _ENCODER.encode(message)
    return _LENGTH.pack(len(body)) + body


class Wire(Generic[T]):
    """A connection on which messages of type T (a tagged union) come in."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, incoming: object
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(incoming)

    @classmethod
    async def dial(cls, path: str, incoming: object) -> "Wire[T]":
        """Return a connection to the Unix socket at `path`; an OSError where there is none."""
        return cls(*await asyncio.open_unix_connection(path), incoming)

    @classmethod
    async def on(cls, sock: socket.socket, incoming: object) -> "Wire[T]":
        """Return the connection that `sock`, a connected Unix socket, already is."""
        return cls(*await asyncio.open_unix_connection(sock=sock), incoming)

    async def send(self, message: msgspec.Struct) -> None:
        """Send `message`; returns when the peer may be behind by a buffer at most."""
        self._writer.write(frame(message))
        await self._writer.drain()

    def post(self, message: msgspec.Struct) -> None:
        """Send a small message without waiting; if the peer is gone, nobody is told."""
        if not self._writer.is_closing():  # uvloop raises where asyncio's own loop does not
            self._writer.write(frame(message))

    async def receive(self) -> T:
        """Return the next message, or raise ConnectionError."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > MOST:
                raise ConnectionError(f"a message of {length} bytes is none of ours")
            return self._decoder.decode(await self._reader.readexactly(length))
        except asyncio.IncompleteReadError as end:
            raise ConnectionError("the peer closed the connection") from end
        except msgspec.DecodeError as nonsense:
            raise ConnectionError("the peer sent what is no message of ours") from nonsense

    async def close(self) -> None:
        """Close the connection; a peer that is gone already is no error."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
