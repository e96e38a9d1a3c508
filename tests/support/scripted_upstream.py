"""A model server that does what a test tells it to, and remembers what was done to it.

    async with scripted_upstream() as upstream:
        upstream.will(json_reply({"ok": True}))                  # the next request gets this
        upstream.will([*stream_reply(b"data: 1\\n\\n")[:2], RESET])  # and the one after is reset
        upstream.by_default = stream_reply(*chat_events("Hello", " you"))
        ... send requests to upstream.port ...
        seen = await upstream.request()          # the next request, in the order of arrival
        assert seen.json()["model"] == "base"
        await seen.connection.closed.wait()      # the client let go of it

A *script* is a list of steps, played when a request has arrived whole:

    bytes          written on their own, so that they arrive as one read
    asyncio.Event  wait until the test sets it
    FIN            close; HALF_CLOSE: send FIN, read on
    RESET          close with RST (SO_LINGER 0)
    HANG           do nothing until the client closes

After its last step the connection serves the next request. A script may also be a function
from the request to a list of steps. `upstream.at_connect` is played on each new connection
before anything is read; `upstream.read_bodies = False` plays scripts once the head is there.

Scripts for faults are cut out of good ones: `cut(steps, 17, RESET)` sends 17 bytes, then RST.
Where nobody answers at all: `refusing_port()` and `black_hole_port()`.
"""

import asyncio
import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
from typing import Any, cast

PATIENCE = 10.0  # seconds a test waits for what must come


class Act(Enum):
    """What a script can do other than write and wait."""

    FIN = "fin"
    HALF_CLOSE = "half close"
    RESET = "reset"
    HANG = "hang"


FIN, HALF_CLOSE, RESET, HANG = Act.FIN, Act.HALF_CLOSE, Act.RESET, Act.HANG

Step = bytes | asyncio.Event | Act
Steps = list[Step]
Script = Sequence[Step] | Callable[["SeenRequest"], Sequence[Step]]
HeaderLines = Iterable[tuple[str, str]]


class SeenRequest:
    """A request as it arrived, byte for byte."""

    def __init__(self, connection: "SeenConnection", head: bytes, body: bytes) -> None:
        self.connection = connection
        self.head = head
        self.body = body  # without its chunked framing
        line, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        method, target, _ = line.split(b" ", 2)
        self.method, self.target = method.decode(), target.decode()
        pairs = [field.partition(b":") for field in fields]
        self.headers = [
            (name.decode("latin-1"), value.strip().decode("latin-1")) for name, _, value in pairs
        ]

    def header(self, name: str) -> str | None:
        """Return the first value of a header."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        """Return the body's value."""
        return json.loads(self.body)


