"""What is written to the client: status, headers, framing, body, and how it ends.

None of it blocks: a slow client is told of through `on_flow`. It knows the rules of reply
framing; bytes go to a `Wire`, which knows the socket.
"""

from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

from proxy.http.framing import chunk
from proxy.http.head import ALLOW, Head
from proxy.http.headers import Fields, Headers, render, writable

_LINES = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode() for each in HTTPStatus}
_BODILESS = frozenset({204, 304})
_CLOSE = b"connection: close\r\n"
_KEEP = b"connection: keep-alive\r\n"  # HTTP/1.0 clients must be told
_ALLOW = b"allow: %s\r\n" % ALLOW  # a 405 must say it (RFC 9110, 15.5.6)
_CHUNKED = b"transfer-encoding: chunked\r\n"


class Wire(Protocol):
    """The connection as a reply needs it."""

    write_paused: bool

    def may_keep(self) -> bool:
        """Whether another request can follow on this connection."""
        ...

    def date(self) -> bytes:
        """Return the value of Date."""
        ...

    def write(self, data: bytes) -> None:
        """Write, or drop where the client is gone."""
        ...

    def cut(self, *, reset: bool) -> None:
        """Close once what was written is out; `reset`: so that it can't look like an end."""
        ...


class Flow(Protocol):
    """Who makes what a reply is made of, and can make a pause."""

    def pause(self) -> None:
        """Hear that the client fell behind."""
        ...

    def resume(self) -> None:
        """Hear that it caught up."""
        ...


class Reply:
    """One reply; `send` writes it whole, or `start`, `write` ... and `finish` or `abort`."""

    __slots__ = (
        "_chunked",
        "_flow",
        "_head_only",
        "_held",
        "_http11",
        "_left",
        "_wire",
        "body_bytes",
        "finished",
        "keep",
        "started",
        "status",
    )

    def __init__(self, wire: Wire, head: Head) -> None:
        self.started = False  # something went out, or is about to
        self.finished = False
        self.status: int | None = None
        self.body_bytes = 0  # of the body, without framing
        self.keep = False  # the client was told that the connection stays
        self._wire = wire
        self._head_only = head.method == "HEAD"
        self._http11 = head.http11
        self._held: bytes | None = None  # a head that waits for its first body bytes
        self._chunked = False
        self._left: int | None = None  # bytes of body still due; None: not known
        self._flow: Flow | None = None

    def send(self, status: int, headers: Headers, body: bytes, *, close: bool = False) -> None:
        """Write a whole reply at once; ValueError where a header can't be written."""
        framing = b"" if status == 204 else b"content-length: %d\r\n" % len(body)
        if status == 405:
            framing += _ALLOW
        head = self._head(status, _line(status, b""), render(headers), framing, close=close)
        self.finished = True
        if self._head_only or status in _BODILESS:
            self._wire.write(head)
        else:
            self.body_bytes = len(body)
            self._wire.write(head + body)

    def start(self, status: int, reason: bytes, fields: Fields, *, length: int | None) -> None:
        """Begin a reply; its head goes out with the first `write` or with the end.

        `fields` come rendered: who passes replies on has most of them from the one before.
        `length`: bytes of body to come; None: chunked, or for HTTP/1.0 until the close.
        ValueError where `reason` can't be written.
        """
        framing, close = b"", False
        bodiless = self._head_only or status in _BODILESS
        if length is not None and status != 204:
            framing = b"content-length: %d\r\n" % length
        elif not bodiless:
            self._chunked = self._http11
            framing = _CHUNKED if self._http11 else b""
            close = not self._http11
        self._held = self._head(status, _line(status, reason), fields, framing, close=close)
        self._left = 0 if bodiless else length
        self._head_only = bodiless

    def write(self, data: bytes) -> None:
        """Write the next bytes of the body; beyond the announced length the reply is cut."""
        if self.finished or self._head_only or not data:
            return
        self.body_bytes += len(data)
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self.abort()
                return
        held, self._held = self._held, None
        if self._chunked:
            data = chunk(data)
        if held is not None:
            data = held + data
        self._wire.write(data)

    def finish(self, data: bytes = b"") -> None:
        """End the reply properly, with its last bytes; one shorter than announced is cut."""
        if not self._chunked:
            self.write(data)
        if self.finished:
            return
        if self._left:
            self.abort()
            return
        self.finished = True
        rest = self._held or b""
        if self._chunked:  # the end goes with what it ends: one write
            self.body_bytes += len(data)
            rest += (chunk(data) if data else b"") + b"0\r\n\r\n"
        if rest:
            self._wire.write(rest)

    def abort(self) -> None:
        """Cut the reply so that the client can see that it is not whole."""
        if self.finished:
            return
        self.finished = True
        self.keep = False
        # Without a length and without chunks, only a reset tells a cut from an end.
        framed = self._chunked or self._left is not None or self._held is not None
        self._wire.cut(reset=self.started and not framed)

    def on_flow(self, flow: Flow) -> None:
        """Have `flow` pause and resume as the client falls behind and catches up."""
        self._flow = flow
        if self._wire.write_paused:
            flow.pause()

    def flow(self, *, paused: bool) -> None:
        """Pass on that the client fell behind, or caught up: the connection's end of it."""
        flow = self._flow
        if flow is None or self.finished:
            return
        if paused:
            flow.pause()
        else:
            flow.resume()

    def _head(
        self, status: int, line: bytes, fields: Fields, framing: bytes, *, close: bool
    ) -> bytes:
        if self.started:
            raise RuntimeError("a second reply to one request")
        self.keep = not close and self._wire.may_keep()
        self.started = True
        self.status = status
        date = b"" if fields.dated else b"date: %b\r\n" % self._wire.date()
        stay = _CLOSE if not self.keep else b"" if self._http11 else _KEEP
        return b"%b%b%b%b%b\r\n" % (line, fields.lines, date, framing, stay)


@lru_cache(maxsize=256)
def _line(status: int, reason: bytes) -> bytes:
    usual = _LINES.get(status)
    if usual is not None and (not reason or usual[13:-2] == reason):
        return usual
    if not writable(reason):
        raise ValueError("a reason with CR, LF or NUL")
    return b"HTTP/1.1 %d %b\r\n" % (status, reason)