class SeenConnection(asyncio.Protocol):
    """One connection that was made to the upstream."""

    def __init__(self, upstream: "ScriptedUpstream") -> None:
        self._upstream = upstream
        self._transport: asyncio.Transport
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._task: asyncio.Task[None] | None = None
        self.closed = asyncio.Event()  # the client closed it, or we did
        self.closed_by_client = False
        self.stalled = asyncio.Event()  # the client stopped reading
        self.written = 0  # bytes
        self.requests = 0

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to serve."""
        self._transport = cast("asyncio.Transport", transport)
        self._upstream.connections.append(self)
        self._task = asyncio.get_running_loop().create_task(self._serve())
        self._upstream.tasks.add(self._task)
        self._task.add_done_callback(self._upstream.tasks.discard)

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        self._buffer += data
        self._arrived.set()

    def pause_writing(self) -> None:
        """Stop: the client does not read."""
        self.stalled.set()
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def eof_received(self) -> None:
        """Note that the client let go."""
        self.closed_by_client = True
        self.closed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end, and end the script."""
        if exc is not None:
            self.closed_by_client = True
        self.closed.set()
        if self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        """Close at once."""
        self._transport.abort()

    # Serving.

    async def _serve(self) -> None:
        await self._play(self._upstream.at_connect)
        while not self._transport.is_closing():
            head = await self._read_past(b"\r\n\r\n")
            body = await self._read_body(head) if self._upstream.read_bodies else b""
            request = SeenRequest(self, head, body)
            self.requests += 1
            script = self._upstream.next_script(request)
            await self._play(script(request) if callable(script) else script)

    async def _read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._more()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def _read_past(self, mark: bytes) -> bytes:
        while (found := self._buffer.find(mark)) < 0:
            await self._more()
        return await self._read(found + len(mark))

    async def _more(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()

    async def _read_body(self, head: bytes) -> bytes:
        fields = {
            name.strip().lower(): value.strip().lower()
            for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
        }
        if fields.get(b"transfer-encoding") == b"chunked":
            return await self._read_chunks()
        return await self._read(int(fields.get(b"content-length", b"0")))

    async def _read_chunks(self) -> bytes:
        body = b""
        while size := int(await self._read_past(b"\r\n"), 16):
            body += (await self._read(size + 2))[:-2]
        await self._read(2)
        return body

    # Playing.

    async def _play(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if isinstance(step, bytes):
                await self._write(step)
            elif isinstance(step, asyncio.Event):
                await step.wait()
            else:
                await self._act(step)

    async def _write(self, data: bytes) -> None:
        self._transport.write(data)
        self.written += len(data)
        await self._writable.wait()
        for _ in range(3):  # turns of the loop, in which a client in it reads just this
            await asyncio.sleep(0)

    async def _act(self, act: Act) -> None:
        if act is Act.HALF_CLOSE:
            self._transport.write_eof()
            return
        if act is Act.RESET:
            reset_on_close(self._transport.get_extra_info("socket"))
            self._transport.abort()
        elif act is Act.FIN:
            self._transport.close()
        await asyncio.Event().wait()  # until connection_lost cancels us


class ScriptedUpstream:
    """A server on a port of this machine; see the top of this module."""

    def __init__(self) -> None:
        self.by_default: Script = json_reply({"object": "chat.completion", "choices": []})
        self.at_connect: Sequence[Step] = ()
        self.read_bodies = True
        self.requests: list[SeenRequest] = []
        self.connections: list[SeenConnection] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self._scripts: deque[Script] = deque()
        self._arrivals: asyncio.Queue[SeenRequest] = asyncio.Queue()

    def will(self, *scripts: Script) -> None:
        """Answer the next requests by these, one each."""
        self._scripts.extend(scripts)

    async def request(self) -> SeenRequest:
        """Return the next request that nobody has asked for yet."""
        async with asyncio.timeout(PATIENCE):
            return await self._arrivals.get()

    @property
    def open_connections(self) -> int:
        """Return how many connections are not closed."""
        return sum(not each.closed.is_set() for each in self.connections)

    async def all_closed(self) -> None:
        """Wait until no connection is open."""
        async with asyncio.timeout(PATIENCE):
            for connection in self.connections:
                await connection.closed.wait()

    def next_script(self, request: SeenRequest) -> Script:
        """Note a request, and return what is to be played for it."""
        self.requests.append(request)
        self._arrivals.put_nowait(request)
        return self._scripts.popleft() if self._scripts else self.by_default

    def forget(self) -> None:
        """Forget what is over, for a server that runs for long."""
        self.requests.clear()
        self.connections = [each for each in self.connections if not each.closed.is_set()]
        while not self._arrivals.empty():
            self._arrivals.get_nowait()

    async def close(self) -> None:
        """Close every connection."""
        for connection in self.connections:
            connection.close()
        if self.tasks:
            await asyncio.wait(set(self.tasks))


@asynccontextmanager
async def scripted_upstream(tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedUpstream]:
    """Run a scripted upstream on a free port of 127.0.0.1."""
    upstream = ScriptedUpstream()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SeenConnection(upstream), "127.0.0.1", 0, ssl=tls)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        await upstream.close()
        await server.wait_closed()


def reset_on_close(sock: socket.socket) -> None:
    """Make the next close of a socket an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def refusing_port() -> Iterator[int]:
    """Hold a port on which connections are refused."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))  # bound, so nobody else gets it; not listening
        yield sock.getsockname()[1]


@contextmanager
def black_hole_port() -> Iterator[int]:
    """Hold a port whose queue is full: connecting to it gets no answer at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        fillers = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)  # noqa: FBT003  # socket's own signature
            filler.connect_ex(sock.getsockname())
        try:
            yield sock.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()


# Replies.


def head(status: int = 200, reason: str = "OK", headers: HeaderLines = ()) -> bytes:
    """Return a reply's head."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def plain_reply(body: bytes, status: int = 200, headers: HeaderLines = ()) -> Steps:
    """Return a reply with a content-length, in one write."""
    return [head(status, headers=[*headers, ("Content-Length", str(len(body)))]) + body]


def json_reply(value: Any, status: int = 200, headers: HeaderLines = ()) -> Steps:
    """Return a reply whose body is JSON."""
    body = json.dumps(value).encode()
    return plain_reply(body, status, [("Content-Type", "application/json"), *headers])


def error_reply(status: int, *, retry_after: str | None = None) -> Steps:
    """Return an error in OpenAI's shape, with Retry-After if given."""
    headers = [] if retry_after is None else [("Retry-After", retry_after)]
    error = {"message": f"scripted {status}", "type": "scripted", "param": None, "code": None}
    return json_reply({"error": error}, status, headers)


def stream_reply(*pieces: bytes, status: int = 200, chunked: bool = True) -> Steps:
    """Return a stream of events: its head, then each piece on its own; not chunked: until FIN."""
    headers = [("Content-Type", "text/event-stream")]
    if not chunked:
        return [head(status, headers=[*headers, ("Connection", "close")]), *pieces, FIN]
    start = head(status, headers=[*headers, ("Transfer-Encoding", "chunked")])
    return [start, *map(chunk, pieces), b"0\r\n\r\n"]


def chunk(data: bytes) -> bytes:
    """Return one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(value: Any, end: bytes = b"\n") -> bytes:
    """Return one server-sent event whose data is JSON; `end` ends its lines."""
    data = json.dumps(value, ensure_ascii=False).encode()
    return b"data: " + data + end + end


def chat_events(
    *words: str, model: str = "base", usage: bool = False, end: bytes = b"\n"
) -> list[bytes]:
    """Return a chat completion's events, `[DONE]` included; `end`: \\n, \\r or \\r\\n."""

    def part(delta: dict[str, str], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event({**common, "choices": [choice], **more}, end)

    common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": model}
    events = [part({"role": "assistant", "content": ""})]
    events += [part({"content": word}) for word in words]
    events.append(part({}, "stop"))
    if usage:
        counts = {
            "prompt_tokens": 7,
            "completion_tokens": len(words),
            "total_tokens": 7 + len(words),
        }
        events.append(event({**common, "choices": [], "usage": counts}, end))
    return [*events, b"data: [DONE]" + end + end]


def recut(pieces: Sequence[bytes], size: int) -> list[bytes]:
    """Return the same bytes in pieces of `size`: through words, UTF-8 and line ends alike."""
    whole = b"".join(pieces)
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def cut(steps: Sequence[Step], size: int, act: Act = FIN) -> Steps:
    """Return the first `size` bytes of a script, in its own writes, and then `act`."""
    kept: Steps = []
    for step in steps:
        if isinstance(step, bytes):
            kept.append(step[:size])
            size -= len(step)
            if size <= 0:
                break
        else:
            kept.append(step)
    return [*kept, act]
